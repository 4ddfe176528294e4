/* SPDX-License-Identifier: MIT */
/*
 * The timer as arithmetic on `now`, so no look is too late. Every access first lets happen what was
 * due before it. One shot and periodic count nanoseconds; a TSC deadline becomes a due time when it
 * is written.
 */
#include "lapic_int.h"

#include <hv/port.h>

#define NS_PER_S 1000000000u

static enum lapic_timer_mode timer_mode(const struct lapic *lapic)
{
	return (enum lapic_timer_mode)(LAPIC_GET(lapic->lvt[LAPIC_TIMER]) >> LAPIC_TIMER_SHIFT & 3);
}

static bool counts(enum lapic_timer_mode mode)
{
	return mode == LAPIC_ONE_SHOT || mode == LAPIC_PERIODIC;
}

/* The count goes down every 1 << shift ns (SDM3 figure 10-10). */
static uint32_t shift_of(const struct lapic_timer *timer)
{
	return (uint32_t)((timer->divide >> 1 & 4) + (timer->divide & 3) + 1) & 7;
}

static uint64_t later(uint64_t now, uint64_t delay)
{
	uint64_t due;

	return hv_add_ok(now, delay, &due) ? due : HV_NEVER_DUE;
}

/* No storm, whatever the guest asks for (A2). */
static uint64_t period_of(const struct lapic_timer *timer)
{
	uint64_t period = (uint64_t)timer->initial << shift_of(timer);

	return period < LAPIC_PERIOD_MIN ? LAPIC_PERIOD_MIN : period;
}

static void stop(struct lapic_timer *timer)
{
	timer->due = HV_NEVER_DUE;
	timer->deadline = 0;
	timer->count = 0;
}

/* Counts down from `count`, of which `now` is the beginning. */
static void count_from(struct lapic *lapic, uint32_t count, uint64_t now)
{
	struct lapic_timer *timer = &lapic->timer;
	uint64_t delay = (uint64_t)count << shift_of(timer);
	bool whole = timer_mode(lapic) == LAPIC_PERIODIC && count == timer->initial;

	timer->count = count;
	timer->since = now;
	timer->due = later(now, whole ? period_of(timer) : delay);
}

/* One that does not count has a count of 0. */
static uint32_t current_at(const struct lapic *lapic, uint64_t now)
{
	const struct lapic_timer *timer = &lapic->timer;
	uint64_t elapsed = now - timer->since;
	uint32_t count = timer->count;

	if (now >= timer->due && timer_mode(lapic) == LAPIC_PERIODIC) {
		count = timer->initial;
		elapsed = (now - timer->due) % period_of(timer);
	}
	elapsed >>= shift_of(timer);
	return elapsed < count ? count - (uint32_t)elapsed : 0;
}

uint32_t lapic_timer_current(const struct lapic *lapic)
{
	return current_at(lapic, port_now());
}

/* Periods that nobody looked at in time are one interrupt. */
static void advance(struct lapic *lapic, uint64_t now)
{
	struct lapic_timer *timer = &lapic->timer;

	if (timer_mode(lapic) == LAPIC_PERIODIC) {
		uint64_t into = (now - timer->due) % period_of(timer);

		count_from(lapic, timer->initial, now - into);
	} else {
		stop(timer);
	}
}

static void catch_up(struct lapic *lapic, uint64_t now)
{
	uint32_t lvt = LAPIC_GET(lapic->lvt[LAPIC_TIMER]);

	if (now < lapic->timer.due || lapic->timer.due == HV_NEVER_DUE) {
		return;
	}
	advance(lapic, now);
	if (!(lvt & LAPIC_MASKED)) {
		lapic_raise(lapic, (uint8_t)(lvt & LAPIC_VECTOR), false);
	}
}

static void rearm(struct lapic *lapic)
{
	lapic->lapics->cfg.ops->rearm(lapic->ctx);
}

void lapic_timer_initial_set(struct lapic *lapic, uint32_t initial)
{
	uint64_t now = port_now();

	if (!counts(timer_mode(lapic))) {
		return; /* SDM3 10.5.4.1 */
	}
	catch_up(lapic, now);
	lapic->timer.initial = initial;
	if (initial == 0) {
		stop(&lapic->timer);
	} else {
		count_from(lapic, initial, now);
	}
	rearm(lapic);
}

/* What is left of the count goes on at the new rate. */
void lapic_timer_divide_set(struct lapic *lapic, uint32_t divide)
{
	struct lapic_timer *timer = &lapic->timer;
	uint64_t now = port_now();
	uint32_t left;

	catch_up(lapic, now);
	left = current_at(lapic, now);
	timer->divide = divide & 0xb;
	if (timer->due != HV_NEVER_DUE && timer->deadline == 0) {
		count_from(lapic, left, now);
		rearm(lapic);
	}
}

/* One shot and periodic may change places while it counts; a deadline does not survive (10.5.4.1).
 */
void lapic_timer_lvt_set(struct lapic *lapic, uint32_t lvt)
{
	enum lapic_timer_mode from = timer_mode(lapic);

	catch_up(lapic, port_now());
	LAPIC_SET(lapic->lvt[LAPIC_TIMER], lvt);
	if (timer_mode(lapic) != from && !(counts(from) && counts(timer_mode(lapic)))) {
		lapic->timer.initial = 0;
		stop(&lapic->timer);
	}
	rearm(lapic);
}

/* ---- TSC deadline ---- */

/* Rounded up: when it fires the guest's TSC is not below the deadline. */
static uint64_t ns_of_tsc(uint64_t ticks, uint64_t hz)
{
	uint64_t seconds = ticks / hz, rest = ticks % hz, ns;

	/* rest * NS_PER_S < hz * NS_PER_S < 2^64 by LAPIC_TSC_HZ_MAX */
	if (__builtin_mul_overflow(seconds, (uint64_t)NS_PER_S, &ns)) {
		return UINT64_MAX;
	}
	return later(ns, (rest * NS_PER_S + hz - 1) / hz);
}

uint64_t lapic_deadline_read(const struct lapic *lapic)
{
	return port_now() < lapic->timer.due ? lapic->timer.deadline : 0;
}

void lapic_deadline_write(struct lapic *lapic, uint64_t deadline, uint64_t tsc)
{
	struct lapic_timer *timer = &lapic->timer;
	uint64_t now = port_now(), left = deadline > tsc ? deadline - tsc : 0;

	if (timer_mode(lapic) != LAPIC_DEADLINE) {
		return;
	}
	catch_up(lapic, now);
	stop(timer);
	if (deadline != 0) {
		timer->deadline = deadline;
		timer->due = later(now, ns_of_tsc(left, lapic->lapics->cfg.tsc_hz));
	}
	catch_up(lapic, now);
	rearm(lapic);
}

/* ---- life ---- */

/* While it is masked nobody has to wait for it. */
uint64_t lapic_timer_expire(struct lapic *lapic, uint64_t now)
{
	catch_up(lapic, now);
	return LAPIC_GET(lapic->lvt[LAPIC_TIMER]) & LAPIC_MASKED ? HV_NEVER_DUE : lapic->timer.due;
}

void lapic_timer_reset(struct lapic *lapic)
{
	lapic->timer = (struct lapic_timer){.due = HV_NEVER_DUE};
}
