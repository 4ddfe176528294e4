/* SPDX-License-Identifier: MIT */
/*
 * The GICv2 CPU interface (IHI 0048B.b, 4.4) where no hardware has one for guests: what a guest's
 * GICC accesses do to the vCPU's list registers, which are then only memory. It stands where GICV
 * would be, so that everything behind the list registers is the same. Its registers are kept as
 * GICH_VMCR (5.3.8) keeps them. Where hardware maps GICV, only GICC_DIR comes here.
 *
 * Choices: EOIR drops the highest active priority whatever interrupt it names, and with nothing
 * active is ignored; the source of an SGI in EOIR and DIR is not compared. There is one set of
 * active priorities, GICC_APR0; GICC_NSAPR<n> are RAZ/WI.
 */
#include <dev/gic/vgic_int.h>
#include <hv/check.h>

#define GICC_CTLR   0x0000u
#define GICC_PMR    0x0004u
#define GICC_BPR    0x0008u
#define GICC_IAR    0x000cu
#define GICC_EOIR   0x0010u
#define GICC_RPR    0x0014u
#define GICC_HPPIR  0x0018u
#define GICC_ABPR   0x001cu
#define GICC_AIAR   0x0020u
#define GICC_AEOIR  0x0024u
#define GICC_AHPPIR 0x0028u
#define GICC_APR0   0x00d0u
#define GICC_IIDR   0x00fcu
#define GICC_DIR    0x1000u

/* GICC_CTLR, where GICH_VMCR has them, too */
#define CTLR_GRP0    (1u << 0)
#define CTLR_GRP1    (1u << 1)
#define CTLR_ACK_CTL (1u << 2)
#define CTLR_FIQ_EN  (1u << 3)
#define CTLR_CBPR    (1u << 4)
#define CTLR_MASK    (0x1fu | GICV3_VMCR_VEOIM)

#define VMCR_ABPR_SHIFT 18u
#define VMCR_BPR_SHIFT  21u
#define VMCR_PMR_SHIFT  24u

#define BPR_MASK   7u
#define BPR_LEAST  2u /* five bits of priority */
#define ABPR_LEAST 3u
#define PRIO_SHIFT 3u
#define PRIO_IDLE  0xffu

#define IIDR 0x0202143bu /* as GIC-400's */

#define INTID_MASK    0x3ffu
#define SPECIAL_FIRST 1020u
#define OTHER_GROUP   1022u /* a group 1 interrupt, which GICC_AIAR acknowledges */
#define SOURCE_SHIFT  10u

#define NO_SLOT GIC_LRS

/* ---- which interrupt ---- */

static uint32_t lr_prio(uint64_t lr)
{
	return (uint32_t)(lr >> GICV3_LR_PRIO_SHIFT & 0xff);
}

static bool lr_enabled(const struct gicv3_cpu *cpu, uint64_t lr)
{
	return (cpu->vmcr & (lr & GICV3_LR_GROUP1 ? CTLR_GRP1 : CTLR_GRP0)) != 0;
}

static uint32_t point(const struct gicv3_cpu *cpu, uint32_t shift, uint32_t least)
{
	uint32_t value = cpu->vmcr >> shift & BPR_MASK;

	return value < least ? least : value;
}

/* The bits of a priority that decide preemption: [7:BPR+1], or [7:ABPR]. */
static uint32_t group_mask(const struct gicv3_cpu *cpu, uint64_t lr)
{
	bool own = lr & GICV3_LR_GROUP1 && !(cpu->vmcr & CTLR_CBPR);
	uint32_t low = own ? point(cpu, VMCR_ABPR_SHIFT, ABPR_LEAST)
			   : point(cpu, VMCR_BPR_SHIFT, BPR_LEAST) + 1;

	return 0xffu << low & 0xffu;
}

static uint32_t running_prio(const struct gicv3_cpu *cpu)
{
	return cpu->apr ? hv_lowest_bit(cpu->apr) << PRIO_SHIFT : PRIO_IDLE;
}

