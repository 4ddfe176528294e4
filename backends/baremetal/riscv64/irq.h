/* SPDX-License-Identifier: MIT */
/*
 * The interrupts that are ours, and the one timer that stands for every deadline of what is
 * emulated: devices on the bus, and without Sstc the guest's timer.
 */
#ifndef IRQ_H
#define IRQ_H

#include "hs.h"
#include "host.h"

/* The interrupts of this CPU; they stay masked. */
void irq_cpu_init(void);
/* Those that reach CPU 0 alone. */
void irq_init(const struct host *host);
/* Handles what is pending. */
void irq_handle(struct hs_cpu *cpu);

/* For the vCPU that this CPU runs from now on. */
void deadline_init(struct hs_cpu *cpu);
/* Some deadline may have moved. Cheap when none has. */
void deadline_set(struct hs_cpu *cpu);

#endif
