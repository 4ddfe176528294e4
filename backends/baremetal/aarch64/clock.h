/* SPDX-License-Identifier: MIT */
/* The generic timer's physical counter, and nanoseconds, by multiplication only. */
#ifndef CLOCK_H
#define CLOCK_H

#include "sysreg.h"

#include <stdbool.h>

/* Ratios in 32.32 fixed point, from CNTFRQ_EL0. */
struct clock {
	uint64_t ns_per_tick, ticks_per_ns;
};

extern struct clock clock;

/* False: firmware did not set CNTFRQ_EL0. */
bool clock_init(void);

static inline uint64_t clock_scale(uint64_t value, uint64_t ratio)
{
	return (uint64_t)((unsigned __int128)value * ratio >> 32);
}

/* CNTPCT_EL0; may be read early, so it costs no barrier. */
static inline uint64_t clock_count(void)
{
	return SYSREG_READ(cntpct_el0);
}

static inline uint64_t clock_to_ns(uint64_t ticks)
{
	return clock_scale(ticks, clock.ns_per_tick);
}

/* Rounded up, lest a deadline be early; HV_NEVER_DUE stays far away. */
static inline uint64_t clock_to_ticks(uint64_t ns)
{
	return clock_scale(ns, clock.ticks_per_ns) + 1;
}

#endif
