/* SPDX-License-Identifier: MIT */
/*
 * SBI 2.0, chapter 5: the calls of SBI 0.1. Each is an extension of its own; they answer in a0 and
 * leave a1 alone. Lists of harts lie in the guest's virtual memory.
 */
#include "sbi.h"

#include <hv/power.h>

static enum hv_verdict answer(struct rv64_vcpu *vcpu, uint64_t value)
{
	vcpu->regs.x[10] = value;
	return HV_RESUME;
}

static enum hv_verdict put_char(struct rv64_vcpu *vcpu)
{
	return rv64_sbi_put(vcpu, (uint8_t)rv64_sbi_arg(vcpu, 0)) ? answer(vcpu, 0)
								  : rv64_sbi_retry(vcpu);
}

static enum hv_verdict get_char(struct rv64_vcpu *vcpu)
{
	uint8_t byte;

	return answer(vcpu, hv_vm_read(vcpu->hv.vm, &byte, 1) ? byte : UINT64_MAX);
}

enum hv_verdict rv64_sbi_legacy(struct rv64_vcpu *vcpu, uint32_t ext)
{
	switch ((enum rv64_sbi_legacy_id)ext) {
	case SBI_LEGACY_SET_TIMER:
		rv64_timer_set(vcpu, rv64_sbi_arg(vcpu, 0));
		return answer(vcpu, 0);
	case SBI_LEGACY_PUTCHAR: return put_char(vcpu);
	case SBI_LEGACY_GETCHAR: return get_char(vcpu);
	case SBI_LEGACY_CLEAR_IPI: return answer(vcpu, rv64_ipi_clear(vcpu));
	case SBI_LEGACY_SEND_IPI:
	case SBI_LEGACY_FENCE_I:
	case SBI_LEGACY_SFENCE_VMA:
	case SBI_LEGACY_SFENCE_VMA_ASID: return answer(vcpu, (uint64_t)SBI_ERR_NOT_SUPPORTED);
	default: return hv_power_system(vcpu->hv.vm, false);
	}
}
