/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <hv/gmem.h>

#define PAGE HV_PAGE_SIZE

enum { RO = HV_PROT_R, RX = HV_PROT_R | HV_PROT_X, RW = HV_PROT_R | HV_PROT_W };

static struct hv_gmem gmem;
/* Exact-size buffers of the heap, so that a sanitizer sees a byte too many. */
static uint8_t *host[3];

static enum hv_status add(uint64_t gpa, uint64_t size, uint64_t hpa, uint8_t *to, uint8_t prot)
{
	const struct hv_gmem_region region = {
		.gpa = GPA(gpa), .size = size, .hpa = HPA(hpa), .host = to, .prot = prot};

	return hv_gmem_add(&gmem, &region);
}

/*
 * Guest pages 0x10, 0x11: RW; 0x12: RW in another place of the host; 0x13: R|X. Hole. 0x20: no
 * more.
 */
static int setup(void **state)
{
	unit_setup(state);
	memset(&gmem, 0, sizeof(gmem));
	host[0] = calloc(2, PAGE);
	host[1] = calloc(1, PAGE);
	host[2] = calloc(1, PAGE);
	return add(0x12000, PAGE, 0x70000, host[1], RW) ||
	       add(0x13000, PAGE, 0x90000, host[2], RX) ||
	       add(0x10000, 2 * PAGE, 0x80000, host[0], RW);
}

static int teardown(void **state)
{
	for (int i = 0; i < 3; i++) {
		free(host[i]);
	}
	return unit_teardown(state);
}

static void gmem_add__any_order__is_sorted(void **state)
{
	(void)state;
	assert_int_equal(gmem.count, 3);
	assert_int_equal(gmem.region[0].gpa.v, 0x10000);
	assert_int_equal(gmem.region[1].gpa.v, 0x12000);
	assert_int_equal(gmem.region[2].gpa.v, 0x13000);
}

static void gmem_add__malformed__is_invalid(void **state)
{
	struct hv_gmem before = gmem;
	uint8_t *at = host[0];

	(void)state;
	assert_int_equal(add(0x40000, 0, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40001, PAGE, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40800, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE - 1, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE + 1, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(-PAGE, PAGE, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, -PAGE, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, -PAGE, 0x40000, at, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40000, NULL, RW), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40000, at, 0), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40000, at, HV_PROT_W), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40000, at, HV_PROT_X), HV_ERR_INVALID);
	assert_int_equal(add(0x40000, PAGE, 0x40000, at, 8 | RW), HV_ERR_INVALID);
	assert_memory_equal(&gmem, &before, sizeof(gmem));
	assert_int_equal(add(-2 * PAGE, PAGE, -2 * PAGE, at, RO), HV_OK);
}

static void gmem_add__guest_or_host_addresses_shared__overlaps(void **state)
{
	struct hv_gmem before = gmem;

	(void)state;
	assert_int_equal(add(0xf000, 2 * PAGE, 0xa0000, host[0], RW), HV_ERR_OVERLAP);
	assert_int_equal(add(0x13000, PAGE, 0xa0000, host[0], RW), HV_ERR_OVERLAP);
	assert_int_equal(add(0, 0x100000, 0xa00000, host[0], RW), HV_ERR_OVERLAP);
	assert_int_equal(add(0x40000, PAGE, 0x81000, host[0], RW), HV_ERR_OVERLAP);
	assert_int_equal(add(0x40000, 2 * PAGE, 0x6f000, host[0], RW), HV_ERR_OVERLAP);
	assert_memory_equal(&gmem, &before, sizeof(gmem));
	assert_int_equal(add(0x40000, PAGE, 0x6f000, host[0], RW), HV_OK);
	assert_int_equal(add(0xf000, PAGE, 0x82000, host[0], RW), HV_OK);
}

static void gmem_add__table_full__is_refused(void **state)
{
	struct hv_gmem before;

	(void)state;
	for (uint64_t i = gmem.count; i < HV_GMEM_REGIONS; i++) {
		assert_int_equal(
			add(0x100000 - 2 * i * PAGE, PAGE, 0x100000 + i * PAGE, host[0], RW),
			HV_OK);
	}
	before = gmem;
	assert_int_equal(add(0x200000, PAGE, 0x200000, host[0], RW), HV_ERR_FULL);
	assert_memory_equal(&gmem, &before, sizeof(gmem));
}

