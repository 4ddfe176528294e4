/* SPDX-License-Identifier: MIT */
/*
 * Trapped system registers and system instructions: the virtual CPU's identity, its physical timer,
 * the GIC's SGI registers, and what it hides. docs/virtual-cpu-aarch64.md explains each value.
 */
#ifndef A64_SYSREG_H
#define A64_SYSREG_H

#include <arch/aarch64/a64.h>

/* All that names a register or system instruction, in the order of the table. */
#define A64_SYSREG(op0, op1, crn, crm, op2)                                                        \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define A64_SYSREG_COUNT 0x10000u

#define A64_MIDR 0x410fd034u /* Cortex-A53 r0p4 */

/*
 * Reads to *value, or writes it. False: the virtual CPU has no such access at the guest's present
 * exception level (UNDEF), and nothing has changed.
 */
HV_WARN_UNUSED bool a64_sysreg_access(
	struct a64_vcpu *vcpu, uint32_t reg, bool write, uint64_t *value);

/* The exception class 0x18: does the access and steps, or injects UNDEF. Resumes. */
enum hv_verdict a64_sysreg_trap(struct a64_vcpu *vcpu, uint64_t esr);

/* Classes 3 to 6, 8 and 12: AArch32 code at EL0 may reach the physical timer, and nothing else. */
enum hv_verdict a64_coproc_trap(struct a64_vcpu *vcpu, uint64_t esr);

#endif
