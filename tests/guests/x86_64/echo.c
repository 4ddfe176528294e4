/* SPDX-License-Identifier: MIT */
/*
 * Sends back what it gets on the console, by interrupt and HLT, until it gets a 'q'. Without FIFOs:
 * turning them on would drop what has come already.
 */
#include "guest.h"

#define UART_IER (PORT_UART + 1)
#define UART_LCR (PORT_UART + 3)
#define UART_MCR (PORT_UART + 4)
#define UART_LSR (PORT_UART + 5)
#define LSR_DR   0x01u

static volatile bool quit;

static void take_bytes(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	while (vector == VECTOR_IRQ + UART_IRQ && in8(UART_LSR) & LSR_DR) {
		char byte = (char)in8(PORT_UART);

		quit = quit || byte == 'q';
		put_char(byte);
	}
	lapic_eoi();
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take_bytes;
	ioapic_route(UART_IRQ, VECTOR_IRQ + UART_IRQ, 0);
	out8(UART_LCR, 3); /* 8 bits */
	out8(UART_MCR, 8); /* the interrupt's gate */
	out8(UART_IER, 1); /* received data */
	print("READY\n");
	while (!quit) {
		wait_for_interrupt();
	}
	print("\n");
	check("got a q", quit);
}
