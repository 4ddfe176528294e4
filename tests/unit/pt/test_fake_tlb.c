/* SPDX-License-Identifier: MIT */
/* A fake that judges must be judged: each rule it watches is broken here by hand, and noticed. */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <arch/riscv64/rv64.h>
#include <fake_tlb.h>

#define POOL_PAGES 32u
#define POOL_HPA   HPA(0x80000000u)

static _Alignas(4096 * 4) uint8_t memory[POOL_PAGES * 4096];
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_tlb tlb;

static void make(const struct hv_pt_fmt *fmt)
{
	const struct hv_pt_map map = {
		.ia = GPA(HV_GIB(1)), .pa = HPA(HV_GIB(4)), .size = HV_MIB(4), .prot = HV_PROT_R};

	hv_pages_init(&pool, memory, POOL_HPA, POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, fmt, &pool, 39, 48, 1), HV_OK);
	assert_int_equal(hv_pt_map(&pt, &map), HV_OK);
	fake_tlb_attach(&tlb, &pt);
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
}

/* The descriptor of GiB 1 in the root, and that of its first 2 MiB. */
static uint64_t *root_slot(void)
{
	return (uint64_t *)hv_pages_ptr(&pool, pt.root) + 1;
}

static uint64_t *block_slot(void)
{
	return hv_pages_ptr(&pool, HPA(pt.fmt->decode(*root_slot(), 2).pa));
}

static void flush(uint64_t from, uint64_t len)
{
	port_tlb_flush(&pt, GPA(from), len);
}

static uint64_t leaf(uint64_t pa, uint8_t prot)
{
	return pt.fmt->encode((struct hv_pte){.kind = HV_PTE_LEAF, .pa = pa, .prot = prot}, 1);
}

static void break_flush_make__in_order__is_fine(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = 0;
	flush(HV_GIB(1), HV_MIB(2));
	*block_slot() = leaf(HV_GIB(9), HV_PROT_R);
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
}

static void make__without_a_break__is_noticed(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = leaf(HV_GIB(9), HV_PROT_R);
	flush(HV_GIB(1), HV_MIB(2));
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
}

static void make__flush_before_the_break__is_noticed(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	flush(HV_GIB(1), HV_MIB(2));
	*block_slot() = 0;
	fake_tlb_look(&tlb);
	*block_slot() = leaf(HV_GIB(9), HV_PROT_R);
	fake_tlb_look(&tlb);
	assert_non_null(tlb.broken);
}

static void make__flush_of_only_a_part__is_noticed(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = 0;
	flush(HV_GIB(1), HV_MIB(2) - 4096);
	*block_slot() = leaf(HV_GIB(9), HV_PROT_R);
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
}

static void make__without_a_break_where_none_is_asked__needs_the_flush_only(void **state)
{
	(void)state;
	make(&rv64_gstage_fmt);
	*block_slot() = leaf(HV_GIB(9), HV_PROT_R);
	flush(HV_GIB(1), HV_MIB(2));
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
}

static void permissions__changed_in_place__need_the_flush_only(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = leaf(HV_GIB(4), HV_PROT_R | HV_PROT_W);
	flush(HV_GIB(1), HV_MIB(2));
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
}

static void permissions__changed_without_a_flush__is_noticed(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = leaf(HV_GIB(4), HV_PROT_R | HV_PROT_W);
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
}

static void unmap__without_a_flush__is_noticed(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	*block_slot() = 0;
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
	assert_int_equal(tlb.broken_ia, HV_GIB(1));
}

static void table__detached_and_flushed__is_fine_and_only_then_free(void **state)
{
	uint64_t pa;

	(void)state;
	make(&a64_stage2_fmt);
	pa = pt.fmt->decode(*root_slot(), 2).pa;
	*root_slot() = 0;
	flush(HV_GIB(1), HV_GIB(1));
	hv_pages_give(&pool, 1, HPA(pa));
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
}

static void table__given_back_before_the_flush__is_noticed(void **state)
{
	uint64_t pa;

	(void)state;
	make(&a64_stage2_fmt);
	pa = pt.fmt->decode(*root_slot(), 2).pa;
	*root_slot() = 0;
	hv_pages_give(&pool, 1, HPA(pa));
	flush(HV_GIB(1), HV_GIB(1));
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
}

static void map__where_holes_are_cached__needs_a_flush(void **state)
{
	(void)state;
	make(&rv64_gstage_fmt);
	block_slot()[2] = leaf(HV_GIB(9), HV_PROT_R);
	fake_tlb_look(&tlb);
	assert_int_equal(tlb.stale_count, 1);
	flush(HV_GIB(1) + HV_MIB(4), 4096);
	fake_tlb_settle(&tlb);
	assert_null(tlb.broken);
	block_slot()[3] = leaf(HV_GIB(9), HV_PROT_R);
	fake_tlb_settle(&tlb);
	assert_non_null(tlb.broken);
}

static void tables__an_empty_one__is_counted_bare(void **state)
{
	(void)state;
	make(&a64_stage2_fmt);
	assert_int_equal(tlb.tables, 2);
	assert_int_equal(tlb.bare, 0);
	block_slot()[0] = 0;
	block_slot()[1] = 0;
	fake_tlb_look(&tlb);
	assert_int_equal(tlb.bare, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(break_flush_make__in_order__is_fine),
		hv_unit_test(make__without_a_break__is_noticed),
		hv_unit_test(make__flush_before_the_break__is_noticed),
		hv_unit_test(make__flush_of_only_a_part__is_noticed),
		hv_unit_test(make__without_a_break_where_none_is_asked__needs_the_flush_only),
		hv_unit_test(permissions__changed_in_place__need_the_flush_only),
		hv_unit_test(permissions__changed_without_a_flush__is_noticed),
		hv_unit_test(unmap__without_a_flush__is_noticed),
		hv_unit_test(table__detached_and_flushed__is_fine_and_only_then_free),
		hv_unit_test(table__given_back_before_the_flush__is_noticed),
		hv_unit_test(map__where_holes_are_cached__needs_a_flush),
		hv_unit_test(tables__an_empty_one__is_counted_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
