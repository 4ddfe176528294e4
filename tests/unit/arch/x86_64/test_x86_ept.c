/* SPDX-License-Identifier: MIT */
/* EPT descriptors, against values worked out by hand from Intel's manual. */
#include <unit.h>

#include <arch/x86_64/x86.h>
#include <unit/pt/fmt_check.h>

static const struct hv_pt_fmt *const fmt = &x86_ept_fmt;

static void encode__known_descriptors__bit_for_bit(void **state)
{
	static const struct fmt_golden golden[] = {
		/* memory type 6 (write-back) in bits 5:3, then X W R */
		GOLDEN_LEAF(0x100000, RWX, HV_MEM_NORMAL, 0, 0x100037),
		GOLDEN_LEAF(0x100000, RW_, HV_MEM_NORMAL, 0, 0x100033),
		GOLDEN_LEAF(0x100000, R_X, HV_MEM_NORMAL, 0, 0x100035),
		GOLDEN_LEAF(0x100000, R__, HV_MEM_NORMAL, 0, 0x100031),
		GOLDEN_LEAF(0x200000, RWX, HV_MEM_NORMAL, 1, 0x2000b7),
		GOLDEN_LEAF(0x40000000, RWX, HV_MEM_NORMAL, 2, 0x400000b7),
		/* uncacheable */
		GOLDEN_LEAF(0xfee00000, RW_, HV_MEM_DEVICE, 0, 0xfee00003),
		GOLDEN_LEAF(0xfee00000, RW_, HV_MEM_DEVICE, 1, 0xfee00083),
		GOLDEN_TABLE(0xffffffffff000, 3, 0x000ffffffffff007),
	};

	(void)state;
	fmt_check_golden(fmt, golden, HV_ARRAY_COUNT(golden));
}

static void p11_encode_decode__all_leaves_and_tables__come_back(void **state)
{
	(void)state;
	fmt_check_round_trips(fmt);
}

static void p11_decode__every_attribute__takes_only_what_encode_emits(void **state)
{
	(void)state;
	fmt_check_attributes(fmt, 12, 52);
}

static void p11_decode__address_bits_out_of_place__bad(void **state)
{
	(void)state;
	fmt_check_misaligned(fmt, 0);
}

static void p10_decode__misconfigurations__bad(void **state)
{
	static const uint64_t bad[] = {
		0x100032, /* write-only */
		0x100036, /* write and execute */
		0x100034, /* execute-only: a capability of its own */
		0x100017, /* memory type 2, reserved */
		0x10003f, /* memory type 7 */
		0x100077, /* ignore-PAT */
		0x1000b7, /* a block bit at the page level */
		0x100137, /* accessed, with the flags off */
		0x100030, /* not present, not empty */
	};
	static const uint64_t bad_table[] = {0x1003, 0x1001, 0x100f, 0x1107};
	static const uint64_t block_at_top = 0xb7;

	(void)state;
	fmt_check_bad(fmt, 0, bad, HV_ARRAY_COUNT(bad));
	fmt_check_bad(fmt, 1, bad_table, HV_ARRAY_COUNT(bad_table));
	fmt_check_bad(fmt, 3, &block_at_top, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(encode__known_descriptors__bit_for_bit),
		hv_unit_test(p11_encode_decode__all_leaves_and_tables__come_back),
		hv_unit_test(p11_decode__every_attribute__takes_only_what_encode_emits),
		hv_unit_test(p11_decode__address_bits_out_of_place__bad),
		hv_unit_test(p10_decode__misconfigurations__bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
