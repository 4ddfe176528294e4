/* SPDX-License-Identifier: MIT */
/*
 * Follows IHI 0069H: 4.8 (priorities and preemption), 12.3 (ICV_*), 12.4 (ICH_*). Where the
 * specification leaves a choice:
 *   - EOIR with no active priority changes nothing, EOIcount included;
 *   - EOIR always drops the highest active priority, of whichever group, and deactivates only when
 *     INTID, group and priority fit (so wrong use cannot corrupt the stack of active priorities);
 *   - DIR with EOImode 0 is ignored.
 */
#include "uc_gicv.h"

#include <hv/bits.h>

enum { GROUP0, GROUP1 };

/* ICH_HCR_EL2 */
#define HCR_UIE   (1u << 1)
#define HCR_TC    (1u << 10)
#define HCR_TALL0 (1u << 11)
#define HCR_TALL1 (1u << 12)

/* ICH_VMCR_EL2 */
#define VMCR_VENG(group)       (1u << (group))
#define VMCR_VCBPR             (1u << 4)
#define VMCR_VBPR_SHIFT(group) ((group) == GROUP1 ? 18u : 21u)
#define VMCR_VPMR_SHIFT        24u

/* ICH_MISR_EL2 */
#define MISR_EOI   (1u << 0)
#define MISR_U     (1u << 1)
#define MISR_LRENP (1u << 2)
#define MISR_NP    (1u << 3)

/* ICV_CTLR_EL1: five priority bits, 16 INTID bits, Aff3 valid. */
#define CTLR_FIXED   (4u << 8 | 1u << 15)
#define CTLR_CBPR    (1u << 0)
#define CTLR_EOIMODE (1u << 1)

#define SRE_ALL 7u /* SRE, DFB, DIB: there is no memory-mapped interface */

#define PRIO_SHIFT 3u /* bits of a priority that are not implemented */
#define PRIO_MASK  0xf8u
#define PRIO_IDLE  0xffu
#define BPR_MAX    7u

#define SPECIAL_FIRST 1020u /* INTIDs 1020..1023 are no interrupts */
#define SPECIAL_LAST  1023u
#define LPI_FIRST     8192u
#define INTID_MASK    0xffffffu
#define EOICOUNT_ONE  (1u << GICV3_HCR_EOICOUNT_SHIFT)

#define NONE (-1)

static uint32_t lr_prio(uint64_t lr)
{
	return (uint32_t)(lr >> GICV3_LR_PRIO_SHIFT) & PRIO_MASK;
}

static int lr_group(uint64_t lr)
{
	return lr & GICV3_LR_GROUP1 ? GROUP1 : GROUP0;
}

/* Binary points. Their least values follow from five bits of priority. */
static uint32_t bpr_least(int group)
{
	return group == GROUP1 ? PRIO_SHIFT : PRIO_SHIFT - 1;
}

static uint32_t bpr(const struct uc_gicv *gicv, int group)
{
	uint32_t value = gicv->vmcr >> VMCR_VBPR_SHIFT(group) & 7;

	return value < bpr_least(group) ? bpr_least(group) : value;
}

/* The bits of a priority that decide preemption: [7:BPR0+1], or [7:BPR1]. */
static uint32_t group_mask(const struct uc_gicv *gicv, int group)
{
	bool own = group == GROUP1 && !(gicv->vmcr & VMCR_VCBPR);
	uint32_t low = own ? bpr(gicv, GROUP1) : bpr(gicv, GROUP0) + 1;

	return 0xffu << low & 0xffu;
}

static uint32_t running_prio(const struct uc_gicv *gicv)
{
	uint32_t active = gicv->apr[GROUP0] | gicv->apr[GROUP1];

	return active ? hv_lowest_bit(active) << PRIO_SHIFT : PRIO_IDLE;
}

/* The most urgent pending interrupt of an enabled group, or NONE. */
static int highest_pending(const struct uc_gicv *gicv)
{
	int best = NONE;

	for (int n = 0; n < gicv->lr_count; n++) {
		uint64_t lr = gicv->lr[n];

		if ((lr & GICV3_LR_STATE) == GICV3_LR_PENDING &&
			gicv->vmcr & VMCR_VENG(lr_group(lr)) &&
			(best == NONE || lr_prio(lr) < lr_prio(gicv->lr[best]))) {
			best = n;
		}
	}
	return gicv->hcr & GICV3_HCR_EN ? best : NONE;
}

/* The one that is signalled now: it passes the mask and preempts what runs. */
static int signalled(const struct uc_gicv *gicv)
{
	int n = highest_pending(gicv);
	uint32_t prio, running = running_prio(gicv), mask;

	if (n == NONE) {
		return NONE;
	}
	prio = lr_prio(gicv->lr[n]);
	mask = group_mask(gicv, lr_group(gicv->lr[n]));
	if (prio >= gicv->vmcr >> VMCR_VPMR_SHIFT) {
		return NONE;
	}
	return running == PRIO_IDLE || (prio & mask) < (running & mask) ? n : NONE;
}

