/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pflash/pflash.h>

static const uint8_t image[10] = {'p', 'f', 'l', 'd', 5, 6, 7, 8, 9, 10};
static struct pflash flash;

static int flash_setup(void **state)
{
	pflash_init(&flash, image, sizeof(image));
	pflash_ops.reset(&flash);
	return unit_setup(state);
}

#define flash_test(name) cmocka_unit_test_setup_teardown(name, flash_setup, unit_teardown)

static uint64_t rd(uint64_t off, uint8_t size)
{
	struct hv_access access = {.off = off, .data = 0xdeadbeef, .size = size};

	assert_true(pflash_ops.access(&flash, &access));
	return access.data;
}

static void pflash_read__each_size__is_little_endian(void **state)
{
	(void)state;
	assert_int_equal(rd(0, 1), 'p');
	assert_int_equal(rd(0, 2), 0x6670);
	assert_int_equal(rd(0, 4), 0x646c6670);
	assert_true(rd(0, 8) == 0x08070605646c6670ull);
	assert_int_equal(rd(1, 4), 0x05646c66);
}

static void pflash_read__across_and_past_the_end__is_erased_there(void **state)
{
	(void)state;
	assert_int_equal(rd(9, 1), 10);
	assert_int_equal(rd(10, 1), 0xff);
	assert_int_equal(rd(8, 4), 0xffff0a09);
	assert_true(rd(0x3fffff8, 8) == UINT64_MAX);
}

static void pflash_write__cfi_query_command__still_reads_the_array(void **state)
{
	struct hv_access query = {.off = 0x55, .data = 0x98, .size = 1, .write = true};

	(void)state;
	assert_true(pflash_ops.access(&flash, &query));
	query = (struct hv_access){.off = 0x154, .data = 0x00980098, .size = 4, .write = true};
	assert_true(pflash_ops.access(&flash, &query));
	query = (struct hv_access){.off = 0, .data = 0, .size = 8, .write = true};
	assert_true(pflash_ops.access(&flash, &query));
	assert_int_equal(rd(0, 4), 0x646c6670);
	assert_int_equal(rd(0x40, 1), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		flash_test(pflash_read__each_size__is_little_endian),
		flash_test(pflash_read__across_and_past_the_end__is_erased_there),
		flash_test(pflash_write__cfi_query_command__still_reads_the_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
