/* SPDX-License-Identifier: MIT */
/* The console by calls: DBCN, legacy putchar and getchar. */
#include "sbi_kit.h"

#define AT     (KIT_RAM + 0x400)
#define RAM_AT (kit_ram + 0x400)

static struct hv_chan chan;
static struct hv_lock lock;
static unsigned taken;

static void on_taken(void *ctl, uint32_t line, bool level)
{
	(void)ctl;
	(void)line;
	taken += level;
}

static int setup(void **state)
{
	chan = (struct hv_chan){.taken = {.set = on_taken}};
	lock = HV_LOCK_INIT(HV_LOCK_DEV);
	taken = 0;
	if (kit_setup(state) != 0) {
		return -1;
	}
	kit.vm->console = (struct hv_call_console){&chan, &lock};
	return 0;
}

static int64_t dbcn(uint64_t fn, uint64_t size, uint64_t at)
{
	return sbi_call(SBI_DBCN, fn, size, at, 0);
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

static void type(const char *text)
{
	for (; *text; text++) {
		assert_true(hv_ring_put(&chan.to_guest, (uint8_t)*text));
	}
}

static void fill(void)
{
	while (hv_ring_put(&chan.to_host, 'x')) {
	}
}

/* ---- DBCN ---- */

static void dbcn_write__text__reaches_the_console(void **state)
{
	(void)state;
	memcpy(RAM_AT, "dock", 4);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 4, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 4);
	assert_int_equal(sbi_verdict, HV_RESUME);
	said("dock");
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 0, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
	said("");
	memcpy(kit_small[0], "lazy", 4);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 4, KIT_LAZY), SBI_SUCCESS);
	memcpy(kit_small[1], "rom", 3);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 3, KIT_ROM), SBI_SUCCESS);
	said("lazyrom");
}

static void dbcn_write__much__a_part_per_call(void **state)
{
	(void)state;
	assert_int_equal(dbcn(SBI_DBCN_WRITE, KIT_RAM_SIZE, KIT_RAM), SBI_SUCCESS);
	assert_int_equal(sbi_value, HV_CALL_WRITE);
	assert_int_equal(hv_ring_count(&chan.to_host), HV_CALL_WRITE);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, HV_CALL_WRITE, KIT_RAM), SBI_SUCCESS);
	assert_int_equal(sbi_value, HV_CALL_WRITE);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, HV_CALL_WRITE - 1, KIT_RAM), SBI_SUCCESS);
	assert_int_equal(sbi_value, HV_CALL_WRITE - 1);
}

static void u4_dbcn_write__console_is_not_read__says_how_much_it_took(void **state)
{
	uint8_t byte;

	(void)state;
	fill();
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 3, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
	assert_true(hv_ring_get(&chan.to_host, &byte));
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 3, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 1);
}

static void h8_dbcn__both_sides_of_each_bound__all_or_nothing(void **state)
{
	static const struct {
		uint64_t at, size;
	} bad[] = {
		{KIT_RAM + KIT_RAM_SIZE - 4, 5},
		{KIT_RAM, KIT_RAM_SIZE + 1},
		{KIT_RAM, UINT64_MAX},
		{KIT_RAM - 1, 2},
		{KIT_DEV, 1},
		{KIT_NOTHING, 1},
		{UINT64_MAX, 2},
		{0, 1},
		{0, UINT64_MAX},
	};

	(void)state;
	type("never");
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		for (unsigned fn = SBI_DBCN_WRITE; fn <= SBI_DBCN_READ; fn++) {
			assert_int_equal(dbcn(fn, bad[i].size, bad[i].at), SBI_ERR_INVALID_PARAM);
			assert_int_equal(sbi_value, 0);
		}
	}
	/* The upper half of the address is beyond any memory. */
	assert_int_equal(sbi_call(SBI_DBCN, SBI_DBCN_WRITE, 4, AT, 1), SBI_ERR_INVALID_PARAM);
	assert_int_equal(sbi_call(SBI_DBCN, SBI_DBCN_READ, 4, AT, 1), SBI_ERR_INVALID_PARAM);
	/* What a read may not write to. */
	assert_int_equal(dbcn(SBI_DBCN_READ, 4, KIT_ROM), SBI_ERR_INVALID_PARAM);
	said("");
	assert_int_equal(hv_ring_count(&chan.to_guest), 5); /* nothing was lost */
	assert_int_equal(taken, 0);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 4, KIT_RAM + KIT_RAM_SIZE - 4), SBI_SUCCESS);
	assert_int_equal(dbcn(SBI_DBCN_READ, 4, KIT_RAM + KIT_RAM_SIZE - 4), SBI_SUCCESS);
	assert_memory_equal(kit_ram + KIT_RAM_SIZE - 4, "neve", 4);
}

