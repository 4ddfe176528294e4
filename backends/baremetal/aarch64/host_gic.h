/* SPDX-License-Identifier: MIT */
/*
 * The physical GIC: our own few interrupts, and the guest's list registers. Which version it is, is
 * found out once; then host_gic_v2.c or host_gic_v3.c does the work.
 */
#ifndef HOST_GIC_H
#define HOST_GIC_H

#include "el2.h"
#include "host.h"

#include <dev/gic/gic.h>

/*
 * Looks for the part of each of the host's CPUs: redistributors are asked whose they are, and GICH
 * how many list registers it has; they must be mapped for that. HV_ERR_NOT_FOUND: none says that it
 * is such a CPU's.
 */
HV_WARN_UNUSED enum hv_status host_gic_find(const struct host *host);
/* Range `index` of what must be mapped; empty: nothing. False: there are no more. */
bool host_gic_frame(const struct host *host, unsigned index, struct range *frame);
/* All shared interrupts off. */
void host_gic_init(const struct host *host);
/* Each CPU for itself: its private interrupts off, ready to take some. */
void host_gic_cpu_init(void);
/* A private or shared, level-triggered interrupt; a shared one comes to this CPU. */
void host_gic_enable(uint32_t intid);
/* Sends an SGI to one CPU. What was written before is seen by whoever takes it. */
void host_gic_send(const struct el2_cpu *to, uint32_t intid);

/* Acknowledges the best pending interrupt and drops its priority; GIC_SPURIOUS or more: none. */
uint32_t host_gic_take(void);
/* The end of an interrupt that was taken. */
void host_gic_end(uint32_t intid);

/* List registers of a CPU; 0: it has none. */
uint8_t host_gic_lr_count(void);
/* List registers of this CPU, as cpu->lr_dirty says. */
void host_gic_lr_flush(struct gicv3_cpu *cpu);
/* No virtual interrupt and no maintenance interrupt until the next flush. */
void host_gic_lr_silence(struct gicv3_cpu *cpu);

#endif
