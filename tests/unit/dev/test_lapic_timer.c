/* SPDX-License-Identifier: MIT */
/* The timer of a local APIC. Time is fake_port.now. */
#include "lapic_kit.h"

#define VECTOR   0xeeu
#define TIMER(m) ((uint32_t)(m) << LAPIC_TIMER_SHIFT)
#define BY_1     0xbu /* the divider's code for 1 */

static uint64_t expire(void)
{
	return lapic_timer_expire(cpu(0), fake_port.now);
}

/* Whether it has fired since the last time this was asked. */
static bool fired(void)
{
	bool is = is_requested(0, VECTOR);

	atomic_store(&cpu(0)->irr[VECTOR / 64], 0);
	return is;
}

static void start(enum lapic_timer_mode mode, uint32_t divide, uint32_t initial)
{
	wr(0, LAPIC_LVT_TIMER, TIMER(mode) | VECTOR);
	wr(0, LAPIC_TIMER_DIVIDE, divide);
	wr(0, LAPIC_TIMER_INITIAL, initial);
}

static uint32_t current(void)
{
	return rd(0, LAPIC_TIMER_CURRENT);
}

static int timer_setup(void **state)
{
	int status = kit_setup(state);

	fake_port.now = 1000;
	return status;
}

#define timer_test(name) cmocka_unit_test_setup_teardown(name, timer_setup, unit_teardown)

/* ---- one shot ---- */

static void one_shot__counts_down_by_each_divider(void **state)
{
	static const struct {
		uint32_t code, divider;
	} rows[] = {{0x0, 2}, {0x1, 4}, {0x2, 8}, {0x3, 16}, {0x8, 32}, {0x9, 64}, {0xa, 128},
		{0xb, 1}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		uint64_t from = fake_port.now;

		start(LAPIC_ONE_SHOT, rows[i].code, 1000);
		assert_int_equal(rd(0, LAPIC_TIMER_DIVIDE), rows[i].code);
		assert_int_equal(rd(0, LAPIC_TIMER_INITIAL), 1000);
		assert_int_equal(current(), 1000);
		assert_int_equal(expire(), from + 1000 * rows[i].divider);
		fake_port.now = from + rows[i].divider - 1;
		assert_int_equal(current(), 1000);
		fake_port.now = from + rows[i].divider;
		assert_int_equal(current(), 999);
		fake_port.now = from + 1000 * rows[i].divider - 1;
		assert_int_equal(current(), 1);
		(void)expire();
		assert_false(fired());
		fake_port.now++;
		assert_int_equal(current(), 0);
		assert_true(expire() == HV_NEVER_DUE);
		assert_false(is_in(0, LAPIC_TMR, VECTOR));
		assert_true(fired());
		assert_int_equal(kit.cpu[0].notified, i + 1);
		fake_port.now += 1000000;
		assert_true(expire() == HV_NEVER_DUE);
		assert_false(fired());
		assert_int_equal(current(), 0);
		assert_int_equal(rd(0, LAPIC_TIMER_INITIAL), 1000);
	}
}

static void one_shot__zero__stops_it(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	kit.cpu[0].rearmed = 0;
	wr(0, LAPIC_TIMER_INITIAL, 0);
	assert_int_equal(kit.cpu[0].rearmed, 1);
	assert_true(expire() == HV_NEVER_DUE);
	assert_int_equal(current(), 0);
	fake_port.now += 10000;
	(void)expire();
	assert_false(fired());
}

static void one_shot__written_again__starts_again(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	fake_port.now += 4999;
	wr(0, LAPIC_TIMER_INITIAL, 300);
	assert_int_equal(current(), 300);
	assert_int_equal(expire(), fake_port.now + 300);
	assert_false(fired());
}

static void one_shot__due_before_it_is_written_again__has_fired(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	fake_port.now += 5000;
	wr(0, LAPIC_TIMER_INITIAL, 300);
	assert_true(fired());
}

static void timer__masked__runs_and_asks_for_nothing(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	wr(0, LAPIC_LVT_TIMER, LAPIC_MASKED | VECTOR);
	assert_true(expire() == HV_NEVER_DUE);
	fake_port.now += 1000;
	assert_int_equal(current(), 4000);
	wr(0, LAPIC_LVT_TIMER, VECTOR);
	assert_int_equal(expire(), fake_port.now + 4000);
	wr(0, LAPIC_LVT_TIMER, LAPIC_MASKED | VECTOR);
	fake_port.now += 4000;
	wr(0, LAPIC_LVT_TIMER, VECTOR); /* too late: it was due while masked */
	assert_true(expire() == HV_NEVER_DUE);
	assert_false(fired());
}

