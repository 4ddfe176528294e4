/* SPDX-License-Identifier: MIT */
/*
 * The physical interrupts that are ours, and the one timer that stands for every deadline of what
 * is emulated: devices on the bus, and the guest's CNTP. (Its CNTV is the CPU's own.)
 */
#ifndef IRQ_H
#define IRQ_H

#include "el2.h"
#include "host.h"

/* The SGI by which one physical CPU makes another look (port_kick). */
#define IRQ_KICK 0u

/* Learns which they are, and switches the shared ones on; they stay masked at this CPU. */
void irq_init(const struct host *host);
/* The private ones; each CPU for itself. */
void irq_cpu_init(void);
/* Handles one that is pending, if there is one. `here`: the CPU's vCPU is RUNNING. */
void irq_handle(struct el2_cpu *cpu, bool here);

/* For the vCPU that this CPU runs from now on. */
void deadline_init(struct el2_cpu *cpu);
/* Some deadline may have moved. Cheap when none has. */
void deadline_set(struct el2_cpu *cpu);

#endif
