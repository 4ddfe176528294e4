/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/ioapic/ioapic.h>
#include <hv/bits.h>

#define MODE(m) ((uint32_t)(m) << 8)

struct bench {
	struct ioapic ioapic;
	bool refuses; /* nobody takes a message */
	unsigned sent;
	uint32_t address, data; /* the last message */
};

static struct bench bench;

static bool on_deliver(void *lapics, uint32_t address, uint32_t data)
{
	assert_ptr_equal(lapics, &bench);
	assert_int_equal(fake_port.locks_held, 1);
	bench.sent++;
	bench.address = address;
	bench.data = data;
	return !bench.refuses;
}

static void start(uint8_t version)
{
	const struct ioapic_cfg cfg = {version, on_deliver, &bench};

	memset(&bench, 0, sizeof(bench));
	ioapic_init(&bench.ioapic, &cfg);
}

static int bench_setup(void **state)
{
	int status = unit_setup(state);

	start(0x20);
	return status;
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {.off = off, .data = data, .size = size, .write = write};

	assert_true(ioapic_ops.access(&bench.ioapic, &access));
	return access.data;
}

static uint32_t rd(uint32_t index)
{
	access(IOAPIC_SELECT, 4, true, index);
	return (uint32_t)access(IOAPIC_WINDOW, 4, false, 0xdeadbeefdeadbeefu);
}

static void wr(uint32_t index, uint32_t value)
{
	access(IOAPIC_SELECT, 4, true, index);
	access(IOAPIC_WINDOW, 4, true, value);
}

static uint32_t low(uint32_t pin)
{
	return rd(IOAPIC_ENTRY + 2 * pin);
}

static void low_set(uint32_t pin, uint32_t value)
{
	wr(IOAPIC_ENTRY + 2 * pin, value);
}

static void high_set(uint32_t pin, uint32_t value)
{
	wr(IOAPIC_ENTRY + 2 * pin + 1, value);
}

static void raise(uint32_t pin)
{
	ioapic_pin_set(&bench.ioapic, pin, true);
}

static void lower(uint32_t pin)
{
	ioapic_pin_set(&bench.ioapic, pin, false);
}

/* How many messages there were since the last time this was asked. */
static unsigned sent(void)
{
	unsigned count = bench.sent;

	bench.sent = 0;
	return count;
}

/* ---- registers ---- */

static void reset__every_pin__is_masked(void **state)
{
	(void)state;
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(low(pin), IOAPIC_MASKED);
		assert_int_equal(rd(IOAPIC_ENTRY + 2 * pin + 1), 0);
		raise(pin);
	}
	assert_int_equal(sent(), 0);
	low_set(3, 0x33);
	high_set(3, 0x01000000);
	wr(IOAPIC_ID, 0x0f000000);
	access(IOAPIC_SELECT, 4, true, 0x16);
	ioapic_ops.reset(&bench.ioapic);
	assert_int_equal(access(IOAPIC_SELECT, 4, false, 0), 0);
	assert_int_equal(low(3), IOAPIC_MASKED);
	assert_int_equal(rd(IOAPIC_ENTRY + 7), 0);
	assert_int_equal(rd(IOAPIC_ID), 0);
	low_set(3, IOAPIC_LEVEL | 0x33); /* its input is still active */
	assert_int_equal(sent(), 1);
}

static void registers__id_version_arbitration__are_as_specified(void **state)
{
	(void)state;
	assert_int_equal(rd(IOAPIC_VERSION), 0x00170020);
	wr(IOAPIC_VERSION, 0xffffffff);
	assert_int_equal(rd(IOAPIC_VERSION), 0x00170020);
	wr(IOAPIC_ID, 0xffffffff);
	assert_int_equal(rd(IOAPIC_ID), 0x0f000000);
	assert_int_equal(rd(IOAPIC_ARBITRATION), 0x0f000000);
	wr(IOAPIC_ARBITRATION, 0);
	assert_int_equal(rd(IOAPIC_ID), 0x0f000000);
	start(0x11);
	assert_int_equal(rd(IOAPIC_VERSION), 0x00170011);
}

static void entry__writable_bits__are_kept_and_no_others(void **state)
{
	(void)state;
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		low_set(pin, 0xffffffff);
		high_set(pin, 0xffffffff);
		assert_int_equal(low(pin), 0x1afff);
		assert_int_equal(rd(IOAPIC_ENTRY + 2 * pin + 1), 0xff000000);
	}
	low_set(5, 0);
	assert_int_equal(low(5), 0);
	assert_int_equal(rd(IOAPIC_ENTRY + 11), 0xff000000);
	assert_int_equal(low(4), 0x1afff);
}

