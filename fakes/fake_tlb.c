/* SPDX-License-Identifier: MIT */
#include "fake_tlb.h"

#include "fake_port.h"

#include <hv/bits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void complain(struct fake_tlb *tlb, const char *rule, uint64_t ia)
{
	if (!tlb->broken) {
		tlb->broken = rule;
		tlb->broken_ia = ia;
	}
}

static uint16_t page_of(const struct fake_tlb *tlb, uint64_t pa)
{
	return (uint16_t)((pa - tlb->first.pages->hpa.v) / HV_PAGE_SIZE);
}

static struct hv_pte decode(const struct fake_tlb *tlb, uint64_t raw, uint8_t level)
{
	return tlb->first.fmt->decode(raw, level);
}

static void stale_add(struct fake_tlb *tlb, const struct fake_tlb_entry *entry)
{
	if (entry->raw == 0 && !tlb->first.fmt->caches_invalid) {
		return;
	}
	if (tlb->stale_count == FAKE_TLB_STALE) {
		fprintf(stderr, "fake_tlb: FAKE_TLB_STALE is too small for this test\n");
		abort();
	}
	tlb->stale[tlb->stale_count++] = *entry;
}

/* Whether a CPU may hold both at once: only permissions differ, or one of them is no translation.
 */
static bool may_coexist(const struct fake_tlb *tlb, uint64_t a, uint64_t b, uint8_t level)
{
	struct hv_pte x = decode(tlb, a, level), y = decode(tlb, b, level);

	if (!tlb->first.fmt->break_before_make || a == 0 || b == 0) {
		return true;
	}
	return x.kind == HV_PTE_LEAF && y.kind == HV_PTE_LEAF && x.pa == y.pa && x.type == y.type;
}

/* Reads one descriptor of a reachable table. */
static void slot_look(struct fake_tlb *tlb, const struct fake_tlb_entry *now)
{
	struct fake_tlb_entry *known = &tlb->known[now->page][now->index];
	bool *seen = &tlb->seen[now->page][now->index];

	if (*seen && known->raw == now->raw && known->ia == now->ia) {
		return;
	}
	if (*seen) {
		stale_add(tlb, known);
	}
	for (unsigned i = 0; now->raw != 0 && i < tlb->stale_count; i++) {
		const struct fake_tlb_entry *old = &tlb->stale[i];

		if (old->page == now->page && old->index == now->index &&
			!may_coexist(tlb, old->raw, now->raw, now->level)) {
			complain(tlb, "a valid descriptor was replaced without break-before-make",
				now->ia);
		}
	}
	*known = *now;
	*seen = true;
}

static void hash_add(struct fake_tlb *tlb, uint64_t value)
{
	tlb->hash = (tlb->hash ^ value) * 0x100000001b3u;
	tlb->hash ^= tlb->hash >> 29;
}

static void table_look(
	struct fake_tlb *tlb, uint64_t pa, uint8_t level, uint64_t ia, unsigned pages)
{
	unsigned valid = 0;

	for (unsigned i = 0; i < pages * 512; i++) {
		uint64_t at = pa + i / 512 * HV_PAGE_SIZE;
		struct fake_tlb_entry now = {
			.ia = ia + i * hv_pt_span(level),
			.page = page_of(tlb, at),
			.index = (uint16_t)(i % 512),
			.level = level,
		};
		const uint8_t *bytes = hv_pages_ptr(tlb->first.pages, HPA(at));

		now.raw = hv_le64(bytes + now.index * 8);
		tlb->reachable[now.page] = true;
		slot_look(tlb, &now);
		if (now.raw == 0) {
			continue;
		}
		valid++;
		hash_add(tlb, now.ia ^ level);
		hash_add(tlb, now.raw);
		if (decode(tlb, now.raw, level).kind == HV_PTE_TABLE) {
			table_look(tlb, decode(tlb, now.raw, level).pa, (uint8_t)(level - 1),
				now.ia, 1);
		}
	}
	tlb->tables += pages;
	tlb->bare += valid == 0 && level != tlb->first.levels - 1;
}