/* The most urgent pending interrupt of an enabled group; of equals the lowest INTID. */
static uint32_t highest_pending(const struct gicv3_cpu *cpu)
{
	uint64_t best = UINT64_MAX;
	uint32_t slot = NO_SLOT;

	for (uint32_t used = cpu->lr_used; used; used &= used - 1) {
		uint32_t n = hv_lowest_bit(used);
		uint64_t lr = cpu->lr[n];
		uint64_t rank = (uint64_t)lr_prio(lr) << 32 | (lr & GICV3_LR_VINTID);

		if ((lr & GICV3_LR_STATE) == GICV3_LR_PENDING && lr_enabled(cpu, lr) &&
			rank < best) {
			best = rank;
			slot = n;
		}
	}
	return slot;
}

/* The one that is signalled now: it passes the mask and preempts what runs. */
static uint32_t signalled(const struct gicv3_cpu *cpu)
{
	uint32_t slot = highest_pending(cpu), prio, mask;

	if (slot == NO_SLOT) {
		return NO_SLOT;
	}
	prio = lr_prio(cpu->lr[slot]);
	mask = group_mask(cpu, cpu->lr[slot]);
	if (prio >= cpu->vmcr >> VMCR_PMR_SHIFT) {
		return NO_SLOT;
	}
	return !cpu->apr || (prio & mask) < (running_prio(cpu) & mask) ? slot : NO_SLOT;
}

enum gic_line gicv2_line(const struct gicv3_cpu *cpu)
{
	uint32_t slot = signalled(cpu);

	if (slot == NO_SLOT) {
		return GIC_LINE_NONE;
	}
	return cpu->vmcr & CTLR_FIQ_EN && !(cpu->lr[slot] & GICV3_LR_GROUP1) ? GIC_LINE_FIQ
									     : GIC_LINE_IRQ;
}

/* ---- acknowledge and end ---- */

/* What IAR and HPPIR, or their aliases for group 1, say of a list register. */
static uint32_t name_of(const struct gicv3_cpu *cpu, uint32_t slot, bool alias)
{
	uint64_t lr;
	bool group1;

	if (slot == NO_SLOT) {
		return GIC_SPURIOUS;
	}
	lr = cpu->lr[slot];
	group1 = (lr & GICV3_LR_GROUP1) != 0;
	if (alias ? !group1 : group1 && !(cpu->vmcr & CTLR_ACK_CTL)) {
		return alias ? GIC_SPURIOUS : OTHER_GROUP;
	}
	if ((lr & GICV3_LR_VINTID) < GIC_SGIS) {
		return (uint32_t)(lr & GICV3_LR_VINTID) |
		       (uint32_t)hv_bits(lr, 34, GICV3_LR_SOURCE_SHIFT) << SOURCE_SHIFT;
	}
	return (uint32_t)(lr & GICV3_LR_VINTID);
}

static uint32_t acknowledge(struct gicv3_cpu *cpu, bool alias)
{
	uint32_t slot = signalled(cpu), name = name_of(cpu, slot, alias);
	uint32_t prio;

	if ((name & INTID_MASK) >= SPECIAL_FIRST) {
		return name;
	}
	prio = lr_prio(cpu->lr[slot]) & group_mask(cpu, cpu->lr[slot]);
	cpu->apr |= 1u << (prio >> PRIO_SHIFT);
	cpu->lr[slot] ^= GICV3_LR_STATE; /* pending -> active */
	cpu->lr_dirty |= GICV3_DIRTY_IFACE;
	vgic_lr_sync(cpu);
	return name;
}

static void deactivate(struct gicv3_cpu *cpu, uint32_t intid)
{
	struct vgic_bank *bank = vgic_bank_of(cpu, intid);

	if (bank && intid < SPECIAL_FIRST) {
		vgic_deactivate(cpu->vgic, bank, 1u << intid % VGIC_BANK_BITS, cpu);
	}
}

