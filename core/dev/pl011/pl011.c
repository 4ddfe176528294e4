/* SPDX-License-Identifier: MIT */
/*
 * PL011: registers, two FIFOs and one interrupt line between a guest and a channel. What differs
 * from the silicon, and why, is in README.md.
 */
#include <dev/pl011/pl011.h>
#include <hv/bits.h>

/* The registers that only store, by offset / 4: which bits exist, and their reset value. */
static const struct {
	uint16_t mask, reset;
} storage[PL011_REGS] = {
	[PL011_ILPR / 4] = {0x00ff, 0},
	[PL011_IBRD / 4] = {0xffff, 0},
	[PL011_FBRD / 4] = {0x003f, 0},
	[PL011_LCR_H / 4] = {0x00ff, 0},
	[PL011_CR / 4] = {0xff87, PL011_CR_RXE | PL011_CR_TXE},
	[PL011_IFLS / 4] = {0x003f, 0x12},
	[PL011_IMSC / 4] = {0x07ff, 0},
	[PL011_DMACR / 4] = {0x0007, 0},
};

/* Revision r1p1 of part 0x011 by Arm: one with 16-byte FIFOs (from r1p5 on they are twice that). */
static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

/* IFLS encodings in bytes; the reserved ones act as the highest (DDI 0183, 3.3.9). */
static const uint8_t trigger[8] = {2, 4, 8, 12, 14, 14, 14, 14};

static bool has(const struct pl011 *uart, enum pl011_reg reg, unsigned bits)
{
	return (uart->reg[reg / 4] & bits) == bits;
}

/* Without FIFOs each direction has one holding register. */
static unsigned depth(const struct pl011 *uart)
{
	return has(uart, PL011_LCR_H, PL011_LCR_H_FEN) ? PL011_DEPTH : 1;
}

static unsigned rx_trigger(const struct pl011 *uart)
{
	return depth(uart) == 1 ? 1 : trigger[uart->reg[PL011_IFLS / 4] >> 3 & 7];
}

static unsigned tx_trigger(const struct pl011 *uart)
{
	return depth(uart) == 1 ? 0 : trigger[uart->reg[PL011_IFLS / 4] & 7];
}

static void fifo_push(struct pl011_fifo *fifo, uint16_t entry)
{
	fifo->entry[(fifo->first + fifo->count) % PL011_DEPTH] = entry;
	fifo->count++;
}

static uint16_t fifo_pop(struct pl011_fifo *fifo)
{
	uint16_t entry = fifo->entry[fifo->first % PL011_DEPTH];

	fifo->first = (uint8_t)((fifo->first + 1) % PL011_DEPTH);
	fifo->count--;
	return entry;
}

static void update_line(struct pl011 *uart)
{
	bool level = (uart->ris & uart->reg[PL011_IMSC / 4]) != 0;

	if (level != uart->level) {
		uart->level = level;
		hv_irq_set(&uart->irq, level);
	}
}

/* A byte came in from the line (DDI 0183, 2.4.3: an overrun is told with the next good byte). */
static void rx_push(struct pl011 *uart, uint8_t byte)
{
	if (uart->rx.count >= depth(uart)) {
		uart->overrun = true;
		uart->rsr |= PL011_RSR_OE;
		uart->ris |= PL011_INT_OE;
		return;
	}
	fifo_push(&uart->rx, (uint16_t)(byte | (uart->overrun ? PL011_DR_OE : 0)));
	uart->overrun = false;
	if (uart->rx.count >= rx_trigger(uart)) {
		uart->ris |= PL011_INT_RX;
	}
}

/* The line has been idle for longer than anyone can measure: what waits in the FIFO has timed out.
 */
static void rx_timeout(struct pl011 *uart)
{
	if (uart->rx.count != 0 && depth(uart) != 1) {
		uart->ris |= PL011_INT_RT;
	}
}

/* Moves up to `most` bytes from the channel, which waits for as long as there is no room. */
static void rx_pull(struct pl011 *uart, unsigned most)
{
	unsigned moved = 0;
	uint8_t byte;

	while (moved < most && uart->rx.count < depth(uart) &&
		hv_ring_get(&uart->chan->to_guest, &byte)) {
		rx_push(uart, byte);
		moved++;
	}
	if (moved != 0) {
		hv_irq_set(&uart->chan->taken, true);
	}
}

static bool rx_is_enabled(const struct pl011 *uart)
{
	return has(uart, PL011_CR, PL011_CR_UARTEN | PL011_CR_RXE);
}

static bool rx_is_unmasked(const struct pl011 *uart)
{
	return (uart->reg[PL011_IMSC / 4] & (PL011_INT_RX | PL011_INT_RT)) != 0;
}

/* The line is idle from here on; before that, what waits in the channel comes in if `ready`. */
static void rx_fill(struct pl011 *uart, bool ready)
{
	if (ready && !has(uart, PL011_CR, PL011_CR_LBE)) {
		rx_pull(uart, PL011_DEPTH);
	}
	rx_timeout(uart);
}

