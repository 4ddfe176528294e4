/* SPDX-License-Identifier: MIT */
/*
 * U1: 2^16 random register programs against a second PL011. The model is written from the manual
 * and the device's README on its own: queues are arrays that shift, flags are worked out anew from
 * the queues, and every access says in full what may move. Slow and plain on purpose.
 */
#include <unit.h>

#include <dev/pl011/pl011.h>
#include <hv/bits.h>

#define PROGRAMS 65536u
#define STEPS    32u
#define QUEUE    1100u

struct queue {
	unsigned count;
	uint16_t item[QUEUE];
};

static void push(struct queue *q, uint16_t item)
{
	assert_true(q->count < QUEUE);
	q->item[q->count++] = item;
}

static uint16_t shift(struct queue *q)
{
	uint16_t item = q->item[0];

	q->count--;
	for (unsigned i = 0; i < q->count; i++) {
		q->item[i] = q->item[i + 1];
	}
	return item;
}

/* The model: one member per thing that the manual names. */
struct model {
	struct queue rx, tx;            /* the two FIFOs */
	struct queue line_in, line_out; /* what waits in the channel */
	unsigned room;                  /* bytes that line_out still takes */
	unsigned ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, dmacr;
	unsigned raw, rsr;
	bool lost, set_up, idle_look;
};

static struct model m;

static unsigned size_of_fifo(void)
{
	return m.lcr_h & 0x10 ? 16 : 1;
}

static unsigned level_of(unsigned select)
{
	switch (select) {
	case 0: return 2;
	case 1: return 4;
	case 2: return 8;
	case 3: return 12;
	default: return 14;
	}
}

static unsigned rx_level(void)
{
	return m.lcr_h & 0x10 ? level_of(m.ifls >> 3) : 1;
}

static unsigned tx_level(void)
{
	return m.lcr_h & 0x10 ? level_of(m.ifls & 7) : 0;
}

static bool looped(void)
{
	return m.cr & 0x80;
}

static bool enabled(void)
{
	return (m.cr & 0x201) == 0x201;
}

static bool unmasked(void)
{
	return (m.imsc & 0x10) || (m.imsc & 0x40);
}

static void model_arrives(uint8_t byte)
{
	if (m.rx.count == size_of_fifo()) {
		m.lost = true;
		m.rsr = 8;
		m.raw |= 0x400;
	} else {
		push(&m.rx, (uint16_t)(m.lost ? 0x800 + byte : byte));
		m.lost = false;
		m.raw |= m.rx.count >= rx_level() ? 0x10 : 0;
	}
}

static void model_times_out(void)
{
	if (size_of_fifo() == 16 && m.rx.count > 0) {
		m.raw |= 0x40;
	}
}

static void model_receives(bool ready)
{
	while (ready && !looped() && m.line_in.count > 0 && m.rx.count < size_of_fifo()) {
		model_arrives((uint8_t)shift(&m.line_in));
	}
	model_times_out();
}

static void model_transmits(void)
{
	while (m.tx.count > 0 && (looped() || m.room > 0)) {
		uint8_t byte = (uint8_t)shift(&m.tx);

		if (looped()) {
			model_arrives(byte);
		} else {
			push(&m.line_out, byte);
			m.room--;
		}
		m.raw |= m.tx.count <= tx_level() ? 0x20 : 0;
	}
	if (looped()) {
		model_times_out();
	}
}

static unsigned model_modem(unsigned cr)
{
	unsigned in = 0;

	if (cr & 0x80) {
		in |= cr & 0x0800 ? 1 : 0;
		in |= cr & 0x0400 ? 2 : 0;
		in |= cr & 0x1000 ? 4 : 0;
		in |= cr & 0x2000 ? 0x100 : 0;
	}
	return in;
}

/* What waits in the channel is not the UART's. */
static void model_power_on(void)
{
	m.rx.count = m.tx.count = 0;
	m.ilpr = m.ibrd = m.fbrd = m.lcr_h = m.imsc = m.dmacr = 0;
	m.raw = m.rsr = 0;
	m.lost = m.set_up = m.idle_look = false;
	m.cr = 0x300;
	m.ifls = 0x12;
}

static bool model_sees_through(void)
{
	return m.rx.count == 0 && !enabled() && !looped();
}

static unsigned model_flags(void)
{
	unsigned waits = model_sees_through() ? m.line_in.count : m.rx.count;
	unsigned fr = model_modem(m.cr);

	if (m.tx.count == 0) {
		fr |= 0x80;
	} else {
		fr |= 0x08;
	}
	if (m.tx.count == size_of_fifo()) {
		fr |= 0x20;
	}
	if (waits == 0) {
		fr |= 0x10;
	}
	if (waits >= size_of_fifo()) {
		fr |= 0x40;
	}
	return fr;
}

static unsigned model_takes(void)
{
	unsigned item = 0;

	if (model_sees_through() && m.line_in.count > 0) {
		model_arrives((uint8_t)shift(&m.line_in));
	}
	if (m.rx.count > 0) {
		item = shift(&m.rx);
		if (m.rx.count < rx_level()) {
			m.raw &= ~0x10u;
		}
		if (m.rx.count == 0) {
			m.raw &= ~0x40u;
		}
	}
	model_receives(enabled() || unmasked());
	return item;
}

