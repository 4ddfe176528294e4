/* SPDX-License-Identifier: MIT */
/*
 * What every nested page-table format promises under the one walker: each case below runs on each
 * geometry of each format, against a TLB that forgets nothing by itself.
 */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <arch/riscv64/rv64.h>
#include <arch/x86_64/x86.h>
#include <fake_pt.h>
#include <fake_tlb.h>
#include <hv/bits.h>
#include <hv/pt.h>

#define POOL_PAGES 128u
#define POOL_HPA   0x4000000000u /* not where the pool lies in this process */
#define BLOCK      HV_MIB(2)

/* One geometry of one format. */
struct form {
	const struct hv_pt_fmt *fmt;
	uint8_t ia_bits, pa_bits, levels, root_pages;
};

/* name, format, address bits in and out, levels, root pages */
#define FORMS(X)                                                                                   \
	X(a64_32, a64_stage2_fmt, 32, 40, 3, 1)                                                    \
	X(a64_39, a64_stage2_fmt, 39, 40, 3, 1)                                                    \
	X(a64_40, a64_stage2_fmt, 40, 44, 3, 2)                                                    \
	X(a64_42, a64_stage2_fmt, 42, 42, 3, 8)                                                    \
	X(a64_43, a64_stage2_fmt, 43, 44, 3, 16)                                                   \
	X(a64_44, a64_stage2_fmt, 44, 44, 4, 1)                                                    \
	X(a64_48, a64_stage2_fmt, 48, 48, 4, 1)                                                    \
	X(rv64_sv39x4, rv64_gstage_fmt, 41, 56, 3, 4)                                              \
	X(rv64_sv48x4, rv64_gstage_fmt, 50, 56, 4, 4)                                              \
	X(rv64_sv57x4, rv64_gstage_fmt, 59, 56, 5, 4)                                              \
	X(x86_npt, x86_npt_fmt, 48, 52, 4, 1)                                                      \
	X(x86_ept, x86_ept_fmt, 48, 52, 4, 1)

#define FORM_DEFINE(name, f, ia, pa, lv, root)                                                     \
	static const struct form name = {                                                          \
		.fmt = &f, .ia_bits = ia, .pa_bits = pa, .levels = lv, .root_pages = root};
FORMS(FORM_DEFINE)

static _Alignas(4096 * 16) uint8_t memory[POOL_PAGES * 4096];
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_tlb tlb;

/* ---- helpers ---- */

static const struct form *make(void **state)
{
	const struct form *form = *state;

	memset(memory, 0xa5, sizeof(memory));
	hv_pages_init(&pool, memory, HPA(POOL_HPA), POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, form->fmt, &pool, form->ia_bits, form->pa_bits, 1), HV_OK);
	fake_tlb_attach(&tlb, &pt);
	return form;
}

/* Every operation ends here: the TLB is content, no table is empty, the counts agree. */
static void settle(void)
{
	fake_tlb_settle(&tlb);
	if (tlb.broken) {
		fail_msg("%s, at 0x%llx", tlb.broken, (unsigned long long)tlb.broken_ia);
	}
	assert_int_equal(tlb.bare, 0);
	assert_int_equal(pt.table_count, tlb.tables);
	assert_int_equal(pool.page_count - pool.free_count, tlb.tables + tlb.others);
}

static void finish(void)
{
	hv_pt_destroy(&pt);
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
	assert_int_equal(pool.free_count, POOL_PAGES);
}

static uint64_t limit(void)
{
	return HV_BIT(pt.ia_bits);
}

static struct hv_pt_map range(uint64_t ia, uint64_t pa, uint64_t size)
{
	return (struct hv_pt_map){.ia = GPA(ia),
		.pa = HPA(pa),
		.size = size,
		.prot = HV_PROT_R | HV_PROT_W,
		.type = HV_MEM_NORMAL};
}

static enum hv_status map(uint64_t ia, uint64_t pa, uint64_t size)
{
	const struct hv_pt_map m = range(ia, pa, size);

	return hv_pt_map(&pt, &m);
}

static bool is_mapped(uint64_t ia, uint64_t pa, uint8_t prot)
{
	struct hv_pte pte;
	uint8_t level;

	return hv_pt_lookup(&pt, GPA(ia), &pte, &level) == HV_OK && pte.pa == pa &&
	       pte.prot == prot;
}

static bool is_hole(uint64_t ia)
{
	struct hv_pte pte;
	uint8_t level;

	return hv_pt_lookup(&pt, GPA(ia), &pte, &level) == HV_ERR_NOT_FOUND;
}

/* What a failed call must leave alone. */
struct snapshot {
	uint64_t hash;
	uint32_t free_count, table_count;
	unsigned flushes;
};

