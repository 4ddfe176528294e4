/* SPDX-License-Identifier: MIT */
/*
 * The virtual hart's own answers; docs/virtual-hart-riscv64.md is the list. Whatever is not here
 * is an illegal instruction to the guest, also where the H extension calls it a virtual one: its
 * hart has no H.
 */
#include "csr.h"
#include "decode.h"
#include "fetch.h"
#include "priv.h"

#define CSR_TIME    0xc01u
#define CSR_MHARTID 0xf14u

#define COUNTER_TM HV_BIT(1)

static enum hv_verdict illegal(struct rv64_vcpu *vcpu, uint32_t bits)
{
	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	rv64_exception_take(vcpu, RV64_ILLEGAL, bits);
	return HV_RESUME;
}

static bool time_read(struct rv64_vcpu *vcpu, uint64_t *value)
{
	const struct rv64_vs *vs = rv64_vs_get(vcpu);

	*value = port_rv64_time() + vcpu->htimedelta;
	return !vs->user || (vs->scounteren & COUNTER_TM);
}

/*
 * A CSR of M-mode. Not of this hart's, strictly; but guests without a DTB ask who they are, and M-
 * mode is not there to tell them.
 */
static bool hart_id_read(struct rv64_vcpu *vcpu, uint64_t *value)
{
	*value = vcpu->hart_id;
	return !rv64_vs_get(vcpu)->user;
}

static const struct csr {
	uint16_t number;
	bool (*read)(struct rv64_vcpu *vcpu, uint64_t *value); /* false: not in this mode */
} csrs[] = {
	{CSR_TIME, time_read},
	{CSR_MHARTID, hart_id_read},
};

/* All that we have are read-only: CSRRS and CSRRC with x0 or 0 do not write (unpriv 9.1). */
static bool is_read(const struct rv64_insn *insn)
{
	return insn->op != RV64_CSR_WRITE && insn->source == 0;
}

static bool csr_read(struct rv64_vcpu *vcpu, uint16_t number, uint64_t *value)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(csrs); i++) {
		if (csrs[i].number == number) {
			return csrs[i].read(vcpu, value);
		}
	}
	return false;
}

static enum hv_verdict csr(struct rv64_vcpu *vcpu, const struct rv64_insn *insn, uint32_t bits)
{
	uint64_t value;

	if (!is_read(insn) || !csr_read(vcpu, insn->csr, &value)) {
		return illegal(vcpu, bits);
	}
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	if (insn->reg != 0) {
		vcpu->regs.x[insn->reg] = value;
	}
	vcpu->regs.pc += insn->length;
	return HV_RESUME;
}

static enum hv_verdict wfi(struct rv64_vcpu *vcpu, uint32_t bits)
{
	struct hv_exit exit = {.kind = HV_EXIT_WAIT};

	if (rv64_vs_get(vcpu)->user) {
		return illegal(vcpu, bits);
	}
	vcpu->regs.pc += 4;
	if (port_rv64_pending()) {
		vcpu->hv.stats.exits[HV_EXIT_WAIT]++;
		return HV_RESUME;
	}
	return hv_exit_handle(&vcpu->hv, &exit);
}

/* stval is the instruction, or 0 where the CPU does not say (priv 4.1.10). */
static bool find_bits(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t *bits)
{
	*bits = (uint32_t)trap->stval;
	if (trap->stval == 0 && !rv64_insn_fetch(vcpu, bits)) {
		return false;
	}
	*bits &= rv64_insn_length(*bits) == 2 ? 0xffff : 0xffffffff;
	return true;
}

enum hv_verdict rv64_insn_trap(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	struct rv64_insn insn;
	uint32_t bits;

	if (!find_bits(vcpu, trap, &bits)) {
		return HV_RESUME; /* X11: the guest meets that by itself */
	}
	insn = rv64_insn_decode(bits);
	switch (insn.kind) {
	case RV64_INSN_CSR: return csr(vcpu, &insn, bits);
	case RV64_INSN_WFI: return wfi(vcpu, bits);
	default: return illegal(vcpu, bits);
	}
}
