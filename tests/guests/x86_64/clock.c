/* SPDX-License-Identifier: MIT */
/* Waits 50 ms by HLT, and says what its clocks show: in a deterministic run, always the same. */
#include "guest.h"

#define WAIT       50000000u /* ns */
#define WAIT_TICKS ((uint64_t)PM_TMR_HZ * WAIT / 1000000000u)

static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	fired++;
}

void guest_main(uint64_t start_info)
{
	uint32_t start = pm_timer(), passed;

	(void)start_info;
	on_irq = take;
	lapic_timer(VECTOR_TIMER, WAIT);
	sleep_until(&fired, 1);
	passed = (pm_timer() - start) % PM_TMR_TICKS;
	check("waited as long as it should", passed >= WAIT_TICKS);
	print("TSC ");
	print_hex(rdtsc());
	print(" ticks ");
	print_hex(pm_timer());
	print(" second ");
	print_hex(cmos_read(0));
	print("\n");
}
