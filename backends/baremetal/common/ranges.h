/* SPDX-License-Identifier: MIT */
/*
 * A set of free physical memory: what the host has, minus what is in use, minus what was taken. For
 * the few big pieces that a hypervisor takes while it starts.
 */
#ifndef RANGES_H
#define RANGES_H

#include <hv/status.h>
#include <hv/types.h>

#define RANGES_MOST 64u

struct range {
	uint64_t base, size;
};

struct ranges {
	uint32_t count;
	struct range range[RANGES_MOST]; /* disjoint; in no order */
};

/* HV_ERR_INVALID (wraps), HV_ERR_FULL: the set is unchanged. An empty range is nothing. */
HV_WARN_UNUSED enum hv_status ranges_add(struct ranges *set, uint64_t base, uint64_t size);
/* Takes out whatever of [base, base+size) is in the set. HV_ERR_FULL: the set is unchanged. */
HV_WARN_UNUSED enum hv_status ranges_remove(struct ranges *set, uint64_t base, uint64_t size);
/* Takes the lowest piece aligned to `align` (a power of two). HV_ERR_NO_MEMORY, HV_ERR_FULL. */
HV_WARN_UNUSED enum hv_status ranges_take(
	struct ranges *set, uint64_t size, uint64_t align, uint64_t *base);

#endif
