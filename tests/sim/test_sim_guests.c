/* SPDX-License-Identifier: MIT */
/* Guests that judge themselves, with the host's clock and with the count of blocks as theirs. */
#include "sim_kit.h"

static void passes(const char *guest, bool deterministic)
{
	kit.cfg.deterministic = deterministic;
	kit_run(guest);
	kit_all_passed();
}

#define BOTH_CLOCKS(guest)                                                                         \
	static void guest_##guest##__host_clock__all_pass(void **state)                            \
	{                                                                                          \
		(void)state;                                                                       \
		passes(#guest ".elf", false);                                                      \
	}                                                                                          \
	static void guest_##guest##__block_clock__all_pass(void **state)                           \
	{                                                                                          \
		(void)state;                                                                       \
		passes(#guest ".elf", true);                                                       \
	}

BOTH_CLOCKS(hello)
BOTH_CLOCKS(calls)
BOTH_CLOCKS(mmio)
BOTH_CLOCKS(traps)
BOTH_CLOCKS(timer)
BOTH_CLOCKS(naps)
BOTH_CLOCKS(fp)
BOTH_CLOCKS(gic)
BOTH_CLOCKS(mmu)
BOTH_CLOCKS(x23_poison)
BOTH_CLOCKS(code)

/* GICv2: its CPU interface is core's own, interrupts come by HCR_EL2.VI. */
static void guests_gic2__both_clocks__all_pass(void **state)
{
	static const char *const guests[] = {"gic.elf", "timer.elf", "naps.elf"};

	for (size_t i = 0; i < 2 * HV_ARRAY_COUNT(guests); i++) {
		kit_setup(state);
		kit.guest.gic = 2;
		passes(guests[i / 2], i % 2);
		kit_teardown(state);
	}
	kit_setup(state);
}

/* PSCI, SGIs, exclusives, timers, routed interrupts and TLB maintenance among CPUs that take turns.
 */
static void guest_smp__several_cpus_and_both_clocks__all_pass(void **state)
{
	static const uint16_t cpus[] = {1, 2, 4, HV_VCPUS};

	for (size_t i = 0; i < 2 * HV_ARRAY_COUNT(cpus); i++) {
		kit_setup(state);
		kit.guest.cpus = cpus[i / 2];
		passes("smp.elf", i % 2);
		kit_teardown(state);
	}
	kit_setup(state);
}

static void guest_smp_gic2__four_cpus__all_pass(void **state)
{
	(void)state;
	kit.guest.gic = 2;
	kit.guest.cpus = 4;
	passes("smp.elf", true);
}

static void guest_flash__image_given__reads_it_and_cannot_write(void **state)
{
	uint8_t *flash = malloc(5000); /* not a multiple of a page */

	(void)state;
	assert_non_null(flash);
	memcpy(flash, "pfld", 4);
	kit.guest.flash = (struct hv_blob){.data = flash, .size = 5000};
	passes("flash.elf", true);
}

static void give_flash(void)
{
	uint8_t *flash = malloc(4096);

	assert_non_null(flash);
	memset(flash, 0, 4096);
	memcpy(flash, "pfld", 4);
	kit.guest.flash = (struct hv_blob){.data = flash, .size = 4096};
}

static void guest_demo__flash_given__shows_everything(void **state)
{
	(void)state;
	for (int deterministic = 0; deterministic < 2; deterministic++) {
		kit_setup(state);
		give_flash();
		kit.cfg.deterministic = deterministic;
		kit_run("demo.elf");
		assert_int_equal(kit.report.end, SIM_OFF);
		assert_false(kit_said("not shown"));
		assert_true(kit_said("got 0x646c6670\nGot pflash magic: pfld\n"
				     "Shutdown vm normally!\n"));
		assert_int_equal(kit.report.stats.exits[HV_EXIT_MEM], 1); /* the flash's page */
		kit_teardown(state);
	}
	kit_setup(state);
}

/* The sim has no blocks (docs/sim.md): an exit for each page, of which the guest touches one in 16.
 */
static void guest_lazy__ram_is_lazy__an_exit_for_each_page_touched(void **state)
{
	(void)state;
	kit.guest.lazy_ram = true;
	passes("lazy.elf", true);
	assert_in_range(kit.report.stats.exits[HV_EXIT_MEM], 128, 150);
}

static void guest_lazy__ram_is_not__no_such_exit(void **state)
{
	(void)state;
	passes("lazy.elf", true);
	assert_int_equal(kit.report.stats.exits[HV_EXIT_MEM], 0);
}

static void guest_hello__flat_image__loads_where_it_is_told(void **state)
{
	(void)state;
	kit.guest.has_load_addr = true;
	kit.guest.load_addr = GPA(0x40080000);
	passes("hello.bin", true);
}

/* D-bytes, exits and blocks: all the same, whatever the host does meanwhile. */
static void deterministic__same_guest_twice__same_bytes_exits_and_blocks(void **state)
{
	static const struct {
		const char *name;
		uint16_t cpus;
	} guests[] = {{"timer.elf", 1}, {"gic.elf", 1}, {"clock.elf", 1}, {"smp.elf", 4}};
	static char first[sizeof(kit.said)];

	for (size_t i = 0; i < HV_ARRAY_COUNT(guests); i++) {
		struct sim_report report;

		kit_setup(state);
		kit.guest.cpus = guests[i].cpus;
		passes(guests[i].name, true);
		memcpy(first, kit.said, sizeof(first));
		report = kit.report;
		kit_again();
		kit_all_passed();
		assert_string_equal(kit.said, first);
		assert_int_equal(kit.report.blocks, report.blocks);
		assert_memory_equal(&kit.report.stats, &report.stats, sizeof(report.stats));
		kit_teardown(state);
	}
	kit_setup(state);
}

static void host_clock__guest_waits_a_while__host_waits_as_long(void **state)
{
	(void)state;
	passes("clock.elf", false);
	assert_true(kit.report.wall_s >= 0.05); /* as long as the guest says it waited */
	assert_true(kit.report.idle_s > 0);
	assert_true(kit.report.guest_s > 0 && kit.report.hypervisor_s > 0);
	assert_true(kit.report.guest_s + kit.report.idle_s <= kit.report.wall_s);
}

static void block_clock__guest_waits_an_hour__host_does_not(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 20;
	passes("hour.elf", true);
}

static void report__counts_exits_by_kind(void **state)
{
	(void)state;
	passes("calls.elf", true);
	assert_in_range(kit.report.stats.exits[HV_EXIT_CALL], 12, 20);
	assert_true(kit.report.stats.exits[HV_EXIT_MMIO] > 100); /* the console */
	assert_int_equal(kit.report.stats.exits[HV_EXIT_BAD], 0);
	assert_true(kit.report.blocks > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(guest_hello__host_clock__all_pass),
		kit_test(guest_hello__block_clock__all_pass),
		kit_test(guest_calls__host_clock__all_pass),
		kit_test(guest_calls__block_clock__all_pass),
		kit_test(guest_mmio__host_clock__all_pass),
		kit_test(guest_mmio__block_clock__all_pass),
		kit_test(guest_traps__host_clock__all_pass),
		kit_test(guest_traps__block_clock__all_pass),
		kit_test(guest_timer__host_clock__all_pass),
		kit_test(guest_timer__block_clock__all_pass),
		kit_test(guest_fp__host_clock__all_pass),
		kit_test(guest_fp__block_clock__all_pass),
		kit_test(guest_naps__host_clock__all_pass),
		kit_test(guest_naps__block_clock__all_pass),
		kit_test(guest_gic__host_clock__all_pass),
		kit_test(guest_gic__block_clock__all_pass),
		kit_test(guests_gic2__both_clocks__all_pass),
		kit_test(guest_smp_gic2__four_cpus__all_pass),
		kit_test(guest_mmu__host_clock__all_pass),
		kit_test(guest_mmu__block_clock__all_pass),
		kit_test(guest_x23_poison__host_clock__all_pass),
		kit_test(guest_x23_poison__block_clock__all_pass),
		kit_test(guest_smp__several_cpus_and_both_clocks__all_pass),
		kit_test(guest_flash__image_given__reads_it_and_cannot_write),
		kit_test(guest_code__host_clock__all_pass),
		kit_test(guest_code__block_clock__all_pass),
		kit_test(guest_demo__flash_given__shows_everything),
		kit_test(guest_lazy__ram_is_lazy__an_exit_for_each_page_touched),
		kit_test(guest_lazy__ram_is_not__no_such_exit),
		kit_test(guest_hello__flat_image__loads_where_it_is_told),
		kit_test(deterministic__same_guest_twice__same_bytes_exits_and_blocks),
		kit_test(host_clock__guest_waits_a_while__host_waits_as_long),
		kit_test(block_clock__guest_waits_an_hour__host_does_not),
		kit_test(report__counts_exits_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
