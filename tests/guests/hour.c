/* SPDX-License-Identifier: MIT */
/* Sleeps for an hour: for runs in which nobody waits. */
#include "guest.h"

#define VTIMER 27u
#define HOUR   3600u /* seconds */

static volatile unsigned fired;

static void timer_irq(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid != GIC_SPURIOUS) {
		SYSREG_SET(cntv_ctl_el0, 0);
		gic_eoi(intid);
		fired++;
	}
}

void guest_main(uint64_t dtb)
{
	uint32_t before = read32(GUEST_RTC), passed;

	(void)dtb;
	gic_init();
	gic_enable(VTIMER, 0x80);
	on_irq = timer_irq;
	SYSREG_SET(cntv_cval_el0, counter() + HOUR * SYSREG_GET(cntfrq_el0));
	SYSREG_SET(cntv_ctl_el0, 1);
	sleep_until(&fired, 1);
	passed = read32(GUEST_RTC) - before;
	check("the clock of the day went on", passed >= HOUR && passed <= HOUR + 1);
}
