/* SPDX-License-Identifier: MIT */
/*
 * The 8254 in all modes. Most tests say when by ticks; a naive counter that really ticks is the
 * oracle of the last ones.
 */
#include <unit.h>

#include <dev/pit8254/pit8254.h>
#include <hv/bits.h>

#define CONTROL 3u
/* Control words. */
#define COUNTER(n) ((unsigned)(n) << 6)
#define LOW        0x10u
#define HIGH       0x20u
#define BOTH       0x30u
#define MODE(m)    ((unsigned)(m) << 1)
#define BCD        1u
#define READ_BACK  0xc0u
#define NO_COUNT   0x20u /* of read-back: does not latch it */
#define NO_STATUS  0x10u
#define ON(n)      (2u << (n))
/* Status. */
#define OUT        0x80u
#define NULL_COUNT 0x40u

static struct pit8254 pit;
static uint64_t now;
static bool line;
static unsigned rises;

static void on_line(void *ctl, uint32_t n, bool level)
{
	(void)ctl;
	(void)n;
	assert_true(level != line || !level); /* a reset drives it low whatever it was */
	line = level;
	rises += level;
}

static uint64_t expire(void)
{
	return pit8254_ops.expire(&pit, now);
}

static uint8_t in(unsigned port)
{
	struct hv_access access = {.off = port, .data = 0xdeadbeef, .now = now, .size = 1};

	assert_true(pit8254_ops.access(&pit, &access));
	return (uint8_t)access.data;
}

static void outb(unsigned port, unsigned value)
{
	struct hv_access access = {
		.off = port, .data = value & 0xff, .now = now, .size = 1, .write = true};

	assert_true(pit8254_ops.access(&pit, &access));
	(void)expire(); /* as the bus does */
}

static uint8_t gate_in(void)
{
	struct hv_access access = {.now = now, .size = 1};

	assert_true(pit8254_gate_ops.access(&pit, &access));
	return (uint8_t)access.data;
}

static void gate_out(uint8_t value)
{
	struct hv_access access = {.data = value, .now = now, .size = 1, .write = true};

	assert_true(pit8254_gate_ops.access(&pit, &access));
	assert_true(pit8254_gate_ops.expire(&pit, now) == HV_NEVER_DUE);
}

/* The first nanosecond of a tick, by 128 bits. */
__extension__ typedef unsigned __int128 u128;
static uint64_t ns(uint64_t tick)
{
	return (uint64_t)(((u128)tick * 1000000000u + PIT8254_HZ - 1) / PIT8254_HZ);
}

static void at(uint64_t tick)
{
	now = ns(tick);
}

static void count_write(unsigned n, unsigned value)
{
	outb(n, value);
	outb(n, value >> 8);
}

static unsigned count_read(unsigned n)
{
	unsigned low = in(n);

	return low | (unsigned)in(n) << 8;
}

static void program(unsigned n, unsigned mode, unsigned count)
{
	outb(CONTROL, COUNTER(n) | BOTH | MODE(mode));
	count_write(n, count);
}

static uint8_t status(unsigned n)
{
	outb(CONTROL, READ_BACK | NO_COUNT | ON(n));
	return in(n);
}

static bool is_out(unsigned n)
{
	return status(n) & OUT;
}

static int pit_setup(void **state)
{
	int result = unit_setup(state);

	now = 0;
	line = false;
	rises = 0;
	pit8254_init(&pit, (struct hv_irq){NULL, NULL, 0});
	pit.irq.set = on_line;
	return result;
}

#define pit_test(name) cmocka_unit_test_setup_teardown(name, pit_setup, unit_teardown)

/* ---- time ---- */

