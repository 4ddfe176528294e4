/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <dev/ns16550/ns16550.h>
#include <hv/bits.h>

#define FIFOS NS16550_FCR_ENABLE
#define EMPTY (NS16550_LSR_THRE | NS16550_LSR_TEMT)
#define READY (NS16550_MSR_CTS | NS16550_MSR_DSR | NS16550_MSR_DCD)

struct bench {
	struct ns16550 uart;
	struct hv_chan chan;
	bool line;
	unsigned edges, sent, taken;
};

static struct bench bench;

static void on_line(void *ctl, uint32_t line, bool level)
{
	struct bench *b = ctl;

	assert_int_equal(line, 10);
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
	ns16550_init(&bench.uart, &bench.chan, (struct hv_irq){on_line, &bench, 10});
	return unit_setup(state);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, bench_setup, unit_teardown)

static uint64_t access(uint64_t off, uint8_t size, bool write, uint64_t data)
{
	struct hv_access access = {.off = off, .data = data, .size = size, .write = write};

	assert_true(ns16550_ops.access(&bench.uart, &access));
	return access.data;
}

static uint8_t rd(uint64_t off)
{
	return (uint8_t)access(off, 1, false, 0xdeadbeef);
}

static void wr(uint64_t off, uint8_t value)
{
	access(off, 1, true, value);
}

static void poll(void)
{
	ns16550_ops.poll(&bench.uart);
}

static uint8_t why(void)
{
	return rd(NS16550_IIR) & 0x0f;
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

static uint8_t drink_one(void)
{
	uint8_t byte = 0;

	assert_true(hv_ring_get(&bench.chan.to_host, &byte));
	return byte;
}

static void block_output(void)
{
	while (hv_ring_put(&bench.chan.to_host, '.')) {
	}
}

/* As a driver that works by interrupts. */
static void listen(uint8_t fcr)
{
	wr(NS16550_FCR, fcr);
	wr(NS16550_IER, NS16550_IER_RX | NS16550_IER_LINE);
}

static void loop(void)
{
	wr(NS16550_MCR, NS16550_MCR_LOOP);
}

/* ---- registers ---- */

static void ns16550_reset__power_on__has_the_reset_values(void **state)
{
	(void)state;
	assert_int_equal(rd(NS16550_IER), 0);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
	assert_int_equal(rd(NS16550_LCR), 0);
	assert_int_equal(rd(NS16550_MCR), 0);
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	assert_int_equal(rd(NS16550_MSR), READY);
	assert_int_equal(rd(NS16550_SCR), 0);
	assert_int_equal(rd(NS16550_RBR), 0);
}

static void ns16550_reset__line_was_high__drives_it_low_and_forgets_all_but_its_wiring(void **state)
{
	(void)state;
	assert_false(bench.line);
	wr(NS16550_FCR, FIFOS);
	wr(NS16550_IER, NS16550_IER_TX);
	assert_true(bench.line);
	ns16550_ops.reset(&bench.uart);
	assert_false(bench.line);
	assert_int_equal(rd(NS16550_IER), 0);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
	wr(NS16550_THR, 'y');
	assert_int_equal(drink_one(), 'y');
}

static void ns16550_storage__all_ones_then_zero__keeps_only_the_bits_that_exist(void **state)
{
	static const struct {
		uint8_t off, mask;
	} reg[] = {
		{NS16550_IER, 0x0f},
		{NS16550_MCR, 0x1f},
		{NS16550_LCR, 0xff},
		{NS16550_SCR, 0xff},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(reg); i++) {
		wr(reg[i].off, 0xff);
		assert_int_equal(rd(reg[i].off), reg[i].mask);
		wr(reg[i].off, 0);
		assert_int_equal(rd(reg[i].off), 0);
	}
}

static void ns16550_readonly__written__does_not_change(void **state)
{
	(void)state;
	wr(NS16550_LSR, 0xff);
	wr(NS16550_MSR, 0xff);
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	assert_int_equal(rd(NS16550_MSR), READY);
}

static void u1_ns16550_access__every_size_at_a_register__reaches_that_one(void **state)
{
	static const uint8_t sizes[] = {1, 2, 4, 8};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(sizes); i++) {
		access(NS16550_SCR, sizes[i], true, 0x5a + i);
		assert_int_equal(rd(NS16550_SCR), 0x5a + i);
		assert_int_equal(rd(NS16550_LCR), 0);
		assert_int_equal(access(NS16550_SCR, sizes[i], false, 0), 0x5a + i);
		assert_int_equal(access(NS16550_LSR, sizes[i], false, ~0u), EMPTY);
		access(NS16550_THR, sizes[i], true, 'a' + i);
		assert_int_equal(drink_one(), 'a' + i);
	}
}

