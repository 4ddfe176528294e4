/* SPDX-License-Identifier: MIT */
/* SBI 2.0, chapters 3.1, 7 and 8: lists of harts, interrupts and fences for them. */
#include "sbi.h"

#include <hv/bits.h>

#define ALL          UINT64_MAX
#define MOST_PAGES   64u /* of one fence; above, everything is cheaper, and the work is bounded */
#define ASID_MASK    0xffffu /* as SFENCE.VMA looks at rs2 */
#define BITS_OF_MASK 64u

static struct rv64_vcpu *vcpu_of(const struct rv64_vcpu *any, uint16_t index)
{
	return HV_CONTAINER_OF(any->hv.vm->vcpu[index], struct rv64_vcpu, hv);
}

struct rv64_sbi_harts rv64_sbi_harts(const struct rv64_vcpu *vcpu, uint64_t mask, uint64_t base)
{
	uint16_t count = vcpu->hv.vm->vcpu_count;
	struct rv64_sbi_harts harts = {0};

	if (base == ALL) {
		harts.vcpus = (uint32_t)HV_MASK(count - 1u, 0);
		return harts;
	}
	for (uint16_t i = 0; i < count; i++) {
		uint64_t n = vcpu_of(vcpu, i)->hart_id - base;

		if (n < BITS_OF_MASK && hv_bit(mask, (unsigned)n)) {
			harts.vcpus |= 1u << i;
			mask &= ~HV_BIT(n);
		}
	}
	harts.missing = mask != 0;
	return harts;
}

void rv64_sbi_ipi(struct rv64_vcpu *vcpu, uint32_t vcpus)
{
	for (uint16_t i = 0; i < vcpu->hv.vm->vcpu_count; i++) {
		if (hv_bit(vcpus, i)) {
			rv64_ipi_send(vcpu_of(vcpu, i));
		}
	}
}

/* Makes pages of the fence's bytes, or everything when there are many. */
static void cover_pages(struct rv64_fence *fence)
{
	uint64_t end = hv_align_up(fence->start + fence->size, HV_PAGE_SIZE);

	fence->start = hv_align_down(fence->start, HV_PAGE_SIZE);
	fence->size = end - fence->start; /* right also where the end is 2^64 */
	if (fence->size > MOST_PAGES * HV_PAGE_SIZE) {
		fence->start = 0;
		fence->size = ALL;
	}
}

enum rv64_sbi_error rv64_sbi_fence(struct rv64_vcpu *vcpu, enum rv64_fence_op op, uint32_t vcpus,
	uint64_t start, uint64_t size, uint64_t asid)
{
	struct rv64_fence fence = {.op = op, .vcpus = vcpus, .asid = asid & ASID_MASK};

	if (size == ALL || (start == 0 && size == 0)) {
		fence.size = ALL;
	} else if (size != 0) {
		if (size - 1 > ALL - start) {
			return SBI_ERR_INVALID_ADDRESS;
		}
		fence.start = start;
		fence.size = size;
		cover_pages(&fence);
	}
	if (fence.vcpus != 0 && fence.size != 0) {
		port_rv64_fence(vcpu->hv.vm, &fence);
	}
	return SBI_SUCCESS;
}

enum hv_verdict rv64_sbi_rfence(struct rv64_vcpu *vcpu, uint32_t fn)
{
	static const enum rv64_fence_op ops[] = {
		[SBI_RFENCE_FENCE_I] = RV64_FENCE_I,
		[SBI_RFENCE_SFENCE_VMA] = RV64_FENCE_VMA,
		[SBI_RFENCE_SFENCE_VMA_ASID] = RV64_FENCE_VMA_ASID,
	};
	struct rv64_sbi_harts harts;
	enum rv64_sbi_error error;
	bool ranged = fn != SBI_RFENCE_FENCE_I;

	if (fn >= HV_ARRAY_COUNT(ops)) {
		return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
	harts = rv64_sbi_harts(vcpu, rv64_sbi_arg(vcpu, 0), rv64_sbi_arg(vcpu, 1));
	if (harts.missing) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	error = rv64_sbi_fence(vcpu, ops[fn], harts.vcpus, ranged ? rv64_sbi_arg(vcpu, 2) : 0,
		ranged ? rv64_sbi_arg(vcpu, 3) : 0, rv64_sbi_arg(vcpu, 4));
	return rv64_sbi_return(vcpu, error, 0);
}
