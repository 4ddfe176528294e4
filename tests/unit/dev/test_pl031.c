/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pl031/pl031.h>
#include <hv/bits.h>

#define S     1000000000ull /* ns */
#define EPOCH 1700000000u

struct bench {
	struct pl031 rtc;
	bool line;
	unsigned edges;
	uint64_t now;
};

static struct bench bench;

static void on_line(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	assert_int_equal(line, 34);
	b->line = level;
	b->edges++;
}

static int bench_setup(void **state)
{
	bench = (struct bench){.line = true};
	pl031_init(&bench.rtc, EPOCH, (struct hv_irq){on_line, &bench, 34});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = off, .data = data, .size = size, .write = write, .now = bench.now};

	assert_true(pl031_ops.access(&bench.rtc, &access));
	return access.data;
}

static uint32_t rd(uint64_t off)
{
	return (uint32_t)access(off, 4, false, 0xdeadbeef);
}

static void wr(uint64_t off, uint32_t value)
{
	access(off, 4, true, value);
}

static uint64_t expire(void)
{
	return pl031_ops.expire(&bench.rtc, bench.now);
}

static void pl031_reset__power_on__counts_from_the_epoch_with_the_line_low(void **state)
{
	(void)state;
	assert_false(bench.line);
	assert_int_equal(rd(PL031_DR), EPOCH);
	assert_int_equal(rd(PL031_MR), 0);
	assert_int_equal(rd(PL031_LR), 0);
	assert_int_equal(rd(PL031_CR), 1);
	assert_int_equal(rd(PL031_IMSC), 0);
	assert_int_equal(rd(PL031_RIS), 0);
	assert_int_equal(rd(PL031_MIS), 0);
	assert_int_equal(rd(PL031_ICR), 0);
}

static void pl031_counter__either_side_of_a_second__steps_exactly_there(void **state)
{
	(void)state;
	bench.now = 5 * S - 1;
	assert_int_equal(rd(PL031_DR), EPOCH + 4);
	bench.now = 5 * S;
	assert_int_equal(rd(PL031_DR), EPOCH + 5);
}

static void pl031_counter__wraps_at_32_bits(void **state)
{
	(void)state;
	wr(PL031_LR, 0xffffffff);
	assert_int_equal(rd(PL031_DR), 0xffffffff);
	bench.now = S;
	assert_int_equal(rd(PL031_DR), 0);
}

static void pl031_load__written__sets_the_time_and_reads_back(void **state)
{
	(void)state;
	bench.now = 7 * S + 1;
	wr(PL031_LR, 1000);
	assert_int_equal(rd(PL031_LR), 1000);
	assert_int_equal(rd(PL031_DR), 1000);
	bench.now = 9 * S;
	assert_int_equal(rd(PL031_DR), 1002);
}

static void pl031_control__written_zero__keeps_counting(void **state)
{
	(void)state;
	wr(PL031_CR, 0);
	assert_int_equal(rd(PL031_CR), 1);
	bench.now = S;
	assert_int_equal(rd(PL031_DR), EPOCH + 1);
}

static void pl031_alarm__match_comes__raises_line_at_that_nanosecond_and_icr_lowers_it(void **state)
{
	(void)state;
	bench.now = S / 2;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, EPOCH + 3);
	assert_int_equal(expire(), 3 * S);
	bench.now = 3 * S - 1;
	assert_int_equal(expire(), 3 * S);
	assert_false(bench.line);
	bench.now = 3 * S;
	assert_int_equal(expire(), (3 + HV_BIT(32)) * S);
	assert_true(bench.line);
	assert_int_equal(rd(PL031_RIS), 1);
	assert_int_equal(rd(PL031_MIS), 1);
	wr(PL031_ICR, 1);
	assert_false(bench.line);
	assert_int_equal(rd(PL031_RIS), 0);
	bench.now = 4 * S;
	(void)expire();
	assert_false(bench.line);
}

static void pl031_alarm__masked__is_raw_only_and_unmasking_raises_the_line(void **state)
{
	(void)state;
	wr(PL031_MR, EPOCH + 1);
	bench.now = S;
	(void)expire();
	assert_false(bench.line);
	assert_int_equal(rd(PL031_RIS), 1);
	assert_int_equal(rd(PL031_MIS), 0);
	wr(PL031_IMSC, 1);
	assert_true(bench.line);
	wr(PL031_IMSC, 0);
	assert_false(bench.line);
	assert_int_equal(rd(PL031_RIS), 1);
	wr(PL031_IMSC, ~1u);
	assert_int_equal(rd(PL031_IMSC), 0);
}

static void pl031_alarm__match_equals_now__raises_at_once(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, EPOCH);
	assert_true(bench.line);
	wr(PL031_ICR, 0); /* any value */
	assert_false(bench.line);
	wr(PL031_MR, EPOCH + 10);
	assert_false(bench.line);
	wr(PL031_LR, EPOCH + 10); /* or the time is set to the alarm */
	assert_true(bench.line);
}

static void pl031_alarm__match_in_the_past__waits_for_the_wrap(void **state)
{
	(void)state;
	wr(PL031_MR, EPOCH - 1);
	assert_int_equal(expire(), (HV_BIT(32) - 1) * S);
	assert_int_equal(rd(PL031_RIS), 0);
	wr(PL031_LR, EPOCH - 3);
	assert_int_equal(expire(), 2 * S);
}

