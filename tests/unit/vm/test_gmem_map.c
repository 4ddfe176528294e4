/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <fake_race.h>
#include <hv/bits.h>
#include <hv/gmem.h>

#define POOL_PAGES 16u
#define POOL_HPA   0x7000000000u
#define BLOCK      HV_MIB(2)

enum { RX = HV_PROT_R | HV_PROT_X, RWX = RX | HV_PROT_W };

static struct hv_pages pool;
static struct hv_pt pt;
static struct hv_gmem gmem;
static uint8_t bytes[1]; /* no test here looks into guest memory */

static int setup(void **state)
{
	unit_setup(state);
	memset(&gmem, 0, sizeof(gmem));
	hv_pages_init(&pool, aligned_alloc(HV_PAGE_SIZE, POOL_PAGES * HV_PAGE_SIZE), HPA(POOL_HPA),
		POOL_PAGES);
	return hv_pt_init(&pt, &a64_stage2_fmt, &pool, 40, 40, 1);
}

static int teardown(void **state)
{
	hv_pt_destroy(&pt);
	free(pool.base);
	return unit_teardown(state);
}

static void again(void)
{
	teardown(NULL);
	setup(NULL);
}

static void add(uint64_t gpa, uint64_t size, uint64_t hpa, uint8_t prot, bool lazy)
{
	const struct hv_gmem_region region = {.gpa = GPA(gpa),
		.size = size,
		.hpa = HPA(hpa),
		.host = bytes,
		.prot = prot,
		.lazy = lazy};

	assert_int_equal(hv_gmem_add(&gmem, &region), HV_OK);
}

static enum hv_status fault(uint64_t at, uint8_t want)
{
	return hv_gmem_fault(&gmem, &pt, GPA(at), want);
}

/* Level of the leaf at `at`, whose address must be pa; -1: not mapped. */
static int level_at(uint64_t at, uint64_t pa)
{
	struct hv_pte pte;
	uint8_t level;

	if (hv_pt_lookup(&pt, GPA(at), &pte, &level) != HV_OK) {
		return -1;
	}
	assert_int_equal(pte.pa, pa);
	return level;
}

/* ---- map ---- */

static void gmem_map__eager_and_lazy__maps_only_the_eager_with_their_permissions(void **state)
{
	struct hv_pte pte;
	uint8_t level;

	(void)state;
	add(BLOCK, BLOCK, 5 * BLOCK, RWX, false);
	add(0x1000, 0x2000, 0x40000, RX, false);
	add(8 * BLOCK, BLOCK, 9 * BLOCK, RWX, true);
	assert_int_equal(hv_gmem_map(&gmem, &pt), HV_OK);
	assert_int_equal(level_at(BLOCK + 5, 5 * BLOCK + 5), 1);
	assert_int_equal(level_at(0x2fff, 0x41fff), 0);
	assert_int_equal(level_at(0x3000, 0), -1);
	assert_int_equal(level_at(8 * BLOCK, 0), -1);
	assert_int_equal(hv_pt_lookup(&pt, GPA(0x1000), &pte, &level), HV_OK);
	assert_int_equal(pte.prot, RX);
	assert_int_equal(pte.type, HV_MEM_NORMAL);
	assert_int_equal(fake_port.locks_held, 0);
}

static void p3_gmem_map__region_in_the_page_pool__is_denied_lazy_or_not(void **state)
{
	static const uint64_t at[] = {POOL_HPA, POOL_HPA + (POOL_PAGES - 1) * HV_PAGE_SIZE};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		again();
		add(BLOCK, HV_PAGE_SIZE, at[i / 2], RWX, i % 2);
		assert_int_equal(hv_gmem_map(&gmem, &pt), HV_ERR_DENIED);
		assert_int_equal(level_at(BLOCK, 0), -1);
	}
	again();
	add(BLOCK, HV_PAGE_SIZE, POOL_HPA - HV_PAGE_SIZE, RWX, false);
	add(2 * BLOCK, HV_PAGE_SIZE, POOL_HPA + POOL_PAGES * HV_PAGE_SIZE, RWX, false);
	assert_int_equal(hv_gmem_map(&gmem, &pt), HV_OK);
}

static void gmem_map__beyond_the_guests_address_space__is_out_of_range(void **state)
{
	(void)state;
	add(HV_BIT(40), BLOCK, 0, RWX, false);
	assert_int_equal(hv_gmem_map(&gmem, &pt), HV_ERR_RANGE);
}