static void u1_ns16550_access__beyond_the_registers__is_raz_wi(void **state)
{
	(void)state;
	for (unsigned off = NS16550_REGS; off < 0x100; off++) {
		struct ns16550 before = bench.uart;

		wr(off, 0xff);
		assert_int_equal(rd(off), 0);
		assert_memory_equal(&before, &bench.uart, sizeof(before));
	}
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
}

static void u3_ns16550_divisor__0_and_all_others__only_stores(void **state)
{
	(void)state;
	wr(NS16550_LCR, NS16550_LCR_DLAB);
	assert_int_equal(rd(NS16550_DLL), 12);
	assert_int_equal(rd(NS16550_DLM), 0);
	wr(NS16550_DLL, 0);
	wr(NS16550_LCR, 0);
	wr(NS16550_THR, 'x');
	assert_int_equal(drink_one(), 'x');
	listen(FIFOS);
	type("y");
	poll();
	assert_int_equal(rd(NS16550_RBR), 'y');
	wr(NS16550_LCR, NS16550_LCR_DLAB | 3);
	for (unsigned i = 0; i < 256; i++) {
		wr(NS16550_DLL, (uint8_t)i);
		wr(NS16550_DLM, (uint8_t)(255 - i));
		assert_int_equal(rd(NS16550_DLL), i);
		assert_int_equal(rd(NS16550_DLM), 255 - i);
	}
	wr(NS16550_LCR, 3);
	assert_int_equal(rd(NS16550_IER), NS16550_IER_RX | NS16550_IER_LINE);
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
}

/* ---- transmit ---- */

static void u6_ns16550_tx__every_byte_value__passes_unchanged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		wr(NS16550_THR, (uint8_t)i);
		assert_int_equal(drink_one(), i);
	}
	assert_int_equal(bench.sent, 256);
}

static void u6_ns16550_tx__flood_that_nobody_reads__is_bounded(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	for (unsigned i = 0; i < 100000; i++) {
		wr(NS16550_THR, (uint8_t)i);
	}
	assert_int_equal(hv_ring_count(&bench.chan.to_host), HV_RING_SIZE);
	assert_int_equal(bench.uart.tx.count, NS16550_DEPTH);
}

static void u4_ns16550_tx__ring_full__fifo_fills_and_thre_pushes_back(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	block_output();
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	for (unsigned i = 0; i < NS16550_DEPTH; i++) { /* as a driver: after THRE, a FIFO full */
		wr(NS16550_THR, (uint8_t)('0' + i));
		assert_int_equal(rd(NS16550_LSR), 0);
	}
	wr(NS16550_THR, 'X'); /* lost */
	assert_int_equal(bench.sent, 0);
	drink(HV_RING_SIZE);
	poll();
	assert_int_equal(bench.sent, 1);
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	for (unsigned i = 0; i < NS16550_DEPTH; i++) {
		assert_int_equal(drink_one(), '0' + i);
	}
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
}

static void u4_ns16550_tx__ring_full_without_fifos__one_byte_is_held(void **state)
{
	(void)state;
	block_output();
	wr(NS16550_THR, 'a');
	assert_int_equal(rd(NS16550_LSR), 0);
	wr(NS16550_THR, 'b');
	drink(3);
	assert_int_equal(rd(NS16550_LSR), EMPTY); /* LSR looks again, even with no poll */
	assert_int_equal(hv_ring_count(&bench.chan.to_host), HV_RING_SIZE - 2);
}

static void u4_ns16550_tx__host_makes_room_for_some__keeps_the_order_of_the_rest(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	block_output();
	for (unsigned i = 0; i < 10; i++) {
		wr(NS16550_THR, (uint8_t)('0' + i));
	}
	drink(3);
	poll();
	assert_int_equal(bench.uart.tx.count, 7);
	drink(HV_RING_SIZE);
	wr(NS16550_THR, 'z');
	for (unsigned i = 3; i < 10; i++) {
		assert_int_equal(drink_one(), '0' + i);
	}
	assert_int_equal(drink_one(), 'z');
}

