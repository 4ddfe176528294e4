/* SPDX-License-Identifier: MIT */
/*
 * What the next VMRUN delivers (APM2 15.20), and by which exit the guest comes back for what cannot
 * be delivered yet: VINTR when it can take an interrupt, IRET when it has done with an NMI, a
 * single step where neither would come.
 */
#include "rare.h"
#include "step.h"
#include "svm.h"

#include <arch/x86_64/code.h>
#include <arch/x86_64/life.h>
#include <arch/x86_64/priv.h>
#include <dev/lapic/lapic.h>

static uint64_t encode(const struct x86_event *event)
{
	uint64_t raw =
		SVM_EVENT_VALID | event->vector | (uint64_t)event->type << SVM_EVENT_TYPE_SHIFT;

	if (event->has_error) {
		raw |= SVM_EVENT_HAS_ERROR | (uint64_t)event->error << SVM_EVENT_ERROR_SHIFT;
	}
	return raw;
}

static void inject(struct x86_vcpu *vcpu, uint8_t type, uint8_t vector)
{
	const struct x86_event event = {.type = type, .vector = vector};

	svm_vmcb(vcpu)->control.event_inject = encode(&event);
	vcpu->halted = false;
}

static void inject_again(struct x86_vcpu *vcpu, struct x86_event *event)
{
	svm_vmcb(vcpu)->control.event_inject = encode(event);
	event->valid = false;
	vcpu->halted = false;
}

/* ---- what is due, the first of it ---- */

static bool is_shadowed(const struct svm_control *control)
{
	return (control->shadow & SVM_SHADOW) != 0;
}

static bool takes_nmis(const struct x86_vcpu *vcpu)
{
	return !vcpu->nmi_blocked && !vcpu->nmi_step && !is_shadowed(&svm_vmcb(vcpu)->control);
}

/* The next instruction is the step. The handler of its fault is not: in there, interrupts come. */
static bool is_stepping(const struct x86_vcpu *vcpu)
{
	return vcpu->nmi_step && (vcpu->sys->rflags & X86_FLAG_TF);
}

static bool takes_interrupts(const struct x86_vcpu *vcpu)
{
	return (vcpu->sys->rflags & X86_FLAG_IF) && !is_shadowed(&svm_vmcb(vcpu)->control) &&
	       !is_stepping(vcpu);
}

/*
 * HLT behind STI ends as it begins when an interrupt waits. It does so here, for a CPU that forgets
 * the shadow at VMRUN (QEMU's) takes the interrupt before HLT, and then sleeps without one (S4).
 */
static HV_COLD void end_halt(struct x86_vcpu *vcpu)
{
	const uint8_t hlt = 0xf4;
	const struct x86_sys *sys = vcpu->sys;

	if (sys->cpl == 0 && (sys->rflags & X86_FLAG_IF) && !(sys->rflags & X86_FLAG_TF) &&
		x86_code_is(vcpu, hlt)) {
		svm_step(vcpu, sizeof(hlt));
	}
}

/* An interrupt; what is left of them, LAPIC_NOTHING for none. */
static int inject_interrupt(struct x86_vcpu *vcpu, int pending)
{
	if (pending == LAPIC_NOTHING) {
		return pending;
	}
	if (is_shadowed(&svm_vmcb(vcpu)->control)) {
		end_halt(vcpu);
	}
	if (!takes_interrupts(vcpu)) {
		return pending;
	}
	inject(vcpu, X86_EVENT_INTR, lapic_accept(vcpu->lapic, pending));
	return lapic_pending(vcpu->lapic);
}

static HV_COLD void inject_nmi(struct x86_vcpu *vcpu)
{
	inject(vcpu, X86_EVENT_NMI, X86_NMI);
	vcpu->nmi_pending--;
	vcpu->nmi_blocked = true;
}

