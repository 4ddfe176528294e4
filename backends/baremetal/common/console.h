/* SPDX-License-Identifier: MIT */
/* Ties the channel of a guest's console to the host's UART, both ways, with flow control. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <hv/ring.h>
#include <hv/vm.h>

/* Before the VM runs. One guest has the console. */
void console_attach(struct hv_chan *chan, struct hv_bus *bus);
/* The UART's interrupt. */
void console_irq(void);

#endif
