/* SPDX-License-Identifier: MIT */
/* The physical GICv3 (IHI 0069H). */
#include "host_gic_impl.h"

#include "caps.h"
#include "sysreg.h"
#include <hv/bits.h>

#define GICD_CTLR       0x0000u
#define GICD_CTLR_GRP1  (1u << 1)
#define GICD_CTLR_ARE   (1u << 4)
#define GICD_CTLR_RWP   (1u << 31)
#define GICD_TYPER      0x0004u
#define GICD_IGROUPR    0x0080u
#define GICD_ISENABLER  0x0100u
#define GICD_ICENABLER  0x0180u
#define GICD_ISPENDR    0x0200u
#define GICD_IPRIORITYR 0x0400u
#define GICD_IROUTER    0x6000u

#define GICR_CTLR         0x0000u
#define GICR_CTLR_RWP     (1u << 3)
#define GICR_TYPER        0x0008u
#define GICR_TYPER_VLPIS  (1u << 1)
#define GICR_TYPER_LAST   (1u << 4)
#define GICR_WAKER        0x0014u
#define GICR_WAKER_SLEEP  (1u << 1)
#define GICR_WAKER_ASLEEP (1u << 2)
#define GICR_SGI_BASE     0x10000u
#define GICR_FRAME        0x20000u
#define GICR_FRAME_VLPIS  0x40000u

#define SRE_ALL  0xfu /* SRE, no bypass, and EL1 may use its own ICC_SRE_EL1 */
#define SRE_EL1  0x7u
#define CTLR_EOI (1u << 1) /* EOIR only drops the priority */

#define MPIDR_AFFINITY (HV_MASK(39, 32) | HV_MASK(23, 0))

static uintptr_t gicd;

/* The registers of this CPU's private interrupts. */
static uintptr_t this_sgi_base(void)
{
	return el2_this_cpu()->gicr + GICR_SGI_BASE;
}

static void dist_wait(void)
{
	while (*gic_reg(gicd, GICD_CTLR) & GICD_CTLR_RWP) {
	}
}

static void dist_init(void)
{
	uint32_t words = (*gic_reg(gicd, GICD_TYPER) & 31) + 1;

	*gic_reg(gicd, GICD_CTLR) = 0;
	dist_wait();
	for (uint32_t i = 1; i < words; i++) {
		*gic_reg(gicd, GICD_ICENABLER + 4 * i) = ~0u;
		*gic_reg(gicd, GICD_IGROUPR + 4 * i) = ~0u;
	}
	dist_wait();
	*gic_reg(gicd, GICD_CTLR) = GICD_CTLR_ARE | GICD_CTLR_GRP1;
	dist_wait();
}

/* The frame in one region whose affinity is ours; 0: none. */
static uintptr_t frame_in(const struct range *region, uint64_t affinity)
{
	uintptr_t frame = region->base;

	while (frame - region->base + GICR_FRAME <= region->size) {
		uint32_t type = *gic_reg(frame, GICR_TYPER);

		if (*gic_reg(frame, GICR_TYPER + 4) == affinity) {
			return frame;
		}
		if (type & GICR_TYPER_LAST) {
			break;
		}
		frame += type & GICR_TYPER_VLPIS ? GICR_FRAME_VLPIS : GICR_FRAME;
	}
	return 0;
}

/* MPIDR_EL1's affinity fields as GICR_TYPER[63:32] has them. */
static uint64_t affinity_of(uint64_t mpidr)
{
	return hv_bits(mpidr, 39, 32) << 24 | hv_bits(mpidr, 23, 0);
}

static void redist_init(uintptr_t gicr)
{
	uintptr_t sgi = gicr + GICR_SGI_BASE;

	*gic_reg(gicr, GICR_WAKER) &= ~GICR_WAKER_SLEEP;
	while (*gic_reg(gicr, GICR_WAKER) & GICR_WAKER_ASLEEP) {
	}
	*gic_reg(sgi, GICD_ICENABLER) = ~0u;
	*gic_reg(sgi, GICD_IGROUPR) = ~0u;
	for (uint32_t i = 0; i < GIC_IRQS_PER_WORD; i += 4) {
		*gic_reg(sgi, GICD_IPRIORITYR + i) = GIC_PRIORITY_ALL;
	}
	while (*gic_reg(gicr, GICR_CTLR) & GICR_CTLR_RWP) {
	}
}

