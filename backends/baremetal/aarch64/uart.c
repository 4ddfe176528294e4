/* SPDX-License-Identifier: MIT */
/* The host's PL011 (ARM DDI 0183). */
#include <common/report.h>
#include <common/uart.h>
#include <hv/port.h>

#define UART_DR   0x00u
#define UART_FR   0x18u
#define UART_LCRH 0x2cu
#define UART_CR   0x30u
#define UART_IMSC 0x38u
#define UART_ICR  0x44u

#define FR_RXFE (1u << 4)
#define FR_TXFF (1u << 5)

#define LCRH_8BITS (3u << 5)

#define CR_UARTEN (1u << 0)
#define CR_TXE    (1u << 8)
#define CR_RXE    (1u << 9)

#define INT_RX  (1u << 4)
#define INT_TX  (1u << 5)
#define INT_RT  (1u << 6)
#define INT_ALL 0x7ffu

static struct {
	uintptr_t base; /* 0: none yet */
	struct hv_lock lock;
} uart = {.lock = HV_LOCK_INIT(HV_LOCK_PORT)};

static volatile uint32_t *reg(uint32_t offset)
{
	return (volatile uint32_t *)(uart.base + offset);
}

void uart_init(uintptr_t base)
{
	uart.base = base;
	*reg(UART_IMSC) = 0;
	*reg(UART_ICR) = INT_ALL;
	*reg(UART_LCRH) |= LCRH_8BITS; /* FEN stays: switching it loses what was typed already */
	*reg(UART_CR) = CR_UARTEN | CR_TXE | CR_RXE;
}

bool uart_put(uint8_t byte)
{
	if (*reg(UART_FR) & FR_TXFF) {
		return false;
	}
	*reg(UART_DR) = byte;
	return true;
}

bool uart_get(uint8_t *byte)
{
	if (*reg(UART_FR) & FR_RXFE) {
		return false;
	}
	*byte = (uint8_t)*reg(UART_DR);
	return true;
}

void uart_irq_enable(bool receive, bool transmit)
{
	*reg(UART_IMSC) = (receive ? INT_RX | INT_RT : 0) | (transmit ? INT_TX : 0);
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
