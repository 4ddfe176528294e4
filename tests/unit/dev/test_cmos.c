/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/cmos/cmos.h>
#include <hv/bits.h>
#include <time.h>

#define S     1000000000ull /* ns */
#define DAY   86400ull      /* s */
#define EPOCH 1700000000ull /* Tuesday, 14 November 2023, 22:13:20 */
#define RAM   0x10000000ull

struct bench {
	struct cmos cmos;
	bool line;
	uint64_t now;
};

static struct bench bench;

static void on_line(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	assert_int_equal(line, 8);
	b->line = level;
}

static void start(uint64_t epoch, uint64_t ram)
{
	bench = (struct bench){.line = true};
	cmos_init(&bench.cmos, epoch, ram, (struct hv_irq){on_line, &bench, 8});
}

static int bench_setup(void **state)
{
	start(EPOCH, RAM);
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = off, .data = data, .size = size, .write = write, .now = bench.now};

	assert_true(cmos_ops.access(&bench.cmos, &access));
	return access.data;
}

static uint8_t rd(uint8_t index)
{
	access(0, 1, true, index);
	return (uint8_t)access(1, 1, false, 0);
}

static void wr(uint8_t index, uint8_t value)
{
	access(0, 1, true, index);
	access(1, 1, true, value);
}

static uint64_t expire(void)
{
	return cmos_ops.expire(&bench.cmos, bench.now);
}

static unsigned bcd(unsigned value)
{
	return value / 10 << 4 | value % 10;
}

/* What the registers say, against the C library's calendar. */
static void assert_time(uint64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	assert_int_equal(rd(CMOS_SECOND), bcd((unsigned)tm.tm_sec));
	assert_int_equal(rd(CMOS_MINUTE), bcd((unsigned)tm.tm_min));
	assert_int_equal(rd(CMOS_HOUR), bcd((unsigned)tm.tm_hour));
	assert_int_equal(rd(CMOS_WEEKDAY), tm.tm_wday + 1);
	assert_int_equal(rd(CMOS_DAY), bcd((unsigned)tm.tm_mday));
	assert_int_equal(rd(CMOS_MONTH), bcd((unsigned)tm.tm_mon + 1));
	assert_int_equal(rd(CMOS_YEAR), bcd((unsigned)tm.tm_year % 100));
	assert_int_equal(rd(CMOS_CENTURY), bcd((unsigned)tm.tm_year / 100 + 19));
}

static void cmos_reset__power_on__runs_in_bcd_and_24_hours_with_the_line_low(void **state)
{
	(void)state;
	assert_false(bench.line);
	assert_int_equal(rd(CMOS_A), 0x26);
	assert_int_equal(rd(CMOS_B), CMOS_B_24H);
	assert_int_equal(rd(CMOS_C), 0);
	assert_int_equal(rd(CMOS_D), CMOS_D_VALID);
	assert_time(EPOCH);
	assert_true(expire() == HV_NEVER_DUE);
}

static void cmos_date__every_day_of_400_years__is_the_calendars(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < 146097; day++) {
		start(0, RAM);
		bench.now = 0;
		bench.cmos.offset = (day * DAY + day % DAY) * S; /* all seconds of a day in turn */
		assert_time(day * DAY + day % DAY);
	}
}

static void set_date(unsigned year, unsigned month, unsigned day)
{
	wr(CMOS_B, CMOS_B_SET | CMOS_B_24H);
	wr(CMOS_CENTURY, (uint8_t)bcd(year / 100));
	wr(CMOS_YEAR, (uint8_t)bcd(year % 100));
	wr(CMOS_MONTH, (uint8_t)bcd(month));
	wr(CMOS_DAY, (uint8_t)bcd(day));
	wr(CMOS_HOUR, 0x23);
	wr(CMOS_MINUTE, 0x59);
	wr(CMOS_SECOND, 0x58);
	wr(CMOS_B, CMOS_B_24H);
}

