/* SPDX-License-Identifier: MIT */
/*
 * A GIC with vCPUs for tests: register accesses by name, and just enough of a guest to acknowledge
 * and end what its list registers offer. A vCPU is out of the guest, but between rig_enter() and
 * the next call here that needs it out, its list registers are the hardware's (fake_gic.hw).
 */
#ifndef VGIC_RIG_H
#define VGIC_RIG_H

#include <unit.h>

#include <dev/gic/gic.h>
#include <fake_gic.h>

#define RIG_SPIS 96u
#define RIG_VMCR 0xf8000003u /* the guest's: both groups on, nothing masked, EOImode 0 */

struct rig {
	struct vgic *gic;
	struct gicv3_cpu cpu[GIC_CPUS];
	unsigned cpus;
	unsigned notified[GIC_CPUS];
	size_t memory_used;
	_Alignas(16) uint8_t memory[16384];
};

static struct rig rig;

static void rig_notify(void *ctx)
{
	assert_int_equal(fake_port.locks_held, 1);
	(*(unsigned *)ctx)++;
}

static void rig_start_as(enum gic_iface iface, unsigned cpus, uint8_t lr_count)
{
	struct hv_arena arena = {.base = rig.memory, .size = sizeof(rig.memory)};
	const struct vgic_cfg cfg = {.spis = RIG_SPIS, .iface = iface};

	memset(&rig, 0, sizeof(rig));
	fake_gic_reset();
	assert_int_equal(vgic_create(&rig.gic, &cfg, &arena), HV_OK);
	rig.memory_used = arena.used;
	for (unsigned i = 0; i < cpus; i++) {
		const struct vgic_cpu_cfg cpu_cfg = {
			.index = (uint16_t)i,
			.affinity = i,
			.lr_count = lr_count,
			.notify = rig_notify,
			.ctx = &rig.notified[i],
		};

		assert_int_equal(vgic_add_cpu(rig.gic, &rig.cpu[i], &cpu_cfg), HV_OK);
	}
	rig.cpus = cpus;
	for (unsigned i = 0; i < cpus && iface != GIC_IFACE_V2_SOFT; i++) {
		fake_gic_enter(&rig.cpu[i]);
		fake_gic.hw[i].vmcr = RIG_VMCR;
	}
}

static inline void rig_start(unsigned cpus, uint8_t lr_count)
{
	rig_start_as(GIC_IFACE_V3, cpus, lr_count);
}

static uint64_t rig_access(const struct hv_dev_ops *ops, unsigned cpu, uint64_t off, unsigned size,
	bool write, uint64_t data)
{
	struct hv_access a = {
		.off = off,
		.data = write ? data : 0xa5a5a5a5a5a5a5a5u,
		.size = (uint8_t)size,
		.write = write,
		.cpu = (uint16_t)cpu,
	};

	assert_true(ops->access(rig.gic, &a));
	assert_int_equal(fake_port.locks_held, 0);
	return a.data;
}

/* 32-bit accesses by a vCPU to the distributor, and to its own redistributor. */
static inline uint32_t dist_read(unsigned cpu, uint64_t off)
{
	return (uint32_t)rig_access(&gicv3_dist_ops, cpu, off, 4, false, 0);
}

static inline void dist_write(unsigned cpu, uint64_t off, uint32_t value)
{
	rig_access(&gicv3_dist_ops, cpu, off, 4, true, value);
}

static inline uint32_t redist_read(unsigned cpu, uint64_t off)
{
	return (uint32_t)rig_access(
		&gicv3_redist_ops, cpu, cpu * GICV3_GICR_SIZE + off, 4, false, 0);
}

static inline void redist_write(unsigned cpu, uint64_t off, uint32_t value)
{
	rig_access(&gicv3_redist_ops, cpu, cpu * GICV3_GICR_SIZE + off, 4, true, value);
}

/* Registers by interrupt, as `cpu` reaches them. */
enum {
	CTLR = 0,
	GROUP = 0x80,
	ENABLE = 0x100,
	DISABLE = 0x180,
	PEND = 0x200,
	UNPEND = 0x280,
	ACTIVATE = 0x300,
	DEACTIVATE = 0x380
};
#define SGI_FRAME 0x10000u

static inline uint32_t irq_bit(unsigned cpu, unsigned reg, uint32_t intid)
{
	uint32_t word = intid < 32 ? redist_read(cpu, SGI_FRAME + reg)
				   : dist_read(cpu, reg + intid / 32 * 4);

	return word >> intid % 32 & 1;
}

static inline void irq_do(unsigned cpu, unsigned reg, uint32_t intid)
{
	if (intid < 32) {
		redist_write(cpu, SGI_FRAME + reg, 1u << intid);
	} else {
		dist_write(cpu, reg + intid / 32 * 4, 1u << intid % 32);
	}
}