static void ticks__first_nanosecond__is_exact_for_hundreds_of_years(void **state)
{
	static const uint64_t starts[] = {
		0, 1, 596590, 596591, 596592, 1193182, 119318200000000u, 22000000000000000u};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(starts); i++) {
		now = ns(starts[i]);
		program(2, 0, 0);
		gate_out(1);
		assert_int_equal(count_read(2), 0);
		now = ns(starts[i] + 5) - 1;
		assert_int_equal(count_read(2), 65536 - 4);
		now++;
		assert_int_equal(count_read(2), 65536 - 5);
		gate_out(0);
		program(0, 0, 1000);
		assert_int_equal(expire(), ns(starts[i] + 5 + 1000));
	}
	pit8254_ops.reset(&pit);
	at(596591 - 1000);
	program(0, 0, 1000);
	assert_int_equal(expire(), 500000000);
}

static void expire__deadline_past_the_end_of_time__is_never(void **state)
{
	(void)state;
	now = UINT64_MAX - 1000;
	program(0, 0, 0);
	assert_true(expire() == HV_NEVER_DUE);
	program(0, 2, 0);
	assert_true(expire() == HV_NEVER_DUE);
	now = UINT64_MAX - 500000000;
	program(0, 2, 2);
	assert_true(expire() != HV_NEVER_DUE);
}

/* ---- IRQ 0 ---- */

static void irq0__after_reset__is_low_and_nothing_is_due(void **state)
{
	(void)state;
	assert_true(expire() == HV_NEVER_DUE);
	program(0, 2, 1000);
	assert_true(line);
	pit8254_ops.reset(&pit);
	assert_false(line);
	line = true; /* whatever it was */
	pit8254_gate_ops.reset(&pit);
	assert_false(line);
	assert_true(expire() == HV_NEVER_DUE);
	assert_int_equal(in(0), 0);
	assert_int_equal(status(0), LOW | NULL_COUNT);
	assert_int_equal(status(1), LOW | NULL_COUNT);
}

static void irq0__mode_0__rises_once_at_the_terminal_count(void **state)
{
	(void)state;
	at(100);
	program(0, 0, 1000);
	assert_false(line);
	assert_int_equal(expire(), ns(1100));
	now = ns(1100) - 1;
	(void)expire();
	assert_false(line);
	now++;
	assert_true(expire() == HV_NEVER_DUE);
	assert_true(line);
	at(70000);
	(void)expire();
	assert_int_equal(rises, 1);
	outb(CONTROL, COUNTER(0) | BOTH | MODE(0));
	assert_false(line);
}

static void irq0__periodic__rises_each_period(void **state)
{
	(void)state;
	for (unsigned mode = 2; mode <= 3; mode++) {
		uint64_t start = 1000000 * (uint64_t)mode;

		at(start);
		program(0, mode, 1193);
		rises = 0;
		for (unsigned i = 1; i <= 10; i++) {
			uint64_t due = expire();

			assert_int_equal(due, ns(start + 1193 * i));
			assert_int_equal(rises, i - 1);
			now = due;
			(void)expire();
			assert_int_equal(rises, i);
			assert_true(line);
		}
	}
}

static void irq0__new_count__is_the_next_periods(void **state)
{
	(void)state;
	program(0, 2, 1193);
	at(100);
	count_write(0, 2000);
	assert_int_equal(expire(), ns(1193));
	at(1193);
	assert_int_equal(expire(), ns(1193 + 2000));
}

static void irq0__looked_at_late__is_one_rise_and_keeps_its_phase(void **state)
{
	(void)state;
	program(0, 2, 1193);
	rises = 0;
	at(1193 * 50 + 7);
	assert_int_equal(expire(), ns(1193 * 51));
	assert_int_equal(rises, 1);
}

static void a6_irq0__tiny_counts__rise_no_more_often_than_the_least_period(void **state)
{
	(void)state;
	for (unsigned mode = 2; mode <= 3; mode++) {
		for (unsigned count = 1; count <= 119; count += 59) {
			uint64_t end;

			now += 10 * PIT8254_PERIOD_MIN;
			program(0, mode, count);
			end = now + 20 * PIT8254_PERIOD_MIN;
			rises = 0;
			for (uint64_t due = expire(); due <= end; due = expire()) {
				assert_true(due > now);
				now = due;
				(void)expire();
			}
			assert_in_range(rises, 15, 20);
		}
	}
}

