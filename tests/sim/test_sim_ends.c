/* SPDX-License-Identifier: MIT */
/* How runs end, and runs that do not begin. */
#include "sim_kit.h"

static void end__guest_resets__is_reboot(void **state)
{
	(void)state;
	kit_run("reboot.elf");
	assert_int_equal(kit.report.end, SIM_REBOOT);
	assert_true(kit_said("REBOOTING"));
	assert_false(kit_said("FAIL"));
}

static void end__guest_never_ends__timeout(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 1;
	kit_run("spin.elf");
	assert_int_equal(kit.report.end, SIM_TIMEOUT);
	assert_true(kit_said("SPINNING"));
	assert_true(kit.report.wall_s >= 1);
}

static void end__guest_never_ends__timeout_with_block_clock(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 1;
	kit.cfg.deterministic = true;
	kit_run("spin.elf");
	assert_int_equal(kit.report.end, SIM_TIMEOUT);
}

static void end__guest_sleeps_for_ever__timeout(void **state)
{
	(void)state;
	for (int deterministic = 0; deterministic < 2; deterministic++) {
		kit_setup(state);
		kit.cfg.timeout_s = 1;
		kit.cfg.deterministic = deterministic;
		kit_run("echo.elf"); /* waits for input, and there is none */
		assert_int_equal(kit.report.end, SIM_TIMEOUT);
		assert_true(kit_said("READY"));
		assert_true(kit.report.idle_s > 0);
		kit_teardown(state);
	}
	kit_setup(state);
}

static void end__caller_has_seen_enough__ended_by_caller(void **state)
{
	(void)state;
	kit.until = "SPINNING";
	kit_run("spin.elf");
	assert_int_equal(kit.report.end, SIM_ENDED_BY_CALLER);
}

static void end__guest_crashes__reason_and_registers(void **state)
{
	(void)state;
	kit_run("crash.elf");
	assert_int_equal(kit.report.end, SIM_CRASH);
	assert_true(kit_said("CRASHING"));
	assert_string_equal(kit.report.error, "its exception vector is not in memory");
	assert_non_null(strstr(kit.report.dump, "x19 0x0000000000001919"));
	assert_non_null(strstr(kit.report.dump, "pc  0x000000000b000200"));
	assert_non_null(strstr(kit.report.dump, "vbar   0x000000000b000000"));
}

/* What the sim lacks ends the VM with a reason, never in silence. */
static void end__guest_goes_to_aarch32__crash_says_so(void **state)
{
	(void)state;
	kit_run("aarch32.elf");
	assert_int_equal(kit.report.end, SIM_CRASH);
	assert_non_null(strstr(kit.report.error, "AArch32"));
}

static void after_a_crash__next_run__is_not_touched_by_it(void **state)
{
	(void)state;
	kit_run("crash.elf");
	kit_teardown(state);
	kit_setup(state);
	kit_run("hello.elf");
	kit_all_passed();
}

static void not_started__kernel_is_broken__says_what(void **state)
{
	struct hv_blob whole = kit_file("hello.elf");

	(void)state;
	kit.guest.kernel = whole;
	kit.guest.kernel.size = 100; /* headers, but none of what they promise */
	kit_again();
	assert_int_equal(kit.report.end, SIM_NOT_STARTED);
	assert_string_equal(kit.report.load_error.input, "kernel");
	assert_non_null(kit.report.load_error.field);
	assert_int_equal(kit.said_size, 0);
}

static void not_started__for_a_reason_of_its_own(void (*spoil)(void), const char *word)
{
	kit_setup(NULL);
	kit.guest.kernel = kit_file("hello.elf");
	spoil();
	kit_again();
	assert_int_equal(kit.report.end, SIM_NOT_STARTED);
	assert_null(kit.report.load_error.input);
	assert_non_null(strstr(kit.report.error, word));
	kit_teardown(NULL);
}

static void nine_cpus(void)
{
	kit.guest.cpus = HV_VCPUS + 1;
}

static void too_much_memory(void)
{
	kit.guest.ram_size = HV_GIB(1) << 32;
}

static void half_a_page(void)
{
	kit.guest.ram_size += HV_PAGE_SIZE / 2;
}

static void large_flash(void)
{
	static const uint8_t byte;

	kit.guest.flash = (struct hv_blob){.data = &byte, .size = HV_MIB(65)};
}

static void not_started__machine_that_cannot_be__says_why(void **state)
{
	not_started__for_a_reason_of_its_own(nine_cpus, "many CPUs");
	not_started__for_a_reason_of_its_own(too_much_memory, "memory");
	not_started__for_a_reason_of_its_own(half_a_page, "memory");
	kit_setup(NULL);
	kit.guest.kernel = kit_file("hello.elf");
	large_flash();
	kit_again();
	kit.guest.flash = (struct hv_blob){0};
	assert_int_equal(kit.report.end, SIM_NOT_STARTED);
	assert_non_null(strstr(kit.report.error, "flash"));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(end__guest_resets__is_reboot),
		kit_test(end__guest_never_ends__timeout),
		kit_test(end__guest_never_ends__timeout_with_block_clock),
		kit_test(end__guest_sleeps_for_ever__timeout),
		kit_test(end__caller_has_seen_enough__ended_by_caller),
		kit_test(end__guest_crashes__reason_and_registers),
		kit_test(end__guest_goes_to_aarch32__crash_says_so),
		kit_test(after_a_crash__next_run__is_not_touched_by_it),
		kit_test(not_started__kernel_is_broken__says_what),
		kit_test(not_started__machine_that_cannot_be__says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
