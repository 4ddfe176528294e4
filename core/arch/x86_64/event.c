/* SPDX-License-Identifier: MIT */
#include "event.h"
#include "priv.h"

enum class { BENIGN, CONTRIBUTORY, PAGE, DOUBLE };

static enum class class_of(const struct x86_event *event) {
	if (event->type != X86_EVENT_EXCEPTION){return BENIGN;}
switch (event->vector)
{
case X86_DE:
case X86_TS:
case X86_NP:
case X86_SS_FAULT:
case X86_GP: return CONTRIBUTORY;
case X86_PF: return PAGE;
case X86_DF: return DOUBLE;
default: return BENIGN;
}
}

/* What the CPU does when `second` comes as `first` is delivered. */
enum both { SECOND, DOUBLE_FAULT, SHUTDOWN };

static enum both both(enum class first, enum class second)
{
	static const uint8_t table[4][4] = {
		[BENIGN] = {SECOND, SECOND, SECOND, SECOND},
		[CONTRIBUTORY] = {SECOND, DOUBLE_FAULT, SECOND, SECOND},
		[PAGE] = {SECOND, DOUBLE_FAULT, DOUBLE_FAULT, SECOND},
		[DOUBLE] = {SECOND, SHUTDOWN, SHUTDOWN, SHUTDOWN},
	};

	return (enum both)table[first][second];
}

/*
 * An interrupt that was being delivered is not lost when the exception goes first: unlike a fault,
 * nothing would bring it again (X15).
 */
static void keep(struct x86_vcpu *vcpu)
{
	if (!vcpu->event.valid) {
		return;
	}
	if (vcpu->event.type == X86_EVENT_INTR) {
		vcpu->held = vcpu->event;
	} else if (vcpu->event.type == X86_EVENT_NMI) {
		vcpu->nmi_pending++; /* at most one was, while this was handled */
		vcpu->nmi_blocked = false;
	}
}

static HV_COLD enum hv_verdict raise(struct x86_vcpu *vcpu, const struct x86_event *event)
{
	static const struct x86_event double_fault = {
		.valid = true, .type = X86_EVENT_EXCEPTION, .vector = X86_DF, .has_error = true};
	enum both what = vcpu->event.valid ? both(class_of(&vcpu->event), class_of(event)) : SECOND;

	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	if (what == SHUTDOWN) {
		return hv_vm_crash(&vcpu->hv, "triple fault", event->vector, vcpu->sys->rip);
	}
	keep(vcpu);
	vcpu->event = what == SECOND ? *event : double_fault;
	if (vcpu->event.vector != X86_DB) { /* the flags of a fault: no breakpoint at its return */
		vcpu->sys->rflags |= X86_FLAG_RF;
	}
	x86_look(vcpu);
	return HV_RESUME;
}

enum hv_verdict x86_raise(struct x86_vcpu *vcpu, enum x86_vector vector)
{
	const struct x86_event event = {
		.valid = true, .type = X86_EVENT_EXCEPTION, .vector = (uint8_t)vector};

	return raise(vcpu, &event);
}

enum hv_verdict x86_raise_error(struct x86_vcpu *vcpu, enum x86_vector vector, uint32_t error)
{
	const struct x86_event event = {.valid = true,
		.type = X86_EVENT_EXCEPTION,
		.vector = (uint8_t)vector,
		.has_error = true,
		.error = error};

	return raise(vcpu, &event);
}

enum hv_verdict x86_raise_page(struct x86_vcpu *vcpu, uint64_t linear, uint32_t error)
{
	vcpu->sys->cr2 = linear;
	return x86_raise_error(vcpu, X86_PF, error);
}

HV_COLD bool x86_step_ends(struct x86_vcpu *vcpu)
{
	if (!vcpu->nmi_step) {
		return false;
	}
	vcpu->nmi_step = false;
	vcpu->nmi_blocked = false;
	x86_look(vcpu);
	if (vcpu->nmi_step_tf) {
		return false;
	}
	vcpu->sys->rflags &= ~X86_FLAG_TF;
	return true;
}

enum hv_verdict x86_raise_step(struct x86_vcpu *vcpu)
{
	if (x86_step_ends(vcpu)) {
		return HV_RESUME;
	}
	vcpu->sys->dr6 |= X86_DR6_BS;
	return x86_raise(vcpu, X86_DB);
}
