/* SPDX-License-Identifier: MIT */
/*
 * 16550A: registers, two FIFOs and one interrupt line between a guest and a channel. What differs
 * from the silicon, and why, is in README.md.
 */
#include <dev/ns16550/ns16550.h>
#include <hv/bits.h>

/* As other virtual machines have it: 9600 baud of the usual clock. Nothing divides by it. */
#define DLL_RESET 12

/*
 * Looks at LSR that found nothing. After LOOKS_PULL of them a byte comes in at the next; if there
 * was none, the guest spins, and poll() brings it.
 */
enum { LOOKS_PULL = 3, LOOKS_SPIN };

/* The other end is always there and ready. */
#define MODEM_INPUTS (NS16550_MSR_CTS | NS16550_MSR_DSR | NS16550_MSR_DCD)

/* FCR's trigger levels in bytes. */
static const uint8_t trigger[4] = {1, 4, 8, 14};

/* Without FIFOs each direction has one holding register. */
static unsigned depth(const struct ns16550 *uart)
{
	return uart->fcr & NS16550_FCR_ENABLE ? NS16550_DEPTH : 1;
}

static unsigned rx_trigger(const struct ns16550 *uart)
{
	return depth(uart) == 1 ? 1 : trigger[uart->fcr >> 6];
}

static bool is_looped(const struct ns16550 *uart)
{
	return uart->mcr & NS16550_MCR_LOOP;
}

static bool has_dlab(const struct ns16550 *uart)
{
	return uart->lcr & NS16550_LCR_DLAB;
}

static void fifo_push(struct ns16550_fifo *fifo, uint8_t byte)
{
	fifo->byte[(fifo->first + fifo->count) % NS16550_DEPTH] = byte;
	fifo->count++;
}

static uint8_t fifo_pop(struct ns16550_fifo *fifo)
{
	uint8_t byte = fifo->byte[fifo->first % NS16550_DEPTH];

	fifo->first = (uint8_t)((fifo->first + 1) % NS16550_DEPTH);
	fifo->count--;
	return byte;
}

/* ---- the interrupt ---- */

/* The most urgent reason (PC16550D, table III). What is in the FIFO has always timed out. */
static uint8_t reason(const struct ns16550 *uart)
{
	if (uart->overrun && uart->ier & NS16550_IER_LINE) {
		return NS16550_IIR_LINE;
	}
	if (uart->rx.count != 0 && uart->ier & NS16550_IER_RX) {
		return uart->rx.count >= rx_trigger(uart) ? NS16550_IIR_RX : NS16550_IIR_TIMEOUT;
	}
	if (uart->thre && uart->ier & NS16550_IER_TX) {
		return NS16550_IIR_TX;
	}
	if (uart->msr & NS16550_MSR_CHANGES && uart->ier & NS16550_IER_MODEM) {
		return NS16550_IIR_MODEM;
	}
	return NS16550_IIR_NONE;
}

static void update_line(struct ns16550 *uart)
{
	bool level = reason(uart) != NS16550_IIR_NONE;

	if (level != uart->level) {
		uart->level = level;
		hv_irq_set(&uart->irq, level);
	}
}

/* After anything may have changed. */
static void settle(struct ns16550 *uart)
{
	uart->idle = uart->rx.count == 0 && uart->tx.count == 0 && !uart->overrun;
	uart->direct = uart->tx.count == 0 && !has_dlab(uart) && !is_looped(uart);
	update_line(uart);
}

/* ---- the receiver ---- */

/* A byte came in from the line; without a FIFO it takes the place of the one that waits. */
static void rx_push(struct ns16550 *uart, uint8_t byte)
{
	if (uart->rx.count < depth(uart)) {
		fifo_push(&uart->rx, byte);
		return;
	}
	uart->overrun = true;
	if (depth(uart) == 1) {
		uart->rx.byte[uart->rx.first % NS16550_DEPTH] = byte;
	}
}

/* Moves up to `most` bytes from the channel, which waits for as long as there is no room. */
static void rx_pull(struct ns16550 *uart, unsigned most)
{
	unsigned moved = 0;
	uint8_t byte;

	while (moved < most && uart->rx.count < depth(uart) && !is_looped(uart) &&
		hv_ring_get(&uart->chan->to_guest, &byte)) {
		fifo_push(&uart->rx, byte);
		moved++;
	}
	if (moved != 0) {
		hv_irq_set(&uart->chan->taken, true);
	}
}

/* The guest waits for bytes by interrupt: as many as there is room for come in. */
static void rx_fill(struct ns16550 *uart)
{
	if (uart->ier & NS16550_IER_RX) {
		rx_pull(uart, NS16550_DEPTH);
	}
}

static uint8_t rbr_read(struct ns16550 *uart)
{
	uint8_t byte = 0;

	if (uart->rx.count != 0) {
		byte = fifo_pop(&uart->rx);
	}
	rx_fill(uart);
	return byte;
}