static bool take(struct hv_chan *chan, uint8_t byte)
{
	assert_ptr_equal(chan, &bench.chan);
	bench.edges = byte;
	return byte != 'n';
}

static void ns16550_tx__owner_takes_bytes_at_once__those_it_refuses_go_to_the_ring(void **state)
{
	(void)state;
	bench.chan.pass = take;
	wr(NS16550_THR, 'y');
	assert_int_equal(bench.edges, 'y');
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
	assert_int_equal(bench.sent, 0);
	wr(NS16550_THR, 'n');
	assert_int_equal(drink_one(), 'n');
	assert_int_equal(bench.sent, 1);
}

static void u5_ns16550_thre__turned_on_with_nothing_to_send__raises_until_iir_is_read(void **state)
{
	(void)state;
	wr(NS16550_IER, NS16550_IER_TX);
	assert_true(bench.line);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_TX);
	assert_false(bench.line);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
	wr(NS16550_IER, NS16550_IER_TX); /* no change */
	assert_false(bench.line);
	wr(NS16550_IER, 0);
	wr(NS16550_IER, NS16550_IER_TX);
	assert_true(bench.line);
	wr(NS16550_IER, 0);
	assert_false(bench.line);
}

static void u5_ns16550_thre__byte_leaves_at_once__raises_again(void **state)
{
	(void)state;
	wr(NS16550_IER, NS16550_IER_TX);
	assert_int_equal(why(), NS16550_IIR_TX);
	wr(NS16550_THR, 'a');
	assert_true(bench.line);
	assert_int_equal(why(), NS16550_IIR_TX);
	assert_int_equal(why(), NS16550_IIR_NONE);
}

static void u5_ns16550_thre__byte_waits__falls_and_rises_when_the_fifo_is_empty(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	block_output();
	wr(NS16550_IER, NS16550_IER_TX);
	assert_true(bench.line);
	wr(NS16550_THR, 'a'); /* takes it back, without a look at IIR */
	assert_false(bench.line);
	wr(NS16550_THR, 'b');
	drink(1);
	poll();
	assert_false(bench.line);
	drink(1);
	poll();
	assert_true(bench.line);
	assert_int_equal(why(), NS16550_IIR_TX);
}

static void u5_ns16550_thre__turned_on_while_bytes_wait__is_not_raised(void **state)
{
	(void)state;
	block_output();
	wr(NS16550_THR, 'a');
	wr(NS16550_IER, NS16550_IER_TX);
	assert_false(bench.line);
	drink(1);
	poll();
	assert_true(bench.line);
}

/* Register accesses of Linux's driver when it starts (8250_port.c, 6.1): the THRE test. */
static void u5_ns16550_thre__test_of_the_driver__finds_no_bug(void **state)
{
	(void)state;
	wr(NS16550_IER, NS16550_IER_TX);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_TX);
	wr(NS16550_IER, 0);
	wr(NS16550_IER, NS16550_IER_TX);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_TX);
	wr(NS16550_IER, 0);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
}

static void u4_ns16550_tx__driver_writes_a_fifo_per_interrupt__loses_nothing(void **state)
{
	unsigned next = 0, taken = 0;
	uint8_t byte = 0;

	(void)state;
	wr(NS16550_FCR, FIFOS);
	block_output();
	wr(NS16550_IER, NS16550_IER_TX);
	do { /* the host is slow: byte by byte */
		if (bench.line && next < 10 * NS16550_DEPTH) {
			assert_int_equal(why(), NS16550_IIR_TX);
			for (unsigned i = 0; i < NS16550_DEPTH; i++) {
				wr(NS16550_THR, (uint8_t)next++);
			}
			assert_false(bench.line);
		}
		assert_true(hv_ring_get(&bench.chan.to_host, &byte));
		if (taken >= HV_RING_SIZE) {
			assert_int_equal(byte, taken - HV_RING_SIZE);
		}
		taken++;
		poll();
	} while (hv_ring_count(&bench.chan.to_host) != 0);
	assert_int_equal(next, 10 * NS16550_DEPTH);
	assert_int_equal(taken, HV_RING_SIZE + next);
}

/* ---- receive ---- */

