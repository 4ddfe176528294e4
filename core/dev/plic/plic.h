/* SPDX-License-Identifier: MIT */
/*
 * The door of the emulated PLIC. Source: RISC-V Platform-Level Interrupt Controller Specification
 * 1.0.0 ("PLIC"). Contexts are numbered as on QEMU's virt machine: hart h has 2h for M-mode, which
 * a guest does not have and which is RAZ/WI, and 2h+1 for S-mode. What the specification leaves
 * open is in README.md.
 *
 * It locks for itself (HV_LOCK_IRQC): the bus needs no lock for it. Every register but claim is one
 * word, which is read without the lock.
 */
#ifndef PLIC_H
#define PLIC_H

#include <hv/arena.h>
#include <hv/dev.h>
#include <hv/status.h>
#include <hv/types.h>

#define PLIC_HARTS        8u    /* most harts of one PLIC; the same as HV_VCPUS */
#define PLIC_SOURCES_MAX  1023u /* PLIC 1.3 */
#define PLIC_PRIORITY_MAX 7u

/* Registers, all 32 bits wide (PLIC 3). */
enum plic_reg {
	PLIC_PRIORITY = 0x000000, /* + 4 * source */
	PLIC_PENDING = 0x001000,  /* + 4 * (source / 32) */
	PLIC_ENABLE = 0x002000,   /* + PLIC_ENABLE_STRIDE * context + 4 * (source / 32) */
	PLIC_CONTEXT = 0x200000,  /* + PLIC_CONTEXT_STRIDE * context + one of the next two */
	PLIC_THRESHOLD = 0,
	PLIC_CLAIM = 4, /* written: complete */
};
#define PLIC_ENABLE_STRIDE  0x80u
#define PLIC_CONTEXT_STRIDE 0x1000u

struct plic;

struct plic_cfg {
	uint16_t sources; /* they are 1..sources; source 0 does not exist */
	uint8_t harts;
};

struct plic_hart_cfg {
	/* Its external interrupt (VSEIP) is now `level`: on changes only, HV_LOCK_IRQC held. */
	void (*notify)(void *ctx, bool level);
	void *ctx;
};

/* HV_ERR_INVALID, HV_ERR_NO_MEMORY: *plic is NULL. */
HV_WARN_UNUSED enum hv_status plic_create(
	struct plic **plic, const struct plic_cfg *cfg, struct hv_arena *arena);
/* Bytes of arena that plic_create() takes at most. */
size_t plic_arena_size(const struct plic_cfg *cfg);
/* Before the VM runs. A hart that nobody added has its registers, and tells nobody. HV_ERR_INVALID.
 */
HV_WARN_UNUSED enum hv_status plic_add_hart(
	struct plic *plic, uint16_t index, const struct plic_hart_cfg *cfg);

/* Line `source` of the devices: the shape of hv_irq.set, ctl is the struct plic. */
void plic_source_set(void *plic, uint32_t source, bool level);

/* Hart index's external interrupt now, for the entry path: one load, no lock. */
bool plic_is_raised(const struct plic *plic, uint16_t index);

/* The region's device is the struct plic. Reset drives every hart low; sources keep their level. */
extern const struct hv_dev_ops plic_ops;

#endif
