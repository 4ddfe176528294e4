/* SPDX-License-Identifier: MIT */
/* Time is arithmetic on `now`, and what has happened is found at the next look, which is never too
 * late. */
#include <dev/cmos/cmos.h>
#include <hv/bits.h>

#define NS_PER_S     1000000000u
#define S_PER_DAY    86400u
#define DAYS_400     146097u /* 400 years */
#define DAYS_TO_1970 719468u /* from 1 March of the year 0 */
#define TICK_HZ      32768u
#define UIP_NS       244000u /* so long before an update it is said to be under way */
#define ANY          0xc0u   /* an alarm's field with these bits fits all */
#define NEVER        UINT64_MAX

#define B_POWER_ON CMOS_B_24H

/* ---- dates ---- */

struct date {
	uint32_t second, minute, hour, weekday, day, month, year;
};

/* Years begin with March here, so that the day that comes and goes is the last. */
static struct date date_of(uint64_t s)
{
	uint64_t days = s / S_PER_DAY, since = days + DAYS_TO_1970;
	uint32_t in_day = (uint32_t)(s % S_PER_DAY), in_400 = (uint32_t)(since % DAYS_400);
	uint32_t year = (in_400 - in_400 / 1460 + in_400 / 36524 - in_400 / 146096) / 365;
	uint32_t in_year = in_400 - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * in_year + 2) / 153;

	return (struct date){
		.second = in_day % 60,
		.minute = in_day / 60 % 60,
		.hour = in_day / 3600,
		.weekday = (uint32_t)((days + 4) % 7) + 1,
		.day = in_year - (153 * month + 2) / 5 + 1,
		.month = month < 10 ? month + 3 : month - 9,
		.year = (uint32_t)(since / DAYS_400) * 400 + year + (month < 10 ? 0 : 1),
	};
}

/* The weekday is not asked. Fields that are out of range count on, month and year within theirs. */
static uint64_t seconds_of(const struct date *date)
{
	uint32_t month = (date->month + 11) % 12, year = date->year - (month < 2 ? 1 : 0);
	uint32_t of_400 = year % 400, from_march = (month + 10) % 12;
	uint64_t in_year = (153 * from_march + 2) / 5 + date->day - 1;
	uint64_t days = (uint64_t)(year / 400) * DAYS_400 + of_400 * 365 + of_400 / 4 -
			of_400 / 100 + in_year - DAYS_TO_1970;

	return days * S_PER_DAY + date->hour * 3600 + date->minute * 60 + date->second;
}

/* ---- as registers have them ---- */

static uint8_t packed(const struct cmos *cmos, uint32_t value)
{
	return (uint8_t)(cmos->reg[CMOS_B] & CMOS_B_BINARY ? value
							   : value / 10 % 10 << 4 | value % 10);
}

