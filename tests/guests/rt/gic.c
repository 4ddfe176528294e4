/* SPDX-License-Identifier: MIT */
/* A small driver of the GIC, as far as tests need one: GICv3, or GICv2 where the CPU has no ICC_*.
 */
#include "guest.h"

#define GICD_CTLR      (GUEST_GICD + 0x0000)
#define GICD_TYPER     (GUEST_GICD + 0x0004)
#define GICD_ITARGETSR (GUEST_GICD + 0x0800)
#define GICD_SGIR      (GUEST_GICD + 0x0f00)
#define GICD_IROUTER   (GUEST_GICD + 0x6000)
#define GICR_WAKER     (GUEST_GICR + 0x0014)
#define GICR_SGI_BASE  (GUEST_GICR + 0x10000)
#define TYPER_NO_1N    0x02000000u
#define IROUTER_ANY    0x80000000u
#define CTLR_RWP       0x80000000u
#define CTLR_ENABLE_0  0x01u
#define CTLR_ENABLE_1A 0x02u
#define CTLR_ARE       0x10u
#define WAKER_SLEEP    0x02u
#define WAKER_ASLEEP   0x04u
#define GICR_STRIDE    0x20000u
#define SGIR_TO_OTHERS 0x01000000u
#define SGIR_TO_SELF   0x02000000u
#define SGI1R_IRM      (1ull << 40)
#define FIRST_SPI      32u

/* Offsets that distributor and redistributor have in common. */
#define IGROUPR    0x080
#define ISENABLER  0x100
#define ICENABLER  0x180
#define ISPENDR    0x200
#define ICACTIVER  0x380
#define IPRIORITYR 0x400
#define ICFGR      0xc00

/* The CPU interface of GICv2. */
#define GICC_CTLR      (GUEST_GICC + 0x0000)
#define GICC_PMR       (GUEST_GICC + 0x0004)
#define GICC_BPR       (GUEST_GICC + 0x0008)
#define GICC_IAR       (GUEST_GICC + 0x000c)
#define GICC_EOIR      (GUEST_GICC + 0x0010)
#define GICC_RPR       (GUEST_GICC + 0x0014)
#define GICC_DIR       (GUEST_GICC + 0x1000)
#define GICC_CTLR_EOI  0x200u
#define ICC_CTLR_EOI   0x2u
#define PFR0_GIC_SHIFT 24u

static bool is_v2; /* kept, as a hypervisor traps the register that says so */

/* The frame that holds the registers of an interrupt: GICv3's private ones are in the CPU's
 * redistributor. */
static uint64_t frame_of(unsigned intid)
{
	return intid < FIRST_SPI && !is_v2 ? GICR_SGI_BASE + guest_cpu() * GICR_STRIDE : GUEST_GICD;
}

static void set_bit(unsigned intid, unsigned reg)
{
	write32(frame_of(intid) + reg + intid / 32 * 4, 1u << intid % 32);
}

/* GICv2 has no such bit: there it reads as 0. */
static void wait_for_writes(void)
{
	while (read32(GICD_CTLR) & CTLR_RWP) {
	}
}

static void init_v2(void)
{
	write32(GICD_CTLR, CTLR_ENABLE_0);
	write32(GICC_PMR, 0xff);
	write32(GICC_BPR, 0);
	write32(GICC_CTLR, CTLR_ENABLE_0);
}

