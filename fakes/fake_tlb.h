/* SPDX-License-Identifier: MIT */
/*
 * The worst TLB that an architecture allows, for one nested page table: it remembers every
 * descriptor it could ever have read, tables and (where the format says so) empty ones included,
 * and forgets only what a flush covers whole. It looks at the tables at each port_tlb_flush() and
 * where the test says so, and notes the first thing that a real CPU could not have stood:
 *   - break-before-make missing, or its flush before the break;
 *   - something still remembered when the operation is over;
 *   - a table given back to the pool while a CPU could still walk it.
 */
#ifndef FAKE_TLB_H
#define FAKE_TLB_H

#include <hv/pt.h>

#define FAKE_TLB_PAGES 128u /* most pages of the pool that is watched */
#define FAKE_TLB_STALE (FAKE_TLB_PAGES * 512u)

/* A descriptor that some CPU may still remember. */
struct fake_tlb_stale {
	uint64_t raw, ia;
	uint16_t page, index; /* which slot of the pool it was read from */
	uint8_t level;
};

/* One page of the pool as it was at the last look, if it was a table then. */
struct fake_tlb_page {
	bool reachable;
	uint8_t level;
	uint64_t ia;
	uint64_t raw[512];
};

struct fake_tlb {
	const struct hv_pt *pt;
	struct hv_pt first; /* as attached: pt itself may be destroyed meanwhile */
	uint32_t others;    /* pages of the pool that are not this table's */
	const char *broken; /* the first rule that was broken; NULL: none */
	uint64_t broken_ia; /* where */
	unsigned tables;    /* reachable at the last look, the root included */
	unsigned bare;      /* of those, without any descriptor; the root never counts */
	uint64_t hash;      /* of all reachable descriptors and their places */
	unsigned stale_count;
	struct fake_tlb_stale stale[FAKE_TLB_STALE];
	struct fake_tlb_page page[FAKE_TLB_PAGES];
};

/* Watches pt from now on, through fake_port; only one table at a time. */
void fake_tlb_attach(struct fake_tlb *tlb, const struct hv_pt *pt);
/* A CPU walks everything at this moment. */
void fake_tlb_look(struct fake_tlb *tlb);
/* The operation is over: looks, and nothing stale may be left. */
void fake_tlb_settle(struct fake_tlb *tlb);

#endif
