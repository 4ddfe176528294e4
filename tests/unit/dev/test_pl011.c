/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/pl011/pl011.h>
#include <hv/bits.h>

#define FIFOS  PL011_LCR_H_FEN
#define ENABLE (PL011_CR_UARTEN | PL011_CR_RXE | PL011_CR_TXE)
#define LOOP   (ENABLE | PL011_CR_LBE)

struct bench {
	struct pl011 uart;
	struct hv_chan chan;
	bool line;
	unsigned edges, sent, taken;
};

static struct bench bench;

static void on_line(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	assert_int_equal(line, 33);
	b->line = level;
	b->edges++;
}

static void on_sent(void *ctl, uint32_t line, bool level)
{
	(void)line;
	assert_true(level);
	((struct bench *)ctl)->sent++;
}

static void on_taken(void *ctl, uint32_t line, bool level)
{
	(void)line;
	assert_true(level);
	((struct bench *)ctl)->taken++;
}

static int bench_setup(void **state)
{
	bench = (struct bench){.line = true};
	bench.chan.sent = (struct hv_irq){on_sent, &bench, 0};
	bench.chan.taken = (struct hv_irq){on_taken, &bench, 0};
	pl011_init(&bench.uart, &bench.chan, (struct hv_irq){on_line, &bench, 33});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {.off = off, .data = data, .size = size, .write = write};

	assert_true(pl011_ops.access(&bench.uart, &access));
	return access.data;
}

static uint32_t rd(uint64_t off)
{
	return (uint32_t)access(off, 4, false, 0xdeadbeef);
}

static void wr(uint64_t off, uint32_t value)
{
	access(off, 4, true, value);
}

static void poll(void)
{
	pl011_ops.poll(&bench.uart);
}

/* The other end types; it does not tell the device. */
static void type(const char *text)
{
	for (; *text; text++) {
		assert_true(hv_ring_put(&bench.chan.to_guest, (uint8_t)*text));
	}
}

static void type_n(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_true(hv_ring_put(&bench.chan.to_guest, (uint8_t)('a' + i % 26)));
	}
}

/* The other end reads `count` bytes. */
static void drink(unsigned count)
{
	uint8_t byte;

	for (unsigned i = 0; i < count; i++) {
		assert_true(hv_ring_get(&bench.chan.to_host, &byte));
	}
}

static void block_output(void)
{
	while (hv_ring_put(&bench.chan.to_host, '.')) {
	}
}

static bool raw(unsigned intr)
{
	return (rd(PL011_RIS) & intr) != 0;
}

static void enable(unsigned lcr_h)
{
	wr(PL011_LCR_H, lcr_h);
	wr(PL011_CR, ENABLE);
}

/* As a driver that works by interrupts. */
static void listen(unsigned lcr_h)
{
	enable(lcr_h);
	wr(PL011_IMSC, PL011_INT_RX | PL011_INT_RT);
}

/* ---- registers ---- */

static void pl011_reset__power_on__has_the_reset_values_of_the_manual(void **state)
{
	(void)state;
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	assert_int_equal(rd(PL011_CR), 0x300);
	assert_int_equal(rd(PL011_IFLS), 0x12);
	assert_int_equal(rd(PL011_RIS), 0);
	assert_int_equal(rd(PL011_MIS), 0);
	assert_int_equal(rd(PL011_IMSC), 0);
	assert_int_equal(rd(PL011_LCR_H), 0);
	assert_int_equal(rd(PL011_RSR), 0);
	assert_int_equal(rd(PL011_DR), 0);
}

static void pl011_reset__line_was_high__drives_it_low_and_forgets_all_but_its_wiring(void **state)
{
	(void)state;
	assert_false(bench.line);
	enable(FIFOS);
	wr(PL011_IMSC, PL011_INT_TX);
	wr(PL011_DR, 'x');
	assert_true(bench.line);
	pl011_ops.reset(&bench.uart);
	assert_false(bench.line);
	assert_int_equal(rd(PL011_LCR_H), 0);
	assert_int_equal(rd(PL011_IMSC), 0);
	assert_int_equal(rd(PL011_RIS), 0);
	wr(PL011_DR, 'y');
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 2);
}

