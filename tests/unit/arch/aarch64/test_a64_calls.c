/* SPDX-License-Identifier: MIT */
/* Drydock's own calls. */
#include "a64_kit.h"

#include <arch/aarch64/smccc.h>

static struct hv_chan chan;
static struct hv_lock lock;
static enum hv_verdict verdict;

static int setup(void **state)
{
	chan = (struct hv_chan){0};
	lock = HV_LOCK_INIT(HV_LOCK_DEV);
	if (kit_setup(state) != 0) {
		return -1;
	}
	kit.vm->console = (struct hv_call_console){&chan, &lock};
	return 0;
}

/* HVC #0; all registers but x0 stay (H10). */
static int64_t call(uint32_t fn, uint64_t a1, uint64_t a2)
{
	uint64_t *x = kit.vcpu->regs.x;

	x[0] = fn;
	x[1] = a1;
	x[2] = a2;
	verdict = kit_trap(kit_esr(0x16, 0));
	assert_int_equal(x[1], a1);
	assert_int_equal(x[2], a2);
	kit_registers_but(7);
	return (int64_t)x[0];
}

static void said(const char *text)
{
	uint8_t byte;

	for (; *text; text++) {
		assert_true(hv_ring_get(&chan.to_host, &byte));
		assert_int_equal(byte, *text);
	}
	assert_false(hv_ring_get(&chan.to_host, &byte));
}

static void features__every_call__has_its_bit(void **state)
{
	(void)state;
	assert_int_equal(call(DRYDOCK_FEATURES, 0, 0), 0xf);
	assert_int_equal(verdict, HV_RESUME);
}

static void h2_putchar__dirty_upper_bits__one_byte(void **state)
{
	(void)state;
	assert_int_equal(call(DRYDOCK_PUTCHAR, 0xdeadbeef00000100 | 'A', 0), 1);
	said("A");
}

static void write__text__reaches_the_console(void **state)
{
	(void)state;
	memcpy(kit_ram + 0x100, "dock", 4);
	assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM + 0x100, 4), 4);
	assert_int_equal(verdict, HV_RESUME);
	said("dock");
	assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM, 0), 0);
	said("");
}

/* Memory that the guest itself has not touched yet is memory all the same. */
static void write__lazy_memory__reaches_the_console(void **state)
{
	(void)state;
	memcpy(kit_small[0], "lazy", 4);
	assert_int_equal(call(DRYDOCK_WRITE, KIT_LAZY, 4), 4);
	said("lazy");
}

static void h8_write__both_sides_of_each_bound__all_or_nothing(void **state)
{
	static const struct {
		uint64_t at, size;
	} bad[] = {
		{KIT_RAM, HV_CALL_WRITE + 1},
		{KIT_RAM, UINT64_MAX},
		{KIT_RAM, HV_BIT(32)},
		{KIT_RAM + KIT_RAM_SIZE - 4, 5},
		{KIT_RAM - 1, 2},
		{KIT_DEV, 1},
		{KIT_NOTHING, 1},
		{UINT64_MAX, 2},
		{0, 1},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(
			call(DRYDOCK_WRITE, bad[i].at, bad[i].size), SMCCC_INVALID_PARAMETER);
		assert_int_equal(verdict, HV_RESUME);
	}
	said("");
	assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM, HV_CALL_WRITE), HV_CALL_WRITE);
	assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM + KIT_RAM_SIZE - 4, 4), 4);
}

static void u4_write__console_is_not_read__says_how_much_it_took(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_RING_SIZE / HV_CALL_WRITE; i++) {
		assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM, HV_CALL_WRITE), HV_CALL_WRITE);
	}
	assert_int_equal(call(DRYDOCK_WRITE, KIT_RAM, 3), 0);
	assert_int_equal(call(DRYDOCK_PUTCHAR, 'x', 0), 0);
}

static void exit__zero__is_a_power_off(void **state)
{
	(void)state;
	call(DRYDOCK_EXIT, HV_BIT(32), 0); /* H2: the code has 32 bits */
	assert_int_equal(verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

static void exit__other__is_a_crash_with_that_code(void **state)
{
	(void)state;
	call(DRYDOCK_EXIT, 42, 0);
	assert_int_equal(verdict, HV_CRASH);
	assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
	assert_int_equal(kit.vm->crash.info[0], 42);
}

#define call_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		call_test(features__every_call__has_its_bit),
		call_test(h2_putchar__dirty_upper_bits__one_byte),
		call_test(write__text__reaches_the_console),
		call_test(write__lazy_memory__reaches_the_console),
		call_test(h8_write__both_sides_of_each_bound__all_or_nothing),
		call_test(u4_write__console_is_not_read__says_how_much_it_took),
		call_test(exit__zero__is_a_power_off),
		call_test(exit__other__is_a_crash_with_that_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
