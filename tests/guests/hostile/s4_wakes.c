/* SPDX-License-Identifier: MIT */
/*
 * S4: an event in each window around WFI: the deadline of either timer swept in steps of a counter
 * tick from long before the instruction to long behind it, with interrupts masked and not, by WFI
 * and by CPU_SUSPEND; and an interrupt that is pending already. A lost one is a run without an end.
 */
#include "guest.h"

#define VTIMER  27u
#define PTIMER  30u
#define SGI     4u
#define SWEEP   2000u /* ticks of 16 ns: 32 us */
#define STRIDE  1u
#define SUSPEND 0xc4000001u

static volatile unsigned woken;

static void wake(struct guest_frame *frame)
{
	unsigned raw = gic_ack(), intid = raw & 0x3ff;

	(void)frame;
	if (intid == VTIMER) {
		SYSREG_SET(cntv_ctl_el0, 0);
	} else if (intid == PTIMER) {
		SYSREG_SET(cntp_ctl_el0, 0);
	}
	if (intid != GIC_SPURIOUS) {
		woken++;
		gic_eoi(raw);
	}
}

static void arm(unsigned intid, uint64_t ticks)
{
	if (intid == VTIMER) {
		SYSREG_SET(cntv_cval_el0, counter() + ticks);
		SYSREG_SET(cntv_ctl_el0, 1);
	} else {
		__asm__ volatile("isb" ::: "memory");
		SYSREG_SET(cntp_cval_el0, SYSREG_GET(cntpct_el0) + ticks);
		SYSREG_SET(cntp_ctl_el0, 1);
	}
}

static void wait(bool suspend)
{
	if (suspend) {
		call_hvc(SUSPEND, 0, 0, 0);
	} else {
		wait_for_interrupt();
	}
}

/* Masked while it waits: woken by what it does not take. */
static void masked(const char *name, unsigned intid, bool suspend)
{
	unsigned before = woken, rounds = 0;

	for (uint64_t ticks = 0; ticks < SWEEP; ticks += STRIDE, rounds++) {
		irq_mask();
		arm(intid, ticks);
		wait(suspend);
		irq_unmask();
		while (woken == before + rounds) {
		}
	}
	check_eq(name, woken - before, rounds);
}

/* Masked only from the look to the WFI: it may be taken before, and then there is no WFI. */
static void unmasked(const char *name, unsigned intid)
{
	unsigned before = woken, rounds = 0;

	irq_unmask();
	for (uint64_t ticks = 0; ticks < SWEEP; ticks += STRIDE, rounds++) {
		arm(intid, ticks);
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
		gic_sgi_to_self(SGI);
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
	gic_init();
	gic_enable(VTIMER, 0x80);
	gic_enable(PTIMER, 0x80);
	gic_enable(SGI, 0x80);
	masked("virtual timer, masked", VTIMER, false);
	masked("virtual timer, masked, CPU_SUSPEND", VTIMER, true);
	masked("physical timer, masked", PTIMER, false);
	unmasked("virtual timer, taken anywhere", VTIMER);
	unmasked("physical timer, taken anywhere", PTIMER);
	pending_already();
}
