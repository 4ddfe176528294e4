/* SPDX-License-Identifier: MIT */
/*
 * The interrupts that are ours, and the one timer that stands for every deadline of what is
 * emulated. They are held back (RFLAGS.IF while we start, GIF from then on), except in irq_take()
 * and irq_wait().
 */
#ifndef IRQ_H
#define IRQ_H

#include "bm.h"

/* How fast a local APIC's timer is; before any deadline. */
void irq_timer_hz(uint64_t hz);
/* Those that reach CPU 0 alone. */
void irq_init(void);
/* Handles what is pending. */
void irq_take(void);
/* Waits for an interrupt, and handles it. */
void irq_wait(void);

/* For the vCPU that this CPU runs from now on. */
void deadline_init(struct bm_cpu *cpu);
/* Some deadline may have moved. Cheap when none has. */
void deadline_set(struct bm_cpu *cpu);

/* Called by vectors.S. */
void irq_uart(void);
/* uart.c: whether COM1 asks for anything. Asking takes back that it can send. */
bool uart_irq_pending(void);
void irq_timer(void);
void irq_kick(void);

#endif
