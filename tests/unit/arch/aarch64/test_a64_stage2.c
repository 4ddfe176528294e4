/* SPDX-License-Identifier: MIT */
/* Stage-2 descriptors and control registers, against values worked out by hand from the Arm ARM. */
#include <unit.h>

#include <arch/aarch64/a64.h>
#include <unit/pt/fmt_check.h>

static const struct hv_pt_fmt *const fmt = &a64_stage2_fmt;

static void encode__known_descriptors__bit_for_bit(void **state)
{
	static const struct fmt_golden golden[] = {
		/* AF, SH inner, MemAttr 0xf, page */
		GOLDEN_LEAF(0x40000000, RWX, HV_MEM_NORMAL, 0, 0x00000000400007ff),
		GOLDEN_LEAF(0x40000000, RW_, HV_MEM_NORMAL, 0, 0x00400000400007ff),
		GOLDEN_LEAF(0x40000000, R_X, HV_MEM_NORMAL, 0, 0x000000004000077f),
		GOLDEN_LEAF(0x40000000, R__, HV_MEM_NORMAL, 0, 0x004000004000077f),
		GOLDEN_LEAF(0x40000000, X__, HV_MEM_NORMAL, 0, 0x000000004000073f),
		/* a block: bit 1 clear */
		GOLDEN_LEAF(0x40200000, RWX, HV_MEM_NORMAL, 1, 0x00000000402007fd),
		GOLDEN_LEAF(0x800040000000, RWX, HV_MEM_NORMAL, 2, 0x00008000400007fd),
		/* Device-nGnRnE: MemAttr 0, no shareability */
		GOLDEN_LEAF(0x09000000, RW_, HV_MEM_DEVICE, 0, 0x00400000090004c3),
		GOLDEN_LEAF(0x09000000, RW_, HV_MEM_DEVICE, 1, 0x00400000090004c1),
		GOLDEN_TABLE(0xfffffffff000, 1, 0x0000fffffffff003),
		GOLDEN_TABLE(0x1000, 3, 0x1003),
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

static void p11_decode__forms_the_cpu_knows_but_we_never_build__bad(void **state)
{
	static const uint64_t bad[] = {
		0x00100000400007ff, /* contiguous */
		0x00080000400007ff, /* DBM */
		0x00200000400007ff, /* XN[0], FEAT_XNX */
		0x00000000400003ff, /* AF clear */
		0x00000000400006ff, /* SH outer */
		0x00000000400007bf, /* write-only */
		0x00400000400007bf, /* write-only, execute-never */
		0x004000004000073f, /* no access at all */
		0x00000000400007f7, /* MemAttr 0b1101 */
		0x0000000040000fff, /* nG, reserved at Stage-2 */
		0x00000000400007fd, /* a block at the page level */
		0x00000000400007fe, /* not valid, but not empty */
	};
	static const uint64_t block_at_top = 0x00000000000007fd;

	(void)state;
	fmt_check_bad(fmt, 0, bad, HV_ARRAY_COUNT(bad));
	/* Level 0 of the architecture holds tables only. */
	fmt_check_bad(fmt, 3, &block_at_top, 1);
}

/* ---- VTCR_EL2, VTTBR_EL2 ---- */

#define POOL_HPA 0x80000000u

static _Alignas(4096 * 16) uint8_t memory[32 * 4096];
static struct hv_pages pool;
static struct hv_pt pt;

static enum hv_status make(uint8_t ia_bits, uint8_t pa_bits, uint16_t vmid)
{
	hv_pages_init(&pool, memory, HPA(POOL_HPA), 32);
	return hv_pt_init(&pt, fmt, &pool, ia_bits, pa_bits, vmid);
}

static void p12_vtcr__every_input_size__t0sz_and_start_level_fit_the_table(void **state)
{
	(void)state;
	for (uint8_t ia_bits = 32; ia_bits <= 48; ia_bits++) {
		uint64_t vtcr, start, resolved;

		assert_int_equal(make(ia_bits, 48, 1), HV_OK);
		vtcr = a64_vtcr(&pt);
		assert_int_equal(64 - hv_bits(vtcr, 5, 0), ia_bits);
		/* 4 KiB granule: SL0 0, 1, 2 starts at level 2, 1, 0. */
		start = 2 - hv_bits(vtcr, 7, 6);
		assert_int_equal(start, ia_bits <= 43 ? 1 : 0);
		/* What the root resolves: 1 to 13 bits, those beyond 9 by concatenated tables. */
		resolved = ia_bits - (12 + 9 * (3 - start));
		assert_in_range(resolved, 1, 13);
		assert_int_equal(pt.root_extra, resolved > 9 ? resolved - 9 : 0);
		assert_int_equal(pt.levels, 4 - start);
		hv_pt_destroy(&pt);
	}
}

static void vtcr__fixed_fields__cacheable_inner_shareable_4k_8_bit_vmid(void **state)
{
	(void)state;
	assert_int_equal(make(40, 40, 1), HV_OK);
	/* RES1, PS 40 bits, SH0 inner, ORGN0 and IRGN0 write-back, SL0 1, T0SZ 24 */
	assert_int_equal(a64_vtcr(&pt), 0x80023558);
}

static void p11_vtcr__every_output_size__ps_holds_it(void **state)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};

	(void)state;
	for (uint8_t pa_bits = 32; pa_bits <= 48; pa_bits++) {
		uint64_t ps;

		assert_int_equal(make(32, pa_bits, 1), HV_OK);
		ps = hv_bits(a64_vtcr(&pt), 18, 16);
		assert_true(bits[ps] >= pa_bits);
		assert_true(ps == 0 || bits[ps - 1] < pa_bits);
		hv_pt_destroy(&pt);
	}
}

