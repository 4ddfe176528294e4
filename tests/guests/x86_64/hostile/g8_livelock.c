/* SPDX-License-Identifier: MIT */
/* G8, A5: a level that stays high, and a handler that ends the interrupt and nothing else: for
 * ever. */
#include "guest.h"

static void end_it(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	print("INTERRUPTED\n");
	on_irq = end_it;
	ioapic_route(UART_IRQ, RTE_LEVEL | 0x50, 0);
	out8(PORT_UART + 4, 8);
	out8(PORT_UART + 1, 2); /* it can send, and says so as long as nobody looks */
	lapic_timer(LVT_PERIODIC | VECTOR_TIMER, 1);
	for (;;) {
		wait_for_interrupt();
	}
}
