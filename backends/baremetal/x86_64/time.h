/* SPDX-License-Identifier: MIT */
/* The host's clocks. */
#ifndef TIME_H
#define TIME_H

#include "host_acpi.h"

struct ticks {
	uint64_t tsc_hz, lapic_hz;
};

/*
 * Both measured at the ACPI power-management timer, in 10 ms at most. Zeroes when it is missing, or
 * stands. The local APIC's timer is used, and off again afterwards.
 */
struct ticks ticks_measure(const struct host_acpi *acpi);
/* Seconds since 1970 by the clock with a battery (MC146818); 0: it says nothing sensible. */
uint64_t rtc_epoch(void);

#endif
