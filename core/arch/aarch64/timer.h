/* SPDX-License-Identifier: MIT */
/* Registers of the trapped physical timer, for sysreg.c. DDI 0487, chapter D11. */
#ifndef A64_TIMER_H
#define A64_TIMER_H

#include <arch/aarch64/a64.h>

enum a64_timer_reg { A64_TIMER_TVAL, A64_TIMER_CTL, A64_TIMER_CVAL };

uint64_t a64_timer_read(const struct a64_timer *timer, enum a64_timer_reg reg, uint64_t count);
void a64_timer_write(
	struct a64_timer *timer, enum a64_timer_reg reg, uint64_t value, uint64_t count);

#endif
