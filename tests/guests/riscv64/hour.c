/* SPDX-License-Identifier: MIT */
/* Sleeps for an hour: for runs in which nobody waits. */
#include "guest.h"

#define HOUR   3600u /* seconds */
#define SECOND 1000000000u

static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	(void)irq;
	timer_set(UINT64_MAX);
	fired++;
}

static uint64_t time_of_day(void)
{
	uint32_t low = read32(GUEST_RTC); /* latches the high half */

	return (uint64_t)read32(GUEST_RTC + 4) << 32 | low;
}

void guest_main(uint64_t dtb)
{
	uint64_t before = time_of_day(), passed;

	(void)dtb;
	on_irq = take;
	irq_enable(IRQ_TIMER);
	timer_set(counter() + (uint64_t)HOUR * TIMEBASE);
	sleep_until(&fired, 1);
	passed = (time_of_day() - before) / SECOND;
	check("the clock of the day went on", passed >= HOUR && passed <= HOUR + 1);
}
