/* SPDX-License-Identifier: MIT */
/*
 * U1: 2^16 random register programs against a second 16550A. The model is written from the data
 * sheet and the device's README on its own: queues are arrays that shift, LSR and IIR are worked
 * out anew from the queues, and every access says in full what may move. Slow and plain on purpose.
 */
#include <unit.h>

#include <dev/ns16550/ns16550.h>
#include <hv/bits.h>

#define PROGRAMS 65536u
#define STEPS    32u
#define QUEUE    1100u

struct queue {
	unsigned count;
	uint8_t item[QUEUE];
};

static void push(struct queue *q, uint8_t item)
{
	assert_true(q->count < QUEUE);
	q->item[q->count++] = item;
}

static uint8_t shift(struct queue *q)
{
	uint8_t item = q->item[0];

	q->count--;
	memmove(q->item, q->item + 1, q->count);
	return item;
}

/* The model: one member per thing that the data sheet names. */
struct model {
	struct queue rx, tx;            /* the two FIFOs */
	struct queue line_in, line_out; /* what waits in the channel */
	unsigned room;                  /* bytes that line_out still takes */
	uint8_t ier, lcr, mcr, scr, dll, dlm;
	uint8_t modem_was; /* the inputs, and */
	uint8_t modem_changes;
	unsigned trigger; /* 0: the FIFOs are off */
	bool overrun, sent_all;
	unsigned looks; /* at an idle UART, in a row */
};

static struct model m;

static unsigned size_of_fifo(void)
{
	return m.trigger ? 16 : 1;
}

static bool looped(void)
{
	return m.mcr & 0x10;
}

static bool waits_for_bytes(void)
{
	return m.ier & 1;
}

static void model_loops_back(uint8_t byte)
{
	if (m.rx.count < size_of_fifo()) {
		push(&m.rx, byte);
		return;
	}
	m.overrun = true;
	if (m.trigger == 0) {
		m.rx.item[0] = byte;
	}
}

static void model_receives(unsigned most)
{
	while (most > 0 && !looped() && m.line_in.count > 0 && m.rx.count < size_of_fifo()) {
		push(&m.rx, shift(&m.line_in));
		most--;
	}
}

static void model_transmits(void)
{
	while (m.tx.count > 0 && (looped() || m.room > 0)) {
		uint8_t byte = shift(&m.tx);

		if (looped()) {
			model_loops_back(byte);
		} else {
			push(&m.line_out, byte);
			m.room--;
		}
		if (m.tx.count == 0) {
			m.sent_all = true;
		}
	}
}

static uint8_t model_modem(void)
{
	uint8_t in = 0;

	if (!looped()) {
		return 0xb0;
	}
	in |= m.mcr & 1 ? 0x20 : 0;
	in |= m.mcr & 2 ? 0x10 : 0;
	in |= m.mcr & 4 ? 0x40 : 0;
	in |= m.mcr & 8 ? 0x80 : 0;
	return in;
}

static void model_modem_moves(void)
{
	uint8_t is = model_modem();

	if ((is ^ m.modem_was) & 0x10) {
		m.modem_changes |= 1;
	}
	if ((is ^ m.modem_was) & 0x20) {
		m.modem_changes |= 2;
	}
	if ((m.modem_was & 0x40) && !(is & 0x40)) {
		m.modem_changes |= 4;
	}
	if ((is ^ m.modem_was) & 0x80) {
		m.modem_changes |= 8;
	}
	m.modem_was = is;
}

/* What waits in the channel is not the UART's. */
static void model_power_on(void)
{
	m.rx.count = m.tx.count = 0;
	m.ier = m.lcr = m.mcr = m.scr = m.dlm = 0;
	m.dll = 12;
	m.trigger = 0;
	m.overrun = m.sent_all = false;
	m.looks = 0;
	m.modem_was = model_modem();
	m.modem_changes = 0;
}

static uint8_t model_interrupt(void)
{
	if ((m.ier & 4) && m.overrun) {
		return 6;
	}
	if ((m.ier & 1) && m.rx.count > 0) {
		return m.trigger && m.rx.count < m.trigger ? 12 : 4;
	}
	if ((m.ier & 2) && m.sent_all) {
		return 2;
	}
	return (m.ier & 8) && m.modem_changes ? 0 : 1;
}

