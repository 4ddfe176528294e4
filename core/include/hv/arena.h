/* SPDX-License-Identifier: MIT */
/*
 * Memory that a caller lends to core. An arena hands out zeroed bytes and never takes them back: it
 * is for what lives as long as its VM. A page pool hands out and takes back single 4 KiB pages, for
 * page tables; it knows each page by its host-physical address and by the pointer core uses.
 */
#ifndef HV_ARENA_H
#define HV_ARENA_H

#include <hv/port.h>
#include <hv/status.h>
#include <hv/types.h>

struct hv_arena {
	uint8_t *base;
	size_t size, used;
};

/* NULL when size bytes (zeroed, aligned to the power of two `align`) do not fit any more. */
void *hv_arena_take(struct hv_arena *arena, size_t size, size_t align);

struct hv_pages {
	struct hv_lock lock; /* HV_LOCK_POOL */
	uint8_t *base;       /* pool memory, page aligned: page n is base + n * HV_PAGE_SIZE */
	hpa_t hpa;           /* where the CPU's page walker sees base */
	uint32_t page_count, free_count;
	uint32_t free_head; /* free pages form a list inside themselves; page_count = none */
};

/* The pool takes all of [base, base + page_count pages), which the caller owns and keeps alive. */
void hv_pages_init(struct hv_pages *pool, void *base, hpa_t hpa, uint32_t page_count);

/*
 * `count` (a power of two) pages, zeroed, contiguous and aligned to their own size, as a root table
 * may need. count 1 is O(1); more is a bounded search, for set-up only. HV_ERR_NO_MEMORY changes
 * nothing.
 */
HV_WARN_UNUSED enum hv_status hv_pages_take(struct hv_pages *pool, uint32_t count, hpa_t *first);
void hv_pages_give(struct hv_pages *pool, uint32_t count, hpa_t first);

/* The pointer to a page that is in this pool; NULL for any other address (P3, P13). */
void *hv_pages_ptr(const struct hv_pages *pool, hpa_t page);

#endif
