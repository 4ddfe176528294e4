/* SPDX-License-Identifier: MIT */
/*
 * Changing nested page tables, for every format alike. Each operation first checks, counts and
 * takes all that it needs; from then on it cannot fail. Nothing recurses: each step descends anew
 * from the root, which is at most five reads; a step of a map is a run of leaves in one table.
 */
#include "pt_place.h"

#include <hv/check.h>

#define IA_BITS_MIN 32u
#define PA_BITS_MIN 32u

static uint64_t encode(const struct hv_pt *pt, struct hv_pte pte, uint8_t level)
{
	return pt->fmt->encode(pte, level);
}

/* ---- tables on their way from or to the pool ---- */

/*
 * A chain through the first words of its pages. The links are page-aligned addresses, which no
 * format takes for a valid descriptor: a CPU that still walks such a page finds nothing there.
 */
struct chain {
	uint64_t head;
	uint32_t count;
};

static _Atomic uint64_t *table_at(const struct hv_pt *pt, uint64_t pa)
{
	return hv_pages_ptr(pt->pages, HPA(pa));
}

static void chain_push(const struct hv_pt *pt, struct chain *chain, uint64_t pa)
{
	pt_slot_write(&table_at(pt, pa)[0], chain->head);
	chain->head = pa;
	chain->count++;
}

static uint64_t chain_pop(const struct hv_pt *pt, struct chain *chain)
{
	_Atomic uint64_t *table = table_at(pt, chain->head);
	uint64_t pa = chain->head;

	HV_CHECK(chain->count != 0);
	chain->head = pt_slot_read(&table[0]);
	chain->count--;
	pt_slot_write(&table[0], 0);
	return pa;
}

static void chain_give(struct hv_pt *pt, struct chain *chain)
{
	while (chain->count != 0) {
		hv_pages_give(pt->pages, 1, HPA(chain_pop(pt, chain)));
		pt->table_count--;
	}
}

/* All `count` tables or none. */
static enum hv_status chain_take(struct hv_pt *pt, struct chain *chain, uint32_t count)
{
	*chain = (struct chain){0};
	while (chain->count < count) {
		hpa_t page;
		enum hv_status status = hv_pages_take(pt->pages, 1, &page);

		if (status != HV_OK) {
			chain_give(pt, chain);
			return status;
		}
		chain_push(pt, chain, page.v);
		pt->table_count++;
	}
	return HV_OK;
}

/* ---- life ---- */

/* The fewest levels whose root, with its extra bits, takes ia_bits; more than the format has: none.
 */
static uint8_t levels_for(const struct hv_pt_fmt *fmt, uint8_t ia_bits)
{
	uint8_t levels = fmt->min_levels;

	while (HV_PAGE_SHIFT + levels * HV_PT_INDEX_BITS + fmt->root_extra_bits < ia_bits) {
		levels++;
	}
	return levels;
}

static uint8_t root_extra_for(const struct hv_pt_fmt *fmt, uint8_t levels, uint8_t ia_bits)
{
	unsigned usual = HV_PAGE_SHIFT + levels * HV_PT_INDEX_BITS;

	if (fmt->root_extra_always) {
		return fmt->root_extra_bits;
	}
	return (uint8_t)(ia_bits > usual ? ia_bits - usual : 0);
}

enum hv_status hv_pt_init(struct hv_pt *pt, const struct hv_pt_fmt *fmt, struct hv_pages *pages,
	uint8_t ia_bits, uint8_t pa_bits, uint16_t vmid)
{
	uint8_t levels = levels_for(fmt, ia_bits);
	uint8_t root_extra = root_extra_for(fmt, levels, ia_bits);
	enum hv_status status;
	hpa_t root;

	if (ia_bits < IA_BITS_MIN || levels > fmt->max_levels || pa_bits < PA_BITS_MIN ||
		pa_bits > fmt->max_pa_bits || (fmt->ia_within_pa && ia_bits > pa_bits) ||
		vmid >> fmt->vmid_bits != 0) {
		return HV_ERR_INVALID;
	}
	status = hv_pages_take(pages, 1u << root_extra, &root);
	if (status != HV_OK) {
		return status;
	}
	*pt = (struct hv_pt){
		.fmt = fmt,
		.pages = pages,
		.lock = HV_LOCK_INIT(HV_LOCK_PT),
		.root = root,
		.levels = levels,
		.ia_bits = ia_bits,
		.pa_bits = pa_bits,
		.root_extra = root_extra,
		.vmid = vmid,
		.table_count = 1u << root_extra,
	};
	return HV_OK;
}

/* ---- what a caller may ask for ---- */