static void pl011_storage__all_ones_then_zero__keeps_only_the_bits_that_exist(void **state)
{
	static const struct {
		uint16_t off, mask;
	} reg[] = {
		{PL011_ILPR, 0xff},
		{PL011_IBRD, 0xffff},
		{PL011_FBRD, 0x3f},
		{PL011_LCR_H, 0xff},
		{PL011_CR, 0xff87},
		{PL011_IFLS, 0x3f},
		{PL011_IMSC, 0x7ff},
		{PL011_DMACR, 7},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(reg); i++) {
		wr(reg[i].off, 0xffffffff);
		assert_int_equal(rd(reg[i].off), reg[i].mask);
		wr(reg[i].off, 0);
		assert_int_equal(rd(reg[i].off), 0);
	}
}

static void pl011_id__each_byte__names_a_16_byte_fifo_pl011(void **state)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(rd(PL011_ID + 4 * i), id[i]);
		wr(PL011_ID + 4 * i, 0);
		assert_int_equal(access(PL011_ID + 4 * i, 1, false, 0), id[i]);
	}
}

static void u1_pl011_access__sizes_1_2_4_at_a_register__reach_it(void **state)
{
	(void)state;
	access(PL011_IBRD, 2, true, 0x1234);
	assert_int_equal(access(PL011_IBRD, 1, false, 0), 0x34);
	assert_int_equal(access(PL011_IBRD, 2, false, 0), 0x1234);
	assert_int_equal(access(PL011_IBRD, 4, false, 0), 0x1234);
	access(PL011_DR, 1, true, 'b');
	access(PL011_DR, 2, true, 'h');
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 2);
}

static void u1_pl011_access__eight_bytes_or_unaligned__is_raz_wi(void **state)
{
	(void)state;
	access(PL011_DR, 8, true, 'q');
	access(PL011_DR + 1, 1, true, 'q');
	access(PL011_IBRD + 2, 2, true, 0xffff);
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
	assert_int_equal(rd(PL011_IBRD), 0);
	assert_int_equal(access(PL011_FR, 8, false, ~0ull), 0);
	assert_int_equal(access(PL011_FR + 1, 1, false, ~0ull), 0);
	assert_int_equal(access(PL011_ID + 2, 2, false, ~0ull), 0);
}

static void u1_pl011_access__unknown_offsets__are_raz_wi(void **state)
{
	struct pl011 before;

	(void)state;
	before = bench.uart;
	for (unsigned off = 0; off < 0x1000; off += 4) {
		bool hole = (off > PL011_RSR && off < PL011_FR) || off == PL011_FR + 4 ||
			    (off > PL011_DMACR && off < PL011_ID);

		if (hole) {
			wr(off, 0xffffffff);
			assert_int_equal(rd(off), 0);
		}
	}
	assert_memory_equal(&before, &bench.uart, sizeof(before));
}

static void pl011_readonly__written__does_not_change(void **state)
{
	(void)state;
	wr(PL011_FR, 0);
	wr(PL011_RIS, 0x7ff);
	wr(PL011_MIS, 0x7ff);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	assert_int_equal(rd(PL011_RIS), 0);
	assert_int_equal(rd(PL011_ICR), 0);
}

/* ---- transmit ---- */

static void pl011_tx__uart_never_enabled__transmits_all_eight_bits(void **state)
{
	uint8_t byte = 0;

	(void)state;
	wr(PL011_CR, 0);
	wr(PL011_DR, 0xfff00 | 0xe9);
	assert_true(hv_ring_get(&bench.chan.to_host, &byte));
	assert_int_equal(byte, 0xe9);
	assert_int_equal(bench.sent, 1);
}

static void u6_pl011_tx__every_byte_value__passes_unchanged(void **state)
{
	uint8_t byte = 0;

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		wr(PL011_DR, i);
		assert_true(hv_ring_get(&bench.chan.to_host, &byte));
		assert_int_equal(byte, i);
	}
}

static void u6_pl011_tx__flood_that_nobody_reads__is_bounded(void **state)
{
	(void)state;
	wr(PL011_LCR_H, FIFOS);
	for (unsigned i = 0; i < 100000; i++) {
		wr(PL011_DR, i);
	}
	assert_int_equal(hv_ring_count(&bench.chan.to_host), HV_RING_SIZE);
	assert_int_equal(bench.uart.tx.count, PL011_DEPTH);
}