static void ns16550_rx__poll__pulls_what_fits_and_tells_the_owner(void **state)
{
	(void)state;
	listen(FIFOS);
	type_n(20);
	poll();
	assert_int_equal(bench.taken, 1);
	assert_int_equal(bench.uart.rx.count, NS16550_DEPTH);
	assert_int_equal(hv_ring_count(&bench.chan.to_guest), 4);
	poll();
	assert_int_equal(bench.taken, 1);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
		assert_int_equal(rd(NS16550_RBR), 'a' + i);
	}
	assert_int_equal(bench.taken, 5); /* each read made room for one more */
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	assert_int_equal(rd(NS16550_RBR), 0);
	assert_false(bench.line);
}

static void u2_ns16550_rx__no_fifos__holds_one_byte(void **state)
{
	(void)state;
	listen(0);
	type("ab");
	poll();
	assert_int_equal(hv_ring_count(&bench.chan.to_guest), 1);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_RX);
	assert_int_equal(rd(NS16550_RBR), 'a');
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_RX); /* 'b' is there already */
	assert_int_equal(rd(NS16550_RBR), 'b');
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
}

static void u2_ns16550_rx__each_trigger__data_at_it_and_timeout_below(void **state)
{
	static const uint8_t level[4] = {1, 4, 8, 14};

	(void)state;
	for (unsigned sel = 0; sel < 4; sel++) {
		listen((uint8_t)(FIFOS | NS16550_FCR_CLEAR_RX | sel << 6));
		for (unsigned n = 1; n <= NS16550_DEPTH; n++) {
			type_n(1);
			poll();
			assert_true(bench.line);
			assert_int_equal(rd(NS16550_IIR),
				NS16550_IIR_FIFOS |
					(n >= level[sel] ? NS16550_IIR_RX : NS16550_IIR_TIMEOUT));
		}
		for (unsigned n = NS16550_DEPTH; n > 0; n--) {
			assert_int_equal(
				why(), n >= level[sel] ? NS16550_IIR_RX : NS16550_IIR_TIMEOUT);
			(void)rd(NS16550_RBR);
		}
		assert_false(bench.line);
		assert_int_equal(rd(NS16550_IIR), NS16550_IIR_FIFOS | NS16550_IIR_NONE);
	}
}

static void u2_ns16550_rx_trigger__changed_while_bytes_wait__decides_at_once(void **state)
{
	(void)state;
	listen(FIFOS | 2 << 6);
	type_n(4);
	poll();
	assert_int_equal(why(), NS16550_IIR_TIMEOUT);
	wr(NS16550_FCR, FIFOS | 1 << 6);
	assert_int_equal(why(), NS16550_IIR_RX);
	assert_int_equal(bench.uart.rx.count, 4);
}

static void u5_ns16550_rx_interrupt__masked__is_told_by_lsr_only(void **state)
{
	(void)state;
	listen(FIFOS);
	type("a");
	poll();
	assert_true(bench.line);
	wr(NS16550_IER, 0);
	assert_false(bench.line);
	assert_int_equal(why(), NS16550_IIR_NONE);
	assert_true(rd(NS16550_LSR) & NS16550_LSR_DR);
	wr(NS16550_IER, NS16550_IER_RX);
	assert_true(bench.line);
}

static void ns16550_rx__turning_the_interrupt_on__starts_reception(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	type("ab");
	poll();
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	wr(NS16550_IER, NS16550_IER_RX);
	assert_true(bench.line);
	assert_int_equal(rd(NS16550_RBR), 'a');
	assert_int_equal(rd(NS16550_RBR), 'b');
	assert_false(bench.line);
}