static enum hv_status range_check(const struct hv_pt *pt, gpa_t ia, uint64_t size)
{
	if (size == 0 || !hv_is_aligned(ia.v | size, HV_PAGE_SIZE)) {
		return HV_ERR_INVALID;
	}
	return hv_range_inside(ia.v, size, 0, pt_limit(pt)) ? HV_OK : HV_ERR_RANGE;
}

static bool prot_is_known(const struct hv_pt *pt, uint8_t prot)
{
	return prot <= (HV_PROT_R | HV_PROT_W | HV_PROT_X) && hv_bit(pt->fmt->prot_mask, prot);
}

static enum hv_status map_check(const struct hv_pt *pt, const struct hv_pt_map *map)
{
	const struct hv_pages *pool = pt->pages;

	if (!hv_is_aligned(map->pa.v, HV_PAGE_SIZE) || !prot_is_known(pt, map->prot) ||
		map->type > HV_MEM_DEVICE) {
		return HV_ERR_INVALID;
	}
	if (!hv_range_inside(map->pa.v, map->size, 0, HV_BIT(pt->pa_bits))) {
		return HV_ERR_RANGE;
	}
	if (hv_range_overlaps(map->pa.v, map->size, pool->hpa.v, pool->page_count * HV_PAGE_SIZE)) {
		return HV_ERR_DENIED;
	}
	return HV_OK;
}

/* ---- map ---- */

/* The level of the leaf for the rest of `map`, `done` bytes into it, where `room` levels are free.
 */
static uint8_t leaf_level(
	const struct hv_pt *pt, const struct hv_pt_map *map, uint64_t done, uint8_t room)
{
	uint8_t level = room < pt->fmt->max_leaf ? room : pt->fmt->max_leaf;
	uint64_t align = (map->ia.v + done) | (map->pa.v + done);

	while (!hv_is_aligned(align, hv_pt_span(level)) || map->size - done < hv_pt_span(level)) {
		level--;
	}
	return level;
}

/* Leaves of one level side by side in one table, all still empty: what one descent is good for. */
struct run {
	struct pt_place
		at;    /* the first one's descriptor, or the one above it that ends the descent */
	uint8_t level; /* of the leaves */
	uint64_t size; /* bytes that they translate */
};

/* The run that begins `done` bytes into `map`. What is not empty ends it, and has one of its own.
 */
static struct run run_find(const struct hv_pt *pt, const struct hv_pt_map *map, uint64_t done)
{
	uint64_t ia = map->ia.v + done, left = map->size - done, room, count;
	struct run run = {.at = pt_find(pt, ia, 0)};

	run.level = leaf_level(pt, map, done, run.at.level);
	room = pt_next(ia, (uint8_t)(run.level + 1)) - ia;
	count = (left < room ? left : room) / hv_pt_span(run.level);
	if (run.at.level == run.level) {
		uint64_t most = count;

		for (count = 1; count < most && pt_slot_read(&run.at.slot[count]) == 0;) {
			count++;
		}
	}
	run.size = count * hv_pt_span(run.level);
	return run;
}

/*
 * Counts the tables that are missing; HV_ERR_OVERLAP when something is in the way. Stops at a count
 * that the pool can never serve, so that the pool's size bounds the work.
 */
static enum hv_status map_plan(
	const struct hv_pt *pt, const struct hv_pt_map *map, uint32_t *tables)
{
	struct run run;

	*tables = 0;
	for (uint64_t done = 0; done < map->size; done += run.size) {
		uint64_t ia = map->ia.v + done;

		run = run_find(pt, map, done);
		if (run.at.pte.kind != HV_PTE_EMPTY) {
			return HV_ERR_OVERLAP;
		}
		/* A table counts where the range first enters it. */
		for (uint8_t above = run.at.level; above > run.level; above--) {
			*tables += done == 0 || hv_is_aligned(ia, hv_pt_span(above));
		}
		if (*tables > pt->pages->page_count) {
			return HV_ERR_NO_MEMORY;
		}
	}
	return HV_OK;
}

/* Links the empty tables that a run needs above it. */
static void run_link(struct hv_pt *pt, const struct run *run, uint64_t ia, struct chain *spare)
{
	struct pt_place at = run->at;

	while (at.level > run->level) {
		struct hv_pte table = {.kind = HV_PTE_TABLE, .pa = chain_pop(pt, spare)};

		pt_slot_write(at.slot, encode(pt, table, at.level));
		at = pt_find(pt, ia, 0);
	}
}

enum hv_status hv_pt_prepare(struct hv_pt *pt, const struct hv_pt_map *map)
{
	enum hv_status status = range_check(pt, map->ia, map->size);
	struct chain spare;
	struct run run;
	uint32_t tables;

