/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_dev.h>
#include <hv/bus.h>

static struct hv_bus bus;
static struct fake_dev dev[3];
static struct hv_lock dev_lock;

static enum hv_status add(uint64_t base, uint64_t size, struct fake_dev *to)
{
	const struct hv_region region = {
		.base = GPA(base), .size = size, .ops = &fake_dev_ops, .dev = to};

	return hv_bus_add(&bus, &region);
}

/* Two neighbours at 0x1000 and 0x2000, and one further up. */
static int setup(void **state)
{
	unit_setup(state);
	memset(&bus, 0, sizeof(bus));
	memset(dev, 0, sizeof(dev));
	dev_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	return add(0x2000, 0x1000, &dev[1]) || add(0x8000, 0x100, &dev[2]) ||
	       add(0x1000, 0x1000, &dev[0]);
}

static int setup_empty(void **state)
{
	unit_setup(state);
	memset(&bus, 0, sizeof(bus));
	memset(dev, 0, sizeof(dev));
	dev_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	return 0;
}

static void bus_add__any_order__is_sorted(void **state)
{
	(void)state;
	assert_int_equal(bus.count, 3);
	assert_int_equal(bus.region[0].base.v, 0x1000);
	assert_int_equal(bus.region[1].base.v, 0x2000);
	assert_int_equal(bus.region[2].base.v, 0x8000);
}

static void bus_add__empty_or_wrapping__is_invalid(void **state)
{
	(void)state;
	assert_int_equal(add(0x4000, 0, &dev[0]), HV_ERR_INVALID);
	assert_int_equal(add(UINT64_MAX, 2, &dev[0]), HV_ERR_INVALID);
	assert_int_equal(add(0x4000, UINT64_MAX, &dev[0]), HV_ERR_INVALID);
	/* The last byte of the address space has no end that could be said. */
	assert_int_equal(add(UINT64_MAX, 1, &dev[0]), HV_ERR_INVALID);
	assert_int_equal(bus.count, 3);
	assert_int_equal(add(UINT64_MAX - 1, 1, &dev[0]), HV_OK);
}

static void bus_add__no_ops_or_half_of_them__is_invalid(void **state)
{
	const struct hv_dev_ops none = {.name = "none"};
	const struct hv_dev_ops no_reset = {.name = "no reset", .access = fake_dev_ops.access};
	struct hv_region region = {.base = GPA(0x4000), .size = 1};

	(void)state;
	assert_int_equal(hv_bus_add(&bus, &region), HV_ERR_INVALID);
	region.ops = &none;
	assert_int_equal(hv_bus_add(&bus, &region), HV_ERR_INVALID);
	region.ops = &no_reset;
	assert_int_equal(hv_bus_add(&bus, &region), HV_ERR_INVALID);
	assert_int_equal(bus.count, 3);
}

static void bus_add__shares_one_byte__overlaps(void **state)
{
	struct hv_bus before = bus;

	(void)state;
	assert_int_equal(add(0x0fff, 2, &dev[0]), HV_ERR_OVERLAP);
	assert_int_equal(add(0x2fff, 1, &dev[0]), HV_ERR_OVERLAP);
	assert_int_equal(add(0x1800, 0x10, &dev[0]), HV_ERR_OVERLAP);
	assert_int_equal(add(0, 0x10000, &dev[0]), HV_ERR_OVERLAP);
	assert_int_equal(add(0x7fff, 2, &dev[0]), HV_ERR_OVERLAP);
	assert_memory_equal(&bus, &before, sizeof(bus));
	assert_int_equal(add(0x0fff, 1, &dev[0]), HV_OK);
	assert_int_equal(add(0x3000, 0x5000, &dev[0]), HV_OK);
	assert_int_equal(add(0x8100, 1, &dev[0]), HV_OK);
}

static void bus_add__table_full__is_refused(void **state)
{
	struct hv_bus before;

	(void)state;
	for (unsigned i = 0; i < HV_BUS_REGIONS; i++) {
		assert_int_equal(add(0x1000 * (uint64_t)i, 0x1000, &dev[0]), HV_OK);
	}
	before = bus;
	assert_int_equal(add(0x1000000, 0x1000, &dev[0]), HV_ERR_FULL);
	assert_memory_equal(&bus, &before, sizeof(bus));
	for (unsigned i = 0; i < HV_BUS_REGIONS; i++) {
		assert_ptr_equal(
			hv_bus_find(&bus, 0x1000 * (uint64_t)i + 0xfff, 1), &bus.region[i]);
	}
}