static void gmem_map__pool_exhausted__leaves_the_table_for_destroy(void **state)
{
	(void)state;
	/* Each page needs tables of its own. */
	for (uint64_t i = 0; i < HV_GMEM_REGIONS; i++) {
		add(i * HV_GIB(1), HV_PAGE_SIZE, HV_GIB(1) + i * HV_PAGE_SIZE, RWX, false);
	}
	assert_int_equal(hv_gmem_map(&gmem, &pt), HV_ERR_NO_MEMORY);
	assert_int_equal(fake_port.locks_held, 0);
	hv_pt_destroy(&pt);
	assert_int_equal(pool.free_count, POOL_PAGES);
	assert_int_equal(hv_pt_init(&pt, &a64_stage2_fmt, &pool, 40, 40, 1), HV_OK);
}

/* ---- fault ---- */

static void gmem_fault__region_beyond_the_guests_address_space__maps_nothing(void **state)
{
	uint32_t free_count = pool.free_count;

	(void)state;
	add(HV_BIT(40), BLOCK, 0, RWX, true);
	assert_int_not_equal(fault(HV_BIT(40), HV_PROT_R), HV_OK);
	assert_int_equal(pool.free_count, free_count);
}

static void gmem_fault__outside_every_region__is_not_found(void **state)
{
	(void)state;
	add(BLOCK, BLOCK, BLOCK, RWX, true);
	assert_int_equal(fault(BLOCK - 1, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(fault(2 * BLOCK, HV_PROT_R), HV_ERR_NOT_FOUND);
	assert_int_equal(fault(UINT64_MAX, HV_PROT_R), HV_ERR_NOT_FOUND);
}

static void gmem_fault__not_what_the_region_allows__is_denied_and_maps_nothing(void **state)
{
	(void)state;
	add(BLOCK, BLOCK, BLOCK, RX, true);
	assert_int_equal(fault(BLOCK, HV_PROT_W), HV_ERR_DENIED);
	assert_int_equal(fault(BLOCK, HV_PROT_R | HV_PROT_W), HV_ERR_DENIED);
	assert_int_equal(level_at(BLOCK, 0), -1);
	assert_int_equal(fault(BLOCK, HV_PROT_X), HV_OK);
	assert_int_equal(level_at(BLOCK, BLOCK), 1);
}

static void gmem_fault__block_size__is_the_largest_that_fits_and_is_aligned_alike(void **state)
{
	(void)state;
	/* 4 KiB short of a block below, then whole blocks, then a tail. */
	add(BLOCK + 0x1000, 3 * BLOCK, 0x10000000 + 0x1000, RWX, true);
	assert_int_equal(fault(BLOCK + 0x1234, HV_PROT_R), HV_OK);
	assert_int_equal(level_at(BLOCK + 0x1fff, 0x10000000 + 0x1fff), 0);
	assert_int_equal(level_at(BLOCK + 0x2000, 0), -1);
	assert_int_equal(fault(2 * BLOCK + 5, HV_PROT_R), HV_OK);
	assert_int_equal(level_at(2 * BLOCK, 0x10000000 + BLOCK), 1);
	assert_int_equal(level_at(3 * BLOCK, 0), -1);
	assert_int_equal(fault(4 * BLOCK, HV_PROT_R), HV_OK);
	assert_int_equal(level_at(4 * BLOCK, 0x10000000 + 3 * BLOCK), 0);
	assert_int_equal(fault(4 * BLOCK + 0x1000, HV_PROT_R), HV_ERR_NOT_FOUND);
}

static void gmem_fault__host_memory_aligned_otherwise__takes_smaller_blocks(void **state)
{
	(void)state;
	add(HV_GIB(1), HV_GIB(1), HV_GIB(4) + BLOCK, RWX, true);
	add(HV_GIB(3), HV_GIB(1), HV_GIB(8) + 0x1000, RWX, true);
	add(HV_GIB(5), HV_GIB(2), HV_GIB(16), RWX, true);
	assert_int_equal(fault(HV_GIB(1), HV_PROT_R), HV_OK);
	assert_int_equal(level_at(HV_GIB(1), HV_GIB(4) + BLOCK), 1);
	assert_int_equal(fault(HV_GIB(3), HV_PROT_R), HV_OK);
	assert_int_equal(level_at(HV_GIB(3), HV_GIB(8) + 0x1000), 0);
	assert_int_equal(fault(HV_GIB(6) + 12345, HV_PROT_R), HV_OK);
	assert_int_equal(level_at(HV_GIB(6), HV_GIB(17)), 2);
	assert_int_equal(level_at(HV_GIB(5), 0), -1);
}

static void gmem_fault__part_of_the_block_is_mapped__takes_what_is_free(void **state)
{
	const struct hv_pt_map page = {.ia = GPA(3 * BLOCK + 0x5000),
		.pa = HPA(BLOCK + 0x5000),
		.size = HV_PAGE_SIZE,
		.prot = RWX};

	(void)state;
	add(3 * BLOCK, BLOCK, BLOCK, RWX, true);
	assert_int_equal(hv_pt_map(&pt, &page), HV_OK);
	assert_int_equal(fault(3 * BLOCK + 0x6000, HV_PROT_W), HV_OK);
	assert_int_equal(level_at(3 * BLOCK + 0x6000, BLOCK + 0x6000), 0);
	assert_int_equal(level_at(3 * BLOCK + 0x5000, BLOCK + 0x5000), 0);
	assert_int_equal(level_at(3 * BLOCK, 0), -1);
}

static void gmem_fault__mapped_meanwhile_by_another_vcpu__is_ok_and_changes_nothing(void **state)
{
	uint32_t tables;

	(void)state;
	add(BLOCK, BLOCK, BLOCK, RWX, true);
	assert_int_equal(fault(BLOCK, HV_PROT_R), HV_OK);
	tables = pt.table_count;
	assert_int_equal(fault(BLOCK, HV_PROT_W), HV_OK);
	assert_int_equal(fault(BLOCK + 0x1000, HV_PROT_X), HV_OK);
	assert_int_equal(pt.table_count, tables);
}

static void gmem_fault__mapping_was_narrowed__is_denied_for_what_was_taken_away(void **state)
{
	(void)state;
	add(BLOCK, BLOCK, BLOCK, RWX, true);
	assert_int_equal(fault(BLOCK, HV_PROT_R), HV_OK);
	assert_int_equal(hv_pt_protect(&pt, GPA(BLOCK), HV_PAGE_SIZE, HV_PROT_R), HV_OK);
	assert_int_equal(fault(BLOCK, HV_PROT_W), HV_ERR_DENIED);
	assert_int_equal(fault(BLOCK, HV_PROT_X), HV_ERR_DENIED);
	assert_int_equal(fault(BLOCK, HV_PROT_R), HV_OK);
	assert_int_equal(fault(BLOCK + HV_PAGE_SIZE, HV_PROT_W), HV_OK);
}

static void gmem_fault__pool_of_every_size__maps_or_leaves_all_as_before(void **state)
{
	bool fits = false;

	(void)state;
	for (uint32_t left = 0; left <= 4 && !fits; left++) {
		enum hv_status status;
		uint32_t tables;
		hpa_t page;

		again();
		add(0x1000, 0x1000, 0x1000, RWX, true);
		while (pool.free_count > left) {
			assert_int_equal(hv_pages_take(&pool, 1, &page), HV_OK);
		}
		tables = pt.table_count;
		status = fault(0x1000, HV_PROT_R);
		fits = status == HV_OK;
		if (!fits) {
			assert_int_equal(status, HV_ERR_NO_MEMORY);
			assert_int_equal(pool.free_count, left);
			assert_int_equal(pt.table_count, tables);
		}
	}
	assert_true(fits);
}

static enum hv_status status[2];

static void setup_lazy(void *ctx)
{
	(void)ctx;
	again();
	add(BLOCK, BLOCK, BLOCK, RWX, true);
}

static void fault_by_0(void *ctx)
{
	(void)ctx;
	status[0] = fault(BLOCK, HV_PROT_R);
}

static void fault_by_1(void *ctx)
{
	(void)ctx;
	status[1] = fault(BLOCK + 0x1000, HV_PROT_W);
}

static void check_both_resume(void *ctx)
{
	(void)ctx;
	assert_int_equal(status[0], HV_OK);
	assert_int_equal(status[1], HV_OK);
	assert_int_equal(level_at(BLOCK, BLOCK), 1);
}

static void gmem_fault__two_vcpus_at_once__both_resume(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){
		.setup = setup_lazy, .cpu = {fault_by_0, fault_by_1}, .check = check_both_resume});
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(gmem_map__eager_and_lazy__maps_only_the_eager_with_their_permissions),
		test_on(p3_gmem_map__region_in_the_page_pool__is_denied_lazy_or_not),
		test_on(gmem_map__beyond_the_guests_address_space__is_out_of_range),
		test_on(gmem_map__pool_exhausted__leaves_the_table_for_destroy),
		test_on(gmem_fault__region_beyond_the_guests_address_space__maps_nothing),
		test_on(gmem_fault__outside_every_region__is_not_found),
		test_on(gmem_fault__not_what_the_region_allows__is_denied_and_maps_nothing),
		test_on(gmem_fault__block_size__is_the_largest_that_fits_and_is_aligned_alike),
		test_on(gmem_fault__host_memory_aligned_otherwise__takes_smaller_blocks),
		test_on(gmem_fault__part_of_the_block_is_mapped__takes_what_is_free),
		test_on(gmem_fault__mapped_meanwhile_by_another_vcpu__is_ok_and_changes_nothing),
		test_on(gmem_fault__mapping_was_narrowed__is_denied_for_what_was_taken_away),
		test_on(gmem_fault__pool_of_every_size__maps_or_leaves_all_as_before),
		test_on(gmem_fault__two_vcpus_at_once__both_resume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
