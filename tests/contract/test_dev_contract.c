/* SPDX-License-Identifier: MIT */
/*
 * What hv/dev.h asks of every device, in one list of checks that runs against each of them. A new
 * device adds a row to `devices`.
 */
#include <unit.h>

#include <dev/pflash/pflash.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <hv/bits.h>

#define GUARD 0xc5
#define LINES 64u
#define LINE  33u /* the one that a device with a line is wired to */

/* The device's memory, between bytes that nobody may touch. */
struct arena {
	uint8_t before[64];
	_Alignas(64) uint8_t dev[4096];
	uint8_t after[64];
};

struct row {
	const struct hv_dev_ops *ops;
	uint64_t window; /* bytes of its region that are tried */
	size_t state_size;
	bool has_line;
	void (*init)(void *dev);
};

static const struct row *row; /* that a check runs against */
static struct arena arena, twin;
static struct hv_chan chan;
static bool line[LINES];
static uint64_t seed, now;

static void on_line(void *ctl, uint32_t n, bool level)
{
	(void)ctl;
	assert_true(n < LINES);
	line[n] = level;
}

static const struct hv_irq pin = {on_line, NULL, LINE};

static void init_pl011(void *dev)
{
	pl011_init(dev, &chan, pin);
}

static void init_pl031(void *dev)
{
	pl031_init(dev, 1000, pin);
}

static void init_pflash(void *dev)
{
	static const uint8_t image[100] = {'p', 'f', 'l', 'd'};

	pflash_init(dev, image, sizeof(image));
}

static const struct row devices[] = {
	{&pl011_ops, 0x1000, sizeof(struct pl011), true, init_pl011},
	{&pl031_ops, 0x1000, sizeof(struct pl031), true, init_pl031},
	{&pflash_ops, 0x1000, sizeof(struct pflash), false, init_pflash},
};

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t mask_of(uint8_t size)
{
	return size == 8 ? UINT64_MAX : HV_BIT(8 * size) - 1;
}

/* One access as the bus would do it; checks what holds for all of them. */
static uint64_t touch(void *dev, uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = off, .data = data & mask_of(size), .now = now, .size = size, .write = write};
	uint8_t before[sizeof(arena.dev)];

	memcpy(before, dev, sizeof(before));
	if (!row->ops->access(dev, &access)) {
		assert_memory_equal(before, dev, sizeof(before));
		return 0;
	}
	assert_int_equal(access.data & ~mask_of(size), 0);
	if (write && row->ops->expire) {
		(void)row->ops->expire(dev, now);
	}
	return access.data;
}

static void for_each_access(void (*visit)(uint64_t off, uint8_t size))
{
	for (uint8_t size = 1; size <= 8; size = (uint8_t)(size * 2)) {
		for (uint64_t off = 0; off + size <= row->window; off++) {
			visit(off, size);
		}
	}
}

static void start(const struct row *of)
{
	assert_true(of->state_size <= sizeof(arena.dev));
	assert_true(of->ops->name && of->ops->access && of->ops->reset);
	row = of;
	seed = 88172645463325252ull;
	now = 0;
	chan = (struct hv_chan){0};
	memset(line, true, sizeof(line));
	memset(&arena, GUARD, sizeof(arena));
	memset(arena.dev, 0, row->state_size);
	row->init(arena.dev);
}

static void write_patterns(uint64_t off, uint8_t size)
{
	static const uint64_t patterns[] = {0, UINT64_MAX, 0xa5a5a5a5a5a5a5a5ull};

	for (size_t i = 0; i < HV_ARRAY_COUNT(patterns); i++) {
		touch(arena.dev, off, size, true, patterns[i]);
	}
	touch(arena.dev, off, size, true, random_u64());
	touch(arena.dev, off, size, false, UINT64_MAX);
	now += 500000000;
}

static void assert_nothing_else_was_touched(void)
{
	for (size_t i = 0; i < sizeof(arena.before); i++) {
		assert_int_equal(arena.before[i], GUARD);
		assert_int_equal(arena.after[i], GUARD);
	}
	for (size_t i = row->state_size; i < sizeof(arena.dev); i++) {
		assert_int_equal(arena.dev[i], GUARD);
	}
}

