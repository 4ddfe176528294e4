/* SPDX-License-Identifier: MIT */
/* Free physical memory as a set of ranges. */
#include <unit.h>

#include <common/ranges.h>

static struct ranges set;

static int empty(void **state)
{
	set = (struct ranges){0};
	return unit_setup(state);
}

static void add(uint64_t base, uint64_t size)
{
	assert_int_equal(ranges_add(&set, base, size), HV_OK);
}

static bool has(uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < set.count; i++) {
		if (set.range[i].base == base && set.range[i].size == size) {
			return true;
		}
	}
	return false;
}

static void ranges_add__wraps__refused(void **state)
{
	(void)state;
	assert_int_equal(ranges_add(&set, UINT64_MAX, 2), HV_ERR_INVALID);
	assert_int_equal(ranges_add(&set, 1, UINT64_MAX), HV_ERR_INVALID);
	assert_int_equal(set.count, 0);
}

static void ranges_add__empty__nothing(void **state)
{
	(void)state;
	add(0x1000, 0);
	assert_int_equal(set.count, 0);
}

static void ranges_add__full__refused(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < RANGES_MOST; i++) {
		add(i * 0x2000, 0x1000);
	}
	assert_int_equal(ranges_add(&set, 0x1000000, 1), HV_ERR_FULL);
	assert_int_equal(ranges_remove(&set, 0, 1), HV_ERR_FULL);
	assert_int_equal(set.count, RANGES_MOST);
}

static void ranges_remove__middle__two_left(void **state)
{
	(void)state;
	add(0x1000, 0x9000);
	assert_int_equal(ranges_remove(&set, 0x3000, 0x2000), HV_OK);
	assert_int_equal(set.count, 2);
	assert_true(has(0x1000, 0x2000));
	assert_true(has(0x5000, 0x5000));
}

static void ranges_remove__ends_and_beyond__rest_left(void **state)
{
	(void)state;
	add(0x1000, 0x9000);
	assert_int_equal(ranges_remove(&set, 0, 0x2000), HV_OK);
	assert_int_equal(ranges_remove(&set, 0x9000, 0x9000), HV_OK);
	assert_int_equal(set.count, 1);
	assert_true(has(0x2000, 0x7000));
}

static void ranges_remove__across_several__those_inside_gone(void **state)
{
	(void)state;
	add(0x1000, 0x1000);
	add(0x3000, 0x1000);
	add(0x5000, 0x1000);
	assert_int_equal(ranges_remove(&set, 0x1800, 0x3900), HV_OK);
	assert_int_equal(set.count, 2);
	assert_true(has(0x1000, 0x800));
	assert_true(has(0x5100, 0xf00));
}

static void ranges_remove__wraps__refused(void **state)
{
	(void)state;
	add(0x1000, 0x1000);
	assert_int_equal(ranges_remove(&set, 0x1000, UINT64_MAX), HV_ERR_INVALID);
	assert_true(has(0x1000, 0x1000));
}

static void ranges_take__alignment__lowest_that_fits(void **state)
{
	uint64_t base;

	(void)state;
	add(0x100000, 0x500000);
	add(0x1000, 0x10000);
	assert_int_equal(ranges_take(&set, 0x200000, 0x200000, &base), HV_OK);
	assert_int_equal(base, 0x200000);
	assert_int_equal(ranges_take(&set, 0x1000, 0x1000, &base), HV_OK);
	assert_int_equal(base, 0x1000);
	assert_true(has(0x100000, 0x100000));
	assert_true(has(0x400000, 0x200000));
}

static void ranges_take__exact_fit__nothing_left(void **state)
{
	uint64_t base;

	(void)state;
	add(0x2000, 0x2000);
	assert_int_equal(ranges_take(&set, 0x2000, 0x2000, &base), HV_OK);
	assert_int_equal(set.count, 0);
	assert_int_equal(ranges_take(&set, 1, 1, &base), HV_ERR_NO_MEMORY);
}

static void ranges_take__one_byte_too_large_or_misaligned__refused(void **state)
{
	uint64_t base = 7;

	(void)state;
	add(0x1000, 0x2000);
	assert_int_equal(ranges_take(&set, 0x2001, 1, &base), HV_ERR_NO_MEMORY);
	assert_int_equal(ranges_take(&set, 0x2000, 0x2000, &base), HV_ERR_NO_MEMORY);
	assert_int_equal(ranges_take(&set, 1, (uint64_t)1 << 63, &base), HV_ERR_NO_MEMORY);
	assert_int_equal(base, 7);
	assert_true(has(0x1000, 0x2000));
}

#define range_test(name) cmocka_unit_test_setup(name, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		range_test(ranges_add__wraps__refused),
		range_test(ranges_add__empty__nothing),
		range_test(ranges_add__full__refused),
		range_test(ranges_remove__middle__two_left),
		range_test(ranges_remove__ends_and_beyond__rest_left),
		range_test(ranges_remove__across_several__those_inside_gone),
		range_test(ranges_remove__wraps__refused),
		range_test(ranges_take__alignment__lowest_that_fits),
		range_test(ranges_take__exact_fit__nothing_left),
		range_test(ranges_take__one_byte_too_large_or_misaligned__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
