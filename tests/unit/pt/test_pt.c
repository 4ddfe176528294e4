/* SPDX-License-Identifier: MIT */
/*
 * What the walker does, seen on one format (Arm Stage-2). tests/contract/test_pt_contract.c runs
 * what must hold for every format.
 */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <hv/bits.h>
#include <hv/pt.h>

#define POOL_PAGES 64u
#define POOL_HPA   HPA(0x100000000u) /* not where the pool lies in this process */

static _Alignas(4096 * 16) uint8_t memory[POOL_PAGES * 4096];
static uint8_t before[sizeof(memory)];
static struct hv_pages pool;
static struct hv_pt pt;

#define RWX (HV_PROT_R | HV_PROT_W | HV_PROT_X)

static void make(uint8_t ia_bits)
{
	memset(memory, 0xa5, sizeof(memory));
	hv_pages_init(&pool, memory, POOL_HPA, POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, &a64_stage2_fmt, &pool, ia_bits, 48, 1), HV_OK);
}

static enum hv_status map(uint64_t ia, uint64_t pa, uint64_t size)
{
	const struct hv_pt_map m = {.ia = GPA(ia), .pa = HPA(pa), .size = size, .prot = RWX};

	return hv_pt_map(&pt, &m);
}

static void expect(uint64_t ia, uint64_t pa, uint8_t prot, uint8_t level)
{
	struct hv_pte pte;
	uint8_t at;

	assert_int_equal(hv_pt_lookup(&pt, GPA(ia), &pte, &at), HV_OK);
	assert_int_equal(pte.kind, HV_PTE_LEAF);
	assert_int_equal(pte.pa, pa);
	assert_int_equal(pte.prot, prot);
	assert_int_equal(at, level);
}

static void expect_hole(uint64_t ia)
{
	struct hv_pte pte;
	uint8_t at;

	assert_int_equal(hv_pt_lookup(&pt, GPA(ia), &pte, &at), HV_ERR_NOT_FOUND);
}

static void map__two_mib_aligned_gib_and_pages__takes_the_largest_blocks(void **state)
{
	(void)state;
	make(40);
	/* One page, one 2 MiB block, one 1 GiB block, one 2 MiB block, one page. */
	assert_int_equal(map(HV_GIB(1) - HV_MIB(2) - 4096, HV_GIB(7) - HV_MIB(2) - 4096,
				 HV_GIB(1) + HV_MIB(4) + 8192),
		HV_OK);
	expect(HV_GIB(1) - HV_MIB(2) - 1, HV_GIB(7) - HV_MIB(2) - 1, RWX, 0);
	expect(HV_GIB(1) - 1, HV_GIB(7) - 1, RWX, 1);
	expect(HV_GIB(1), HV_GIB(7), RWX, 2);
	expect(HV_GIB(2) - 1, HV_GIB(8) - 1, RWX, 2);
	expect(HV_GIB(2), HV_GIB(8), RWX, 1);
	expect(HV_GIB(2) + HV_MIB(2) + 5, HV_GIB(8) + HV_MIB(2) + 5, RWX, 0);
	expect_hole(HV_GIB(2) + HV_MIB(2) + 4096);
	expect_hole(HV_GIB(1) - HV_MIB(2) - 4097);
	hv_pt_destroy(&pt);
	assert_int_equal(pool.free_count, POOL_PAGES);
}

static void p4_unmap__one_page_of_a_gib_block__the_others_stay(void **state)
{
	const uint64_t hole = HV_GIB(1) + HV_MIB(6) + 12288;

	(void)state;
	make(40);
	assert_int_equal(map(HV_GIB(1), HV_GIB(3), HV_GIB(1)), HV_OK);
	assert_int_equal(hv_pt_unmap(&pt, GPA(hole), 4096), HV_OK);
	expect_hole(hole);
	for (unsigned i = 0; i < 512; i++) {
		uint64_t off = HV_MIB(6) + i * 4096u;

		if (i != 3) {
			expect(HV_GIB(1) + off, HV_GIB(3) + off, RWX, 0);
		}
		if (i != 3) {
			expect(HV_GIB(1) + i * HV_MIB(2), HV_GIB(3) + i * HV_MIB(2), RWX, 1);
		}
	}
	hv_pt_destroy(&pt);
	assert_int_equal(pool.free_count, POOL_PAGES);
}

static void unmap__last_page_of_a_table__gives_its_tables_back(void **state)
{
	uint32_t empty;

	(void)state;
	make(40);
	empty = pool.free_count;
	assert_int_equal(map(0x5000, 0x9000, 0x2000), HV_OK);
	assert_int_equal(pool.free_count, empty - 2);
	assert_int_equal(hv_pt_unmap(&pt, GPA(0x5000), 0x1000), HV_OK);
	assert_int_equal(pool.free_count, empty - 2);
	assert_int_equal(hv_pt_unmap(&pt, GPA(0x6000), 0x1000), HV_OK);
	assert_int_equal(pool.free_count, empty);
	hv_pt_destroy(&pt);
}

static void protect__half_a_block__splits_and_changes_only_that_half(void **state)
{
	(void)state;
	make(40);
	assert_int_equal(map(HV_MIB(2), HV_MIB(8), HV_MIB(2)), HV_OK);
	assert_int_equal(hv_pt_protect(&pt, GPA(HV_MIB(3)), HV_MIB(1), HV_PROT_R), HV_OK);
	expect(HV_MIB(3) - 1, HV_MIB(9) - 1, RWX, 0);
	expect(HV_MIB(3), HV_MIB(9), HV_PROT_R, 0);
	expect(HV_MIB(4) - 1, HV_MIB(10) - 1, HV_PROT_R, 0);
	assert_int_equal(
		hv_pt_protect(&pt, GPA(HV_MIB(3)), HV_MIB(2), HV_PROT_R), HV_ERR_NOT_FOUND);
	hv_pt_destroy(&pt);
}

static void p2_map__over_something__overlap_and_nothing_changed(void **state)
{
	(void)state;
	make(40);
	assert_int_equal(map(HV_MIB(2), HV_MIB(8), HV_MIB(2)), HV_OK);
	memcpy(before, memory, sizeof(memory));
	assert_int_equal(map(HV_MIB(2), HV_MIB(8), HV_MIB(2)), HV_ERR_OVERLAP);
	assert_int_equal(map(HV_MIB(1), HV_MIB(8), HV_MIB(2)), HV_ERR_OVERLAP);
	assert_int_equal(map(HV_MIB(3), HV_MIB(8), 4096), HV_ERR_OVERLAP);
	assert_int_equal(map(HV_MIB(4) - 4096, HV_MIB(8), HV_MIB(2)), HV_ERR_OVERLAP);
	assert_int_equal(map(0, 0, HV_GIB(1)), HV_ERR_OVERLAP);
	assert_memory_equal(before, memory, sizeof(memory));
	hv_pt_destroy(&pt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(map__two_mib_aligned_gib_and_pages__takes_the_largest_blocks),
		hv_unit_test(p4_unmap__one_page_of_a_gib_block__the_others_stay),
		hv_unit_test(unmap__last_page_of_a_table__gives_its_tables_back),
		hv_unit_test(protect__half_a_block__splits_and_changes_only_that_half),
		hv_unit_test(p2_map__over_something__overlap_and_nothing_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