static void timer__every_change__says_so(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, VECTOR);
	assert_int_equal(kit.cpu[0].rearmed, 1);
	wr(0, LAPIC_TIMER_INITIAL, 5000);
	assert_int_equal(kit.cpu[0].rearmed, 2);
	wr(0, LAPIC_TIMER_DIVIDE, BY_1);
	assert_int_equal(kit.cpu[0].rearmed, 3);
	wr(0, LAPIC_TIMER_INITIAL, 0);
	assert_int_equal(kit.cpu[0].rearmed, 4);
	wr(0, LAPIC_TIMER_DIVIDE, 0); /* nothing runs */
	assert_int_equal(kit.cpu[0].rearmed, 4);
	assert_int_equal(kit.cpu[1].rearmed, 0);
}

static void a2_divider__changed_while_it_runs__the_rest_goes_on(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 10000);
	fake_port.now += 4000;
	wr(0, LAPIC_TIMER_DIVIDE, 0); /* by 2 */
	assert_int_equal(current(), 6000);
	assert_int_equal(expire(), fake_port.now + 12000);
	fake_port.now += 2;
	assert_int_equal(current(), 5999);
	fake_port.now += 2 * 5999;
	wr(0, LAPIC_TIMER_DIVIDE, 1); /* due before that */
	assert_true(fired());
}

static void a2_divider__changed_in_a_period__the_next_one_is_whole(void **state)
{
	(void)state;
	start(LAPIC_PERIODIC, BY_1, 400000);
	fake_port.now += 100000;
	wr(0, LAPIC_TIMER_DIVIDE, 0); /* by 2 */
	assert_int_equal(expire(), fake_port.now + 600000);
	fake_port.now += 600000 + 200;
	assert_int_equal(current(), 400000 - 100);
	assert_int_equal(expire(), fake_port.now - 200 + 800000);
}

static void a2_timer__vector_below_16__is_an_error(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, 15);
	wr(0, LAPIC_TIMER_INITIAL, 1);
	fake_port.now += 2;
	(void)expire();
	wr(0, LAPIC_ESR, 0);
	assert_int_equal(rd(0, LAPIC_ESR), LAPIC_ERROR_RECEIVE_VECTOR);
}

static void a2_counts__the_largest_and_the_end_of_time__do_not_wrap(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, 0xa, 0xffffffff);
	assert_int_equal(expire(), 1000 + 128ull * 0xffffffff);
	fake_port.now += 128ull * 0xffffffff - 1;
	assert_int_equal(current(), 1);
	fake_port.now = UINT64_MAX - 50;
	start(LAPIC_ONE_SHOT, BY_1, 100);
	assert_true(expire() == HV_NEVER_DUE);
	start(LAPIC_PERIODIC, 0xa, 0xffffffff);
	assert_true(expire() == HV_NEVER_DUE);
}

/* ---- periodic ---- */

static void periodic__fires_each_period_and_the_count_starts_again(void **state)
{
	(void)state;
	start(LAPIC_PERIODIC, BY_1, 200000);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(expire(), 1000 + 200000 * i);
		assert_false(fired());
		fake_port.now = 1000 + 200000 * i - 1;
		assert_int_equal(current(), 1);
		fake_port.now++;
		assert_int_equal(current(), 200000);
		(void)expire();
		assert_true(fired());
		assert_int_equal(current(), 200000);
	}
}

static void periodic__looked_at_late__is_one_interrupt_and_keeps_its_phase(void **state)
{
	(void)state;
	start(LAPIC_PERIODIC, BY_1, 200000);
	fake_port.now = 1000 + 7 * 200000 + 5;
	assert_int_equal(current(), 200000 - 5);
	assert_int_equal(expire(), 1000 + 8 * 200000);
	assert_true(fired());
	assert_int_equal(kit.cpu[0].notified, 1);
	assert_int_equal(current(), 200000 - 5);
}

