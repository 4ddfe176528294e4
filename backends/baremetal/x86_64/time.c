/* SPDX-License-Identifier: MIT */
#include "time.h"

#include "insn.h"
#include "host_apic.h"

#include <hv/bits.h>

/* ---- ticks: ACPI Specification 6.4, 4.8.3.3 ---- */

#define PM_HZ       3579545u
#define PM_WINDOW   3580u /* a millisecond */
#define PM_PATIENCE 1000000u
#define MHZ         1000000u

static uint32_t pm_mask(const struct host_acpi *acpi)
{
	return acpi->pm_timer_32 ? UINT32_MAX : 0xffffff;
}

/* Waits until the timer is `distance` or more behind `from`; false: it stands. */
static bool pm_wait(const struct host_acpi *acpi, uint32_t from, uint32_t distance, uint32_t *at)
{
	for (uint32_t n = 0; n < PM_PATIENCE; n++) {
		*at = in32(acpi->pm_timer);
		if (((*at - from) & pm_mask(acpi)) >= distance) {
			return true;
		}
	}
	return false;
}

/* In whole MHz: nearer than so short a look can tell, and exact where somebody made it up. */
static uint64_t hz(uint64_t ticks, uint32_t pm)
{
	return (ticks * PM_HZ / pm + MHZ / 2) / MHZ * MHZ;
}

struct ticks ticks_measure(const struct host_acpi *acpi)
{
	struct ticks none = {0}, ticks;
	uint32_t start, end, left;
	uint64_t tsc;

	/* From one change to another, so that the time that a look takes counts little. */
	if (acpi->pm_timer == 0 || !pm_wait(acpi, in32(acpi->pm_timer), 1, &start)) {
		return none;
	}
	host_apic_timer_set(UINT32_MAX);
	tsc = clock_count();
	if (!pm_wait(acpi, start, PM_WINDOW, &end)) {
		return none;
	}
	tsc = clock_count() - tsc;
	left = host_apic_timer_left();
	host_apic_timer_set(0);
	end = (end - start) & pm_mask(acpi);
	ticks.tsc_hz = hz(tsc, end);
	ticks.lapic_hz = hz(UINT32_MAX - left, end);
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
