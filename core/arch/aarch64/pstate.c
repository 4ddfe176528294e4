/* SPDX-License-Identifier: MIT */
#include "pstate.h"

/* IT[7:0] lies in SPSR bits 15:10 (IT[7:2]) and 26:25 (IT[1:0]). */
static unsigned it_get(uint64_t pstate)
{
	return (unsigned)(hv_bits(pstate, 15, 10) << 2 | hv_bits(pstate, 26, 25));
}

static uint64_t it_set(uint64_t pstate, unsigned it)
{
	pstate &= ~(HV_MASK(15, 10) | HV_MASK(26, 25));
	return pstate | (uint64_t)(it >> 2) << 10 | (uint64_t)(it & 3) << 25;
}

/* ConditionHolds() of the pseudocode. */
static bool holds(unsigned cond, uint64_t pstate)
{
	bool n = hv_bit(pstate, 31), z = hv_bit(pstate, 30);
	bool c = hv_bit(pstate, 29), v = hv_bit(pstate, 28);
	const bool base[8] = {z, c, n, v, c && !z, n == v, n == v && !z, true};

	return cond == 15 || base[cond >> 1] != ((cond & 1) != 0);
}

bool a64_cond_passes(const struct a64_vcpu *vcpu, uint64_t esr)
{
	uint64_t pstate = vcpu->regs.pstate;
	unsigned it;

	if (!a64_is_aarch32(vcpu)) {
		return true;
	}
	if (hv_bit(esr, 24)) { /* CV: the syndrome has the condition */
		return holds((unsigned)hv_bits(esr, 23, 20), pstate);
	}
	it = it_get(pstate);
	return !(pstate & A64_PSTATE_T) || it == 0 || holds(it >> 4, pstate);
}

void a64_step_aarch32(struct a64_vcpu *vcpu, uint8_t insn_len)
{
	uint64_t pstate = vcpu->regs.pstate;
	unsigned it = it_get(pstate);

	if (pstate & A64_PSTATE_T) { /* ITAdvance() */
		it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
		pstate = it_set(pstate, it);
	}
	vcpu->regs.pc = (uint32_t)(vcpu->regs.pc + insn_len);
	vcpu->regs.pstate = pstate & ~A64_PSTATE_SS;
}
