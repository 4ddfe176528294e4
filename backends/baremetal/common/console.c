/* SPDX-License-Identifier: MIT */
/*
 * Guest output goes straight to the UART while that has room; the rest waits in the ring for the
 * transmit interrupt. Input waits in the UART while the ring to the guest is full.
 */
#include "console.h"

#include "report.h"
#include "uart.h"

static struct {
	struct hv_chan *chan;
	struct hv_vm *vm;
	bool want_receive, want_transmit;
	uint8_t held; /* taken from the ring, but the UART had no room */
	bool is_held;
} console;

static void irqs_set(bool receive, bool transmit)
{
	if (receive != console.want_receive || transmit != console.want_transmit) {
		console.want_receive = receive;
		console.want_transmit = transmit;
		uart_irq_enable(receive, transmit);
	}
}

/* console_lock is held. */
static void drain(void)
{
	while (console.is_held || hv_ring_get(&console.chan->to_host, &console.held)) {
		console.is_held = !uart_put(console.held);
		if (console.is_held) {
			break;
		}
	}
	irqs_set(console.want_receive, console.is_held);
}

/* The device put bytes into to_host; it may hold its own lock. */
static void on_sent(void *ctl, uint32_t line, bool level)
{
	(void)ctl, (void)line, (void)level;
	console_lock();
	drain();
	console_unlock();
}

/* A byte for which there is room, while none waits: what is not held has gone. */
static bool on_pass(struct hv_chan *chan, uint8_t byte)
{
	bool done;

	(void)chan;
	console_lock();
	done = !console.is_held && uart_put(byte);
	console_unlock();
	return done;
}

/* It took some from to_guest: there is room again, and the UART may have more. */
static void on_taken(void *ctl, uint32_t line, bool level)
{
	(void)ctl, (void)line, (void)level;
	console_lock();
	irqs_set(true, console.want_transmit);
	console_unlock();
}

/* console_lock is held. At most a ring full, so bounded. */
static void fill(void)
{
	struct hv_ring *ring = &console.chan->to_guest;
	uint8_t byte;

	while (hv_ring_count(ring) < HV_RING_SIZE) {
		if (!uart_get(&byte)) {
			return;
		}
		if (!hv_ring_put(ring, byte)) {
			return; /* not reached: there was room, and nobody else puts */
		}
	}
	irqs_set(false, console.want_transmit);
}

void console_irq(void)
{
	console_lock();
	fill();
	drain();
	console_unlock();
	hv_vm_poll(console.vm);
}

void console_flush(void)
{
	console_lock();
	do {
		drain();
	} while (console.is_held);
	console_unlock();
}

void console_attach(struct board *board)
{
	struct hv_chan *chan = &board->console;

	console.chan = chan;
	console.vm = board->vm;
	console.is_held = false;
	console.want_receive = true;
	console.want_transmit = false;
	chan->sent = (struct hv_irq){.set = on_sent};
	chan->taken = (struct hv_irq){.set = on_taken};
	chan->pass = on_pass;
	uart_irq_enable(true, false);
	console_lock();
	fill(); /* what was typed before us; the guest's UART asks for it when the guest does */
	console_unlock();
}
