/* SPDX-License-Identifier: MIT */
/* A counter's ticks and nanoseconds, by multiplication only. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Ratios in 32.32 fixed point. */
struct clock {
	uint64_t ns_per_tick, ticks_per_ns;
};

extern struct clock clock;

/* The counter's frequency; false: 0. */
bool clock_init(uint64_t hz);

static inline uint64_t clock_scale(uint64_t value, uint64_t ratio)
{
	return (uint64_t)((unsigned __int128)value * ratio >> 32);
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