/* Two looks in a row at an idle UART. */
static void model_looks(bool looks)
{
	bool idle = looks && m.rx.count == 0 && m.tx.count == 0;

	if (idle && m.idle_look) {
		model_receives(enabled());
	}
	m.idle_look = idle;
}

static unsigned model_read(unsigned off)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	switch (off) {
	case 0x000: return model_takes();
	case 0x004: return m.rsr;
	case 0x018: model_transmits(); return model_flags();
	case 0x020: return m.ilpr;
	case 0x024: return m.ibrd;
	case 0x028: return m.fbrd;
	case 0x02c: return m.lcr_h;
	case 0x030: return m.cr;
	case 0x034: return m.ifls;
	case 0x038: return m.imsc;
	case 0x03c: return m.raw;
	case 0x040: return m.raw & m.imsc;
	case 0x048: return m.dmacr;
	default: return off < 0xfe0 ? 0 : id[(off - 0xfe0) / 4];
	}
}

static void model_sends(uint8_t byte)
{
	model_transmits();
	if (m.tx.count < size_of_fifo()) {
		push(&m.tx, byte);
		if (m.tx.count > tx_level()) {
			m.raw &= ~0x20u;
		}
		model_transmits();
	}
}

static void model_line_control(unsigned value)
{
	bool falls = (m.lcr_h & 0x10) && !(value & 0x10);

	m.lcr_h = value;
	if (falls) {
		m.rx.count = 0;
		m.tx.count = 0;
	}
	if (m.rx.count < rx_level()) {
		m.raw &= ~0x10u;
	}
	if (m.rx.count == 0) {
		m.raw &= ~0x40u;
	}
	model_times_out();
}

static void model_control(unsigned value)
{
	unsigned change = model_modem(m.cr) ^ model_modem(value);

	m.cr = value;
	m.set_up = true;
	m.raw |= change & 0x100 ? 1 : 0;
	m.raw |= change & 1 ? 2 : 0;
	m.raw |= change & 4 ? 4 : 0;
	m.raw |= change & 2 ? 8 : 0;
}

static void model_write(unsigned off, uint32_t value)
{
	switch (off) {
	case 0x000: model_sends((uint8_t)value); break;
	case 0x004: m.rsr = 0; break;
	case 0x020: m.ilpr = value & 0xff; break;
	case 0x024: m.ibrd = value & 0xffff; break;
	case 0x028: m.fbrd = value & 0x3f; break;
	case 0x02c: model_line_control(value & 0xff); break;
	case 0x030: model_control(value & 0xff87); break;
	case 0x034: m.ifls = value & 0x3f; break;
	case 0x038:
		m.imsc = value & 0x7ff;
		model_receives(unmasked() && (enabled() || !m.set_up));
		break;
	case 0x044:
		m.raw &= ~value;
		model_times_out();
		break;
	case 0x048: m.dmacr = value & 7; break;
	default: break;
	}
}

/* ---- the device beside it ---- */

static struct pl011 uart;
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
	static const uint16_t usual[] = {PL011_DR, PL011_DR, PL011_DR, PL011_FR, PL011_RSR,
		PL011_LCR_H, PL011_CR, PL011_IFLS, PL011_IMSC, PL011_RIS, PL011_MIS, PL011_ICR};

	return below(16) ? usual[below(HV_ARRAY_COUNT(usual))] : below(0x1000);
}

static uint32_t random_value(unsigned off)
{
	if (off == PL011_CR && below(2)) {
		return 0x301 | (below(4) ? 0 : 0x80);
	}
	return random_u32();
}

static void step_access(void)
{
	static const uint8_t sizes[] = {1, 2, 4, 4, 4, 4, 8};
	unsigned off = random_offset();
	uint8_t size = sizes[below(HV_ARRAY_COUNT(sizes))];
	bool write = below(8) < 5;
	uint64_t limit = size == 8 ? UINT64_MAX : HV_BIT(8 * size) - 1;
	struct hv_access access = {.size = size, .write = write};
	bool reaches;

	off = off + size > 0x1000 ? 0x1000u - size : off;
	reaches = size < 8 && off % 4 == 0;
	access.off = off;
	access.data = random_value(off) & limit;
	if (write && reaches) {
		model_write(off, (uint32_t)access.data);
	}
	if (write) {
		model_looks(false);
	}
	assert_true(pl011_ops.access(&uart, &access));
	if (!write) {
		uint64_t want = reaches ? model_read(off) & limit : 0;

		if (access.data != want) {
			print_error("read %#x: %#lx, the model says %#lx\n", off,
				(unsigned long)access.data, (unsigned long)want);
		}
		assert_true(access.data == want);
		model_looks(off == 0x18 || off == 0x3c || off == 0x40);
	}
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
		model_receives(unmasked());
		pl011_ops.poll(&uart);
		break;
	case 3:
		if (below(16) == 0) {
			model_power_on();
			pl011_ops.reset(&uart);
		}
		break;
	default: step_access(); break;
	}
	assert_int_equal(line, (m.raw & m.imsc) != 0);
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
	model_power_on();
	pl011_init(&uart, &chan, (struct hv_irq){on_line, NULL, 0});
}

static void u1_pl011__65536_random_programs__equal_the_model(void **state)
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
		hv_unit_test(u1_pl011__65536_random_programs__equal_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
