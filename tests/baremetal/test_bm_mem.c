/* SPDX-License-Identifier: MIT */
/* The four functions that the compiler may call, against the C library's. */
#include <unit.h>

void *bm_memcpy(void *to, const void *from, size_t size);
void *bm_memmove(void *to, const void *from, size_t size);
void *bm_memset(void *to, int byte, size_t size);
int bm_memcmp(const void *left, const void *right, size_t size);

#define MOST 200u /* three rounds of the widest loop, and a rest */
#define EDGE 16u
#define SIZE (MOST + 2 * EDGE)

static _Alignas(16) uint8_t got[SIZE], want[SIZE], from[SIZE];

static void fill(void)
{
	for (unsigned i = 0; i < SIZE; i++) {
		from[i] = (uint8_t)(i * 7 + 1);
		got[i] = want[i] = (uint8_t)~i;
	}
}

static void memcpy__every_size_and_offset__as_the_c_library(void **state)
{
	(void)state;
	for (unsigned size = 0; size <= MOST; size++) {
		for (unsigned n = 0; n < EDGE * EDGE; n++) {
			unsigned to = n % EDGE, at = n / EDGE;

			fill();
			assert_ptr_equal(bm_memcpy(got + to, from + at, size), got + to);
			memcpy(want + to, from + at, size);
			assert_memory_equal(got, want, SIZE);
		}
	}
}

static void memset__every_size_and_offset__as_the_c_library(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= MOST * EDGE; n++) {
		unsigned size = n / EDGE, to = n % EDGE;

		fill();
		assert_ptr_equal(bm_memset(got + to, 0x1a5, size), got + to);
		memset(want + to, 0xa5, size);
		assert_memory_equal(got, want, SIZE);
	}
}

static void memmove__overlaps_both_ways__as_the_c_library(void **state)
{
	(void)state;
	for (unsigned size = 0; size <= MOST; size++) {
		for (unsigned shift = 0; shift <= EDGE; shift++) {
			fill();
			assert_ptr_equal(bm_memmove(got + shift, got + 8, size), got + shift);
			memmove(want + shift, want + 8, size);
			assert_memory_equal(got, want, SIZE);
		}
	}
}

static void memcmp__differs_at_each_place__sign_and_zero(void **state)
{
	static const uint8_t a[4] = {1, 2, 3, 0x80};
	uint8_t b[4];

	(void)state;
	assert_int_equal(bm_memcmp(a, a, sizeof(a)), 0);
	assert_int_equal(bm_memcmp(a, "x", 0), 0);
	for (unsigned i = 0; i < sizeof(a); i++) {
		memcpy(b, a, sizeof(a));
		b[i]++;
		assert_true(bm_memcmp(a, b, sizeof(a)) < 0);
		assert_true(bm_memcmp(b, a, sizeof(a)) > 0);
		assert_int_equal(bm_memcmp(a, b, i), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(memcpy__every_size_and_offset__as_the_c_library),
		hv_unit_test(memset__every_size_and_offset__as_the_c_library),
		hv_unit_test(memmove__overlaps_both_ways__as_the_c_library),
		hv_unit_test(memcmp__differs_at_each_place__sign_and_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
