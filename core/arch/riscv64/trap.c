/* SPDX-License-Identifier: MIT */
/*
 * From a trap record to a verdict: what the cause asks for, done or handed on. An instruction is
 * stepped over only after it took effect.
 */
#include "csr.h"
#include "fault.h"
#include "priv.h"
#include "sbi.h"

inline enum hv_verdict rv64_trap_ecall(struct rv64_vcpu *vcpu)
{
	vcpu->hv.stats.exits[HV_EXIT_CALL]++;
	vcpu->regs.pc += 4;
	return rv64_sbi_call(vcpu);
}

/* One that is delegated, or that the hart's VS-mode should have got itself. */
static enum hv_verdict forward(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	rv64_exception_take(vcpu, trap->scause, trap->stval);
	return HV_RESUME;
}

/* Reserved, custom, or none of a guest's: nothing that could be handled is known of it (X9). */
static enum hv_verdict bad(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	vcpu->hv.stats.exits[HV_EXIT_BAD]++;
	return hv_vm_crash(&vcpu->hv, rv64_cause_name(trap->scause), trap->scause, vcpu->regs.pc);
}

static HV_COLD enum hv_verdict infrequent(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	switch (trap->scause) {
	case RV64_FETCH_MISALIGNED:
	case RV64_FETCH_FAULT:
	case RV64_BREAKPOINT:
	case RV64_LOAD_MISALIGNED:
	case RV64_LOAD_FAULT:
	case RV64_STORE_MISALIGNED:
	case RV64_STORE_FAULT:
	case RV64_ECALL_VU:
	case RV64_FETCH_PAGE:
	case RV64_LOAD_PAGE:
	case RV64_STORE_PAGE: return forward(vcpu, trap);
	case RV64_FETCH_GUEST: return rv64_fetch_fault(vcpu, trap);
	case RV64_ILLEGAL:
	case RV64_VIRTUAL_INSN: return rv64_insn_trap(vcpu, trap);
	default: return bad(vcpu, trap);
	}
}

enum hv_verdict rv64_trap_handle(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	switch (trap->scause) {
	case RV64_ECALL_VS: return rv64_trap_ecall(vcpu);
	case RV64_LOAD_GUEST:
	case RV64_STORE_GUEST: return rv64_data_fault(vcpu, trap);
	default: return infrequent(vcpu, trap);
	}
}
