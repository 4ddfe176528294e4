/* SPDX-License-Identifier: MIT */
/*
 * The long-mode format with four levels, for supervisor code: nothing both writable and executable.
 * Needs EFER.NXE, CR0.WP and 1 GiB pages. Source: AMD64 Architecture Programmer's Manual, vol. 2,
 * 5.3 (long-mode translation), 7.8 (PAT).
 */
#include "x86.h"

#include <hv/bits.h>

#define P    HV_BIT(0)
#define RW   HV_BIT(1)
#define PWT  HV_BIT(3)
#define PCD  HV_BIT(4)
#define A    HV_BIT(5) /* with D set from the start: a CPU never has to write a descriptor */
#define D    HV_BIT(6)
#define PS   HV_BIT(7) /* above level 0: a leaf */
#define NX   HV_BIT(63)
#define ADDR HV_MASK(51, 12)

#define UNCACHED (PWT | PCD) /* PAT entry 3, uncacheable unless somebody changed it */
#define MAX_LEAF 2u          /* 1 GiB */

#define PROTS (1u << HV_PROT_R | 1u << (HV_PROT_R | HV_PROT_W) | 1u << (HV_PROT_R | HV_PROT_X))

static uint64_t encode_leaf(struct hv_pte pte, uint8_t level)
{
	uint64_t raw = P | A | D | (pte.pa & ADDR & ~(hv_pt_span(level) - 1));

	raw |= level > 0 ? PS : 0;
	raw |= pte.type == HV_MEM_DEVICE ? UNCACHED : 0;
	raw |= pte.prot & HV_PROT_W ? RW : 0;
	raw |= pte.prot & HV_PROT_X ? 0 : NX;
	return raw;
}

static uint64_t encode(struct hv_pte pte, uint8_t level)
{
	switch (pte.kind) {
	case HV_PTE_TABLE: return P | RW | A | (pte.pa & ADDR);
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

/* Reads what it knows, and checks that writing it again gives every bit of the original. */
static struct hv_pte decode(uint64_t raw, uint8_t level)
{
	struct hv_pte pte = {.kind = kind_of(raw, level), .pa = raw & ADDR};
	bool known = true;

	if (pte.kind == HV_PTE_LEAF) {
		pte.type = raw & UNCACHED ? HV_MEM_DEVICE : HV_MEM_NORMAL;
		pte.prot = (uint8_t)(HV_PROT_R | (raw & RW ? HV_PROT_W : 0) |
				     (raw & NX ? 0 : HV_PROT_X));
		known = hv_bit(PROTS, pte.prot);
	}
	return known && encode(pte, level) == raw ? pte : (struct hv_pte){.kind = HV_PTE_BAD};
}

const struct hv_pt_fmt x86_stage1_fmt = {
	.name = "x86-64 supervisor",
	.min_levels = 4,
	.max_levels = 4,
	.max_leaf = MAX_LEAF,
	.max_pa_bits = 52,
	.vmid_bits = 16,
	.prot_mask = PROTS,
	.encode = encode,
	.decode = decode,
};
