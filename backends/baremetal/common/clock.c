/* SPDX-License-Identifier: MIT */
#include "clock.h"

#define NS_PER_S 1000000000u

struct clock clock;

bool clock_init(uint64_t hz)
{
	if (hz == 0) {
		return false;
	}
	clock.ns_per_tick = ((uint64_t)NS_PER_S << 32) / hz;
	clock.ticks_per_ns = (hz << 32) / NS_PER_S;
	return true;
}
