/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <hv/arena.h>
#include <hv/bits.h>

#define PAGES 16u
#define BASE  0x7000u /* aligned to one page only */

static _Alignas(4096) uint8_t memory[PAGES * 4096];
static struct hv_pages pool;

static void make(uint32_t count)
{
	memset(memory, 0xa5, sizeof(memory));
	hv_pages_init(&pool, memory, HPA(BASE), count);
}

static hpa_t take(uint32_t count)
{
	hpa_t page = HPA(0);

	assert_int_equal(hv_pages_take(&pool, count, &page), HV_OK);
	return page;
}

static void pages_init__fresh_pool__every_page_is_free(void **state)
{
	(void)state;
	make(PAGES);
	assert_int_equal(pool.page_count, PAGES);
	assert_int_equal(pool.free_count, PAGES);
	assert_int_equal(pool.lock.rank, HV_LOCK_POOL);
}

static void pages_take__each_once__zeroed_in_the_pool_and_distinct(void **state)
{
	static const uint8_t zero[4096];
	bool seen[PAGES] = {false};
	hpa_t page;

	(void)state;
	make(PAGES);
	for (unsigned i = 0; i < PAGES; i++) {
		unsigned n;

		page = take(1);
		assert_int_equal(page.v % HV_PAGE_SIZE, 0);
		assert_in_range(page.v, BASE, BASE + (PAGES - 1) * HV_PAGE_SIZE);
		n = (unsigned)((page.v - BASE) / HV_PAGE_SIZE);
		assert_false(seen[n]);
		seen[n] = true;
		assert_memory_equal(hv_pages_ptr(&pool, page), zero, 4096);
		memset(hv_pages_ptr(&pool, page), 0xff, 4096);
	}
	assert_int_equal(pool.free_count, 0);
	page = HPA(42);
	assert_int_equal(hv_pages_take(&pool, 1, &page), HV_ERR_NO_MEMORY);
	assert_int_equal(page.v, 42);
	assert_int_equal(pool.free_count, 0);
}

static void p9_pages_give__full_of_bytes__comes_back_zeroed(void **state)
{
	static const uint8_t zero[4096];
	hpa_t page;

	(void)state;
	make(1);
	page = take(1);
	memset(hv_pages_ptr(&pool, page), 0xff, 4096);
	hv_pages_give(&pool, 1, page);
	assert_int_equal(pool.free_count, 1);
	assert_int_equal(take(1).v, page.v);
	assert_memory_equal(hv_pages_ptr(&pool, page), zero, 4096);
}

static void pages_take__empty_pool__no_memory(void **state)
{
	hpa_t page;

	(void)state;
	make(0);
	assert_int_equal(hv_pages_take(&pool, 1, &page), HV_ERR_NO_MEMORY);
	assert_int_equal(hv_pages_take(&pool, 2, &page), HV_ERR_NO_MEMORY);
	assert_null(hv_pages_ptr(&pool, HPA(BASE)));
}

static void pages_take__runs__are_contiguous_and_aligned_as_the_cpu_sees_them(void **state)
{
	hpa_t run;

	(void)state;
	make(PAGES);
	/* The pool begins at page 7, so the first aligned four are pages 8 to 11. */
	run = take(4);
	assert_int_equal(run.v, 0x8000);
	assert_ptr_equal(hv_pages_ptr(&pool, run), memory + 4096);
	assert_int_equal(pool.free_count, PAGES - 4);
	assert_int_equal(take(2).v, 0xc000);
	assert_int_equal(take(4).v, 0x10000);
	hv_pages_give(&pool, 4, run);
	assert_int_equal(take(4).v, 0x8000);
}

static void pages_take__run_with_one_page_missing__is_passed_over(void **state)
{
	hpa_t page[PAGES];

	(void)state;
	make(PAGES);
	for (unsigned i = 0; i < PAGES; i++) {
		page[i] = take(1);
	}
	/* Pages 8..11 but one; then 16..19 whole. */
	for (unsigned i = 0; i < PAGES; i++) {
		if ((page[i].v >= 0x8000 && page[i].v < 0xc000 && page[i].v != 0xa000) ||
			(page[i].v >= 0x10000 && page[i].v < 0x14000)) {
			hv_pages_give(&pool, 1, page[i]);
		}
	}
	assert_int_equal(take(4).v, 0x10000);
	assert_int_equal(pool.free_count, 3);
	assert_int_equal(take(2).v, 0x8000);
	assert_int_equal(take(1).v, 0xb000);
}