static void a1_index__without_a_register__is_raz_wi(void **state)
{
	(void)state;
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		low_set(pin, IOAPIC_MASKED | pin);
	}
	for (uint32_t index = 3; index < 0x100; index++) {
		if (index >= 0x10 && index < 0x40) {
			continue;
		}
		wr(index, 0xffffffff);
		assert_int_equal(rd(index), 0);
	}
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(low(pin), IOAPIC_MASKED | pin);
	}
	wr(0x140, 0x55); /* only 8 bits are an index: 0x40 */
	assert_int_equal(rd(0x40), 0);
	assert_int_equal(rd(IOAPIC_ID), 0);
}

static void access__other_widths_and_offsets__are_raz_wi(void **state)
{
	static const struct {
		uint64_t off;
		uint8_t size;
	} rows[] = {{IOAPIC_WINDOW, 1}, {IOAPIC_WINDOW, 2}, {IOAPIC_WINDOW, 8},
		{IOAPIC_WINDOW + 1, 4}, {IOAPIC_WINDOW + 4, 4}, {0xff0, 4}};

	(void)state;
	low_set(0, IOAPIC_MASKED | 0x77);
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		access(rows[i].off, rows[i].size, true, 0x11);
		assert_int_equal(access(rows[i].off, rows[i].size, false, 0x11), 0);
	}
	assert_int_equal(low(0), IOAPIC_MASKED | 0x77);
	assert_int_equal(access(IOAPIC_SELECT, 4, false, 0), 0x10);
}

/* ---- messages ---- */

static void message__every_field__comes_from_the_entry(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 8; mode++) {
		high_set(2, 0xa5000000);
		low_set(2, IOAPIC_LOGICAL | IOAPIC_LOW | MODE(mode) | 0x5a);
		raise(2);
		assert_int_equal(sent(), 1);
		assert_int_equal(bench.address, 0xfeea5004);
		assert_int_equal(bench.data, 0x4000 | MODE(mode) | 0x5a);
		lower(2);
	}
	low_set(2, 0x30);
	raise(2);
	assert_int_equal(bench.address, 0xfeea5000);
	lower(2);
	low_set(2, IOAPIC_LEVEL | MODE(1) | 0x30);
	raise(2);
	assert_int_equal(bench.data, 0xc000 | MODE(1) | 0x30);
}

static void edge__each_rise__is_a_message(void **state)
{
	(void)state;
	low_set(23, 0x30);
	raise(23);
	raise(23);
	assert_int_equal(sent(), 1);
	lower(23);
	assert_int_equal(sent(), 0);
	raise(23);
	assert_int_equal(sent(), 1);
	assert_int_equal(low(23), 0x30);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), 0);
}

static void edge__masked__is_lost(void **state)
{
	(void)state;
	low_set(1, IOAPIC_MASKED | 0x30);
	raise(1);
	low_set(1, 0x30);
	assert_int_equal(sent(), 0);
	lower(1);
	raise(1);
	assert_int_equal(sent(), 1);
}

static void level__active__is_one_message_until_eoi(void **state)
{
	(void)state;
	low_set(9, IOAPIC_LEVEL | 0x30);
	raise(9);
	assert_int_equal(sent(), 1);
	assert_int_equal(low(9), IOAPIC_LEVEL | IOAPIC_REMOTE_IRR | 0x30);
	lower(9);
	raise(9);
	assert_int_equal(sent(), 0);
	ioapic_eoi(&bench.ioapic, 0x31); /* another one's */
	assert_int_equal(sent(), 0);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), 1);
	lower(9);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), 0);
	assert_int_equal(low(9), IOAPIC_LEVEL | 0x30);
}

static void level__unmasked_while_active__is_a_message(void **state)
{
	(void)state;
	low_set(9, IOAPIC_LEVEL | IOAPIC_MASKED | 0x30);
	raise(9);
	assert_int_equal(sent(), 0);
	low_set(9, IOAPIC_LEVEL | 0x30);
	assert_int_equal(sent(), 1);
	low_set(9, IOAPIC_LEVEL | IOAPIC_MASKED | 0x30);
	ioapic_eoi(&bench.ioapic, 0x30); /* ends also while masked */
	assert_int_equal(low(9), IOAPIC_LEVEL | IOAPIC_MASKED | 0x30);
	assert_int_equal(sent(), 0);
}

static void level__nobody_takes_it__has_no_remote_irr_and_is_tried_again(void **state)
{
	(void)state;
	bench.refuses = true;
	low_set(9, IOAPIC_LEVEL | 0x30);
	raise(9);
	assert_int_equal(sent(), 1);
	assert_int_equal(low(9), IOAPIC_LEVEL | 0x30);
	bench.refuses = false;
	low_set(9, IOAPIC_LEVEL | 0x31);
	assert_int_equal(sent(), 1);
	assert_int_equal(low(9), IOAPIC_LEVEL | IOAPIC_REMOTE_IRR | 0x31);
}

