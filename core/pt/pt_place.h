/* SPDX-License-Identifier: MIT */
/* Inside core/pt only: how a descriptor is found, read and written. */
#ifndef PT_PLACE_H
#define PT_PLACE_H

#include <hv/bits.h>
#include <hv/pt.h>
#include <stdatomic.h>

#define PT_TABLE_ENTRIES (1u << HV_PT_INDEX_BITS)

/* Where a descent ended: a descriptor, its level, and what it says. */
struct pt_place {
	_Atomic uint64_t *slot;
	uint8_t level;
	struct hv_pte pte;
};

/* The first address that the table does not translate. */
static inline uint64_t pt_limit(const struct hv_pt *pt)
{
	return HV_BIT(pt->ia_bits);
}

/* Where the descriptor that translates ia at `level` begins, and where the next one does. */
static inline uint64_t pt_base(uint64_t ia, uint8_t level)
{
	return hv_align_down(ia, hv_pt_span(level));
}

static inline uint64_t pt_next(uint64_t ia, uint8_t level)
{
	return pt_base(ia, level) + hv_pt_span(level);
}

/* Descriptors are little-endian, whatever the host is. */
static inline uint64_t pt_swap(uint64_t value)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(value) : value;
}

static inline uint64_t pt_slot_read(_Atomic uint64_t *slot)
{
	return pt_swap(atomic_load_explicit(slot, memory_order_relaxed));
}

/* One whole store, after what was stored before: a CPU may walk here at any moment. */
static inline void pt_slot_write(_Atomic uint64_t *slot, uint64_t value)
{
	atomic_store_explicit(slot, pt_swap(value), memory_order_release);
}

/*
 * Descends towards ia (below pt_limit) through tables until it meets what is none, or level `stop`.
 * A table descriptor that leads out of the pool comes back as HV_PTE_BAD.
 */
struct pt_place pt_find(const struct hv_pt *pt, uint64_t ia, uint8_t stop);

#endif
