/* SPDX-License-Identifier: MIT */
#include "caps.h"

#include "sysreg.h"

static struct a64_caps caps;

#define PFR0_GIC_SHIFT 24
#define PFR0_GIC_MASK  0xfu

void caps_read(void)
{
	struct a64_idregs id = {
		.pfr0 = SYSREG_READ(id_aa64pfr0_el1),
		.pfr1 = SYSREG_READ(id_aa64pfr1_el1),
		.dfr0 = SYSREG_READ(id_aa64dfr0_el1),
		.isar0 = SYSREG_READ(id_aa64isar0_el1),
		.mmfr0 = SYSREG_READ(id_aa64mmfr0_el1),
		.mmfr1 = SYSREG_READ(id_aa64mmfr1_el1),
		.mmfr2 = SYSREG_READ(S3_0_C0_C7_2), /* id_aa64mmfr2_el1 */
	};

	/* ICH_VTR_EL2 exists only with a GICv3 CPU interface. */
	if (id.pfr0 >> PFR0_GIC_SHIFT & PFR0_GIC_MASK) {
		id.ich_vtr = SYSREG_READ(ICH_VTR_EL2);
	}
	caps = a64_caps_decode(&id);
}

const struct a64_caps *caps_get(void)
{
	return &caps;
}
