/* SPDX-License-Identifier: MIT */
#include "ranges.h"

#include <hv/bits.h>

enum hv_status ranges_add(struct ranges *set, uint64_t base, uint64_t size)
{
	uint64_t end;

	if (!hv_add_ok(base, size, &end)) {
		return HV_ERR_INVALID;
	}
	if (size == 0) {
		return HV_OK;
	}
	if (set->count == RANGES_MOST) {
		return HV_ERR_FULL;
	}
	set->range[set->count++] = (struct range){.base = base, .size = size};
	return HV_OK;
}

/* Cuts [base, end) out of one range; what is left of it replaces it. */
static void cut(struct ranges *set, uint32_t index, uint64_t base, uint64_t end)
{
	struct range old = set->range[index];
	uint64_t old_end = old.base + old.size;
	struct range low = {.base = old.base, .size = base > old.base ? base - old.base : 0};
	struct range high = {.base = end, .size = old_end > end ? old_end - end : 0};

	set->range[index] = low.size ? low : high;
	if (low.size && high.size) {
		set->range[set->count++] = high;
	} else if (!low.size && !high.size) {
		set->range[index] = set->range[--set->count];
	}
}

enum hv_status ranges_remove(struct ranges *set, uint64_t base, uint64_t size)
{
	uint64_t end;

	if (!hv_add_ok(base, size, &end)) {
		return HV_ERR_INVALID;
	}
	/* At most one range is split in two, because ranges are disjoint. */
	if (set->count == RANGES_MOST) {
		return HV_ERR_FULL;
	}
	for (uint32_t i = set->count; i-- > 0;) {
		if (hv_range_overlaps(set->range[i].base, set->range[i].size, base, size)) {
			cut(set, i, base, end);
		}
	}
	return HV_OK;
}

enum hv_status ranges_take(struct ranges *set, uint64_t size, uint64_t align, uint64_t *base)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct range *range = &set->range[i];
		uint64_t pad = -range->base & (align - 1);

		if (pad <= range->size && size <= range->size - pad && range->base + pad < best) {
			best = range->base + pad;
		}
	}
	if (best == UINT64_MAX) {
		return HV_ERR_NO_MEMORY;
	}
	*base = best;
	return ranges_remove(set, best, size);
}
