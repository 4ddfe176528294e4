/* SPDX-License-Identifier: MIT */
/*
 * The list registers of unit tests: per vCPU what the hardware holds, as a backend would keep it.
 * fake_gic_enter() does what every backend does before it enters the guest; what a guest then does
 * to its list registers, a test does to fake_gic.hw[]. port_gicv3_lr_load() reads it back, and
 * fails the test when it is not asked as the contract says.
 */
#ifndef FAKE_GIC_H
#define FAKE_GIC_H

#include <dev/gic/gic.h>

struct fake_gic_hw {
	uint64_t lr[GIC_LRS];
	uint32_t hcr, vmcr;
	unsigned loads;  /* port_gicv3_lr_load() calls */
	unsigned reads;  /* list registers read by them */
	unsigned writes; /* list registers written by fake_gic_enter() */
	unsigned resets; /* GICV3_DIRTY_IFACE seen */
};

struct fake_gic {
	struct fake_gic_hw hw[GIC_CPUS];
	unsigned ends; /* port_gicv3_hw_end() calls, and the last one's interrupt */
	uint32_t ended;
	bool line_low; /* the inputs of mapped interrupts have fallen */
};

extern struct fake_gic fake_gic;
void fake_gic_reset(void);
void fake_gic_enter(struct gicv3_cpu *cpu);

#endif
