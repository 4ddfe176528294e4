/* SPDX-License-Identifier: MIT */
/* PSTATE in SPSR_EL2 format, and the few questions and steps on it. DDI 0487, "SPSR_EL2". */
#ifndef A64_PSTATE_H
#define A64_PSTATE_H

#include "esr.h"

#include <arch/aarch64/a64.h>

#define A64_PSTATE_SP    HV_BIT(0) /* AArch64: SP_ELx, not SP_EL0 */
#define A64_PSTATE_NRW   HV_BIT(4) /* AArch32 */
#define A64_PSTATE_T     HV_BIT(5) /* AArch32: T32 */
#define A64_PSTATE_E     HV_BIT(9) /* AArch32: big-endian data */
#define A64_PSTATE_DAIF  HV_MASK(9, 6)
#define A64_PSTATE_BTYPE HV_MASK(11, 10) /* AArch64; in AArch32 these are IT[7:2]'s low bits */
#define A64_PSTATE_SSBS  HV_BIT(12)
#define A64_PSTATE_SS    HV_BIT(21)
#define A64_PSTATE_PAN   HV_BIT(22)
#define A64_PSTATE_UAO   HV_BIT(23)
#define A64_PSTATE_DIT   HV_BIT(24)
#define A64_PSTATE_TCO   HV_BIT(25)
#define A64_PSTATE_NZCV  HV_MASK(31, 28)
#define A64_PSTATE_EL1H  0x5u

static inline bool a64_is_aarch32(const struct a64_vcpu *vcpu)
{
	return (vcpu->regs.pstate & A64_PSTATE_NRW) != 0;
}

/* Under a64_hcr() EL1 is AArch64, so AArch32 is EL0. */
static inline bool a64_is_el0(const struct a64_vcpu *vcpu)
{
	return (vcpu->regs.pstate & (A64_PSTATE_NRW | 0xc)) != 0x4;
}

/* Whether an AArch32 instruction that trapped would have been executed at all. */
bool a64_cond_passes(const struct a64_vcpu *vcpu, uint64_t esr);

/* After an AArch32 instruction: the PC, and T32's IT block. */
HV_COLD void a64_step_aarch32(struct a64_vcpu *vcpu, uint8_t insn_len);

/* The trapped instruction is done: behaves as if the CPU had executed it. */
static HV_HOT void a64_step_aarch64(struct a64_vcpu *vcpu)
{
	vcpu->regs.pc += 4;
	vcpu->regs.pstate &= ~(A64_PSTATE_SS | A64_PSTATE_BTYPE);
}

static inline void a64_step(struct a64_vcpu *vcpu, uint64_t esr)
{
	if (a64_is_aarch32(vcpu)) {
		a64_step_aarch32(vcpu, a64_esr_insn_len(esr));
	} else {
		a64_step_aarch64(vcpu);
	}
}

/* X<n> as an operand: register 31 is the zero register (X3). */
static inline uint64_t a64_x(const struct a64_vcpu *vcpu, uint64_t n)
{
	return n < 31 ? vcpu->regs.x[n] : 0;
}

static inline void a64_x_set(struct a64_vcpu *vcpu, uint64_t n, uint64_t value)
{
	if (n < 31) {
		vcpu->regs.x[n] = value;
	}
}

#define A64_HCR_VSE HV_BIT(8) /* HCR_EL2: an SError is pending for the guest */

/* SCTLR_EL1 */
#define A64_SCTLR_M       HV_BIT(0)
#define A64_SCTLR_WXN     HV_BIT(19)
#define A64_SCTLR_SPAN    HV_BIT(23)
#define A64_SCTLR_E0E_BIT 24u /* big-endian data at EL0; the next bit is EL1's, EE */
#define A64_SCTLR_E0E     HV_BIT(A64_SCTLR_E0E_BIT)
#define A64_SCTLR_EE      HV_BIT(25)
#define A64_SCTLR_DSSBS   HV_BIT(44)

/* Whether data accesses of the guest's present level are big-endian (D13). */
static inline bool a64_is_big_endian(const struct a64_vcpu *vcpu)
{
	uint64_t pstate = vcpu->regs.pstate;
	uint64_t sctlr = vcpu->el1_here ? vcpu->el1.sctlr : port_a64_sctlr();

	if (__builtin_expect((pstate & A64_PSTATE_NRW) != 0, 0)) {
		return (pstate & A64_PSTATE_E) != 0;
	}
	return (sctlr >> A64_SCTLR_E0E_BIT >> (pstate >> 2 & 1) & 1) != 0;
}

/* The low `size` (1, 2, 4, 8) bytes of value in the other byte order. */
static inline uint64_t a64_swap(uint64_t value, uint8_t size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

#endif