static struct snapshot snap(void)
{
	fake_tlb_look(&tlb);
	return (struct snapshot){tlb.hash, pool.free_count, pt.table_count, fake_port.tlb_flushes};
}

static void expect_unchanged(struct snapshot before)
{
	struct snapshot now = snap();

	assert_true(now.hash == before.hash);
	assert_int_equal(now.free_count, before.free_count);
	assert_int_equal(now.table_count, before.table_count);
	assert_int_equal(now.flushes, before.flushes);
	settle();
}

/* ---- geometry ---- */

static void init__geometry__levels_and_root_as_the_format_says(void **state)
{
	const struct form *form = make(state);

	assert_int_equal(pt.levels, form->levels);
	assert_int_equal(1u << pt.root_extra, form->root_pages);
	assert_int_equal(pt.table_count, form->root_pages);
	assert_int_equal(pt.root.v % (form->root_pages * HV_PAGE_SIZE), 0);
	assert_int_equal(pool.free_count, POOL_PAGES - form->root_pages);
	finish();
}

static void p12_limit__last_page_and_the_one_after__every_top_bit_counts(void **state)
{
	make(state);
	assert_int_equal(map(limit() - 4096, 0x1000, 4096), HV_OK);
	assert_int_equal(map(limit(), 0x1000, 4096), HV_ERR_RANGE);
	assert_int_equal(map(limit() - 4096, 0x1000, 8192), HV_ERR_RANGE);
	settle();
	assert_true(is_mapped(limit() - 1, 0x1fff, HV_PROT_R | HV_PROT_W));
	assert_true(is_hole(limit()));
	assert_true(is_hole(~(uint64_t)0));
	assert_int_equal(map(0, 0x5000, 4096), HV_OK);
	assert_true(is_hole(limit()));
	assert_int_equal(hv_pt_unmap(&pt, GPA(0), 4096), HV_OK);
	/* Each address that differs from the mapped one in a single bit is another address. */
	for (unsigned bit = 12; bit < 64; bit++) {
		assert_true(is_hole((limit() - 4096) ^ HV_BIT(bit)));
	}
	finish();
}

static void p12_limit__each_bit_of_the_address__has_its_own_descriptor(void **state)
{
	const struct form *form = make(state);

	assert_int_equal(map(0, 0x7000, 4096), HV_OK);
	for (unsigned bit = 12; bit < form->ia_bits; bit++) {
		uint64_t pa = 0x10000 + bit * HV_PAGE_SIZE;

		assert_int_equal(map(HV_BIT(bit), pa, 4096), HV_OK);
	}
	settle();
	assert_true(is_mapped(0, 0x7000, HV_PROT_R | HV_PROT_W));
	for (unsigned bit = 12; bit < form->ia_bits; bit++) {
		uint64_t pa = 0x10000 + bit * HV_PAGE_SIZE;

		assert_true(is_mapped(HV_BIT(bit), pa, HV_PROT_R | HV_PROT_W));
	}
	finish();
}

static void p11_limit__output_up_to_the_cpus_bits__and_no_further(void **state)
{
	const struct form *form = make(state);
	uint64_t top = HV_BIT(form->pa_bits);

	assert_int_equal(map(0, top - 4096, 4096), HV_OK);
	assert_int_equal(map(BLOCK, top - BLOCK, BLOCK), HV_OK);
	assert_int_equal(map(2 * BLOCK, top - 4096, 8192), HV_ERR_RANGE);
	assert_int_equal(map(2 * BLOCK, top, 4096), HV_ERR_RANGE);
	assert_true(is_mapped(0, top - 4096, HV_PROT_R | HV_PROT_W));
	assert_true(is_mapped(BLOCK + 5, top - BLOCK + 5, HV_PROT_R | HV_PROT_W));
	settle();
	finish();
}

/* ---- bad arguments ---- */

static enum hv_status expected_of(uint64_t ia, uint64_t pa, uint64_t size, uint64_t pa_limit)
{
	if (size == 0 || (ia | size) % HV_PAGE_SIZE != 0) {
		return HV_ERR_INVALID;
	}
	if (ia >= limit() || size > limit() - ia) {
		return HV_ERR_RANGE;
	}
	if (pa % HV_PAGE_SIZE != 0) {
		return HV_ERR_INVALID;
	}
	return pa >= pa_limit || size > pa_limit - pa ? HV_ERR_RANGE : HV_OK;
}

/* What unmap and protect say of a range of an otherwise empty table. */
static void try_unmapped(uint64_t ia, uint64_t size)
{
	enum hv_status want = expected_of(ia, 0, size, ~(uint64_t)0);

	assert_int_equal(hv_pt_unmap(&pt, GPA(ia), size), want);
	if (want == HV_OK) {
		want = HV_ERR_NOT_FOUND;
	}
	assert_int_equal(hv_pt_protect(&pt, GPA(ia), size, HV_PROT_R), want);
}

