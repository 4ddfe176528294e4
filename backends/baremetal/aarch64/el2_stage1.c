/* SPDX-License-Identifier: MIT */
#include "el2_stage1.h"

#include "el2.h"

#include <common/stage1.h>
#include <hv/bits.h>

#define STAGE1_IA_BITS 48u
#define TCR_PS_48      5u /* the most without 52-bit addresses */

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

/* Below each stack there is a page of nothing. */
static enum hv_status drop_guards(void)
{
	enum hv_status status = HV_OK;

	for (unsigned i = 0; i < EL2_CPUS && status == HV_OK; i++) {
		status = stage1_drop(cpu_slots[i].guard);
		if (status == HV_OK) {
			status = stage1_drop(cpu_slots[i].fault_guard);
		}
	}
	return status;
}

enum hv_status el2_stage1_init(void)
{
	enum hv_status status = stage1_init(&el2_stage1_fmt, STAGE1_IA_BITS);

	return status == HV_OK ? drop_guards() : status;
}

void el2_stage1_use(void)
{
	uint64_t pa_range = hv_bits(SYSREG_READ(id_aa64mmfr0_el1), 3, 0);
	uint64_t ps = pa_range < TCR_PS_48 ? pa_range : TCR_PS_48;
	uint64_t tcr = TCR_RES1 | TCR_WALK_WB | TCR_T0SZ(STAGE1_IA_BITS) | ps << TCR_PS_SHIFT;

	boot_stage1[0] = tcr;
	boot_stage1[1] = stage1_root().v;
	boot_stage1[2] = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_WXN;
	stage1_switch(MAIR_VALUE, boot_stage1[0], boot_stage1[1], boot_stage1[2]);
}
