/* SPDX-License-Identifier: MIT */
/*
 * S4: an event in each window around HLT: the timer's deadline swept in steps of 100 ns from long
 * before the instruction to long behind it, by STI and HLT, and where it may come anywhere; by a
 * count and by a deadline; and an interrupt that is pending already. A lost one is a run without an
 * end.
 */
#include "guest.h"

#define SWEEP  400u /* 100 ns each: 40 us */
#define ROUNDS 4u   /* at each of them */

static volatile unsigned woken;
static bool by_deadline;

static void arm(uint64_t steps)
{
	if (by_deadline) {
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_hz() / 10000000u * steps);
	} else {
		lapic_write(LAPIC_TIMER_INIT, (uint32_t)steps * 100 + 1);
	}
}

static void wake(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	woken++;
}

static void masked(const char *name)
{
	unsigned before = woken, rounds = 0;

	irq_mask();
	for (uint64_t i = 0; i < SWEEP * ROUNDS; i++, rounds++) {
		arm(i / ROUNDS);
		while (woken == before + rounds) {
			wait_for_interrupt();
		}
	}
	check_eq(name, woken - before, rounds);
}

/* Masked only from the look to the HLT: it may be taken before, and then there is no HLT. */
static void unmasked(const char *name)
{
	unsigned before = woken, rounds = 0;

	irq_unmask();
	for (uint64_t i = 0; i < SWEEP * ROUNDS; i++, rounds++) {
		arm(i / ROUNDS);
		while (woken == before + rounds) {
			irq_mask();
			if (woken == before + rounds) {
				__asm__ volatile("sti\n\thlt" ::: "memory");
			}
			irq_unmask();
		}
	}
	irq_mask();
	check_eq(name, woken - before, rounds);
}

static void pending_already(void)
{
	unsigned before = woken;

	for (unsigned i = 0; i < 1000; i++) {
		lapic_send(ICR_SELF | 0x60, 0);
		wait_for_interrupt();
		while (woken == before + i) {
		}
	}
	check_eq("pending before the HLT", woken - before, 1000);
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = wake;
	(void)tsc_hz();
	lapic_timer(VECTOR_TIMER, 0);
	masked("by a count, masked");
	unmasked("by a count, taken anywhere");
	if (cpuid(1, 0).ecx >> 24 & 1) {
		by_deadline = true;
		lapic_timer(LVT_DEADLINE | VECTOR_TIMER, 0);
		masked("by a deadline, masked");
		unmasked("by a deadline, taken anywhere");
	}
	pending_already();
}
