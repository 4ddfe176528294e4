/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/acpi_pm/acpi_pm.h>

#define S 1000000000ull /* ns */

struct bench {
	struct acpi_pm pm;
	bool off;
	unsigned pulses;
	uint64_t now;
};

static struct bench bench;

static void on_off(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	(void)line;
	b->off = level;
	b->pulses += level;
}

static int bench_setup(void **state)
{
	bench = (struct bench){.off = true};
	acpi_pm_init(&bench.pm, (struct hv_irq){on_off, &bench, 0});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {
		.off = off, .data = data, .size = size, .write = write, .now = bench.now};

	assert_true(acpi_pm_ops.access(&bench.pm, &access));
	return access.data;
}

static uint64_t rd(uint64_t off, uint8_t size)
{
	return access(off, size, false, 0xa5);
}

static void wr(uint64_t off, uint8_t size, uint64_t value)
{
	access(off, size, true, value);
}

static void acpi_pm_reset__power_on__is_in_acpi_mode_and_does_nothing(void **state)
{
	(void)state;
	assert_false(bench.off);
	assert_int_equal(rd(ACPI_PM_STS, 2), 0);
	assert_int_equal(rd(ACPI_PM_EN, 2), 0);
	assert_int_equal(rd(ACPI_PM_CNT, 2), ACPI_PM_CNT_SCI_EN);
	assert_true(acpi_pm_ops.expire(&bench.pm, 0) == HV_NEVER_DUE);
}

static void acpi_pm_timer__time_passes__counts_at_its_frequency(void **state)
{
	(void)state;
	assert_int_equal(rd(ACPI_PM_TMR, 4), 0);
	bench.now = 279; /* one tick is 279.365 ns */
	assert_int_equal(rd(ACPI_PM_TMR, 4), 0);
	bench.now = 280;
	assert_int_equal(rd(ACPI_PM_TMR, 4), 1);
	bench.now = S;
	assert_int_equal(rd(ACPI_PM_TMR, 4), ACPI_PM_TMR_HZ);
	bench.now = 2000 * S; /* beyond its 32 bits */
	assert_int_equal(rd(ACPI_PM_TMR, 4), (uint32_t)(2000ull * ACPI_PM_TMR_HZ));
	bench.now = UINT64_MAX;
	(void)rd(ACPI_PM_TMR, 4);
}

static void acpi_pm_timer__parts_of_the_word__are_its_bytes(void **state)
{
	uint64_t whole;

	(void)state;
	bench.now = 1234567891;
	whole = rd(ACPI_PM_TMR, 4);
	assert_int_equal(rd(ACPI_PM_TMR, 2), whole & 0xffff);
	assert_int_equal(rd(ACPI_PM_TMR + 1, 1), whole >> 8 & 0xff);
	assert_int_equal(rd(ACPI_PM_TMR + 2, 2), whole >> 16);
	assert_int_equal(rd(ACPI_PM_TMR + 2, 4), 0); /* crosses it */
	assert_int_equal(rd(ACPI_PM_TMR, 8), 0);
	wr(ACPI_PM_TMR, 4, 0);
	assert_int_equal(rd(ACPI_PM_TMR, 4), whole);
}

static void acpi_pm_enable__written__keeps_what_there_is(void **state)
{
	(void)state;
	wr(ACPI_PM_EN, 2, 0xffff);
	assert_int_equal(rd(ACPI_PM_EN, 2), 0x0721);
	wr(ACPI_PM_STS, 2, 0xffff); /* the other half of the word */
	assert_int_equal(rd(ACPI_PM_EN, 2), 0x0721);
	assert_int_equal(rd(ACPI_PM_STS, 2), 0);
	wr(ACPI_PM_EN, 1, 0);
	assert_int_equal(rd(ACPI_PM_EN, 2), 0x0700);
	wr(ACPI_PM_EN + 1, 4, 0); /* crosses the word */
	assert_int_equal(rd(ACPI_PM_EN, 2), 0x0700);
	acpi_pm_ops.reset(&bench.pm);
	assert_int_equal(rd(ACPI_PM_EN, 2), 0);
}

static void acpi_pm_control__s5__turns_the_machine_off(void **state)
{
	(void)state;
	wr(ACPI_PM_CNT, 2, ACPI_PM_S5 << 10); /* without SLP_EN */
	assert_int_equal(bench.pulses, 0);
	assert_int_equal(rd(ACPI_PM_CNT, 2), ACPI_PM_S5 << 10 | ACPI_PM_CNT_SCI_EN);
	wr(ACPI_PM_CNT, 2, ACPI_PM_S5 << 10 | ACPI_PM_CNT_SLP_EN);
	assert_true(bench.off);
	assert_int_equal(bench.pulses, 1);
	acpi_pm_ops.reset(&bench.pm);
	assert_false(bench.off);
}

static void acpi_pm_control__other_sleep_types__do_nothing(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 8; type++) {
		if (type != ACPI_PM_S5) {
			wr(ACPI_PM_CNT, 2, type << 10 | ACPI_PM_CNT_SLP_EN);
		}
	}
	assert_int_equal(bench.pulses, 0);
	assert_false(rd(ACPI_PM_CNT, 2) & ACPI_PM_CNT_SLP_EN); /* write-only */
}

static void acpi_pm_control__by_bytes__is_the_same(void **state)
{
	(void)state;
	wr(ACPI_PM_CNT, 1, 0xfe);
	assert_int_equal(rd(ACPI_PM_CNT, 2), 0x0003);
	wr(ACPI_PM_CNT + 1, 1, (ACPI_PM_S5 << 10 | ACPI_PM_CNT_SLP_EN) >> 8);
	assert_int_equal(bench.pulses, 1);
}

static void acpi_pm_rest__written__stays_zero(void **state)
{
	(void)state;
	wr(0xc, 4, UINT32_MAX);
	assert_int_equal(rd(0xc, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(acpi_pm_reset__power_on__is_in_acpi_mode_and_does_nothing),
		bench_test(acpi_pm_timer__time_passes__counts_at_its_frequency),
		bench_test(acpi_pm_timer__parts_of_the_word__are_its_bytes),
		bench_test(acpi_pm_enable__written__keeps_what_there_is),
		bench_test(acpi_pm_control__s5__turns_the_machine_off),
		bench_test(acpi_pm_control__other_sleep_types__do_nothing),
		bench_test(acpi_pm_control__by_bytes__is_the_same),
		bench_test(acpi_pm_rest__written__stays_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