static void a2_periodic__tiny_counts__fire_no_more_often_than_the_least_period(void **state)
{
	static const uint32_t counts[] = {1, 2, 99, LAPIC_PERIOD_MIN - 1, LAPIC_PERIOD_MIN};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(counts); i++) {
		unsigned count = 0;
		uint64_t end, due;

		start(LAPIC_PERIODIC, BY_1, counts[i]);
		end = fake_port.now + 10 * LAPIC_PERIOD_MIN;
		for (due = expire(); due <= end; due = expire()) {
			assert_true(due > fake_port.now);
			fake_port.now = due;
			(void)expire();
			count += fired();
		}
		assert_int_equal(count, 10);
	}
	start(LAPIC_PERIODIC, BY_1, 50);
	fake_port.now += 20;
	assert_int_equal(current(), 30);
	fake_port.now += 40;
	assert_int_equal(current(), 0);
	wr(0, LAPIC_TIMER_DIVIDE, 0);
	assert_true(expire() != HV_NEVER_DUE);
	(void)expire();
	assert_int_equal(expire(), fake_port.now + LAPIC_PERIOD_MIN);
}

static void a2_mode__one_shot_and_periodic__change_while_it_counts(void **state)
{
	(void)state;
	start(LAPIC_PERIODIC, BY_1, 300000);
	fake_port.now += 100000;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_ONE_SHOT) | VECTOR);
	assert_int_equal(current(), 200000);
	fake_port.now += 200000;
	assert_true(expire() == HV_NEVER_DUE);
	assert_true(fired());
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_PERIODIC) | VECTOR);
	assert_int_equal(current(), 0);
	assert_true(expire() == HV_NEVER_DUE);
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_ONE_SHOT) | VECTOR);
	wr(0, LAPIC_TIMER_INITIAL, 300000);
	fake_port.now += 100000;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_PERIODIC) | VECTOR);
	assert_int_equal(expire(), fake_port.now + 200000);
	fake_port.now += 200000;
	assert_int_equal(expire(), fake_port.now + 300000);
}

/* ---- TSC deadline ---- */

static uint64_t tsc(void)
{
	return fake_port.now * 5 / 2; /* KIT_TSC_HZ */
}

static void deadline__fires_when_the_tsc_is_there_and_disarms(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	kit.cpu[0].rearmed = 0;
	lapic_deadline_write(cpu(0), 1000000, tsc());
	assert_int_equal(kit.cpu[0].rearmed, 1);
	assert_int_equal(lapic_deadline_read(cpu(0)), 1000000);
	assert_int_equal(expire(), 400000);
	assert_int_equal(current(), 0);
	fake_port.now = 399999;
	(void)expire();
	assert_false(fired());
	fake_port.now = 400000;
	assert_int_equal(lapic_deadline_read(cpu(0)), 0);
	assert_true(expire() == HV_NEVER_DUE);
	assert_true(fired());
	assert_int_equal(lapic_deadline_read(cpu(0)), 0);
	lapic_deadline_write(cpu(0), 2000000, tsc());
	fake_port.now = 800000;
	lapic_deadline_write(cpu(0), 3000000, tsc()); /* too late: it has been there */
	assert_true(fired());
}

static void deadline__not_a_whole_nanosecond__is_rounded_up(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	for (uint64_t ticks = 1; ticks < 20; ticks++) {
		lapic_deadline_write(cpu(0), tsc() + ticks, tsc());
		assert_int_equal(expire(), fake_port.now + (2 * ticks + 4) / 5);
	}
}

static void a2_deadline__in_the_past_or_now__fires_at_once(void **state)
{
	static const int64_t offsets[] = {0, -1, -2000};

	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	for (size_t i = 0; i < HV_ARRAY_COUNT(offsets); i++) {
		lapic_deadline_write(cpu(0), tsc() + (uint64_t)offsets[i], tsc());
		assert_true(fired());
		assert_int_equal(lapic_deadline_read(cpu(0)), 0);
		assert_true(expire() == HV_NEVER_DUE);
	}
}

static void deadline__zero__disarms(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	lapic_deadline_write(cpu(0), 1000000, tsc());
	lapic_deadline_write(cpu(0), 0, tsc());
	assert_true(expire() == HV_NEVER_DUE);
	fake_port.now = 1000000;
	(void)expire();
	assert_false(fired());
}

static void a2_deadline__far_away__never_comes_but_is_read(void **state)
{
	static const uint64_t hz[] = {1, 999, 2500000000, LAPIC_TSC_HZ_MAX};

	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	for (size_t i = 0; i < HV_ARRAY_COUNT(hz); i++) {
		uint64_t due;

		kit.lapics.cfg.tsc_hz = hz[i];
		lapic_deadline_write(cpu(0), UINT64_MAX, 0);
		assert_true(lapic_deadline_read(cpu(0)) == UINT64_MAX);
		due = expire();
		assert_true(due == HV_NEVER_DUE || due >= UINT64_MAX / hz[i]);
		lapic_deadline_write(cpu(0), 3 * hz[i], 0);
		assert_int_equal(expire(), fake_port.now + 3000000000u);
		lapic_deadline_write(cpu(0), hz[i] - 1, 0);
		assert_true(hz[i] == 1 || expire() <= fake_port.now + 1000000000u);
		assert_true(hz[i] != 1 || expire() == HV_NEVER_DUE);
	}
}