static void expect_bare_root(const struct form *form)
{
	static const uint8_t zero[16 * 4096];
	size_t size = form->root_pages * HV_PAGE_SIZE;

	assert_int_equal(pool.free_count, POOL_PAGES - form->root_pages);
	assert_int_equal(memcmp(hv_pages_ptr(&pool, pt.root), zero, size), 0);
}

static void p1_numbers__every_corner_of_ia_pa_size__err_and_nothing_changed(void **state)
{
	const struct form *form = make(state);
	uint64_t pa_limit = HV_BIT(form->pa_bits);
	const uint64_t number[] = {0, 1, 4095, 4096, BLOCK - 1, BLOCK, limit() - 4096, limit(),
		pa_limit - 4096, pa_limit, HV_BIT(63), ~(uint64_t)0 - 4095, ~(uint64_t)0};
	const unsigned n = HV_ARRAY_COUNT(number);

	for (unsigned i = 0; i < n * n * n; i++) {
		uint64_t ia = number[i % n], pa = number[i / n % n], size = number[i / n / n];
		enum hv_status want = expected_of(ia, pa, size, pa_limit), got;

		if (want == HV_OK && size > HV_GIB(1)) {
			continue; /* right, but large: p1_huge */
		}
		got = map(ia, pa, size);
		assert_int_equal(got, want);
		if (got == HV_OK) {
			assert_true(is_mapped(ia, pa, HV_PROT_R | HV_PROT_W));
			assert_true(is_mapped(ia + size - 1, pa + size - 1, HV_PROT_R | HV_PROT_W));
			assert_int_equal(hv_pt_unmap(&pt, GPA(ia), size), HV_OK);
			settle();
		}
		if (pa == 0) {
			try_unmapped(ia, size);
		}
		expect_bare_root(form);
	}
	settle();
	finish();
}

static void p1_huge__whole_space_by_pages__is_refused_in_bounded_time(void **state)
{
	const struct form *form = make(state);
	/* An input and an output that never meet at a block boundary. */
	uint64_t pa = POOL_HPA + POOL_PAGES * HV_PAGE_SIZE + 4096;
	uint64_t room = HV_BIT(form->pa_bits) - pa, size = limit() < room ? limit() : room;
	struct snapshot before = snap();

	assert_int_equal(map(0, pa, size), HV_ERR_NO_MEMORY);
	expect_unchanged(before);
	finish();
}

static void p3_map__pages_of_the_table_pool__denied(void **state)
{
	const uint64_t size = POOL_PAGES * HV_PAGE_SIZE;
	struct snapshot before;

	make(state);
	before = snap();
	assert_int_equal(map(0, POOL_HPA, 4096), HV_ERR_DENIED);
	assert_int_equal(map(0, POOL_HPA + size - 4096, 4096), HV_ERR_DENIED);
	assert_int_equal(map(0, POOL_HPA - 4096, 8192), HV_ERR_DENIED);
	assert_int_equal(map(0, POOL_HPA, HV_GIB(1)), HV_ERR_DENIED);
	expect_unchanged(before);
	assert_int_equal(map(0, POOL_HPA - 4096, 4096), HV_OK);
	assert_int_equal(map(4096, POOL_HPA + size, 4096), HV_OK);
	settle();
	finish();
}

/* ---- overlap ---- */

static void p2_map__over_something__overlap_and_nothing_changed(void **state)
{
	static const struct {
		uint64_t ia, size;
	} over[] = {
		{4 * BLOCK, BLOCK},                   /* the same */
		{5 * BLOCK, 4096},                    /* the first page of the second */
		{6 * BLOCK - 4096, 4096},             /* its last */
		{4 * BLOCK - 4096, 8192},             /* reaches in from below */
		{6 * BLOCK - 4096, 2 * BLOCK},        /* out at the top */
		{4 * BLOCK + BLOCK / 2, BLOCK},       /* both halves */
		{0, HV_GIB(1)},                       /* around all */
		{8 * BLOCK + 4096 - BLOCK, BLOCK},    /* ends in a page */
		{8 * BLOCK, 8192},                    /* begins in it */
		{8 * BLOCK - 4096, 3 * HV_PAGE_SIZE}, /* spans it */
	};
	struct snapshot before;

	make(state);
	assert_int_equal(map(4 * BLOCK, 16 * BLOCK, 2 * BLOCK), HV_OK);
	assert_int_equal(map(8 * BLOCK, 12 * BLOCK, 4096), HV_OK);
	before = snap();
	for (unsigned i = 0; i < HV_ARRAY_COUNT(over); i++) {
		uint64_t same = over[i].ia + 12 * BLOCK, other = over[i].ia + 40 * BLOCK;

		assert_int_equal(map(over[i].ia, same, over[i].size), HV_ERR_OVERLAP);
		assert_int_equal(map(over[i].ia, other, over[i].size), HV_ERR_OVERLAP);
		expect_unchanged(before);
	}
	/* Close, but not over. */
	assert_int_equal(map(4 * BLOCK - 4096, 0x3000, 4096), HV_OK);
	assert_int_equal(map(6 * BLOCK, 0x3000, 4096), HV_OK);
	settle();
	finish();
}