static HV_COLD bool inject_rare(struct x86_vcpu *vcpu)
{
	if (vcpu->event.valid) {
		inject_again(vcpu, &vcpu->event);
	} else if (vcpu->nmi_pending && takes_nmis(vcpu)) {
		inject_nmi(vcpu);
	} else if (vcpu->held.valid && takes_interrupts(vcpu)) {
		inject_again(vcpu, &vcpu->held);
	} else {
		return false;
	}
	return true;
}

/* ---- how the rest comes back ---- */

static void window(struct svm_control *control, bool open)
{
	const uint32_t vintr = 1u << SVM_INTERCEPT_VINTR;

	if (open) {
		control->vintr |= SVM_VINTR_IRQ;
		control->intercept[0] |= vintr;
	} else {
		control->vintr &= ~SVM_VINTR_IRQ;
		control->intercept[0] &= ~vintr;
	}
}

/* Out of a shadow, or behind an IRET: the trap comes to us, as #DB is intercepted. */
static HV_COLD void step(struct x86_vcpu *vcpu)
{
	vcpu->nmi_step = true;
	vcpu->nmi_step_tf = (vcpu->sys->rflags & X86_FLAG_TF) != 0;
	vcpu->sys->rflags |= X86_FLAG_TF;
}

/*
 * Never open for what is not taken then: a CPU that forgets the shadow (QEMU's) would come back at
 * once, and the guest get nowhere.
 */
static bool wants_window(const struct x86_vcpu *vcpu, int pending)
{
	bool nmi = vcpu->nmi_pending && !vcpu->nmi_blocked && !vcpu->nmi_step;

	return nmi || ((pending != LAPIC_NOTHING || vcpu->held.valid) && !is_stepping(vcpu));
}

/* IRET exits while an NMI is handled, and while one waits for the end of another event's handler.
 */
static void nmi_window(struct x86_vcpu *vcpu, struct svm_control *control)
{
	const uint32_t iret = 1u << SVM_INTERCEPT_IRET;
	bool injects = (control->event_inject & SVM_EVENT_VALID) != 0;

	control->intercept[0] &= ~iret;
	if (vcpu->nmi_step) {
		return;
	}
	if (vcpu->nmi_pending && !vcpu->nmi_blocked && is_shadowed(control) && !injects) {
		step(vcpu);
	} else if (vcpu->nmi_blocked || vcpu->nmi_pending) {
		control->intercept[0] |= iret;
	}
}

/* NMIs stay blocked until it is done. */
void svm_iret_begins(struct x86_vcpu *vcpu)
{
	svm_vmcb(vcpu)->control.intercept[0] &= ~(1u << SVM_INTERCEPT_IRET);
	step(vcpu);
}

/* It begins anew: nothing of before counts. */
static HV_COLD void begin(struct x86_vcpu *vcpu, struct svm_control *control)
{
	vcpu->fresh = false;
	control->event_inject = 0;
	control->shadow = 0;
	svm_tlb_flush(vcpu);
}

enum hv_verdict svm_entry_prepare(struct x86_vcpu *vcpu)
{
	struct svm_control *control = &svm_vmcb(vcpu)->control;
	int pending;

	/* First the flag, then the look: what comes in between is looked at twice, never lost. */
	atomic_fetch_and(&vcpu->hv.todo, ~(uint32_t)HV_TODO_IRQ);
	if (atomic_load(&vcpu->signals) != 0) {
		x86_signals_take(vcpu);
	}
	if (vcpu->wait_sipi) {
		return HV_BLOCK;
	}
	if (vcpu->fresh) {
		begin(vcpu, control);
	}
	control->tsc_offset = vcpu->tsc_offset;
	pending = lapic_pending(vcpu->lapic);
	if (!(control->event_inject & SVM_EVENT_VALID) && !inject_rare(vcpu)) {
		pending = inject_interrupt(vcpu, pending);
	}
	nmi_window(vcpu, control);
	window(control, wants_window(vcpu, pending));
	return vcpu->halted ? HV_BLOCK : HV_RESUME;
}
