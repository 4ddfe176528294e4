/* SPDX-License-Identifier: MIT */
/*
 * Stage-2 aborts: guest memory that is not mapped yet, devices by trap and emulate, and what is
 * neither; exception classes 0x20 (instruction) and 0x24 (data).
 */
#ifndef A64_ABORT_H
#define A64_ABORT_H

#include <arch/aarch64/a64.h>

HV_WARN_UNUSED enum hv_verdict a64_insn_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap);
HV_WARN_UNUSED enum hv_verdict a64_data_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap);

#endif
