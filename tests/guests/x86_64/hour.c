/* SPDX-License-Identifier: MIT */
/* Sleeps for an hour: for runs in which nobody waits. */
#include "guest.h"

#define HOUR       3600u         /* seconds */
#define NAP        450000000000u /* ns, of which the timer can count 2^32 times 128 at once */
#define NAPS       8u
#define CMOS_UIP   0x80u
#define DAY_OF_24H (24u * 3600)

static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	fired++;
}

static unsigned digits(uint8_t index)
{
	uint8_t value = cmos_read(index);

	return (value >> 4) * 10u + (value & 15);
}

static unsigned time_of_day(void)
{
	while (cmos_read(0x0a) & CMOS_UIP) {
	}
	return digits(4) * 3600 + digits(2) * 60 + digits(0);
}

void guest_main(uint64_t start_info)
{
	unsigned before = time_of_day(), passed;

	(void)start_info;
	on_irq = take;
	for (unsigned i = 0; i < NAPS; i++) {
		lapic_timer(VECTOR_TIMER, NAP);
		sleep_until(&fired, i + 1);
	}
	passed = (time_of_day() + DAY_OF_24H - before) % DAY_OF_24H;
	check("the clock of the day went on", passed >= HOUR && passed <= HOUR + 1);
}
