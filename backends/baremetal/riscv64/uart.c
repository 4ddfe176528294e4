/* SPDX-License-Identifier: MIT */
/* The host's 16550 (National Semiconductor PC16550D), registers one byte apart. */
#include <common/report.h>
#include <common/uart.h>
#include <hv/port.h>

#define UART_RBR 0u /* read */
#define UART_THR 0u /* write */
#define UART_IER 1u
#define UART_LCR 3u
#define UART_MCR 4u
#define UART_LSR 5u

#define IER_RECEIVE  (1u << 0)
#define IER_TRANSMIT (1u << 1)

#define LCR_8BITS 3u

#define MCR_DTR  (1u << 0)
#define MCR_RTS  (1u << 1)
#define MCR_OUT2 (1u << 3) /* on a PC, the interrupt's gate */

#define LSR_DATA (1u << 0)
#define LSR_THRE (1u << 5)

static struct {
	uintptr_t base; /* 0: none yet */
	struct hv_lock lock;
} uart = {.lock = HV_LOCK_INIT(HV_LOCK_PORT)};

static volatile uint8_t *reg(uint32_t offset)
{
	return (volatile uint8_t *)(uart.base + offset);
}

/* The FIFOs stay as firmware left them: switching them loses what was typed already. */
void uart_init(uintptr_t base)
{
	uart.base = base;
	*reg(UART_IER) = 0;
	*reg(UART_LCR) = LCR_8BITS;
	*reg(UART_MCR) = MCR_DTR | MCR_RTS | MCR_OUT2;
}

bool uart_put(uint8_t byte)
{
	if (!(*reg(UART_LSR) & LSR_THRE)) {
		return false;
	}
	*reg(UART_THR) = byte;
	return true;
}

bool uart_get(uint8_t *byte)
{
	if (!(*reg(UART_LSR) & LSR_DATA)) {
		return false;
	}
	*byte = *reg(UART_RBR);
	return true;
}

void uart_irq_enable(bool receive, bool transmit)
{
	*reg(UART_IER) = (uint8_t)((receive ? IER_RECEIVE : 0) | (transmit ? IER_TRANSMIT : 0));
}

void console_write(const char *bytes, size_t size)
{
	if (uart.base == 0) {
		return;
	}
	for (size_t i = 0; i < size; i++) {
		while (!uart_put((uint8_t)bytes[i])) {
		}
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
