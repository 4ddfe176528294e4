/* SPDX-License-Identifier: MIT */
/*
 * The GICv2 distributor's register frame (IHI 0048B.b, 4.3), without the Security Extensions, with
 * both groups. Registers of interrupts 0..31 are the accessing CPU's own. What no CPU has, and
 * every access whose size the specification does not allow, is RAZ/WI.
 */
#include <dev/gic/vgic_int.h>
#include <hv/check.h>

#define GICD_CTLR        0x000u
#define GICD_TYPER       0x004u
#define GICD_IIDR        0x008u
#define GICD_BITS        0x080u /* IGROUPR .. ICACTIVER */
#define GICD_ICENABLER   0x180u
#define GICD_IPRIORITYR  0x400u
#define GICD_ITARGETSR   0x800u
#define GICD_ICFGR       0xc00u
#define GICD_ICFGR_END   0xd00u
#define GICD_SGIR        0xf00u
#define GICD_CPENDSGIR   0xf10u
#define GICD_SPENDSGIR   0xf20u
#define GICD_SENDSGI_END 0xf30u
#define GICD_ID          0xfd0u
#define GICD_END         0x1000u

#define TYPER_CPUS_SHIFT 5u

#define IIDR 0x0200143bu /* as GIC-400's */
#define PART 0x90u
#define ARCH 2u

#define SGIR_OTHERS 1u /* TargetListFilter */
#define SGIR_SELF   2u

/* What of a bit array a guest may write: all of it, but for its SGIs (4.3.5, 4.3.7, 4.3.8). */
static uint32_t writable(const struct vgic_bank *bank, uint32_t off)
{
	bool fixed = off >= GICD_BITS + 0x80 && off < GICD_BITS + 0x280;

	return fixed ? ~bank->sourced : ~0u;
}

static void bits_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t off = (uint32_t)a->off;
	struct vgic_bank *bank = vgic_bank_of(self, (off & 0x7f) * 8);

	if (!bank || a->size != 4) {
		return;
	}
	if (a->write) {
		uint32_t value = (uint32_t)a->data & writable(bank, off);

		vgic_bits_write(vgic, bank, off, value, self);
	} else {
		a->data = vgic_bits_read(vgic, bank, off, self);
	}
}

static void prio_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = (uint32_t)a->off - GICD_IPRIORITYR;
	struct vgic_bank *bank = vgic_bank_of(self, intid);

	if (!bank) {
		return;
	}
	intid %= VGIC_BANK_BITS;
	if (a->write) {
		vgic_prio_write(vgic, bank, intid, a->size, (uint32_t)a->data, self);
	} else {
		a->data = vgic_prio_read(bank, intid, a->size);
	}
}

static uint32_t cfg_intid(const struct hv_access *a)
{
	return ((uint32_t)a->off - GICD_ICFGR) * 4;
}

/* SGIs are always edge-triggered. */
static void cfg_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = cfg_intid(a), n = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank_of(self, intid);

	if (!bank || a->size != 4) {
		return;
	}
	if (!a->write) {
		a->data = vgic_cfg_read(bank, n);
	} else if (intid >= GIC_SGIS) {
		vgic_cfg_write(vgic, bank, n, (uint32_t)a->data, self);
	}
}

/* ---- targets ---- */

static uint32_t target_read(const struct vgic *vgic, const struct vgic_bank *bank, uint32_t n)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		mask |= (bank->target[i] >> n & 1) << i;
	}
	return mask;
}

/* Several: the first to look takes it. None, or CPUs that do not exist: it stays pending (G10). */
static void target_write(const struct vgic *vgic, struct vgic_bank *bank, uint32_t n, uint32_t mask)
{
	for (uint32_t i = 0; i < vgic->cpu_count; i++) {
		bank->target[i] = (bank->target[i] & ~(1u << n)) | (mask >> i & 1) << n;
	}
}

static void targets_write(struct vgic *vgic, struct vgic_bank *bank, uint32_t n,
	const struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t bits = ((1u << a->size) - 1) << n;

	for (uint32_t i = 0; i < a->size; i++) {
		target_write(vgic, bank, n + i, (uint32_t)(a->data >> 8 * i & 0xff));
	}
	vgic_bank_changed(vgic, bank, bits, self);
}

