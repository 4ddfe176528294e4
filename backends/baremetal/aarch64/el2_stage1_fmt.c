/* SPDX-License-Identifier: MIT */
/*
 * VMSAv8-64 Stage-1 descriptors of the EL2 regime, 4 KiB granule (DDI 0487, D8.3): one VA range,
 * no unprivileged access, so AP[1] is RES1 and XN has one bit.
 */
#include "asm.h"
#include "el2_stage1.h"
#include <hv/bits.h>

#define DESC_VALID    HV_BIT(0)
#define DESC_TABLE    HV_BIT(1) /* at level 0: page */
#define DESC_ATTR(n)  ((uint64_t)(n) << 2)
#define DESC_AP1      HV_BIT(6)
#define DESC_AP_RO    HV_BIT(7)
#define DESC_SH_INNER HV_MASK(9, 8)
#define DESC_AF       HV_BIT(10)
#define DESC_XN       HV_BIT(54)
#define DESC_PA       HV_MASK(47, 12)

static uint64_t leaf_encode(struct hv_pte pte, uint8_t level)
{
	uint64_t raw = pte.pa | DESC_VALID | DESC_AP1 | DESC_AF;

	raw |= level == 0 ? DESC_TABLE : 0;
	raw |= pte.prot & HV_PROT_W ? 0 : DESC_AP_RO;
	raw |= pte.prot & HV_PROT_X ? 0 : DESC_XN;
	raw |= pte.type == HV_MEM_NORMAL ? DESC_ATTR(MAIR_NORMAL) | DESC_SH_INNER
					 : DESC_ATTR(MAIR_DEVICE);
	return raw;
}

static uint64_t stage1_encode(struct hv_pte pte, uint8_t level)
{
	switch (pte.kind) {
	case HV_PTE_TABLE: return pte.pa | DESC_VALID | DESC_TABLE;
	case HV_PTE_LEAF: return leaf_encode(pte, level);
	default: return 0;
	}
}

static struct hv_pte leaf_decode(uint64_t raw, uint8_t level)
{
	struct hv_pte pte = {.kind = HV_PTE_LEAF, .pa = raw & DESC_PA, .prot = HV_PROT_R};

	pte.prot |= raw & DESC_AP_RO ? 0 : HV_PROT_W;
	pte.prot |= raw & DESC_XN ? 0 : HV_PROT_X;
	pte.type = hv_bits(raw, 4, 2) == MAIR_DEVICE ? HV_MEM_DEVICE : HV_MEM_NORMAL;
	if (leaf_encode(pte, level) != raw) {
		return (struct hv_pte){.kind = HV_PTE_BAD};
	}
	return pte;
}

static struct hv_pte stage1_decode(uint64_t raw, uint8_t level)
{
	if (!(raw & DESC_VALID)) {
		return (struct hv_pte){.kind = HV_PTE_EMPTY};
	}
	if (level == 0 || !(raw & DESC_TABLE)) {
		return leaf_decode(raw, level);
	}
	return (struct hv_pte){.kind = HV_PTE_TABLE, .pa = raw & DESC_PA};
}

/* Never writable and executable at once: SCTLR_EL2.WXN would not let it be executed anyway. */
const struct hv_pt_fmt el2_stage1_fmt = {
	.name = "vmsa-el2-stage1",
	.min_levels = 4,
	.max_levels = 4,
	.max_leaf = 2,
	.root_extra_bits = 0,
	.break_before_make = true,
	.caches_invalid = false,
	.ia_within_pa = false,
	.max_pa_bits = 48,
	.vmid_bits = 0,
	.prot_mask = 1 << HV_PROT_R | 1 << (HV_PROT_R | HV_PROT_W) | 1 << (HV_PROT_R | HV_PROT_X),
	.encode = stage1_encode,
	.decode = stage1_decode,
};