static uint8_t model_takes(void)
{
	uint8_t item = m.rx.count > 0 ? shift(&m.rx) : 0;

	model_receives(waits_for_bytes() ? 16 : 0);
	return item;
}

static uint8_t model_line_status(void)
{
	uint8_t lsr = 0;

	model_transmits();
	model_receives(m.looks == 3 ? 1 : 0);
	lsr |= m.rx.count > 0 ? 1 : 0;
	lsr |= m.overrun ? 2 : 0;
	lsr |= m.tx.count == 0 ? 0x60 : 0;
	m.overrun = false;
	return lsr;
}

static uint8_t model_identifies(void)
{
	uint8_t iir = model_interrupt();

	if (iir == 2) {
		m.sent_all = false;
	}
	return m.trigger ? 0xc0 | iir : iir;
}

/* Whether a byte goes straight out. */
static bool model_is_open(void)
{
	return m.tx.count == 0 && !(m.lcr & 0x80) && !looped() && m.room > 0;
}

static void model_looks(bool looks, bool byte_went_out)
{
	if (looks && m.rx.count == 0 && m.tx.count == 0) {
		m.looks++;
		m.looks = m.looks > 4 ? 4 : m.looks;
	} else if (byte_went_out) {
		m.looks = m.looks == 4 || m.looks == 0 ? 0 : m.looks - 1;
	} else {
		m.looks = 0;
	}
}

static uint8_t model_read(unsigned off)
{
	bool dlab = m.lcr & 0x80;
	uint8_t value;

	switch (off) {
	case 0: return dlab ? m.dll : model_takes();
	case 1: return dlab ? m.dlm : m.ier;
	case 2: return model_identifies();
	case 3: return m.lcr;
	case 4: return m.mcr;
	case 5: return model_line_status();
	case 6:
		value = m.modem_was | m.modem_changes;
		m.modem_changes = 0;
		return value;
	default: return m.scr;
	}
}

static void model_sends(uint8_t byte)
{
	model_transmits();
	if (m.tx.count < size_of_fifo()) {
		push(&m.tx, byte);
	}
	m.sent_all = false;
	model_transmits();
}

static void model_enables(uint8_t value)
{
	bool was = m.ier & 2, is = value & 2;

	m.ier = value & 15;
	if (is && !was && m.tx.count == 0) {
		m.sent_all = true;
	}
	if (!is && was) {
		m.sent_all = false;
	}
	model_receives(waits_for_bytes() ? 16 : 0);
}

static void model_fifo_control(uint8_t value)
{
	static const uint8_t level[] = {1, 4, 8, 14};
	bool on = value & 1, was_on = m.trigger != 0;

	if (!on && !was_on) {
		return;
	}
	if (!on || (value & 2)) {
		m.rx.count = 0;
	}
	if (!on || (value & 4)) {
		m.sent_all |= m.tx.count > 0;
		m.tx.count = 0;
	}
	m.trigger = on ? level[value >> 6] : 0;
}

static void model_write(unsigned off, uint8_t value)
{
	bool dlab = m.lcr & 0x80;

	switch (off) {
	case 0:
		if (dlab) {
			m.dll = value;
		} else {
			model_sends(value);
		}
		break;
	case 1:
		if (dlab) {
			m.dlm = value;
		} else {
			model_enables(value);
		}
		break;
	case 2: model_fifo_control(value); break;
	case 3: m.lcr = value; break;
	case 4:
		m.mcr = value & 31;
		model_modem_moves();
		model_transmits();
		break;
	case 7: m.scr = value; break;
	default: break;
	}
}

/* ---- the device beside it ---- */

static struct ns16550 uart;
static struct hv_chan chan;
static bool line;
static uint64_t seed;

static void on_line(void *ctl, uint32_t n, bool level)
{
	(void)ctl;
	(void)n;
	line = level;
}

/* xorshift64*: the same programs on every machine. */
static uint32_t random_u32(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dull) >> 32);
}

static unsigned below(unsigned limit)
{
	return random_u32() % limit;
}