static void gmem_find__borders(void **state)
{
	(void)state;
	assert_null(hv_gmem_find(&gmem, GPA(0xffff)));
	assert_ptr_equal(hv_gmem_find(&gmem, GPA(0x10000)), &gmem.region[0]);
	assert_ptr_equal(hv_gmem_find(&gmem, GPA(0x11fff)), &gmem.region[0]);
	assert_ptr_equal(hv_gmem_find(&gmem, GPA(0x12000)), &gmem.region[1]);
	assert_ptr_equal(hv_gmem_find(&gmem, GPA(0x13fff)), &gmem.region[2]);
	assert_null(hv_gmem_find(&gmem, GPA(0x14000)));
	assert_null(hv_gmem_find(&gmem, GPA(UINT64_MAX)));
}

static void gmem_has__ranges_over_borders_holes_and_the_wrap(void **state)
{
	(void)state;
	assert_true(hv_gmem_has(&gmem, GPA(0x10000), 0x4000, HV_PROT_R));
	assert_false(hv_gmem_has(&gmem, GPA(0x10000), 0x4001, HV_PROT_R));
	assert_false(hv_gmem_has(&gmem, GPA(0xffff), 2, HV_PROT_R));
	assert_true(hv_gmem_has(&gmem, GPA(0x10000), 0x3000, HV_PROT_W));
	assert_false(hv_gmem_has(&gmem, GPA(0x10000), 0x3001, HV_PROT_W));
	assert_true(hv_gmem_has(&gmem, GPA(0x13fff), 1, HV_PROT_R | HV_PROT_X));
	assert_false(hv_gmem_has(&gmem, GPA(0x12fff), 2, HV_PROT_X));
	assert_false(hv_gmem_has(&gmem, GPA(0x10000), UINT64_MAX, HV_PROT_R));
	assert_false(hv_gmem_has(&gmem, GPA(0x13000), UINT64_MAX - 0x13000 + 2, HV_PROT_R));
	assert_false(hv_gmem_has(&gmem, GPA(UINT64_MAX), 1, HV_PROT_R));
	assert_true(hv_gmem_has(&gmem, GPA(UINT64_MAX), 0, HV_PROT_R));
}

static void gmem_copy__over_three_regions__arrives_in_order_and_comes_back(void **state)
{
	const uint64_t at = 0x11ffd, size = PAGE + 6;
	uint8_t *out = malloc(size), *back = malloc(size);

	(void)state;
	memcpy(host[2], "xyz", 3);
	for (uint64_t i = 0; i < size; i++) {
		out[i] = (uint8_t)(i * 5 + 1);
	}
	assert_int_equal(hv_gmem_copy_out(&gmem, GPA(at), out, PAGE + 3), HV_OK);
	assert_memory_equal(host[0] + 0x1ffd, out, 3);
	assert_memory_equal(host[1], out + 3, PAGE);
	assert_int_equal(host[0][0x1ffc], 0);
	assert_memory_equal(host[2], "xyz", 3);
	assert_int_equal(hv_gmem_copy_in(&gmem, back, GPA(at), size), HV_OK);
	assert_memory_equal(back, out, PAGE + 3);
	assert_memory_equal(back + PAGE + 3, "xyz", 3);
	free(out);
	free(back);
}

static void gmem_fill__over_a_border__fills_exactly(void **state)
{
	(void)state;
	assert_int_equal(hv_gmem_fill(&gmem, GPA(0x11ffe), 0xee, 4), HV_OK);
	assert_int_equal(host[0][0x1ffd], 0);
	assert_int_equal(host[0][0x1ffe], 0xee);
	assert_int_equal(host[0][0x1fff], 0xee);
	assert_int_equal(host[1][0], 0xee);
	assert_int_equal(host[1][1], 0xee);
	assert_int_equal(host[1][2], 0);
}

