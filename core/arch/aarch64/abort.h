/* SPDX-License-Identifier: MIT */
/*
 * Stage-2 aborts: guest memory that is not mapped yet, devices by trap and emulate, and what is
 * neither. Class 0x20 (instruction) is here, class 0x24 (data) in the door.
 */
#ifndef A64_ABORT_H
#define A64_ABORT_H

#include <arch/aarch64/a64.h>

HV_WARN_UNUSED enum hv_verdict a64_insn_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap);

#endif