static void cmos_date__set_while_it_stands__goes_on_from_there(void **state)
{
	static const struct {
		unsigned year, month, day;
	} dates[] = {{1970, 1, 1}, {1999, 12, 31}, {2000, 2, 29}, {2024, 2, 28}, {2100, 2, 28},
		{2400, 3, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct tm tm = {.tm_year = (int)dates[i].year - 1900,
			.tm_mon = (int)dates[i].month - 1,
			.tm_mday = (int)dates[i].day,
			.tm_hour = 23,
			.tm_min = 59,
			.tm_sec = 58};
		uint64_t s = (uint64_t)timegm(&tm);

		bench.now += 12345678901;
		set_date(dates[i].year, dates[i].month, dates[i].day);
		assert_time(s);
		bench.now += 2 * S;
		assert_time(s + 2);
	}
}

static void cmos_date__written_while_it_runs__changes_at_once(void **state)
{
	(void)state;
	wr(CMOS_HOUR, 0x05);
	assert_time(EPOCH - 17 * 3600);
	wr(CMOS_DAY, 0x01);
	assert_time(EPOCH - 17 * 3600 - 13 * DAY);
	cmos_ops.reset(&bench.cmos);
	assert_time(EPOCH);
}

static void cmos_date__set_bit__the_clock_stands(void **state)
{
	(void)state;
	wr(CMOS_B, CMOS_B_SET | CMOS_B_24H);
	bench.now += 100 * S;
	assert_time(EPOCH);
	assert_false(rd(CMOS_C) & CMOS_B_UPDATE);
	wr(CMOS_B, CMOS_B_24H);
	assert_time(EPOCH);
	bench.now += S;
	assert_time(EPOCH + 1);
}

static void cmos_date__nonsense__is_some_date(void **state)
{
	(void)state;
	wr(CMOS_B, CMOS_B_SET);
	for (uint8_t index = 0; index <= CMOS_YEAR; index++) {
		wr(index, 0xff);
	}
	wr(CMOS_CENTURY, 0xff);
	wr(CMOS_B, 0);
	(void)rd(CMOS_DAY);
	wr(CMOS_CENTURY, 0);
	wr(CMOS_YEAR, 0);
	wr(CMOS_MONTH, 0);
	(void)rd(CMOS_DAY);
	(void)expire();
}

static void cmos_format__binary__is_not_packed(void **state)
{
	(void)state;
	wr(CMOS_B, CMOS_B_24H | CMOS_B_BINARY);
	assert_int_equal(rd(CMOS_HOUR), 22);
	assert_int_equal(rd(CMOS_YEAR), 23);
	assert_int_equal(rd(CMOS_CENTURY), 20);
	wr(CMOS_MINUTE, 59);
	wr(CMOS_B, CMOS_B_24H);
	assert_int_equal(rd(CMOS_MINUTE), 0x59);
}

static void cmos_format__12_hours__have_a_bit_for_the_second_half(void **state)
{
	static const uint8_t hours[][2] = {
		{0x00, 0x12}, {0x01, 0x01}, {0x11, 0x11}, {0x12, 0x92}, {0x13, 0x81}, {0x23, 0x91}};

	(void)state;
	for (size_t i = 0; i < sizeof(hours) / sizeof(hours[0]); i++) {
		wr(CMOS_B, CMOS_B_24H);
		wr(CMOS_HOUR, hours[i][0]);
		wr(CMOS_B, 0);
		assert_int_equal(rd(CMOS_HOUR), hours[i][1]);
		wr(CMOS_HOUR, hours[i][1]);
		wr(CMOS_B, CMOS_B_24H);
		assert_int_equal(rd(CMOS_HOUR), hours[i][0]);
	}
}

static void cmos_update_in_progress__last_244_us_of_a_second__is_said(void **state)
{
	(void)state;
	bench.now = S - 244001;
	assert_false(rd(CMOS_A) & CMOS_A_UIP);
	bench.now = S - 244000;
	assert_true(rd(CMOS_A) & CMOS_A_UIP);
	bench.now = S;
	assert_false(rd(CMOS_A) & CMOS_A_UIP);
	wr(CMOS_B, CMOS_B_SET);
	bench.now = 2 * S - 1;
	assert_false(rd(CMOS_A) & CMOS_A_UIP);
}

static void cmos_update_irq__each_second__until_c_is_read(void **state)
{
	(void)state;
	bench.now = S / 2;
	wr(CMOS_A, 0x20); /* no periodic one */
	(void)rd(CMOS_C);
	wr(CMOS_B, CMOS_B_24H | CMOS_B_UPDATE);
	assert_true(expire() == S);
	bench.now = S - 1;
	(void)expire();
	assert_false(bench.line);
	bench.now = S;
	assert_true(expire() == HV_NEVER_DUE); /* nothing more to say before it is heard */
	assert_true(bench.line);
	assert_int_equal(rd(CMOS_C), CMOS_C_IRQ | CMOS_B_UPDATE);
	assert_false(bench.line);
	assert_int_equal(rd(CMOS_C), 0);
	assert_true(expire() == 2 * S);
}

static void cmos_flags__without_their_irq__are_seen_but_raise_no_line(void **state)
{
	(void)state;
	bench.now = S;
	(void)expire();
	assert_false(bench.line);
	wr(CMOS_B, CMOS_B_24H | CMOS_B_UPDATE); /* enabled afterwards */
	assert_true(bench.line);
	wr(CMOS_B, CMOS_B_24H);
	assert_false(bench.line);
	assert_true(rd(CMOS_C) & CMOS_B_UPDATE);
}

static void cmos_periodic_irq__each_rate__has_its_period(void **state)
{
	(void)state;
	for (unsigned rate = 1; rate <= 15; rate++) {
		uint64_t ticks = rate <= 2 ? 1u << (rate + 6) : 1u << (rate - 1);
		uint64_t period = (ticks * S + 32767) / 32768;

		start(EPOCH, RAM);
		wr(CMOS_A, (uint8_t)(0x20 | rate));
		wr(CMOS_B, CMOS_B_24H | CMOS_B_PERIODIC);
		assert_true(expire() == period);
		bench.now = period - 1;
		(void)expire();
		assert_false(bench.line);
		bench.now = period;
		(void)expire();
		assert_true(bench.line);
		assert_true(rd(CMOS_C) & CMOS_B_PERIODIC);
		assert_true(expire() == (2 * ticks * S + 32767) / 32768);
	}
}

static void cmos_periodic_irq__rate_0__never_comes(void **state)
{
	(void)state;
	wr(CMOS_A, 0x20);
	wr(CMOS_B, CMOS_B_24H | CMOS_B_PERIODIC);
	assert_true(expire() == HV_NEVER_DUE);
	bench.now = 10 * S;
	assert_false(rd(CMOS_C) & CMOS_B_PERIODIC);
}

static void set_alarm(uint8_t hour, uint8_t minute, uint8_t second)
{
	wr(CMOS_HOUR_ALARM, hour);
	wr(CMOS_MINUTE_ALARM, minute);
	wr(CMOS_SECOND_ALARM, second);
	(void)rd(CMOS_C);
	wr(CMOS_B, CMOS_B_24H | CMOS_B_ALARM);
}

/* The first second after `from` that fits, one by one. */
static uint64_t naive_alarm(uint64_t from, unsigned hour, unsigned minute, unsigned second)
{
	for (uint64_t s = from + 1; s <= from + DAY; s++) {
		if ((hour >= 24 || s / 3600 % 24 == hour) &&
			(minute >= 60 || s / 60 % 60 == minute) &&
			(second >= 60 || s % 60 == second)) {
			return s;
		}
	}
	return 0;
}

static void cmos_alarm__any_fields__comes_at_the_first_second_that_fits(void **state)
{
	static const uint8_t hours[] = {0, 5, 22, 23, 0xff}, minutes[] = {0, 13, 14, 59, 0xc0},
			     seconds[] = {0, 19, 20, 21, 59, 0xff};

	(void)state;
	for (unsigned i = 0; i < 5 * 5 * 6; i++) {
		uint8_t h = hours[i / 30], m = minutes[i / 6 % 5], s = seconds[i % 6];

		start(EPOCH, RAM);
		set_alarm(h >= 0xc0 ? h : (uint8_t)bcd(h), m >= 0xc0 ? m : (uint8_t)bcd(m),
			s >= 0xc0 ? s : (uint8_t)bcd(s));
		assert_true(expire() == (naive_alarm(EPOCH, h, m, s) - EPOCH) * S);
		bench.now = expire() - 1;
		(void)expire();
		assert_false(bench.line);
		bench.now++;
		(void)expire();
		assert_true(bench.line);
	}
}

static void cmos_alarm__no_time_of_day__never_comes(void **state)
{
	static const uint8_t bad[][3] = {
		{0x24, 0, 0}, {0xff, 0x60, 0}, {0xff, 0xff, 0x60}, {0x22, 0x60, 0xff}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(EPOCH, RAM);
		set_alarm(bad[i][0], bad[i][1], bad[i][2]);
		assert_true(expire() == HV_NEVER_DUE);
		bench.now = 3 * DAY * S;
		assert_false(rd(CMOS_C) & CMOS_B_ALARM);
	}
}

static void cmos_irqs__while_it_stands__only_the_periodic_one(void **state)
{
	(void)state;
	set_alarm(0xff, 0xff, 0xff);
	wr(CMOS_B, CMOS_B_24H | CMOS_B_SET | CMOS_B_ALARM | CMOS_B_UPDATE);
	assert_true(expire() == HV_NEVER_DUE);
}

static void cmos_memory__sizes__are_what_the_board_said(void **state)
{
	(void)state;
	assert_int_equal(rd(CMOS_BASE_KIB) | rd(CMOS_BASE_KIB + 1) << 8, 640);
	assert_int_equal(rd(CMOS_EXTENDED_KIB) | rd(CMOS_EXTENDED_KIB + 1) << 8, 63 * 1024);
	assert_int_equal(
		rd(CMOS_ABOVE_16M) | rd(CMOS_ABOVE_16M + 1) << 8, (0x10000000 >> 16) - 256);
	start(EPOCH, HV_MIB(1));
	assert_int_equal(rd(CMOS_EXTENDED_KIB) | rd(CMOS_EXTENDED_KIB + 1), 0);
	start(EPOCH, HV_MIB(8));
	assert_int_equal(rd(0x30) | rd(0x31) << 8, 7 * 1024);
	assert_int_equal(rd(CMOS_ABOVE_16M), 0);
	start(EPOCH, HV_GIB(8));
	assert_int_equal(rd(CMOS_ABOVE_16M) | rd(CMOS_ABOVE_16M + 1) << 8, 0xffff);
}

static void a6_cmos_index__0x80_and_above__names_the_register_below(void **state)
{
	(void)state;
	wr(0x0f, 0x5a);
	assert_int_equal(rd(0x8f), 0x5a);
	wr(0xff, 0x77);
	assert_int_equal(rd(0x7f), 0x77);
	assert_int_equal(access(0, 1, false, 0), 0xff);
}

static void cmos_registers__read_only_ones__stay(void **state)
{
	(void)state;
	wr(CMOS_C, 0xff);
	wr(CMOS_D, 0);
	wr(CMOS_A, 0xff);
	assert_int_equal(rd(CMOS_C), 0);
	assert_int_equal(rd(CMOS_D), CMOS_D_VALID);
	assert_int_equal(rd(CMOS_A), 0x7f);
}

static void cmos_access__wider_than_a_byte__is_nobodys(void **state)
{
	(void)state;
	wr(0x40, 1);
	access(0, 1, true, 0x40);
	access(1, 2, true, 0x3333);
	assert_int_equal(access(1, 2, false, 0), 0xffff);
	assert_int_equal(rd(0x40), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(cmos_reset__power_on__runs_in_bcd_and_24_hours_with_the_line_low),
		bench_test(cmos_date__every_day_of_400_years__is_the_calendars),
		bench_test(cmos_date__set_while_it_stands__goes_on_from_there),
		bench_test(cmos_date__written_while_it_runs__changes_at_once),
		bench_test(cmos_date__set_bit__the_clock_stands),
		bench_test(cmos_date__nonsense__is_some_date),
		bench_test(cmos_format__binary__is_not_packed),
		bench_test(cmos_format__12_hours__have_a_bit_for_the_second_half),
		bench_test(cmos_update_in_progress__last_244_us_of_a_second__is_said),
		bench_test(cmos_update_irq__each_second__until_c_is_read),
		bench_test(cmos_flags__without_their_irq__are_seen_but_raise_no_line),
		bench_test(cmos_periodic_irq__each_rate__has_its_period),
		bench_test(cmos_periodic_irq__rate_0__never_comes),
		bench_test(cmos_alarm__any_fields__comes_at_the_first_second_that_fits),
		bench_test(cmos_alarm__no_time_of_day__never_comes),
		bench_test(cmos_irqs__while_it_stands__only_the_periodic_one),
		bench_test(cmos_memory__sizes__are_what_the_board_said),
		bench_test(a6_cmos_index__0x80_and_above__names_the_register_below),
		bench_test(cmos_registers__read_only_ones__stay),
		bench_test(cmos_access__wider_than_a_byte__is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
