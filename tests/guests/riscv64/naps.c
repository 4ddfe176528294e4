/* SPDX-License-Identifier: MIT */
/*
 * Thousands of naps of a few microseconds, each ended by the timer: somewhere among them the timer
 * is due while the hypervisor is between blocking the vCPU and waiting. A wake-up that is lost
 * there ends in a run that never ends (S4). By SBI, and by stimecmp where there is one.
 */
#include "guest.h"

#define NAPS  4000u
#define TICKS 500u /* 50 us */

static volatile unsigned woken;
static bool sstc;

static void set(uint64_t when)
{
	if (sstc) {
		CSR_SET(0x14d, when);
	} else {
		timer_set(when);
	}
}

static void take(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	(void)irq;
	set(UINT64_MAX);
	woken++;
}

static void nap(void)
{
	woken = 0;
	for (unsigned i = 0; i < NAPS; i++) {
		set(counter() + i % TICKS);
		sleep_until(&woken, i + 1);
	}
	check_eq("every nap ends", woken, NAPS);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = take;
	irq_enable(IRQ_TIMER);
	nap();
	if (isa_has("sstc")) {
		sstc = true;
		nap();
	}
}
