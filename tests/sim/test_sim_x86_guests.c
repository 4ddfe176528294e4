/* SPDX-License-Identifier: MIT */
/* x86_64 guests that judge themselves, and how their runs end. */
#include "sim_kit_x86.h"

#define DETERMINISTIC true

static void passes(const char *guest, bool deterministic)
{
	kit.cfg.deterministic = deterministic;
	kit_run_x86(guest);
	kit_all_passed();
}

#define BOTH_CLOCKS(guest)                                                                         \
	static void x86_##guest##__both_clocks__all_pass(void **state)                             \
	{                                                                                          \
		passes(#guest ".elf", false);                                                      \
		(void)kit_teardown(state);                                                         \
		(void)kit_setup_x86(state);                                                        \
		passes(#guest ".elf", DETERMINISTIC);                                              \
	}

BOTH_CLOCKS(hello)
BOTH_CLOCKS(cpuid)
BOTH_CLOCKS(fp)
BOTH_CLOCKS(mmio)
BOTH_CLOCKS(mmu)
BOTH_CLOCKS(msr)
BOTH_CLOCKS(ports)
BOTH_CLOCKS(real)
BOTH_CLOCKS(x23_poison)
BOTH_CLOCKS(timer)
BOTH_CLOCKS(irq)
BOTH_CLOCKS(naps)
BOTH_CLOCKS(chatter)
BOTH_CLOCKS(clock)

/* Breakpoints of DR0 to DR3, and #GP for ports at CPL 3, do not happen here: docs/sim.md. */
static void x86_traps__both_clocks__all_but_what_unicorn_lacks_pass(void **state)
{
	static const char *const missing[] = {"FAIL a breakpoint", "FAIL on its instruction",
		"FAIL IN\n", "FAIL OUT\n", "FAIL INS\n"};

	for (int i = 0; i < 2; i++) {
		(void)kit_setup_x86(state);
		kit.cfg.deterministic = i;
		kit_run_x86("traps.elf");
		assert_int_equal(kit.report.end, SIM_OFF);
		for (size_t n = 0; n < sizeof(missing) / sizeof(missing[0]); n++) {
			char *at = strstr(kit.said, missing[n]);

			assert_non_null(at);
			memcpy(at, "gone", 4);
		}
		assert_true(kit_said("SOME FAILED"));
		assert_null(strstr(kit.said, "FAIL "));
		(void)kit_teardown(state);
	}
	(void)kit_setup_x86(state);
}

/* INIT and SIPI from real mode on, IPIs, NMIs, among CPUs that take turns. */
static void x86_smp__several_cpus_and_both_clocks__all_pass(void **state)
{
	static const uint16_t cpus[] = {1, 2, 4, HV_VCPUS};

	for (size_t i = 0; i < 2 * sizeof(cpus) / sizeof(cpus[0]); i++) {
		(void)kit_setup_x86(state);
		kit.guest.cpus = cpus[i / 2];
		passes("smp.elf", i % 2);
		(void)kit_teardown(state);
	}
	(void)kit_setup_x86(state);
}

static void give_flash(size_t size)
{
	uint8_t *flash = calloc(1, size);

	assert_non_null(flash);
	memcpy(flash, "pfld", 4);
	kit.guest.flash = (struct hv_blob){.data = flash, .size = size};
}

static void x86_flash__image_given__reads_it_and_cannot_write(void **state)
{
	(void)state;
	give_flash(5000); /* not a multiple of a page */
	passes("flash.elf", DETERMINISTIC);
}

static void x86_demo__flash_given__shows_everything(void **state)
{
	(void)state;
	give_flash(4096);
	kit_run_x86("demo.elf");
	assert_int_equal(kit.report.end, SIM_OFF);
	assert_true(kit_said("got 0x646c6670\nGot pflash magic: pfld\nShutdown vm normally!\n"));
}

static void x86_lazy__ram_is_lazy__an_exit_for_each_block(void **state)
{
	(void)state;
	kit.guest.lazy_ram = true;
	passes("lazy.elf", DETERMINISTIC);
	assert_in_range(kit.report.stats.exits[HV_EXIT_MEM], 2, KIT_RAM_SIZE / HV_MIB(2));
}

static void x86_lazy__ram_is_not__no_such_exit(void **state)
{
	(void)state;
	passes("lazy.elf", DETERMINISTIC);
	assert_int_equal(kit.report.stats.exits[HV_EXIT_MEM], 0);
}

static void x86_hello__flat_binary__starts_in_long_mode(void **state)
{
	(void)state;
	kit_run_x86("hello.bin");
	kit_all_passed();
}

static void x86_deterministic__twice__the_same_run(void **state)
{
	static char first[sizeof(kit.said)];
	struct sim_report was;

	(void)state;
	passes("timer.elf", DETERMINISTIC);
	memcpy(first, kit.said, sizeof(first));
	was = kit.report;
	kit_again();
	assert_string_equal(kit.said, first);
	assert_int_equal(kit.report.blocks, was.blocks);
	assert_memory_equal(&kit.report.stats, &was.stats, sizeof(was.stats));
}

/* ---- ends ---- */

static void x86_reboot__asked_for__ends_the_run(void **state)
{
	(void)state;
	kit_run_x86("reboot.elf");
	assert_int_equal(kit.report.end, SIM_REBOOT);
}

static void x86_crash__triple_fault__says_why_and_shows_registers(void **state)
{
	(void)state;
	kit_run_x86("crash.elf");
	assert_int_equal(kit.report.end, SIM_CRASH);
	assert_non_null(strstr(kit.report.error, "triple fault"));
	assert_non_null(strstr(kit.report.dump, "rip"));
}

static void x86_spin__time_limit__ends_the_run(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 0.2;
	kit_run_x86("spin.elf");
	assert_int_equal(kit.report.end, SIM_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test_x86(x86_hello__both_clocks__all_pass),
		kit_test_x86(x86_cpuid__both_clocks__all_pass),
		kit_test_x86(x86_fp__both_clocks__all_pass),
		kit_test_x86(x86_mmio__both_clocks__all_pass),
		kit_test_x86(x86_mmu__both_clocks__all_pass),
		kit_test_x86(x86_msr__both_clocks__all_pass),
		kit_test_x86(x86_ports__both_clocks__all_pass),
		kit_test_x86(x86_real__both_clocks__all_pass),
		kit_test_x86(x86_traps__both_clocks__all_but_what_unicorn_lacks_pass),
		kit_test_x86(x86_x23_poison__both_clocks__all_pass),
		kit_test_x86(x86_timer__both_clocks__all_pass),
		kit_test_x86(x86_irq__both_clocks__all_pass),
		kit_test_x86(x86_naps__both_clocks__all_pass),
		kit_test_x86(x86_chatter__both_clocks__all_pass),
		kit_test_x86(x86_clock__both_clocks__all_pass),
		kit_test_x86(x86_smp__several_cpus_and_both_clocks__all_pass),
		kit_test_x86(x86_flash__image_given__reads_it_and_cannot_write),
		kit_test_x86(x86_demo__flash_given__shows_everything),
		kit_test_x86(x86_lazy__ram_is_lazy__an_exit_for_each_block),
		kit_test_x86(x86_lazy__ram_is_not__no_such_exit),
		kit_test_x86(x86_hello__flat_binary__starts_in_long_mode),
		kit_test_x86(x86_deterministic__twice__the_same_run),
		kit_test_x86(x86_reboot__asked_for__ends_the_run),
		kit_test_x86(x86_crash__triple_fault__says_why_and_shows_registers),
		kit_test_x86(x86_spin__time_limit__ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