/* ---- blocks ---- */

static void map__all_block_sizes_in_one_range__takes_the_largest_each_time(void **state)
{
	const uint64_t from = HV_GIB(1) - BLOCK - 4096, delta = HV_GIB(6);
	const uint8_t level[] = {0, 1, 2, 1, 0};
	uint64_t ia = from;

	make(state);
	assert_int_equal(map(from, from + delta, HV_GIB(1) + 2 * BLOCK + 8192), HV_OK);
	for (unsigned i = 0; i < HV_ARRAY_COUNT(level); i++) {
		struct hv_pte pte;
		uint8_t at;

		assert_int_equal(hv_pt_lookup(&pt, GPA(ia), &pte, &at), HV_OK);
		assert_int_equal(at, level[i]);
		assert_true(pte.pa == ia + delta);
		ia += hv_pt_span(at);
	}
	settle();
	finish();
}

static void map__pa_not_congruent__falls_back_to_what_fits(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	make(state);
	assert_int_equal(map(HV_GIB(1), HV_GIB(1) + BLOCK, 4 * BLOCK), HV_OK);
	assert_int_equal(hv_pt_lookup(&pt, GPA(HV_GIB(1)), &pte, &level), HV_OK);
	assert_int_equal(level, 1);
	assert_int_equal(map(0, 4096, 2 * BLOCK), HV_OK);
	assert_int_equal(hv_pt_lookup(&pt, GPA(BLOCK), &pte, &level), HV_OK);
	assert_int_equal(level, 0);
	assert_true(pte.pa == BLOCK + 4096);
	settle();
	finish();
}

static void p4_unmap__one_page_of_a_large_block__all_others_keep_their_translation(void **state)
{
	const uint64_t hole = HV_GIB(1) + 3 * BLOCK + 5 * HV_PAGE_SIZE, delta = HV_GIB(5);

	make(state);
	assert_int_equal(map(HV_GIB(1), HV_GIB(1) + delta, HV_GIB(1)), HV_OK);
	assert_int_equal(hv_pt_unmap(&pt, GPA(hole), 4096), HV_OK);
	settle();
	/* Every page of the 2 MiB around the hole, and every other 2 MiB. */
	for (uint64_t ia = HV_GIB(1); ia < HV_GIB(2);
		ia += hv_align_down(ia, BLOCK) == hv_align_down(hole, BLOCK) ? 4096 : BLOCK) {
		if (ia == hole) {
			assert_true(is_hole(ia));
		} else if (!is_mapped(ia, ia + delta, HV_PROT_R | HV_PROT_W)) {
			fail_msg("0x%llx", (unsigned long long)ia);
		}
	}
	finish();
}

static void p4_protect__across_two_blocks__splits_both_and_changes_the_middle(void **state)
{
	const uint64_t from = 5 * BLOCK - 4096, end = 5 * BLOCK + 8192;

	make(state);
	assert_int_equal(map(4 * BLOCK, 8 * BLOCK, 2 * BLOCK), HV_OK);
	assert_int_equal(hv_pt_protect(&pt, GPA(from), end - from, HV_PROT_R), HV_OK);
	settle();
	for (uint64_t ia = 4 * BLOCK; ia < 6 * BLOCK; ia += HV_PAGE_SIZE) {
		uint8_t prot = HV_PROT_R | (ia >= from && ia < end ? 0 : HV_PROT_W);

		assert_true(is_mapped(ia, ia + 4 * BLOCK, prot));
	}
	finish();
}

static void p4_split__keeps_type_and_every_prot(void **state)
{
	const struct form *form = make(state);

	for (uint8_t prot = 0; prot < 8; prot++) {
		struct hv_pt_map m = range(prot * 2 * BLOCK, HV_GIB(1), BLOCK);
		struct hv_pte pte;
		uint8_t level;

		m.prot = prot;
		m.type = HV_MEM_DEVICE;
		if (!hv_bit(form->fmt->prot_mask, prot)) {
			continue;
		}
		assert_int_equal(hv_pt_map(&pt, &m), HV_OK);
		assert_int_equal(hv_pt_unmap(&pt, m.ia, 4096), HV_OK);
		assert_int_equal(hv_pt_lookup(&pt, GPA(m.ia.v + BLOCK - 1), &pte, &level), HV_OK);
		assert_int_equal(level, 0);
		assert_int_equal(pte.prot, prot);
		assert_int_equal(pte.type, HV_MEM_DEVICE);
	}
	settle();
	finish();
}

