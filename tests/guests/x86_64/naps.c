/* SPDX-License-Identifier: MIT */
/*
 * Thousands of naps of a few microseconds, each ended by the timer: somewhere among them the timer
 * is due while the hypervisor is between blocking the vCPU and waiting. A wake-up that is lost
 * there ends in a run that never ends (S4). By a count, and by a deadline where there are some.
 */
#include "guest.h"

#define NAPS    4000u
#define LONGEST 50000u /* ns */

static volatile unsigned woken;
static bool by_deadline;

static void set(uint64_t ns)
{
	if (by_deadline) {
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_hz() / 1000000u * ns / 1000u);
	} else {
		lapic_write(LAPIC_TIMER_INIT, (uint32_t)ns);
	}
}

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	woken++;
}

static void nap(void)
{
	woken = 0;
	for (unsigned i = 0; i < NAPS; i++) {
		set(1 + i * 100 % LONGEST);
		sleep_until(&woken, i + 1);
	}
	check_eq("every nap ends", woken, NAPS);
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take;
	(void)tsc_hz();
	lapic_timer(VECTOR_TIMER, 0);
	nap();
	if (cpuid(1, 0).ecx >> 24 & 1) {
		by_deadline = true;
		lapic_write(LAPIC_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
		nap();
	}
}
