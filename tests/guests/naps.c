/* SPDX-License-Identifier: MIT */
/*
 * Thousands of naps of a few microseconds, each ended by the virtual timer: somewhere among them
 * the timer is due while the hypervisor is between blocking the vCPU and waiting. A wake-up that is
 * lost there ends in a run that never ends (S4).
 */
#include "guest.h"

#define VTIMER 27u
#define ENABLE 1u
#define NAPS   4000u
#define TICKS  3000u /* 48 us at 62.5 MHz */

static volatile unsigned woken;

static void timer_irq(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid == VTIMER) {
		SYSREG_SET(cntv_ctl_el0, 0);
		woken++;
	}
	if (intid != GIC_SPURIOUS) {
		gic_eoi(intid);
	}
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = timer_irq;
	gic_init();
	gic_enable(VTIMER, 0x80);
	for (unsigned i = 0; i < NAPS; i++) {
		SYSREG_SET(cntv_cval_el0, counter() + i % TICKS);
		SYSREG_SET(cntv_ctl_el0, ENABLE);
		sleep_until(&woken, i + 1);
	}
	check_eq("every nap ends", woken, NAPS);
}
