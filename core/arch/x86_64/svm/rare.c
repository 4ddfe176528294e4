/* SPDX-License-Identifier: MIT */
#include "rare.h"
#include "step.h"

#include <arch/x86_64/cr.h>
#include <arch/x86_64/emulate.h>
#include <arch/x86_64/event.h>
#include <arch/x86_64/mem.h>

static struct svm_control *control_of(const struct x86_vcpu *vcpu)
{
	return &svm_vmcb(vcpu)->control;
}

static enum hv_verdict host(struct x86_vcpu *vcpu)
{
	vcpu->hv.stats.exits[HV_EXIT_HOST_IRQ]++;
	return HV_RESUME;
}

static enum hv_verdict stop(struct x86_vcpu *vcpu, const char *why)
{
	vcpu->hv.stats.exits[HV_EXIT_BAD]++;
	return hv_vm_crash(
		&vcpu->hv, why, control_of(vcpu)->exit_code, control_of(vcpu)->exit_info1);
}

/* ---- instructions ---- */

/* Guests' caches are the host's, and nothing of theirs may be thrown away unwritten. */
static enum hv_verdict nothing(struct x86_vcpu *vcpu, uint8_t op)
{
	enum hv_verdict verdict;
	uint64_t length = svm_length_decoded(vcpu, op, &verdict);

	if (length == 0) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	svm_step(vcpu, length);
	return HV_RESUME;
}

/* ---- control registers ---- */

static enum hv_verdict done(struct x86_vcpu *vcpu, const struct x86_insn *insn, bool ok)
{
	if (!ok) {
		return x86_raise_error(vcpu, X86_GP, 0);
	}
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	svm_step(vcpu, insn->length);
	return HV_RESUME;
}

/* All of the register, but 32 bits outside 64-bit code. */
static uint64_t value_of(const struct x86_vcpu *vcpu, const struct x86_operand *operand)
{
	return x86_operand_get(&vcpu->regs, operand);
}

static bool write_cr(struct x86_vcpu *vcpu, unsigned cr, uint64_t value)
{
	switch (cr) {
	case 0: svm_tlb_flush(vcpu); return x86_cr0_write(vcpu, value);
	case 4: svm_tlb_flush(vcpu); return x86_cr4_write(vcpu, value);
	default: return x86_cr8_write(vcpu, value);
	}
}

/* MP, EM, TS, and PE, which it can set only. */
#define LMSW_BITS (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)

static enum hv_verdict lmsw(struct x86_vcpu *vcpu, const struct x86_insn *insn)
{
	uint64_t cr0 = vcpu->sys->cr0;

	if (insn->dst.kind != X86_OPERAND_REG) {
		return stop(vcpu, "LMSW from memory");
	}
	cr0 &= ~(LMSW_BITS & ~X86_CR0_PE);
	cr0 |= value_of(vcpu, &insn->dst) & LMSW_BITS;
	return done(vcpu, insn, write_cr(vcpu, 0, cr0));
}

/* Whether this is what the CPU left for; else code has changed, and is met by itself (D9). */
static bool is_mov(const struct x86_insn *insn, unsigned cr, bool write)
{
	const struct x86_operand *side = write ? &insn->dst : &insn->src;

	return insn->op == X86_OP_MOV_CR && side->kind == X86_OPERAND_CR && side->reg == cr;
}

static enum hv_verdict cr_access(struct x86_vcpu *vcpu, unsigned cr, bool write)
{
	struct x86_insn insn;
	enum hv_verdict verdict;

	if (!x86_code_decode(vcpu, &insn, &verdict)) {
		return verdict;
	}
	if (insn.op == X86_OP_LMSW && cr == 0) {
		return lmsw(vcpu, &insn);
	}
	if (!is_mov(&insn, cr, write)) {
		return HV_RESUME;
	}
	if (write) {
		return done(vcpu, &insn, write_cr(vcpu, cr, value_of(vcpu, &insn.src)));
	}
	x86_operand_set(&vcpu->regs, &insn.dst, x86_cr8(vcpu));
	return done(vcpu, &insn, true);
}

/* ---- exceptions ---- */

static enum hv_verdict debug(struct x86_vcpu *vcpu)
{
	if (!x86_step_ends(vcpu)) {
		return x86_raise(vcpu, X86_DB);
	}
	vcpu->sys->dr6 &= ~X86_DR6_BS;
	return HV_RESUME;
}