/* ---- the transmitter ---- */

/* Sends what the other end has room for. The interrupt is that of a FIFO that became empty. */
static void tx_drain(struct ns16550 *uart)
{
	bool sent = false;

	while (uart->tx.count != 0) {
		uint8_t byte = uart->tx.byte[uart->tx.first % NS16550_DEPTH];

		if (is_looped(uart)) {
			rx_push(uart, byte);
		} else if (hv_ring_put(&uart->chan->to_host, byte)) {
			sent = true;
		} else {
			break;
		}
		(void)fifo_pop(&uart->tx);
		uart->thre = uart->tx.count == 0;
	}
	if (sent) {
		hv_irq_set(&uart->chan->sent, true);
	}
}

/* A byte that finds no room is lost; LSR.THRE had said so. */
static void thr_write(struct ns16550 *uart, uint8_t byte)
{
	tx_drain(uart);
	if (uart->tx.count < depth(uart)) {
		fifo_push(&uart->tx, byte);
	}
	uart->thre = false;
	tx_drain(uart);
}

/* ---- the other registers ---- */

/* Reading it takes the transmitter's interrupt back, if that is the one it tells. */
static uint8_t iir_read(struct ns16550 *uart)
{
	uint8_t why = reason(uart);

	if (why == NS16550_IIR_TX) {
		uart->thre = false;
	}
	return depth(uart) == 1 ? why : why | NS16550_IIR_FIFOS;
}

/*
 * A guest that looks again and again, with nothing to send, spins on it: now is the time for a byte
 * to come in. A driver that starts up looks a few times, and throws away what it finds.
 */
static uint8_t lsr_read(struct ns16550 *uart)
{
	unsigned lsr;

	tx_drain(uart);
	if (uart->looks == LOOKS_PULL) {
		rx_pull(uart, 1);
	}
	lsr = uart->tx.count == 0 ? NS16550_LSR_THRE | NS16550_LSR_TEMT : 0;
	lsr |= uart->rx.count != 0 ? NS16550_LSR_DR : 0;
	lsr |= uart->overrun ? NS16550_LSR_OE : 0;
	uart->overrun = false;
	return (uint8_t)lsr;
}

static uint8_t msr_read(struct ns16550 *uart)
{
	uint8_t msr = uart->msr;

	uart->msr &= (uint8_t)~NS16550_MSR_CHANGES;
	return msr;
}

/* Turning the transmitter's interrupt on with nothing to send raises it (PC16550D, 8.6). */
static void ier_write(struct ns16550 *uart, uint8_t value)
{
	uint8_t changed = uart->ier ^ value;

	uart->ier = value & NS16550_IER_MASK;
	if (changed & NS16550_IER_TX) {
		uart->thre = uart->ier & NS16550_IER_TX && uart->tx.count == 0;
	}
	rx_fill(uart);
}

/*
 * Turning the FIFOs on keeps a byte that waits; turning them off empties both. The other bits count
 * only while they are on (PC16550D, 8.5).
 */
static void fcr_write(struct ns16550 *uart, uint8_t value)
{
	bool off = !(value & NS16550_FCR_ENABLE);

	if (off && depth(uart) == 1) {
		return;
	}
	if (off || value & NS16550_FCR_CLEAR_RX) {
		uart->rx.count = 0;
	}
	if (off || value & NS16550_FCR_CLEAR_TX) {
		uart->thre = uart->thre || uart->tx.count != 0;
		uart->tx.count = 0;
	}
	uart->fcr = off ? 0 : value & (NS16550_FCR_ENABLE | NS16550_FCR_TRIGGER);
}

/* What the modem's inputs are; in loopback each output feeds one (PC16550D, 8.7). */
static uint8_t modem_inputs(const struct ns16550 *uart)
{
	unsigned mcr = uart->mcr, in = 0;

	if (!is_looped(uart)) {
		return MODEM_INPUTS;
	}
	in |= mcr & NS16550_MCR_RTS ? NS16550_MSR_CTS : 0;
	in |= mcr & NS16550_MCR_DTR ? NS16550_MSR_DSR : 0;
	in |= mcr & NS16550_MCR_OUT1 ? NS16550_MSR_RI : 0;
	in |= mcr & NS16550_MCR_OUT2 ? NS16550_MSR_DCD : 0;
	return (uint8_t)in;
}

static void mcr_write(struct ns16550 *uart, uint8_t value)
{
	uint8_t in, changes;

	uart->mcr = value & NS16550_MCR_MASK;
	in = modem_inputs(uart);
	changes = (uart->msr ^ in) >> 4;
	if (in & NS16550_MSR_RI) {
		changes &= (uint8_t)~NS16550_MSR_TERI;
	}
	uart->msr = in | (uart->msr & NS16550_MSR_CHANGES) | changes;
	tx_drain(uart);
}

