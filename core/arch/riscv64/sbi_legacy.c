/* SPDX-License-Identifier: MIT */
/*
 * SBI 2.0, chapter 5: the calls of SBI 0.1. Each is an extension of its own; they answer in a0 and
 * leave a1 alone. Lists of harts lie in the guest's virtual memory.
 */
#include "priv.h"
#include "sbi.h"

#include <hv/bits.h>
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

/* The guest takes the exception that its own load would have taken, at the ecall. */
static bool fault(struct rv64_vcpu *vcpu, uint64_t cause, uint64_t va)
{
	vcpu->regs.pc -= 4;
	rv64_exception_take(vcpu, cause, va);
	return false;
}

/* Reads the mask of harts that a0 points to; no list means all. False: the guest took a fault. */
static bool read_mask(struct rv64_vcpu *vcpu, struct rv64_sbi_harts *harts)
{
	const struct hv_gmem *gmem = &vcpu->hv.vm->gmem;
	uint64_t va = rv64_sbi_arg(vcpu, 0);
	struct rv64_walk walk;
	uint8_t mask[8];

	if (va == 0) {
		*harts = rv64_sbi_harts(vcpu, 0, UINT64_MAX);
		return true;
	}
	if (!hv_is_aligned(va, sizeof(mask))) {
		return fault(vcpu, RV64_LOAD_MISALIGNED, va);
	}
	walk = rv64_walk(rv64_vs_get(vcpu), gmem, va, RV64_LOAD);
	if (walk.cause) {
		return fault(vcpu, walk.cause, va);
	}
	if (hv_gmem_copy_in(gmem, mask, walk.gpa, sizeof(mask)) != HV_OK) {
		return fault(vcpu, RV64_LOAD_FAULT, va);
	}
	/* Harts beyond those that exist were never an error here. */
	*harts = rv64_sbi_harts(vcpu, hv_le64(mask), 0);
	return true;
}

static enum hv_verdict send_ipi(struct rv64_vcpu *vcpu)
{
	struct rv64_sbi_harts harts;

	if (!read_mask(vcpu, &harts)) {
		return HV_RESUME;
	}
	rv64_sbi_ipi(vcpu, harts.vcpus);
	return answer(vcpu, 0);
}

static enum hv_verdict fence(struct rv64_vcpu *vcpu, enum rv64_fence_op op)
{
	bool ranged = op != RV64_FENCE_I;
	struct rv64_sbi_harts harts;
	enum rv64_sbi_error error;

	if (!read_mask(vcpu, &harts)) {
		return HV_RESUME;
	}
	error = rv64_sbi_fence(vcpu, op, harts.vcpus, ranged ? rv64_sbi_arg(vcpu, 1) : 0,
		ranged ? rv64_sbi_arg(vcpu, 2) : 0, rv64_sbi_arg(vcpu, 3));
	return answer(vcpu, (uint64_t)(int64_t)error);
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
	case SBI_LEGACY_SEND_IPI: return send_ipi(vcpu);
	case SBI_LEGACY_FENCE_I: return fence(vcpu, RV64_FENCE_I);
	case SBI_LEGACY_SFENCE_VMA: return fence(vcpu, RV64_FENCE_VMA);
	case SBI_LEGACY_SFENCE_VMA_ASID: return fence(vcpu, RV64_FENCE_VMA_ASID);
	default: return hv_power_system(vcpu->hv.vm, false);
	}
}