static void irq0__mode_4__is_a_strobe(void **state)
{
	(void)state;
	program(0, 4, 1000);
	assert_true(line);
	rises = 0;
	assert_int_equal(expire(), ns(1001));
	at(1000);
	(void)expire();
	assert_false(line);
	at(1001);
	assert_true(expire() == HV_NEVER_DUE);
	assert_true(line);
	assert_int_equal(rises, 1);
}

static void irq0__modes_that_need_a_gates_edge__never_begin(void **state)
{
	(void)state;
	for (unsigned mode = 1; mode <= 5; mode += 4) {
		program(0, mode, 1000);
		assert_true(expire() == HV_NEVER_DUE);
		assert_true(line);
		now += 1000000000;
		assert_int_equal(status(0) & NULL_COUNT, NULL_COUNT);
	}
}

/* ---- counts and outputs by mode, on counter 2 whose gate can move ---- */

static void mode_0__out_is_low_until_zero_and_the_count_goes_on(void **state)
{
	(void)state;
	gate_out(1);
	outb(CONTROL, COUNTER(2) | BOTH | MODE(0));
	assert_false(is_out(2));
	count_write(2, 100);
	assert_int_equal(count_read(2), 100);
	at(99);
	assert_int_equal(count_read(2), 1);
	assert_false(is_out(2));
	at(100);
	assert_int_equal(count_read(2), 0);
	assert_true(is_out(2));
	at(101);
	assert_int_equal(count_read(2), 0xffff);
	at(100 + 65536);
	assert_int_equal(count_read(2), 0);
	assert_true(is_out(2));
	count_write(2, 50); /* starts again */
	assert_false(is_out(2));
	at(150 + 65536);
	assert_true(is_out(2));
}

static void mode_0__gate_low__holds_the_count(void **state)
{
	(void)state;
	program(2, 0, 100); /* the gate is low since reset */
	at(1000);
	assert_int_equal(count_read(2), 100);
	assert_false(is_out(2));
	gate_out(1);
	at(1040);
	gate_out(0);
	at(5000);
	assert_int_equal(count_read(2), 60);
	gate_out(0); /* no edge */
	gate_out(1);
	gate_out(1);
	at(5059);
	assert_false(is_out(2));
	at(5060);
	assert_true(is_out(2));
}

static void mode_1__gate_begins_and_begins_again(void **state)
{
	(void)state;
	outb(CONTROL, COUNTER(2) | BOTH | MODE(1));
	gate_out(1); /* there is no count yet */
	gate_out(0);
	assert_true(is_out(2));
	count_write(2, 100);
	assert_true(is_out(2));
	assert_int_equal(count_read(2), 0);
	at(10);
	gate_out(1);
	assert_false(is_out(2));
	at(50);
	gate_out(0); /* goes on */
	assert_int_equal(count_read(2), 60);
	count_write(2, 30); /* for the next time */
	at(60);
	gate_out(1);
	assert_int_equal(count_read(2), 30);
	at(89);
	assert_false(is_out(2));
	at(90);
	assert_true(is_out(2));
	gate_out(0);
	gate_out(1); /* again, with the same count */
	assert_int_equal(count_read(2), 30);
}

static void mode_2__out_is_low_in_the_last_tick_of_a_period(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 2, 10);
	for (uint64_t tick = 0; tick < 35; tick++) {
		at(tick);
		assert_int_equal(count_read(2), 10 - tick % 10);
		assert_int_equal(is_out(2), tick % 10 != 9);
	}
}

