/* SPDX-License-Identifier: MIT */
/* The guest's console on a host UART that has little room, or is not listened to (U4). */
#include <unit.h>

#include <common/report.h>
#include <common/console.h>
#include <common/uart.h>

#define MOST 4096u

/* The UART: what was sent, how much more it takes, what waits to be received. */
static struct {
	uint8_t sent[MOST], waiting[MOST];
	size_t sent_count, room, waiting_at, waiting_count;
	bool receive, transmit;
	bool slow; /* there is room again once somebody was refused */
} uart;

bool uart_put(uint8_t byte)
{
	if (uart.room == 0) {
		uart.room = uart.slow;
		return false;
	}
	uart.room--;
	uart.sent[uart.sent_count++] = byte;
	return true;
}

bool uart_get(uint8_t *byte)
{
	if (uart.waiting_at == uart.waiting_count) {
		return false;
	}
	*byte = uart.waiting[uart.waiting_at++];
	return true;
}

void uart_irq_enable(bool receive, bool transmit)
{
	uart.receive = receive;
	uart.transmit = transmit;
}

static unsigned locked;

void console_lock(void)
{
	assert_int_equal(locked++, 0);
}

void console_unlock(void)
{
	assert_int_equal(locked--, 1);
}

/* The guest's end: a device that only counts how often it was asked to look. */
static struct hv_vm vm;
static struct board board = {.vm = &vm};
static struct hv_chan *const chan = &board.console;
static unsigned polls;

static bool device_access(void *dev, struct hv_access *access)
{
	(void)dev, (void)access;
	return false;
}

static void device_reset(void *dev)
{
	(void)dev;
}

static void device_poll(void *dev)
{
	(void)dev;
	assert_int_equal(locked, 0);
	polls++;
}

static const struct hv_dev_ops device = {
	.name = "device", .access = device_access, .reset = device_reset, .poll = device_poll};

static void receive(size_t count)
{
	uart.waiting_at = 0;
	uart.waiting_count = count;
	for (size_t i = 0; i < count; i++) {
		uart.waiting[i] = (uint8_t)i;
	}
}

static int attach_with(size_t waiting)
{
	const struct hv_region region = {.base = GPA(0), .size = 1, .ops = &device};

	memset(&uart, 0, sizeof(uart));
	board.console = (struct hv_chan){0};
	vm = (struct hv_vm){0};
	uart.room = MOST;
	polls = 0;
	receive(waiting);
	assert_int_equal(hv_bus_add(&vm.pio, &region), HV_OK);
	console_attach(&board);
	return 0;
}

static int attach(void **state)
{
	(void)state;
	return attach_with(0);
}

static void guest_says(const char *text)
{
	for (; *text; text++) {
		assert_true(hv_ring_put(&chan->to_host, (uint8_t)*text));
	}
	hv_irq_set(&chan->sent, true);
}

static void assert_sent(const char *text)
{
	assert_int_equal(uart.sent_count, strlen(text));
	assert_memory_equal(uart.sent, text, uart.sent_count);
}

static void console_output__room__sent_at_once(void **state)
{
	(void)state;
	guest_says("hello");
	assert_sent("hello");
	assert_false(uart.transmit);
}

static void console_flush__slow_uart__all_is_sent(void **state)
{
	(void)state;
	uart.room = 0;
	guest_says("hello");
	uart.slow = true;
	console_flush();
	assert_sent("hello");
	assert_false(uart.transmit);
	console_flush();
	assert_sent("hello");
}

static void u4_console_output__uart_full__rest_waits_for_the_interrupt(void **state)
{
	(void)state;
	uart.room = 2;
	guest_says("hello");
	assert_sent("he");
	assert_true(uart.transmit);
	uart.room = 1;
	console_irq();
	assert_sent("hel");
	assert_true(uart.transmit);
	assert_int_equal(polls, 1);
	uart.room = MOST;
	console_irq();
	assert_sent("hello");
	assert_false(uart.transmit);
	assert_int_equal(hv_ring_count(&chan->to_host), 0);
}

static void u4_console_output__full_and_more_said__order_kept(void **state)
{
	(void)state;
	uart.room = 0;
	guest_says("ab");
	guest_says("cd");
	assert_sent("");
	uart.room = MOST;
	guest_says("e");
	assert_sent("abcde");
}

static void console_input__bytes_come__device_told(void **state)
{
	uint8_t byte;

	(void)state;
	assert_true(uart.receive);
	receive(3);
	console_irq();
	assert_int_equal(hv_ring_count(&chan->to_guest), 3);
	assert_int_equal(polls, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(hv_ring_get(&chan->to_guest, &byte));
		assert_int_equal(byte, i);
	}
}

static void u4_console_input__guest_does_not_read__uart_keeps_the_rest(void **state)
{
	uint8_t byte;

	(void)state;
	receive(HV_RING_SIZE + 100);
	console_irq();
	assert_int_equal(hv_ring_count(&chan->to_guest), HV_RING_SIZE);
	assert_int_equal(uart.waiting_at, HV_RING_SIZE);
	assert_false(uart.receive);
	assert_true(hv_ring_get(&chan->to_guest, &byte));
	hv_irq_set(&chan->taken, true);
	assert_true(uart.receive);
	console_irq();
	assert_int_equal(uart.waiting_at, HV_RING_SIZE + 1);
	assert_false(uart.receive);
}

static void console_input__taken_while_output_waits__both_interrupts(void **state)
{
	(void)state;
	uart.room = 0;
	guest_says("x");
	hv_irq_set(&chan->taken, true);
	assert_true(uart.receive);
	assert_true(uart.transmit);
}

static void console_attach__bytes_came_before__not_lost(void **state)
{
	(void)state;
	attach_with(5);
	assert_int_equal(hv_ring_count(&chan->to_guest), 5);
	assert_true(uart.receive);
}

#define console_test(name) cmocka_unit_test_setup(name, attach)

int main(void)
{
	const struct CMUnitTest tests[] = {
		console_test(console_output__room__sent_at_once),
		console_test(console_flush__slow_uart__all_is_sent),
		console_test(u4_console_output__uart_full__rest_waits_for_the_interrupt),
		console_test(u4_console_output__full_and_more_said__order_kept),
		console_test(console_input__bytes_come__device_told),
		console_test(u4_console_input__guest_does_not_read__uart_keeps_the_rest),
		console_test(console_input__taken_while_output_waits__both_interrupts),
		console_test(console_attach__bytes_came_before__not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
