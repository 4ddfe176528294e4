/* SPDX-License-Identifier: MIT */
#include "time.h"

#include "insn.h"
#include "host_apic.h"

#include <hv/bits.h>

/* ---- ticks: ACPI Specification 6.4, 4.8.3.3 ---- */

#define PM_HZ       3579545u
#define PM_SHORT    45u    /* 12.6 us */
#define PM_LONG     35796u /* 10 ms */
#define PM_PATIENCE 10000000u
#define PM_24_BITS  0xffffffu
#define LOOKS       8u
#define GHZ         1000000000u
#define GHZ_NEAR    (GHZ / 32) /* how near the short look gets, at least: 1.4 ticks */

static uint32_t pm_read(const struct host_acpi *acpi)
{
	uint32_t value = in32(acpi->pm_timer);

	return acpi->pm_timer_32 ? value : value & PM_24_BITS;
}

/* All three clocks at once. */
struct look {
	uint32_t pm, lapic;
	uint64_t tsc, took;
};

static struct look look_once(const struct host_acpi *acpi)
{
	uint64_t tsc = clock_count();
	struct look look = {.pm = pm_read(acpi), .lapic = host_apic_timer_left()};

	look.tsc = clock_count();
	look.took = look.tsc - tsc;
	return look;
}

/* The quickest of a few: under a hypervisor, anything may happen in the middle of one. */
static struct look look(const struct host_acpi *acpi)
{
	struct look best = look_once(acpi);

	for (unsigned n = 1; n < LOOKS; n++) {
		struct look next = look_once(acpi);

		best = next.took < best.took ? next : best;
	}
	return best;
}

/* Ticks that have passed since `from`. */
static uint32_t pm_since(const struct host_acpi *acpi, uint32_t from, uint32_t now)
{
	return acpi->pm_timer_32 ? now - from : (now - from) & PM_24_BITS;
}

/* False: the timer stands. */
static bool pm_wait(const struct host_acpi *acpi, uint32_t from, uint32_t ticks)
{
	for (uint32_t n = 0; n < PM_PATIENCE; n++) {
		if (pm_since(acpi, from, pm_read(acpi)) >= ticks) {
			return true;
		}
	}
	return false;
}

static uint64_t hz(uint64_t ticks, uint32_t pm)
{
	return (ticks * PM_HZ + pm / 2) / pm;
}

static struct ticks between(
	const struct host_acpi *acpi, const struct look *start, const struct look *end)
{
	uint32_t pm = pm_since(acpi, start->pm, end->pm);

	return (struct ticks){.tsc_hz = hz(end->tsc - start->tsc, pm),
		.lapic_hz = hz(start->lapic - end->lapic, pm)};
}

static bool is_near(uint64_t value, uint64_t round)
{
	return value + GHZ_NEAR > round && value < round + GHZ_NEAR;
}

/*
 * A machine that somebody made up has round numbers: two clocks that look like 1 GHz are. Others
 * are looked at for longer.
 */
static struct ticks measure(const struct host_acpi *acpi)
{
	struct look start = look(acpi), end;
	struct ticks ticks;

	if (!pm_wait(acpi, start.pm, PM_SHORT)) {
		return (struct ticks){0};
	}
	end = look(acpi);
	ticks = between(acpi, &start, &end);
	if (is_near(ticks.tsc_hz, GHZ) && is_near(ticks.lapic_hz, GHZ)) {
		return (struct ticks){.tsc_hz = GHZ, .lapic_hz = GHZ};
	}
	(void)pm_wait(acpi, start.pm, PM_LONG);
	end = look(acpi);
	return between(acpi, &start, &end);
}

struct ticks ticks_measure(const struct host_acpi *acpi)
{
	struct ticks ticks = {0};

	if (acpi->pm_timer) {
		host_apic_timer_set(UINT32_MAX);
		ticks = measure(acpi);
		host_apic_timer_set(0);
	}
	return ticks;
}

/* ---- the clock with a battery ---- */

#define CMOS_INDEX 0x70u
#define CMOS_DATA  0x71u

enum cmos {
	CMOS_SECOND = 0x00,
	CMOS_MINUTE = 0x02,
	CMOS_HOUR = 0x04,
	CMOS_DAY = 0x07,
	CMOS_MONTH = 0x08,
	CMOS_YEAR = 0x09,
	CMOS_A = 0x0a,
	CMOS_B = 0x0b,
};
#define A_UPDATES  HV_BIT(7)
#define B_BINARY   HV_BIT(2)
#define B_24_HOURS HV_BIT(1)
#define HOUR_PM    HV_BIT(7)

#define CMOS_PATIENCE 10000u
#define DAYS_TO_1970  719468u /* from 0000-03-01 */

static uint8_t cmos(enum cmos reg)
{
	out8(CMOS_INDEX, (uint8_t)reg);
	return in8(CMOS_DATA);
}

static uint32_t number(uint8_t raw, uint8_t b)
{
	return b & B_BINARY ? raw : (uint32_t)(raw >> 4) * 10 + (raw & 15);
}

static uint32_t hour(uint8_t raw, uint8_t b)
{
	uint32_t value = number(raw & 0x7f, b);

	if (b & B_24_HOURS) {
		return value;
	}
	return value % 12 + (raw & HOUR_PM ? 12 : 0);
}

/* Days since 1970: years begin in March, so that the odd day is a year's last. */
static uint64_t days(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
	       DAYS_TO_1970;
}

uint64_t rtc_epoch(void)
{
	uint8_t b = cmos(CMOS_B);
	uint32_t year, month, day;

	for (uint32_t n = 0; n < CMOS_PATIENCE && cmos(CMOS_A) & A_UPDATES; n++) {
	}
	year = 2000 + number(cmos(CMOS_YEAR), b);
	month = number(cmos(CMOS_MONTH), b);
	day = number(cmos(CMOS_DAY), b);
	if (month < 1 || month > 12 || day < 1 || day > 31) {
		return 0;
	}
	return ((days(year, month, day) * 24 + hour(cmos(CMOS_HOUR), b)) * 60 +
		       number(cmos(CMOS_MINUTE), b)) *
		       60 +
	       number(cmos(CMOS_SECOND), b);
}