static void pages_take__run_at_the_very_end__is_found(void **state)
{
	(void)state;
	make(13); /* pages 7 to 19 */
	assert_int_equal(take(4).v, 0x8000);
	assert_int_equal(take(4).v, 0xc000);
	assert_int_equal(take(4).v, 0x10000);
	assert_int_equal(pool.free_count, 1);
}

static void pages_take__run_that_does_not_exist__no_memory_and_nothing_changed(void **state)
{
	hpa_t run = HPA(42);

	(void)state;
	make(PAGES);
	/* Pages 7 to 22 hold no aligned 16. */
	assert_int_equal(hv_pages_take(&pool, 16, &run), HV_ERR_NO_MEMORY);
	assert_int_equal(hv_pages_take(&pool, 32, &run), HV_ERR_NO_MEMORY);
	assert_int_equal(hv_pages_take(&pool, 1u << 31, &run), HV_ERR_NO_MEMORY);
	assert_int_equal(run.v, 42);
	assert_int_equal(pool.free_count, PAGES);
	/* The last aligned four, 16 to 19; and 20 to 23 would reach one page too far. */
	assert_int_equal(take(4).v, 0x8000);
	assert_int_equal(take(4).v, 0xc000);
	assert_int_equal(take(4).v, 0x10000);
	assert_int_equal(hv_pages_take(&pool, 4, &run), HV_ERR_NO_MEMORY);
	assert_int_equal(pool.free_count, 4);
}

static void p3_ptr__inside_outside_and_unaligned__only_pages_of_the_pool(void **state)
{
	const uint64_t end = BASE + PAGES * HV_PAGE_SIZE;

	(void)state;
	make(PAGES);
	assert_ptr_equal(hv_pages_ptr(&pool, HPA(BASE)), memory);
	assert_ptr_equal(hv_pages_ptr(&pool, HPA(end - 4096)), memory + (PAGES - 1) * 4096);
	assert_null(hv_pages_ptr(&pool, HPA(BASE - 4096)));
	assert_null(hv_pages_ptr(&pool, HPA(end)));
	assert_null(hv_pages_ptr(&pool, HPA(BASE + 1)));
	assert_null(hv_pages_ptr(&pool, HPA(BASE + 4095)));
	assert_null(hv_pages_ptr(&pool, HPA(0)));
	assert_null(hv_pages_ptr(&pool, HPA(~(uint64_t)0)));
	assert_null(hv_pages_ptr(&pool, HPA(~(uint64_t)4095)));
}

/* Random takes and gives against a plain array of owners. */
static void p5_random__takes_and_gives__as_the_model_says(void **state)
{
	uint8_t owner[PAGES] = {0}; /* 0 free, else the size of the run */
	uint64_t seed = 1;

	(void)state;
	make(PAGES);
	for (unsigned step = 0; step < 4000; step++) {
		uint32_t count, free = 0;
		hpa_t run;
		unsigned n;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		count = 1u << (seed >> 33) % 4;
		n = (unsigned)(seed >> 40) % PAGES;
		if (seed >> 63 && owner[n] != 0) {
			/* owner[] holds the run's size at its first page, 0xff behind it */
			while (owner[n] == 0xff) {
				n--;
			}
			count = owner[n];
			hv_pages_give(&pool, count, HPA(BASE + n * HV_PAGE_SIZE));
			memset(&owner[n], 0, count);
		} else if (hv_pages_take(&pool, count, &run) == HV_OK) {
			n = (unsigned)((run.v - BASE) / HV_PAGE_SIZE);
			assert_int_equal(run.v % (count * HV_PAGE_SIZE), 0);
			for (unsigned i = 0; i < count; i++) {
				assert_int_equal(owner[n + i], 0);
				owner[n + i] = i == 0 ? (uint8_t)count : 0xff;
			}
			memset(hv_pages_ptr(&pool, run), (int)step, count * 4096);
		} else {
			/* None of the aligned runs may be free. */
			for (n = 0; n + count <= PAGES; n++) {
				static const uint8_t none[8];

				assert_false((n + 7) % count == 0 &&
					     memcmp(&owner[n], none, count) == 0);
			}
		}
		for (n = 0; n < PAGES; n++) {
			free += owner[n] == 0;
		}
		assert_int_equal(pool.free_count, free);
	}
}

/* ---- our own bugs; the coverage build folds these checks away ---- */

static bool give_panics(uint32_t count, hpa_t page)
{
	jmp_buf here;

	fake_port.panic_why = NULL;
	fake_port.panic_to = &here;
	if (setjmp(here) == 0) {
		hv_pages_give(&pool, count, page);
	} else if (pool.lock.word) {
		port_unlock(&pool.lock);
	}
	fake_port.panic_to = NULL;
	return fake_port.panic_why != NULL;
}

