/* SPDX-License-Identifier: MIT */
/*
 * The GICv3 distributor's register frame (IHI 0069H, 12.9), as a machine with one security state
 * shows it: GICD_CTLR.DS and ARE read as one, both groups are the guest's, changes are done when
 * the write is (RWP is 0). Registers of interrupts 0..31, and those that only mean something
 * without affinity routing, are RAZ/WI, and so is every access whose size the specification does
 * not allow.
 */
#include <dev/gic/vgic_int.h>
#include <hv/check.h>

#define GICD_CTLR        0x0000u
#define GICD_TYPER       0x0004u
#define GICD_IIDR        0x0008u
#define GICD_SETSPI_NSR  0x0040u
#define GICD_CLRSPI_NSR  0x0048u
#define GICD_BITS        0x0080u /* IGROUPR .. ICACTIVER */
#define GICD_IPRIORITYR  0x0400u
#define GICD_ITARGETSR   0x0800u
#define GICD_ICFGR       0x0c00u
#define GICD_IGRPMODR    0x0d00u
#define GICD_IROUTER     0x6000u /* + 8 * INTID */
#define GICD_IROUTER_END 0x8000u
#define GICD_ID          0xffd0u

#define CTLR_ARE HV_BIT(4)
#define CTLR_DS  HV_BIT(6)

/* 10 bits of INTID, message-based SPIs, Aff3 is valid, 1-of-N is supported, no LPIs. */
#define TYPER_FIXED (9u << 19 | 1u << 16 | 1u << 24)

#define IIDR 0x4400043bu /* product 'D', implementer Arm */
#define PART 0x92u
#define ARCH 3u

static uint32_t control_read(const struct vgic *vgic, uint32_t off)
{
	switch (off) {
	case GICD_CTLR: return (uint32_t)(CTLR_ARE | CTLR_DS) | vgic->groups;
	case GICD_TYPER: return TYPER_FIXED | vgic->spi_banks;
	case GICD_IIDR: return IIDR;
	default: return 0;
	}
}

/* A message: the line of a level-sensitive SPI, an event of an edge-triggered one. */
static void message(struct vgic *vgic, uint32_t intid, bool set, struct gicv3_cpu *self)
{
	struct vgic_bank *bank = vgic_spi_bank(vgic, intid / VGIC_BANK_BITS);
	uint32_t bit = 1u << intid % VGIC_BANK_BITS;

	if (!bank) {
		return;
	}
	if (bank->edge & bit) {
		vgic_bits_write(vgic, bank, set ? 0x200 : 0x280, bit, self);
	} else {
		vgic_line_set(vgic, bank, bit, set, self);
	}
}

static void control_write(struct vgic *vgic, uint32_t off, uint32_t value, struct gicv3_cpu *self)
{
	switch (off) {
	case GICD_CTLR: vgic_groups_set(vgic, value & (VGIC_GRP0 | VGIC_GRP1), self); break;
	case GICD_SETSPI_NSR: message(vgic, value & 0x3ff, true, self); break;
	case GICD_CLRSPI_NSR: message(vgic, value & 0x3ff, false, self); break;
	default: break;
	}
}

static void control_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	bool is_message = a->off == GICD_SETSPI_NSR || a->off == GICD_CLRSPI_NSR;

	if (a->size != 4 && !(a->size == 2 && is_message)) {
		return;
	}
	if (a->write) {
		control_write(vgic, (uint32_t)a->off, (uint32_t)a->data, self);
	} else {
		a->data = control_read(vgic, (uint32_t)a->off);
	}
}

static void bits_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t off = (uint32_t)a->off;
	struct vgic_bank *bank = vgic_spi_bank(vgic, (off & 0x7f) / 4);

	if (!bank || a->size != 4) {
		return;
	}
	if (a->write) {
		vgic_bits_write(vgic, bank, off, (uint32_t)a->data, self);
	} else {
		a->data = vgic_bits_read(vgic, bank, off, self);
	}
}

static void prio_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = (uint32_t)a->off - GICD_IPRIORITYR;
	struct vgic_bank *bank = vgic_spi_bank(vgic, intid / VGIC_BANK_BITS);

	if (!bank || (a->size != 1 && a->size != 4)) {
		return;
	}
	intid %= VGIC_BANK_BITS;
	if (a->write) {
		vgic_prio_write(vgic, bank, intid, a->size, (uint32_t)a->data, self);
	} else {
		a->data = vgic_prio_read(bank, intid, a->size);
	}
}

static void cfg_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = ((uint32_t)a->off - GICD_ICFGR) * 4;
	struct vgic_bank *bank = vgic_spi_bank(vgic, intid / VGIC_BANK_BITS);

	if (!bank || a->size != 4) {
		return;
	}
	intid %= VGIC_BANK_BITS;
	if (a->write) {
		vgic_cfg_write(vgic, bank, intid, (uint32_t)a->data, self);
	} else {
		a->data = vgic_cfg_read(bank, intid);
	}
}

/* 64 bits, or either half. */
static void route_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = ((uint32_t)a->off - GICD_IROUTER) / 8, shift = (a->off & 4) * 8;
	struct vgic_bank *bank = vgic_spi_bank(vgic, intid / VGIC_BANK_BITS);
	uint64_t mask = a->size == 8 ? ~(uint64_t)0 : HV_MASK(31, 0) << shift, route;

	if (!bank || a->size < 4) {
		return;
	}
	route = vgic->route[bank->first - GIC_SPI_FIRST + intid % VGIC_BANK_BITS];
	if (a->write) {
		route = (route & ~mask) | (a->data << shift & mask);
		vgic_route_set(vgic, bank, intid % VGIC_BANK_BITS, route, self);
	} else {
		a->data = (route & mask) >> shift;
	}
}

static void id_access(struct hv_access *a)
{
	if (!a->write && a->size == 4) {
		a->data = vgic_id_read((uint32_t)a->off, PART, ARCH);
	}
}

static void frame_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	if (a->off < GICD_BITS) {
		control_access(vgic, a, self);
	} else if (a->off < GICD_IPRIORITYR) {
		bits_access(vgic, a, self);
	} else if (a->off < GICD_ITARGETSR) {
		prio_access(vgic, a, self);
	} else if (a->off >= GICD_ICFGR && a->off < GICD_IGRPMODR) {
		cfg_access(vgic, a, self);
	} else if (a->off >= GICD_IROUTER && a->off < GICD_IROUTER_END) {
		route_access(vgic, a, self);
	} else if (a->off >= GICD_ID) {
		id_access(a);
	}
}

static HV_COLD bool locked_access(struct vgic *vgic, struct hv_access *a)
{
	if (!a->write) {
		a->data = 0;
	}
	if (hv_is_aligned(a->off, a->size) && !HV_NEVER(a->cpu >= vgic->cpu_count)) {
		port_lock(&vgic->lock);
		frame_access(vgic, a, vgic->cpu[a->cpu]);
		port_unlock(&vgic->lock);
	}
	return true;
}

/* What never changes while somebody reads it needs no lock. */
static bool dist_access(void *dev, struct hv_access *a)
{
	struct vgic *vgic = dev;

	if (a->write || a->size != 4 || a->off >= GICD_BITS || a->off % 4 != 0) {
		return locked_access(vgic, a);
	}
	a->data = control_read(vgic, (uint32_t)a->off);
	return true;
}

static void dist_reset(void *dev)
{
	vgic_reset(dev);
}

const struct hv_dev_ops gicv3_dist_ops = {
	.name = "gicv3-dist",
	.access = dist_access,
	.reset = dist_reset,
};