/* Whether FR and DR look through at the channel: a program that never enabled its receiver. */
static bool rx_is_direct(const struct pl011 *uart)
{
	return uart->rx.count == 0 && !rx_is_enabled(uart) && !has(uart, PL011_CR, PL011_CR_LBE);
}

/* How many received bytes the guest sees waiting. */
static unsigned rx_level(const struct pl011 *uart)
{
	unsigned waiting = uart->rx.count;

	if (rx_is_direct(uart)) {
		waiting = hv_ring_count(&uart->chan->to_guest);
	}
	return waiting < depth(uart) ? waiting : depth(uart);
}

/* Fewer bytes wait than did. */
static void rx_settle(struct pl011 *uart)
{
	if (uart->rx.count < rx_trigger(uart)) {
		uart->ris &= (uint16_t)~PL011_INT_RX;
	}
	if (uart->rx.count == 0) {
		uart->ris &= (uint16_t)~PL011_INT_RT;
	}
}

static uint16_t rx_read(struct pl011 *uart)
{
	uint16_t entry = 0;

	if (rx_is_direct(uart)) {
		rx_pull(uart, 1);
	}
	if (uart->rx.count != 0) {
		entry = fifo_pop(&uart->rx);
		rx_settle(uart);
	}
	rx_fill(uart, rx_is_enabled(uart) || rx_is_unmasked(uart));
	return entry;
}

/* Sends what the other end has room for. Every byte that leaves may make room worth telling. */
static void tx_drain(struct pl011 *uart)
{
	bool loop = has(uart, PL011_CR, PL011_CR_LBE), sent = false;

	while (uart->tx.count != 0) {
		uint8_t byte = (uint8_t)uart->tx.entry[uart->tx.first];

		if (loop) {
			rx_push(uart, byte);
		} else if (hv_ring_put(&uart->chan->to_host, byte)) {
			sent = true;
		} else {
			break;
		}
		(void)fifo_pop(&uart->tx);
		if (uart->tx.count <= tx_trigger(uart)) {
			uart->ris |= PL011_INT_TX;
		}
	}
	if (loop) {
		rx_timeout(uart);
	}
	if (sent) {
		hv_irq_set(&uart->chan->sent, true);
	}
}

/* A byte that finds the FIFO full is lost; FR.TXFF had said so. */
static void tx_write(struct pl011 *uart, uint8_t byte)
{
	tx_drain(uart);
	if (uart->tx.count >= depth(uart)) {
		return;
	}
	fifo_push(&uart->tx, byte);
	if (uart->tx.count > tx_trigger(uart)) {
		uart->ris &= (uint16_t)~PL011_INT_TX;
	}
	tx_drain(uart);
}

static uint16_t flags(const struct pl011 *uart)
{
	unsigned rx = rx_level(uart), tx = uart->tx.count;
	unsigned fr = uart->modem;

	fr |= tx == 0 ? PL011_FR_TXFE : PL011_FR_BUSY;
	fr |= tx >= depth(uart) ? PL011_FR_TXFF : 0;
	fr |= rx == 0 ? PL011_FR_RXFE : 0;
	fr |= rx >= depth(uart) ? PL011_FR_RXFF : 0;
	return (uint16_t)fr;
}

static uint16_t flags_read(struct pl011 *uart)
{
	tx_drain(uart);
	return flags(uart);
}

/* In loopback each modem output feeds an input; else nothing is connected (DDI 0183, 3.3.8). */
static void modem_update(struct pl011 *uart)
{
	static const struct {
		uint16_t cr, fr, intr;
	} wire[] = {
		{PL011_CR_RTS, PL011_FR_CTS, PL011_INT_CTS},
		{PL011_CR_DTR, PL011_FR_DSR, PL011_INT_DSR},
		{PL011_CR_OUT1, PL011_FR_DCD, PL011_INT_DCD},
		{PL011_CR_OUT2, PL011_FR_RI, PL011_INT_RI},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(wire); i++) {
		bool in = has(uart, PL011_CR, PL011_CR_LBE | wire[i].cr);

		if (in != ((uart->modem & wire[i].fr) != 0)) {
			uart->modem ^= wire[i].fr;
			uart->ris |= wire[i].intr;
		}
	}
}

/* FEN: turning the FIFOs off empties them; turning them on keeps the held byte as the first. */
static void depth_update(struct pl011 *uart, bool had_fifos)
{
	if (had_fifos && depth(uart) == 1) {
		uart->rx.count = 0;
		uart->tx.count = 0;
	}
	rx_settle(uart);
	rx_timeout(uart);
}

static uint16_t reg_read(struct pl011 *uart, uint64_t off)
{
	switch (off) {
	case PL011_DR: return rx_read(uart);
	case PL011_RSR: return uart->rsr;
	case PL011_FR: return flags_read(uart);
	case PL011_RIS: return uart->ris;
	case PL011_MIS: return uart->ris & uart->reg[PL011_IMSC / 4];
	default: break;
	}
	if (off / 4 < PL011_REGS) {
		return uart->reg[off / 4];
	}
	return off >= PL011_ID ? id[(off - PL011_ID) / 4 % sizeof(id)] : 0;
}

