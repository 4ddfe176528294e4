/* SPDX-License-Identifier: MIT */
/* The Supervisor Binary Interface: SBI 2.0. */
#ifndef RV64_SBI_H
#define RV64_SBI_H

#include <arch/riscv64/rv64.h>

/* The call in a7, a6 and a0..a5; the PC is behind the ecall already. */
HV_WARN_UNUSED enum hv_verdict rv64_sbi_call(struct rv64_vcpu *vcpu);

#endif
