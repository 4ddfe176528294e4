/* SPDX-License-Identifier: MIT */
/* What a host CPU can do, from its identification registers. Pure. DDI 0487, chapter D17. */
#include "pstate.h"

/* Fields count up from 0 = absent; FP, SIMD and granules count from 0xf = absent. */
static unsigned field(uint64_t reg, unsigned low)
{
	return (unsigned)(reg >> low) & 0xf;
}

static uint8_t pa_bits(uint64_t mmfr0)
{
	static const uint8_t bits[16] = {32, 36, 40, 42, 44, 48, 52, 56};

	return bits[field(mmfr0, 0)]; /* 0: a value from the future */
}

/* TGran4_2: 1 absent, 2 and 3 present, 0 as at Stage-1, whose field has 0xf for absent. */
static bool stage2_4k(uint64_t mmfr0)
{
	unsigned tgran4_2 = field(mmfr0, 40);

	return tgran4_2 == 0 ? field(mmfr0, 28) != 0xf : tgran4_2 != 1;
}

static bool crypto(uint64_t isar0)
{
	return field(isar0, 4) >= 2 && field(isar0, 8) >= 1 && field(isar0, 12) >= 1 &&
	       field(isar0, 16) >= 1;
}

static uint64_t pstate_bits(const struct a64_idregs *id)
{
	uint64_t bits = 0;

	bits |= field(id->mmfr1, 20) ? A64_PSTATE_PAN : 0;
	bits |= field(id->mmfr2, 4) ? A64_PSTATE_UAO : 0;
	bits |= field(id->pfr0, 48) ? A64_PSTATE_DIT : 0;
	bits |= field(id->pfr1, 4) ? A64_PSTATE_SSBS : 0;
	bits |= field(id->pfr1, 8) >= 2 ? A64_PSTATE_TCO : 0;
	return bits;
}

/* BRPs 15:12, WRPs 23:20, CTX_CMPs 31:28. */
#define DFR0_DEBUG_FIELDS ((uint64_t)0xf0f0f000)

struct a64_caps a64_caps_decode(const struct a64_idregs *id)
{
	bool gicv3 = field(id->pfr0, 24) != 0 && id->ich_vtr != 0;

	return (struct a64_caps){
		.pa_bits = pa_bits(id->mmfr0),
		.vmid_bits = field(id->mmfr1, 4) == 2 ? 16 : 8,
		.asid_bits = field(id->mmfr0, 4) == 2 ? 16 : 8,
		.lr_count = gicv3 ? (uint8_t)((id->ich_vtr & 0xf) + 1) : 0, /* ListRegs 4:0, < 16 */
		.el2 = field(id->pfr0, 8) != 0,
		.vhe = field(id->mmfr1, 8) != 0,
		.gicv3 = gicv3,
		.aarch32_el0 = field(id->pfr0, 0) == 2,
		.stage2_4k = stage2_4k(id->mmfr0),
		.crypto = crypto(id->isar0),
		.pstate_bits = pstate_bits(id),
		.debug_fields = id->dfr0 & DFR0_DEBUG_FIELDS,
	};
}

const char *a64_caps_missing(const struct a64_caps *caps)
{
	if (!caps->el2) {
		return "EL2";
	}
	if (!caps->stage2_4k) {
		return "the 4 KiB granule at Stage-2";
	}
	if (caps->pa_bits == 0) {
		return "a physical address size that is known";
	}
	return NULL;
}

void a64_vcpu_caps_set(struct a64_vcpu *vcpu, const struct a64_caps *caps)
{
	vcpu->pstate_bits = caps->pstate_bits;
	vcpu->debug_fields = caps->debug_fields;
}
