/* SPDX-License-Identifier: MIT */
/* Waits 50 ms by WFI, and says what its clocks show: in a deterministic run, always the same. */
#include "guest.h"

#define VTIMER 27u
#define WAIT   50000u /* microseconds */

static volatile unsigned fired;

static void timer_irq(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		return;
	}
	SYSREG_SET(cntv_ctl_el0, 0);
	gic_eoi(intid);
	fired++;
}

void guest_main(uint64_t dtb)
{
	uint64_t start, passed;

	(void)dtb;
	gic_init();
	gic_enable(VTIMER, 0x80);
	on_irq = timer_irq;
	start = counter();
	SYSREG_SET(cntv_tval_el0, counter_of_us(WAIT));
	SYSREG_SET(cntv_ctl_el0, 1);
	sleep_until(&fired, 1);
	passed = counter() - start;
	check("waited as long as it should", passed >= counter_of_us(WAIT));
	print("counter ");
	print_hex(SYSREG_GET(cntvct_el0));
	print(" physical ");
	print_hex(SYSREG_GET(cntpct_el0));
	print(" seconds ");
	print_hex(read32(GUEST_RTC));
	print("\n");
}
