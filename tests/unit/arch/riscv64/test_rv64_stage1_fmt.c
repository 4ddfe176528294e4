/* SPDX-License-Identifier: MIT */
/* A hypervisor's own descriptors, against values worked out by hand from the privileged spec. */
#include <unit.h>

#include <arch/riscv64/rv64.h>
#include <unit/pt/fmt_check.h>

static const struct hv_pt_fmt *const fmt = &rv64_stage1_fmt;

static void encode__known_descriptors__bit_for_bit(void **state)
{
	static const struct fmt_golden golden[] = {
		/* D A and V, then X W R; no U, which supervisors do not get through */
		GOLDEN_LEAF(0x80001000, RW_, HV_MEM_NORMAL, 0, 0x200004c7),
		GOLDEN_LEAF(0x80000000, R__, HV_MEM_NORMAL, 0, 0x200000c3),
		GOLDEN_LEAF(0x80000000, R_X, HV_MEM_NORMAL, 1, 0x200000cb),
		GOLDEN_LEAF(0x80000000, RW_, HV_MEM_DEVICE, 2, 0x200001c7),
		GOLDEN_TABLE(0x1000, 1, 0x401),
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
	fmt_check_attributes(fmt, 10, 54);
}

static void p11_decode__misaligned_superpage__bad(void **state)
{
	(void)state;
	fmt_check_misaligned(fmt, 2);
}

static void i12_decode__writable_code_or_user_pages__bad(void **state)
{
	static const uint64_t bad[] = {
		0x200000cf, /* RWX */
		0x200000c9, /* X alone */
		0x200000d7, /* U */
		0x20000087, /* A=0 */
		0x20000047, /* D=0 */
	};

	(void)state;
	fmt_check_bad(fmt, 0, bad, HV_ARRAY_COUNT(bad));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		hv_unit_test(encode__known_descriptors__bit_for_bit),
		hv_unit_test(p11_encode_decode__all_leaves_and_tables__come_back),
		hv_unit_test(p11_decode__every_attribute__takes_only_what_encode_emits),
		hv_unit_test(p11_decode__misaligned_superpage__bad),
		hv_unit_test(i12_decode__writable_code_or_user_pages__bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