/* ---- permissions ---- */

static void p10_prot__all_eight_combinations__expressible_ones_only(void **state)
{
	const struct form *form = make(state);

	for (unsigned prot = 0; prot < 256; prot++) {
		struct hv_pt_map m = range(prot * HV_PAGE_SIZE, HV_GIB(1), 4096);
		bool known = prot < 8 && hv_bit(form->fmt->prot_mask, prot);

		m.prot = (uint8_t)prot;
		assert_int_equal(hv_pt_map(&pt, &m), known ? HV_OK : HV_ERR_INVALID);
		assert_int_equal(is_mapped(m.ia.v, HV_GIB(1), m.prot), known);
		m.ia = GPA(HV_GIB(1));
		m.prot = HV_PROT_R;
		assert_int_equal(hv_pt_map(&pt, &m), HV_OK);
		assert_int_equal(hv_pt_protect(&pt, m.ia, 4096, (uint8_t)prot),
			known ? HV_OK : HV_ERR_INVALID);
		assert_true(is_mapped(m.ia.v, HV_GIB(1), known ? (uint8_t)prot : HV_PROT_R));
		assert_int_equal(hv_pt_unmap(&pt, m.ia, 4096), HV_OK);
	}
	settle();
	/* Write without read: no format here can say it. Read, with or without W and X: all do. */
	assert_int_equal(form->fmt->prot_mask & 0x45, 0);
	assert_int_equal(form->fmt->prot_mask & 0xaa, 0xaa);
	finish();
}

static void p10_type__unknown__invalid(void **state)
{
	struct hv_pt_map m = range(0, HV_GIB(1), 4096);

	make(state);
	m.type = HV_MEM_DEVICE + 1;
	assert_int_equal(hv_pt_map(&pt, &m), HV_ERR_INVALID);
	settle();
	finish();
}