static void init_v3(void)
{
	uint64_t waker = GICR_WAKER + guest_cpu() * GICR_STRIDE;

	write32(GICD_CTLR, CTLR_ARE | CTLR_ENABLE_1A);
	wait_for_writes();
	write32(waker, read32(waker) & ~WAKER_SLEEP);
	while (read32(waker) & WAKER_ASLEEP) {
	}
	SYSREG_SET(S3_0_C12_C12_5, 7);  /* ICC_SRE_EL1 */
	SYSREG_SET(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	SYSREG_SET(S3_0_C12_C12_3, 0);  /* ICC_BPR1_EL1 */
	SYSREG_SET(S3_0_C12_C12_4, 0);  /* ICC_CTLR_EL1: EOImode 0 */
	SYSREG_SET(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

void gic_init(void)
{
	is_v2 = (SYSREG_GET(id_aa64pfr0_el1) >> PFR0_GIC_SHIFT & 0xf) == 0;
	if (is_v2) {
		init_v2();
	} else {
		init_v3();
	}
}

void gic_route(unsigned intid, unsigned cpu)
{
	if (is_v2) {
		write8(GICD_ITARGETSR + intid, (uint8_t)(1u << cpu));
	} else {
		write64(GICD_IROUTER + intid * 8, cpu);
	}
}

bool gic_route_any(unsigned intid)
{
	if (is_v2) {
		write8(GICD_ITARGETSR + intid, 0xff);
	} else if (read32(GICD_TYPER) & TYPER_NO_1N) {
		return false;
	} else {
		write64(GICD_IROUTER + intid * 8, IROUTER_ANY);
	}
	return true;
}

void gic_enable(unsigned intid, uint8_t priority)
{
	uint64_t group = frame_of(intid) + IGROUPR + intid / 32 * 4;

	if (!is_v2) {
		write32(group, read32(group) | 1u << intid % 32);
	}
	write8(frame_of(intid) + IPRIORITYR + intid, priority);
	if (intid >= FIRST_SPI) {
		gic_route(intid, guest_cpu());
	}
	set_bit(intid, ISENABLER);
}

void gic_disable(unsigned intid)
{
	set_bit(intid, ICENABLER);
	wait_for_writes();
}

void gic_set_pending(unsigned intid)
{
	set_bit(intid, ISPENDR);
}

void gic_set_inactive(unsigned intid)
{
	set_bit(intid, ICACTIVER);
}

void gic_set_edge(unsigned intid, bool edge)
{
	uint64_t at = frame_of(intid) + ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;
	uint32_t value = read32(at);

	write32(at, edge ? value | bit : value & ~bit);
}

void gic_sgi_to_self(unsigned intid)
{
	if (is_v2) {
		write32(GICD_SGIR, SGIR_TO_SELF | intid);
	} else {
		gic_sgi(intid, 1u << guest_cpu());
	}
}

/* Without the barrier another CPU might be interrupted before it sees what was written. */
void gic_sgi(unsigned intid, unsigned cpus)
{
	__asm__ volatile("dsb ish" ::: "memory");
	if (is_v2) {
		write32(GICD_SGIR, cpus << 16 | intid);
	} else {
		SYSREG_SET(S3_0_C12_C11_5, (uint64_t)intid << 24 | cpus); /* ICC_SGI1R_EL1 */
	}
}

void gic_sgi_to_others(unsigned intid)
{
	__asm__ volatile("dsb ish" ::: "memory");
	if (is_v2) {
		write32(GICD_SGIR, SGIR_TO_OTHERS | intid);
	} else {
		SYSREG_SET(S3_0_C12_C11_5, SGI1R_IRM | (uint64_t)intid << 24);
	}
}

unsigned gic_ack(void)
{
	/* ICC_IAR1_EL1 */
	uint64_t intid = is_v2 ? read32(GICC_IAR) : SYSREG_GET(S3_0_C12_C12_0);

	__asm__ volatile("dsb sy" ::: "memory");
	return (unsigned)intid;
}

void gic_eoi(unsigned intid)
{
	if (is_v2) {
		write32(GICC_EOIR, intid);
	} else {
		SYSREG_SET(S3_0_C12_C12_1, intid); /* ICC_EOIR1_EL1 */
	}
}

void gic_mask(uint8_t priority)
{
	if (is_v2) {
		write32(GICC_PMR, priority);
	} else {
		SYSREG_SET(S3_0_C4_C6_0, priority); /* ICC_PMR_EL1 */
	}
}

uint8_t gic_running(void)
{
	/* ICC_RPR_EL1 */
	return (uint8_t)(is_v2 ? read32(GICC_RPR) : SYSREG_GET(S3_0_C12_C11_3));
}

void gic_split_eoi(bool split)
{
	if (is_v2) {
		write32(GICC_CTLR, CTLR_ENABLE_0 | (split ? GICC_CTLR_EOI : 0));
	} else {
		SYSREG_SET(S3_0_C12_C12_4, split ? ICC_CTLR_EOI : 0); /* ICC_CTLR_EL1 */
	}
}

void gic_deactivate(unsigned intid)
{
	if (is_v2) {
		write32(GICC_DIR, intid);
	} else {
		SYSREG_SET(S3_0_C12_C11_1, intid); /* ICC_DIR_EL1 */
	}
}