static uint8_t reg_read(struct ns16550 *uart, uint64_t off)
{
	switch (off) {
	case NS16550_RBR: return has_dlab(uart) ? uart->dll : rbr_read(uart);
	case NS16550_IER: return has_dlab(uart) ? uart->dlm : uart->ier;
	case NS16550_IIR: return iir_read(uart);
	case NS16550_LCR: return uart->lcr;
	case NS16550_MCR: return uart->mcr;
	case NS16550_LSR: return lsr_read(uart);
	case NS16550_MSR: return msr_read(uart);
	default: return uart->scr;
	}
}

static void divisor_write(struct ns16550 *uart, uint64_t off, uint8_t value)
{
	*(off == NS16550_DLL ? &uart->dll : &uart->dlm) = value;
}

static void reg_write(struct ns16550 *uart, uint64_t off, uint8_t value)
{
	if (off <= NS16550_DLM && has_dlab(uart)) {
		divisor_write(uart, off, value);
		return;
	}
	switch (off) {
	case NS16550_THR: thr_write(uart, value); break;
	case NS16550_IER: ier_write(uart, value); break;
	case NS16550_FCR: fcr_write(uart, value); break;
	case NS16550_LCR: uart->lcr = value; break;
	case NS16550_MCR: mcr_write(uart, value); break;
	case NS16550_SCR: uart->scr = value; break;
	default: break; /* LSR and MSR are read-only */
	}
}

/* ---- accesses ---- */

/* One register each, whatever the width; what lies behind them is RAZ/WI. */
static HV_COLD bool any_access(struct ns16550 *uart, struct hv_access *access)
{
	bool valid = access->off < NS16550_REGS;
	bool looks = valid && !access->write && access->off == NS16550_LSR;

	if (!access->write) {
		access->data = valid ? reg_read(uart, access->off) : 0;
	} else if (valid) {
		reg_write(uart, access->off, (uint8_t)access->data);
	}
	settle(uart);
	uart->looks += uart->looks < LOOKS_SPIN ? 1 : 0;
	if (!looks || !uart->idle) {
		uart->looks = 0;
	}
	return true;
}

/* LSR with nothing going on: what a guest reads before each byte. */
static HV_HOT bool quick_status(struct ns16550 *uart, struct hv_access *access)
{
	unsigned looks = uart->looks;

	if (!uart->idle || looks == LOOKS_PULL || access->write) {
		return false;
	}
	uart->looks = looks + (looks < LOOKS_PULL);
	access->data = NS16550_LSR_THRE | NS16550_LSR_TEMT;
	return true;
}

/* Nothing is left in the FIFO, whose way this byte would take. */
static HV_HOT bool pass_on(struct hv_chan *chan, uint8_t byte)
{
	if (chan->pass && chan->pass(chan, byte)) {
		return true;
	}
	if (!hv_ring_put(&chan->to_host, byte)) {
		return false;
	}
	hv_irq_set(&chan->sent, true);
	return true;
}

/* Offset 0: mostly a byte that goes through an empty FIFO. */
static __attribute__((noinline)) bool data_access(struct ns16550 *uart, struct hv_access *access)
{
	if (!access->write || !uart->direct || !pass_on(uart->chan, (uint8_t)access->data)) {
		return any_access(uart, access);
	}
	if (uart->looks != 0) { /* LSR once per byte is no look */
		uart->looks = uart->looks == LOOKS_SPIN ? 0 : uart->looks - 1;
	}
	if (!uart->thre) {
		uart->thre = true;
		update_line(uart);
	}
	return true;
}

/* The two that guests do most come first; each call is the last thing done, so there is no frame.
 */
static bool ns16550_access(void *dev, struct hv_access *access)
{
	struct ns16550 *uart = dev;

	if (access->off == NS16550_LSR && quick_status(uart, access)) {
		return true;
	}
	return access->off == NS16550_THR ? data_access(uart, access) : any_access(uart, access);
}

static void ns16550_poll(void *dev)
{
	struct ns16550 *uart = dev;

	tx_drain(uart);
	rx_fill(uart);
	if (uart->looks == LOOKS_SPIN) {
		rx_pull(uart, 1);
	}
	settle(uart);
}

static void ns16550_reset(void *dev)
{
	struct ns16550 *uart = dev;

	*uart = (struct ns16550){
		.chan = uart->chan,
		.irq = uart->irq,
		.idle = true,
		.direct = true,
		.msr = MODEM_INPUTS,
		.dll = DLL_RESET,
	};
	hv_irq_set(&uart->irq, false);
}

void ns16550_init(struct ns16550 *uart, struct hv_chan *chan, struct hv_irq irq)
{
	uart->chan = chan;
	uart->irq = irq;
	ns16550_reset(uart);
}

const struct hv_dev_ops ns16550_ops = {
	.name = "ns16550",
	.access = ns16550_access,
	.reset = ns16550_reset,
	.poll = ns16550_poll,
};