static void mode_2__gate_low__out_is_high_and_its_rise_begins_a_period(void **state)
{
	(void)state;
	program(2, 2, 10);
	assert_true(is_out(2));
	at(3);
	gate_out(1);
	at(12); /* its last tick */
	assert_false(is_out(2));
	gate_out(0);
	assert_true(is_out(2));
	at(77);
	assert_int_equal(count_read(2), 1);
	gate_out(1);
	assert_int_equal(count_read(2), 10);
	count_write(2, 20);
	gate_out(0);
	gate_out(1); /* a new count comes with the gate */
	assert_int_equal(count_read(2), 20);
}

static void mode_2__new_count__comes_at_the_end_of_the_period(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 2, 10);
	at(25);
	count_write(2, 100);
	assert_int_equal(status(2) & NULL_COUNT, NULL_COUNT);
	assert_int_equal(count_read(2), 5);
	at(29);
	assert_int_equal(count_read(2), 1);
	assert_false(is_out(2));
	at(30);
	assert_int_equal(count_read(2), 100);
	assert_int_equal(status(2) & NULL_COUNT, 0);
	at(135);
	assert_int_equal(count_read(2), 95);
}

static void mode_3__square_wave_of_even_and_odd_counts(void **state)
{
	static const unsigned even[] = {6, 4, 2, 6, 4, 2}, odd[] = {6, 4, 2, 0, 6, 4, 2};

	(void)state;
	gate_out(1);
	program(2, 3, 6);
	for (uint64_t tick = 0; tick < 24; tick++) {
		at(tick);
		assert_int_equal(count_read(2), even[tick % 6]);
		assert_int_equal(is_out(2), tick % 6 < 3);
	}
	at(70);
	program(2, 3, 7);
	for (uint64_t tick = 0; tick < 28; tick++) {
		at(70 + tick);
		assert_int_equal(count_read(2), odd[tick % 7]);
		assert_int_equal(is_out(2), tick % 7 < 4);
	}
	at(104);
	gate_out(0);
	assert_true(is_out(2));
}

static void mode_4__out_is_low_for_one_tick_after_the_count(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 4, 10);
	for (uint64_t tick = 0; tick < 30; tick++) {
		at(tick);
		assert_int_equal(is_out(2), tick != 10);
		assert_int_equal(count_read(2), (uint16_t)(10 - tick));
	}
}

static void mode_5__as_mode_4_when_the_gate_says_so(void **state)
{
	(void)state;
	program(2, 5, 10);
	at(100);
	assert_true(is_out(2));
	gate_out(1);
	at(109);
	gate_out(0);
	assert_true(is_out(2));
	at(110);
	assert_false(is_out(2));
	at(111);
	assert_true(is_out(2));
}

static void a6_modes_6_and_7__are_2_and_3(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 6, 10);
	at(9);
	assert_false(is_out(2));
	assert_int_equal(status(2) & 0x3f, BOTH | MODE(6));
	at(20);
	program(2, 7, 10);
	at(25);
	assert_false(is_out(2));
}

static void a6_count__0_and_1__are_65536_and_1(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 2, 0);
	assert_int_equal(count_read(2), 0);
	at(1);
	assert_int_equal(count_read(2), 0xffff);
	at(65535);
	assert_false(is_out(2));
	at(65536);
	assert_int_equal(count_read(2), 0);
	assert_true(is_out(2));
	program(2, 2, 1);
	outb(CONTROL, COUNTER(2) | BOTH | MODE(2));
	count_write(2, 1);
	assert_false(is_out(2));
	assert_int_equal(count_read(2), 1);
	program(2, 3, 1);
	assert_true(is_out(2));
	assert_int_equal(count_read(2), 0);
	program(2, 0, 1);
	assert_false(is_out(2));
	at(65537);
	assert_true(is_out(2));
}

