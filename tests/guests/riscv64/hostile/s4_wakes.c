/* SPDX-License-Identifier: MIT */
/*
 * S4: an event in each window around WFI: the timer's deadline swept in steps of a tick from long
 * before the instruction to long behind it, with interrupts masked and not, by WFI and by SBI's
 * suspend, with the timer by SBI and by stimecmp; and an interrupt that is pending already. A lost
 * one is a run without an end.
 */
#include "guest.h"

#define SWEEP  400u /* ticks of 100 ns: 40 us */
#define ROUNDS 4u   /* at each of them */

static volatile unsigned woken;
static bool by_stimecmp;

static void arm(uint64_t when)
{
	if (by_stimecmp) {
		CSR_SET(0x14d, when);
	} else {
		timer_set(when);
	}
}

static void wake(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	if (irq == IRQ_TIMER) {
		arm(UINT64_MAX);
	} else {
		CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	}
	woken++;
}

static void wait(bool suspend)
{
	if (suspend) {
		SBI(SBI_HSM, 3, 0, 0, 0);
	} else {
		wait_for_interrupt();
	}
}

/* Masked while it waits: woken by what it does not take. */
static void masked(const char *name, bool suspend)
{
	unsigned before = woken, rounds = 0;

	for (uint64_t i = 0; i < SWEEP * ROUNDS; i++, rounds++) {
		irq_mask();
		arm(counter() + i / ROUNDS);
		wait(suspend);
		irq_unmask();
		while (woken == before + rounds) {
		}
	}
	check_eq(name, woken - before, rounds);
}

/* Masked only from the look to the WFI: it may be taken before, and then there is no WFI. */
static void unmasked(const char *name)
{
	unsigned before = woken, rounds = 0;

	irq_unmask();
	for (uint64_t i = 0; i < SWEEP * ROUNDS; i++, rounds++) {
		arm(counter() + i / ROUNDS);
		while (woken == before + rounds) {
			irq_mask();
			if (woken == before + rounds) {
				wait(false);
			}
			irq_unmask();
		}
	}
	check_eq(name, woken - before, rounds);
}

static void pending_already(void)
{
	unsigned before = woken;

	for (unsigned i = 0; i < 1000; i++) {
		irq_mask();
		SBI(SBI_IPI, 0, 1, boot_hart);
		wait(i % 2);
		wait(i % 2); /* it is still pending: this one ends, too */
		irq_unmask();
		while (woken == before + i) {
		}
	}
	check_eq("pending before the WFI", woken - before, 1000);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = wake;
	irq_enable(IRQ_TIMER);
	irq_enable(IRQ_SOFT);
	masked("by SBI, masked", false);
	masked("by SBI, masked, suspended", true);
	unmasked("by SBI, taken anywhere");
	if (isa_has("sstc")) {
		by_stimecmp = true;
		masked("stimecmp, masked", false);
		masked("stimecmp, masked, suspended", true);
		unmasked("stimecmp, taken anywhere");
	}
	pending_already();
}
