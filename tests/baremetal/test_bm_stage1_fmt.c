/* SPDX-License-Identifier: MIT */
/* Descriptors of EL2's own translation: hand-made values, and that no other bits are taken. */
#include <unit.h>

#include <hv/bits.h>
#include <el2_stage1.h>

#define PA HV_GIB(5)

static const struct hv_pt_fmt *const fmt = &el2_stage1_fmt;

static struct hv_pte leaf(uint8_t prot, uint8_t type)
{
	return (struct hv_pte){.kind = HV_PTE_LEAF, .pa = PA, .prot = prot, .type = type};
}

static void stage1_fmt__code_data_device__bits(void **state)
{
	(void)state;
	assert_int_equal(fmt->encode(leaf(HV_PROT_R | HV_PROT_X, HV_MEM_NORMAL), 0), PA | 0x7c3);
	assert_int_equal(fmt->encode(leaf(HV_PROT_R | HV_PROT_X, HV_MEM_NORMAL), 1), PA | 0x7c1);
	assert_int_equal(fmt->encode(leaf(HV_PROT_R, HV_MEM_NORMAL), 0), PA | HV_BIT(54) | 0x7c3);
	assert_int_equal(fmt->encode(leaf(HV_PROT_R | HV_PROT_W, HV_MEM_NORMAL), 2),
		PA | HV_BIT(54) | 0x741);
	assert_int_equal(fmt->encode(leaf(HV_PROT_R | HV_PROT_W, HV_MEM_DEVICE), 0),
		PA | HV_BIT(54) | 0x447);
}

static void stage1_fmt__table_and_empty__bits(void **state)
{
	const struct hv_pte table = {.kind = HV_PTE_TABLE, .pa = PA};

	(void)state;
	assert_int_equal(fmt->encode(table, 1), PA | 3);
	assert_int_equal(fmt->decode(PA | 3, 1).kind, HV_PTE_TABLE);
	assert_int_equal(fmt->encode((struct hv_pte){.kind = HV_PTE_EMPTY}, 1), 0);
	assert_int_equal(fmt->decode(0, 1).kind, HV_PTE_EMPTY);
}

static void i12_stage1_fmt__writable_code__cannot_be_said(void **state)
{
	(void)state;
	assert_false(hv_bit(fmt->prot_mask, HV_PROT_R | HV_PROT_W | HV_PROT_X));
	assert_false(hv_bit(fmt->prot_mask, HV_PROT_W | HV_PROT_X));
	assert_false(hv_bit(fmt->prot_mask, HV_PROT_W));
}

static void stage1_fmt__each_leaf__decodes_to_itself(void **state)
{
	(void)state;
	for (uint8_t prot = 0; prot < 8; prot++) {
		for (uint8_t level = 0; hv_bit(fmt->prot_mask, prot) && level <= fmt->max_leaf;
			level++) {
			struct hv_pte in = leaf(prot, level & 1 ? HV_MEM_DEVICE : HV_MEM_NORMAL);
			struct hv_pte out = fmt->decode(fmt->encode(in, level), level);

			assert_int_equal(out.kind, in.kind);
			assert_int_equal(out.pa, in.pa);
			assert_int_equal(out.prot, in.prot);
			assert_int_equal(out.type, in.type);
		}
	}
}

/* P11: each bit that encode does not emit makes a leaf bad. */
static void p11_stage1_fmt__foreign_bits__bad(void **state)
{
	const uint64_t good = fmt->encode(leaf(HV_PROT_R | HV_PROT_W, HV_MEM_NORMAL), 0);
	const unsigned foreign[] = {5, 6, 8, 9, 10, 11, 48, 51, 52, 53, 55, 58, 59, 63};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(foreign); i++) {
		assert_int_equal(fmt->decode(good ^ HV_BIT(foreign[i]), 0).kind, HV_PTE_BAD);
	}
	assert_int_equal(fmt->decode(good & ~(uint64_t)2, 0).kind, HV_PTE_BAD);
}

/* What stage1.c does, on the host: the image's parts, then holes for the guards. */
static void stage1_fmt__mapped_by_the_walker__blocks_and_holes(void **state)
{
	static _Alignas(4096) uint8_t memory[16 * 4096];
	struct hv_pt_map map = {.ia = GPA(HV_GIB(1)),
		.pa = HPA(HV_GIB(1)),
		.size = HV_MIB(4),
		.prot = HV_PROT_R | HV_PROT_W};
	struct hv_pages pages = {0};
	struct hv_pte pte;
	struct hv_pt pt;
	uint8_t level;

	(void)state;
	hv_pages_init(&pages, memory, HPA(HV_GIB(64)), 16);
	assert_int_equal(hv_pt_init(&pt, fmt, &pages, 48, 48, 0), HV_OK);
	assert_int_equal(hv_pt_map(&pt, &map), HV_OK);
	assert_int_equal(hv_pt_lookup(&pt, GPA(HV_GIB(1)), &pte, &level), HV_OK);
	assert_int_equal(level, 1);
	assert_int_equal(hv_pt_unmap(&pt, GPA(HV_GIB(1) + 4096), 4096), HV_OK);
	assert_int_equal(hv_pt_lookup(&pt, GPA(HV_GIB(1) + 4096), &pte, &level), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_pt_lookup(&pt, GPA(HV_GIB(1) + 8192), &pte, &level), HV_OK);
	assert_int_equal(level, 0);
	assert_int_equal(pte.pa, HV_GIB(1) + 8192);
	map.prot |= HV_PROT_X;
	map.ia = GPA(HV_GIB(2));
	assert_int_equal(hv_pt_map(&pt, &map), HV_ERR_INVALID);
	hv_pt_destroy(&pt);
	assert_int_equal(pages.free_count, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(stage1_fmt__code_data_device__bits),
		hv_unit_test(stage1_fmt__table_and_empty__bits),
		hv_unit_test(i12_stage1_fmt__writable_code__cannot_be_said),
		hv_unit_test(stage1_fmt__each_leaf__decodes_to_itself),
		hv_unit_test(p11_stage1_fmt__foreign_bits__bad),
		hv_unit_test(stage1_fmt__mapped_by_the_walker__blocks_and_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
