/* SPDX-License-Identifier: MIT */
/* The generic timers, by their registers and by their interrupts, and WFI. */
#include "guest.h"

#define VTIMER  27u
#define PTIMER  30u
#define ENABLE  1u
#define IMASK   2u
#define ISTATUS 4u
#define FAR     1000000u /* microseconds that never pass here */
#define SOON    2000u

static volatile unsigned fired;
static volatile unsigned last_intid;

static void timer_irq(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		return;
	}
	last_intid = intid;
	if (intid == VTIMER) {
		SYSREG_SET(cntv_ctl_el0, 0);
	} else if (intid == PTIMER) {
		SYSREG_SET(cntp_ctl_el0, 0);
	}
	gic_eoi(intid);
	fired++;
}

static void counters(void)
{
	uint64_t a = counter(), b = counter(), c = SYSREG_GET(cntpct_el0), d;

	check("virtual counter does not step back", b >= a);
	__asm__ volatile("isb" ::: "memory");
	d = SYSREG_GET(cntpct_el0);
	check("physical counter does not step back", d >= c);
	while (counter() == b) {
	}
	check("virtual counter moves", true);
}

static void registers(void)
{
	SYSREG_SET(cntv_ctl_el0, ENABLE | IMASK);
	SYSREG_SET(cntv_cval_el0, counter() + counter_of_us(FAR));
	check_eq("CTL before the deadline", SYSREG_GET(cntv_ctl_el0), ENABLE | IMASK);
	check("TVAL counts down",
		(int32_t)SYSREG_GET(cntv_tval_el0) <= (int32_t)counter_of_us(FAR) &&
			(int32_t)SYSREG_GET(cntv_tval_el0) > 0);
	SYSREG_SET(cntv_tval_el0, (uint64_t)-10);
	check_eq("CTL after the deadline", SYSREG_GET(cntv_ctl_el0), ENABLE | IMASK | ISTATUS);
	check("TVAL below zero", (int32_t)SYSREG_GET(cntv_tval_el0) < 0);
	SYSREG_SET(cntv_cval_el0, 0x123456789abull);
	check_eq("CVAL read back", SYSREG_GET(cntv_cval_el0), 0x123456789abull);
	SYSREG_SET(cntv_ctl_el0, 0);
	SYSREG_SET(cntp_cval_el0, 0x123456789acull);
	check_eq("CNTP CVAL read back", SYSREG_GET(cntp_cval_el0), 0x123456789acull);
	SYSREG_SET(cntp_ctl_el0, 0);
}

static void polled(void)
{
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE | IMASK);
	while (!(SYSREG_GET(cntv_ctl_el0) & ISTATUS)) {
	}
	check("ISTATUS comes without an interrupt", true);
	SYSREG_SET(cntv_ctl_el0, 0);
}

static void interrupts(void)
{
	gic_enable(VTIMER, 0x80);
	gic_enable(PTIMER, 0x80);
	on_irq = timer_irq;
	irq_unmask();

	fired = 0;
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE);
	check("virtual timer fires while spinning", wait_for_flag(&fired, FAR));
	check_eq("by PPI 27", last_intid, VTIMER);

	fired = 0;
	SYSREG_SET(cntp_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntp_ctl_el0, ENABLE);
	check("physical timer fires while spinning", wait_for_flag(&fired, FAR));
	check_eq("by PPI 30", last_intid, PTIMER);

	fired = 0;
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE | IMASK);
	check("a masked timer stays silent", !wait_for_flag(&fired, 2 * SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE);
	check("unmasked, it fires", wait_for_flag(&fired, FAR));
}

static void idle(void)
{
	uint64_t start, passed;

	irq_mask();
	fired = 0;
	start = counter();
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE);
	while (!(SYSREG_GET(cntv_ctl_el0) & ISTATUS)) {
		wait_for_interrupt();
	}
	passed = counter() - start;
	check("WFI wakes for a masked interrupt", fired == 0);
	check("not before time", passed >= counter_of_us(SOON));
	irq_unmask();
	check("taken once unmasked", wait_for_flag(&fired, FAR));

	fired = 0;
	for (unsigned i = 0; i < 20; i++) {
		SYSREG_SET(cntv_tval_el0, counter_of_us(100));
		SYSREG_SET(cntv_ctl_el0, ENABLE);
		sleep_until(&fired, i + 1);
	}
	check_eq("twenty ticks", fired, 20);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	gic_init();
	counters();
	registers();
	polled();
	interrupts();
	idle();
}
