/* SPDX-License-Identifier: MIT */
/* A small driver of the GICv3, as far as tests need one. */
#include "guest.h"

#define GICD_CTLR      (GUEST_GICD + 0x0000)
#define GICD_IROUTER   (GUEST_GICD + 0x6000)
#define GICR_WAKER     (GUEST_GICR + 0x0014)
#define GICR_SGI_BASE  (GUEST_GICR + 0x10000)
#define CTLR_RWP       0x80000000u
#define CTLR_ENABLE_1A 0x02u
#define CTLR_ARE       0x10u
#define WAKER_SLEEP    0x02u
#define WAKER_ASLEEP   0x04u
#define FIRST_SPI      32u

/* Offsets that distributor and redistributor have in common. */
#define IGROUPR    0x080
#define ISENABLER  0x100
#define ICENABLER  0x180
#define ISPENDR    0x200
#define IPRIORITYR 0x400
#define ICFGR      0xc00

/* The frame that holds the registers of an interrupt: private ones are in the redistributor. */
static uint64_t frame_of(unsigned intid)
{
	return intid < FIRST_SPI ? GICR_SGI_BASE : GUEST_GICD;
}

static void set_bit(unsigned intid, unsigned reg)
{
	write32(frame_of(intid) + reg + intid / 32 * 4, 1u << intid % 32);
}

static void wait_for_writes(void)
{
	while (read32(GICD_CTLR) & CTLR_RWP) {
	}
}

void gic_init(void)
{
	write32(GICD_CTLR, CTLR_ARE | CTLR_ENABLE_1A);
	wait_for_writes();
	write32(GICR_WAKER, read32(GICR_WAKER) & ~WAKER_SLEEP);
	while (read32(GICR_WAKER) & WAKER_ASLEEP) {
	}
	SYSREG_SET(S3_0_C12_C12_5, 7);  /* ICC_SRE_EL1 */
	SYSREG_SET(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	SYSREG_SET(S3_0_C12_C12_3, 0);  /* ICC_BPR1_EL1 */
	SYSREG_SET(S3_0_C12_C12_4, 0);  /* ICC_CTLR_EL1: EOImode 0 */
	SYSREG_SET(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

void gic_enable(unsigned intid, uint8_t priority)
{
	uint64_t group = frame_of(intid) + IGROUPR + intid / 32 * 4;

	write32(group, read32(group) | 1u << intid % 32);
	write8(frame_of(intid) + IPRIORITYR + intid, priority);
	if (intid >= FIRST_SPI) {
		write64(GICD_IROUTER + intid * 8, 0);
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

void gic_set_edge(unsigned intid, bool edge)
{
	uint64_t at = frame_of(intid) + ICFGR + intid / 16 * 4;
	uint32_t bit = 2u << intid % 16 * 2;
	uint32_t value = read32(at);

	write32(at, edge ? value | bit : value & ~bit);
}

unsigned gic_ack(void)
{
	uint64_t intid = SYSREG_GET(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */

	__asm__ volatile("dsb sy" ::: "memory");
	return (unsigned)intid;
}

void gic_eoi(unsigned intid)
{
	SYSREG_SET(S3_0_C12_C12_1, intid); /* ICC_EOIR1_EL1 */
}
