/* SPDX-License-Identifier: MIT */
/* Ports: whole, by bytes where they are of two devices or of none, and around the last one. */
#include "x86_kit.h"

#include <arch/x86_64/pio.h>

static void port__as_wide_as_it_comes__is_one_access(void **state)
{
	(void)state;
	kit.port.answer = 0x11223344;
	assert_int_equal(x86_port_read(kit.vcpu, KIT_PORT, 4), 0x11223344);
	x86_port_write(kit.vcpu, KIT_PORT + 4, 2, 0xabcd);
	assert_int_equal(kit.port.accesses, 2);
	assert_int_equal(kit.port.last.off, 4);
	assert_int_equal(kit.port.last.data, 0xabcd);
	assert_int_equal(exits(HV_EXIT_PIO), 2);
}

static void port__nobody_there__is_all_ones_and_swallows(void **state)
{
	(void)state;
	assert_int_equal(x86_port_read(kit.vcpu, 0x80, 1), 0xff);
	assert_int_equal(x86_port_read(kit.vcpu, 0xcf8, 4), 0xffffffff);
	x86_port_write(kit.vcpu, 0xcf8, 4, 0x80000000);
	kit.port.refuse = true;
	assert_int_equal(x86_port_read(kit.vcpu, KIT_PORT, 2), 0xffff);
	kit.r[X86_RAX] = 0x1122334455667788;
	x86_port_in(kit.vcpu, 0x80, 2);
	assert_int_equal(kit.r[X86_RAX], 0x112233445566ffff);
	x86_port_in(kit.vcpu, 0x80, 4);
	assert_int_equal(kit.r[X86_RAX], 0xffffffff);
}

static void d4_port__across_a_devices_end__is_bytes(void **state)
{
	(void)state;
	kit.port.answer = 0x42;
	assert_int_equal(x86_port_read(kit.vcpu, KIT_PORT + 6, 4), 0xffff4242);
	x86_port_write(kit.vcpu, KIT_PORT - 2, 4, 0x04030201);
	assert_int_equal(kit.port.last.off, 1);
	assert_int_equal(kit.port.last.data, 4);
	assert_int_equal(kit.port.accesses, 4);
}

/* Ports have 16 bits, of which all bytes are told. */
static void x22_port__0xffff_and_wider__wraps(void **state)
{
	const struct hv_region first = {
		.base = GPA(0), .size = 2, .ops = &fake_dev_ops, .dev = &kit.port};

	(void)state;
	assert_int_equal(hv_bus_add(&kit.vm->pio, &first), HV_OK);
	kit.port.answer = 0x42;
	assert_int_equal(x86_port_read(kit.vcpu, 0xffff, 4), 0xff4242ff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(port__as_wide_as_it_comes__is_one_access),
		kit_test(port__nobody_there__is_all_ones_and_swallows),
		kit_test(d4_port__across_a_devices_end__is_bytes),
		kit_test(x22_port__0xffff_and_wider__wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