static void a6_bcd__counts_in_decimal_whatever_the_digits(void **state)
{
	(void)state;
	gate_out(1);
	outb(CONTROL, COUNTER(2) | BOTH | MODE(0) | BCD);
	count_write(2, 0x1234);
	assert_int_equal(count_read(2), 0x1234);
	at(35);
	assert_int_equal(count_read(2), 0x1199);
	at(1235);
	assert_int_equal(count_read(2), 0x9999);
	count_write(2, 0);
	assert_int_equal(count_read(2), 0);
	at(1236);
	assert_int_equal(count_read(2), 0x9999);
	count_write(2, 0xffff); /* 16665 */
	assert_int_equal(count_read(2), 0x6665);
	at(1236 + 16665);
	assert_true(is_out(2));
}

/* ---- reading and writing ---- */

static void access__one_byte__is_that_half(void **state)
{
	(void)state;
	gate_out(1);
	outb(CONTROL, COUNTER(2) | LOW | MODE(2));
	outb(2, 0x45);
	assert_int_equal(in(2), 0x45);
	assert_int_equal(in(2), 0x45);
	outb(CONTROL, COUNTER(2) | HIGH | MODE(2));
	outb(2, 0x45);
	assert_int_equal(in(2), 0x45);
	at(1);
	assert_int_equal(in(2), 0x44);
	outb(CONTROL, COUNTER(2));
	at(0x4500);
	assert_int_equal(in(2), 0x44);
	assert_int_equal(in(2), 0x45); /* the latch has been read */
}

static void access__two_bytes__count_begins_with_the_second(void **state)
{
	(void)state;
	gate_out(1);
	outb(CONTROL, COUNTER(2) | BOTH | MODE(0));
	outb(2, 0x34);
	assert_int_equal(status(2) & NULL_COUNT, NULL_COUNT);
	at(50);
	outb(2, 0x12);
	assert_int_equal(count_read(2), 0x1234);
	outb(2, 0x99); /* half of the next one */
	outb(CONTROL, COUNTER(2) | BOTH | MODE(0));
	count_write(2, 0x5678); /* a control word forgets it */
	assert_int_equal(count_read(2), 0x5678);
}

static void a6_latch__twice__keeps_the_first_until_it_is_read(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 0, 0x1234);
	at(0x34);
	outb(CONTROL, COUNTER(2));
	at(0x135);
	outb(CONTROL, COUNTER(2));
	assert_int_equal(in(2), 0x00);
	at(0x300);
	assert_int_equal(in(2), 0x12);
	assert_int_equal(count_read(2), 0x0f34);
}

static void a6_latch__between_two_bytes__the_second_comes_from_it(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 0, 0x1234);
	assert_int_equal(in(2), 0x34);
	at(0x1000);
	outb(CONTROL, COUNTER(2));
	at(0x1200);
	assert_int_equal(in(2), 0x02);
	assert_int_equal(count_read(2), 0x0034);
}

static void read_back__status_comes_before_the_count(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 2, 0x1234);
	program(1, 3, 0x5678);
	outb(CONTROL, READ_BACK | ON(1) | ON(2));
	at(0x100);
	outb(CONTROL, READ_BACK | ON(1) | ON(2)); /* nothing new until they are read */
	assert_int_equal(in(2), OUT | BOTH | MODE(2));
	assert_int_equal(count_read(2), 0x1234);
	assert_int_equal(in(1), OUT | BOTH | MODE(3));
	assert_int_equal(count_read(1), 0x5678);
	assert_int_equal(count_read(2), 0x1134);
}

static void read_back__only_what_it_asks_for(void **state)
{
	(void)state;
	program(0, 2, 0x1234);
	program(1, 2, 0x1234);
	outb(CONTROL, READ_BACK | NO_STATUS | ON(0));
	at(4);
	assert_int_equal(count_read(0), 0x1234);
	assert_int_equal(count_read(1), 0x1230);
	outb(CONTROL, READ_BACK | NO_STATUS | NO_COUNT | ON(0) | ON(1));
	at(8);
	assert_int_equal(count_read(0), 0x122c);
	outb(CONTROL, READ_BACK | 1); /* no counter */
	assert_int_equal(count_read(1), 0x122c);
}