static enum hv_verdict exception(struct x86_vcpu *vcpu, uint64_t vector)
{
	switch (vector) {
	case X86_DB: return debug(vcpu);
	case X86_AC: return x86_raise_error(vcpu, X86_AC, (uint32_t)control_of(vcpu)->exit_info1);
	case X86_MC: return stop(vcpu, "a machine check");
	default: return stop(vcpu, "an exception that was not asked for");
	}
}

static bool is_again(const struct x86_event *event)
{
	switch (event->type) {
	case X86_EVENT_SOFT: return true;
	case X86_EVENT_EXCEPTION: return event->vector == X86_BP || event->vector == X86_OF;
	default: return false;
	}
}

/* INT n, INT3 and INTO come again by themselves, as RIP is still on them. */
void svm_event_take_back(struct x86_vcpu *vcpu)
{
	uint64_t raw = control_of(vcpu)->exit_int_info;
	const struct x86_event event = {
		.valid = true,
		.vector = (uint8_t)raw,
		.type = raw >> SVM_EVENT_TYPE_SHIFT & 7,
		.has_error = (raw & SVM_EVENT_HAS_ERROR) != 0,
		.error = (uint32_t)(raw >> SVM_EVENT_ERROR_SHIFT),
	};

	if ((raw & SVM_EVENT_VALID) && !is_again(&event)) {
		vcpu->event = event;
		x86_look(vcpu);
	}
}

/*
 * An NMI's handler ends with this IRET, or another event's does: nothing may come before it is done
 * (A8).
 */
static enum hv_verdict iret(struct x86_vcpu *vcpu)
{
	vcpu->hv.stats.exits[HV_EXIT_SYSREG]++;
	svm_iret_begins(vcpu);
	return HV_RESUME;
}

static enum hv_verdict look(struct x86_vcpu *vcpu)
{
	vcpu->hv.stats.exits[HV_EXIT_HOST_IRQ]++;
	x86_look(vcpu);
	return HV_RESUME;
}

/* ---- all ---- */

static HV_COLD enum hv_verdict by_code(struct x86_vcpu *vcpu, uint64_t code)
{
	switch (code) {
	case SVM_EXIT_CR_READ + 8: return cr_access(vcpu, 8, false);
	case SVM_EXIT_CR_WRITE + 4: return cr_access(vcpu, 4, true);
	case SVM_EXIT_CR_WRITE + 8: return cr_access(vcpu, 8, true);
	case SVM_EXIT(CR0_SELECTIVE): return cr_access(vcpu, 0, true);
	case SVM_EXIT(INTR):
	case SVM_EXIT(NMI):
	case SVM_EXIT(SMI):
	case SVM_EXIT(INIT): return host(vcpu);
	case SVM_EXIT(VINTR): return look(vcpu);
	case SVM_EXIT(IRET): return iret(vcpu);
	case SVM_EXIT(INVD): return nothing(vcpu, X86_OP_INVD);
	case SVM_EXIT(WBINVD): return nothing(vcpu, X86_OP_WBINVD);
	case SVM_EXIT(RDPMC): return x86_raise_error(vcpu, X86_GP, 0);
	case SVM_EXIT(INVLPGA):
	case SVM_EXIT(VMRUN):
	case SVM_EXIT(VMLOAD):
	case SVM_EXIT(VMSAVE):
	case SVM_EXIT(STGI):
	case SVM_EXIT(CLGI):
	case SVM_EXIT(SKINIT):
	case SVM_EXIT(MONITOR):
	case SVM_EXIT(MWAIT):
	case SVM_EXIT(MWAIT_ARMED):
	case SVM_EXIT(RDPRU):
	case SVM_EXIT(INVLPGB):
	case SVM_EXIT(INVLPGB_ILLEGAL):
	case SVM_EXIT(INVPCID):
	case SVM_EXIT(MCOMMIT):
	case SVM_EXIT(TLBSYNC): return x86_raise(vcpu, X86_UD);
	case SVM_EXIT(SHUTDOWN): return stop(vcpu, "triple fault");
	case SVM_EXIT_INVALID:
	case SVM_EXIT_INVALID32: return stop(vcpu, "VMRUN refused its state");
	default: return stop(vcpu, "an exit that was not asked for");
	}
}

enum hv_verdict svm_rare_handle(struct x86_vcpu *vcpu)
{
	uint64_t code = control_of(vcpu)->exit_code;

	if (code - SVM_EXIT_EXCEPTION < 32) {
		return exception(vcpu, code - SVM_EXIT_EXCEPTION);
	}
	return by_code(vcpu, code);
}