static void a2_mode__to_and_from_deadline__disarms(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | VECTOR);
	assert_true(expire() == HV_NEVER_DUE);
	assert_int_equal(rd(0, LAPIC_TIMER_INITIAL), 0);
	lapic_deadline_write(cpu(0), 1000000, tsc());
	wr(0, LAPIC_TIMER_DIVIDE, 3); /* has nothing to do with it */
	assert_int_equal(expire(), 400000);
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | LAPIC_MASKED | VECTOR);
	assert_int_equal(lapic_deadline_read(cpu(0)), 1000000);
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_PERIODIC) | VECTOR);
	assert_int_equal(lapic_deadline_read(cpu(0)), 0);
	assert_true(expire() == HV_NEVER_DUE);
}

static void a2_mode__other_modes_register__is_ignored(void **state)
{
	(void)state;
	start(LAPIC_ONE_SHOT, BY_1, 5000);
	lapic_deadline_write(cpu(0), 100000, tsc());
	assert_int_equal(lapic_deadline_read(cpu(0)), 0);
	assert_int_equal(expire(), 6000);
	for (unsigned mode = LAPIC_DEADLINE; mode <= 3; mode++) { /* 3 is reserved */
		wr(0, LAPIC_LVT_TIMER, TIMER(mode) | VECTOR);
		wr(0, LAPIC_TIMER_INITIAL, 5000);
		assert_int_equal(rd(0, LAPIC_TIMER_INITIAL), 0);
		assert_true(expire() == HV_NEVER_DUE);
	}
	lapic_deadline_write(cpu(0), 100000, tsc());
	assert_true(expire() == HV_NEVER_DUE);
}

static void deadline__masked__is_over_all_the_same(void **state)
{
	(void)state;
	wr(0, LAPIC_LVT_TIMER, TIMER(LAPIC_DEADLINE) | LAPIC_MASKED | VECTOR);
	lapic_deadline_write(cpu(0), tsc(), tsc());
	assert_false(fired());
	assert_int_equal(lapic_deadline_read(cpu(0)), 0);
}

static void init_reset__timer__stops(void **state)
{
	(void)state;
	start(LAPIC_PERIODIC, BY_1, 300000);
	lapic_init_reset(cpu(0));
	assert_true(expire() == HV_NEVER_DUE);
	assert_int_equal(rd(0, LAPIC_TIMER_INITIAL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		timer_test(one_shot__counts_down_by_each_divider),
		timer_test(one_shot__zero__stops_it),
		timer_test(one_shot__written_again__starts_again),
		timer_test(one_shot__due_before_it_is_written_again__has_fired),
		timer_test(timer__masked__runs_and_asks_for_nothing),
		timer_test(timer__every_change__says_so),
		timer_test(a2_divider__changed_while_it_runs__the_rest_goes_on),
		timer_test(a2_divider__changed_in_a_period__the_next_one_is_whole),
		timer_test(a2_timer__vector_below_16__is_an_error),
		timer_test(a2_counts__the_largest_and_the_end_of_time__do_not_wrap),
		timer_test(periodic__fires_each_period_and_the_count_starts_again),
		timer_test(periodic__looked_at_late__is_one_interrupt_and_keeps_its_phase),
		timer_test(a2_periodic__tiny_counts__fire_no_more_often_than_the_least_period),
		timer_test(a2_mode__one_shot_and_periodic__change_while_it_counts),
		timer_test(deadline__fires_when_the_tsc_is_there_and_disarms),
		timer_test(deadline__not_a_whole_nanosecond__is_rounded_up),
		timer_test(a2_deadline__in_the_past_or_now__fires_at_once),
		timer_test(deadline__zero__disarms),
		timer_test(a2_deadline__far_away__never_comes_but_is_read),
		timer_test(a2_mode__to_and_from_deadline__disarms),
		timer_test(a2_mode__other_modes_register__is_ignored),
		timer_test(deadline__masked__is_over_all_the_same),
		timer_test(init_reset__timer__stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
