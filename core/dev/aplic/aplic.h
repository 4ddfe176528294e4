/* SPDX-License-Identifier: MIT */
/*
 * The door of the emulated APLIC: one interrupt domain of supervisor level, a leaf, in direct
 * delivery mode. Source: RISC-V Advanced Interrupt Architecture 1.0 ("AIA"), chapter 4. Numbers are
 * those of QEMU's virt machine with aia=aplic; what the specification leaves open is in README.md.
 *
 * It locks for itself (HV_LOCK_IRQC): the bus needs no lock for it.
 */
#ifndef APLIC_H
#define APLIC_H

#include <hv/arena.h>
#include <hv/dev.h>
#include <hv/status.h>
#include <hv/types.h>

#define APLIC_HARTS        8u    /* most harts of one APLIC; the same as HV_VCPUS */
#define APLIC_SOURCES_MAX  1023u /* AIA 4.1 */
#define APLIC_PRIORITY_MAX 7u    /* IPRIOLEN is 3; 1 is the most urgent */
#define APLIC_SIZE         0x8000u

/* Registers, all 32 bits wide (AIA 4.5). Arrays of bits have 32 words, numbers say one source. */
enum aplic_reg {
	APLIC_DOMAINCFG = 0x0000,
	APLIC_SOURCECFG = 0x0000, /* + 4 * source */
	APLIC_SETIP = 0x1c00,
	APLIC_SETIPNUM = 0x1cdc,
	APLIC_IN_CLRIP = 0x1d00,
	APLIC_CLRIPNUM = 0x1ddc,
	APLIC_SETIE = 0x1e00,
	APLIC_SETIENUM = 0x1edc,
	APLIC_CLRIE = 0x1f00,
	APLIC_CLRIENUM = 0x1fdc,
	APLIC_SETIPNUM_LE = 0x2000,
	APLIC_TARGET = 0x3000, /* + 4 * source */
	APLIC_IDC = 0x4000,    /* + APLIC_IDC_STRIDE * hart + one of the next five */
	APLIC_IDELIVERY = 0x00,
	APLIC_IFORCE = 0x04,
	APLIC_ITHRESHOLD = 0x08,
	APLIC_TOPI = 0x18,
	APLIC_CLAIMI = 0x1c,
};
#define APLIC_IDC_STRIDE        0x20u
#define APLIC_DOMAINCFG_FIXED   0x80000000u
#define APLIC_DOMAINCFG_IE      (1u << 8)
#define APLIC_SOURCECFG_D       (1u << 10)
#define APLIC_TARGET_HART_SHIFT 18u
#define APLIC_TOPI_SOURCE_SHIFT 16u

/* sourcecfg.SM. Of those from APLIC_EDGE1 on, bit 0 says inverted, bit 1 level-sensitive. */
enum aplic_mode {
	APLIC_INACTIVE = 0,
	APLIC_DETACHED = 1,
	APLIC_EDGE1 = 4,
	APLIC_EDGE0 = 5,
	APLIC_LEVEL1 = 6,
	APLIC_LEVEL0 = 7,
};

struct aplic;

struct aplic_cfg {
	uint16_t sources; /* they are 1..sources; source 0 does not exist */
	uint8_t harts;    /* their index numbers are 0..harts - 1 */
};

struct aplic_hart_cfg {
	/* Its external interrupt (VSEIP) is now `level`: on changes only, HV_LOCK_IRQC held. */
	void (*notify)(void *ctx, bool level);
	void *ctx;
};

/* HV_ERR_INVALID, HV_ERR_NO_MEMORY: *aplic is NULL. */
HV_WARN_UNUSED enum hv_status aplic_create(
	struct aplic **aplic, const struct aplic_cfg *cfg, struct hv_arena *arena);
/* Bytes of arena that aplic_create() takes at most. */
size_t aplic_arena_size(const struct aplic_cfg *cfg);
/* Before the VM runs. A hart that nobody added has its registers, and tells nobody. HV_ERR_INVALID.
 */
HV_WARN_UNUSED enum hv_status aplic_add_hart(
	struct aplic *aplic, uint16_t index, const struct aplic_hart_cfg *cfg);

/* Line `source` of the devices: the shape of hv_irq.set, ctl is the struct aplic. */
void aplic_source_set(void *aplic, uint32_t source, bool level);

/* Hart index's external interrupt now, for the entry path: one load, no lock. */
bool aplic_is_raised(const struct aplic *aplic, uint16_t index);

/* The region's device is the struct aplic. Reset drives every hart low; sources keep their level.
 */
extern const struct hv_dev_ops aplic_ops;

#endif