static void iface_init(void)
{
	SYSREG_WRITE(ICC_SRE_EL2, SRE_ALL);
	ISB();
	SYSREG_WRITE(ICC_SRE_EL1, SRE_EL1);
	SYSREG_WRITE(ICC_PMR_EL1, GIC_PMR_ALL);
	SYSREG_WRITE(ICC_BPR1_EL1, 0);
	SYSREG_WRITE(ICC_CTLR_EL1, CTLR_EOI);
	SYSREG_WRITE(ICC_IGRPEN1_EL1, 1);
	ISB();
}

static uintptr_t find(const struct host *host, uint64_t mpidr)
{
	uintptr_t frame = 0;

	for (uint32_t i = 0; i < host->gicr_count && !frame; i++) {
		frame = frame_in(&host->gicr[i], affinity_of(mpidr));
	}
	return frame;
}

enum hv_status gic_v3_find(const struct host *host)
{
	for (uint16_t i = 0; i < host->tree.cpu_count; i++) {
		el2_cpu(i)->gicr = find(host, host->tree.cpu[i]);
		if (!el2_cpu(i)->gicr) {
			return HV_ERR_NOT_FOUND;
		}
	}
	return HV_OK;
}

bool gic_v3_frame(const struct host *host, unsigned index, struct range *frame)
{
	if (index == 0) {
		*frame = host->gicd;
		return true;
	}
	if (index > host->tree.cpu_count) {
		return false;
	}
	*frame = (struct range){.base = el2_cpu((uint16_t)(index - 1))->gicr, .size = GICR_FRAME};
	return true;
}

void gic_v3_init(const struct host *host)
{
	gicd = host->gicd.base;
	dist_init();
}

void gic_v3_cpu_init(struct el2_cpu *self)
{
	redist_init(self->gicr);
	iface_init();
}

/* ICC_SGI1R_EL1: Aff3 55:48, range selector 47:44, Aff2 39:32, INTID 27:24, Aff1 23:16. */
void gic_v3_send(const struct el2_cpu *to, uint32_t intid)
{
	uint64_t mpidr = to->mpidr;

	SYSREG_WRITE(ICC_SGI1R_EL1, hv_bits(mpidr, 39, 32) << 48 | hv_bits(mpidr, 7, 4) << 44 |
					    hv_bits(mpidr, 23, 16) << 32 | (uint64_t)intid << 24 |
					    hv_bits(mpidr, 15, 8) << 16 |
					    HV_BIT(hv_bits(mpidr, 3, 0)));
	ISB();
}

void gic_v3_enable(uint32_t intid)
{
	uint32_t word = intid / GIC_IRQS_PER_WORD * 4, bit = 1u << intid % GIC_IRQS_PER_WORD;

	if (intid < GIC_SPI_FIRST) {
		*gic_reg(this_sgi_base(), GICD_ISENABLER) = bit;
		return;
	}
	*gic_byte(gicd, GICD_IPRIORITYR + intid) = (uint8_t)GIC_PRIORITY_ALL;
	*(volatile uint64_t *)(gicd + GICD_IROUTER + 8 * (uintptr_t)intid) =
		SYSREG_READ(mpidr_el1) & MPIDR_AFFINITY;
	*gic_reg(gicd, GICD_ISENABLER + word) = bit;
}

uint32_t gic_v3_take(void)
{
	uint32_t intid = (uint32_t)SYSREG_READ(ICC_IAR1_EL1);

	if (intid < GIC_SPURIOUS - 3) {
		SYSREG_WRITE(ICC_EOIR1_EL1, intid);
	}
	return intid;
}

void gic_v3_end(uint32_t intid)
{
	SYSREG_WRITE(ICC_DIR_EL1, intid);
}

/* Of an active, level-sensitive interrupt the pending bit is its input (IHI 0069H, 4.1.2). */
bool gic_v3_level(uint32_t intid)
{
	return *gic_reg(this_sgi_base(), GICD_ISPENDR) >> intid % GIC_IRQS_PER_WORD & 1;
}

uint8_t gic_v3_lr_count(void)
{
	return caps_get()->lr_count;
}

