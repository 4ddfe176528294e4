/* SPDX-License-Identifier: MIT */
#include "fake_tlb.h"

#include "fake_port.h"

#include <hv/bits.h>
#include <stdio.h>
#include <stdlib.h>

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

/* What a look saw in one slot before is no more; some CPU may remember it all the same. */
static void stale_add(struct fake_tlb *tlb, uint16_t page, uint16_t index)
{
	const struct fake_tlb_page *p = &tlb->page[page];

	if (p->raw[index] == 0 && !tlb->first.fmt->caches_invalid) {
		return;
	}
	if (tlb->stale_count == FAKE_TLB_STALE) {
		fprintf(stderr, "fake_tlb: FAKE_TLB_STALE is too small for this test\n");
		abort();
	}
	tlb->stale[tlb->stale_count++] = (struct fake_tlb_stale){
		.raw = p->raw[index],
		.ia = p->ia + index * hv_pt_span(p->level),
		.page = page,
		.index = index,
		.level = p->level,
	};
}

/* What was read from a table that nobody can reach there any more is stale as a whole. */
static void page_forget(struct fake_tlb *tlb, uint16_t page)
{
	for (uint16_t i = 0; i < 512; i++) {
		if (tlb->page[page].raw[i] != 0) {
			stale_add(tlb, page, i);
		}
	}
	tlb->page[page].reachable = false;
}

/* Whether a CPU may hold both at once: only permissions differ, or one of them is no translation.
 */
static bool may_coexist(const struct fake_tlb *tlb, uint64_t a, uint64_t b, uint8_t level)
{
	struct hv_pte x = decode(tlb, a, level), y = decode(tlb, b, level);

	if (a == 0 || b == 0) {
		return true;
	}
	return x.kind == HV_PTE_LEAF && y.kind == HV_PTE_LEAF && x.pa == y.pa && x.type == y.type;
}

/* A new descriptor stands in a slot: does it bear with those that are remembered from there? */
static void make_judge(struct fake_tlb *tlb, uint16_t page, uint16_t index, uint64_t raw)
{
	if (!tlb->first.fmt->break_before_make) {
		return;
	}
	for (unsigned i = 0; i < tlb->stale_count; i++) {
		const struct fake_tlb_stale *old = &tlb->stale[i];

		if (old->page == page && old->index == index &&
			!may_coexist(tlb, old->raw, raw, old->level)) {
			complain(tlb, "a valid descriptor was replaced without break-before-make",
				old->ia);
		}
	}
}

static void hash_add(struct fake_tlb *tlb, uint64_t value)
{
	tlb->hash = (tlb->hash ^ value) * 0x100000001b3u;
	tlb->hash ^= tlb->hash >> 29;
}

/* Reads one page of a reachable table, and what hangs below it. */
static void table_look(struct fake_tlb *tlb, bool *reached, uint64_t pa, uint8_t level, uint64_t ia)
{
	uint16_t page = page_of(tlb, pa);
	struct fake_tlb_page *p = &tlb->page[page];
	const uint8_t *bytes = hv_pages_ptr(tlb->first.pages, HPA(pa));
	bool known = p->reachable && p->ia == ia && p->level == level;
	unsigned valid = 0;

	if (p->reachable && !known) {
		page_forget(tlb, page);
	}
	p->reachable = true;
	p->ia = ia;
	p->level = level;
	reached[page] = true;
	for (uint16_t i = 0; i < 512; i++) {
		uint64_t raw = hv_le64(bytes + i * 8);

		if (known && raw != p->raw[i]) {
			stale_add(tlb, page, i);
			make_judge(tlb, page, i, raw);
		}
		p->raw[i] = raw;
		if (raw != 0) {
			struct hv_pte pte = decode(tlb, raw, level);
			uint64_t at = ia + i * hv_pt_span(level);

			valid++;
			hash_add(tlb, at ^ level);
			hash_add(tlb, raw);
			if (pte.kind == HV_PTE_TABLE) {
				table_look(tlb, reached, pte.pa, (uint8_t)(level - 1), at);
			}
		}
	}
	tlb->tables++;
	tlb->bare += valid == 0 && level != tlb->first.levels - 1;
}

static void root_look(struct fake_tlb *tlb, bool *reached)
{
	uint8_t level = (uint8_t)(tlb->first.levels - 1);

	for (unsigned i = 0; i < 1u << tlb->first.root_extra; i++) {
		table_look(tlb, reached, tlb->first.root.v + i * HV_PAGE_SIZE, level,
			i * 512 * hv_pt_span(level));
	}
}

/* No page that a stale table descriptor leads to may be back in the pool. */
static void pool_look(struct fake_tlb *tlb)
{
	const struct hv_pages *pool = tlb->first.pages;
	bool walkable[FAKE_TLB_PAGES];
	uint32_t in_use = tlb->others;

	for (unsigned page = 0; page < FAKE_TLB_PAGES; page++) {
		walkable[page] = tlb->page[page].reachable;
	}
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
	bool reached[FAKE_TLB_PAGES] = {false};

	tlb->tables = 0;
	tlb->bare = 0;
	tlb->hash = 0xcbf29ce484222325u;
	if (tlb->pt->fmt) {
		root_look(tlb, reached);
	}
	for (uint16_t page = 0; page < FAKE_TLB_PAGES; page++) {
		if (tlb->page[page].reachable && !reached[page]) {
			page_forget(tlb, page);
		}
	}
	pool_look(tlb);
}

/* A valid entry goes when all it translates is flushed; a remembered hole at any touch. */
static bool is_flushed(const struct fake_tlb_stale *entry, uint64_t from, uint64_t len)
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
	tlb->pt = pt;
	tlb->first = *pt;
	tlb->broken = NULL;
	tlb->stale_count = 0;
	for (unsigned page = 0; page < FAKE_TLB_PAGES; page++) {
		tlb->page[page].reachable = false;
	}
	fake_port.tlb_hook = on_flush;
	fake_port.tlb_ctx = tlb;
	tlb->others = 0;
	fake_tlb_look(tlb);
	tlb->others = pt->pages->page_count - pt->pages->free_count - tlb->tables;
}
