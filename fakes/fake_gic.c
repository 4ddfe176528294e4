/* SPDX-License-Identifier: MIT */
#include "fake_gic.h"

#include <stdio.h>
#include <stdlib.h>

struct fake_gic fake_gic;

void fake_gic_reset(void)
{
	fake_gic = (struct fake_gic){0};
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fake_gic: %s\n", what);
	abort();
}

void fake_gic_enter(struct gicv3_cpu *cpu)
{
	struct fake_gic_hw *hw = &fake_gic.hw[cpu->index];

	for (unsigned n = 0; n < GIC_LRS; n++) {
		if (cpu->lr_dirty >> n & 1) {
			if (n >= cpu->lr_count) {
				fail("a list register that this CPU does not have");
			}
			hw->lr[n] = cpu->lr[n];
			hw->writes++;
		}
	}
	if (cpu->lr_dirty & GICV3_DIRTY_IFACE) {
		hw->vmcr = 0;
		hw->resets++;
	}
	if (cpu->lr_dirty & GICV3_DIRTY_HCR) {
		hw->hcr = cpu->hcr;
	}
	cpu->lr_dirty = 0;
	cpu->lr_here = false;
}

void port_gicv3_lr_load(struct gicv3_cpu *cpu)
{
	struct fake_gic_hw *hw = &fake_gic.hw[cpu->index];

	if (cpu->lr_here) {
		fail("list registers loaded twice");
	}
	hw->loads++;
	for (unsigned n = 0; n < GIC_LRS; n++) {
		if ((cpu->lr_used & ~cpu->lr_dirty) >> n & 1) {
			cpu->lr[n] = hw->lr[n];
			hw->reads++;
		}
	}
	cpu->vmcr = hw->vmcr;
	if (!(cpu->lr_dirty & GICV3_DIRTY_HCR)) {
		cpu->hcr = hw->hcr;
	}
}

void port_gicv3_hw_end(uint32_t pintid)
{
	fake_gic.ends++;
	fake_gic.ended = pintid;
}

bool port_gicv3_hw_level(uint32_t pintid)
{
	if (pintid < GIC_PPI_FIRST || pintid >= GIC_SPI_FIRST) {
		fail("the level of no private interrupt");
	}
	return !fake_gic.line_low;
}