static void u4_pl011_tx__ring_full__fifo_fills_and_txff_pushes_back(void **state)
{
	(void)state;
	wr(PL011_LCR_H, FIFOS);
	block_output();
	for (unsigned i = 0; i < PL011_DEPTH; i++) {
		assert_false(rd(PL011_FR) & PL011_FR_TXFF);
		wr(PL011_DR, '0' + i);
		assert_true(rd(PL011_FR) & PL011_FR_BUSY);
		assert_false(rd(PL011_FR) & PL011_FR_TXFE);
	}
	assert_true(rd(PL011_FR) & PL011_FR_TXFF);
	wr(PL011_DR, 'X'); /* lost */
	assert_int_equal(bench.sent, 0);
	drink(HV_RING_SIZE);
	poll();
	assert_int_equal(bench.sent, 1);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	for (unsigned i = 0; i < PL011_DEPTH; i++) {
		uint8_t byte = 0;

		assert_true(hv_ring_get(&bench.chan.to_host, &byte));
		assert_int_equal(byte, '0' + i);
	}
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
}

static void u4_pl011_tx__ring_full_without_fifos__one_byte_is_held(void **state)
{
	(void)state;
	block_output();
	wr(PL011_DR, 'a');
	assert_true(rd(PL011_FR) & PL011_FR_TXFF);
	wr(PL011_DR, 'b');
	drink(3);
	assert_false(rd(PL011_FR) & PL011_FR_TXFF); /* FR looks again, even with no poll */
	assert_int_equal(hv_ring_count(&bench.chan.to_host), HV_RING_SIZE - 2);
}

static void u4_pl011_tx__host_makes_room_for_some__keeps_the_order_of_the_rest(void **state)
{
	uint8_t byte = 0;

	(void)state;
	wr(PL011_LCR_H, FIFOS);
	block_output();
	for (unsigned i = 0; i < 10; i++) {
		wr(PL011_DR, '0' + i);
	}
	drink(3);
	poll();
	assert_int_equal(bench.uart.tx.count, 7);
	drink(HV_RING_SIZE);
	wr(PL011_DR, 'z');
	for (unsigned i = 3; i < 10; i++) {
		assert_true(hv_ring_get(&bench.chan.to_host, &byte));
		assert_int_equal(byte, '0' + i);
	}
	assert_true(hv_ring_get(&bench.chan.to_host, &byte));
	assert_int_equal(byte, 'z');
}

static void pl011_tx_interrupt__nothing_sent_yet__is_not_raised(void **state)
{
	(void)state;
	enable(FIFOS);
	wr(PL011_IMSC, PL011_INT_TX);
	poll();
	assert_false(raw(PL011_INT_TX));
	assert_false(bench.line);
}

static void pl011_tx_interrupt__byte_leaves__raises_and_icr_lowers_the_line(void **state)
{
	(void)state;
	enable(FIFOS);
	wr(PL011_DR, 'a');
	assert_true(raw(PL011_INT_TX));
	assert_int_equal(rd(PL011_MIS), 0);
	assert_false(bench.line);
	wr(PL011_IMSC, PL011_INT_TX);
	assert_int_equal(rd(PL011_MIS), PL011_INT_TX);
	assert_true(bench.line);
	wr(PL011_ICR, PL011_INT_TX);
	assert_false(raw(PL011_INT_TX));
	assert_false(bench.line);
}