/* The register accesses of Linux, from its early console to user space (8250_port.c, 6.1). */
static void ns16550_rx__typed_before_linux_is_up__is_all_there(void **state)
{
	static const char text[] = "uname -a\npoweroff\nand more than one FIFO holds";

	(void)state;
	type(text);
	poll();
	for (unsigned i = 0; i < 10; i++) { /* early console */
		wr(NS16550_THR, 'e');
		assert_int_equal(rd(NS16550_LSR), EMPTY);
	}
	for (unsigned line = 0; line < 3; line++) { /* console_write */
		wr(NS16550_IER, 0);
		for (unsigned i = 0; i < 10; i++) {
			assert_int_equal(rd(NS16550_LSR), EMPTY);
			wr(NS16550_THR, 'k');
		}
		assert_int_equal(rd(NS16550_LSR), EMPTY);
		wr(NS16550_IER, 0);
	}
	wr(NS16550_FCR, FIFOS); /* startup */
	wr(NS16550_FCR, FIFOS | NS16550_FCR_CLEAR_RX | NS16550_FCR_CLEAR_TX);
	wr(NS16550_FCR, 0);
	(void)rd(NS16550_LSR);
	assert_int_equal(rd(NS16550_RBR), 0);
	(void)rd(NS16550_IIR);
	(void)rd(NS16550_MSR);
	assert_int_equal(rd(NS16550_LSR), EMPTY); /* is there a UART at all? */
	assert_int_equal(rd(NS16550_LSR), EMPTY); /* wait_for_xmitr */
	wr(NS16550_IER, NS16550_IER_TX);
	assert_int_equal(why(), NS16550_IIR_TX);
	wr(NS16550_IER, 0);
	wr(NS16550_LCR, 3);
	wr(NS16550_MCR, NS16550_MCR_OUT2);
	wr(NS16550_IER, NS16550_IER_TX);
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	assert_int_equal(why(), NS16550_IIR_TX);
	wr(NS16550_IER, 0);
	(void)rd(NS16550_LSR);
	assert_int_equal(rd(NS16550_RBR), 0);
	(void)rd(NS16550_IIR);
	(void)rd(NS16550_MSR);
	assert_int_equal(bench.taken, 0);
	wr(NS16550_IER, NS16550_IER_RX | NS16550_IER_LINE); /* set_termios */
	wr(NS16550_LCR, NS16550_LCR_DLAB | 3);
	wr(NS16550_DLL, 12);
	wr(NS16550_LCR, 3);
	wr(NS16550_FCR, FIFOS);
	wr(NS16550_FCR, FIFOS | 2 << 6);
	poll();
	for (unsigned i = 0; text[i]; i++) {
		assert_true(bench.line);
		assert_true(rd(NS16550_LSR) & NS16550_LSR_DR);
		assert_int_equal(rd(NS16550_RBR), text[i]);
	}
	assert_false(bench.line);
}

static void ns16550_rx__polling_program__gets_bytes_at_its_fourth_look_one_by_one(void **state)
{
	(void)state;
	type("xy");
	for (const char *want = "xy"; *want; want++) {
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(rd(NS16550_LSR), EMPTY);
		}
		assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
		assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
		assert_int_equal(rd(NS16550_RBR), *want);
	}
	assert_int_equal(bench.taken, 2);
}

static void ns16550_rx__polling_program_with_nothing_typed__gets_it_at_its_next_look(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(rd(NS16550_LSR), EMPTY);
		poll();
	}
	type("xy");
	poll();
	assert_int_equal(bench.taken, 1); /* one byte, as at a look */
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
	assert_int_equal(rd(NS16550_RBR), 'x');
}

static void ns16550_rx__polling_program_that_then_prints__takes_nothing_in(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(rd(NS16550_LSR), EMPTY);
	}
	type("x");
	for (unsigned i = 0; i < 10; i++) {
		wr(NS16550_THR, '.');
		poll();
		assert_int_equal(rd(NS16550_LSR), EMPTY);
	}
	assert_int_equal(bench.taken, 0);
}

/* Prints all the time, and looks for a key once per byte. */
static void ns16550_rx__program_that_prints_and_polls__gets_bytes_too(void **state)
{
	unsigned bytes = 0;

	(void)state;
	type("x");
	while (!(rd(NS16550_LSR) & NS16550_LSR_DR) && bytes < 10) {
		assert_true(rd(NS16550_LSR) & NS16550_LSR_THRE);
		wr(NS16550_THR, '.');
		bytes++;
	}
	assert_int_equal(bytes, 3);
	assert_int_equal(rd(NS16550_RBR), 'x');
}

static void ns16550_rx__program_that_prints__takes_nothing_in(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	type("z");
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(rd(NS16550_LSR), EMPTY);
		wr(NS16550_THR, 'x');
	}
	block_output();
	wr(NS16550_THR, 'x');
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(rd(NS16550_LSR), 0); /* it waits to send, not for us */
	}
	assert_int_equal(bench.taken, 0);
}

/* ---- FIFO control, loopback, overrun, modem ---- */