static void gmem_copy__size_0__touches_nothing_anywhere(void **state)
{
	(void)state;
	assert_int_equal(hv_gmem_copy_in(&gmem, NULL, GPA(0), 0), HV_OK);
	assert_int_equal(hv_gmem_copy_out(&gmem, GPA(UINT64_MAX), NULL, 0), HV_OK);
	assert_int_equal(hv_gmem_fill(&gmem, GPA(0x14000), 1, 0), HV_OK);
}

static void gmem_copy_out__read_only_memory__is_refused_even_at_the_last_byte(void **state)
{
	uint8_t bytes[PAGE + 1];

	(void)state;
	memset(bytes, 0x77, sizeof(bytes));
	assert_int_equal(hv_gmem_copy_out(&gmem, GPA(0x13000), bytes, 1), HV_ERR_RANGE);
	assert_int_equal(hv_gmem_copy_out(&gmem, GPA(0x12000), bytes, PAGE + 1), HV_ERR_RANGE);
	assert_int_equal(hv_gmem_fill(&gmem, GPA(0x12000), 0x77, PAGE + 1), HV_ERR_RANGE);
	for (unsigned i = 0; i < PAGE; i++) {
		assert_int_equal(host[1][i], 0);
	}
	assert_int_equal(host[2][0], 0);
}

/* H8: NULL, unaligned, last byte, wrapping, into a hole or a device, all for a pointer argument. */
static void h8_gmem_copy__hostile_pointer_arguments__fail_closed_with_no_partial_output(
	void **state)
{
	static const struct {
		uint64_t at, size;
		enum hv_status in, out;
	} cases[] = {
		{0, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x10001, 8, HV_OK, HV_OK},
		{0xfff8, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0xfff9, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x12ff8, 8, HV_OK, HV_OK},
		{0x12ff9, 8, HV_OK, HV_ERR_RANGE},
		{0x13ff8, 8, HV_OK, HV_ERR_RANGE},
		{0x13ff9, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x13fff, 1, HV_OK, HV_ERR_RANGE},
		{0x14000, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x80000, 8, HV_ERR_RANGE, HV_ERR_RANGE}, /* the region's host-physical address */
		{UINT64_MAX, 1, HV_ERR_RANGE, HV_ERR_RANGE},
		{UINT64_MAX - 3, 8, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x13fff, UINT64_MAX, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x10000, UINT64_MAX - 0xffff, HV_ERR_RANGE, HV_ERR_RANGE},
		{0x10000, (uint64_t)1 << 63, HV_ERR_RANGE, HV_ERR_RANGE},
	};
	const uint8_t ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[8];

		memset(bytes, 0xa5, sizeof(bytes));
		memset(host[1], 0, PAGE);
		assert_int_equal(hv_gmem_copy_in(&gmem, bytes, GPA(cases[i].at), cases[i].size),
			cases[i].in);
		if (cases[i].in != HV_OK) {
			assert_int_equal(bytes[0], 0xa5);
		}
		assert_int_equal(hv_gmem_copy_out(&gmem, GPA(cases[i].at), ones, cases[i].size),
			cases[i].out);
		if (cases[i].out != HV_OK) {
			assert_int_equal(host[1][PAGE - 1], 0);
			assert_int_equal(host[1][PAGE - 7], 0);
		}
	}
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(gmem_add__any_order__is_sorted),
		test_on(gmem_add__malformed__is_invalid),
		test_on(gmem_add__guest_or_host_addresses_shared__overlaps),
		test_on(gmem_add__table_full__is_refused),
		test_on(gmem_find__borders),
		test_on(gmem_has__ranges_over_borders_holes_and_the_wrap),
		test_on(gmem_copy__over_three_regions__arrives_in_order_and_comes_back),
		test_on(gmem_fill__over_a_border__fills_exactly),
		test_on(gmem_copy__size_0__touches_nothing_anywhere),
		test_on(gmem_copy_out__read_only_memory__is_refused_even_at_the_last_byte),
		test_on(h8_gmem_copy__hostile_pointer_arguments__fail_closed_with_no_partial_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
