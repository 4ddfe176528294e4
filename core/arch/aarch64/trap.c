/* SPDX-License-Identifier: MIT */
/*
 * From a trap record to a verdict: what the exception class asks for, done or handed on. The
 * instruction is stepped over here and nowhere else, and only after it took effect.
 */
#include "abort.h"
#include "esr.h"
#include "inject.h"
#include "pstate.h"
#include "smccc.h"
#include "sysreg.h"

static void count(struct a64_vcpu *vcpu, enum hv_exit_kind kind)
{
	vcpu->hv.stats.exits[kind]++;
}

static HV_COLD enum hv_verdict undef(struct a64_vcpu *vcpu)
{
	count(vcpu, HV_EXIT_GUEST);
	a64_inject_undef(vcpu);
	return HV_RESUME;
}

/* H11: only #0 is a call. The PC is behind an HVC already, and on a trapped SMC. */
inline enum hv_verdict a64_trap_hvc(struct a64_vcpu *vcpu, uint64_t esr)
{
	if (esr & 0xffff) {
		vcpu->regs.pc -= 4;
		return undef(vcpu);
	}
	count(vcpu, HV_EXIT_CALL);
	return a64_smccc_call(vcpu);
}

static enum hv_verdict smc(struct a64_vcpu *vcpu, uint64_t esr)
{
	if (esr & 0xffff) {
		return undef(vcpu);
	}
	count(vcpu, HV_EXIT_CALL);
	a64_step(vcpu, esr);
	return a64_smccc_call(vcpu);
}

inline enum hv_verdict a64_trap_sysreg(struct a64_vcpu *vcpu, uint64_t esr)
{
	count(vcpu, HV_EXIT_SYSREG);
	return a64_sysreg_trap(vcpu, esr);
}

enum hv_verdict a64_wait(struct a64_vcpu *vcpu)
{
	struct hv_exit exit = {.kind = HV_EXIT_WAIT};

	if ((vcpu->hcr & A64_HCR_VSE) || vgic_is_pending(&vcpu->gic)) {
		count(vcpu, HV_EXIT_WAIT);
		return HV_RESUME;
	}
	return hv_exit_handle(&vcpu->hv, &exit);
}

/* TI, ISS bits 1:0: WFI, WFE, WFIT, WFET. The last two may end early, so they yield. */
static enum hv_verdict wfx(struct a64_vcpu *vcpu, uint64_t esr)
{
	bool executes = a64_cond_passes(vcpu, esr);

	a64_step(vcpu, esr);
	if (executes && (esr & 3) == 0) {
		return a64_wait(vcpu);
	}
	count(vcpu, HV_EXIT_WAIT);
	return executes ? HV_YIELD : HV_RESUME;
}

static enum hv_verdict bad(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	count(vcpu, HV_EXIT_BAD);
	return hv_vm_crash(&vcpu->hv, a64_esr_name(trap->esr), trap->esr, vcpu->regs.pc);
}

static HV_COLD enum hv_verdict infrequent(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	switch (a64_esr_cause(trap->esr)) {
	case A64_CAUSE_SMC: return smc(vcpu, trap->esr);
	case A64_CAUSE_IABT: return a64_insn_abort(vcpu, trap);
	case A64_CAUSE_WFX: return wfx(vcpu, trap->esr);
	case A64_CAUSE_COPROC: count(vcpu, HV_EXIT_SYSREG); return a64_coproc_trap(vcpu, trap->esr);
	case A64_CAUSE_SERROR: a64_serror(vcpu); return HV_RESUME;
	case A64_CAUSE_UNDEF: return undef(vcpu);
	case A64_CAUSE_GUEST:
		count(vcpu, HV_EXIT_GUEST);
		a64_inject_same(vcpu, trap);
		return HV_RESUME;
	default: return bad(vcpu, trap);
	}
}

enum hv_verdict a64_trap_handle(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	switch (a64_esr_ec(trap->esr)) {
	case A64_EC_HVC64: return a64_trap_hvc(vcpu, trap->esr);
	case A64_EC_SYSREG: return a64_trap_sysreg(vcpu, trap->esr);
	case A64_EC_DABT_LOWER: return a64_data_abort(vcpu, trap);
	default: return infrequent(vcpu, trap);
	}
}
