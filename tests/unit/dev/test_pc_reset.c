/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pc_reset/pc_reset.h>

struct bench {
	struct pc_reset pc;
	unsigned resets, offs;
	bool reset, off;
};

static struct bench bench;

static void on_reset(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	(void)line;
	b->reset = level;
	b->resets += level;
}

static void on_off(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	(void)line;
	b->off = level;
	b->offs += level;
}

static int bench_setup(void **state)
{
	bench = (struct bench){.reset = true, .off = true};
	pc_reset_init(&bench.pc, (struct hv_irq){on_reset, &bench, 0},
		(struct hv_irq){on_off, &bench, 0});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t rd(const struct hv_dev_ops *ops, uint64_t off)
{
	struct hv_access access = {.off = off, .data = 0xa5, .size = 1};

	assert_true(ops->access(&bench.pc, &access));
	return access.data;
}

static void wr(const struct hv_dev_ops *ops, uint64_t off, uint64_t value)
{
	struct hv_access access = {.off = off, .data = value, .size = 1, .write = true};

	assert_true(ops->access(&bench.pc, &access));
}

static void pc_reset_init__lines__are_low(void **state)
{
	(void)state;
	assert_false(bench.reset);
	assert_false(bench.off);
}

static void i8042__reads__say_that_nothing_is_there_to_wait_for(void **state)
{
	(void)state;
	assert_int_equal(rd(&pc_reset_data_ops, 0), 0);
	assert_int_equal(rd(&pc_reset_command_ops, 0), 0);
}

static void i8042__command_that_pulses_the_reset_line__resets(void **state)
{
	(void)state;
	wr(&pc_reset_command_ops, 0, 0xfe);
	assert_int_equal(bench.resets, 1);
	assert_true(bench.reset);
	pc_reset_command_ops.reset(&bench.pc);
	assert_false(bench.reset);
	wr(&pc_reset_command_ops, 0, 0xf0);
	assert_int_equal(bench.resets, 2);
}

static void i8042__other_commands__do_nothing(void **state)
{
	(void)state;
	wr(&pc_reset_command_ops, 0, 0xff); /* pulses no line */
	wr(&pc_reset_command_ops, 0, 0xaa);
	wr(&pc_reset_data_ops, 0, 0xfe); /* data */
	assert_int_equal(bench.resets, 0);
}

static void i8042__output_port_with_the_reset_line_low__resets_once_asked(void **state)
{
	(void)state;
	wr(&pc_reset_data_ops, 0, 0x00); /* not asked for */
	assert_int_equal(bench.resets, 0);
	wr(&pc_reset_command_ops, 0, 0xd1);
	wr(&pc_reset_data_ops, 0, 0x03); /* opens A20 */
	wr(&pc_reset_data_ops, 0, 0x02);
	assert_int_equal(bench.resets, 0);
	wr(&pc_reset_command_ops, 0, 0xd1);
	wr(&pc_reset_data_ops, 0, 0x02);
	assert_int_equal(bench.resets, 1);
	wr(&pc_reset_command_ops, 0, 0xd1);
	wr(&pc_reset_command_ops, 0, 0xad); /* another command comes between */
	wr(&pc_reset_data_ops, 0, 0x00);
	assert_int_equal(bench.resets, 1);
}

static void port_a__fast_reset__resets(void **state)
{
	(void)state;
	assert_int_equal(rd(&pc_reset_port_a_ops, 0), 2);
	wr(&pc_reset_port_a_ops, 0, 2);
	assert_int_equal(bench.resets, 0);
	wr(&pc_reset_port_a_ops, 0, 3);
	assert_int_equal(bench.resets, 1);
}

static void rst_cnt__rise_of_the_cpu_bit__resets(void **state)
{
	(void)state;
	assert_int_equal(rd(&pc_reset_pci_ops, 1), 0);
	wr(&pc_reset_pci_ops, 1, 0xfb); /* all but that */
	assert_int_equal(bench.resets, 0);
	assert_int_equal(rd(&pc_reset_pci_ops, 1), 2);
	wr(&pc_reset_pci_ops, 1, 0x06);
	assert_int_equal(bench.resets, 1);
	wr(&pc_reset_pci_ops, 1, 0x06);
	assert_int_equal(bench.resets, 1);
	wr(&pc_reset_pci_ops, 1, 0x00);
	wr(&pc_reset_pci_ops, 1, 0x04);
	assert_int_equal(bench.resets, 2);
	pc_reset_pci_ops.reset(&bench.pc);
	assert_int_equal(rd(&pc_reset_pci_ops, 1), 0);
}

static void pci_address__as_a_whole__resets_nothing(void **state)
{
	struct hv_access access = {.data = 0x80000600, .size = 4, .write = true};

	(void)state;
	assert_true(pc_reset_pci_ops.access(&bench.pc, &access));
	assert_int_equal(bench.resets, 0);
	assert_int_equal(rd(&pc_reset_pci_ops, 1), 0);
	access.write = false;
	assert_true(pc_reset_pci_ops.access(&bench.pc, &access));
	assert_true(access.data == 0xffffffff);
}

static void pci_address__other_bytes_and_words__are_nothing_or_not_one_access(void **state)
{
	(void)state;
	for (uint64_t off = 0; off < 4; off++) {
		struct hv_access access = {.off = off, .data = 0x0606, .size = 2, .write = true};

		if (off != 1) {
			wr(&pc_reset_pci_ops, off, 6);
			assert_int_equal(rd(&pc_reset_pci_ops, off), 0xff);
		}
		assert_false(pc_reset_pci_ops.access(&bench.pc, &access));
	}
	assert_int_equal(bench.resets, 0);
}

static void pci_data__any_part__is_all_ones_and_resets_nothing(void **state)
{
	(void)state;
	for (uint8_t size = 1; size <= 4; size *= 2) {
		for (uint64_t off = 4; off < PC_RESET_PCI_SIZE; off += size) {
			struct hv_access access = {
				.off = off, .data = 6, .size = size, .write = true};

			assert_true(pc_reset_pci_ops.access(&bench.pc, &access));
			access.write = false;
			access.data = 0;
			assert_true(pc_reset_pci_ops.access(&bench.pc, &access));
			assert_true(access.data == UINT32_MAX >> (32 - 8 * size));
		}
	}
	assert_int_equal(bench.resets, 0);
}

static void pci__from_the_address_into_the_data__is_not_one_access(void **state)
{
	(void)state;
	for (uint64_t off = 1; off < 4; off++) {
		struct hv_access access = {
			.off = off, .data = 0x06060606, .size = 4, .write = true};

		assert_false(pc_reset_pci_ops.access(&bench.pc, &access));
	}
	assert_int_equal(bench.resets, 0);
}

static void debug_exit__a_write__turns_the_machine_off(void **state)
{
	(void)state;
	assert_int_equal(rd(&pc_reset_exit_ops, 0), 0);
	assert_int_equal(bench.offs, 0);
	wr(&pc_reset_exit_ops, 0, 0);
	assert_int_equal(bench.offs, 1);
	assert_int_equal(bench.resets, 0);
	pc_reset_exit_ops.reset(&bench.pc);
	assert_false(bench.off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(pc_reset_init__lines__are_low),
		bench_test(i8042__reads__say_that_nothing_is_there_to_wait_for),
		bench_test(i8042__command_that_pulses_the_reset_line__resets),
		bench_test(i8042__other_commands__do_nothing),
		bench_test(i8042__output_port_with_the_reset_line_low__resets_once_asked),
		bench_test(port_a__fast_reset__resets),
		bench_test(rst_cnt__rise_of_the_cpu_bit__resets),
		bench_test(pci_address__as_a_whole__resets_nothing),
		bench_test(pci_address__other_bytes_and_words__are_nothing_or_not_one_access),
		bench_test(pci_data__any_part__is_all_ones_and_resets_nothing),
		bench_test(pci__from_the_address_into_the_data__is_not_one_access),
		bench_test(debug_exit__a_write__turns_the_machine_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
