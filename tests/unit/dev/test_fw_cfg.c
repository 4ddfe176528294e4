/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/fw_cfg/fw_cfg.h>
#include <hv/bits.h>

static struct fw_cfg cfg;

static int setup(void **state)
{
	memset(&cfg, 0xa5, sizeof(cfg));
	fw_cfg_init(&cfg, 0x123456789a, 3);
	return unit_setup(state);
}
#define cfg_test(name) cmocka_unit_test_setup_teardown(name, setup, unit_teardown)

static void select_item(uint16_t item)
{
	struct hv_access access = {.off = FW_CFG_SELECT, .size = 2, .write = true, .data = item};

	assert_true(fw_cfg_ops.access(&cfg, &access));
}

static uint8_t byte(void)
{
	struct hv_access access = {.off = FW_CFG_DATA, .size = 1};

	assert_true(fw_cfg_ops.access(&cfg, &access));
	assert_in_range(access.data, 0, 0xff);
	return (uint8_t)access.data;
}

static uint64_t item(uint16_t number)
{
	uint8_t bytes[8];

	select_item(number);
	for (unsigned i = 0; i < 8; i++) {
		bytes[i] = byte();
	}
	return hv_le64(bytes);
}

static void items__each__is_read_from_its_lowest_byte(void **state)
{
	(void)state;
	assert_int_equal(item(FW_CFG_SIGNATURE), 0x554d4551);
	assert_int_equal(item(FW_CFG_ID), 1);
	assert_int_equal(item(FW_CFG_RAM_SIZE), 0x123456789a);
	assert_int_equal(item(FW_CFG_CPUS), 3);
	assert_int_equal(item(FW_CFG_CPUS_MAX), 3);
}

static void items__unknown_and_behind_the_end__are_zeroes(void **state)
{
	(void)state;
	for (uint32_t number = 0x10; number <= 0xffff; number++) {
		assert_int_equal(item((uint16_t)number), 0);
	}
	(void)item(FW_CFG_RAM_SIZE);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(byte(), 0);
	}
}

static void select__again_or_reset__begins_anew(void **state)
{
	(void)state;
	select_item(FW_CFG_RAM_SIZE);
	assert_int_equal(byte(), 0x9a);
	select_item(FW_CFG_RAM_SIZE);
	assert_int_equal(byte(), 0x9a);
	fw_cfg_ops.reset(&cfg);
	assert_int_equal(byte(), 0);
	assert_int_equal(item(FW_CFG_CPUS), 3);
}

static void access__other_port_or_width__changes_nothing(void **state)
{
	struct hv_access select_8 = {.off = FW_CFG_SELECT, .size = 1, .write = true, .data = 5};
	struct hv_access data = {.off = FW_CFG_DATA, .size = 1, .write = true, .data = 5};
	struct hv_access read = {.off = FW_CFG_SELECT, .size = 2, .data = 0};

	(void)state;
	select_item(FW_CFG_SIGNATURE);
	assert_true(fw_cfg_ops.access(&cfg, &select_8) && fw_cfg_ops.access(&cfg, &data) &&
		    fw_cfg_ops.access(&cfg, &read));
	assert_int_equal(read.data, 0);
	assert_int_equal(byte(), 'Q');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cfg_test(items__each__is_read_from_its_lowest_byte),
		cfg_test(items__unknown_and_behind_the_end__are_zeroes),
		cfg_test(select__again_or_reset__begins_anew),
		cfg_test(access__other_port_or_width__changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
