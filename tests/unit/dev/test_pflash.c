/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pflash/pflash.h>

#define SIZE 0x2000u

static struct pflash flash;

static int flash_setup(void **state)
{
	pflash_init(&flash, SIZE);
	pflash_ops.reset(&flash);
	return unit_setup(state);
}

#define flash_test(name) cmocka_unit_test_setup_teardown(name, flash_setup, unit_teardown)

static bool access(uint64_t off, uint8_t size, bool write, uint64_t *data)
{
	struct hv_access access = {.off = off, .data = *data, .size = size, .write = write};
	bool answered = pflash_ops.access(&flash, &access);

	*data = access.data;
	return answered;
}

static void pflash_read__past_the_image__is_erased(void **state)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t data = 0xdeadbeef;

		assert_true(access(SIZE, sizes[i], false, &data));
		assert_true(data == UINT64_MAX >> (64 - 8 * sizes[i]));
		assert_true(access(0x4000000u - sizes[i], sizes[i], false, &data));
		assert_true(data == UINT64_MAX >> (64 - 8 * sizes[i]));
	}
}

static void pflash_read__inside_the_image__is_left_to_the_memory_map(void **state)
{
	uint64_t data = 0xdeadbeef;

	(void)state;
	assert_false(access(0, 4, false, &data));
	assert_false(access(SIZE - 1, 1, false, &data));
	assert_true(data == 0xdeadbeef);
}

static void pflash_write__cfi_query_command__is_dropped(void **state)
{
	uint64_t query = 0x00980098;

	(void)state;
	assert_true(access(0x55, 1, true, &query));
	assert_true(access(0x154, 4, true, &query));
	assert_true(access(SIZE, 8, true, &query));
	assert_int_equal(flash.size, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		flash_test(pflash_read__past_the_image__is_erased),
		flash_test(pflash_read__inside_the_image__is_left_to_the_memory_map),
		flash_test(pflash_write__cfi_query_command__is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
