/* SPDX-License-Identifier: MIT */
/*
 * Nothing ticks: what a counter holds and shows follows from the tick that it began at. What only
 * time changes, a reload with a new count, settle() does before each look.
 */
#include <dev/pit8254/pit8254.h>
#include <hv/bits.h>

/* PIT8254_HZ / 10^9 in lowest terms. */
#define TICKS 596591u
#define PER   500000000u

#define NEVER UINT64_MAX

#define CONTROL_PORT    3u
#define CONTROL_BITS    0x3fu
#define CONTROL_BCD     0x01u
#define ACCESS_LOW      1u
#define ACCESS_HIGH     2u
#define ACCESS_BOTH     3u
#define READ_BACK       3u /* in place of a counter's number */
#define KEEPS_COUNT     0x20u
#define KEEPS_STATUS    0x10u
#define STATUS_OUT      0x80u
#define STATUS_NO_COUNT 0x40u

#define GATE_GATE       0x01u
#define GATE_SPEAKER    0x02u
#define GATE_REFRESH    0x10u
#define GATE_OUT        0x20u
#define SPEAKER_COUNTER 2u
#define REFRESH_NS      15085u

/* ---- time ---- */

/* Exact, and no product leaves 64 bits. */
static uint64_t tick_of(uint64_t now)
{
	return now / PER * TICKS + now % PER * TICKS / PER;
}

/* The first nanosecond of a tick. */
static uint64_t ns_of(uint64_t tick)
{
	uint64_t whole, ns;

	if (__builtin_mul_overflow(tick / TICKS, (uint64_t)PER, &whole) ||
		!hv_add_ok(whole, (tick % TICKS * PER + TICKS - 1) / TICKS, &ns)) {
		return HV_NEVER_DUE;
	}
	return ns;
}

/* ---- one counter ---- */

enum mode { ON_ZERO, ONE_SHOT, RATE, SQUARE, STROBE, GATE_STROBE };

/* 6 and 7 are 2 and 3 (A6). */
static enum mode mode_of(const struct pit8254_counter *counter)
{
	unsigned mode = counter->control >> 1 & 7;

	return (enum mode)(mode > GATE_STROBE ? mode - 4 : mode);
}

static bool is_periodic(const struct pit8254_counter *counter)
{
	return mode_of(counter) == RATE || mode_of(counter) == SQUARE;
}

/* Whether its gate begins a count rather than lets it go on. */
static bool is_triggered(const struct pit8254_counter *counter)
{
	return mode_of(counter) == ONE_SHOT || mode_of(counter) == GATE_STROBE;
}

static uint8_t access_of(const struct pit8254_counter *counter)
{
	return counter->control >> 4 & 3;
}

/* How many values it has, and what a written 0 means. */
static uint32_t modulus(const struct pit8254_counter *counter)
{
	return counter->control & CONTROL_BCD ? 10000 : 65536;
}

static uint64_t elapsed(const struct pit8254_counter *counter, uint64_t tick)
{
	return counter->state == PIT8254_COUNTS ? tick - counter->at : counter->at;
}

/* A count that was written during a period takes over at its end. */
static void settle(struct pit8254_counter *counter, uint64_t tick)
{
	if (counter->next != 0 && counter->state == PIT8254_COUNTS && is_periodic(counter) &&
		tick - counter->at >= counter->count) {
		counter->at += counter->count;
		counter->count = counter->next;
		counter->next = 0;
	}
}

static bool square_out(uint32_t count, uint64_t into)
{
	return into < (count + 1) / 2;
}

static bool out(const struct pit8254_counter *counter, uint64_t tick)
{
	uint64_t gone = elapsed(counter, tick);
	enum mode mode = mode_of(counter);

	if (counter->state == PIT8254_IDLE) {
		return mode != ON_ZERO;
	}
	switch (mode) {
	case ON_ZERO:
	case ONE_SHOT: return gone >= counter->count;
	case RATE:
		return counter->state == PIT8254_HELD ||
		       gone % counter->count != counter->count - 1;
	case SQUARE:
		return counter->state == PIT8254_HELD ||
		       square_out(counter->count, gone % counter->count);
	default: return gone != counter->count;
	}
}

/* The first tick after `tick` at which OUT rises, if nothing is written until then. */
static uint64_t rises_after(const struct pit8254_counter *counter, uint64_t tick)
{
	uint64_t gone = tick - counter->at, at;

	if (counter->state != PIT8254_COUNTS) {
		return NEVER;
	}
	if (is_periodic(counter)) {
		return counter->at + (gone / counter->count + 1) * counter->count;
	}
	at = counter->at + counter->count + (mode_of(counter) >= STROBE);
	return at > tick ? at : NEVER;
}

/* In square waves the count goes down by two, twice in a period. */
static uint32_t square_value(uint32_t count, uint64_t into)
{
	uint32_t half = (count + 1) / 2;
	uint32_t step = (uint32_t)into < half ? (uint32_t)into : (uint32_t)into - half;

	return (count & ~1u) - 2 * step;
}

