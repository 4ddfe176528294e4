/* SPDX-License-Identifier: MIT */
/*
 * Intel extended page tables, page-walk length 4, accessed and dirty flags off. Needs 1 GiB pages.
 * Execute-only is a capability of its own and not offered. Source: Intel SDM, vol. 3C, 28.3.2 (EPT
 * translation, tables 28-1 to 28-6) and 28.3.7 (memory types).
 */
#include "x86.h"

#include <hv/bits.h>

#define R    HV_BIT(0)
#define W    HV_BIT(1)
#define X    HV_BIT(2)
#define WB   ((uint64_t)6 << 3) /* memory type of a leaf; 0: uncacheable */
#define PS   HV_BIT(7)          /* above level 0: a leaf */
#define ADDR HV_MASK(51, 12)

#define MAX_LEAF 2u /* 1 GiB */

static uint64_t encode_leaf(struct hv_pte pte, uint8_t level)
{
	uint64_t raw = pte.pa & ADDR & ~(hv_pt_span(level) - 1);

	raw |= level > 0 ? PS : 0;
	raw |= pte.type == HV_MEM_NORMAL ? WB : 0;
	raw |= pte.prot & HV_PROT_R ? R : 0;
	raw |= pte.prot & HV_PROT_W ? W : 0;
	raw |= pte.prot & HV_PROT_X ? X : 0;
	return raw;
}

static uint64_t encode(struct hv_pte pte, uint8_t level)
{
	switch (pte.kind) {
	case HV_PTE_TABLE: return R | W | X | (pte.pa & ADDR);
	case HV_PTE_LEAF: return encode_leaf(pte, level);
	default: return 0;
	}
}

static enum hv_pte_kind kind_of(uint64_t raw, uint8_t level)
{
	if (raw == 0) {
		return HV_PTE_EMPTY;
	}
	if (level > 0 && !(raw & PS)) {
		return HV_PTE_TABLE;
	}
	return level <= MAX_LEAF ? HV_PTE_LEAF : HV_PTE_BAD;
}

static uint8_t prot_of(uint64_t raw)
{
	return (uint8_t)((raw & R ? HV_PROT_R : 0) | (raw & W ? HV_PROT_W : 0) |
			 (raw & X ? HV_PROT_X : 0));
}

/* Reads what it knows, and checks that writing it again gives every bit of the original. */
static struct hv_pte decode(uint64_t raw, uint8_t level)
{
	struct hv_pte pte = {.kind = kind_of(raw, level), .pa = raw & ADDR};
	bool known = true;

	if (pte.kind == HV_PTE_LEAF) {
		pte.type = raw & WB ? HV_MEM_NORMAL : HV_MEM_DEVICE;
		pte.prot = prot_of(raw);
		known = hv_bit(HV_PT_PROTS_READABLE, pte.prot);
	}
	return known && encode(pte, level) == raw ? pte : (struct hv_pte){.kind = HV_PTE_BAD};
}

const struct hv_pt_fmt x86_ept_fmt = {
	.name = "Intel EPT",
	.min_levels = 4,
	.max_levels = 4,
	.max_leaf = MAX_LEAF,
	.max_pa_bits = 52,
	.vmid_bits = 16,
	.prot_mask = HV_PT_PROTS_READABLE,
	.encode = encode,
	.decode = decode,
};
