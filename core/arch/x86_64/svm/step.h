/* SPDX-License-Identifier: MIT */
/*
 * How long the instruction is that exited, and what is behind it. The CPU says so where it has
 * NRIPS; QEMU's does not, and then the guest's bytes say it.
 */
#ifndef SVM_STEP_H
#define SVM_STEP_H

#include "svm.h"

#include <arch/x86_64/code.h>
#include <arch/x86_64/priv.h>

/* An instruction as it is without prefixes. */
struct svm_plain {
	uint32_t bytes;
	uint8_t length; /* 1 to 3 */
	uint8_t op;     /* enum x86_op */
};

/*
 * By decoding it. 0: it cannot be fetched any more, or is another by now (X11, D9); `verdict` is
 * what to return.
 */
uint64_t svm_length_decoded(struct x86_vcpu *vcpu, uint8_t op, enum hv_verdict *verdict);
/* RFLAGS' traces of the instruction: RF goes, TF traps. */
void svm_step_flags(struct x86_vcpu *vcpu);

/* ---- parts of their callers, as these are hot ---- */

static HV_HOT uint64_t svm_length(
	struct x86_vcpu *vcpu, struct svm_plain plain, enum hv_verdict *verdict)
{
	uint64_t next = svm_vmcb(vcpu)->control.next_rip;
	const uint8_t *code;

	if (next != 0) {
		return next - vcpu->sys->rip;
	}
	code = x86_code_at(vcpu);
	if (code && (hv_le32(code) & ((1u << 8 * plain.length) - 1)) == plain.bytes) {
		return plain.length;
	}
	return svm_length_decoded(vcpu, plain.op, verdict);
}

/*
 * An interrupt that waits in a window need not come back for it when the guest is out anyway: this
 * very entry may deliver it. (Bochs 2.7 would miss a window that opens while IF stays set.)
 */
static inline void svm_window_look(struct x86_vcpu *vcpu)
{
	if (svm_vmcb(vcpu)->control.vintr & SVM_VINTR_IRQ) {
		x86_look(vcpu);
	}
}

/* Out of the shadow of the instruction before. */
static HV_HOT void svm_shadow_end(struct x86_vcpu *vcpu)
{
	struct svm_control *control = &svm_vmcb(vcpu)->control;

	if (__builtin_expect(control->shadow != 0, 0)) {
		control->shadow = 0;
		svm_window_look(vcpu);
	}
}

/* Behind it. */
static HV_HOT void svm_step(struct x86_vcpu *vcpu, uint64_t length)
{
	struct x86_sys *sys = vcpu->sys;

	sys->rip += length;
	svm_shadow_end(vcpu);
	if (sys->rflags & (X86_FLAG_TF | X86_FLAG_RF)) {
		svm_step_flags(vcpu);
	}
}

#endif
