/* SPDX-License-Identifier: MIT */
/* G8: a line that stays high, and a handler that ends the interrupt and nothing else: for ever. */
#include "guest.h"

static void end_it(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	if (irq == IRQ_EXT) {
		plic_complete(plic_claim());
	}
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("INTERRUPTED\n");
	on_irq = end_it;
	plic_init();
	plic_priority(UART_IRQ, 1);
	plic_enable(UART_IRQ, true);
	write8(GUEST_UART + 1, 2); /* it can send, and says so as long as nobody looks */
	irq_enable(IRQ_EXT);
	irq_enable(IRQ_TIMER);
	timer_set(0); /* due for ever, too */
	irq_unmask();
	for (;;) {
		wait_for_interrupt();
	}
}