static void level__modes_without_an_end__are_edges(void **state)
{
	static const unsigned modes[] = {2, 4, 5, 7};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(modes); i++) {
		low_set(9, IOAPIC_LEVEL | MODE(modes[i]) | 0x30);
		raise(9);
		assert_int_equal(sent(), 1);
		assert_int_equal(bench.data & 0x8000, 0);
		assert_int_equal(low(9) & IOAPIC_REMOTE_IRR, 0);
		lower(9);
	}
}

static void eoi__several_pins_of_one_vector__all_end(void **state)
{
	(void)state;
	low_set(9, IOAPIC_LEVEL | 0x30);
	low_set(10, IOAPIC_LEVEL | 0x30);
	raise(9);
	raise(10);
	assert_int_equal(sent(), 2);
	lower(9);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), 1);
	assert_int_equal(low(9) & IOAPIC_REMOTE_IRR, 0);
	assert_true(low(10) & IOAPIC_REMOTE_IRR);
}

static void eoi_register__version_0x20__ends__0x11_has_none(void **state)
{
	(void)state;
	low_set(9, IOAPIC_LEVEL | 0x30);
	raise(9);
	access(IOAPIC_EOI, 4, true, 0x30);
	assert_int_equal(sent(), 2);
	assert_int_equal(access(IOAPIC_EOI, 4, false, 7), 0);
	start(0x11);
	low_set(9, IOAPIC_LEVEL | 0x30);
	raise(9);
	access(IOAPIC_EOI, 4, true, 0x30);
	assert_int_equal(sent(), 1);
}

static void a5_entry__changed_with_remote_irr_set__ends_by_the_new_vector_or_as_edge(void **state)
{
	(void)state;
	low_set(9, IOAPIC_LEVEL | 0x30);
	raise(9);
	low_set(9, IOAPIC_LEVEL | 0x40);
	assert_int_equal(sent(), 1);
	assert_true(low(9) & IOAPIC_REMOTE_IRR);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), 0);
	ioapic_eoi(&bench.ioapic, 0x40);
	assert_int_equal(sent(), 1);
	assert_true(low(9) & IOAPIC_REMOTE_IRR);
	low_set(9, IOAPIC_MASKED | 0x40); /* edge */
	assert_int_equal(low(9), IOAPIC_MASKED | 0x40);
	low_set(9, IOAPIC_LEVEL | 0x40);
	assert_int_equal(sent(), 1);
	low_set(9, IOAPIC_LEVEL | MODE(4)); /* NMI: as an edge */
	assert_int_equal(low(9) & IOAPIC_REMOTE_IRR, 0);
}

static void a5_eoi__every_pin_waiting__is_bounded_by_the_pins(void **state)
{
	(void)state;
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		low_set(pin, IOAPIC_LEVEL | 0x30);
		raise(pin);
	}
	assert_int_equal(sent(), IOAPIC_PINS);
	ioapic_eoi(&bench.ioapic, 0x30);
	assert_int_equal(sent(), IOAPIC_PINS);
}

static void pin__no_such_pin__is_ignored(void **state)
{
	(void)state;
	low_set(23, 0x30);
	raise(24);
	raise(UINT32_MAX);
	assert_int_equal(sent(), 0);
	assert_int_equal(bench.ioapic.lines, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(reset__every_pin__is_masked),
		bench_test(registers__id_version_arbitration__are_as_specified),
		bench_test(entry__writable_bits__are_kept_and_no_others),
		bench_test(a1_index__without_a_register__is_raz_wi),
		bench_test(access__other_widths_and_offsets__are_raz_wi),
		bench_test(message__every_field__comes_from_the_entry),
		bench_test(edge__each_rise__is_a_message),
		bench_test(edge__masked__is_lost),
		bench_test(level__active__is_one_message_until_eoi),
		bench_test(level__unmasked_while_active__is_a_message),
		bench_test(level__nobody_takes_it__has_no_remote_irr_and_is_tried_again),
		bench_test(level__modes_without_an_end__are_edges),
		bench_test(eoi__several_pins_of_one_vector__all_end),
		bench_test(eoi_register__version_0x20__ends__0x11_has_none),
		bench_test(
			a5_entry__changed_with_remote_irr_set__ends_by_the_new_vector_or_as_edge),
		bench_test(a5_eoi__every_pin_waiting__is_bounded_by_the_pins),
		bench_test(pin__no_such_pin__is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