static bool signals(const struct uc_gicv *gicv, int group)
{
	int n = signalled(gicv);

	return n != NONE && lr_group(gicv->lr[n]) == group;
}

bool uc_gicv_irq(const struct uc_gicv *gicv)
{
	return signals(gicv, GROUP1);
}

bool uc_gicv_fiq(const struct uc_gicv *gicv)
{
	return signals(gicv, GROUP0);
}

static uint64_t iar_read(struct uc_gicv *gicv, int group)
{
	int n = signalled(gicv);
	uint32_t prio;

	if (n == NONE || lr_group(gicv->lr[n]) != group) {
		return GIC_SPURIOUS;
	}
	prio = lr_prio(gicv->lr[n]) & group_mask(gicv, group);
	gicv->apr[group] |= 1u << (prio >> PRIO_SHIFT);
	gicv->lr[n] ^= GICV3_LR_STATE; /* pending -> active */
	return gicv->lr[n] & GICV3_LR_VINTID;
}

static uint64_t hppir_read(const struct uc_gicv *gicv, int group)
{
	int n = highest_pending(gicv);

	return n != NONE && lr_group(gicv->lr[n]) == group ? gicv->lr[n] & GICV3_LR_VINTID
							   : GIC_SPURIOUS;
}

static int find_active(const struct uc_gicv *gicv, uint32_t intid)
{
	for (int n = 0; n < gicv->lr_count; n++) {
		if (gicv->lr[n] & GICV3_LR_ACTIVE && (gicv->lr[n] & GICV3_LR_VINTID) == intid) {
			return n;
		}
	}
	return NONE;
}

/* The count wraps, as the specification says. */
static void count_eoi(struct uc_gicv *gicv)
{
	gicv->hcr += EOICOUNT_ONE;
}

static void deactivate(struct uc_gicv *gicv, int n)
{
	gicv->lr[n] &= ~GICV3_LR_ACTIVE;
	if (gicv->lr[n] & GICV3_LR_HW && gicv->deactivate) {
		gicv->deactivate(
			gicv->ctx, (uint32_t)hv_bits(gicv->lr[n], 44, GICV3_LR_PINTID_SHIFT));
	}
}

/* Drops the highest active priority, and returns it. There is one. */
static uint32_t drop_priority(struct uc_gicv *gicv)
{
	uint32_t prio = running_prio(gicv), bit = 1u << (prio >> PRIO_SHIFT);
	int group = gicv->apr[GROUP0] & bit ? GROUP0 : GROUP1;

	gicv->apr[group] &= ~bit;
	return prio;
}

static bool is_interrupt(uint64_t intid)
{
	return intid < SPECIAL_FIRST || intid > SPECIAL_LAST;
}

static void eoir_write(struct uc_gicv *gicv, int group, uint64_t value)
{
	uint32_t intid = value & INTID_MASK, prio;
	int n;

	if (!is_interrupt(intid) || running_prio(gicv) == PRIO_IDLE) {
		return;
	}
	prio = drop_priority(gicv);
	if (gicv->vmcr & GICV3_VMCR_VEOIM || intid >= LPI_FIRST) {
		return;
	}
	n = find_active(gicv, intid);
	if (n == NONE) {
		count_eoi(gicv);
	} else if (lr_group(gicv->lr[n]) == group &&
		   (lr_prio(gicv->lr[n]) & group_mask(gicv, group)) == prio) {
		deactivate(gicv, n);
	}
}

static void dir_write(struct uc_gicv *gicv, uint64_t value)
{
	uint32_t intid = value & INTID_MASK;
	int n = find_active(gicv, intid);

	if (!(gicv->vmcr & GICV3_VMCR_VEOIM) || !is_interrupt(intid) || intid >= LPI_FIRST) {
		return;
	}
	if (n == NONE) {
		count_eoi(gicv);
	} else {
		deactivate(gicv, n);
	}
}

static void vmcr_set(struct uc_gicv *gicv, uint32_t mask, uint32_t value)
{
	gicv->vmcr = (gicv->vmcr & ~mask) | (value & mask);
}

/* With one binary point for both, group 1's reads as group 0's plus one and is not written. */
static uint64_t bpr_read(const struct uc_gicv *gicv, int group)
{
	if (group == GROUP1 && gicv->vmcr & VMCR_VCBPR) {
		uint32_t value = bpr(gicv, GROUP0) + 1;

		return value > BPR_MAX ? BPR_MAX : value;
	}
	return bpr(gicv, group);
}