static void bus_find__nothing_on_the_bus__is_null(void **state)
{
	(void)state;
	assert_null(hv_bus_find(&bus, 0, 1));
	assert_null(hv_bus_find(&bus, UINT64_MAX, 8));
}

static void bus_find__first_and_last_byte__is_the_region_and_neighbours_are_not(void **state)
{
	(void)state;
	assert_null(hv_bus_find(&bus, 0xfff, 1));
	assert_ptr_equal(hv_bus_find(&bus, 0x1000, 1), &bus.region[0]);
	assert_ptr_equal(hv_bus_find(&bus, 0x1fff, 1), &bus.region[0]);
	assert_ptr_equal(hv_bus_find(&bus, 0x2000, 1), &bus.region[1]);
	assert_ptr_equal(hv_bus_find(&bus, 0x2fff, 1), &bus.region[1]);
	assert_null(hv_bus_find(&bus, 0x3000, 1));
	assert_null(hv_bus_find(&bus, 0x7fff, 1));
	assert_ptr_equal(hv_bus_find(&bus, 0x80ff, 1), &bus.region[2]);
	assert_null(hv_bus_find(&bus, 0x8100, 1));
	assert_null(hv_bus_find(&bus, UINT64_MAX, 1));
}

static void bus_find__same_region_again__is_found_by_the_last_hit(void **state)
{
	(void)state;
	hv_bus_find(&bus, 0x8000, 4);
	assert_ptr_equal(bus.last, &bus.region[2]);
	assert_ptr_equal(hv_bus_find(&bus, 0x8004, 4), &bus.region[2]);
	assert_ptr_equal(bus.last, &bus.region[2]);
	/* A miss does not spoil the guess. */
	assert_null(hv_bus_find(&bus, 0x9000, 4));
	assert_ptr_equal(bus.last, &bus.region[2]);
}

static void d4_bus_find__straddles_a_devices_end_or_two_devices__is_null(void **state)
{
	static const uint8_t sizes[] = {2, 4, 8};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes); i++) {
		uint8_t size = sizes[i];

		for (uint64_t over = 1; over < size; over++) {
			/* From the first into the second; out of the second; out of the last. */
			assert_null(hv_bus_find(&bus, 0x2000 - over, size));
			assert_null(hv_bus_find(&bus, 0x3000 - over, size));
			assert_null(hv_bus_find(&bus, 0x8100 - over, size));
			/* Into the first from below. */
			assert_null(hv_bus_find(&bus, 0x1000 - over, size));
			/* The same after the guess was right. */
			assert_non_null(hv_bus_find(&bus, 0x2000 - size, size));
			assert_null(hv_bus_find(&bus, 0x2000 - over, size));
			/* Around the end of the address space. */
			assert_null(hv_bus_find(&bus, UINT64_MAX - over + 1, size));
		}
	}
}

static void d4_bus_access__straddles__reaches_no_device(void **state)
{
	struct hv_access access = {.size = 8, .data = 0x55};

	(void)state;
	assert_false(hv_bus_access(&bus, 0x1ffc, &access));
	assert_int_equal(dev[0].accesses, 0);
	assert_int_equal(dev[1].accesses, 0);
	assert_int_equal(access.data, 0x55);
}

static void d4_bus_port__small_regions__found_and_never_straddled(void **state)
{
	const struct hv_region region = {
		.base = GPA(0x70), .size = 2, .ops = &fake_dev_ops, .dev = &dev[0]};
	struct hv_bus ports = {0};

	(void)state;
	assert_int_equal(hv_bus_add(&ports, &region), HV_OK);
	dev[0].answer = 0x5a;
	for (unsigned i = 0; i < 3; i++) { /* the first one searches */
		struct hv_access access = {.size = 1};

		assert_int_equal(hv_bus_port(&ports, 0x71, &access), HV_ANSWER_DONE);
		assert_int_equal(access.data, 0x5a);
		assert_int_equal(dev[0].last.off, 1);
		access = (struct hv_access){.size = 2};
		assert_int_equal(hv_bus_port(&ports, 0x70, &access), HV_ANSWER_DONE);
		assert_int_equal(hv_bus_port(&ports, 0x71, &access), HV_ANSWER_NONE);
		assert_int_equal(hv_bus_port(&ports, 0x6f, &access), HV_ANSWER_NONE);
		access.size = 4;
		assert_int_equal(hv_bus_port(&ports, 0x70, &access), HV_ANSWER_NONE);
	}
	assert_int_equal(dev[0].accesses, 6);
}

