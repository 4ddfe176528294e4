/* SPDX-License-Identifier: MIT */
/*
 * The physical GICv2 with or without its virtualization extensions (IHI 0048B.b; numbers are of its
 * sections). All of it is memory-mapped, and most of it banked: every CPU finds its own part at the
 * same address.
 */
#include "host_gic_impl.h"

#include <hv/bits.h>

#define GICD_CTLR       0x000u
#define GICD_CTLR_EN    (1u << 0) /* of group 0, or of group 1 where we are the Non-secure side */
#define GICD_TYPER      0x004u
#define GICD_IGROUPR    0x080u
#define GICD_ISENABLER  0x100u
#define GICD_ICENABLER  0x180u
#define GICD_ISPENDR    0x200u
#define GICD_ICACTIVER  0x380u
#define GICD_IPRIORITYR 0x400u
#define GICD_ITARGETSR  0x800u
#define GICD_SGIR       0xf00u

#define GICC_CTLR     0x000u
#define GICC_CTLR_EN  (1u << 0)
#define GICC_CTLR_EOI (1u << 9) /* EOImode: GICC_EOIR only drops the priority */
#define GICC_PMR      0x004u
#define GICC_BPR      0x008u
#define GICC_IAR      0x00cu
#define GICC_EOIR     0x010u
#define GICC_DIR      0x1000u

/* 5.3; their low bits are those of ICH_HCR_EL2 and ICH_VMCR_EL2. */
#define GICH_HCR      0x000u
#define GICH_HCR_REAL (GICV3_HCR_EOICOUNT | 0xffu) /* what GICv2 has of it */
#define GICH_VTR      0x004u
#define GICH_VTR_LRS  0x3fu
#define GICH_VMCR     0x008u
#define GICH_APR      0x0f0u
#define GICH_LR       0x100u

/* GICH_LR<n>, 5.3.10 */
#define LR_CPUID_SHIFT 10u
#define LR_EOI         (1u << 19)
#define LR_PRIO_SHIFT  23u
#define LR_STATE_SHIFT 28u
#define LR_GROUP1      (1u << 30)

#define IAR_INTID      0x3ffu
#define LR_STATE_BIT   62u /* where GICv3 has it */
#define PRIO_LOST_BITS 3u  /* five of eight bits are there */

static struct {
	uintptr_t gicd, gicc, gich;
	uint8_t lr_count;
} gic;

/* ---- our own interrupts ---- */

enum hv_status gic_v2_find(const struct host *host)
{
	uint32_t count = 0;

	gic.gicd = host->gicd.base;
	gic.gicc = host->gicc.base;
	gic.gich = host->gich.base;
	if (host->gich.size) {
		count = (*gic_reg(gic.gich, GICH_VTR) & GICH_VTR_LRS) + 1;
	}
	gic.lr_count = (uint8_t)(count < GIC_LRS ? count : GIC_LRS);
	return HV_OK;
}

bool gic_v2_frame(const struct host *host, unsigned index, struct range *frame)
{
	const struct range of[] = {host->gicd, host->gicc, host->gich};

	if (index >= HV_ARRAY_COUNT(of)) {
		return false;
	}
	*frame = of[index];
	return true;
}

static void dist_init(void)
{
	uint32_t words = (*gic_reg(gic.gicd, GICD_TYPER) & 31) + 1;

	*gic_reg(gic.gicd, GICD_CTLR) = 0;
	for (uint32_t i = 1; i < words; i++) {
		*gic_reg(gic.gicd, GICD_ICENABLER + 4 * i) = ~0u;
		*gic_reg(gic.gicd, GICD_ICACTIVER + 4 * i) = ~0u;
		*gic_reg(gic.gicd, GICD_IGROUPR + 4 * i) = 0;
	}
	*gic_reg(gic.gicd, GICD_CTLR) = GICD_CTLR_EN;
}

/* This CPU's own bit, which the targets of its private interrupts show (4.3.12). */
static uint8_t this_target(void)
{
	return *gic_byte(gic.gicd, GICD_ITARGETSR);
}

/* The private interrupts and the CPU interface of this CPU. */
void gic_v2_cpu_init(struct el2_cpu *self)
{
	self->gic_target = this_target();
	*gic_reg(gic.gicd, GICD_ICENABLER) = ~0u;
	*gic_reg(gic.gicd, GICD_ICACTIVER) = ~0u;
	*gic_reg(gic.gicd, GICD_IGROUPR) = 0;
	for (uint32_t i = 0; i < GIC_IRQS_PER_WORD; i += 4) {
		*gic_reg(gic.gicd, GICD_IPRIORITYR + i) = GIC_PRIORITY_ALL;
	}
	*gic_reg(gic.gicc, GICC_PMR) = GIC_PMR_ALL;
	*gic_reg(gic.gicc, GICC_BPR) = 0;
	*gic_reg(gic.gicc, GICC_CTLR) = GICC_CTLR_EN | GICC_CTLR_EOI;
}

void gic_v2_init(const struct host *host)
{
	(void)host;
	dist_init();
}

/* GICD_SGIR: the list of targets in 23:16. A CPU that has not looked yet has nothing to be told. */
void gic_v2_send(const struct el2_cpu *to, uint32_t intid)
{
	*gic_reg(gic.gicd, GICD_SGIR) = (uint32_t)to->gic_target << 16 | intid;
}