static void u5_pl011_tx_interrupt__fifo_drains_through_each_trigger__rises_there(void **state)
{
	static const uint8_t level[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	(void)state;
	wr(PL011_LCR_H, FIFOS);
	for (unsigned sel = 0; sel < 8; sel++) {
		block_output();
		wr(PL011_IFLS, sel);
		for (unsigned i = 0; i < PL011_DEPTH; i++) {
			wr(PL011_DR, 'x');
		}
		assert_false(raw(PL011_INT_TX)); /* filling past the level took it back */
		for (unsigned left = PL011_DEPTH - 1; left > level[sel]; left--) {
			drink(1);
			poll();
			assert_int_equal(bench.uart.tx.count, left);
			assert_false(raw(PL011_INT_TX));
		}
		drink(1);
		poll();
		assert_int_equal(bench.uart.tx.count, level[sel]);
		assert_true(raw(PL011_INT_TX));
		drink(HV_RING_SIZE);
		poll();
	}
}

static void u5_pl011_tx_interrupt__no_fifos__rises_when_the_holding_register_empties(void **state)
{
	(void)state;
	block_output();
	wr(PL011_DR, 'x');
	assert_false(raw(PL011_INT_TX));
	drink(1);
	poll();
	assert_true(raw(PL011_INT_TX));
}

/*
 * What amba-pl011 does: fill while not full, then half a FIFO per interrupt without looking at
 * TXFF, which the trigger level promises to have room for.
 */
static void u4_pl011_tx__driver_writes_half_a_fifo_per_interrupt__loses_nothing(void **state)
{
	unsigned next = 0, taken = 0, refills = 0;
	uint8_t byte = 0;

	(void)state;
	enable(FIFOS);
	block_output();
	while (!(rd(PL011_FR) & PL011_FR_TXFF)) {
		wr(PL011_DR, next++);
	}
	wr(PL011_IMSC, PL011_INT_TX);
	assert_false(bench.line);
	while (hv_ring_get(&bench.chan.to_host, &byte)) { /* the host is slow: byte by byte */
		if (taken >= HV_RING_SIZE) {
			assert_int_equal(byte, taken - HV_RING_SIZE);
		}
		taken++;
		poll();
		if (bench.line && next < 200) {
			for (unsigned i = 0; i < PL011_DEPTH / 2; i++) {
				wr(PL011_DR, next++);
			}
			refills++;
			assert_false(bench.line);
		}
	}
	assert_int_equal(next, 200);
	assert_int_equal(taken, HV_RING_SIZE + next);
	assert_int_equal(refills, (200 - PL011_DEPTH) / (PL011_DEPTH / 2));
}

/* ---- receive ---- */

static void pl011_rx__poll__pulls_what_fits_and_tells_the_owner(void **state)
{
	(void)state;
	listen(FIFOS);
	type_n(20);
	poll();
	assert_int_equal(bench.taken, 1);
	assert_int_equal(bench.uart.rx.count, PL011_DEPTH);
	assert_int_equal(hv_ring_count(&bench.chan.to_guest), 4);
	assert_true(rd(PL011_FR) & PL011_FR_RXFF);
	poll();
	assert_int_equal(bench.taken, 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_false(rd(PL011_FR) & PL011_FR_RXFE);
		assert_int_equal(rd(PL011_DR), 'a' + i);
	}
	assert_int_equal(bench.taken, 5); /* each DR read made room for one more */
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	assert_int_equal(rd(PL011_DR), 0);
	assert_false(raw(PL011_INT_OE));
}

static void u2_pl011_rx__no_fifos__holds_one_byte(void **state)
{
	(void)state;
	listen(0);
	type("ab");
	poll();
	assert_int_equal(hv_ring_count(&bench.chan.to_guest), 1);
	assert_true(rd(PL011_FR) & PL011_FR_RXFF);
	assert_true(raw(PL011_INT_RX));
	assert_false(raw(PL011_INT_RT));
	assert_int_equal(rd(PL011_DR), 'a');
	assert_true(raw(PL011_INT_RX)); /* 'b' is there already */
	assert_int_equal(rd(PL011_DR), 'b');
	assert_false(raw(PL011_INT_RX));
}

static void u5_pl011_rx_interrupt__each_trigger__rises_at_it_and_falls_below(void **state)
{
	static const uint8_t level[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	(void)state;
	enable(FIFOS);
	wr(PL011_IMSC, PL011_INT_RX);
	for (unsigned sel = 0; sel < 8; sel++) {
		wr(PL011_IFLS, sel << 3);
		type_n(level[sel] - 1u);
		poll();
		assert_false(bench.line);
		type_n(1);
		poll();
		assert_true(bench.line);
		(void)rd(PL011_DR);
		assert_false(bench.line);
		while (!(rd(PL011_FR) & PL011_FR_RXFE)) {
			(void)rd(PL011_DR);
		}
	}
}

static void u5_pl011_rx_interrupt__cleared_above_the_trigger__next_byte_raises_it(void **state)
{
	(void)state;
	enable(FIFOS);
	type_n(9);
	poll();
	wr(PL011_ICR, PL011_INT_RX);
	assert_false(raw(PL011_INT_RX));
	poll();
	assert_false(raw(PL011_INT_RX));
	type_n(1);
	poll();
	assert_true(raw(PL011_INT_RX));
}

static void u2_pl011_rx_trigger__changed_while_bytes_wait__next_move_decides(void **state)
{
	(void)state;
	listen(FIFOS);
	type_n(4);
	poll();
	assert_false(raw(PL011_INT_RX));
	wr(PL011_IFLS, 0);
	assert_false(raw(PL011_INT_RX)); /* no byte moved through the level */
	type_n(1);
	poll();
	assert_true(raw(PL011_INT_RX));
	wr(PL011_IFLS, 4 << 3);
	assert_true(raw(PL011_INT_RX));
	(void)rd(PL011_DR);
	assert_false(raw(PL011_INT_RX));
}

static void u5_pl011_rx_timeout__bytes_below_the_trigger__raises_until_empty(void **state)
{
	(void)state;
	enable(FIFOS);
	wr(PL011_IMSC, PL011_INT_RT);
	poll();
	assert_false(bench.line);
	type("hi");
	poll();
	assert_true(bench.line);
	assert_int_equal(rd(PL011_MIS), PL011_INT_RT);
	assert_int_equal(rd(PL011_DR), 'h');
	assert_true(bench.line);
	assert_int_equal(rd(PL011_DR), 'i');
	assert_false(bench.line);
}

/* A handler that empties the FIFO and then clears must not lose what came in between. */
static void u5_pl011_rx_timeout__cleared_with_bytes_left__is_raised_again(void **state)
{
	(void)state;
	listen(FIFOS);
	type("hi");
	poll();
	assert_int_equal(rd(PL011_DR), 'h');
	wr(PL011_ICR, PL011_INT_RT | PL011_INT_RX);
	assert_true(bench.line);
	assert_int_equal(rd(PL011_DR), 'i');
	wr(PL011_ICR, PL011_INT_RT | PL011_INT_RX);
	assert_false(bench.line);
	poll();
	assert_false(bench.line);
}

/* The register accesses of Linux, from its early console to user space (amba-pl011.c, 6.1). */
static void pl011_rx__typed_before_linux_is_up__is_all_there(void **state)
{
	static const char text[] = "uname -a\npoweroff\nand more than one FIFO holds";
	unsigned drained = 0;

	(void)state;
	type(text);
	poll();
	for (unsigned i = 0; i < 10; i++) { /* early console */
		assert_false(rd(PL011_FR) & PL011_FR_TXFF);
		wr(PL011_DR, 'e');
		assert_false(rd(PL011_FR) & PL011_FR_BUSY);
	}
	wr(PL011_IMSC, 0); /* probe */
	wr(PL011_ICR, 0xffff);
	wr(PL011_CR, 0); /* set_termios of the console */
	wr(PL011_LCR_H, 0x60 | FIFOS);
	wr(PL011_CR, PL011_CR_RXE | PL011_CR_TXE);
	for (unsigned line = 0; line < 3; line++) { /* console_write */
		wr(PL011_CR, ENABLE);
		for (unsigned i = 0; i < 10; i++) {
			assert_false(rd(PL011_FR) & PL011_FR_TXFF);
			wr(PL011_DR, 'k');
		}
		assert_false(rd(PL011_FR) & PL011_FR_BUSY);
		wr(PL011_CR, PL011_CR_RXE | PL011_CR_TXE);
	}
	wr(PL011_ICR, 0x7f0); /* hwinit */
	wr(PL011_IMSC, PL011_INT_RT | PL011_INT_RX);
	wr(PL011_IFLS, 0x12);
	wr(PL011_CR, ENABLE | PL011_CR_RTS | PL011_CR_DTR); /* startup */
	wr(PL011_ICR, PL011_INT_RT | PL011_INT_RX);
	while (drained < 32 && !(rd(PL011_FR) & PL011_FR_RXFE)) {
		(void)rd(PL011_DR);
		drained++;
	}
	assert_int_equal(drained, 0);
	wr(PL011_IMSC, PL011_INT_RT | PL011_INT_RX);
	assert_true(bench.line);
	for (unsigned i = 0; text[i]; i++) {
		assert_false(rd(PL011_FR) & PL011_FR_RXFE);
		assert_int_equal(rd(PL011_DR), text[i]);
	}
	assert_false(bench.line);
}

static void pl011_rx__unmasking_a_receive_interrupt__starts_reception(void **state)
{
	static const uint16_t intr[] = {PL011_INT_RX, PL011_INT_RT};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		pl011_ops.reset(&bench.uart);
		wr(PL011_LCR_H, FIFOS);
		wr(PL011_IFLS, 0);
		type("ab");
		wr(PL011_IMSC, intr[i]);
		assert_true(bench.line);
		assert_int_equal(rd(PL011_DR), 'a');
		assert_int_equal(rd(PL011_DR), 'b');
		assert_false(bench.line);
	}
}

static void pl011_rx__set_up_but_disabled__unmasking_waits_for_the_poll(void **state)
{
	(void)state;
	wr(PL011_CR, PL011_CR_RXE | PL011_CR_TXE);
	type("a");
	wr(PL011_IMSC, PL011_INT_RX);
	assert_false(bench.line);
	poll();
	assert_true(bench.line);
	assert_int_equal(rd(PL011_DR), 'a');
	assert_false(bench.line);
}

static void pl011_rx__uart_never_enabled__polling_program_reads_the_channel(void **state)
{
	(void)state;
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	type("ok");
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFF);
	assert_int_equal(rd(PL011_DR), 'o');
	assert_int_equal(bench.taken, 1);
	assert_int_equal(rd(PL011_DR), 'k');
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	assert_int_equal(rd(PL011_DR), 0);
}

