/* SPDX-License-Identifier: MIT */
/* The host's first serial port: a 16550 (National Semiconductor PC16550D) behind I/O ports. */
#include "insn.h"
#include "irq.h"

#include <common/report.h>
#include <common/uart.h>
#include <hv/port.h>

#define UART_RBR 0u /* read */
#define UART_THR 0u /* write */
#define UART_IER 1u
#define UART_IIR 2u /* read */
#define UART_FCR 2u
#define UART_LCR 3u
#define UART_MCR 4u
#define UART_LSR 5u

#define IER_RECEIVE  (1u << 0)
#define IER_TRANSMIT (1u << 1)

#define IIR_NONE 1u

#define FCR_ENABLE 1u

#define LCR_8BITS 3u

#define MCR_DTR  (1u << 0)
#define MCR_RTS  (1u << 1)
#define MCR_OUT2 (1u << 3) /* the interrupt's gate */

#define LSR_DATA (1u << 0)
#define LSR_THRE (1u << 5)
#define LSR_TEMT (1u << 6) /* the last bit is on the wire */
#define LSR_NONE 0xffu     /* nobody answers */

static struct {
	uint16_t base; /* 0: none yet */
	struct hv_lock lock;
} uart = {.lock = HV_LOCK_INIT(HV_LOCK_PORT)};

static uint8_t get(uint16_t reg)
{
	return in8((uint16_t)(uart.base + reg));
}

static void put(uint16_t reg, unsigned value)
{
	out8((uint16_t)(uart.base + reg), (uint8_t)value);
}

/* A PC's firmware leaves the FIFOs off. */
void uart_init(uintptr_t base)
{
	uart.base = (uint16_t)base;
	put(UART_LCR, LCR_8BITS);
	put(UART_IER, 0);
	put(UART_FCR, FCR_ENABLE);
	put(UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
}

bool uart_put(uint8_t byte)
{
	if (!(get(UART_LSR) & LSR_THRE)) {
		return false;
	}
	put(UART_THR, byte);
	return true;
}

bool uart_get(uint8_t *byte)
{
	uint8_t lsr = get(UART_LSR);

	if (!(lsr & LSR_DATA) || lsr == LSR_NONE) {
		return false;
	}
	*byte = get(UART_RBR);
	return true;
}

void uart_irq_enable(bool receive, bool transmit)
{
	put(UART_IER, (receive ? IER_RECEIVE : 0) | (transmit ? IER_TRANSMIT : 0));
}

bool uart_irq_pending(void)
{
	return !(get(UART_IIR) & IIR_NONE);
}

/* What is written is out when this returns: the machine may be switched off right then. */
void console_write(const char *bytes, size_t size)
{
	if (uart.base == 0) {
		return;
	}
	for (size_t i = 0; i < size; i++) {
		while (!uart_put((uint8_t)bytes[i])) {
		}
	}
	while (!(get(UART_LSR) & LSR_TEMT)) {
	}
}

void console_lock(void)
{
	port_lock(&uart.lock);
}

void console_unlock(void)
{
	port_unlock(&uart.lock);
}
