/* SPDX-License-Identifier: MIT */
/* Waits 50 ms by WFI, and says what its clocks show: in a deterministic run, always the same. */
#include "guest.h"

#define WAIT 50000u /* microseconds */

static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	(void)irq;
	timer_set(UINT64_MAX);
	fired++;
}

void guest_main(uint64_t dtb)
{
	uint64_t start = counter(), passed;
	uint32_t low;

	(void)dtb;
	on_irq = take;
	irq_enable(IRQ_TIMER);
	timer_set(start + counter_of_us(WAIT));
	sleep_until(&fired, 1);
	passed = counter() - start;
	check("waited as long as it should", passed >= counter_of_us(WAIT));
	print("counter ");
	print_hex(counter());
	low = read32(GUEST_RTC); /* latches the high half */
	print(" nanoseconds ");
	print_hex((uint64_t)read32(GUEST_RTC + 4) << 32 | low);
	print("\n");
}