static void bpr_write(struct uc_gicv *gicv, int group, uint64_t value)
{
	uint32_t shift = VMCR_VBPR_SHIFT(group), point = value & BPR_MAX;

	if (group == GROUP1 && gicv->vmcr & VMCR_VCBPR) {
		return;
	}
	point = point < bpr_least(group) ? bpr_least(group) : point;
	vmcr_set(gicv, BPR_MAX << shift, point << shift);
}

static uint64_t ctlr_read(const struct uc_gicv *gicv)
{
	return CTLR_FIXED | (gicv->vmcr & VMCR_VCBPR ? CTLR_CBPR : 0) |
	       (gicv->vmcr & GICV3_VMCR_VEOIM ? CTLR_EOIMODE : 0);
}

static void ctlr_write(struct uc_gicv *gicv, uint64_t value)
{
	vmcr_set(gicv, VMCR_VCBPR, value & CTLR_CBPR ? VMCR_VCBPR : 0);
	vmcr_set(gicv, GICV3_VMCR_VEOIM, value & CTLR_EOIMODE ? GICV3_VMCR_VEOIM : 0);
}

/* The registers: who they are, which bit of ICH_HCR_EL2 traps them, and their group. */
enum reg { PMR, IAR, EOIR, HPPIR, BPR, APR, DIR, RPR, CTLR, SRE, IGRPEN };

struct row {
	uint32_t sysreg;
	uint32_t trap;
	enum reg reg;
	int group;
	bool reads, writes;
};

#define ICC(crn, crm, op2) UC_SYSREG(3u, 0u, crn, crm, op2)

static const struct row rows[] = {
	{ICC(12, 12, 0), HCR_TALL1, IAR, GROUP1, true, false},
	{ICC(12, 12, 1), HCR_TALL1, EOIR, GROUP1, false, true},
	{ICC(4, 6, 0), HCR_TC, PMR, 0, true, true},
	{ICC(12, 11, 1), HCR_TC | GICV3_HCR_TDIR, DIR, 0, false, true},
	{ICC(12, 11, 3), HCR_TC, RPR, 0, true, false},
	{ICC(12, 12, 2), HCR_TALL1, HPPIR, GROUP1, true, false},
	{ICC(12, 12, 3), HCR_TALL1, BPR, GROUP1, true, true},
	{ICC(12, 12, 4), HCR_TC, CTLR, 0, true, true},
	{ICC(12, 12, 5), 0, SRE, 0, true, true},
	{ICC(12, 12, 6), HCR_TALL0, IGRPEN, GROUP0, true, true},
	{ICC(12, 12, 7), HCR_TALL1, IGRPEN, GROUP1, true, true},
	{ICC(12, 9, 0), HCR_TALL1, APR, GROUP1, true, true},
	{ICC(12, 8, 0), HCR_TALL0, IAR, GROUP0, true, false},
	{ICC(12, 8, 1), HCR_TALL0, EOIR, GROUP0, false, true},
	{ICC(12, 8, 2), HCR_TALL0, HPPIR, GROUP0, true, false},
	{ICC(12, 8, 3), HCR_TALL0, BPR, GROUP0, true, true},
	{ICC(12, 8, 4), HCR_TALL0, APR, GROUP0, true, true},
};

/* The register, if it is one of ours and no trap takes it away. */
static const struct row *find(const struct uc_gicv *gicv, uint32_t sysreg)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(rows); i++) {
		if (rows[i].sysreg == sysreg) {
			return gicv->hcr & rows[i].trap ? NULL : &rows[i];
		}
	}
	return NULL;
}

bool uc_gicv_read(struct uc_gicv *gicv, uint32_t sysreg, uint64_t *value)
{
	const struct row *row = find(gicv, sysreg);

	if (!row || !row->reads) {
		return false;
	}
	switch (row->reg) {
	case PMR: *value = gicv->vmcr >> VMCR_VPMR_SHIFT; break;
	case IAR: *value = iar_read(gicv, row->group); break;
	case HPPIR: *value = hppir_read(gicv, row->group); break;
	case BPR: *value = bpr_read(gicv, row->group); break;
	case APR: *value = gicv->apr[row->group]; break;
	case RPR: *value = running_prio(gicv); break;
	case CTLR: *value = ctlr_read(gicv); break;
	case SRE: *value = SRE_ALL; break;
	default: *value = (gicv->vmcr & VMCR_VENG(row->group)) != 0; break;
	}
	return true;
}