static void u2_ns16550_fifos_turned_off_while_full__both_empty_and_count_again(void **state)
{
	(void)state;
	listen(FIFOS);
	block_output();
	type_n(NS16550_DEPTH);
	poll();
	for (unsigned i = 0; i < NS16550_DEPTH; i++) {
		wr(NS16550_THR, 'x');
	}
	assert_int_equal(rd(NS16550_LSR), NS16550_LSR_DR);
	wr(NS16550_FCR, 0);
	assert_int_equal(rd(NS16550_LSR), EMPTY);
	assert_false(bench.line);
	wr(NS16550_FCR, FIFOS);
	type("n");
	poll();
	assert_int_equal(rd(NS16550_RBR), 'n');
	assert_int_equal(rd(NS16550_LSR), EMPTY);
}

static void u2_ns16550_fifo_clear__each_alone__empties_that_one(void **state)
{
	(void)state;
	listen(FIFOS);
	block_output();
	type_n(NS16550_DEPTH);
	poll();
	wr(NS16550_THR, 'x');
	wr(NS16550_FCR, FIFOS | NS16550_FCR_CLEAR_RX);
	assert_int_equal(rd(NS16550_LSR), 0);
	assert_false(bench.line);
	type_n(3);
	poll();
	wr(NS16550_IER, NS16550_IER_TX);
	assert_false(bench.line);
	wr(NS16550_FCR, FIFOS | NS16550_FCR_CLEAR_TX);
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
	assert_true(bench.line); /* the transmitter's: it became empty */
	assert_int_equal(why(), NS16550_IIR_TX);
	wr(NS16550_FCR, FIFOS | NS16550_FCR_CLEAR_TX);
	assert_false(bench.line); /* it was empty */
	assert_int_equal(rd(NS16550_IIR) & NS16550_IIR_FIFOS, NS16550_IIR_FIFOS);
}

static void u2_ns16550_fifo_clear__fifos_off__is_ignored(void **state)
{
	(void)state;
	listen(0);
	type("a");
	poll();
	wr(NS16550_FCR, NS16550_FCR_CLEAR_RX | NS16550_FCR_CLEAR_TX | NS16550_FCR_TRIGGER);
	assert_int_equal(rd(NS16550_RBR), 'a');
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
}

static void u2_ns16550_fifos_turned_on_with_a_held_byte__it_is_the_first(void **state)
{
	(void)state;
	listen(0);
	block_output();
	wr(NS16550_THR, 't');
	type("r");
	poll();
	wr(NS16550_FCR, FIFOS | 1 << 6);
	assert_int_equal(why(), NS16550_IIR_TIMEOUT); /* below the trigger now */
	assert_int_equal(rd(NS16550_RBR), 'r');
	assert_int_equal(bench.uart.tx.count, 1);
}

static void u2_ns16550_loopback__bytes__come_back_and_stay_inside(void **state)
{
	(void)state;
	listen(FIFOS | 3 << 6);
	loop();
	type("line");
	poll();
	for (unsigned i = 0; i < 14; i++) {
		wr(NS16550_THR, (uint8_t)('A' + i));
		assert_int_equal(why(), i < 13 ? NS16550_IIR_TIMEOUT : NS16550_IIR_RX);
	}
	for (unsigned i = 0; i < 14; i++) {
		assert_int_equal(rd(NS16550_RBR), 'A' + i);
	}
	assert_false(rd(NS16550_LSR) & NS16550_LSR_DR);
	assert_int_equal(bench.taken, 0);
	assert_int_equal(hv_ring_count(&bench.chan.to_host), 0);
	wr(NS16550_MCR, 0);
	poll();
	assert_int_equal(rd(NS16550_RBR), 'l');
}

static void u2_ns16550_overrun__fifo_full__keeps_the_old_and_tells_once(void **state)
{
	(void)state;
	listen(FIFOS);
	loop();
	for (unsigned i = 0; i < NS16550_DEPTH; i++) {
		wr(NS16550_THR, (uint8_t)('A' + i));
	}
	assert_int_equal(why(), NS16550_IIR_RX);
	wr(NS16550_THR, 'X');
	assert_int_equal(why(), NS16550_IIR_LINE); /* the most urgent */
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR | NS16550_LSR_OE);
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
	assert_int_equal(why(), NS16550_IIR_RX);
	for (unsigned i = 0; i < NS16550_DEPTH; i++) {
		assert_int_equal(rd(NS16550_RBR), 'A' + i);
	}
	assert_false(bench.line);
}

static void u2_ns16550_overrun__no_fifos__the_last_byte_stays(void **state)
{
	(void)state;
	loop();
	wr(NS16550_THR, 'a');
	wr(NS16550_THR, 'b');
	assert_int_equal(rd(NS16550_RBR), 'b');
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_OE);
	assert_false(bench.line);
}