/* Registers that make something happen come more often than the rest. */
static unsigned random_offset(void)
{
	static const uint8_t usual[] = {0, 0, 0, 0, 5, 5, 1, 2, 2, 4};

	return below(8) ? usual[below(HV_ARRAY_COUNT(usual))] : below(12);
}

/* DLAB and loopback hide much of the rest: they come less often than a bit would. */
static uint8_t random_value(unsigned off)
{
	uint8_t value = (uint8_t)random_u32();

	if (off == 3 && below(4)) {
		value &= 0x7f;
	}
	if (off == 4 && below(2)) {
		value &= 0xef;
	}
	if (off == 2 && below(4)) {
		value = (value & 0xc8) | 1;
	}
	return value;
}

static void step_access(void)
{
	static const uint8_t sizes[] = {1, 1, 1, 1, 2, 4, 8};
	unsigned off = random_offset();
	uint8_t size = sizes[below(HV_ARRAY_COUNT(sizes))];
	bool write = below(8) < 4, reaches = off < 8;
	bool straight = write && reaches && off == 0 && model_is_open();
	uint8_t value = random_value(off), want = 0;
	struct hv_access access = {.off = off, .size = size, .write = write};

	access.data = value | (size > 1 ? 0xa500u : 0);
	if (reaches && write) {
		model_write(off, value);
	} else if (reaches) {
		want = model_read(off);
	}
	model_looks(off == 5 && reaches && !write, straight);
	assert_true(ns16550_ops.access(&uart, &access));
	if (!write && access.data != want) {
		print_error("read %u: %#lx, the model says %#x\n", off, (unsigned long)access.data,
			want);
	}
	assert_true(write || access.data == want);
}

static void step_type(void)
{
	for (unsigned n = below(20); n > 0; n--) {
		uint8_t byte = (uint8_t)random_u32();

		if (hv_ring_put(&chan.to_guest, byte)) {
			push(&m.line_in, byte);
		}
	}
}

/* The other end takes what was sent; bytes that stood there before the program are no one's. */
static void step_drink(void)
{
	for (unsigned n = below(24); n > 0 && hv_ring_count(&chan.to_host) > 0; n--) {
		unsigned old = hv_ring_count(&chan.to_host) - m.line_out.count;
		uint8_t byte;

		assert_true(hv_ring_get(&chan.to_host, &byte));
		m.room++;
		if (old == 0) {
			assert_int_equal(byte, shift(&m.line_out));
		}
	}
}

static void step(void)
{
	switch (below(16)) {
	case 0: step_type(); break;
	case 1: step_drink(); break;
	case 2:
		model_transmits();
		model_receives(waits_for_bytes() ? 16 : 0);
		model_receives(m.looks == 4 ? 1 : 0);
		ns16550_ops.poll(&uart);
		break;
	case 3:
		if (below(16) == 0) {
			model_power_on();
			ns16550_ops.reset(&uart);
		}
		break;
	default: step_access(); break;
	}
	assert_int_equal(line, model_interrupt() != 1);
	assert_int_equal(hv_ring_count(&chan.to_guest), m.line_in.count);
	assert_int_equal(hv_ring_count(&chan.to_host), HV_RING_SIZE - m.room);
}

/* Counters that wrap, and a channel that is empty, nearly full or full. */
static void program_begin(void)
{
	static const uint16_t rooms[] = {HV_RING_SIZE, 20, 3, 1, 0};

	m.line_in.count = 0;
	m.line_out.count = 0;
	m.room = rooms[below(HV_ARRAY_COUNT(rooms))];
	chan.to_guest.head = chan.to_guest.tail = random_u32();
	chan.to_host.head = random_u32();
	chan.to_host.tail = chan.to_host.head - (HV_RING_SIZE - m.room);
	m.mcr = 0;
	model_power_on();
	ns16550_init(&uart, &chan, (struct hv_irq){on_line, NULL, 0});
}

static void u1_ns16550__65536_random_programs__equal_the_model(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15ull;
	for (unsigned program = 0; program < PROGRAMS; program++) {
		program_begin();
		for (unsigned i = 0; i < STEPS; i++) {
			step();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(u1_ns16550__65536_random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
