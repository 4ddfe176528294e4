/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/goldfish_rtc/goldfish_rtc.h>

#define S     1000000000ull /* ns */
#define EPOCH 1700000000ull

struct bench {
	struct goldfish_rtc rtc;
	bool line;
	unsigned edges;
	uint64_t now;
};

static struct bench bench;

static void on_line(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	assert_int_equal(line, 11);
	b->line = level;
	b->edges++;
}

static int bench_setup(void **state)
{
	bench = (struct bench){.line = true};
	goldfish_rtc_init(&bench.rtc, EPOCH, (struct hv_irq){on_line, &bench, 11});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = off, .data = data, .size = size, .write = write, .now = bench.now};

	assert_true(goldfish_rtc_ops.access(&bench.rtc, &access));
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

static uint64_t time(void)
{
	uint64_t low = rd(GOLDFISH_RTC_TIME_LOW);

	return (uint64_t)rd(GOLDFISH_RTC_TIME_HIGH) << 32 | low;
}

static void set_alarm(uint64_t ns)
{
	wr(GOLDFISH_RTC_ALARM_HIGH, (uint32_t)(ns >> 32));
	wr(GOLDFISH_RTC_ALARM_LOW, (uint32_t)ns);
}

static uint64_t expire(void)
{
	return goldfish_rtc_ops.expire(&bench.rtc, bench.now);
}

static void goldfish_rtc_reset__power_on__counts_from_the_epoch_with_the_line_low(void **state)
{
	(void)state;
	assert_false(bench.line);
	assert_true(time() == EPOCH * S);
	for (uint64_t off = GOLDFISH_RTC_ALARM_LOW; off <= 0x20; off += 4) {
		assert_int_equal(rd(off), 0);
	}
	assert_true(expire() == HV_NEVER_DUE);
}

static void goldfish_rtc_time__each_nanosecond__is_counted(void **state)
{
	(void)state;
	bench.now = 12345;
	assert_true(time() == EPOCH * S + 12345);
}

static void goldfish_rtc_time_high__carry_between_the_halves__is_that_of_the_low_read(void **state)
{
	uint32_t low;

	(void)state;
	wr(GOLDFISH_RTC_TIME_LOW, 0xffffffff);
	wr(GOLDFISH_RTC_TIME_HIGH, 5);
	low = rd(GOLDFISH_RTC_TIME_LOW);
	bench.now += 1;
	assert_int_equal(low, 0xffffffff);
	assert_int_equal(rd(GOLDFISH_RTC_TIME_HIGH), 5);
	assert_true(time() == 6ull << 32);
}

static void goldfish_rtc_time__written_half_by_half__goes_on_from_there(void **state)
{
	(void)state;
	bench.now = 7 * S + 1;
	wr(GOLDFISH_RTC_TIME_HIGH, 0x11);
	wr(GOLDFISH_RTC_TIME_LOW, 0x22);
	assert_true(time() == 0x1100000022);
	bench.now += 3;
	assert_true(time() == 0x1100000025);
	goldfish_rtc_ops.reset(&bench.rtc);
	assert_true(time() == EPOCH * S + bench.now);
}

static void goldfish_rtc_alarm__its_nanosecond__raises_the_line_and_clear_lowers_it(void **state)
{
	(void)state;
	bench.now = S / 2;
	wr(GOLDFISH_RTC_IRQ_ENABLED, 1);
	set_alarm((EPOCH + 3) * S + 7);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_STATUS), 1);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_LOW), (uint32_t)((EPOCH + 3) * S + 7));
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_HIGH), ((EPOCH + 3) * S + 7) >> 32);
	assert_true(expire() == 3 * S + 7);
	bench.now = 3 * S + 6;
	assert_true(expire() == 3 * S + 7);
	assert_false(bench.line);
	bench.now = 3 * S + 7;
	assert_true(expire() == HV_NEVER_DUE);
	assert_true(bench.line);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_STATUS), 0);
	wr(GOLDFISH_RTC_CLEAR_INTERRUPT, 1);
	assert_false(bench.line);
	assert_int_equal(bench.edges, 3); /* low at the reset, high, low */
}