	if (status == HV_OK) {
		status = map_check(pt, map);
	}
	if (status == HV_OK) {
		status = map_plan(pt, map, &tables);
	}
	if (status == HV_OK) {
		status = chain_take(pt, &spare, tables);
	}
	if (status != HV_OK) {
		return status;
	}
	for (uint64_t done = 0; spare.count != 0; done += run.size) {
		run = run_find(pt, map, done);
		run_link(pt, &run, map->ia.v + done, &spare);
	}
	return HV_OK;
}

static void run_write(const struct hv_pt *pt, const struct run *run, struct hv_pte leaf)
{
	_Atomic uint64_t *slot = run->at.slot;

	HV_CHECK(run->at.pte.kind == HV_PTE_EMPTY && run->at.level == run->level);
	for (uint64_t done = 0; done < run->size; done += hv_pt_span(run->level)) {
		pt_slot_write(slot++, encode(pt, leaf, run->level));
		leaf.pa += hv_pt_span(run->level);
	}
}

void hv_pt_commit(struct hv_pt *pt, const struct hv_pt_map *map)
{
	struct hv_pte leaf = {.kind = HV_PTE_LEAF, .prot = map->prot, .type = map->type};
	struct run run;

	for (uint64_t done = 0; done < map->size; done += run.size) {
		run = run_find(pt, map, done);
		leaf.pa = map->pa.v + done;
		run_write(pt, &run, leaf);
	}
	if (pt->fmt->caches_invalid) {
		port_tlb_flush(pt, map->ia, map->size);
	}
}

enum hv_status hv_pt_map(struct hv_pt *pt, const struct hv_pt_map *map)
{
	enum hv_status status = hv_pt_prepare(pt, map);

	if (status == HV_OK) {
		hv_pt_commit(pt, map);
	}
	return status;
}

/* ---- split ---- */

/*
 * Tables needed so that no leaf reaches across `edge`, less those that are needed for `other` just
 * as well. An aligned `other` needs none.
 */
static uint32_t split_plan(const struct hv_pt *pt, uint64_t edge, uint64_t other)
{
	struct pt_place at = pt_find(pt, edge, 0);
	uint32_t tables = 0;

	if (at.pte.kind != HV_PTE_LEAF) {
		return 0;
	}
	for (uint8_t level = at.level; !hv_is_aligned(edge, hv_pt_span(level)); level--) {
		bool shared = !hv_is_aligned(other, hv_pt_span(level)) &&
			      pt_base(other, level) == pt_base(edge, level);

		tables += !shared;
	}
	return tables;
}

/* Replaces a block by a table of 512 leaves that translate alike. */
static void block_split(struct hv_pt *pt, struct pt_place at, uint64_t ia, struct chain *spare)
{
	struct hv_pte table = {.kind = HV_PTE_TABLE, .pa = chain_pop(pt, spare)};
	_Atomic uint64_t *piece = table_at(pt, table.pa);
	uint8_t below = (uint8_t)(at.level - 1);
	gpa_t base = GPA(pt_base(ia, at.level));

	for (unsigned i = 0; i < PT_TABLE_ENTRIES; i++) {
		pt_slot_write(&piece[i], encode(pt, at.pte, below));
		at.pte.pa += hv_pt_span(below);
	}
	if (pt->fmt->break_before_make) {
		pt_slot_write(at.slot, 0);
		port_tlb_flush(pt, base, hv_pt_span(at.level));
	}
	pt_slot_write(at.slot, encode(pt, table, at.level));
	if (!pt->fmt->break_before_make) {
		port_tlb_flush(pt, base, hv_pt_span(at.level));
	}
}

static void split(struct hv_pt *pt, uint64_t edge, struct chain *spare)
{
	struct pt_place at = pt_find(pt, edge, 0);

	while (at.pte.kind == HV_PTE_LEAF && !hv_is_aligned(edge, hv_pt_span(at.level))) {
		block_split(pt, at, edge, spare);
		at = pt_find(pt, edge, 0);
	}
}

/* Makes every leaf lie wholly inside or outside of [from, end); no translation changes. */
static enum hv_status split_edges(struct hv_pt *pt, uint64_t from, uint64_t end)
{
	uint32_t tables = split_plan(pt, from, 0) + split_plan(pt, end, from);
	struct chain spare;
	enum hv_status status = chain_take(pt, &spare, tables);

	if (status == HV_OK) {
		split(pt, from, &spare);
		split(pt, end, &spare);
		HV_CHECK(spare.count == 0);
	}
	return status;
}