static void pl011_rx__uart_never_enabled_with_fifos__flags_count_the_channel(void **state)
{
	(void)state;
	wr(PL011_LCR_H, FIFOS);
	type_n(PL011_DEPTH - 1);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE);
	type_n(1);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFF);
}

static void pl011_rx__enabled_polling_program__gets_bytes_at_its_second_look(void **state)
{
	static const uint16_t look[] = {PL011_FR, PL011_RIS, PL011_MIS};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		enable(0);
		type("z");
		poll();
		assert_true(rd(PL011_FR) & PL011_FR_RXFE);
		(void)rd(look[i]);
		assert_false(rd(PL011_FR) & PL011_FR_RXFE);
		assert_int_equal(rd(PL011_DR), 'z');
	}
}

static void pl011_rx__enabled_program_that_prints__takes_nothing_in(void **state)
{
	(void)state;
	enable(FIFOS);
	type("z");
	for (unsigned i = 0; i < 10; i++) {
		(void)rd(PL011_FR);
		wr(PL011_DR, 'x');
	}
	assert_int_equal(bench.taken, 0);
	block_output();
	wr(PL011_DR, 'x');
	for (unsigned i = 0; i < 10; i++) {
		assert_true(rd(PL011_FR) & PL011_FR_BUSY); /* it waits to send, not for us */
	}
	assert_int_equal(bench.taken, 0);
}