static void dbcn_read__what_there_is(void **state)
{
	(void)state;
	memset(RAM_AT, '.', 8);
	assert_int_equal(dbcn(SBI_DBCN_READ, 4, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
	assert_int_equal(taken, 0);
	type("hello");
	assert_int_equal(dbcn(SBI_DBCN_READ, 2, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 2);
	assert_memory_equal(RAM_AT, "he......", 8);
	assert_int_equal(dbcn(SBI_DBCN_READ, 1000, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 3);
	assert_memory_equal(RAM_AT, "llo.....", 8);
	assert_int_equal(taken, 2);
	assert_int_equal(dbcn(SBI_DBCN_READ, 0, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
}

static void dbcn_read__much__a_part_per_call(void **state)
{
	(void)state;
	while (hv_ring_put(&chan.to_guest, 'y')) {
	}
	assert_int_equal(dbcn(SBI_DBCN_READ, KIT_RAM_SIZE, KIT_RAM), SBI_SUCCESS);
	assert_int_equal(sbi_value, HV_CALL_WRITE);
}

static void h2_dbcn_write_byte__dirty_upper_bits__one_byte(void **state)
{
	(void)state;
	sbi_gives(SBI_DBCN, SBI_DBCN_WRITE_BYTE, 0xdeadbeef00000100 | 'A', SBI_SUCCESS, 0);
	said("A");
}

/* ---- legacy ---- */

static void legacy_putchar__one_byte(void **state)
{
	(void)state;
	assert_int_equal(sbi_legacy(SBI_LEGACY_PUTCHAR, 0xffffff00 | 'B', 1, 2, 3), 0);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC);
	said("B");
}

static void legacy_getchar__byte_or_minus_1(void **state)
{
	(void)state;
	assert_int_equal(sbi_legacy(SBI_LEGACY_GETCHAR, 1, 2, 3, 4), -1);
	type("\xffz");
	assert_int_equal(sbi_legacy(SBI_LEGACY_GETCHAR, 1, 2, 3, 4), 0xff);
	assert_int_equal(sbi_legacy(SBI_LEGACY_GETCHAR, 1, 2, 3, 4), 'z');
	assert_int_equal(sbi_legacy(SBI_LEGACY_GETCHAR, 1, 2, 3, 4), -1);
	assert_int_equal(taken, 2);
}

/* Both calls that may block: they come again, with their registers as they were. */
static void u4_blocking_calls__console_is_not_read__come_again(void **state)
{
	uint8_t byte;

	(void)state;
	fill();
	assert_int_equal(sbi_legacy(SBI_LEGACY_PUTCHAR, 'C', 1, 2, 3), 'C');
	assert_int_equal(sbi_verdict, HV_YIELD);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC - 4);
	assert_int_equal(sbi_call(SBI_DBCN, SBI_DBCN_WRITE_BYTE, 'D', 0x77, 0), 'D');
	assert_int_equal(sbi_value, 0x77);
	assert_int_equal(sbi_verdict, HV_YIELD);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC - 4);
	assert_true(hv_ring_get(&chan.to_host, &byte));
	assert_int_equal(sbi_legacy(SBI_LEGACY_PUTCHAR, 'C', 1, 2, 3), 0);
	assert_int_equal(sbi_verdict, HV_RESUME);
}

static void console__there_is_none__text_is_thrown_away(void **state)
{
	(void)state;
	kit.vm->console.chan = NULL;
	assert_int_equal(sbi_legacy(SBI_LEGACY_PUTCHAR, 'C', 1, 2, 3), 0);
	assert_int_equal(sbi_legacy(SBI_LEGACY_GETCHAR, 'C', 1, 2, 3), -1);
	sbi_gives(SBI_DBCN, SBI_DBCN_WRITE_BYTE, 'D', SBI_SUCCESS, 0);
	assert_int_equal(dbcn(SBI_DBCN_WRITE, 4, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 4);
	assert_int_equal(dbcn(SBI_DBCN_READ, 4, AT), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
}

#define console_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		console_test(dbcn_write__text__reaches_the_console),
		console_test(dbcn_write__much__a_part_per_call),
		console_test(u4_dbcn_write__console_is_not_read__says_how_much_it_took),
		console_test(h8_dbcn__both_sides_of_each_bound__all_or_nothing),
		console_test(dbcn_read__what_there_is),
		console_test(dbcn_read__much__a_part_per_call),
		console_test(h2_dbcn_write_byte__dirty_upper_bits__one_byte),
		console_test(legacy_putchar__one_byte),
		console_test(legacy_getchar__byte_or_minus_1),
		console_test(u4_blocking_calls__console_is_not_read__come_again),
		console_test(console__there_is_none__text_is_thrown_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