/* What was read from tables that nobody can reach any more is stale as a whole. */
static void lost_tables_look(struct fake_tlb *tlb, const bool *before)
{
	for (unsigned page = 0; page < FAKE_TLB_PAGES; page++) {
		if (!before[page] || tlb->reachable[page]) {
			continue;
		}
		for (unsigned i = 0; i < 512; i++) {
			if (tlb->known[page][i].raw != 0) {
				stale_add(tlb, &tlb->known[page][i]);
			}
			tlb->seen[page][i] = false;
		}
	}
}

/* No page that a stale table descriptor leads to may be back in the pool. */
static void pool_look(struct fake_tlb *tlb)
{
	const struct hv_pages *pool = tlb->first.pages;
	bool walkable[FAKE_TLB_PAGES];
	uint32_t in_use = tlb->others;

	memcpy(walkable, tlb->reachable, sizeof(walkable));
	for (unsigned i = 0; i < tlb->stale_count; i++) {
		struct hv_pte pte = decode(tlb, tlb->stale[i].raw, tlb->stale[i].level);

		if (pte.kind == HV_PTE_TABLE) {
			walkable[page_of(tlb, pte.pa)] = true;
		}
	}
	for (unsigned page = 0; page < FAKE_TLB_PAGES; page++) {
		in_use += walkable[page];
	}
	if (pool->page_count - pool->free_count < in_use) {
		complain(tlb, "a table was given back while a CPU could walk it", 0);
	}
}

void fake_tlb_look(struct fake_tlb *tlb)
{
	bool before[FAKE_TLB_PAGES];

	memcpy(before, tlb->reachable, sizeof(before));
	memset(tlb->reachable, 0, sizeof(tlb->reachable));
	tlb->tables = 0;
	tlb->bare = 0;
	tlb->hash = 0xcbf29ce484222325u;
	if (tlb->pt->fmt) {
		table_look(tlb, tlb->first.root.v, (uint8_t)(tlb->first.levels - 1), 0,
			1u << tlb->first.root_extra);
	}
	lost_tables_look(tlb, before);
	pool_look(tlb);
}

/* A valid entry goes when all it translates is flushed; a remembered hole at any touch. */
static bool is_flushed(const struct fake_tlb_entry *entry, uint64_t from, uint64_t len)
{
	uint64_t span = hv_pt_span(entry->level);

	return entry->raw == 0 ? hv_range_overlaps(entry->ia, span, from, len)
			       : hv_range_inside(entry->ia, span, from, len);
}

static void on_flush(void *ctx, uint64_t from, uint64_t len)
{
	struct fake_tlb *tlb = ctx;
	unsigned kept = 0;

	fake_tlb_look(tlb);
	for (unsigned i = 0; i < tlb->stale_count; i++) {
		if (!is_flushed(&tlb->stale[i], from, len)) {
			tlb->stale[kept++] = tlb->stale[i];
		}
	}
	tlb->stale_count = kept;
}

void fake_tlb_settle(struct fake_tlb *tlb)
{
	fake_tlb_look(tlb);
	if (tlb->stale_count != 0) {
		complain(tlb, "a stale translation was left behind", tlb->stale[0].ia);
	}
}

void fake_tlb_attach(struct fake_tlb *tlb, const struct hv_pt *pt)
{
	if (pt->pages->page_count > FAKE_TLB_PAGES) {
		fprintf(stderr, "fake_tlb: FAKE_TLB_PAGES is too small for this pool\n");
		abort();
	}
	memset(tlb, 0, sizeof(*tlb));
	tlb->pt = pt;
	tlb->first = *pt;
	fake_port.tlb_hook = on_flush;
	fake_port.tlb_ctx = tlb;
	tlb->others = 0;
	fake_tlb_look(tlb);
	tlb->others = pt->pages->page_count - pt->pages->free_count - tlb->tables;
}