/* ---- unmap ---- */

static bool table_is_empty(const struct hv_pt *pt, uint64_t pa)
{
	_Atomic uint64_t *table = table_at(pt, pa);

	for (unsigned i = 0; i < PT_TABLE_ENTRIES; i++) {
		if (pt_slot_read(&table[i]) != 0) {
			return false;
		}
	}
	return true;
}

/* Tables taken out of use, and the addresses for which a CPU may have remembered them. */
struct detached {
	struct chain tables;
	uint64_t from, end;
};

static void table_detach(
	const struct hv_pt *pt, struct pt_place at, uint64_t ia, struct detached *out)
{
	uint64_t from = pt_base(ia, at.level), end = pt_next(ia, at.level);

	pt_slot_write(at.slot, 0);
	chain_push(pt, &out->tables, at.pte.pa);
	out->from = from < out->from ? from : out->from;
	out->end = end > out->end ? end : out->end;
}

/* Detaches the tables in [from, end) that are empty, or all of them: the lowest first. */
static void tables_detach(
	const struct hv_pt *pt, uint64_t from, uint64_t end, bool all, struct detached *out)
{
	struct pt_place at;

	*out = (struct detached){.from = from, .end = end};
	for (uint8_t level = 1; level < pt->levels; level++) {
		for (uint64_t ia = from; ia < end; ia = pt_next(ia, at.level)) {
			at = pt_find(pt, ia, level);
			if (at.pte.kind == HV_PTE_TABLE && (all || table_is_empty(pt, at.pte.pa))) {
				table_detach(pt, at, ia, out);
			}
		}
	}
}

/* After this flush no CPU knows the detached tables any more: only then they are anybody's. */
static void detached_give(struct hv_pt *pt, struct detached *out)
{
	port_tlb_flush(pt, GPA(out->from), out->end - out->from);
	chain_give(pt, &out->tables);
}

enum hv_status hv_pt_unmap(struct hv_pt *pt, gpa_t ia, uint64_t size)
{
	enum hv_status status = range_check(pt, ia, size);
	uint64_t end = ia.v + size;
	struct detached empty;
	struct pt_place at;

	if (status == HV_OK) {
		status = split_edges(pt, ia.v, end);
	}
	if (status != HV_OK) {
		return status;
	}
	for (uint64_t next = ia.v; next < end; next = pt_next(next, at.level)) {
		at = pt_find(pt, next, 0);
		pt_slot_write(at.slot, 0);
	}
	tables_detach(pt, ia.v, end, false, &empty);
	detached_give(pt, &empty);
	return HV_OK;
}

void hv_pt_destroy(struct hv_pt *pt)
{
	_Atomic uint64_t *root = table_at(pt, pt->root.v);
	struct detached tables;

	tables_detach(pt, 0, pt_limit(pt), true, &tables);
	for (unsigned i = 0; i < PT_TABLE_ENTRIES << pt->root_extra; i++) {
		pt_slot_write(&root[i], 0);
	}
	detached_give(pt, &tables);
	hv_pages_give(pt->pages, 1u << pt->root_extra, pt->root);
	*pt = (struct hv_pt){0};
}

/* ---- protect ---- */

static bool is_mapped(const struct hv_pt *pt, uint64_t from, uint64_t end)
{
	struct pt_place at;

	for (uint64_t ia = from; ia < end; ia = pt_next(ia, at.level)) {
		at = pt_find(pt, ia, 0);
		if (at.pte.kind != HV_PTE_LEAF) {
			return false;
		}
	}
	return true;
}

/*
 * Permissions change in place, without a break: no format asks for one when address, type and size
 * stay, and so the guest never meets a hole.
 */
enum hv_status hv_pt_protect(struct hv_pt *pt, gpa_t ia, uint64_t size, uint8_t prot)
{
	enum hv_status status = range_check(pt, ia, size);
	uint64_t end = ia.v + size;
	struct pt_place at;

	if (status == HV_OK && !prot_is_known(pt, prot)) {
		status = HV_ERR_INVALID;
	}
	if (status == HV_OK && !is_mapped(pt, ia.v, end)) {
		status = HV_ERR_NOT_FOUND;
	}
	if (status == HV_OK) {
		status = split_edges(pt, ia.v, end);
	}
	if (status != HV_OK) {
		return status;
	}
	for (uint64_t next = ia.v; next < end; next = pt_next(next, at.level)) {
		at = pt_find(pt, next, 0);
		at.pte.prot = prot;
		pt_slot_write(at.slot, encode(pt, at.pte, at.level));
	}
	port_tlb_flush(pt, ia, size);
	return HV_OK;
}
