/* SPDX-License-Identifier: MIT */
/*
 * VMSAv8-64 Stage-2 descriptors, 4 KiB granule, without FEAT_LPA2, FEAT_XNX and FEAT_S2FWB: what
 * every Armv8 CPU has. Level n here is level 3 - n there. Source: Arm ARM DDI 0487J, D8.3
 * (descriptor formats), D8.4 (permissions), D8.5 (attributes), D19.2.160 (VTCR_EL2).
 */
#include "a64.h"

#include <hv/bits.h>

#define VALID          HV_BIT(0)
#define TABLE_OR_PAGE  HV_BIT(1)            /* clear: a block */
#define MEMATTR_NORMAL ((uint64_t)0xf << 2) /* inner and outer write-back; 0: Device-nGnRnE */
#define S2AP_R         HV_BIT(6)
#define S2AP_W         HV_BIT(7)
#define SH_INNER       ((uint64_t)3 << 8)
#define AF             HV_BIT(10)
#define XN             HV_BIT(54)
#define OUTPUT         HV_MASK(47, 12)

#define MAX_LEAF 2u /* 1 GiB */

#define PROTS (HV_PT_PROTS_READABLE | HV_PT_PROTS_X_ONLY)

static uint64_t encode_leaf(struct hv_pte pte, uint8_t level)
{
	uint64_t raw = VALID | AF | (pte.pa & OUTPUT & ~(hv_pt_span(level) - 1));

	raw |= level == 0 ? TABLE_OR_PAGE : 0;
	raw |= pte.type == HV_MEM_NORMAL ? MEMATTR_NORMAL | SH_INNER : 0;
	raw |= pte.prot & HV_PROT_R ? S2AP_R : 0;
	raw |= pte.prot & HV_PROT_W ? S2AP_W : 0;
	raw |= pte.prot & HV_PROT_X ? 0 : XN;
	return raw;
}

static uint64_t encode(struct hv_pte pte, uint8_t level)
{
	switch (pte.kind) {
	case HV_PTE_TABLE: return VALID | TABLE_OR_PAGE | (pte.pa & OUTPUT);
	case HV_PTE_LEAF: return encode_leaf(pte, level);
	default: return 0;
	}
}

static enum hv_pte_kind kind_of(uint64_t raw, uint8_t level)
{
	if (raw == 0) {
		return HV_PTE_EMPTY;
	}
	if (level > 0 && (raw & TABLE_OR_PAGE)) {
		return HV_PTE_TABLE;
	}
	return level <= MAX_LEAF ? HV_PTE_LEAF : HV_PTE_BAD;
}

static uint8_t prot_of(uint64_t raw)
{
	return (uint8_t)((raw & S2AP_R ? HV_PROT_R : 0) | (raw & S2AP_W ? HV_PROT_W : 0) |
			 (raw & XN ? 0 : HV_PROT_X));
}

/* Reads what it knows, and checks that writing it again gives every bit of the original. */
static struct hv_pte decode(uint64_t raw, uint8_t level)
{
	struct hv_pte pte = {.kind = kind_of(raw, level), .pa = raw & OUTPUT};
	bool known = true;

	if (pte.kind == HV_PTE_LEAF) {
		pte.type = raw & MEMATTR_NORMAL ? HV_MEM_NORMAL : HV_MEM_DEVICE;
		pte.prot = prot_of(raw);
		known = hv_bit(PROTS, pte.prot);
	}
	return known && encode(pte, level) == raw ? pte : (struct hv_pte){.kind = HV_PTE_BAD};
}

/*
 * At least three levels, so that 1 GiB blocks are there; up to 16 concatenated root tables. A start
 * at level 0 (four levels, 44 bits and more) exists only on a CPU with as many output bits.
 */
const struct hv_pt_fmt a64_stage2_fmt = {
	.name = "Arm Stage-2",
	.min_levels = 3,
	.max_levels = 4,
	.max_leaf = MAX_LEAF,
	.root_extra_bits = 4,
	.break_before_make = true,
	.ia_within_pa = true,
	.max_pa_bits = 48,
	.vmid_bits = 8,
	.prot_mask = PROTS,
	.encode = encode,
	.decode = decode,
};

#define VTCR_RES1       HV_BIT(31)
#define VTCR_PS_SHIFT   16
#define VTCR_SH0_INNER  ((uint64_t)3 << 12)
#define VTCR_ORGN0_WBWA ((uint64_t)1 << 10)
#define VTCR_IRGN0_WBWA ((uint64_t)1 << 8)
#define VTCR_SL0_SHIFT  6

/* PS: the fewest output bits that the architecture can name and that hold pa_bits. */
static uint64_t vtcr_ps(uint8_t pa_bits)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
	uint64_t ps = 0;

	while (bits[ps] < pa_bits) {
		ps++;
	}
	return ps;
}

/* TG0 = 0: 4 KiB. VS = 0: VMIDs have 8 bits. HA, HD = 0: the CPU never writes a descriptor. */
uint64_t a64_vtcr(const struct hv_pt *pt)
{
	return VTCR_RES1 | vtcr_ps(pt->pa_bits) << VTCR_PS_SHIFT | VTCR_SH0_INNER |
	       VTCR_ORGN0_WBWA | VTCR_IRGN0_WBWA | (uint64_t)(pt->levels - 2) << VTCR_SL0_SHIFT |
	       (uint64_t)(64 - pt->ia_bits);
}

uint64_t a64_vttbr(const struct hv_pt *pt)
{
	return (uint64_t)pt->vmid << 48 | pt->root.v;
}