static void u5_ns16550_overrun__interrupt__masked_and_raised_until_lsr_is_read(void **state)
{
	(void)state;
	loop();
	wr(NS16550_THR, 'a');
	wr(NS16550_THR, 'b');
	(void)rd(NS16550_RBR);
	assert_false(bench.line);
	wr(NS16550_IER, NS16550_IER_LINE);
	assert_true(bench.line);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_LINE);
	assert_true(bench.line);
	(void)rd(NS16550_LSR);
	assert_false(bench.line);
}

static void u2_ns16550_loopback__output_was_blocked__what_waits_comes_back(void **state)
{
	(void)state;
	wr(NS16550_FCR, FIFOS);
	block_output();
	wr(NS16550_THR, 'a');
	wr(NS16550_THR, 'b');
	loop();
	assert_int_equal(rd(NS16550_LSR), EMPTY | NS16550_LSR_DR);
	assert_int_equal(rd(NS16550_RBR), 'a');
	assert_int_equal(rd(NS16550_RBR), 'b');
}

static void ns16550_modem__loopback__each_output_feeds_its_input(void **state)
{
	static const struct {
		uint8_t out, in;
	} wire[] = {
		{NS16550_MCR_RTS, NS16550_MSR_CTS},
		{NS16550_MCR_DTR, NS16550_MSR_DSR},
		{NS16550_MCR_OUT1, NS16550_MSR_RI},
		{NS16550_MCR_OUT2, NS16550_MSR_DCD},
	};

	(void)state;
	loop();
	(void)rd(NS16550_MSR);
	for (size_t i = 0; i < HV_ARRAY_COUNT(wire); i++) {
		uint8_t rise = wire[i].in == NS16550_MSR_RI ? 0 : wire[i].in >> 4;

		wr(NS16550_MCR, NS16550_MCR_LOOP | wire[i].out);
		assert_int_equal(rd(NS16550_MSR), wire[i].in | rise);
		assert_int_equal(rd(NS16550_MSR), wire[i].in); /* changes are told once */
		loop();
		assert_int_equal(rd(NS16550_MSR), wire[i].in >> 4);
	}
	wr(NS16550_MCR, NS16550_MCR_LOOP | 0x0f);
	assert_int_equal(rd(NS16550_MSR) & 0xf0, 0xf0);
	wr(NS16550_MCR, 0x0f); /* not looped: the outputs lead nowhere */
	assert_int_equal(rd(NS16550_MSR), READY | NS16550_MSR_TERI);
	assert_int_equal(rd(NS16550_MCR), 0x0f);
}

static void u5_ns16550_modem_interrupt__change__raises_until_msr_is_read(void **state)
{
	(void)state;
	wr(NS16550_IER, NS16550_IER_MODEM);
	assert_false(bench.line);
	loop();
	assert_true(bench.line);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_MODEM);
	assert_true(bench.line);
	wr(NS16550_IER, 0);
	assert_false(bench.line);
	wr(NS16550_IER, NS16550_IER_MODEM);
	assert_true(bench.line);
	(void)rd(NS16550_MSR);
	assert_false(bench.line);
}

static void u5_ns16550_reasons__all_at_once__are_told_most_urgent_first(void **state)
{
	(void)state;
	loop();
	wr(NS16550_THR, 'a');
	wr(NS16550_THR, 'b');
	wr(NS16550_IER, NS16550_IER_MASK);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_LINE);
	(void)rd(NS16550_LSR);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_RX);
	(void)rd(NS16550_RBR);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_TX); /* and is gone by that */
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_MODEM);
	(void)rd(NS16550_MSR);
	assert_int_equal(rd(NS16550_IIR), NS16550_IIR_NONE);
	assert_false(bench.line);
}

static void u5_ns16550_line__many_bytes__changes_only_when_it_must(void **state)
{
	unsigned edges;

	(void)state;
	wr(NS16550_IER, NS16550_IER_TX);
	edges = bench.edges;
	for (unsigned i = 0; i < 100; i++) {
		wr(NS16550_THR, 'x');
	}
	assert_int_equal(bench.edges, edges);
	assert_true(bench.line);
}

