/* SPDX-License-Identifier: MIT */
/* The clock alone: what a deadline means in blocks, and in the host's time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <uc_clock.h>

static struct sim_clock time_of_guest;

/* As the hook does at the start of each block. */
static bool block(void)
{
	return sim_clock_block(&time_of_guest) && sim_clock_look(&time_of_guest);
}

static unsigned blocks_until_due(unsigned most)
{
	unsigned count = 1;

	while (!block() && count < most) {
		count++;
	}
	return count;
}

static void block_clock__counts_blocks_and_ticks(void **state)
{
	(void)state;
	sim_clock_start(&time_of_guest, true);
	assert_int_equal(sim_clock_now(&time_of_guest), 0);
	sim_clock_arm(&time_of_guest, UINT64_MAX);
	for (unsigned i = 0; i < 1000; i++) {
		assert_false(block());
	}
	assert_int_equal(sim_clock_blocks(&time_of_guest), 1000);
	assert_int_equal(sim_clock_now(&time_of_guest), 1000 * SIM_BLOCK_NS);
	assert_int_equal(sim_clock_count(&time_of_guest), 1000 * SIM_BLOCK_NS / SIM_TICK_NS);
}

static void block_clock__deadline__is_due_at_the_first_block_not_before_it(void **state)
{
	(void)state;
	for (uint64_t ns = 2 * SIM_BLOCK_NS; ns < 6 * SIM_BLOCK_NS; ns++) {
		sim_clock_start(&time_of_guest, true);
		sim_clock_arm(&time_of_guest, ns);
		assert_int_equal(blocks_until_due(100), (ns + SIM_BLOCK_NS - 1) / SIM_BLOCK_NS);
	}
}

/* The first block is announced, and has not run: stopping there would get nowhere. */
static void any_clock__deadline_has_passed__one_block_runs_nevertheless(void **state)
{
	(void)state;
	for (int deterministic = 0; deterministic < 2; deterministic++) {
		sim_clock_start(&time_of_guest, deterministic);
		sim_clock_arm(&time_of_guest, 0);
		assert_false(block());
	}
}

/* Where no block ever runs, because each exception is the cause of the next, time passes all the
 * same. */
static void block_clock__only_exceptions__time_passes_and_the_deadline_comes(void **state)
{
	static int looker;

	(void)state;
	for (int every = 0; every < 2; every++) {
		unsigned count = 1;

		sim_clock_start(&time_of_guest, true);
		sim_clock_arm(&time_of_guest, 5 * SIM_BLOCK_NS);
		sim_clock_every_block(&time_of_guest, every ? &looker : NULL);
		while (!sim_clock_exception(&time_of_guest) && count < 100) {
			count++;
		}
		assert_int_equal(count, 5);
		assert_int_equal(sim_clock_now(&time_of_guest), 5 * SIM_BLOCK_NS);
	}
}

static void block_clock__skip__moves_forward_only(void **state)
{
	(void)state;
	sim_clock_start(&time_of_guest, true);
	sim_clock_skip(&time_of_guest, 5000);
	assert_int_equal(sim_clock_now(&time_of_guest), 5000);
	sim_clock_skip(&time_of_guest, 4000);
	assert_int_equal(sim_clock_now(&time_of_guest), 5000);
}

static void host_clock__follows_the_host(void **state)
{
	uint64_t before, now;

	(void)state;
	sim_clock_start(&time_of_guest, false);
	before = sim_host_now();
	while (sim_host_now() - before < 2000000) {
	}
	now = sim_clock_now(&time_of_guest);
	assert_true(now >= 2000000);
	assert_true(sim_clock_count(&time_of_guest) >= now / SIM_TICK_NS);
}

static void host_clock__deadline_passes__due_at_the_next_look(void **state)
{
	uint64_t deadline;

	(void)state;
	sim_clock_start(&time_of_guest, false);
	deadline = sim_clock_now(&time_of_guest) + 1000000;
	sim_clock_arm(&time_of_guest, deadline);
	while (!block()) {
	}
	assert_true(sim_clock_now(&time_of_guest) >= deadline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_clock__counts_blocks_and_ticks),
		cmocka_unit_test(block_clock__deadline__is_due_at_the_first_block_not_before_it),
		cmocka_unit_test(any_clock__deadline_has_passed__one_block_runs_nevertheless),
		cmocka_unit_test(block_clock__only_exceptions__time_passes_and_the_deadline_comes),
		cmocka_unit_test(block_clock__skip__moves_forward_only),
		cmocka_unit_test(host_clock__follows_the_host),
		cmocka_unit_test(host_clock__deadline_passes__due_at_the_next_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
