/* SPDX-License-Identifier: MIT */
/* Sends back what it gets on the console, by interrupt and WFI, until it gets a 'q'. */
#include "guest.h"

#define UART_INTID    33u
#define UART_DR       (GUEST_UART + 0x00)
#define UART_FR       (GUEST_UART + 0x18)
#define UART_LCR_H    (GUEST_UART + 0x2c)
#define UART_CR       (GUEST_UART + 0x30)
#define UART_IMSC     (GUEST_UART + 0x38)
#define UART_ICR      (GUEST_UART + 0x44)
#define FR_RXFE       0x10u
#define RX_OR_TIMEOUT 0x50u

static volatile bool quit;

static void take_bytes(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	while (intid == UART_INTID && !(read32(UART_FR) & FR_RXFE)) {
		char byte = (char)read32(UART_DR);

		quit = quit || byte == 'q';
		put_char(byte);
	}
	if (intid != GIC_SPURIOUS) {
		write32(UART_ICR, RX_OR_TIMEOUT);
		gic_eoi(intid);
	}
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	gic_init();
	on_irq = take_bytes;
	gic_enable(UART_INTID, 0xa0);
	write32(UART_LCR_H, 0x70); /* 8 bits, FIFOs on */
	write32(UART_CR, 0x301);
	write32(UART_IMSC, RX_OR_TIMEOUT);
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
