/* SPDX-License-Identifier: MIT */
/* Descriptors of a hypervisor of ours, against values worked out by hand from AMD's manual. */
#include <unit.h>

#include <arch/x86_64/x86.h>
#include <unit/pt/fmt_check.h>

static const struct hv_pt_fmt *const fmt = &x86_stage1_fmt;

static void encode__known_descriptors__bit_for_bit(void **state)
{
	static const struct fmt_golden golden[] = {
		/* D A and P, then NX and RW */
		GOLDEN_LEAF(0x100000, RW_, HV_MEM_NORMAL, 0, 0x8000000000100063),
		GOLDEN_LEAF(0x100000, R_X, HV_MEM_NORMAL, 0, 0x100061),
		GOLDEN_LEAF(0x100000, R__, HV_MEM_NORMAL, 0, 0x8000000000100061),
		GOLDEN_LEAF(0x200000, R_X, HV_MEM_NORMAL, 1, 0x2000e1),
		GOLDEN_LEAF(0x40000000, RW_, HV_MEM_NORMAL, 2, 0x80000000400000e3),
		/* PCD and PWT */
		GOLDEN_LEAF(0xfee00000, RW_, HV_MEM_DEVICE, 0, 0x80000000fee0007b),
		GOLDEN_LEAF(0xfee00000, RW_, HV_MEM_DEVICE, 1, 0x80000000fee000fb),
		GOLDEN_TABLE(0xffffffffff000, 3, 0x000ffffffffff023),
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

static void p11_decode__forms_we_never_build__bad(void **state)
{
	static const uint64_t bad[] = {
		0x100063, /* writable and executable */
		0x100065, /* a user's page */
		0x100041, /* A clear */
		0x100021, /* D clear */
		0x100069, /* PWT alone */
		0x100071, /* PCD alone */
		0x1000e1, /* PAT */
		0x100161, /* global */
		0x100261, /* for software */
		0x100060, /* not present, not empty */
	};
	static const uint64_t bad_block[] = {0x2010e1, 0x100000, 0x8000000000000023, 0x2b};
	static const uint64_t block_at_top = 0xe1;

	(void)state;
	fmt_check_bad(fmt, 0, bad, HV_ARRAY_COUNT(bad));
	fmt_check_bad(fmt, 1, bad_block, HV_ARRAY_COUNT(bad_block));
	fmt_check_bad(fmt, 3, &block_at_top, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(encode__known_descriptors__bit_for_bit),
		hv_unit_test(p11_encode_decode__all_leaves_and_tables__come_back),
		hv_unit_test(p11_decode__every_attribute__takes_only_what_encode_emits),
		hv_unit_test(p11_decode__address_bits_out_of_place__bad),
		hv_unit_test(p11_decode__forms_we_never_build__bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
