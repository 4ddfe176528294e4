/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <hv/arena.h>

static _Alignas(64) uint8_t memory[256];

static void arena_take__fits__is_aligned_and_zeroed(void **state)
{
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};
	uint8_t *a, *b;

	(void)state;
	memset(memory, 0xa5, sizeof(memory));
	a = hv_arena_take(&arena, 3, 1);
	b = hv_arena_take(&arena, 16, 64);
	assert_ptr_equal(a, memory);
	assert_ptr_equal(b, memory + 64);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(b[i], 0);
	}
	assert_int_equal(memory[3], 0xa5);
}

static void arena_take__exactly_full_then_one_more__is_refused(void **state)
{
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};

	(void)state;
	assert_non_null(hv_arena_take(&arena, sizeof(memory), 1));
	assert_null(hv_arena_take(&arena, 1, 1));
	assert_int_equal(arena.used, sizeof(memory));
}

static void arena_take__padding_alone_does_not_fit__is_refused_and_nothing_is_used(void **state)
{
	struct hv_arena arena = {.base = memory, .size = 65};

	(void)state;
	assert_non_null(hv_arena_take(&arena, 65, 1));
	arena.used = 65;
	assert_null(hv_arena_take(&arena, 0, 64));
	assert_int_equal(arena.used, 65);
}

static void arena_take__size_wraps__is_refused(void **state)
{
	struct hv_arena arena = {.base = memory, .size = sizeof(memory)};

	(void)state;
	assert_null(hv_arena_take(&arena, SIZE_MAX, 8));
	assert_int_equal(arena.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(arena_take__fits__is_aligned_and_zeroed),
		hv_unit_test(arena_take__exactly_full_then_one_more__is_refused),
		hv_unit_test(
			arena_take__padding_alone_does_not_fit__is_refused_and_nothing_is_used),
		hv_unit_test(arena_take__size_wraps__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