static void protect__a_hole_anywhere__not_found_and_nothing_changed(void **state)
{
	struct snapshot before;

	make(state);
	assert_int_equal(map(4 * BLOCK, 8 * BLOCK, BLOCK), HV_OK);
	assert_int_equal(map(5 * BLOCK + 4096, 12 * BLOCK, 4096), HV_OK);
	before = snap();
	assert_int_equal(
		hv_pt_protect(&pt, GPA(5 * BLOCK - 4096), 8192, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_pt_protect(&pt, GPA(5 * BLOCK - 4096), 12288, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_pt_protect(&pt, GPA(5 * BLOCK + 4096), 8192, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_pt_protect(&pt, GPA(0), 4096, HV_PROT_R), HV_ERR_NOT_FOUND);
	expect_unchanged(before);
	finish();
}

/* ---- out of memory ---- */

/* Holds back all but `left` pages of the pool. */
static uint32_t hold_back(uint32_t left, hpa_t *held)
{
	uint32_t count = 0;

	while (pool.free_count > left) {
		assert_int_equal(hv_pages_take(&pool, 1, &held[count]), HV_OK);
		count++;
	}
	tlb.others += count;
	return count;
}

static void give_back(uint32_t count, const hpa_t *held)
{
	tlb.others -= count;
	while (count > 0) {
		hv_pages_give(&pool, 1, held[--count]);
	}
}

/* Runs `step` with 0, 1, 2, … pages left until it succeeds; returns how many that took. */
static uint32_t sweep(enum hv_status (*step)(void))
{
	hpa_t held[POOL_PAGES];

	for (uint32_t left = 0;; left++) {
		uint32_t count = hold_back(left, held);
		struct snapshot before = snap();
		enum hv_status status = step();

		if (status == HV_OK) {
			/* Exactly what was there was needed: nothing is taken in advance. */
			assert_int_equal(pool.free_count, 0);
			settle();
			give_back(count, held);
			return left;
		}
		assert_int_equal(status, HV_ERR_NO_MEMORY);
		expect_unchanged(before);
		give_back(count, held);
	}
}

/* Two pages on both sides of a boundary between two tables of the highest level below the root. */
static enum hv_status step_map(void)
{
	uint64_t middle = limit() / 2;

	return map(middle - 4096, 0x1000, 8192);
}

static enum hv_status step_map_blocks(void)
{
	return map(3 * BLOCK - 8192, 13 * BLOCK - 8192, 2 * BLOCK + 12288);
}

static enum hv_status step_unmap(void)
{
	return hv_pt_unmap(&pt, GPA(HV_GIB(2) - 8192), HV_GIB(1));
}

static enum hv_status step_protect(void)
{
	return hv_pt_protect(&pt, GPA(HV_GIB(1) + 4096), 4096, HV_PROT_R);
}

static enum hv_status step_protect_two_halves(void)
{
	return hv_pt_protect(&pt, GPA(HV_GIB(1) + 4096), BLOCK, HV_PROT_R);
}

static void p5_map__pool_runs_out_at_every_step__err_and_nothing_changed(void **state)
{
	const struct form *form = make(state);

	assert_int_equal(sweep(step_map), 2 * (form->levels - 1));
	hv_pt_destroy(&pt);
	make(state);
	assert_int_equal(sweep(step_map_blocks), form->levels - 1 + 1);
	finish();
}

static void p5_split__pool_runs_out_at_every_step__err_and_nothing_changed(void **state)
{
	make(state);
	assert_int_equal(map(HV_GIB(1), HV_GIB(5), HV_GIB(2)), HV_OK);
	settle();
	/* Each end of the range cuts a 1 GiB block, and then a 2 MiB block of it. */
	assert_int_equal(sweep(step_unmap), 4);
	assert_true(is_mapped(HV_GIB(2) - 8193, HV_GIB(6) - 8193, HV_PROT_R | HV_PROT_W));
	assert_true(is_hole(HV_GIB(2) - 8192));
	assert_true(is_hole(HV_GIB(3) - 8193));
	assert_true(is_mapped(HV_GIB(3) - 8192, HV_GIB(7) - 8192, HV_PROT_R | HV_PROT_W));
	finish();
}

static void p5_split__both_ends_in_one_block__shares_the_tables(void **state)
{
	make(state);
	assert_int_equal(map(HV_GIB(1), HV_GIB(5), HV_GIB(1)), HV_OK);
	assert_int_equal(sweep(step_protect), 2);
	finish();
	make(state);
	assert_int_equal(map(HV_GIB(1), HV_GIB(5), HV_GIB(1)), HV_OK);
	assert_int_equal(sweep(step_protect_two_halves), 3);
	finish();
}

static void p5_init__pool_too_small_for_the_root__no_memory(void **state)
{
	const struct form *form = make(state);
	hpa_t held[POOL_PAGES];
	struct hv_pt other;
	uint32_t count = hold_back(form->root_pages - 1u, held);

	assert_int_equal(hv_pt_init(&other, form->fmt, &pool, form->ia_bits, form->pa_bits, 2),
		HV_ERR_NO_MEMORY);
	assert_int_equal(pool.free_count, form->root_pages - 1u);
	give_back(count, held);
	finish();
}

/* ---- break before make ---- */

static void p6_split__format_asks_for_a_break__block_is_gone_at_its_flush(void **state)
{
	const struct form *form = make(state);

	assert_int_equal(map(BLOCK, 3 * BLOCK, BLOCK), HV_OK);
	fake_port.tlb_flushes = 0;
	assert_int_equal(hv_pt_protect(&pt, GPA(BLOCK), 4096, HV_PROT_R), HV_OK);
	/* One for the split, one for the change; fake_tlb judges what each of them saw. */
	assert_int_equal(fake_port.tlb_flushes, 2);
	assert_int_equal(fake_port.flushed_from, BLOCK);
	settle();
	assert_int_equal(form->fmt->break_before_make, form->fmt == &a64_stage2_fmt);
	finish();
}

static void map__new_translations__are_flushed_only_where_holes_are_cached(void **state)
{
	const struct form *form = make(state);
	struct hv_pt_map m = range(BLOCK - 4096, 3 * BLOCK, 8192);

	assert_int_equal(hv_pt_prepare(&pt, &m), HV_OK);
	fake_tlb_look(&tlb); /* a CPU walks the empty tables */
	assert_true(is_hole(BLOCK));
	assert_int_equal(fake_port.tlb_flushes, 0);
	hv_pt_commit(&pt, &m);
	assert_int_equal(fake_port.tlb_flushes, form->fmt->caches_invalid);
	settle();
	finish();
}

static void map__after_an_abandoned_prepare__uses_the_empty_tables(void **state)
{
	struct hv_pt_map page = range(BLOCK, 3 * BLOCK, 4096), block = range(0, BLOCK, 2 * BLOCK);
	uint32_t tables;

	make(state);
	assert_int_equal(hv_pt_prepare(&pt, &page), HV_OK);
	tables = pt.table_count;
	assert_int_equal(hv_pt_map(&pt, &block), HV_OK);
	assert_int_equal(pt.table_count, tables);
	assert_true(is_mapped(2 * BLOCK - 4096, 3 * BLOCK - 4096, HV_PROT_R | HV_PROT_W));
	settle();
	assert_int_equal(hv_pt_unmap(&pt, GPA(0), HV_GIB(1)), HV_OK);
	assert_int_equal(pt.table_count, ((const struct form *)*state)->root_pages);
	finish();
}

/* ---- corruption ---- */

/* P11, P13: what encode never emits ends a descent, wherever it stands. */
static void p11_corrupt__bad_descriptors__translate_nothing(void **state)
{
	const struct form *form = make(state);
	const struct hv_pte outside = {.kind = HV_PTE_TABLE, .pa = POOL_HPA - HV_PAGE_SIZE};
	uint64_t *root = hv_pages_ptr(&pool, pt.root);
	uint8_t top = (uint8_t)(form->levels - 1);
	struct hv_pt_map m = range(0, HV_GIB(1), 4096);

	root[0] = form->fmt->encode(outside, top);
	assert_true(is_hole(0));
	assert_int_equal(hv_pt_map(&pt, &m), HV_ERR_OVERLAP);
	assert_int_equal(hv_pt_protect(&pt, GPA(0), 4096, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_pt_unmap(&pt, GPA(0), 4096), HV_OK);
	assert_true(root[0] == 0);
	root[0] = 0x8000; /* set, and valid in no format */
	assert_true(is_hole(0));
	assert_int_equal(hv_pt_map(&pt, &m), HV_ERR_OVERLAP);
	hv_pt_destroy(&pt);
	assert_int_equal(pool.free_count, POOL_PAGES);
}

/* ---- walk ---- */

struct visit {
	unsigned count, stop_at;
	uint64_t ia[8];
	uint8_t level[8];
};

static int on_leaf(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte)
{
	struct visit *visit = arg;

	assert_int_equal(pte.kind, HV_PTE_LEAF);
	visit->ia[visit->count] = ia;
	visit->level[visit->count] = level;
	visit->count++;
	return visit->count == visit->stop_at ? 42 : 0;
}

static void walk__leaves_in_order__each_once_and_stops_on_request(void **state)
{
	struct visit all = {0}, some = {.stop_at = 2}, part = {0}, wrap = {0};

	make(state);
	assert_int_equal(map(BLOCK - 4096, 3 * BLOCK - 4096, BLOCK + 4096), HV_OK);
	assert_int_equal(map(limit() - 4096, 0x1000, 4096), HV_OK);
	assert_int_equal(hv_pt_walk(&pt, GPA(0), limit(), on_leaf, &all), 0);
	assert_int_equal(all.count, 3);
	assert_true(all.ia[0] == BLOCK - 4096 && all.level[0] == 0);
	assert_true(all.ia[1] == BLOCK && all.level[1] == 1);
	assert_true(all.ia[2] == limit() - 4096 && all.level[2] == 0);
	assert_int_equal(hv_pt_walk(&pt, GPA(0), limit(), on_leaf, &some), 42);
	assert_int_equal(some.count, 2);
	/* A byte in the middle of a block. */
	assert_int_equal(hv_pt_walk(&pt, GPA(BLOCK + 77), 1, on_leaf, &part), 0);
	assert_int_equal(part.count, 1);
	assert_true(part.ia[0] == BLOCK);
	/* Ends that lie beyond the space, or wrap, mean its end. */
	assert_int_equal(hv_pt_walk(&pt, GPA(2 * BLOCK), ~(uint64_t)0, on_leaf, &wrap), 0);
	assert_int_equal(hv_pt_walk(&pt, GPA(2 * BLOCK), limit(), on_leaf, &wrap), 0);
	assert_int_equal(hv_pt_walk(&pt, GPA(limit()), 4096, on_leaf, &wrap), 0);
	assert_int_equal(wrap.count, 2);
	finish();
}

static void p17_destroy__with_mappings__all_pages_back(void **state)
{
	make(state);
	assert_int_equal(map(4096, 8192, 4096), HV_OK);
	assert_int_equal(map(HV_GIB(1), HV_GIB(3), HV_GIB(2)), HV_OK);
	assert_int_equal(map(limit() - 4096, 8192, 4096), HV_OK);
	assert_int_equal(hv_pt_unmap(&pt, GPA(HV_GIB(2)), 4096), HV_OK);
	finish();
}

/* ---- against a ghost ---- */

static struct fake_pt ghost;
static enum hv_status on_table(unsigned verb, const struct hv_pt_map *m)
{
	switch (verb) {
	case 0: return hv_pt_unmap(&pt, m->ia, m->size);
	case 1: return hv_pt_protect(&pt, m->ia, m->size, m->prot);
	default: return hv_pt_map(&pt, m);
	}
}

static enum hv_status on_ghost(unsigned verb, const struct hv_pt_map *m)
{
	switch (verb) {
	case 0: fake_pt_unmap(&ghost, m->ia, m->size); return HV_OK;
	case 1: return fake_pt_protect(&ghost, m->ia, m->size, m->prot);
	default: return fake_pt_map(&ghost, m);
	}
}

/* The table says what the ghost says, unless the pool runs out. No error changes anything. */
static void step_both(unsigned verb, const struct hv_pt_map *m)
{
	struct snapshot before = snap();
	enum hv_status status = on_table(verb, m);

	if (status != HV_ERR_NO_MEMORY) {
		assert_int_equal(status, on_ghost(verb, m));
	}
	if (status != HV_OK) {
		expect_unchanged(before);
	}
	settle();
}

static void p8_p16_random__maps_unmaps_protects__as_the_ghost_says_and_no_stale_tlb(void **state)
{
	const struct form *form = make(state);
	uint64_t seed = 0x9e3779b97f4a7c15u + form->ia_bits;

	ghost = (struct fake_pt){0};
	for (unsigned step = 0; step < 150; step++) {
		struct hv_pt_map m = fake_pt_random(&seed, &pt);

		step_both((unsigned)fake_pt_random_below(&seed, 4), &m);
		assert_true(step % 4 != 0 || fake_pt_matches(&ghost, &pt));
	}
	assert_true(fake_pt_matches(&ghost, &pt));
	assert_int_equal(hv_pt_unmap(&pt, GPA(0), limit()), HV_OK);
	settle();
	assert_int_equal(pt.table_count, form->root_pages);
	finish();
}

/* ---- each case on each form ---- */

#define ENTRY(fn, form)                                                                            \
	{                                                                                          \
#fn "/" #form, fn, unit_setup, unit_teardown, (void *)(uintptr_t)&form             \
	}
#define CASES(X)                                                                                   \
	X(init__geometry__levels_and_root_as_the_format_says)                                      \
	X(p12_limit__last_page_and_the_one_after__every_top_bit_counts)                            \
	X(p12_limit__each_bit_of_the_address__has_its_own_descriptor)                              \
	X(p11_limit__output_up_to_the_cpus_bits__and_no_further)                                   \
	X(p1_numbers__every_corner_of_ia_pa_size__err_and_nothing_changed)                         \
	X(p1_huge__whole_space_by_pages__is_refused_in_bounded_time)                               \
	X(p3_map__pages_of_the_table_pool__denied)                                                 \
	X(p2_map__over_something__overlap_and_nothing_changed)                                     \
	X(map__all_block_sizes_in_one_range__takes_the_largest_each_time)                          \
	X(map__pa_not_congruent__falls_back_to_what_fits)                                          \
	X(p4_unmap__one_page_of_a_large_block__all_others_keep_their_translation)                  \
	X(p4_protect__across_two_blocks__splits_both_and_changes_the_middle)                       \
	X(p4_split__keeps_type_and_every_prot)                                                     \
	X(p10_prot__all_eight_combinations__expressible_ones_only)                                 \
	X(p10_type__unknown__invalid)                                                              \
	X(protect__a_hole_anywhere__not_found_and_nothing_changed)                                 \
	X(p5_map__pool_runs_out_at_every_step__err_and_nothing_changed)                            \
	X(p5_split__pool_runs_out_at_every_step__err_and_nothing_changed)                          \
	X(p5_split__both_ends_in_one_block__shares_the_tables)                                     \
	X(p5_init__pool_too_small_for_the_root__no_memory)                                         \
	X(p6_split__format_asks_for_a_break__block_is_gone_at_its_flush)                           \
	X(map__new_translations__are_flushed_only_where_holes_are_cached)                          \
	X(map__after_an_abandoned_prepare__uses_the_empty_tables)                                  \
	X(p11_corrupt__bad_descriptors__translate_nothing)                                         \
	X(walk__leaves_in_order__each_once_and_stops_on_request)                                   \
	X(p17_destroy__with_mappings__all_pages_back)                                              \
	X(p8_p16_random__maps_unmaps_protects__as_the_ghost_says_and_no_stale_tlb)

int main(void)
{
#define CASE(fn)                                                                                   \
	ENTRY(fn, a64_32), ENTRY(fn, a64_39), ENTRY(fn, a64_40), ENTRY(fn, a64_42),                \
		ENTRY(fn, a64_43), ENTRY(fn, a64_44), ENTRY(fn, a64_48), ENTRY(fn, rv64_sv39x4),   \
		ENTRY(fn, rv64_sv48x4), ENTRY(fn, rv64_sv57x4), ENTRY(fn, x86_npt),                \
		ENTRY(fn, x86_ept),
	const struct CMUnitTest tests[] = {CASES(CASE)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