void gic_v2_enable(uint32_t intid)
{
	if (intid >= GIC_SPI_FIRST) {
		*gic_byte(gic.gicd, GICD_IPRIORITYR + intid) = (uint8_t)GIC_PRIORITY_ALL;
		*gic_byte(gic.gicd, GICD_ITARGETSR + intid) = this_target();
	}
	*gic_reg(gic.gicd, GICD_ISENABLER + intid / GIC_IRQS_PER_WORD * 4) =
		1u << intid % GIC_IRQS_PER_WORD;
}

/* An SGI is over at once: its end would have to name the CPU that it came from. */
uint32_t gic_v2_take(void)
{
	uint32_t taken = *gic_reg(gic.gicc, GICC_IAR), intid = taken & IAR_INTID;

	if (intid < GIC_SPURIOUS - 3) {
		*gic_reg(gic.gicc, GICC_EOIR) = taken;
	}
	if (intid < GIC_SGIS) {
		*gic_reg(gic.gicc, GICC_DIR) = taken;
	}
	return intid;
}

void gic_v2_end(uint32_t intid)
{
	if (intid >= GIC_SGIS) {
		*gic_reg(gic.gicc, GICC_DIR) = intid;
	}
}

/* Of an active, level-sensitive interrupt the pending bit is its input (4.3.7). */
bool gic_v2_level(uint32_t intid)
{
	return *gic_reg(gic.gicd, GICD_ISPENDR) >> intid % GIC_IRQS_PER_WORD & 1;
}

/* ---- list registers ---- */

uint8_t gic_v2_lr_count(void)
{
	return gic.lr_count;
}

static volatile uint32_t *lr_reg(uint32_t n)
{
	return gic_reg(gic.gich, GICH_LR + 4 * n);
}

/*
 * A mapped interrupt is deactivated by GICC_DIR after a maintenance interrupt, not by the list
 * register: QEMU's model (7.2) does the latter, but then forgets to look whether the line is high
 * still, and a timer that fired in between is never heard of again.
 */
static uint64_t lr_without_hw(uint64_t lr)
{
	const uint64_t hw = GICV3_LR_HW | HV_MASK(44, GICV3_LR_PINTID_SHIFT);

	return lr & GICV3_LR_HW ? (lr & ~hw) | GICV3_LR_EOI : lr;
}

static uint32_t lr_encode(uint64_t lr)
{
	uint32_t value = (uint32_t)(lr & IAR_INTID);

	value |= (uint32_t)(lr >> LR_STATE_BIT) << LR_STATE_SHIFT;
	value |= (uint32_t)(lr >> GICV3_LR_PRIO_SHIFT & 0xff) >> PRIO_LOST_BITS << LR_PRIO_SHIFT;
	value |= (uint32_t)hv_bits(lr, 34, GICV3_LR_SOURCE_SHIFT) << LR_CPUID_SHIFT;
	value |= lr & GICV3_LR_GROUP1 ? LR_GROUP1 : 0;
	return value | (lr & GICV3_LR_EOI ? LR_EOI : 0);
}

/* Only the state is the guest's to change. */
static uint64_t lr_decode(uint64_t lr, uint32_t value)
{
	return (lr & ~GICV3_LR_STATE) | (uint64_t)(value >> LR_STATE_SHIFT & 3) << LR_STATE_BIT;
}

static void hcr_load(struct gicv3_cpu *cpu)
{
	if (!(cpu->lr_dirty & GICV3_DIRTY_HCR)) {
		cpu->hcr = (cpu->hcr & ~GICH_HCR_REAL) |
			   (*gic_reg(gic.gich, GICH_HCR) & GICH_HCR_REAL);
	}
}

void gic_v2_lr_load(struct gicv3_cpu *cpu)
{
	for (uint32_t left = cpu->lr_used & ~cpu->lr_dirty; left; left &= left - 1) {
		uint32_t n = hv_lowest_bit(left);

		cpu->lr[n] = lr_decode(cpu->lr[n], *lr_reg(n));
	}
	cpu->vmcr = *gic_reg(gic.gich, GICH_VMCR);
	hcr_load(cpu);
}

void gic_v2_lr_flush(struct gicv3_cpu *cpu)
{
	uint32_t dirty = cpu->lr_dirty;

	for (uint32_t left = dirty & ((1u << GIC_LRS) - 1); left; left &= left - 1) {
		uint32_t n = hv_lowest_bit(left);

		cpu->lr[n] = lr_without_hw(cpu->lr[n]);
		*lr_reg(n) = lr_encode(cpu->lr[n]);
	}
	if (dirty & GICV3_DIRTY_HCR) {
		*gic_reg(gic.gich, GICH_HCR) = cpu->hcr & GICH_HCR_REAL;
	}
	if (dirty & GICV3_DIRTY_IFACE) {
		*gic_reg(gic.gich, GICH_VMCR) = 0;
		*gic_reg(gic.gich, GICH_APR) = 0;
	}
	cpu->lr_dirty = 0;
}

/* EOICount is core's to count yet. */
void gic_v2_lr_silence(struct gicv3_cpu *cpu)
{
	if (gic.lr_count == 0) {
		return;
	}
	hcr_load(cpu);
	*gic_reg(gic.gich, GICH_HCR) = 0;
	cpu->lr_dirty |= GICV3_DIRTY_HCR;
}