static void pl011_rx__enabled_program_that_reads_blindly__gets_it_at_the_next_read(void **state)
{
	(void)state;
	enable(FIFOS);
	type("z");
	assert_int_equal(rd(PL011_DR), 0);
	assert_int_equal(rd(PL011_DR), 'z');
}

/* ---- FIFO control, loopback, overrun ---- */

static void u2_pl011_fifos_disabled_while_full__both_empty_and_count_again(void **state)
{
	(void)state;
	listen(FIFOS);
	block_output();
	type_n(PL011_DEPTH);
	poll();
	for (unsigned i = 0; i < PL011_DEPTH; i++) {
		wr(PL011_DR, 'x');
	}
	wr(PL011_LCR_H, 0);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	assert_false(raw(PL011_INT_RX | PL011_INT_RT));
	wr(PL011_LCR_H, FIFOS);
	type("n");
	poll();
	assert_int_equal(rd(PL011_DR), 'n');
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
}

static void u2_pl011_fifos_enabled_with_a_held_byte__it_is_the_first_entry(void **state)
{
	(void)state;
	listen(0);
	block_output();
	wr(PL011_DR, 't');
	type("r");
	poll();
	assert_true(raw(PL011_INT_RX));
	wr(PL011_LCR_H, FIFOS);
	assert_false(raw(PL011_INT_RX)); /* one byte is below the trigger now */
	assert_true(raw(PL011_INT_RT));
	assert_int_equal(rd(PL011_DR), 'r');
	assert_int_equal(bench.uart.tx.count, 1);
}

static void u2_pl011_loopback__bytes_sent__come_back_and_never_leave(void **state)
{
	(void)state;
	wr(PL011_LCR_H, FIFOS);
	wr(PL011_CR, LOOP);
	type("q"); /* from outside: waits */
	wr(PL011_DR, 'a');
	wr(PL011_DR, 'b');
	poll();
	assert_int_equal(bench.sent, 0);
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
	assert_true(raw(PL011_INT_RT));
	assert_int_equal(rd(PL011_DR), 'a');
	assert_int_equal(rd(PL011_DR), 'b');
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	wr(PL011_CR, ENABLE);
	wr(PL011_IMSC, PL011_INT_RX);
	assert_int_equal(rd(PL011_DR), 'q');
}