static uint32_t unpacked(const struct cmos *cmos, uint8_t value)
{
	return cmos->reg[CMOS_B] & CMOS_B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

#define PM 0x80u

static uint8_t packed_hour(const struct cmos *cmos, uint32_t hour)
{
	if (cmos->reg[CMOS_B] & CMOS_B_24H) {
		return packed(cmos, hour);
	}
	return (uint8_t)(packed(cmos, (hour + 11) % 12 + 1) | (hour >= 12 ? PM : 0));
}

static uint32_t unpacked_hour(const struct cmos *cmos, uint8_t value)
{
	if (cmos->reg[CMOS_B] & CMOS_B_24H) {
		return unpacked(cmos, value);
	}
	return unpacked(cmos, (uint8_t)(value & ~PM)) % 12 + (value & PM ? 12 : 0);
}

/* Of the registers that are dates. */
static uint8_t date_byte(const struct cmos *cmos, const struct date *date, uint8_t index)
{
	switch (index) {
	case CMOS_SECOND: return packed(cmos, date->second);
	case CMOS_MINUTE: return packed(cmos, date->minute);
	case CMOS_HOUR: return packed_hour(cmos, date->hour);
	case CMOS_WEEKDAY: return packed(cmos, date->weekday);
	case CMOS_DAY: return packed(cmos, date->day);
	case CMOS_MONTH: return packed(cmos, date->month);
	case CMOS_YEAR: return packed(cmos, date->year % 100);
	default: return packed(cmos, date->year / 100);
	}
}

static struct date date_get(const struct cmos *cmos)
{
	return (struct date){
		.second = unpacked(cmos, cmos->reg[CMOS_SECOND]),
		.minute = unpacked(cmos, cmos->reg[CMOS_MINUTE]),
		.hour = unpacked_hour(cmos, cmos->reg[CMOS_HOUR]),
		.day = unpacked(cmos, cmos->reg[CMOS_DAY]),
		.month = unpacked(cmos, cmos->reg[CMOS_MONTH]),
		.year = unpacked(cmos, cmos->reg[CMOS_CENTURY]) * 100 +
			unpacked(cmos, cmos->reg[CMOS_YEAR]),
	};
}

static bool is_date(uint8_t index)
{
	return index == CMOS_CENTURY ||
	       (index <= CMOS_YEAR && index != CMOS_SECOND_ALARM && index != CMOS_MINUTE_ALARM &&
		       index != CMOS_HOUR_ALARM);
}

/* ---- what happens by itself ---- */

static bool is_set(const struct cmos *cmos)
{
	return (cmos->reg[CMOS_B] & CMOS_B_SET) != 0;
}

static uint64_t time_at(const struct cmos *cmos, uint64_t now)
{
	return cmos->offset + now;
}

/* Bits of the 32768 Hz counter below the one whose carry is the periodic interrupt; 0: none is. */
static unsigned period_shift(const struct cmos *cmos)
{
	unsigned rate = cmos->reg[CMOS_A] & CMOS_A_RATE;

	return rate == 1 || rate == 2 ? rate + 6 : (rate ? rate - 1 : 0);
}

static uint64_t ticks_at(uint64_t now)
{
	return now / NS_PER_S * TICK_HZ + now % NS_PER_S * TICK_HZ / NS_PER_S;
}

/* The first instant at which there have been so many ticks. */
static uint64_t tick_time(uint64_t ticks)
{
	return ticks / TICK_HZ * NS_PER_S + (ticks % TICK_HZ * NS_PER_S + TICK_HZ - 1) / TICK_HZ;
}

/* Second of the minute from `from` on, 60: none. */
static uint32_t second_from(const struct cmos *cmos, uint32_t from)
{
	uint8_t alarm = cmos->reg[CMOS_SECOND_ALARM];
	uint32_t second = alarm >= ANY ? from : unpacked(cmos, alarm);

	return second >= from && second < 60 ? second : 60;
}

/* Second of the hour likewise, 3600: none. */
static uint32_t minute_from(const struct cmos *cmos, uint32_t from)
{
	uint8_t alarm = cmos->reg[CMOS_MINUTE_ALARM];

	for (uint32_t minute = from / 60; minute < 60; minute++) {
		uint32_t second = second_from(cmos, minute == from / 60 ? from % 60 : 0);

		if ((alarm >= ANY || unpacked(cmos, alarm) == minute) && second < 60) {
			return minute * 60 + second;
		}
	}
	return 3600;
}

/* The first second of an alarm after `s`; NEVER. The hours of two days, and in two the minutes. */
static uint64_t next_alarm(const struct cmos *cmos, uint64_t s)
{
	uint8_t alarm = cmos->reg[CMOS_HOUR_ALARM];
	uint64_t from = s + 1, hours = from / 3600;

	for (uint64_t hour = hours; hour <= hours + 24; hour++) {
		uint32_t second;

		if (alarm < ANY && unpacked_hour(cmos, alarm) != hour % 24) {
			continue;
		}
		second = minute_from(cmos, hour == hours ? (uint32_t)(from % 3600) : 0);
		if (second < 3600) {
			return hour * 3600 + second;
		}
		if (hour != hours) {
			break; /* the alarm is no time */
		}
	}
	return NEVER;
}

static void update_line(struct cmos *cmos)
{
	bool level = (cmos->reg[CMOS_B] & cmos->reg[CMOS_C] & CMOS_B_IRQS) != 0;

	if (level != cmos->level) {
		cmos->level = level;
		hv_irq_set(&cmos->irq, level);
	}
}

static uint8_t clock_events(const struct cmos *cmos, uint64_t from, uint64_t to)
{
	uint8_t flags = 0;

	if (to != from) {
		flags |= CMOS_B_UPDATE;
		flags |= next_alarm(cmos, from) <= to ? CMOS_B_ALARM : 0;
	}
	return flags;
}

static void catch_up(struct cmos *cmos, uint64_t now)
{
	unsigned shift = period_shift(cmos);

	if (shift && ticks_at(now) >> shift != ticks_at(cmos->seen) >> shift) {
		cmos->reg[CMOS_C] |= CMOS_B_PERIODIC;
	}
	if (!is_set(cmos)) {
		cmos->reg[CMOS_C] |= clock_events(
			cmos, time_at(cmos, cmos->seen) / NS_PER_S, time_at(cmos, now) / NS_PER_S);
	}
	cmos->seen = now;
}

/* ---- registers ---- */

static void stand(struct cmos *cmos, uint64_t now)
{
	struct date date = date_of(time_at(cmos, now) / NS_PER_S);

	for (uint8_t index = 0; index < CMOS_REGS; index++) {
		if (is_date(index)) {
			cmos->reg[index] = date_byte(cmos, &date, index);
		}
	}
}

/* The part of a second that has gone by stays. */
static void run(struct cmos *cmos, uint64_t now)
{
	struct date date = date_get(cmos);

	cmos->offset = seconds_of(&date) * NS_PER_S + time_at(cmos, now) % NS_PER_S - now;
}

static void date_write(struct cmos *cmos, uint8_t value, uint64_t now)
{
	if (is_set(cmos)) {
		cmos->reg[cmos->index] = value;
		return;
	}
	stand(cmos, now);
	cmos->reg[cmos->index] = value;
	run(cmos, now);
}

/* What was a time in the old format is the same time in the new one. */
static void b_write(struct cmos *cmos, uint8_t value, uint64_t now)
{
	bool was_set = is_set(cmos);

	if (was_set) {
		run(cmos, now);
	}
	cmos->reg[CMOS_B] = value;
	if (is_set(cmos)) {
		stand(cmos, now);
	}
}

static void reg_write(struct cmos *cmos, uint8_t value, uint64_t now)
{
	if (is_date(cmos->index)) {
		date_write(cmos, value, now);
		return;
	}
	switch (cmos->index) {
	case CMOS_A: cmos->reg[CMOS_A] = value & (CMOS_A_DIVIDER | CMOS_A_RATE); break;
	case CMOS_B: b_write(cmos, value, now); break;
	case CMOS_C:
	case CMOS_D: break;
	default: cmos->reg[cmos->index] = value; break;
	}
}

static uint8_t a_read(const struct cmos *cmos, uint64_t now)
{
	bool soon = time_at(cmos, now) % NS_PER_S >= NS_PER_S - UIP_NS;

	return (uint8_t)(cmos->reg[CMOS_A] | (soon && !is_set(cmos) ? CMOS_A_UIP : 0));
}

static uint8_t c_read(struct cmos *cmos)
{
	uint8_t flags = cmos->reg[CMOS_C];

	cmos->reg[CMOS_C] = 0;
	return (uint8_t)(flags | (flags & cmos->reg[CMOS_B] & CMOS_B_IRQS ? CMOS_C_IRQ : 0));
}

static uint8_t date_read(const struct cmos *cmos, uint64_t now)
{
	struct date date = date_of(time_at(cmos, now) / NS_PER_S);

	return date_byte(cmos, &date, cmos->index);
}

static uint8_t reg_read(struct cmos *cmos, uint64_t now)
{
	switch (cmos->index) {
	case CMOS_A: return a_read(cmos, now);
	case CMOS_C: return c_read(cmos);
	default:
		return is_date(cmos->index) && !is_set(cmos) ? date_read(cmos, now)
							     : cmos->reg[cmos->index];
	}
}

static void data_access(struct cmos *cmos, struct hv_access *access)
{
	catch_up(cmos, access->now);
	if (access->write) {
		reg_write(cmos, (uint8_t)access->data, access->now);
	} else {
		access->data = reg_read(cmos, access->now);
	}
	update_line(cmos);
}

/* Bytes only. */
static bool cmos_access(void *dev, struct hv_access *access)
{
	struct cmos *cmos = dev;

	if (access->off == 1 && access->size == 1) {
		data_access(cmos, access);
	} else if (!access->write) {
		access->data = HV_MASK(8u * access->size - 1, 0);
	} else if (access->off == 0) {
		cmos->index = access->data % CMOS_REGS;
	}
	return true;
}

/* ---- time ---- */

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of the clock's second `s`. */
static uint64_t now_of(const struct cmos *cmos, uint64_t s)
{
	return s > UINT64_MAX / NS_PER_S ? HV_NEVER_DUE : s * NS_PER_S - cmos->offset;
}

/* What is enabled, and has not happened yet. */
static uint64_t next_event(const struct cmos *cmos, uint64_t now)
{
	uint8_t wanted = cmos->reg[CMOS_B] & (uint8_t)~cmos->reg[CMOS_C];
	uint64_t second = time_at(cmos, now) / NS_PER_S, due = HV_NEVER_DUE;
	unsigned shift = period_shift(cmos);

	if ((wanted & CMOS_B_PERIODIC) && shift) {
		due = tick_time(((ticks_at(now) >> shift) + 1) << shift);
	}
	if ((wanted & CMOS_B_UPDATE) && !is_set(cmos)) {
		due = min_of(due, now_of(cmos, second + 1));
	}
	if ((wanted & CMOS_B_ALARM) && !is_set(cmos)) {
		due = min_of(due, now_of(cmos, next_alarm(cmos, second)));
	}
	return due;
}

static uint64_t cmos_expire(void *dev, uint64_t now)
{
	struct cmos *cmos = dev;

	catch_up(cmos, now);
	update_line(cmos);
	return next_event(cmos, now);
}

/* ---- its begin ---- */

static void put16(struct cmos *cmos, uint8_t index, uint64_t value)
{
	cmos->reg[index] = (uint8_t)value;
	cmos->reg[index + 1] = (uint8_t)(value >> 8);
}

static void sizes_put(struct cmos *cmos)
{
	uint64_t above_1m = cmos->ram_size > HV_MIB(1) ? cmos->ram_size - HV_MIB(1) : 0;
	uint64_t above_16m = cmos->ram_size > HV_MIB(16) ? cmos->ram_size - HV_MIB(16) : 0;
	uint64_t extended = min_of(above_1m, HV_MIB(63)) / HV_KIB(1);

	put16(cmos, CMOS_BASE_KIB, 640);
	put16(cmos, CMOS_EXTENDED_KIB, extended);
	put16(cmos, 0x30, extended);
	put16(cmos, CMOS_ABOVE_16M, min_of(above_16m / HV_KIB(64), UINT16_MAX));
}

/* The clock goes on as the board said, for a life begins as the first one did. */
static void cmos_reset(void *dev)
{
	struct cmos *cmos = dev;

	*cmos = (struct cmos){
		.irq = cmos->irq,
		.epoch = cmos->epoch,
		.ram_size = cmos->ram_size,
		.offset = cmos->epoch * NS_PER_S,
		.reg = {[CMOS_A] = 0x26, [CMOS_B] = B_POWER_ON, [CMOS_D] = CMOS_D_VALID},
	};
	sizes_put(cmos);
	hv_irq_set(&cmos->irq, false);
}

void cmos_init(struct cmos *cmos, uint64_t epoch, uint64_t ram_size, struct hv_irq irq)
{
	*cmos = (struct cmos){.irq = irq, .epoch = epoch, .ram_size = ram_size};
	cmos_reset(cmos);
}

const struct hv_dev_ops cmos_ops = {
	.name = "cmos",
	.access = cmos_access,
	.reset = cmos_reset,
	.expire = cmos_expire,
};
