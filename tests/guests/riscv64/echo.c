/* SPDX-License-Identifier: MIT */
/*
 * Sends back what it gets on the console, by interrupt and WFI, until it gets a 'q'. Without FIFOs:
 * turning them on would drop what has come already.
 */
#include "guest.h"

#define UART_RBR (GUEST_UART + 0)
#define UART_IER (GUEST_UART + 1)
#define UART_LCR (GUEST_UART + 3)
#define UART_MCR (GUEST_UART + 4)
#define UART_LSR (GUEST_UART + 5)
#define LSR_DR   0x01u

static volatile bool quit;

static void take_bytes(struct guest_frame *frame, unsigned irq)
{
	unsigned source = plic_claim();

	(void)frame;
	(void)irq;
	while (source == UART_IRQ && read8(UART_LSR) & LSR_DR) {
		char byte = (char)read8(UART_RBR);

		quit = quit || byte == 'q';
		put_char(byte);
	}
	if (source) {
		plic_complete(source);
	}
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	plic_init();
	on_irq = take_bytes;
	plic_priority(UART_IRQ, 1);
	plic_enable(UART_IRQ, true);
	irq_enable(IRQ_EXT);
	write8(UART_LCR, 3); /* 8 bits */
	write8(UART_MCR, 8); /* the interrupt's gate */
	write8(UART_IER, 1); /* received data */
	print("READY\n");
	for (;;) {
		irq_mask();
		if (quit) {
			break;
		}
		wait_for_interrupt();
		irq_unmask();
	}
	print("\n");
	check("got a q", quit);
}