static void u2_pl011_overrun__flag_in_rsr_at_once_and_in_the_next_byte(void **state)
{
	(void)state;
	wr(PL011_LCR_H, FIFOS);
	wr(PL011_CR, LOOP);
	for (unsigned i = 0; i < PL011_DEPTH; i++) {
		wr(PL011_DR, 'a' + i);
	}
	assert_true(rd(PL011_FR) & PL011_FR_RXFF);
	assert_false(raw(PL011_INT_OE));
	wr(PL011_IMSC, PL011_INT_OE);
	wr(PL011_DR, 'X');
	assert_true(bench.line);
	assert_int_equal(rd(PL011_RSR), PL011_RSR_OE);
	for (unsigned i = 0; i < PL011_DEPTH; i++) {
		assert_int_equal(rd(PL011_DR), 'a' + i);
	}
	wr(PL011_DR, 'y');
	wr(PL011_DR, 'z');
	assert_int_equal(rd(PL011_DR), PL011_DR_OE | 'y');
	assert_int_equal(rd(PL011_DR), 'z');
	assert_int_equal(rd(PL011_RSR), PL011_RSR_OE);
	wr(PL011_RSR, 0);
	assert_int_equal(rd(PL011_RSR), 0);
	wr(PL011_ICR, PL011_INT_OE);
	assert_false(bench.line);
}

static void u2_pl011_loopback__without_fifos__second_byte_overruns(void **state)
{
	(void)state;
	wr(PL011_CR, LOOP);
	wr(PL011_DR, 'a');
	wr(PL011_DR, 'b');
	assert_true(raw(PL011_INT_OE));
	assert_int_equal(access(PL011_DR, 1, false, 0), 'a');
}

static void pl011_loopback__modem_outputs__feed_the_inputs_and_their_interrupts(void **state)
{
	static const struct {
		uint16_t cr, fr, intr;
	} wire[] = {
		{PL011_CR_RTS, PL011_FR_CTS, PL011_INT_CTS},
		{PL011_CR_DTR, PL011_FR_DSR, PL011_INT_DSR},
		{PL011_CR_OUT1, PL011_FR_DCD, PL011_INT_DCD},
		{PL011_CR_OUT2, PL011_FR_RI, PL011_INT_RI},
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		wr(PL011_CR, wire[i].cr);
		assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
		assert_false(raw(0x7ff));
		wr(PL011_CR, wire[i].cr | PL011_CR_LBE);
		assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE | wire[i].fr);
		assert_int_equal(rd(PL011_RIS), wire[i].intr);
		wr(PL011_ICR, wire[i].intr);
		wr(PL011_CR, PL011_CR_LBE);
		assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
		assert_int_equal(rd(PL011_RIS), wire[i].intr);
		wr(PL011_ICR, wire[i].intr);
	}
}

static void u5_pl011_icr__each_bit__clears_only_its_own(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 11; bit++) {
		bench.uart.ris = 0x7ff;
		wr(PL011_ICR, 1u << bit);
		assert_int_equal(rd(PL011_RIS), 0x7ff & ~(1u << bit));
	}
}

static void u5_pl011_mis__each_bit__is_raw_and_mask_and_drives_the_line(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 11; bit++) {
		bench.uart.ris = (uint16_t)(1u << bit);
		wr(PL011_IMSC, 0x7ff & ~(1u << bit));
		assert_int_equal(rd(PL011_MIS), 0);
		assert_false(bench.line);
		wr(PL011_IMSC, 1u << bit);
		assert_int_equal(rd(PL011_MIS), 1u << bit);
		assert_true(bench.line);
		wr(PL011_IMSC, 0);
		assert_false(bench.line);
	}
	assert_int_equal(bench.edges, 1 + 2 * 11); /* told on changes only */
}

static void pl011_pins__none_connected__is_harmless(void **state)
{
	(void)state;
	bench.chan.sent.set = NULL;
	bench.chan.taken.set = NULL;
	pl011_init(&bench.uart, &bench.chan, (struct hv_irq){0});
	enable(FIFOS);
	wr(PL011_IMSC, 0x7ff);
	type("x");
	poll();
	wr(PL011_DR, 'y');
	assert_int_equal(rd(PL011_DR), 'x');
}

static uint8_t passed;
static bool takes;

static bool on_pass(struct hv_chan *chan, uint8_t byte)
{
	assert_ptr_equal(chan, &bench.chan);
	passed = byte;
	return takes;
}

static void pl011_dr__owner_takes_bytes_at_once__not_by_the_ring(void **state)
{
	(void)state;
	bench.chan.pass = on_pass;
	takes = true;
	wr(PL011_DR, 'x');
	assert_int_equal(passed, 'x');
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
	assert_int_equal(bench.sent, 0);
	assert_true(rd(PL011_RIS) & PL011_INT_TX);
}

