/* SPDX-License-Identifier: MIT */
/* The physical GICv3 (IHI 0069H): our own few interrupts, and the guest's list registers. */
#ifndef HOST_GIC_H
#define HOST_GIC_H

#include "host.h"

#include <dev/gic/gic.h>

/*
 * Finds this CPU's redistributor frame, which must be mapped for it; then only the distributor and
 * the frame are needed. HV_ERR_NOT_FOUND: none says that it is this CPU's.
 */
HV_WARN_UNUSED enum hv_status host_gic_find(const struct host *host, struct range *frame);
/* All interrupts off, this CPU ready to take some. */
void host_gic_init(const struct host *host, struct range frame);
/* A private or shared, level-triggered interrupt; a shared one comes to this CPU. */
void host_gic_enable(uint32_t intid);

/* Acknowledges the best pending interrupt and drops its priority; GIC_SPURIOUS or more: none. */
uint32_t host_gic_take(void);
/* The end of an interrupt that was taken. */
void host_gic_end(uint32_t intid);

/* List registers 0..15 of this CPU, as cpu->lr_dirty says. */
void host_gic_lr_flush(struct gicv3_cpu *cpu);

#endif
