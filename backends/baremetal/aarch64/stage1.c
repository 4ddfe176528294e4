/* SPDX-License-Identifier: MIT */
#include "stage1.h"

#include "el2.h"
#include <hv/bits.h>

#define STAGE1_IA_BITS 48u
#define STAGE1_PAGES   48u
#define TCR_PS_48      5u /* the most without 52-bit addresses */

static uint8_t pool_memory[STAGE1_PAGES * HV_PAGE_SIZE]
	__attribute__((aligned(HV_PAGE_SIZE), section(".noinit")));
static struct {
	struct hv_pages pool;
	struct hv_pt pt;
} stage1;

enum hv_status stage1_map(uint64_t base, uint64_t size, uint8_t prot, uint8_t type)
{
	uint64_t start = hv_align_down(base, HV_PAGE_SIZE);
	struct hv_pt_map map = {.ia = GPA(start),
		.pa = HPA(start),
		.size = hv_align_up(base + size, HV_PAGE_SIZE) - start,
		.prot = prot,
		.type = type};

	return hv_pt_map(&stage1.pt, &map);
}

#define GIB_SHIFT 30u

/* boot.S; level 1 of a 39-bit space, one block each. */
extern uint64_t boot_table[512];

void boot_map_add(uint64_t base, uint64_t size, uint8_t type)
{
	for (uint64_t gib = base >> GIB_SHIFT; gib <= (base + size - 1) >> GIB_SHIFT; gib++) {
		if (gib < HV_ARRAY_COUNT(boot_table) && boot_table[gib] == 0) {
			boot_table[gib] =
				el2_stage1_fmt.encode((struct hv_pte){.kind = HV_PTE_LEAF,
							      .pa = gib << GIB_SHIFT,
							      .prot = HV_PROT_R | HV_PROT_W,
							      .type = type},
					2);
		}
	}
	DSB(ishst);
	ISB();
}

/* [from, to) of the image; numbers, because a compiler may take two objects to be never adjacent.
 */
static enum hv_status map_part(uintptr_t from, uintptr_t to, uint8_t prot)
{
	return from == to ? HV_OK : stage1_map(from, to - from, prot, HV_MEM_NORMAL);
}

/* Below each stack there is a page of nothing. */
static enum hv_status drop_guards(void)
{
	for (unsigned i = 0; i < EL2_CPUS; i++) {
		enum hv_status status;

		status = hv_pt_unmap(&stage1.pt, GPA((uintptr_t)cpu_slots[i].guard), HV_PAGE_SIZE);
		if (status == HV_OK) {
			status = hv_pt_unmap(
				&stage1.pt, GPA((uintptr_t)cpu_slots[i].fault_guard), HV_PAGE_SIZE);
		}
		if (status != HV_OK) {
			return status;
		}
	}
	return HV_OK;
}

enum hv_status stage1_init(void)
{
	uintptr_t pool = (uintptr_t)pool_memory;
	enum hv_status status;

	hv_pages_init(&stage1.pool, pool_memory, HPA(pool), STAGE1_PAGES);
	status = hv_pt_init(
		&stage1.pt, &el2_stage1_fmt, &stage1.pool, STAGE1_IA_BITS, STAGE1_IA_BITS, 0);
	if (status == HV_OK) {
		status = map_part(
			(uintptr_t)image_start, (uintptr_t)text_end, HV_PROT_R | HV_PROT_X);
	}
	if (status == HV_OK) {
		status = map_part((uintptr_t)text_end, (uintptr_t)rodata_end, HV_PROT_R);
	}
	if (status == HV_OK) {
		status = map_part((uintptr_t)rodata_end, pool, HV_PROT_R | HV_PROT_W);
	}
	if (status == HV_OK) {
		status = map_part(
			pool + sizeof(pool_memory), (uintptr_t)image_end, HV_PROT_R | HV_PROT_W);
	}
	return status == HV_OK ? drop_guards() : status;
}

void stage1_use(void)
{
	uint64_t pa_range = hv_bits(SYSREG_READ(id_aa64mmfr0_el1), 3, 0);
	uint64_t ps = pa_range < TCR_PS_48 ? pa_range : TCR_PS_48;
	uint64_t tcr = TCR_RES1 | TCR_WALK_WB | TCR_T0SZ(STAGE1_IA_BITS) | ps << TCR_PS_SHIFT;

	boot_stage1[0] = tcr;
	boot_stage1[1] = stage1.pt.root.v;
	boot_stage1[2] = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_WXN;
	stage1_switch(MAIR_VALUE, boot_stage1[0], boot_stage1[1], boot_stage1[2]);
}
