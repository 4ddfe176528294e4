/* SPDX-License-Identifier: MIT */
/*
 * RISC-V descriptors: those of the G-stage, and those of a hypervisor's own translation. Sv39, Sv48
 * and Sv57 differ only in their number of levels. Svpbmt and Svnapot are not assumed: memory
 * attributes come from the platform (PMA), so that a device page looks like any other, and a bit
 * kept for software remembers what it was. Source: RISC-V Privileged Architecture 20211203, 4.3 to
 * 4.5 (descriptors) and 8.5 (two-stage).
 */
#include "rv64.h"

#include <hv/bits.h>

#define V      HV_BIT(0)
#define R      HV_BIT(1)
#define W      HV_BIT(2)
#define X      HV_BIT(3)
#define U      HV_BIT(4)
#define A      HV_BIT(6) /* with D set from the start: a CPU never has to write a descriptor */
#define D      HV_BIT(7)
#define DEVICE HV_BIT(8) /* RSW: ours */
#define PPN    HV_MASK(53, 10)

/* What leaves of a format have in common, and which rights they can express (hv_pt_fmt). */
#define GSTAGE       (V | U | A | D) /* checks every access as one of user mode */
#define GSTAGE_PROTS (HV_PT_PROTS_READABLE | HV_PT_PROTS_X_ONLY)
#define STAGE1       (V | A | D)
#define STAGE1_PROTS                                                                               \
	(1u << HV_PROT_R | 1u << (HV_PROT_R | HV_PROT_W) | 1u << (HV_PROT_R | HV_PROT_X))

/* PPN starts at bit 10, the address it stands for at bit 12. */
static uint64_t ppn_of(uint64_t pa)
{
	return (pa >> 2) & PPN;
}

static uint64_t encode_leaf(struct hv_pte pte, uint8_t level, uint64_t common)
{
	uint64_t raw = common | ppn_of(pte.pa & ~(hv_pt_span(level) - 1));

	raw |= pte.prot & HV_PROT_R ? R : 0;
	raw |= pte.prot & HV_PROT_W ? W : 0;
	raw |= pte.prot & HV_PROT_X ? X : 0;
	raw |= pte.type == HV_MEM_DEVICE ? DEVICE : 0;
	return raw;
}

static uint64_t encode(struct hv_pte pte, uint8_t level, uint64_t common)
{
	switch (pte.kind) {
	case HV_PTE_TABLE: return V | ppn_of(pte.pa);
	case HV_PTE_LEAF: return encode_leaf(pte, level, common);
	default: return 0;
	}
}

static enum hv_pte_kind kind_of(uint64_t raw, uint8_t level)
{
	if (raw == 0) {
		return HV_PTE_EMPTY;
	}
	if (raw & (R | W | X)) {
		return HV_PTE_LEAF;
	}
	return level > 0 ? HV_PTE_TABLE : HV_PTE_BAD;
}

static uint8_t prot_of(uint64_t raw)
{
	return (uint8_t)((raw & R ? HV_PROT_R : 0) | (raw & W ? HV_PROT_W : 0) |
			 (raw & X ? HV_PROT_X : 0));
}

/* Reads what it knows, and checks that writing it again gives every bit of the original. */
static struct hv_pte decode(uint64_t raw, uint8_t level, uint64_t common, uint32_t prots)
{
	struct hv_pte pte = {.kind = kind_of(raw, level), .pa = (raw & PPN) << 2};
	bool known = true;

	if (pte.kind == HV_PTE_LEAF) {
		pte.type = raw & DEVICE ? HV_MEM_DEVICE : HV_MEM_NORMAL;
		pte.prot = prot_of(raw);
		known = hv_bit(prots, pte.prot);
	}
	return known && encode(pte, level, common) == raw ? pte
							  : (struct hv_pte){.kind = HV_PTE_BAD};
}

static uint64_t gstage_encode(struct hv_pte pte, uint8_t level)
{
	return encode(pte, level, GSTAGE);
}

static struct hv_pte gstage_decode(uint64_t raw, uint8_t level)
{
	return decode(raw, level, GSTAGE, GSTAGE_PROTS);
}

static uint64_t stage1_encode(struct hv_pte pte, uint8_t level)
{
	return encode(pte, level, STAGE1);
}

static struct hv_pte stage1_decode(uint64_t raw, uint8_t level)
{
	return decode(raw, level, STAGE1, STAGE1_PROTS);
}

/* The root is always four pages: its index has two bits more than those below it. */
const struct hv_pt_fmt rv64_gstage_fmt = {
	.name = "RISC-V G-stage",
	.min_levels = 3,
	.max_levels = 5,
	.max_leaf = 4,
	.root_extra_bits = 2,
	.root_extra_always = true,
	.caches_invalid = true,
	.max_pa_bits = 56,
	.vmid_bits = 14,
	.prot_mask = GSTAGE_PROTS,
	.encode = gstage_encode,
	.decode = gstage_decode,
};

const struct hv_pt_fmt rv64_stage1_fmt = {
	.name = "RISC-V supervisor",
	.min_levels = 3,
	.max_levels = 5,
	.max_leaf = 4,
	.caches_invalid = true,
	.max_pa_bits = 56,
	.prot_mask = STAGE1_PROTS,
	.encode = stage1_encode,
	.decode = stage1_decode,
};