static void a6_control_port__read__is_zero(void **state)
{
	(void)state;
	program(0, 2, 0x1234);
	assert_int_equal(in(CONTROL), 0);
}

static void access__wider_than_a_byte__is_raz_wi(void **state)
{
	const struct hv_dev_ops *const ops[] = {&pit8254_ops, &pit8254_gate_ops};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(ops); i++) {
		struct hv_access access = {.data = 0x0101, .size = 2, .write = true};

		assert_true(ops[i]->access(&pit, &access));
		access = (struct hv_access){.data = 0x1111, .size = 2};
		assert_true(ops[i]->access(&pit, &access));
		assert_int_equal(access.data, 0);
	}
	assert_int_equal(in(0), 0);
	assert_int_equal(gate_in() & 1, 0);
}

/* ---- port 0x61 ---- */

static void port_61__bits__are_gate_speaker_refresh_and_output(void **state)
{
	(void)state;
	assert_int_equal(gate_in(), 0); /* mode 0: the output is low */
	gate_out(0xff);
	assert_int_equal(gate_in(), 0x03);
	gate_out(0x02);
	assert_int_equal(gate_in(), 0x02);
	gate_out(0x01);
	program(2, 0, 20);
	now = 15084;
	assert_int_equal(gate_in() & 0x10, 0);
	now = 15085;
	assert_int_equal(gate_in() & 0x10, 0x10);
	at(19);
	assert_int_equal(gate_in() & 0x20, 0);
	at(20);
	assert_int_equal(gate_in() & 0x20, 0x20);
}

static void port_61__count_that_waits_for_a_period__is_seen_there(void **state)
{
	(void)state;
	gate_out(1);
	program(2, 2, 10);
	count_write(2, 100);
	at(19); /* 9 into the new period */
	assert_int_equal(gate_in() & 0x20, 0x20);
	at(109);
	assert_int_equal(gate_in() & 0x20, 0);
}

/* ---- against one that ticks ---- */

struct ticking {
	unsigned mode, count, next;
	bool gate, running, out, loaded, strobed;
	unsigned left; /* of the count, of the period, or of the half of it */
	bool high;     /* mode 3: which half */
};

static void ticking_load(struct ticking *t)
{
	t->count = t->next;
	t->running = true;
	t->strobed = false;
	t->high = true;
	t->left = t->mode == 3 ? (t->count + 1) / 2 : t->count;
	t->out = t->mode != 0 && t->mode != 1;
}

static void ticking_control(struct ticking *t, unsigned mode)
{
	*t = (struct ticking){.mode = mode, .gate = t->gate, .out = mode != 0};
}

static void ticking_write(struct ticking *t, unsigned count)
{
	t->next = count;
	if (t->mode == 0 || t->mode == 4 || ((t->mode == 2 || t->mode == 3) && !t->running)) {
		ticking_load(t);
	}
	t->loaded = true;
}

static void ticking_gate(struct ticking *t, bool gate)
{
	if (gate && !t->gate && t->loaded && t->mode != 0 && t->mode != 4) {
		ticking_load(t);
	}
	if (!gate && (t->mode == 2 || t->mode == 3)) {
		t->out = true;
	}
	t->gate = gate;
}

static void ticking_tick(struct ticking *t)
{
	bool is_held = !t->gate && t->mode != 1 && t->mode != 5;

	if (!t->running || is_held) {
		return;
	}
	switch (t->mode) {
	case 0:
	case 1:
		t->left -= t->left != 0;
		t->out = t->left == 0;
		break;
	case 2:
		if (--t->left == 0) {
			ticking_load(t);
		}
		t->out = t->left != 1;
		break;
	case 3:
		if (--t->left == 0) {
			t->high = !t->high;
			t->left = t->count / 2;
			if (t->high) {
				ticking_load(t);
			}
		}
		t->out = t->high;
		break;
	default:
		t->out = true;
		if (t->left != 0 && --t->left == 0) {
			t->out = false;
		}
		break;
	}
}

