/* SPDX-License-Identifier: MIT */
/*
 * The host's serial port, the console of us and of our guest; each backend has its own. Firmware or
 * QEMU set the line's speed and format; we leave them. console_write() stands in common/report.h.
 */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

/* Before this call nothing is written anywhere. */
void uart_init(uintptr_t base);
/* False: the transmitter is full. */
bool uart_put(uint8_t byte);
/* False: nothing was received. */
bool uart_get(uint8_t *byte);
/* Which of the UART's two interrupts shall come: bytes arrived; room in the transmitter. */
void uart_irq_enable(bool receive, bool transmit);

#endif
