/* SPDX-License-Identifier: MIT */
#include "call.h"
#include "priv.h"

#include <hv/power.h>

static enum hv_verdict answer(struct x86_vcpu *vcpu, int64_t result)
{
	vcpu->regs.r[X86_RAX] = (uint64_t)result;
	return HV_RESUME;
}

/* How many bytes were taken: fewer than were offered when the console has no more room. */
static HV_COLD enum hv_verdict put_char(struct x86_vcpu *vcpu)
{
	uint8_t byte = (uint8_t)vcpu->regs.r[X86_RBX];

	return answer(vcpu, hv_vm_write(vcpu->hv.vm, &byte, 1));
}

static HV_COLD enum hv_verdict write_text(struct x86_vcpu *vcpu)
{
	uint64_t from = vcpu->regs.r[X86_RBX], size = vcpu->regs.r[X86_RCX];
	uint8_t bytes[HV_CALL_WRITE];

	if (size > sizeof(bytes) ||
		hv_gmem_copy_in(&vcpu->hv.vm->gmem, bytes, GPA(from), size) != HV_OK) {
		return answer(vcpu, X86_CALL_INVALID);
	}
	return answer(vcpu, hv_vm_write(vcpu->hv.vm, bytes, (uint32_t)size));
}

static HV_COLD enum hv_verdict exit_vm(struct x86_vcpu *vcpu)
{
	uint32_t code = (uint32_t)vcpu->regs.r[X86_RBX];

	if (code == 0) {
		return hv_power_system(vcpu->hv.vm, false);
	}
	return hv_vm_crash(&vcpu->hv, "it said that it failed", code, vcpu->sys->rip);
}

enum hv_verdict x86_call(struct x86_vcpu *vcpu)
{
	switch ((uint32_t)vcpu->regs.r[X86_RAX]) { /* H2: the upper half is not part of it */
	case X86_CALL_FEATURES: return answer(vcpu, HV_BIT(X86_CALLS) - 1);
	case X86_CALL_PUTCHAR: return put_char(vcpu);
	case X86_CALL_WRITE: return write_text(vcpu);
	case X86_CALL_EXIT: return exit_vm(vcpu);
	default: return answer(vcpu, X86_CALL_NOT_SUPPORTED);
	}
}