static void vttbr__root_and_vmid__stand_in_their_fields(void **state)
{
	(void)state;
	assert_int_equal(make(43, 48, 0xa5), HV_OK);
	assert_true(a64_vttbr(&pt) == (0x00a5000000000000 | pt.root.v));
	/* Concatenated roots need an address aligned to all of them. */
	assert_int_equal(pt.root.v % (16 * 4096), 0);
}

static void p12_init__sizes_out_of_range__invalid_and_no_page_taken(void **state)
{
	(void)state;
	assert_int_equal(make(31, 48, 1), HV_ERR_INVALID);
	assert_int_equal(make(49, 48, 1), HV_ERR_INVALID);
	assert_int_equal(make(0, 48, 1), HV_ERR_INVALID);
	assert_int_equal(make(255, 48, 1), HV_ERR_INVALID);
	assert_int_equal(make(32, 31, 1), HV_ERR_INVALID);
	assert_int_equal(make(32, 49, 1), HV_ERR_INVALID);
	/* The input may not be wider than what the CPU puts out. */
	assert_int_equal(make(41, 40, 1), HV_ERR_INVALID);
	assert_int_equal(pool.free_count, 32);
	assert_int_equal(make(48, 48, 1), HV_OK);
}

static void p7_init__vmid_wider_than_eight_bits__invalid(void **state)
{
	(void)state;
	assert_int_equal(make(40, 40, 0xff), HV_OK);
	assert_int_equal(make(40, 40, 0x100), HV_ERR_INVALID);
}

/*
 * P15: nobody but us writes a descriptor, so that there is no update to race with. Each leaf has
 * its access flag, and the CPU is told to manage neither flag nor dirty state (HA, HD,
 * FEAT_HAFDBS).
 */
static void p15_leaf_and_vtcr__access_and_dirty_state__are_never_the_cpus(void **state)
{
	(void)state;
	for (uint8_t prot = 0; prot < 8; prot++) {
		for (uint8_t level = 0; level < 3; level++) {
			struct hv_pte leaf = {.kind = HV_PTE_LEAF, .pa = HV_GIB(1), .prot = prot};

			assert_true(hv_bit(a64_stage2_fmt.encode(leaf, level), 10));  /* AF */
			assert_false(hv_bit(a64_stage2_fmt.encode(leaf, level), 51)); /* DBM */
		}
	}
	assert_int_equal(make(40, 40, 1), HV_OK);
	assert_int_equal(hv_bits(a64_vtcr(&pt), 22, 21), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(encode__known_descriptors__bit_for_bit),
		hv_unit_test(p11_encode_decode__all_leaves_and_tables__come_back),
		hv_unit_test(p11_decode__every_attribute__takes_only_what_encode_emits),
		hv_unit_test(p11_decode__address_bits_out_of_place__bad),
		hv_unit_test(p11_decode__forms_the_cpu_knows_but_we_never_build__bad),
		hv_unit_test(p12_vtcr__every_input_size__t0sz_and_start_level_fit_the_table),
		hv_unit_test(vtcr__fixed_fields__cacheable_inner_shareable_4k_8_bit_vmid),
		hv_unit_test(p11_vtcr__every_output_size__ps_holds_it),
		hv_unit_test(vttbr__root_and_vmid__stand_in_their_fields),
		hv_unit_test(p12_init__sizes_out_of_range__invalid_and_no_page_taken),
		hv_unit_test(p7_init__vmid_wider_than_eight_bits__invalid),
		hv_unit_test(p15_leaf_and_vtcr__access_and_dirty_state__are_never_the_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
