/* SPDX-License-Identifier: MIT */
/* G8: a line that stays high, and a handler that ends the interrupt and nothing else: for ever. */
#include "guest.h"

#define VTIMER 27u

static void end_it(struct guest_frame *frame)
{
	(void)frame;
	gic_eoi(gic_ack());
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	on_irq = end_it;
	gic_init();
	gic_enable(VTIMER, 0x80);
	SYSREG_SET(cntv_cval_el0, 0);
	SYSREG_SET(cntv_ctl_el0, 1);
	print("INTERRUPTED\n");
	irq_unmask();
	for (;;) {
		wait_for_interrupt();
	}
}
