/* SPDX-License-Identifier: MIT */
/* Exception entry to the guest's EL1: DDI 0487, AArch64.TakeException() and its callers. */
#include "inject.h"
#include "pstate.h"

struct a64_el1 *a64_el1_get(struct a64_vcpu *vcpu)
{
	if (!vcpu->el1_here) {
		port_a64_el1_load(&vcpu->el1);
		vcpu->el1_here = true;
	}
	return &vcpu->el1;
}

/* The vector table's quarter by where the guest was. */
static uint64_t vector_base(const struct a64_vcpu *vcpu)
{
	if (a64_is_aarch32(vcpu)) {
		return 0x600;
	}
	if (a64_is_el0(vcpu)) {
		return 0x400;
	}
	return (vcpu->regs.pstate & A64_PSTATE_SP) ? 0x200 : 0x000;
}

/*
 * PSTATE at EL1h with all masked; IL, SS, BTYPE, UAO and IT are 0. Bits beyond ARMv8.0 follow
 * SCTLR_EL1 where this CPU has them at all.
 */
static uint64_t pstate_after(const struct a64_vcpu *vcpu)
{
	uint64_t has = vcpu->pstate_bits;
	uint64_t keep = A64_PSTATE_NZCV | (has & (A64_PSTATE_PAN | A64_PSTATE_DIT));
	uint64_t pstate = (vcpu->regs.pstate & keep) | A64_PSTATE_DAIF | A64_PSTATE_EL1H;

	pstate |= has & A64_PSTATE_TCO;
	if (!(vcpu->el1.sctlr & A64_SCTLR_SPAN)) {
		pstate |= has & A64_PSTATE_PAN;
	}
	if (vcpu->el1.sctlr & A64_SCTLR_DSSBS) {
		pstate |= has & A64_PSTATE_SSBS;
	}
	return pstate;
}

void a64_exception_take(struct a64_vcpu *vcpu, enum a64_vector vector, uint64_t esr)
{
	struct a64_el1 *el1 = a64_el1_get(vcpu);

	if (vector == A64_VECTOR_SYNC || vector == A64_VECTOR_SERROR) {
		el1->esr = esr;
	}
	el1->elr = vcpu->regs.pc;
	el1->spsr = vcpu->regs.pstate;
	vcpu->regs.pc = el1->vbar + vector_base(vcpu) + vector;
	vcpu->regs.pstate = pstate_after(vcpu);
	vcpu->el1_dirty = true;
}

void a64_inject_undef(struct a64_vcpu *vcpu)
{
	a64_exception_take(vcpu, A64_VECTOR_SYNC, A64_ESR_IL);
}

/* Class `lower` from EL0; from EL1 it is the next one, "same level". */
static uint64_t syndrome(const struct a64_vcpu *vcpu, uint64_t lower, uint64_t iss)
{
	return (lower + !a64_is_el0(vcpu)) << A64_ESR_EC_SHIFT | iss;
}

static void take_abort(struct a64_vcpu *vcpu, uint64_t esr, uint64_t far, bool far_valid)
{
	if (far_valid) {
		a64_el1_get(vcpu)->far = far;
	} else {
		esr |= A64_ISS_FNV;
	}
	a64_exception_take(vcpu, A64_VECTOR_SYNC, esr);
}

/* IL is 1 where there is no valid ISS of the access; ISV is 0 for an abort taken to EL1. */
void a64_inject_data_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap, unsigned fsc)
{
	uint64_t iss = (trap->esr & (A64_ISS_WNR | A64_ISS_CM)) | fsc;

	take_abort(vcpu, syndrome(vcpu, A64_EC_DABT_LOWER, A64_ESR_IL | iss), trap->far,
		!(trap->esr & A64_ISS_FNV));
}

void a64_inject_insn_abort(struct a64_vcpu *vcpu, uint64_t far, bool far_valid, unsigned fsc)
{
	take_abort(vcpu, syndrome(vcpu, A64_EC_IABT_LOWER, A64_ESR_IL | fsc), far, far_valid);
}

/* Classes 0x30, 0x32 and 0x34 come in pairs as aborts do; those and PC alignment set FAR. */
void a64_inject_same(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	unsigned ec = a64_esr_ec(trap->esr);
	uint64_t iss = trap->esr & (A64_ESR_IL | A64_ESR_ISS);

	if (ec == 0x22 || ec == 0x34) {
		a64_el1_get(vcpu)->far = trap->far;
	}
	if (ec == 0x30 || ec == 0x32 || ec == 0x34) {
		a64_exception_take(vcpu, A64_VECTOR_SYNC, syndrome(vcpu, ec, iss));
		return;
	}
	a64_exception_take(vcpu, A64_VECTOR_SYNC, (uint64_t)ec << A64_ESR_EC_SHIFT | iss);
}

void a64_serror(struct a64_vcpu *vcpu)
{
	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	vcpu->hcr |= A64_HCR_VSE; /* the CPU delivers it once PSTATE.A allows */
}
