/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <arch/x86_64/event.h>

HV_COLD uint64_t svm_length_decoded(struct x86_vcpu *vcpu, uint8_t op, enum hv_verdict *verdict)
{
	struct x86_insn insn;

	if (!x86_code_decode(vcpu, &insn, verdict)) {
		return 0;
	}
	if (insn.op != op) {
		*verdict = HV_RESUME; /* what is there now is met by itself */
		return 0;
	}
	return insn.length;
}

HV_COLD void svm_step_flags(struct x86_vcpu *vcpu)
{
	uint64_t flags = vcpu->sys->rflags;

	vcpu->sys->rflags = flags & ~X86_FLAG_RF;
	if (flags & X86_FLAG_TF) {
		x86_raise_step(vcpu);
	}
}
