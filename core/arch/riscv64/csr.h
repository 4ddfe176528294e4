/* SPDX-License-Identifier: MIT */
/*
 * Instructions that the guest's VS-mode or VU-mode may not do itself: CSRs, WFI, and what the
 * virtual hart does not have. scause 2 (illegal) and 22 (virtual instruction).
 */
#ifndef RV64_CSR_H
#define RV64_CSR_H

#include "rv64.h"

HV_WARN_UNUSED enum hv_verdict rv64_insn_trap(struct rv64_vcpu *vcpu, const struct rv64_trap *trap);

#endif
