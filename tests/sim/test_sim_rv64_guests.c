/* SPDX-License-Identifier: MIT */
/* riscv64 guests that judge themselves, and how their runs end. */
#include "sim_kit_rv64.h"

#define DETERMINISTIC true

static void passes(const char *guest, bool deterministic)
{
	kit.cfg.deterministic = deterministic;
	kit_run_rv64(guest);
	kit_all_passed();
}

#define BOTH_CLOCKS(guest)                                                                         \
	static void rv64_##guest##__both_clocks__all_pass(void **state)                            \
	{                                                                                          \
		passes(#guest ".elf", false);                                                      \
		(void)kit_teardown(state);                                                         \
		(void)kit_setup_rv64(state);                                                       \
		passes(#guest ".elf", DETERMINISTIC);                                              \
	}

BOTH_CLOCKS(hello)
BOTH_CLOCKS(simple_hv)
BOTH_CLOCKS(calls)
BOTH_CLOCKS(timer)
BOTH_CLOCKS(irq)
BOTH_CLOCKS(naps)
BOTH_CLOCKS(mmu)
BOTH_CLOCKS(chatter)
BOTH_CLOCKS(clock)
BOTH_CLOCKS(mmio)
BOTH_CLOCKS(traps)
BOTH_CLOCKS(fp)
BOTH_CLOCKS(x23_poison)
BOTH_CLOCKS(isa)

/* SBI's HSM, IPIs and fences, LR and SC, timers among harts that take turns. */
static void rv64_smp__several_harts_and_both_clocks__all_pass(void **state)
{
	static const uint16_t harts[] = {1, 2, 4, HV_VCPUS};

	for (size_t i = 0; i < 2 * sizeof(harts) / sizeof(harts[0]); i++) {
		(void)kit_setup_rv64(state);
		kit.guest.cpus = harts[i / 2];
		passes("smp.elf", i % 2);
		(void)kit_teardown(state);
	}
	(void)kit_setup_rv64(state);
}

/* Stores to code, FENCE.I, and the remote one: among harts, and where memory comes at its first
 * use. */
static void rv64_code__several_harts_and_both_clocks__all_pass(void **state)
{
	for (int i = 0; i < 8; i++) {
		(void)kit_setup_rv64(state);
		kit.guest.cpus = i & 1 ? 2 : 1;
		kit.guest.lazy_ram = i & 2;
		passes("code.elf", i & 4);
		(void)kit_teardown(state);
	}
	(void)kit_setup_rv64(state);
}

static void give_flash(size_t size)
{
	uint8_t *flash = calloc(1, size);

	assert_non_null(flash);
	memcpy(flash, "pfld", 4);
	kit.guest.flash = (struct hv_blob){.data = flash, .size = size};
}

static void rv64_flash__image_given__reads_it_and_cannot_write(void **state)
{
	(void)state;
	give_flash(5000); /* not a multiple of a page */
	passes("flash.elf", DETERMINISTIC);
}

static void rv64_demo__flash_given__shows_everything(void **state)
{
	(void)state;
	give_flash(4096);
	kit_run_rv64("demo.elf");
	assert_int_equal(kit.report.end, SIM_OFF);
	assert_true(kit_said("worker1 [0]\n"));
	assert_true(kit_said("worker2 [256]\nMulti-task(Preemptible) ok!\n"
			     "got 0x646c6670\nGot pflash magic: pfld\nShutdown vm normally!\n"));
}

static void rv64_lazy__ram_is_lazy__an_exit_for_each_block(void **state)
{
	(void)state;
	kit.guest.lazy_ram = true;
	passes("lazy.elf", DETERMINISTIC);
	assert_in_range(kit.report.stats.exits[HV_EXIT_MEM], 2, KIT_RAM_SIZE / HV_MIB(2));
}

static void rv64_lazy__ram_is_not__no_such_exit(void **state)
{
	(void)state;
	passes("lazy.elf", DETERMINISTIC);
	assert_int_equal(kit.report.stats.exits[HV_EXIT_MEM], 0);
}

/*
 * A root table that came with the image, in a block that nothing else has touched: to the emulated
 * hart a table that it cannot read is a page fault.
 */
static void rv64_lazy__table_is_in_an_untouched_block__is_found(void **state)
{
	enum { TABLE = 0x200000, SIZE = 0x201000 };
	static const uint32_t code[] = {
		0x00100293, /* li t0, 1 */
		0x03f29293, /* slli t0, t0, 63 */
		0x00080337, /* lui t1, 0x80 */
		0x40030313, /* addi t1, t1, 0x400: the table's page */
		0x0062e2b3, /* or t0, t0, t1 */
		0x18029073, /* csrw satp, t0 */
		0x12000073, /* sfence.vma */
		0x0040006f, /* j to the next */
		0x00800893, /* li a7, 8: SBI's legacy shutdown */
		0x00000073, /* ecall */
	};
	const uint64_t leaf = 0x80000000ull >> 2 | 0xcf;
	uint8_t *image = calloc(1, SIZE);

	(void)state;
	assert_non_null(image);
	memcpy(image, code, sizeof(code));
	memcpy(image + TABLE + (0x80000000ull >> 30) * sizeof(leaf), &leaf, sizeof(leaf));
	kit.guest.kernel = (struct hv_blob){.data = image, .size = SIZE};
	for (int lazy = 0; lazy < 2; lazy++) {
		kit.guest.lazy_ram = lazy;
		kit_again();
		assert_int_equal(kit.report.end, SIM_OFF);
		assert_int_equal(kit.report.stats.exits[HV_EXIT_MEM], lazy ? 2 : 0);
	}
}

/*
 * Its vector is nowhere in its own tables: each exception is the cause of the next, and no block of
 * code ever runs. Time passes nevertheless.
 */
static void rv64_end__every_exception_faults_again__timeout(void **state)
{
	enum { TABLE = 0x1000, SIZE = 0x2000 };
	static const uint32_t code[] = {
		0x400002b7, /* lui t0, 0x40000 */
		0x10529073, /* csrw stvec, t0 */
		0x00100293, /* li t0, 1 */
		0x03f29293, /* slli t0, t0, 63 */
		0x00080337, /* lui t1, 0x80 */
		0x20130313, /* addi t1, t1, 0x201: the table's page */
		0x0062e2b3, /* or t0, t0, t1 */
		0x18029073, /* csrw satp, t0 */
		0x12000073, /* sfence.vma */
		0x00000000, /* illegal */
	};
	const uint64_t leaf = 0x80000000ull >> 2 | 0xcf;

	for (int deterministic = 0; deterministic < 2; deterministic++) {
		uint8_t *image = calloc(1, SIZE);

		(void)kit_setup_rv64(state);
		assert_non_null(image);
		memcpy(image, code, sizeof(code));
		memcpy(image + TABLE + (0x80000000ull >> 30) * sizeof(leaf), &leaf, sizeof(leaf));
		kit.guest.kernel = (struct hv_blob){.data = image, .size = SIZE};
		kit.cfg.deterministic = deterministic;
		kit.cfg.timeout_s = 0.5;
		kit_again();
		assert_int_equal(kit.report.end, SIM_TIMEOUT);
		(void)kit_teardown(state);
	}
	(void)kit_setup_rv64(state);
}

static void rv64_deterministic__same_guest_twice__same_bytes_exits_and_blocks(void **state)
{
	static const struct {
		const char *name;
		uint16_t harts;
	} guests[] = {{"timer.elf", 1}, {"irq.elf", 1}, {"clock.elf", 1}, {"smp.elf", 4},
		{"code.elf", 2}};
	static char first[sizeof(kit.said)];

	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct sim_report report;

		(void)kit_setup_rv64(state);
		kit.guest.cpus = guests[i].harts;
		passes(guests[i].name, DETERMINISTIC);
		memcpy(first, kit.said, sizeof(first));
		report = kit.report;
		kit_again();
		kit_all_passed();
		assert_string_equal(kit.said, first);
		assert_int_equal(kit.report.blocks, report.blocks);
		assert_memory_equal(&kit.report.stats, &report.stats, sizeof(report.stats));
		(void)kit_teardown(state);
	}
	(void)kit_setup_rv64(state);
}

static void rv64_block_clock__guest_waits_an_hour__host_does_not(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 20;
	passes("hour.elf", DETERMINISTIC);
}

/* ---- ends ---- */

static void rv64_end__guest_resets__is_reboot(void **state)
{
	(void)state;
	kit_run_rv64("reboot.elf");
	assert_int_equal(kit.report.end, SIM_REBOOT);
	assert_true(kit_said("REBOOTING"));
}

static void rv64_end__guest_never_ends__timeout(void **state)
{
	for (int deterministic = 0; deterministic < 2; deterministic++) {
		(void)kit_setup_rv64(state);
		kit.cfg.deterministic = deterministic;
		kit.cfg.timeout_s = 0.5;
		kit_run_rv64("spin.elf");
		assert_int_equal(kit.report.end, SIM_TIMEOUT);
		assert_true(kit_said("SPINNING"));
		(void)kit_teardown(state);
	}
	(void)kit_setup_rv64(state);
}

static void rv64_end__guest_sleeps_for_ever__timeout(void **state)
{
	(void)state;
	kit.cfg.timeout_s = 0.5;
	kit_run_rv64("echo.elf"); /* waits for input, and there is none */
	assert_int_equal(kit.report.end, SIM_TIMEOUT);
	assert_true(kit_said("READY"));
	assert_true(kit.report.idle_s > 0);
}

static void rv64_end__guest_crashes__reason_and_registers(void **state)
{
	(void)state;
	kit_run_rv64("crash.elf");
	assert_int_equal(kit.report.end, SIM_CRASH);
	assert_true(kit_said("CRASHING"));
	assert_string_equal(kit.report.error, "its exception vector is not in memory");
	assert_non_null(strstr(kit.report.dump, "s3  0x0000000000001919"));
	assert_non_null(strstr(kit.report.dump, "pc  0x0000000018000000"));
}

static void rv64_after_a_crash__next_run__is_not_touched_by_it(void **state)
{
	kit_run_rv64("crash.elf");
	(void)kit_teardown(state);
	(void)kit_setup_rv64(state);
	passes("hello.elf", DETERMINISTIC);
}

static void rv64_not_started__tree_is_none__says_what(void **state)
{
	static const char none[] = "no tree at all, but long enough for the header of one";

	(void)state;
	kit.guest.kernel = kit_file("riscv64/hello.elf");
	kit.guest.dtb = (struct hv_blob){.data = none, .size = sizeof(none)};
	kit_again();
	assert_int_equal(kit.report.end, SIM_NOT_STARTED);
	assert_string_equal(kit.report.load_error.input, "dtb");
}

static void rv64_not_started__machine_that_cannot_be__says_why(void **state)
{
	(void)state;
	kit.guest.kernel = kit_file("riscv64/hello.elf");
	kit.guest.cpus = HV_VCPUS + 1;
	kit_again();
	assert_int_equal(kit.report.end, SIM_NOT_STARTED);
	assert_non_null(strstr(kit.report.error, "many CPUs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test_rv64(rv64_hello__both_clocks__all_pass),
		kit_test_rv64(rv64_simple_hv__both_clocks__all_pass),
		kit_test_rv64(rv64_calls__both_clocks__all_pass),
		kit_test_rv64(rv64_timer__both_clocks__all_pass),
		kit_test_rv64(rv64_irq__both_clocks__all_pass),
		kit_test_rv64(rv64_naps__both_clocks__all_pass),
		kit_test_rv64(rv64_mmu__both_clocks__all_pass),
		kit_test_rv64(rv64_chatter__both_clocks__all_pass),
		kit_test_rv64(rv64_clock__both_clocks__all_pass),
		kit_test_rv64(rv64_mmio__both_clocks__all_pass),
		kit_test_rv64(rv64_traps__both_clocks__all_pass),
		kit_test_rv64(rv64_fp__both_clocks__all_pass),
		kit_test_rv64(rv64_x23_poison__both_clocks__all_pass),
		kit_test_rv64(rv64_isa__both_clocks__all_pass),
		kit_test_rv64(rv64_smp__several_harts_and_both_clocks__all_pass),
		kit_test_rv64(rv64_code__several_harts_and_both_clocks__all_pass),
		kit_test_rv64(rv64_flash__image_given__reads_it_and_cannot_write),
		kit_test_rv64(rv64_demo__flash_given__shows_everything),
		kit_test_rv64(rv64_lazy__ram_is_lazy__an_exit_for_each_block),
		kit_test_rv64(rv64_lazy__ram_is_not__no_such_exit),
		kit_test_rv64(rv64_lazy__table_is_in_an_untouched_block__is_found),
		kit_test_rv64(rv64_deterministic__same_guest_twice__same_bytes_exits_and_blocks),
		kit_test_rv64(rv64_block_clock__guest_waits_an_hour__host_does_not),
		kit_test_rv64(rv64_end__guest_resets__is_reboot),
		kit_test_rv64(rv64_end__guest_never_ends__timeout),
		kit_test_rv64(rv64_end__every_exception_faults_again__timeout),
		kit_test_rv64(rv64_end__guest_sleeps_for_ever__timeout),
		kit_test_rv64(rv64_end__guest_crashes__reason_and_registers),
		kit_test_rv64(rv64_after_a_crash__next_run__is_not_touched_by_it),
		kit_test_rv64(rv64_not_started__tree_is_none__says_what),
		kit_test_rv64(rv64_not_started__machine_that_cannot_be__says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
