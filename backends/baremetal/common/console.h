/* SPDX-License-Identifier: MIT */
/* Ties the channel of a guest's console to the host's UART, both ways, with flow control. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <board/board.h>

/* Before the VM runs. One guest has the console. */
void console_attach(struct board *board);
/* The UART's interrupt. */
void console_irq(void);
/* The VM has stopped: waits until the UART has taken what it said. */
void console_flush(void);

#endif
