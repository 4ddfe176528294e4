/* SPDX-License-Identifier: MIT */
/* Our own descriptor tables. */
#ifndef IDT_H
#define IDT_H

#include "bm.h"

/* For all CPUs; once. */
void idt_init(void);
/* This CPU's: its segments, its fault stack, the interrupts. */
void idt_load(struct bm_cpu *cpu);

#endif
