/* SPDX-License-Identifier: MIT */
/* G-stage descriptors, against values worked out by hand from the privileged specification. */
#include <unit.h>

#include <arch/riscv64/rv64.h>
#include <unit/pt/fmt_check.h>

static const struct hv_pt_fmt *const fmt = &rv64_gstage_fmt;

static void encode__known_descriptors__bit_for_bit(void **state)
{
	static const struct fmt_golden golden[] = {
		/* D A U and V, then X W R; the page number starts at bit 10 */
		GOLDEN_LEAF(0x80000000, RWX, HV_MEM_NORMAL, 0, 0x200000df),
		GOLDEN_LEAF(0x80001000, RW_, HV_MEM_NORMAL, 0, 0x200004d7),
		GOLDEN_LEAF(0x80000000, R__, HV_MEM_NORMAL, 0, 0x200000d3),
		GOLDEN_LEAF(0x80000000, R_X, HV_MEM_NORMAL, 1, 0x200000db),
		GOLDEN_LEAF(0x80000000, X__, HV_MEM_NORMAL, 1, 0x200000d9),
		GOLDEN_LEAF(0x80000000, RW_, HV_MEM_DEVICE, 2, 0x200001d7),
		GOLDEN_LEAF(0x8000000000, R__, HV_MEM_NORMAL, 3, 0x20000000d3),
		GOLDEN_TABLE(0xfffffffffff000, 4, 0x003ffffffffffc01),
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

static void p11_decode__reserved_or_faulting_forms__bad(void **state)
{
	static const uint64_t bad[] = {
		0x200000cf,                             /* U=0: G-stage faults every access */
		0x2000009f,                             /* A=0 */
		0x2000005f,                             /* D=0 */
		0x200000ff,                             /* global */
		0x200000d5,                             /* W without R */
		0x200000dd,                             /* W and X without R */
		0x200000de,                             /* V=0, not empty */
		0x80000000200000df,                     /* N: Svnapot */
		0x40000000200000df,                     /* PBMT */
		0x20000000200000df, 0x00400000200000df, /* reserved */
		0x200002df,                             /* the other bit for software */
		0x20000001,                             /* a table at the last level */
		0x20000011,                             /* the same with U */
	};
	static const uint64_t bad_table[] = {0x20000011, 0x20000041, 0x20000081, 0x20000101};

	(void)state;
	fmt_check_bad(fmt, 0, bad, HV_ARRAY_COUNT(bad));
	fmt_check_bad(fmt, 1, bad_table, HV_ARRAY_COUNT(bad_table));
}

static void p12_init__input_sizes__pick_the_mode(void **state)
{
	static _Alignas(4096 * 4) uint8_t memory[8 * 4096];
	static const struct {
		uint8_t ia_bits, levels;
		enum hv_status status;
	} row[] = {
		{31, 0, HV_ERR_INVALID},
		{32, 3, HV_OK},
		{41, 3, HV_OK},
		{42, 4, HV_OK},
		{50, 4, HV_OK},
		{51, 5, HV_OK},
		{59, 5, HV_OK},
		{60, 0, HV_ERR_INVALID},
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		struct hv_pages pool;
		struct hv_pt pt;

		hv_pages_init(&pool, memory, HPA(0x80000000), 8);
		assert_int_equal(hv_pt_init(&pt, fmt, &pool, row[i].ia_bits, 40, 1), row[i].status);
		if (row[i].status == HV_OK) {
			assert_int_equal(pt.levels, row[i].levels);
			assert_int_equal(pt.root_extra, 2);
			hv_pt_destroy(&pt);
		}
		assert_int_equal(pool.free_count, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(encode__known_descriptors__bit_for_bit),
		hv_unit_test(p11_encode_decode__all_leaves_and_tables__come_back),
		hv_unit_test(p11_decode__every_attribute__takes_only_what_encode_emits),
		hv_unit_test(p11_decode__misaligned_superpage__bad),
		hv_unit_test(p11_decode__reserved_or_faulting_forms__bad),
		hv_unit_test(p12_init__input_sizes__pick_the_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