static void goldfish_rtc_alarm__in_the_past__comes_at_once(void **state)
{
	(void)state;
	wr(GOLDFISH_RTC_IRQ_ENABLED, 1);
	set_alarm(EPOCH * S);
	assert_true(bench.line);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_STATUS), 0);
	wr(GOLDFISH_RTC_CLEAR_INTERRUPT, 1);
	set_alarm(EPOCH * S + 1);
	assert_false(bench.line);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_STATUS), 1);
}

static void goldfish_rtc_alarm__cleared__never_comes(void **state)
{
	(void)state;
	wr(GOLDFISH_RTC_IRQ_ENABLED, 1);
	set_alarm((EPOCH + 1) * S);
	wr(GOLDFISH_RTC_CLEAR_ALARM, 1);
	assert_int_equal(rd(GOLDFISH_RTC_ALARM_STATUS), 0);
	bench.now = 2 * S;
	assert_true(expire() == HV_NEVER_DUE);
	assert_false(bench.line);
}

static void goldfish_rtc_alarm__not_enabled__is_pending_until_it_is(void **state)
{
	(void)state;
	set_alarm((EPOCH + 1) * S);
	bench.now = S;
	(void)expire();
	assert_false(bench.line);
	wr(GOLDFISH_RTC_IRQ_ENABLED, 0xfffffffe); /* bit 0 alone counts */
	assert_false(bench.line);
	wr(GOLDFISH_RTC_IRQ_ENABLED, 1);
	assert_true(bench.line);
	wr(GOLDFISH_RTC_IRQ_ENABLED, 0);
	assert_false(bench.line);
}

static void goldfish_rtc_alarm__clock_set_past_it__comes(void **state)
{
	(void)state;
	wr(GOLDFISH_RTC_IRQ_ENABLED, 1);
	set_alarm(UINT64_MAX);
	assert_true(expire() == UINT64_MAX - EPOCH * S);
	wr(GOLDFISH_RTC_TIME_LOW, 0xffffffff);
	wr(GOLDFISH_RTC_TIME_HIGH, 0xffffffff);
	assert_true(bench.line);
}

static void goldfish_rtc_alarm__beyond_the_end_of_now__is_never_due(void **state)
{
	(void)state;
	bench.now = UINT64_MAX - 5;
	wr(GOLDFISH_RTC_TIME_LOW, 0);
	wr(GOLDFISH_RTC_TIME_HIGH, 0);
	set_alarm(5);
	assert_true(expire() == UINT64_MAX);
	set_alarm(6);
	assert_true(expire() == HV_NEVER_DUE);
}

static void goldfish_rtc_access__other_widths_and_offsets__read_as_zero_and_are_ignored(
	void **state)
{
	static const uint8_t sizes[] = {1, 2, 8};
	struct goldfish_rtc before;

	(void)state;
	set_alarm((EPOCH + 9) * S);
	(void)time();
	before = bench.rtc;
	for (size_t i = 0; i < sizeof(sizes); i++) {
		for (uint64_t off = 0; off < 0x20; off++) {
			assert_int_equal(access(off, sizes[i], false, 0x55), 0);
			access(off, sizes[i], true, UINT64_MAX);
		}
	}
	assert_int_equal(access(2, 4, false, 0x55), 0);
	access(2, 4, true, 7);
	wr(0x20, 7);
	wr(0xffc, 7);
	wr(GOLDFISH_RTC_ALARM_STATUS, 0);
	assert_memory_equal(&before, &bench.rtc, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(goldfish_rtc_reset__power_on__counts_from_the_epoch_with_the_line_low),
		bench_test(goldfish_rtc_time__each_nanosecond__is_counted),
		bench_test(
			goldfish_rtc_time_high__carry_between_the_halves__is_that_of_the_low_read),
		bench_test(goldfish_rtc_time__written_half_by_half__goes_on_from_there),
		bench_test(goldfish_rtc_alarm__its_nanosecond__raises_the_line_and_clear_lowers_it),
		bench_test(goldfish_rtc_alarm__in_the_past__comes_at_once),
		bench_test(goldfish_rtc_alarm__cleared__never_comes),
		bench_test(goldfish_rtc_alarm__not_enabled__is_pending_until_it_is),
		bench_test(goldfish_rtc_alarm__clock_set_past_it__comes),
		bench_test(goldfish_rtc_alarm__beyond_the_end_of_now__is_never_due),
		bench_test(
			goldfish_rtc_access__other_widths_and_offsets__read_as_zero_and_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