static uint64_t seed;

static unsigned below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

static void random_step(struct ticking *t, unsigned n)
{
	unsigned count = 2 + below(40);

	switch (below(16)) {
	case 0: {
		unsigned mode = below(6);

		outb(CONTROL, COUNTER(n) | BOTH | MODE(mode));
		ticking_control(t, mode);
		break;
	}
	case 1:
	case 2:
		count_write(n, count);
		ticking_write(t, count);
		break;
	case 3:
	case 4: {
		bool gate = below(3) != 0;

		if (n == 2) {
			gate_out(gate);
			ticking_gate(t, gate);
		}
		break;
	}
	default: break;
	}
}

static void a6_counters__random_programs__equal_one_that_ticks(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15ull;
	for (unsigned program = 0; program < 300; program++) {
		unsigned n = below(3);
		struct ticking t = {.gate = n != 2};
		uint64_t tick = (uint64_t)program * 100000;

		pit8254_ops.reset(&pit);
		outb(CONTROL, COUNTER(n) | BOTH | MODE(0));
		for (unsigned i = 0; i < 300; i++) {
			at(tick + i);
			random_step(&t, n);
			assert_int_equal(is_out(n), t.out);
			ticking_tick(&t);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pit_test(ticks__first_nanosecond__is_exact_for_hundreds_of_years),
		pit_test(expire__deadline_past_the_end_of_time__is_never),
		pit_test(irq0__after_reset__is_low_and_nothing_is_due),
		pit_test(irq0__mode_0__rises_once_at_the_terminal_count),
		pit_test(irq0__periodic__rises_each_period),
		pit_test(irq0__new_count__is_the_next_periods),
		pit_test(irq0__looked_at_late__is_one_rise_and_keeps_its_phase),
		pit_test(a6_irq0__tiny_counts__rise_no_more_often_than_the_least_period),
		pit_test(irq0__mode_4__is_a_strobe),
		pit_test(irq0__modes_that_need_a_gates_edge__never_begin),
		pit_test(mode_0__out_is_low_until_zero_and_the_count_goes_on),
		pit_test(mode_0__gate_low__holds_the_count),
		pit_test(mode_1__gate_begins_and_begins_again),
		pit_test(mode_2__out_is_low_in_the_last_tick_of_a_period),
		pit_test(mode_2__gate_low__out_is_high_and_its_rise_begins_a_period),
		pit_test(mode_2__new_count__comes_at_the_end_of_the_period),
		pit_test(mode_3__square_wave_of_even_and_odd_counts),
		pit_test(mode_4__out_is_low_for_one_tick_after_the_count),
		pit_test(mode_5__as_mode_4_when_the_gate_says_so),
		pit_test(a6_modes_6_and_7__are_2_and_3),
		pit_test(a6_count__0_and_1__are_65536_and_1),
		pit_test(a6_bcd__counts_in_decimal_whatever_the_digits),
		pit_test(access__one_byte__is_that_half),
		pit_test(access__two_bytes__count_begins_with_the_second),
		pit_test(a6_latch__twice__keeps_the_first_until_it_is_read),
		pit_test(a6_latch__between_two_bytes__the_second_comes_from_it),
		pit_test(read_back__status_comes_before_the_count),
		pit_test(read_back__only_what_it_asks_for),
		pit_test(a6_control_port__read__is_zero),
		pit_test(access__wider_than_a_byte__is_raz_wi),
		pit_test(port_61__bits__are_gate_speaker_refresh_and_output),
		pit_test(port_61__count_that_waits_for_a_period__is_seen_there),
		pit_test(a6_counters__random_programs__equal_one_that_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