bool uc_gicv_write(struct uc_gicv *gicv, uint32_t sysreg, uint64_t value)
{
	const struct row *row = find(gicv, sysreg);

	if (!row || !row->writes) {
		return false;
	}
	switch (row->reg) {
	case PMR:
		vmcr_set(gicv, 0xffu << VMCR_VPMR_SHIFT,
			(uint32_t)(value & PRIO_MASK) << VMCR_VPMR_SHIFT);
		break;
	case EOIR: eoir_write(gicv, row->group, value); break;
	case BPR: bpr_write(gicv, row->group, value); break;
	case APR: gicv->apr[row->group] = (uint32_t)value; break;
	case DIR: dir_write(gicv, value); break;
	case CTLR: ctlr_write(gicv, value); break;
	case SRE: break;
	default:
		vmcr_set(gicv, VMCR_VENG(row->group), value & 1 ? VMCR_VENG(row->group) : 0);
		break;
	}
	return true;
}

uint32_t uc_gicv_eisr(const struct uc_gicv *gicv)
{
	uint32_t eisr = 0;

	for (unsigned n = 0; n < gicv->lr_count; n++) {
		uint64_t lr = gicv->lr[n] & (GICV3_LR_STATE | GICV3_LR_HW | GICV3_LR_EOI);

		eisr |= lr == GICV3_LR_EOI ? 1u << n : 0;
	}
	return eisr;
}

uint32_t uc_gicv_elrsr(const struct uc_gicv *gicv)
{
	uint32_t elrsr = 0;

	for (unsigned n = 0; n < gicv->lr_count; n++) {
		elrsr |= gicv->lr[n] & GICV3_LR_STATE ? 0 : 1u << n;
	}
	return elrsr & ~uc_gicv_eisr(gicv);
}

/* How many list registers' states, under `mask`, are `state`. */
static unsigned count_state(const struct uc_gicv *gicv, uint64_t state)
{
	unsigned count = 0;

	for (unsigned n = 0; n < gicv->lr_count; n++) {
		count += (gicv->lr[n] & GICV3_LR_STATE) == state;
	}
	return count;
}

/* VGrp0E, VGrp0D, VGrp1E, VGrp1D: bits 4..7 of both registers. */
static uint32_t group_causes(const struct uc_gicv *gicv)
{
	uint32_t causes = gicv->vmcr & VMCR_VENG(GROUP0) ? 1u << 4 : 1u << 5;

	causes |= gicv->vmcr & VMCR_VENG(GROUP1) ? 1u << 6 : 1u << 7;
	return causes & gicv->hcr;
}

uint32_t uc_gicv_misr(const struct uc_gicv *gicv)
{
	uint32_t misr = group_causes(gicv);
	unsigned valid = gicv->lr_count - count_state(gicv, 0);

	misr |= uc_gicv_eisr(gicv) ? MISR_EOI : 0;
	misr |= gicv->hcr & HCR_UIE && valid <= 1 ? MISR_U : 0;
	misr |= gicv->hcr & GICV3_HCR_LRENPIE && gicv->hcr & GICV3_HCR_EOICOUNT ? MISR_LRENP : 0;
	misr |= gicv->hcr & GICV3_HCR_NPIE && !count_state(gicv, GICV3_LR_PENDING) ? MISR_NP : 0;
	return misr;
}

bool uc_gicv_maintenance(const struct uc_gicv *gicv)
{
	return gicv->hcr & GICV3_HCR_EN && uc_gicv_misr(gicv);
}

void uc_gicv_reset(struct uc_gicv *gicv, uint8_t lr_count)
{
	*gicv = (struct uc_gicv){
		.lr_count = lr_count, .deactivate = gicv->deactivate, .ctx = gicv->ctx};
}

void uc_gicv_enter(struct uc_gicv *gicv, struct gicv3_cpu *cpu)
{
	for (uint32_t dirty = cpu->lr_dirty & ((1u << GIC_LRS) - 1); dirty; dirty &= dirty - 1) {
		gicv->lr[hv_lowest_bit(dirty)] = cpu->lr[hv_lowest_bit(dirty)];
	}
	if (cpu->lr_dirty & GICV3_DIRTY_IFACE) {
		gicv->vmcr = 0;
		gicv->apr[GROUP0] = gicv->apr[GROUP1] = 0;
	}
	if (cpu->lr_dirty & GICV3_DIRTY_HCR) {
		gicv->hcr = cpu->hcr;
	}
	cpu->lr_dirty = 0;
	cpu->lr_here = false;
}

void uc_gicv_load(const struct uc_gicv *gicv, struct gicv3_cpu *cpu)
{
	for (uint32_t due = cpu->lr_used & ~cpu->lr_dirty; due; due &= due - 1) {
		cpu->lr[hv_lowest_bit(due)] = gicv->lr[hv_lowest_bit(due)];
	}
	cpu->vmcr = gicv->vmcr;
	if (!(cpu->lr_dirty & GICV3_DIRTY_HCR)) {
		cpu->hcr = gicv->hcr;
	}
}
