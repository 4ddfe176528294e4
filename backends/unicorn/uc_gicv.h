/* SPDX-License-Identifier: MIT */
/*
 * The virtual CPU interface of a GICv3 (IHI 0069H, 4.3 and 12.4): what a guest's ICC_* accesses do
 * to the list registers. Unicorn's CPU has none, so each access surfaces as an undefined
 * instruction, and the sim asks here. On bare metal the same is silicon, so this file knows the
 * specification and nothing of core's way to use it. One per vCPU; no locks, the caller runs it.
 *
 * Modelled: 1..16 list registers, five bits of priority, 32 preemption levels, 16 bits of INTID,
 * system registers only. Not here: SGIs, which trap to the hypervisor, and LPIs.
 */
#ifndef UC_GICV_H
#define UC_GICV_H

#include "uc_sysreg.h"

#include <dev/gic/gic.h>

struct uc_gicv {
	uint64_t lr[GIC_LRS]; /* ICH_LR<n>_EL2 */
	uint8_t lr_count;
	uint32_t hcr;    /* ICH_HCR_EL2 */
	uint32_t vmcr;   /* ICH_VMCR_EL2 */
	uint32_t apr[2]; /* ICH_AP0R0_EL2, ICH_AP1R0_EL2 */
	/* A list register with HW set was deactivated; may be NULL. */
	void (*deactivate)(void *ctx, uint32_t pintid);
	void *ctx;
};

/* Everything empty and disabled. */
void uc_gicv_reset(struct uc_gicv *gicv, uint8_t lr_count);
/* The guest reads, writes a system register. False: not one of these, not this way, or ICH_HCR_EL2
 * makes it trap: then it is the hypervisor's, and nothing has changed. */
bool uc_gicv_read(struct uc_gicv *gicv, uint32_t sysreg, uint64_t *value);
bool uc_gicv_write(struct uc_gicv *gicv, uint32_t sysreg, uint64_t value);

/* Outputs: virtual IRQ and FIQ to the CPU (HCR_EL2.VI, VF), maintenance interrupt. */
bool uc_gicv_irq(const struct uc_gicv *gicv);
bool uc_gicv_fiq(const struct uc_gicv *gicv);
bool uc_gicv_maintenance(const struct uc_gicv *gicv);
uint32_t uc_gicv_misr(const struct uc_gicv *gicv);  /* ICH_MISR_EL2 */
uint32_t uc_gicv_eisr(const struct uc_gicv *gicv);  /* ICH_EISR_EL2 */
uint32_t uc_gicv_elrsr(const struct uc_gicv *gicv); /* ICH_ELRSR_EL2 */

/* What a backend does with core's record: write what is dirty before entry; the body of
 * port_gicv3_lr_load(). */
void uc_gicv_enter(struct uc_gicv *gicv, struct gicv3_cpu *cpu);
void uc_gicv_load(const struct uc_gicv *gicv, struct gicv3_cpu *cpu);

#endif