static inline void irq_group1(unsigned cpu, uint32_t intid)
{
	if (intid < 32) {
		redist_write(
			cpu, SGI_FRAME + GROUP, redist_read(cpu, SGI_FRAME + GROUP) | 1u << intid);
	} else {
		dist_write(cpu, GROUP + intid / 32 * 4,
			dist_read(cpu, GROUP + intid / 32 * 4) | 1u << intid % 32);
	}
}

static inline void irq_prio(unsigned cpu, uint32_t intid, uint8_t prio)
{
	if (intid < 32) {
		rig_access(&gicv3_redist_ops, cpu,
			cpu * GICV3_GICR_SIZE + SGI_FRAME + 0x400 + intid, 1, true, prio);
	} else {
		rig_access(&gicv3_dist_ops, cpu, 0x400 + intid, 1, true, prio);
	}
}

static inline void irq_edge(unsigned cpu, uint32_t intid)
{
	uint64_t off = 0xc00 + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;

	if (intid < 32) {
		redist_write(cpu, SGI_FRAME + off, redist_read(cpu, SGI_FRAME + off) | bit);
	} else {
		dist_write(cpu, off, dist_read(cpu, off) | bit);
	}
}

static inline void irq_route(unsigned cpu, uint32_t intid, uint64_t route)
{
	rig_access(&gicv3_dist_ops, cpu, 0x6000 + 8 * intid, 8, true, route);
}

/* Both groups on; `intid` in group 1, enabled. */
static inline void irq_open(unsigned cpu, uint32_t intid, uint8_t prio)
{
	dist_write(cpu, CTLR, 3);
	irq_group1(cpu, intid);
	irq_prio(cpu, intid, prio);
	irq_do(cpu, ENABLE, intid);
}

/* What a backend does before it enters: look if somebody asked for it, then write. */
static inline void rig_enter(unsigned cpu)
{
	if (rig.notified[cpu]) {
		rig.notified[cpu] = 0;
		vgic_sync(&rig.cpu[cpu]);
	}
	fake_gic_enter(&rig.cpu[cpu]);
}

/* The list register with this interrupt in hardware, or -1. */
static inline int hw_find(unsigned cpu, uint32_t intid)
{
	for (int n = 0; n < (int)GIC_LRS; n++) {
		uint64_t lr = fake_gic.hw[cpu].lr[n];

		if (lr & GICV3_LR_STATE && (lr & GICV3_LR_VINTID) == intid) {
			return n;
		}
	}
	return -1;
}

/* 0: not there, else 1 pending, 2 active, 3 both. */
static inline unsigned hw_state(unsigned cpu, uint32_t intid)
{
	int n = hw_find(cpu, intid);

	return n < 0 ? 0 : (unsigned)(fake_gic.hw[cpu].lr[n] >> 62);
}

/* Enters the guest, which acknowledges its most urgent interrupt: GIC_SPURIOUS when none. */
static inline uint32_t guest_ack(unsigned cpu)
{
	struct fake_gic_hw *hw = &fake_gic.hw[cpu];
	int best = -1;

	rig_enter(cpu);
	for (int n = 0; n < rig.cpu[cpu].lr_count; n++) {
		if (hw->lr[n] >> 62 == 1 &&
			(best < 0 || (hw->lr[n] >> 48 & 0xff) < (hw->lr[best] >> 48 & 0xff))) {
			best = n;
		}
	}
	if (best < 0) {
		return GIC_SPURIOUS;
	}
	hw->lr[best] ^= GICV3_LR_STATE;
	return (uint32_t)(hw->lr[best] & GICV3_LR_VINTID);
}

/* Ends it (EOImode 0); true: that raised a maintenance interrupt, which was then handled. */
static inline bool guest_eoi(unsigned cpu, uint32_t intid)
{
	struct fake_gic_hw *hw = &fake_gic.hw[cpu];
	int n = hw_find(cpu, intid);
	bool pending = false, maintenance;

	if (n >= 0 && hw->lr[n] & GICV3_LR_ACTIVE) {
		hw->lr[n] &= ~GICV3_LR_ACTIVE;
		maintenance = !(hw->lr[n] & GICV3_LR_STATE) && !(hw->lr[n] & GICV3_LR_HW) &&
			      hw->lr[n] & GICV3_LR_EOI;
	} else {
		hw->hcr += 1u << GICV3_HCR_EOICOUNT_SHIFT;
		maintenance = hw->hcr & GICV3_HCR_LRENPIE;
	}
	for (int i = 0; i < rig.cpu[cpu].lr_count; i++) {
		pending |= hw->lr[i] >> 62 == 1;
	}
	maintenance |= !pending && hw->hcr & GICV3_HCR_NPIE;
	if (maintenance) {
		vgic_sync(&rig.cpu[cpu]);
		rig_enter(cpu);
	}
	return maintenance;
}

#endif
