/* SPDX-License-Identifier: MIT */
/*
 * The GICv3 redistributors (IHI 0069H, 12.10 and 12.11): for each vCPU RD_base and SGI_base, one
 * pair after the other. There are no LPIs: GICR_CTLR and the LPI registers are RAZ/WI.
 */
#include <dev/gic/vgic_int.h>
#include <hv/check.h>

#define GICR_FRAME 0x10000u

#define GICR_IIDR  0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_ID    0xffd0u

#define GICR_BITS           0x0080u /* one word each 0x80: IGROUPR0 .. ICACTIVER0 */
#define GICR_IPRIORITYR     0x0400u
#define GICR_IPRIORITYR_END 0x0420u
#define GICR_ICFGR0         0x0c00u
#define GICR_ICFGR1         0x0c04u

#define TYPER_LAST      HV_BIT(4)
#define TYPER_CPU_SHIFT 8u
#define WAKER_SLEEP     HV_BIT(1)
#define WAKER_ASLEEP    HV_BIT(2)

#define IIDR 0x4400043bu
#define PART 0x93u
#define ARCH 3u

static uint64_t typer(const struct gicv3_cpu *cpu)
{
	uint64_t aff = hv_bits(cpu->affinity, 39, 32) << 24 | hv_bits(cpu->affinity, 23, 0);
	uint64_t last = cpu->index + 1u == cpu->vgic->cpu_count ? TYPER_LAST : 0;

	return aff << 32 | (uint64_t)cpu->index << TYPER_CPU_SHIFT | last;
}

/* GICR_TYPER: 64 bits, or either half. */
static void typer_access(const struct gicv3_cpu *cpu, struct hv_access *a)
{
	uint64_t value = typer(cpu) >> (a->off & 4) * 8;

	if (!a->write && a->size >= 4) {
		a->data = a->size == 8 ? value : hv_bits(value, 31, 0);
	}
}

/* The handshake is over at once: ChildrenAsleep follows ProcessorSleep. */
static void waker_access(struct gicv3_cpu *cpu, struct hv_access *a, struct gicv3_cpu *self)
{
	if (a->write) {
		vgic_sleep_set(cpu, (a->data & WAKER_SLEEP) != 0, self);
	} else {
		a->data = cpu->asleep ? WAKER_SLEEP | WAKER_ASLEEP : 0;
	}
}

static void rd_access(struct gicv3_cpu *cpu, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t off = (uint32_t)a->off % GICR_FRAME;

	if ((off & ~7u) == GICR_TYPER) {
		typer_access(cpu, a);
	} else if (a->size != 4) {
		return;
	} else if (off == GICR_WAKER) {
		waker_access(cpu, a, self);
	} else if (off == GICR_IIDR && !a->write) {
		a->data = IIDR;
	} else if (off >= GICR_ID && !a->write) {
		a->data = vgic_id_read(off, PART, ARCH);
	}
}

static void bits_access(
	struct gicv3_cpu *cpu, uint32_t off, struct hv_access *a, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);

	if (off & 0x7f || a->size != 4) {
		return;
	}
	if (a->write) {
		vgic_bits_write(cpu->vgic, bank, off, (uint32_t)a->data, self);
	} else {
		a->data = vgic_bits_read(cpu->vgic, bank, off, self);
	}
}

static void prio_access(
	struct gicv3_cpu *cpu, uint32_t off, struct hv_access *a, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);
	uint32_t n = off - GICR_IPRIORITYR;

	if (a->size != 1 && a->size != 4) {
		return;
	}
	if (a->write) {
		vgic_prio_write(cpu->vgic, bank, n, a->size, (uint32_t)a->data, self);
	} else {
		a->data = vgic_prio_read(bank, n, a->size);
	}
}

/* SGIs are always edge-triggered; PPIs are what the guest says. */
static void cfg_access(
	struct gicv3_cpu *cpu, uint32_t off, struct hv_access *a, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_private(cpu);
	uint32_t n = off == GICR_ICFGR1 ? GIC_PPI_FIRST : 0;

	if (a->size != 4) {
		return;
	}
	if (!a->write) {
		a->data = vgic_cfg_read(bank, n);
	} else if (off == GICR_ICFGR1) {
		vgic_cfg_write(cpu->vgic, bank, n, (uint32_t)a->data, self);
	}
}

static void sgi_access(struct gicv3_cpu *cpu, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t off = (uint32_t)a->off % GICR_FRAME;

	if (off >= GICR_BITS && off < GICR_IPRIORITYR) {
		bits_access(cpu, off, a, self);
	} else if (off >= GICR_IPRIORITYR && off < GICR_IPRIORITYR_END) {
		prio_access(cpu, off, a, self);
	} else if (off == GICR_ICFGR0 || off == GICR_ICFGR1) {
		cfg_access(cpu, off, a, self);
	}
}

static bool redist_access(void *dev, struct hv_access *a)
{
	struct vgic *vgic = dev;
	uint64_t i = a->off / GICV3_GICR_SIZE;
	struct gicv3_cpu *cpu;

	if (!a->write) {
		a->data = 0;
	}
	if (i >= vgic->cpu_count || !hv_is_aligned(a->off, a->size) ||
		HV_NEVER(a->cpu >= vgic->cpu_count)) {
		return true; /* no such redistributor (G11), no such access */
	}
	cpu = vgic->cpu[i];
	port_lock(&vgic->lock);
	if (a->off & GICR_FRAME) {
		sgi_access(cpu, a, vgic->cpu[a->cpu]);
	} else {
		rd_access(cpu, a, vgic->cpu[a->cpu]);
	}
	port_unlock(&vgic->lock);
	return true;
}

static void redist_reset(void *dev)
{
	vgic_reset(dev);
}

const struct hv_dev_ops gicv3_redist_ops = {
	.name = "gicv3-redist",
	.access = redist_access,
	.reset = redist_reset,
};
