/* SPDX-License-Identifier: MIT */
/* The host's PLIC (RISC-V PLIC specification 1.0.0): one source, the UART, to one hart, ours. */
#ifndef PLIC_H
#define PLIC_H

#include <stdint.h>

/* `context` takes nothing but what plic_enable() says from here on. */
void plic_init(uintptr_t base, uint32_t context);
void plic_enable(uint32_t source);
/* The best pending source, which stays with us until its end; 0: none. */
uint32_t plic_take(void);
void plic_end(uint32_t source);

#endif
