/* SPDX-License-Identifier: MIT */
/* Source: APM2 15.25.6. */
#include "fault.h"

#include "step.h"

#include <arch/x86_64/event.h>
#include <arch/x86_64/mem.h>
#include <arch/x86_64/priv.h>

static uint8_t wanted(uint64_t info)
{
	if (info & SVM_NPF_FETCH) {
		return HV_PROT_X;
	}
	return info & SVM_NPF_WRITE ? HV_PROT_W : HV_PROT_R;
}

static enum hv_verdict bad(struct x86_vcpu *vcpu, const char *why)
{
	const struct svm_control *control = &svm_vmcb(vcpu)->control;

	vcpu->hv.stats.exits[HV_EXIT_BAD]++;
	return hv_vm_crash(&vcpu->hv, why, control->exit_info1, control->exit_info2);
}

/* Maps guest memory that is not mapped yet. HV_FAULT: no memory, or not for this access. */
static enum hv_verdict map(struct x86_vcpu *vcpu, uint64_t gpa, uint8_t want)
{
	struct hv_exit exit;

	if (!hv_gmem_find(&vcpu->hv.vm->gmem, GPA(gpa))) {
		return HV_FAULT;
	}
	exit.kind = HV_EXIT_MEM;
	exit.insn_len = 0;
	exit.mem.addr = GPA(gpa);
	exit.mem.want = want;
	return hv_exit_handle(&vcpu->hv, &exit);
}

enum hv_verdict svm_nested_fault(struct x86_vcpu *vcpu)
{
	const struct svm_control *control = &svm_vmcb(vcpu)->control;
	uint64_t info = control->exit_info1, gpa = control->exit_info2;
	enum hv_verdict verdict;

	if (info & SVM_NPF_RESERVED) {
		return bad(vcpu, "its nested tables have reserved bits set");
	}
	verdict = map(vcpu, gpa, wanted(info));
	if (verdict != HV_FAULT) {
		return verdict;
	}
	if (vcpu->event.valid) {
		return bad(vcpu, "an event's delivery needs what is no memory");
	}
	if (info & SVM_NPF_WALK) {
		return x86_insn_refuse(vcpu);
	}
	if (info & SVM_NPF_FETCH) { /* reads as all ones, which is no instruction */
		return x86_raise(vcpu, X86_UD);
	}
	svm_shadow_end(vcpu);
	return x86_insn_emulate(vcpu);
}