static void bus_access__read__device_sees_offset_and_gives_data(void **state)
{
	struct hv_access access = {.size = 4, .cpu = 3};

	(void)state;
	dev[1].answer = 0x12345678;
	assert_true(hv_bus_access(&bus, 0x2ffc, &access));
	assert_int_equal(access.data, 0x12345678);
	assert_int_equal(dev[1].accesses, 1);
	assert_int_equal(dev[1].last.off, 0xffc);
	assert_int_equal(dev[1].last.size, 4);
	assert_int_equal(dev[1].last.cpu, 3);
	assert_false(dev[1].last.write);
	assert_int_equal(dev[0].accesses + dev[2].accesses, 0);
}

static void bus_access__write__device_sees_data(void **state)
{
	struct hv_access access = {.size = 8, .write = true, .data = 0x1122334455667788};

	(void)state;
	assert_true(hv_bus_access(&bus, 0x8000, &access));
	assert_true(dev[2].last.write);
	assert_int_equal(dev[2].last.data, 0x1122334455667788);
	assert_int_equal(dev[2].last.off, 0);
}

static void bus_access__device_refuses__is_false(void **state)
{
	struct hv_access access = {.size = 4};

	(void)state;
	dev[0].refuse = true;
	assert_false(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].accesses, 1);
}

static void add_locked(uint64_t base, struct fake_dev *to, const struct hv_dev_ops *ops)
{
	const struct hv_region region = {
		.base = GPA(base), .size = 0x1000, .ops = ops, .dev = to, .lock = &dev_lock};

	assert_int_equal(hv_bus_add(&bus, &region), HV_OK);
}

static void bus_ops__region_with_a_lock__hold_it_and_give_it_back(void **state)
{
	struct hv_access access = {.size = 4, .write = true};

	(void)state;
	add_locked(0x1000, &dev[0], &fake_timer_ops);
	dev[0].due = 7;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].locks_held, 1);
	dev[0].locks_held = 9;
	hv_bus_expire(&bus, 7);
	assert_int_equal(dev[0].locks_held, 1);
	dev[0].locks_held = 9;
	hv_bus_poll(&bus);
	assert_int_equal(dev[0].locks_held, 1);
	dev[0].locks_held = 9;
	hv_bus_reset(&bus);
	assert_int_equal(dev[0].locks_held, 1);
	assert_int_equal(fake_port.locks_held, 0);
	dev[0].refuse = true;
	assert_false(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(fake_port.locks_held, 0);
}

static void bus_access__no_lock_in_the_region__takes_none(void **state)
{
	struct hv_access access = {.size = 4, .write = true};

	(void)state;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	hv_bus_reset(&bus);
	assert_int_equal(fake_port.lock_count, 0);
}

static void bus_access__device_with_expire__sees_now_and_is_asked_after_a_write_only(void **state)
{
	struct hv_access access = {.size = 4, .write = true};

	(void)state;
	add_locked(0x1000, &dev[0], &fake_timer_ops);
	assert_int_equal(hv_bus_due(&bus), HV_NEVER_DUE);
	fake_port.now = 5000;
	dev[0].due = 6000;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].last.now, 5000);
	assert_int_equal(dev[0].expires, 1);
	assert_int_equal(dev[0].expired_at, 5000);
	assert_int_equal(hv_bus_due(&bus), 6000);
	access.write = false;
	fake_port.now = 5001;
	dev[0].due = 1;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].last.now, 5001);
	assert_int_equal(dev[0].expires, 1);
	access.write = true;
	dev[0].refuse = true;
	assert_false(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].expires, 1);
	assert_int_equal(hv_bus_due(&bus), 6000);
}

static void bus_access__device_without_expire__asks_no_clock(void **state)
{
	struct hv_access access = {.size = 4, .write = true};

	(void)state;
	fake_port.now = 77;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	assert_int_equal(dev[0].last.now, 0);
	assert_int_equal(dev[0].expires, 0);
}