/* The private ones name the CPU that asks. With one CPU there is nothing to choose: RAZ/WI. */
static void target_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	uint32_t intid = (uint32_t)a->off - GICD_ITARGETSR, n = intid % VGIC_BANK_BITS;
	struct vgic_bank *bank = vgic_bank_of(self, intid);

	if (!bank || vgic->cpu_count == 1) {
		return;
	}
	if (!a->write) {
		for (uint32_t i = 0; i < a->size; i++) {
			a->data |= (uint64_t)target_read(vgic, bank, n + i) << 8 * i;
		}
	} else if (intid >= GIC_SPI_FIRST) {
		targets_write(vgic, bank, n, a, self);
	}
}

/* ---- SGIs ---- */

static uint32_t sgi_targets(uint32_t value, const struct gicv3_cpu *self)
{
	uint32_t me = 1u << self->index;

	switch (value >> 24 & 3) {
	case 0: return value >> 16 & 0xff;
	case SGIR_OTHERS: return ~me;
	case SGIR_SELF: return me;
	default: return 0;
	}
}

static void sgi_send(const struct vgic *vgic, uint32_t value, struct gicv3_cpu *self)
{
	uint32_t targets = sgi_targets(value, self) & ((1u << vgic->cpu_count) - 1);

	for (; targets; targets &= targets - 1) {
		vgic_sources_set(vgic->cpu[hv_lowest_bit(targets)], value % GIC_SGIS,
			1u << self->index, self);
	}
}

/* A byte per SGI, in which a bit is a CPU that it came from. */
static void sources_access(struct hv_access *a, struct gicv3_cpu *self)
{
	bool set = a->off >= GICD_SPENDSGIR;

	for (uint32_t i = 0; i < a->size; i++) {
		uint32_t n = (uint32_t)(a->off + i) % GIC_SGIS, sources = a->data >> 8 * i & 0xff;

		if (!a->write) {
			a->data |= (uint64_t)vgic_sources_read(self, n) << 8 * i;
		} else if (set) {
			vgic_sources_set(self, n, sources, self);
		} else {
			vgic_sources_clear(self, n, sources);
		}
	}
}

/* ---- the frame ---- */

static uint32_t control_read(const struct vgic *vgic, uint32_t off)
{
	switch (off) {
	case GICD_CTLR: return vgic->groups;
	case GICD_TYPER:
		return (uint32_t)(vgic->cpu_count - 1u) << TYPER_CPUS_SHIFT | vgic->spi_banks;
	case GICD_IIDR: return IIDR;
	default: return off >= GICD_ID ? vgic_id_read(off, PART, ARCH) : 0;
	}
}

static void control_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	if (a->size != 4) {
		return;
	}
	if (!a->write) {
		a->data = control_read(vgic, (uint32_t)a->off);
	} else if (a->off == GICD_CTLR) {
		vgic_groups_set(vgic, (uint32_t)a->data & (VGIC_GRP0 | VGIC_GRP1), self);
	} else if (a->off == GICD_SGIR) {
		sgi_send(vgic, (uint32_t)a->data, self);
	}
}

/* Arrays that bytes may access, too. */
static void bytes_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	if (a->size != 1 && a->size != 4) {
		return;
	}
	if (a->off < GICD_ITARGETSR) {
		prio_access(vgic, a, self);
	} else if (a->off < GICD_ICFGR) {
		target_access(vgic, a, self);
	} else {
		sources_access(a, self);
	}
}

static void frame_access(struct vgic *vgic, struct hv_access *a, struct gicv3_cpu *self)
{
	if (a->off >= GICD_BITS && a->off < GICD_IPRIORITYR) {
		bits_access(vgic, a, self);
	} else if ((a->off >= GICD_IPRIORITYR && a->off < GICD_ICFGR) ||
		   (a->off >= GICD_CPENDSGIR && a->off < GICD_SENDSGI_END)) {
		bytes_access(vgic, a, self);
	} else if (a->off >= GICD_ICFGR && a->off < GICD_ICFGR_END) {
		cfg_access(vgic, a, self);
	} else if (a->off < GICD_END) {
		control_access(vgic, a, self);
	}
}

static bool dist_access(void *dev, struct hv_access *a)
{
	struct vgic *vgic = dev;

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

static void dist_reset(void *dev)
{
	vgic_reset(dev);
}

const struct hv_dev_ops gicv2_dist_ops = {
	.name = "gicv2-dist",
	.access = dist_access,
	.reset = dist_reset,
};