static void reg_store(struct pl011 *uart, uint64_t off, uint16_t value)
{
	bool had_fifos = depth(uart) != 1;

	uart->reg[off / 4] = value & storage[off / 4].mask;
	switch (off) {
	case PL011_LCR_H: depth_update(uart, had_fifos); break;
	case PL011_CR:
		uart->configured = true;
		modem_update(uart);
		break;
	case PL011_IMSC:
		rx_fill(uart, rx_is_unmasked(uart) && (rx_is_enabled(uart) || !uart->configured));
		break;
	default: break;
	}
}

static void reg_write(struct pl011 *uart, uint64_t off, uint16_t value)
{
	switch (off) {
	case PL011_DR: tx_write(uart, (uint8_t)value); return;
	case PL011_RSR: uart->rsr = 0; return;
	case PL011_ICR:
		uart->ris &= (uint16_t)~value;
		rx_timeout(uart);
		return;
	default: break;
	}
	if (off / 4 < PL011_REGS) {
		reg_store(uart, off, value);
	}
}

/*
 * A guest that looks at the receiver twice in a row, with nothing to send, spins on it: now is the
 * time for bytes to come in. A driver that starts up looks once, to throw away what it finds.
 */
static void rx_look(struct pl011 *uart, const struct hv_access *access)
{
	bool looks = !access->write && (access->off == PL011_FR || access->off == PL011_RIS ||
					       access->off == PL011_MIS);
	bool again = uart->looked;

	uart->looked = looks && uart->rx.count == 0 && uart->tx.count == 0;
	if (uart->looked && again) {
		rx_fill(uart, rx_is_enabled(uart));
	}
}

/* Registers are 16 bits wide in 32-bit slots; 1, 2 and 4 bytes reach one, the rest is RAZ/WI. */
static HV_COLD bool any_access(struct pl011 *uart, struct hv_access *access)
{
	bool valid = access->size <= 4 && access->off % 4 == 0;

	if (access->write) {
		if (valid) {
			reg_write(uart, access->off, (uint16_t)access->data);
		}
	} else {
		access->data = valid ? reg_read(uart, access->off) : 0;
		access->data &= HV_MASK(access->size * 8 - 1, 0);
	}
	rx_look(uart, access);
	update_line(uart);
	return true;
}

/* FR while both FIFOs are empty and nothing has to come in: what a guest reads before each byte. */
static HV_HOT bool quick_flags(struct pl011 *uart, struct hv_access *access)
{
	bool waits = rx_is_enabled(uart) ? uart->looked : hv_ring_count(&uart->chan->to_guest) != 0;

	if (waits || access->write || uart->tx.count != 0 || uart->rx.count != 0 ||
		(access->size & (2 | 4)) == 0) {
		return false;
	}
	uart->looked = true;
	access->data = (unsigned)uart->modem | PL011_FR_TXFE | PL011_FR_RXFE;
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

/* DR: mostly a byte that goes through an empty FIFO. */
static __attribute__((noinline)) bool data_access(struct pl011 *uart, struct hv_access *access)
{
	if (!access->write || access->size > 4 || uart->tx.count != 0 ||
		(uart->reg[PL011_CR / 4] & PL011_CR_LBE) ||
		!pass_on(uart->chan, (uint8_t)access->data)) {
		return any_access(uart, access);
	}
	uart->looked = false;
	if (!(uart->ris & PL011_INT_TX)) {
		uart->ris |= PL011_INT_TX;
		update_line(uart);
	}
	return true;
}

/* The two that guests do most come first; each call is the last thing done, so there is no frame.
 */
static bool pl011_access(void *dev, struct hv_access *access)
{
	struct pl011 *uart = dev;

	if (access->off == PL011_FR && quick_flags(uart, access)) {
		return true;
	}
	return access->off == PL011_DR ? data_access(uart, access) : any_access(uart, access);
}

static void pl011_poll(void *dev)
{
	struct pl011 *uart = dev;

	tx_drain(uart);
	rx_fill(uart, rx_is_unmasked(uart));
	update_line(uart);
}

static void pl011_reset(void *dev)
{
	struct pl011 *uart = dev;

	*uart = (struct pl011){.chan = uart->chan, .irq = uart->irq};
	for (size_t i = 0; i < PL011_REGS; i++) {
		uart->reg[i] = storage[i].reset;
	}
	hv_irq_set(&uart->irq, false);
}

void pl011_init(struct pl011 *uart, struct hv_chan *chan, struct hv_irq irq)
{
	uart->chan = chan;
	uart->irq = irq;
	pl011_reset(uart);
}

const struct hv_dev_ops pl011_ops = {
	.name = "pl011",
	.access = pl011_access,
	.reset = pl011_reset,
	.poll = pl011_poll,
};