static void bus_expire__around_a_deadline__fires_at_it_and_not_before(void **state)
{
	struct hv_access access = {.size = 4, .write = true};

	(void)state;
	add_locked(0x1000, &dev[0], &fake_timer_ops);
	add_locked(0x2000, &dev[1], &fake_timer_ops);
	dev[0].due = 100;
	dev[1].due = 200;
	assert_true(hv_bus_access(&bus, 0x1000, &access));
	assert_true(hv_bus_access(&bus, 0x2000, &access));
	assert_int_equal(hv_bus_due(&bus), 100);
	assert_int_equal(hv_bus_expire(&bus, 99), 100);
	assert_int_equal(dev[0].expires, 1);
	dev[0].due = 300;
	assert_int_equal(hv_bus_expire(&bus, 100), 200);
	assert_int_equal(dev[0].expires, 2);
	assert_int_equal(dev[0].expired_at, 100);
	assert_int_equal(dev[1].expires, 1);
	dev[0].due = dev[1].due = HV_NEVER_DUE;
	assert_int_equal(hv_bus_expire(&bus, 1000), HV_NEVER_DUE);
	assert_int_equal(dev[0].expires, 3);
	assert_int_equal(dev[1].expires, 2);
}

static void bus_expire__end_of_time__asks_no_device_that_cannot_expire(void **state)
{
	(void)state;
	assert_int_equal(hv_bus_expire(&bus, UINT64_MAX), HV_NEVER_DUE);
	assert_int_equal(dev[0].expires, 0);
}

static void bus_poll__asks_who_can_be_polled_and_its_next_deadline(void **state)
{
	(void)state;
	add_locked(0x4000, &dev[0], &fake_timer_ops);
	fake_port.now = 40;
	dev[0].due = 50;
	hv_bus_poll(&bus);
	assert_int_equal(dev[0].polls, 1);
	assert_int_equal(dev[0].expired_at, 40);
	assert_int_equal(hv_bus_due(&bus), 50);
	assert_int_equal(dev[1].polls, 0);
}

static void bus_reset__resets_every_device_and_its_deadline(void **state)
{
	(void)state;
	add_locked(0x4000, &dev[0], &fake_timer_ops);
	dev[0].due = 50;
	hv_bus_poll(&bus);
	dev[0].due = HV_NEVER_DUE;
	hv_bus_reset(&bus);
	/* dev[0] is in two regions here. */
	assert_int_equal(dev[0].resets, 2);
	assert_int_equal(dev[1].resets, 1);
	assert_int_equal(dev[2].resets, 1);
	assert_int_equal(hv_bus_due(&bus), HV_NEVER_DUE);
}

#define test_on(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, unit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(bus_add__any_order__is_sorted, setup),
		test_on(bus_add__empty_or_wrapping__is_invalid, setup),
		test_on(bus_add__no_ops_or_half_of_them__is_invalid, setup),
		test_on(bus_add__shares_one_byte__overlaps, setup),
		test_on(bus_add__table_full__is_refused, setup_empty),
		test_on(bus_find__nothing_on_the_bus__is_null, setup_empty),
		test_on(bus_find__first_and_last_byte__is_the_region_and_neighbours_are_not, setup),
		test_on(bus_find__same_region_again__is_found_by_the_last_hit, setup),
		test_on(d4_bus_find__straddles_a_devices_end_or_two_devices__is_null, setup),
		test_on(d4_bus_access__straddles__reaches_no_device, setup),
		test_on(d4_bus_port__small_regions__found_and_never_straddled, setup),
		test_on(bus_access__read__device_sees_offset_and_gives_data, setup),
		test_on(bus_access__write__device_sees_data, setup),
		test_on(bus_access__device_refuses__is_false, setup),
		test_on(bus_ops__region_with_a_lock__hold_it_and_give_it_back, setup_empty),
		test_on(bus_access__no_lock_in_the_region__takes_none, setup),
		test_on(bus_access__device_with_expire__sees_now_and_is_asked_after_a_write_only,
			setup_empty),
		test_on(bus_access__device_without_expire__asks_no_clock, setup),
		test_on(bus_expire__around_a_deadline__fires_at_it_and_not_before, setup_empty),
		test_on(bus_expire__end_of_time__asks_no_device_that_cannot_expire, setup),
		test_on(bus_poll__asks_who_can_be_polled_and_its_next_deadline, setup),
		test_on(bus_reset__resets_every_device_and_its_deadline, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