static void give__twice__panics(void **state)
{
	hpa_t a, b;

	(void)state;
#ifdef HV_COVERAGE
	skip();
#endif
	make(PAGES);
	a = take(1);
	b = take(1);
	assert_false(give_panics(1, a));
	assert_true(give_panics(1, a));
	/* Also where it is not the list's head any more. */
	assert_false(give_panics(1, b));
	assert_true(give_panics(1, a));
	assert_true(give_panics(1, b));
	assert_int_equal(pool.free_count, PAGES);
}

static void give__a_page_that_looks_free__is_taken_back(void **state)
{
	uint8_t copy[16];
	hpa_t a, b;

	(void)state;
	make(PAGES);
	a = take(1);
	b = take(1);
	hv_pages_give(&pool, 1, a);
	/* The bytes of a free page in one that is not: its neighbour does not point back. */
	memcpy(copy, hv_pages_ptr(&pool, a), sizeof(copy));
	memcpy(hv_pages_ptr(&pool, b), copy, sizeof(copy));
	assert_false(give_panics(1, b));
	assert_int_equal(pool.free_count, PAGES);
	/* The same with a neighbour in the pool, which does not point back either. */
	b = take(1);
	memset(copy + 12, 5, 1);
	memset(copy + 13, 0, 3);
	memcpy(hv_pages_ptr(&pool, b), copy, sizeof(copy));
	assert_false(give_panics(1, b));
	assert_int_equal(pool.free_count, PAGES);
	/* The same with a neighbour that no pool has: the second half of the node. */
	b = take(1);
	memset(copy + 8, 0xff, 8);
	memcpy(hv_pages_ptr(&pool, b), copy, sizeof(copy));
	assert_false(give_panics(1, b));
	assert_int_equal(pool.free_count, PAGES);
}

/* The signs of a free page in one that is in use: neither a run nor a give is deceived. */
static void pages_take__a_page_that_looks_free__is_in_no_run(void **state)
{
	uint8_t node[16];
	hpa_t a, b;

	(void)state;
	make(3); /* pages 7, 8 and 9: one aligned pair */
	a = take(1);
	memcpy(node, hv_pages_ptr(&pool, HPA(0x8000)), sizeof(node));
	b = take(1);
	assert_int_equal(b.v, 0x8000);
	memset(node + 12, 0xff, 4); /* a neighbour that no pool has */
	memcpy(hv_pages_ptr(&pool, b), node, sizeof(node));
	assert_int_equal(hv_pages_take(&pool, 2, &a), HV_ERR_NO_MEMORY);
	memset(node + 12, 0, 4); /* page 0, which is in use */
	memcpy(hv_pages_ptr(&pool, b), node, sizeof(node));
	assert_int_equal(hv_pages_take(&pool, 2, &a), HV_ERR_NO_MEMORY);
	hv_pages_give(&pool, 1, b);
	assert_int_equal(take(2).v, 0x8000);
}

static void give__not_of_the_pool_or_unaligned__panics(void **state)
{
	(void)state;
#ifdef HV_COVERAGE
	skip();
#endif
	make(PAGES);
	take(1);
	assert_true(give_panics(1, HPA(BASE - 4096)));
	assert_true(give_panics(1, HPA(BASE + PAGES * HV_PAGE_SIZE)));
	assert_true(give_panics(2, HPA(BASE + (PAGES - 1) * HV_PAGE_SIZE)));
	assert_true(give_panics(1, HPA(BASE + 8)));
	assert_int_equal(pool.free_count, PAGES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(pages_init__fresh_pool__every_page_is_free),
		hv_unit_test(pages_take__each_once__zeroed_in_the_pool_and_distinct),
		hv_unit_test(p9_pages_give__full_of_bytes__comes_back_zeroed),
		hv_unit_test(pages_take__empty_pool__no_memory),
		hv_unit_test(pages_take__runs__are_contiguous_and_aligned_as_the_cpu_sees_them),
		hv_unit_test(pages_take__run_with_one_page_missing__is_passed_over),
		hv_unit_test(pages_take__run_at_the_very_end__is_found),
		hv_unit_test(pages_take__run_that_does_not_exist__no_memory_and_nothing_changed),
		hv_unit_test(p3_ptr__inside_outside_and_unaligned__only_pages_of_the_pool),
		hv_unit_test(p5_random__takes_and_gives__as_the_model_says),
		hv_unit_test(pages_take__a_page_that_looks_free__is_in_no_run),
		hv_unit_test(give__twice__panics),
		hv_unit_test(give__a_page_that_looks_free__is_taken_back),
		hv_unit_test(give__not_of_the_pool_or_unaligned__panics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