static void pl031_alarm__match_beyond_the_wrap__fires_after_it(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_LR, 0xfffffffe);
	wr(PL031_MR, 1);
	assert_int_equal(expire(), 3 * S);
	bench.now = 3 * S - 1;
	(void)expire();
	assert_false(bench.line);
	bench.now = 3 * S;
	(void)expire();
	assert_true(bench.line);
}

static void pl031_alarm__nobody_looked_in_time__a_late_read_still_finds_it(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, EPOCH + 3);
	bench.now = 100 * S;
	assert_int_equal(rd(PL031_RIS), 1);
	assert_true(bench.line);
}

static void pl031_alarm__clock_moves_past_the_match_by_load__does_not_fire(void **state)
{
	(void)state;
	wr(PL031_MR, EPOCH + 3);
	wr(PL031_LR, EPOCH + 4);
	bench.now = 10 * S;
	assert_int_equal(rd(PL031_RIS), 0);
}

static void pl031_expire__deadline_beyond_64_bits_of_ns__is_never(void **state)
{
	(void)state;
	bench.now = UINT64_MAX;
	assert_true(expire() == HV_NEVER_DUE);
}

static void pl031_expire__time_does_not_step_back(void **state)
{
	(void)state;
	bench.now = 5 * S;
	assert_int_equal(rd(PL031_DR), EPOCH + 5);
	bench.now = 4 * S;
	assert_int_equal(rd(PL031_DR), EPOCH + 5);
}

static void pl031_reset__alarm_ringing__lowers_the_line_and_restores_the_hosts_time(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_LR, 7);
	wr(PL031_MR, 7);
	assert_true(bench.line);
	bench.now = 2 * S;
	pl031_ops.reset(&bench.rtc);
	assert_false(bench.line);
	assert_int_equal(rd(PL031_DR), EPOCH + 2);
	assert_int_equal(rd(PL031_RIS), 0);
	assert_int_equal(rd(PL031_IMSC), 0);
}

static void pl031_id__each_byte__is_a_pl031(void **state)
{
	static const uint8_t id[8] = {0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(rd(PL031_ID + 4 * i), id[i]);
	}
}

static void pl031_access__narrow_wide_unaligned_unknown__low_end_or_raz_wi(void **state)
{
	(void)state;
	access(PL031_MR, 8, true, 5);
	access(PL031_MR + 1, 1, true, 5);
	assert_int_equal(rd(PL031_MR), 0);
	wr(PL031_MR, 0x12345678);
	assert_int_equal(access(PL031_MR, 2, false, 0), 0x5678);
	assert_int_equal(access(PL031_MR, 1, false, 0), 0x78);
	assert_int_equal(access(PL031_MR, 8, false, 0), 0);
	assert_int_equal(access(PL031_MR + 2, 2, false, 0), 0);
	for (unsigned off = PL031_ICR + 4; off < PL031_ID; off += 4) {
		wr(off, ~0u);
		assert_int_equal(rd(off), 0);
	}
	wr(PL031_DR, 1);
	wr(PL031_RIS, 1);
	wr(PL031_MIS, 1);
	assert_int_equal(rd(PL031_DR), EPOCH);
	assert_int_equal(rd(PL031_RIS), 0);
}

static void pl031_line__not_connected__is_harmless(void **state)
{
	(void)state;
	pl031_init(&bench.rtc, EPOCH, (struct hv_irq){0});
	wr(PL031_IMSC, 1);
	wr(PL031_MR, EPOCH);
	assert_int_equal(rd(PL031_MIS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(pl031_reset__power_on__counts_from_the_epoch_with_the_line_low),
		bench_test(pl031_counter__either_side_of_a_second__steps_exactly_there),
		bench_test(pl031_counter__wraps_at_32_bits),
		bench_test(pl031_load__written__sets_the_time_and_reads_back),
		bench_test(pl031_control__written_zero__keeps_counting),
		bench_test(
			pl031_alarm__match_comes__raises_line_at_that_nanosecond_and_icr_lowers_it),
		bench_test(pl031_alarm__masked__is_raw_only_and_unmasking_raises_the_line),
		bench_test(pl031_alarm__match_equals_now__raises_at_once),
		bench_test(pl031_alarm__match_in_the_past__waits_for_the_wrap),
		bench_test(pl031_alarm__match_beyond_the_wrap__fires_after_it),
		bench_test(pl031_alarm__nobody_looked_in_time__a_late_read_still_finds_it),
		bench_test(pl031_alarm__clock_moves_past_the_match_by_load__does_not_fire),
		bench_test(pl031_expire__deadline_beyond_64_bits_of_ns__is_never),
		bench_test(pl031_expire__time_does_not_step_back),
		bench_test(pl031_reset__alarm_ringing__lowers_the_line_and_restores_the_hosts_time),
		bench_test(pl031_id__each_byte__is_a_pl031),
		bench_test(pl031_access__narrow_wide_unaligned_unknown__low_end_or_raz_wi),
		bench_test(pl031_line__not_connected__is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
