/* SPDX-License-Identifier: MIT */
/*
 * An access to a device for which the CPU gave no syndrome (ISV=0): the instruction is fetched
 * through the guest's own translation, decoded and done. What has no plain meaning on a device
 * (exclusives, atomics, structures, DC ZVA, CONSTRAINED UNPREDICTABLE forms) is answered with an
 * external abort, and nothing has changed (X2, D2, D5).
 */
#ifndef A64_EMULATE_H
#define A64_EMULATE_H

#include <arch/aarch64/a64.h>

/* A Stage-2 data abort with a valid FAR. HV_FAULT: an abort was injected. */
HV_WARN_UNUSED enum hv_verdict a64_emulate(struct a64_vcpu *vcpu, const struct a64_trap *trap);

#endif