static void pl011_dr__owner_takes_none_now__by_the_ring(void **state)
{
	(void)state;
	bench.chan.pass = on_pass;
	takes = false;
	wr(PL011_DR, 'y');
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 1);
	assert_int_equal(bench.sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(pl011_dr__owner_takes_bytes_at_once__not_by_the_ring),
		bench_test(pl011_dr__owner_takes_none_now__by_the_ring),
		bench_test(pl011_reset__power_on__has_the_reset_values_of_the_manual),
		bench_test(
			pl011_reset__line_was_high__drives_it_low_and_forgets_all_but_its_wiring),
		bench_test(pl011_storage__all_ones_then_zero__keeps_only_the_bits_that_exist),
		bench_test(pl011_id__each_byte__names_a_16_byte_fifo_pl011),
		bench_test(u1_pl011_access__sizes_1_2_4_at_a_register__reach_it),
		bench_test(u1_pl011_access__eight_bytes_or_unaligned__is_raz_wi),
		bench_test(u1_pl011_access__unknown_offsets__are_raz_wi),
		bench_test(pl011_readonly__written__does_not_change),
		bench_test(pl011_tx__uart_never_enabled__transmits_all_eight_bits),
		bench_test(u6_pl011_tx__every_byte_value__passes_unchanged),
		bench_test(u6_pl011_tx__flood_that_nobody_reads__is_bounded),
		bench_test(u4_pl011_tx__ring_full__fifo_fills_and_txff_pushes_back),
		bench_test(u4_pl011_tx__ring_full_without_fifos__one_byte_is_held),
		bench_test(u4_pl011_tx__host_makes_room_for_some__keeps_the_order_of_the_rest),
		bench_test(u4_pl011_tx__driver_writes_half_a_fifo_per_interrupt__loses_nothing),
		bench_test(pl011_tx_interrupt__nothing_sent_yet__is_not_raised),
		bench_test(pl011_tx_interrupt__byte_leaves__raises_and_icr_lowers_the_line),
		bench_test(u5_pl011_tx_interrupt__fifo_drains_through_each_trigger__rises_there),
		bench_test(
			u5_pl011_tx_interrupt__no_fifos__rises_when_the_holding_register_empties),
		bench_test(pl011_rx__poll__pulls_what_fits_and_tells_the_owner),
		bench_test(u2_pl011_rx__no_fifos__holds_one_byte),
		bench_test(u5_pl011_rx_interrupt__each_trigger__rises_at_it_and_falls_below),
		bench_test(u5_pl011_rx_interrupt__cleared_above_the_trigger__next_byte_raises_it),
		bench_test(u2_pl011_rx_trigger__changed_while_bytes_wait__next_move_decides),
		bench_test(u5_pl011_rx_timeout__bytes_below_the_trigger__raises_until_empty),
		bench_test(u5_pl011_rx_timeout__cleared_with_bytes_left__is_raised_again),
		bench_test(pl011_rx__typed_before_linux_is_up__is_all_there),
		bench_test(pl011_rx__unmasking_a_receive_interrupt__starts_reception),
		bench_test(pl011_rx__set_up_but_disabled__unmasking_waits_for_the_poll),
		bench_test(pl011_rx__uart_never_enabled__polling_program_reads_the_channel),
		bench_test(pl011_rx__uart_never_enabled_with_fifos__flags_count_the_channel),
		bench_test(pl011_rx__enabled_polling_program__gets_bytes_at_its_second_look),
		bench_test(pl011_rx__enabled_program_that_prints__takes_nothing_in),
		bench_test(pl011_rx__enabled_program_that_reads_blindly__gets_it_at_the_next_read),
		bench_test(u2_pl011_fifos_disabled_while_full__both_empty_and_count_again),
		bench_test(u2_pl011_fifos_enabled_with_a_held_byte__it_is_the_first_entry),
		bench_test(u2_pl011_loopback__bytes_sent__come_back_and_never_leave),
		bench_test(u2_pl011_overrun__flag_in_rsr_at_once_and_in_the_next_byte),
		bench_test(u2_pl011_loopback__without_fifos__second_byte_overruns),
		bench_test(pl011_loopback__modem_outputs__feed_the_inputs_and_their_interrupts),
		bench_test(u5_pl011_icr__each_bit__clears_only_its_own),
		bench_test(u5_pl011_mis__each_bit__is_raw_and_mask_and_drives_the_line),
		bench_test(pl011_pins__none_connected__is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