static void end(struct gicv3_cpu *cpu, uint32_t intid)
{
	if (intid >= SPECIAL_FIRST || !cpu->apr) {
		return;
	}
	cpu->apr &= cpu->apr - 1;
	if (!(cpu->vmcr & GICV3_VMCR_VEOIM)) {
		deactivate(cpu, intid);
	}
}

/* ---- registers ---- */

static uint32_t reg_read(struct gicv3_cpu *cpu, uint32_t off)
{
	switch (off) {
	case GICC_CTLR: return cpu->vmcr & CTLR_MASK;
	case GICC_PMR: return cpu->vmcr >> VMCR_PMR_SHIFT;
	case GICC_BPR: return point(cpu, VMCR_BPR_SHIFT, BPR_LEAST);
	case GICC_ABPR: return point(cpu, VMCR_ABPR_SHIFT, ABPR_LEAST);
	case GICC_IAR: return acknowledge(cpu, false);
	case GICC_AIAR: return acknowledge(cpu, true);
	case GICC_RPR: return running_prio(cpu);
	case GICC_HPPIR: return name_of(cpu, highest_pending(cpu), false);
	case GICC_AHPPIR: return name_of(cpu, highest_pending(cpu), true);
	case GICC_APR0: return cpu->apr;
	case GICC_IIDR: return IIDR;
	default: return 0;
	}
}

static void vmcr_set(struct gicv3_cpu *cpu, uint32_t mask, uint32_t value)
{
	cpu->vmcr = (cpu->vmcr & ~mask) | (value & mask);
	vgic_lr_sync(cpu); /* other interrupts may be worth a list register now */
}

static void reg_write(struct gicv3_cpu *cpu, uint32_t off, uint32_t value)
{
	switch (off) {
	case GICC_CTLR: vmcr_set(cpu, CTLR_MASK, value); break;
	case GICC_PMR:
		vmcr_set(cpu, VGIC_PRIO_MASK << VMCR_PMR_SHIFT, value << VMCR_PMR_SHIFT);
		break;
	case GICC_BPR: vmcr_set(cpu, BPR_MASK << VMCR_BPR_SHIFT, value << VMCR_BPR_SHIFT); break;
	case GICC_ABPR: vmcr_set(cpu, BPR_MASK << VMCR_ABPR_SHIFT, value << VMCR_ABPR_SHIFT); break;
	case GICC_EOIR:
	case GICC_AEOIR: end(cpu, value & INTID_MASK); break;
	case GICC_APR0: cpu->apr = value; break;
	default: break;
	}
}

static void frame_access(struct gicv3_cpu *cpu, struct hv_access *a)
{
	port_lock(&cpu->vgic->lock);
	if (a->write) {
		reg_write(cpu, (uint32_t)a->off, (uint32_t)a->data);
		cpu->lr_dirty |= GICV3_DIRTY_IFACE; /* the line may be another */
	} else {
		a->data = reg_read(cpu, (uint32_t)a->off);
	}
	port_unlock(&cpu->vgic->lock);
}

static bool cpuif_access(void *dev, struct hv_access *a)
{
	struct vgic *vgic = dev;

	if (!a->write) {
		a->data = 0;
	}
	if (a->size != 4 || a->off % 4 != 0 || HV_NEVER(a->cpu >= vgic->cpu_count)) {
		return true;
	}
	if (a->off == GICC_DIR && a->write) {
		vgic_dir_write(vgic->cpu[a->cpu], a->data & INTID_MASK);
	} else if (vgic->iface == GIC_IFACE_V2_SOFT) {
		frame_access(vgic->cpu[a->cpu], a);
	}
	return true;
}

static void cpuif_reset(void *dev)
{
	vgic_reset(dev);
}

const struct hv_dev_ops gicv2_cpuif_ops = {
	.name = "gicv2-cpuif",
	.access = cpuif_access,
	.reset = cpuif_reset,
};