/* ICH_LR<n>_EL2: op2 is n modulo 8, and the upper half is in the next CRn. */
#define LR_EACH(OP)                                                                                \
	OP(0, S3_4_C12_C12_0)                                                                      \
	OP(1, S3_4_C12_C12_1)                                                                      \
	OP(2, S3_4_C12_C12_2)                                                                      \
	OP(3, S3_4_C12_C12_3)                                                                      \
	OP(4, S3_4_C12_C12_4)                                                                      \
	OP(5, S3_4_C12_C12_5)                                                                      \
	OP(6, S3_4_C12_C12_6)                                                                      \
	OP(7, S3_4_C12_C12_7)                                                                      \
	OP(8, S3_4_C12_C13_0)                                                                      \
	OP(9, S3_4_C12_C13_1)                                                                      \
	OP(10, S3_4_C12_C13_2)                                                                     \
	OP(11, S3_4_C12_C13_3)                                                                     \
	OP(12, S3_4_C12_C13_4)                                                                     \
	OP(13, S3_4_C12_C13_5)                                                                     \
	OP(14, S3_4_C12_C13_6)                                                                     \
	OP(15, S3_4_C12_C13_7)

static uint64_t lr_read(unsigned n)
{
#define LR_READ(index, reg)                                                                        \
	if (n == (index)) {                                                                        \
		return SYSREG_READ(reg);                                                           \
	}
	LR_EACH(LR_READ)
	return 0;
}

static void lr_write(unsigned n, uint64_t value)
{
#define LR_WRITE(index, reg)                                                                       \
	if (n == (index)) {                                                                        \
		SYSREG_WRITE(reg, value);                                                          \
	}
	LR_EACH(LR_WRITE)
}

static void hcr_load(struct gicv3_cpu *cpu)
{
	if (!(cpu->lr_dirty & GICV3_DIRTY_HCR)) {
		cpu->hcr = (uint32_t)SYSREG_READ(ICH_HCR_EL2);
	}
}

void gic_v3_lr_load(struct gicv3_cpu *cpu)
{
	for (uint32_t left = cpu->lr_used & ~cpu->lr_dirty; left; left &= left - 1) {
		unsigned n = hv_lowest_bit(left);

		cpu->lr[n] = lr_read(n);
	}
	cpu->vmcr = (uint32_t)SYSREG_READ(ICH_VMCR_EL2);
	hcr_load(cpu);
}

/* Power-on state of the virtual CPU interface: masked, disabled, nothing active. */
static void iface_reset(void)
{
	uint32_t pre_bits = (uint32_t)hv_bits(SYSREG_READ(ICH_VTR_EL2), 28, 26) + 1;

	SYSREG_WRITE(ICH_VMCR_EL2, 0);
	SYSREG_WRITE(ICH_AP0R0_EL2, 0);
	SYSREG_WRITE(ICH_AP1R0_EL2, 0);
	if (pre_bits > 5) {
		SYSREG_WRITE(ICH_AP0R1_EL2, 0);
		SYSREG_WRITE(ICH_AP1R1_EL2, 0);
	}
	if (pre_bits > 6) {
		SYSREG_WRITE(ICH_AP0R2_EL2, 0);
		SYSREG_WRITE(ICH_AP0R3_EL2, 0);
		SYSREG_WRITE(ICH_AP1R2_EL2, 0);
		SYSREG_WRITE(ICH_AP1R3_EL2, 0);
	}
}

void gic_v3_lr_flush(struct gicv3_cpu *cpu)
{
	uint32_t dirty = cpu->lr_dirty;

	for (uint32_t left = dirty & ((1u << GIC_LRS) - 1); left; left &= left - 1) {
		unsigned n = hv_lowest_bit(left);

		lr_write(n, cpu->lr[n]);
	}
	if (dirty & GICV3_DIRTY_HCR) {
		SYSREG_WRITE(ICH_HCR_EL2, cpu->hcr);
	}
	if (dirty & GICV3_DIRTY_IFACE) {
		iface_reset();
	}
	cpu->lr_dirty = 0;
}

/* EOIcount is core's to count yet. */
void gic_v3_lr_silence(struct gicv3_cpu *cpu)
{
	hcr_load(cpu);
	SYSREG_WRITE(ICH_HCR_EL2, 0);
	cpu->lr_dirty |= GICV3_DIRTY_HCR;
}