static uint32_t value_of(const struct pit8254_counter *counter, uint64_t tick)
{
	uint64_t gone = elapsed(counter, tick);
	uint32_t range = modulus(counter);

	switch (mode_of(counter)) {
	case RATE: return counter->count - (uint32_t)(gone % counter->count);
	case SQUARE: return square_value(counter->count, gone % counter->count);
	default: return (counter->count + range - (uint32_t)(gone % range)) % range;
	}
}

static uint16_t to_bcd(uint32_t value)
{
	return (uint16_t)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 |
			  value / 1000 % 10 << 12);
}

/* Digits above 9 count as what they are. */
static uint32_t from_bcd(uint16_t value)
{
	return (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u +
	       (value & 15);
}

/* What its port would read. */
static uint16_t shown(const struct pit8254_counter *counter, uint64_t tick)
{
	uint32_t value = counter->count == 0 ? 0 : value_of(counter, tick);

	return counter->control & CONTROL_BCD ? to_bcd(value) : (uint16_t)value;
}

/* ---- what is done to it ---- */

static void begin(struct pit8254_counter *counter, uint64_t tick)
{
	counter->state = PIT8254_COUNTS;
	counter->at = tick;
	if (counter->next != 0) {
		counter->count = counter->next;
		counter->next = 0;
	}
}

static void hold(struct pit8254_counter *counter, uint64_t tick)
{
	if (counter->state == PIT8254_COUNTS) {
		counter->at = elapsed(counter, tick);
		counter->state = PIT8254_HELD;
	}
}

/* Periods before the one that runs are no longer needed. */
static void period_trim(struct pit8254_counter *counter, uint64_t tick)
{
	counter->at += (tick - counter->at) / counter->count * counter->count;
}

static void count_write(struct pit8254_counter *counter, uint16_t raw, uint64_t tick)
{
	uint32_t count = counter->control & CONTROL_BCD ? from_bcd(raw) : raw;

	count = count == 0 ? modulus(counter) : count;
	if (is_triggered(counter) || (is_periodic(counter) && counter->state != PIT8254_IDLE)) {
		counter->next = count;
		if (counter->state == PIT8254_COUNTS && is_periodic(counter)) {
			period_trim(counter, tick);
		}
		return;
	}
	counter->next = count;
	begin(counter, tick);
	if (!counter->gate) {
		hold(counter, tick);
	}
}

static void byte_write(struct pit8254_counter *counter, uint8_t value, uint64_t tick)
{
	switch (access_of(counter)) {
	case ACCESS_LOW: count_write(counter, value, tick); break;
	case ACCESS_HIGH: count_write(counter, (uint16_t)(value << 8), tick); break;
	default:
		counter->writes_high = !counter->writes_high;
		if (counter->writes_high) {
			counter->low = value;
		} else {
			count_write(counter, (uint16_t)(value << 8 | counter->low), tick);
		}
		break;
	}
}

static uint8_t byte_read(struct pit8254_counter *counter, uint64_t tick)
{
	uint16_t value = counter->latched ? counter->latch : shown(counter, tick);
	uint8_t access = access_of(counter);
	bool high = access == ACCESS_HIGH || counter->reads_high;

	if (counter->status_latched) {
		counter->status_latched = false;
		return counter->status;
	}
	counter->reads_high = access == ACCESS_BOTH && !counter->reads_high;
	if (!counter->reads_high) {
		counter->latched = false;
	}
	return (uint8_t)(high ? value >> 8 : value);
}

/* What is latched stays so until it is read. */
static void count_latch(struct pit8254_counter *counter, uint64_t tick)
{
	if (!counter->latched) {
		counter->latch = shown(counter, tick);
		counter->latched = true;
	}
}

static void status_latch(struct pit8254_counter *counter, uint64_t tick)
{
	if (!counter->status_latched) {
		counter->status =
			(uint8_t)(counter->control | (out(counter, tick) ? STATUS_OUT : 0) |
				  (counter->next != 0 || counter->count == 0 ? STATUS_NO_COUNT
									     : 0));
		counter->status_latched = true;
	}
}

static void mode_write(struct pit8254_counter *counter, uint8_t control)
{
	*counter = (struct pit8254_counter){
		.control = control & CONTROL_BITS,
		.gate = counter->gate,
	};
}

static void gate_set(struct pit8254_counter *counter, bool gate, uint64_t tick)
{
	bool was = counter->gate;

	counter->gate = gate;
	if (gate == was) {
		return;
	}
	if (is_triggered(counter)) {
		if (gate && (counter->count != 0 || counter->next != 0)) {
			begin(counter, tick);
		}
	} else if (!gate) {
		hold(counter, tick);
	} else if (counter->state == PIT8254_HELD) {
		uint64_t gone = is_periodic(counter) ? 0 : counter->at;

		begin(counter, tick - gone);
	}
}

/* ---- counter 0's output ---- */

static void irq_set(struct pit8254 *pit, bool level)
{
	if (level != pit->level) {
		pit->level = level;
		hv_irq_set(&pit->irq, level);
	}
}

/* Edges that come too fast, or were not looked at in time, are one. */
static uint64_t pit8254_expire(void *dev, uint64_t now)
{
	struct pit8254 *pit = dev;
	struct pit8254_counter *counter = &pit->counter[0];
	uint64_t tick = tick_of(now), due, bound;

	settle(counter, tick);
	if (now >= pit->due) {
		irq_set(pit, false);
		irq_set(pit, true);
		pit->rose = now;
	}
	irq_set(pit, out(counter, tick));
	due = ns_of(rises_after(counter, tick));
	if (hv_add_ok(pit->rose, PIT8254_PERIOD_MIN, &bound) && due < bound) {
		due = bound;
	}
	pit->due = due;
	return due;
}

/* ---- ports: bytes only; the rest is RAZ/WI ---- */

static void settle_all(struct pit8254 *pit, uint64_t tick)
{
	for (unsigned i = 0; i < PIT8254_COUNTERS; i++) {
		settle(&pit->counter[i], tick);
	}
}

static void read_back(struct pit8254 *pit, uint8_t value, uint64_t tick)
{
	for (unsigned i = 0; i < PIT8254_COUNTERS; i++) {
		if (!hv_bit(value, i + 1)) {
			continue;
		}
		if (!(value & KEEPS_COUNT)) {
			count_latch(&pit->counter[i], tick);
		}
		if (!(value & KEEPS_STATUS)) {
			status_latch(&pit->counter[i], tick);
		}
	}
}

static void control_write(struct pit8254 *pit, uint8_t value, uint64_t tick)
{
	unsigned which = value >> 6;

	if (which == READ_BACK) {
		read_back(pit, value, tick);
	} else if ((value >> 4 & 3) == 0) {
		count_latch(&pit->counter[which], tick);
	} else {
		mode_write(&pit->counter[which], value);
	}
}

static uint8_t port_read(struct pit8254 *pit, uint64_t off, uint64_t tick)
{
	if (off >= PIT8254_COUNTERS) {
		return 0;
	}
	settle(&pit->counter[off], tick);
	return byte_read(&pit->counter[off], tick);
}

static void port_write(struct pit8254 *pit, uint64_t off, uint8_t value, uint64_t tick)
{
	settle_all(pit, tick);
	if (off < PIT8254_COUNTERS) {
		byte_write(&pit->counter[off], value, tick);
	} else {
		control_write(pit, value, tick);
	}
}

static bool pit8254_access(void *dev, struct hv_access *access)
{
	struct pit8254 *pit = dev;
	bool valid = access->size == 1;
	uint64_t tick = tick_of(access->now);

	if (!access->write) {
		access->data = valid ? port_read(pit, access->off, tick) : 0;
	} else if (valid) {
		port_write(pit, access->off, (uint8_t)access->data, tick);
	}
	return true;
}

/* ---- port 0x61 ---- */

static uint8_t gate_read(const struct pit8254 *pit, uint64_t now)
{
	const struct pit8254_counter *counter = &pit->counter[SPEAKER_COUNTER];

	return (uint8_t)((counter->gate ? GATE_GATE : 0) | (pit->speaker ? GATE_SPEAKER : 0) |
			 (now / REFRESH_NS & 1 ? GATE_REFRESH : 0) |
			 (out(counter, tick_of(now)) ? GATE_OUT : 0));
}

static void gate_write(struct pit8254 *pit, uint8_t value, uint64_t now)
{
	pit->speaker = value & GATE_SPEAKER;
	gate_set(&pit->counter[SPEAKER_COUNTER], value & GATE_GATE, tick_of(now));
}

static bool gate_access(void *dev, struct hv_access *access)
{
	struct pit8254 *pit = dev;
	bool valid = access->size == 1;

	settle(&pit->counter[SPEAKER_COUNTER], tick_of(access->now));
	if (!access->write) {
		access->data = valid ? gate_read(pit, access->now) : 0;
	} else if (valid) {
		gate_write(pit, (uint8_t)access->data, access->now);
	}
	return true;
}

/* It is there so that the bus tells the time. */
static uint64_t gate_expire(void *dev, uint64_t now)
{
	(void)dev;
	(void)now;
	return HV_NEVER_DUE;
}

/* ---- life ---- */

static void pit8254_reset(void *dev)
{
	struct pit8254 *pit = dev;

	*pit = (struct pit8254){.irq = pit->irq, .due = HV_NEVER_DUE};
	for (unsigned i = 0; i < PIT8254_COUNTERS; i++) {
		pit->counter[i].control = ACCESS_LOW << 4;
		pit->counter[i].gate = i != SPEAKER_COUNTER;
	}
	hv_irq_set(&pit->irq, false);
}

void pit8254_init(struct pit8254 *pit, struct hv_irq irq)
{
	*pit = (struct pit8254){.irq = irq};
	pit8254_reset(pit);
}

const struct hv_dev_ops pit8254_ops = {
	.name = "pit8254",
	.access = pit8254_access,
	.reset = pit8254_reset,
	.expire = pit8254_expire,
};
const struct hv_dev_ops pit8254_gate_ops = {
	.name = "pit8254 gate",
	.access = gate_access,
	.reset = pit8254_reset,
	.expire = gate_expire,
};