static void check_every_offset_size_and_direction_stays_inside(void)
{
	for_each_access(write_patterns);
	assert_nothing_else_was_touched();
}

static void read_twice(uint64_t off, uint8_t size)
{
	uint64_t first = touch(arena.dev, off, size, false, 0x5555555555555555ull);

	assert_true(first == touch(arena.dev, off, size, false, 0xaaaaaaaaaaaaaaaaull));
}

/* With nothing going on outside, a read gives a defined value (R2), the same each time. */
static void check_reads_are_stable_and_change_nothing(void)
{
	uint8_t before[sizeof(arena.dev)];

	memcpy(before, arena.dev, sizeof(before));
	for_each_access(read_twice);
	assert_memory_equal(before, arena.dev, sizeof(before));
}

static void check_init_and_reset_drive_every_line_low(void)
{
	assert_int_equal(line[LINE], !row->has_line);
	for_each_access(write_patterns);
	line[LINE] = true;
	row->ops->reset(arena.dev);
	assert_int_equal(line[LINE], !row->has_line);
}

/* After a reset the guest reads what it would read of a new device at the same time. */
static void check_reset_forgets_what_the_guest_wrote(void)
{
	for_each_access(write_patterns);
	row->ops->reset(arena.dev);
	memset(&twin, 0, sizeof(twin));
	row->init(twin.dev);
	for (uint64_t off = 0; off + 4 <= row->window; off += 4) {
		assert_int_equal(
			touch(arena.dev, off, 4, false, 0), touch(twin.dev, off, 4, false, 0));
	}
}

/* R6: no hidden input. The same accesses give the same answers and the same state. */
static void check_the_same_accesses_give_the_same_answers(void)
{
	memcpy(&twin, &arena, sizeof(twin));
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t size = (uint8_t)(1u << (random_u64() % 4));
		uint64_t off = random_u64() % (row->window - size + 1);
		bool write = random_u64() & 1;
		uint64_t data = random_u64();
		struct hv_chan left = chan;
		uint64_t answer = touch(arena.dev, off, size, write, data);

		chan = left;
		assert_true(answer == touch(twin.dev, off, size, write, data));
		now += random_u64() % 100000000;
	}
	assert_memory_equal(arena.dev, twin.dev, row->state_size);
}

static void check_poll_and_expire_with_nothing_to_do_change_no_line(void)
{
	if (row->ops->poll) {
		row->ops->poll(arena.dev);
	}
	if (row->ops->expire) {
		uint64_t due = row->ops->expire(arena.dev, now);

		assert_true(due > now);
		assert_true(due == row->ops->expire(arena.dev, now));
	}
	for (unsigned i = 0; i < LINES; i++) {
		assert_int_equal(line[i], i != LINE || !row->has_line);
	}
}

static void run(void (*check)(void))
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(devices); i++) {
		start(&devices[i]);
		check();
	}
}

static void u1_dev__every_offset_size_and_direction__stays_inside(void **state)
{
	(void)state;
	run(check_every_offset_size_and_direction_stays_inside);
}

static void dev__reads_with_nothing_going_on__are_stable_and_change_nothing(void **state)
{
	(void)state;
	run(check_reads_are_stable_and_change_nothing);
}

static void dev__init_and_reset__drive_every_line_low(void **state)
{
	(void)state;
	run(check_init_and_reset_drive_every_line_low);
}

static void dev__reset__forgets_what_the_guest_wrote(void **state)
{
	(void)state;
	run(check_reset_forgets_what_the_guest_wrote);
}

static void dev__same_accesses_twice__give_the_same_answers(void **state)
{
	(void)state;
	run(check_the_same_accesses_give_the_same_answers);
}

static void dev__poll_and_expire_with_nothing_to_do__change_no_line(void **state)
{
	(void)state;
	run(check_poll_and_expire_with_nothing_to_do_change_no_line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(u1_dev__every_offset_size_and_direction__stays_inside),
		hv_unit_test(dev__reads_with_nothing_going_on__are_stable_and_change_nothing),
		hv_unit_test(dev__init_and_reset__drive_every_line_low),
		hv_unit_test(dev__reset__forgets_what_the_guest_wrote),
		hv_unit_test(dev__same_accesses_twice__give_the_same_answers),
		hv_unit_test(dev__poll_and_expire_with_nothing_to_do__change_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