static void ns16550_pins__not_connected__are_harmless(void **state)
{
	(void)state;
	bench.chan.sent = bench.chan.taken = (struct hv_irq){0};
	ns16550_init(&bench.uart, &bench.chan, (struct hv_irq){0});
	type("a");
	listen(FIFOS);
	assert_int_equal(why(), NS16550_IIR_RX);
	wr(NS16550_THR, 'x');
	assert_int_equal(drink_one(), 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(ns16550_reset__power_on__has_the_reset_values),
		bench_test(
			ns16550_reset__line_was_high__drives_it_low_and_forgets_all_but_its_wiring),
		bench_test(ns16550_storage__all_ones_then_zero__keeps_only_the_bits_that_exist),
		bench_test(ns16550_readonly__written__does_not_change),
		bench_test(u1_ns16550_access__every_size_at_a_register__reaches_that_one),
		bench_test(u1_ns16550_access__beyond_the_registers__is_raz_wi),
		bench_test(u3_ns16550_divisor__0_and_all_others__only_stores),
		bench_test(u6_ns16550_tx__every_byte_value__passes_unchanged),
		bench_test(u6_ns16550_tx__flood_that_nobody_reads__is_bounded),
		bench_test(u4_ns16550_tx__ring_full__fifo_fills_and_thre_pushes_back),
		bench_test(u4_ns16550_tx__ring_full_without_fifos__one_byte_is_held),
		bench_test(u4_ns16550_tx__host_makes_room_for_some__keeps_the_order_of_the_rest),
		bench_test(ns16550_tx__owner_takes_bytes_at_once__those_it_refuses_go_to_the_ring),
		bench_test(
			u5_ns16550_thre__turned_on_with_nothing_to_send__raises_until_iir_is_read),
		bench_test(u5_ns16550_thre__byte_leaves_at_once__raises_again),
		bench_test(u5_ns16550_thre__byte_waits__falls_and_rises_when_the_fifo_is_empty),
		bench_test(u5_ns16550_thre__turned_on_while_bytes_wait__is_not_raised),
		bench_test(u5_ns16550_thre__test_of_the_driver__finds_no_bug),
		bench_test(u4_ns16550_tx__driver_writes_a_fifo_per_interrupt__loses_nothing),
		bench_test(ns16550_rx__poll__pulls_what_fits_and_tells_the_owner),
		bench_test(u2_ns16550_rx__no_fifos__holds_one_byte),
		bench_test(u2_ns16550_rx__each_trigger__data_at_it_and_timeout_below),
		bench_test(u2_ns16550_rx_trigger__changed_while_bytes_wait__decides_at_once),
		bench_test(u5_ns16550_rx_interrupt__masked__is_told_by_lsr_only),
		bench_test(ns16550_rx__turning_the_interrupt_on__starts_reception),
		bench_test(ns16550_rx__typed_before_linux_is_up__is_all_there),
		bench_test(ns16550_rx__polling_program__gets_bytes_at_its_fourth_look_one_by_one),
		bench_test(
			ns16550_rx__polling_program_with_nothing_typed__gets_it_at_its_next_look),
		bench_test(ns16550_rx__polling_program_that_then_prints__takes_nothing_in),
		bench_test(ns16550_rx__program_that_prints_and_polls__gets_bytes_too),
		bench_test(ns16550_rx__program_that_prints__takes_nothing_in),
		bench_test(u2_ns16550_fifos_turned_off_while_full__both_empty_and_count_again),
		bench_test(u2_ns16550_fifo_clear__each_alone__empties_that_one),
		bench_test(u2_ns16550_fifo_clear__fifos_off__is_ignored),
		bench_test(u2_ns16550_fifos_turned_on_with_a_held_byte__it_is_the_first),
		bench_test(u2_ns16550_loopback__bytes__come_back_and_stay_inside),
		bench_test(u2_ns16550_overrun__fifo_full__keeps_the_old_and_tells_once),
		bench_test(u2_ns16550_overrun__no_fifos__the_last_byte_stays),
		bench_test(u5_ns16550_overrun__interrupt__masked_and_raised_until_lsr_is_read),
		bench_test(u2_ns16550_loopback__output_was_blocked__what_waits_comes_back),
		bench_test(ns16550_modem__loopback__each_output_feeds_its_input),
		bench_test(u5_ns16550_modem_interrupt__change__raises_until_msr_is_read),
		bench_test(u5_ns16550_reasons__all_at_once__are_told_most_urgent_first),
		bench_test(u5_ns16550_line__many_bytes__changes_only_when_it_must),
		bench_test(ns16550_pins__not_connected__are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
