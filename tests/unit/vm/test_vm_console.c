/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_vm.h>

static struct fake_vm fake;
static struct hv_chan chan;
static struct hv_lock lock;
static unsigned sent, taken, locks_at_sent;

static void on_sent(void *ctl, uint32_t line, bool level)
{
	(void)ctl, (void)line;
	sent += level;
	locks_at_sent = fake_port.locks_held;
}

static void on_taken(void *ctl, uint32_t line, bool level)
{
	(void)ctl, (void)line;
	taken += level;
	locks_at_sent = fake_port.locks_held;
}

static int setup(void **state)
{
	unit_setup(state);
	fake_vm_start(&fake, 1);
	chan = (struct hv_chan){.sent = {.set = on_sent}, .taken = {.set = on_taken}};
	lock = HV_LOCK_INIT(HV_LOCK_DEV);
	fake.vm->console = (struct hv_call_console){&chan, &lock};
	sent = 0;
	taken = 0;
	return 0;
}

static int teardown(void **state)
{
	fake_vm_free(&fake);
	return unit_teardown(state);
}

static void vm_write__bytes__stand_in_the_ring_in_order(void **state)
{
	uint8_t byte;

	(void)state;
	assert_int_equal(hv_vm_write(fake.vm, (const uint8_t *)"dry", 3), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(hv_ring_get(&chan.to_host, &byte));
		assert_int_equal(byte, "dry"[i]);
	}
	assert_int_equal(sent, 1);
	assert_int_equal(locks_at_sent, 1); /* as the device does it, and with the device's lock */
}

static void vm_write__nothing__tells_nobody(void **state)
{
	(void)state;
	assert_int_equal(hv_vm_write(fake.vm, NULL, 0), 0);
	assert_int_equal(sent, 0);
}

/* U4: what does not fit is the guest's to offer again. */
static void u4_vm_write__ring_is_nearly_full__takes_what_fits(void **state)
{
	uint8_t text[HV_CALL_WRITE] = {0};
	unsigned written = 0;

	(void)state;
	while (written < HV_RING_SIZE - 10) {
		assert_true(hv_ring_put(&chan.to_host, 'x'));
		written++;
	}
	assert_int_equal(hv_vm_write(fake.vm, text, sizeof(text)), 10);
	assert_int_equal(hv_vm_write(fake.vm, text, sizeof(text)), 0);
	assert_int_equal(sent, 1);
}

static void vm_write__machine_without_a_console__takes_nothing(void **state)
{
	(void)state;
	fake.vm->console = (struct hv_call_console){0};
	assert_int_equal(hv_vm_write(fake.vm, (const uint8_t *)"x", 1), 0);
}

static void vm_read__bytes_of_the_owner__in_order_and_once(void **state)
{
	uint8_t text[4] = "....";

	(void)state;
	assert_int_equal(hv_vm_read(fake.vm, text, sizeof(text)), 0);
	assert_int_equal(taken, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(hv_ring_put(&chan.to_guest, (uint8_t) "dry"[i]));
	}
	assert_int_equal(hv_vm_read(fake.vm, text, 2), 2);
	assert_memory_equal(text, "dr..", 4);
	assert_int_equal(locks_at_sent, 1);
	assert_int_equal(hv_vm_read(fake.vm, text, sizeof(text)), 1);
	assert_memory_equal(text, "yr..", 4);
	assert_int_equal(taken, 2);
	assert_int_equal(sent, 0);
}

static void vm_read__machine_without_a_console__gives_nothing(void **state)
{
	uint8_t byte;

	(void)state;
	assert_true(hv_ring_put(&chan.to_guest, 'x'));
	fake.vm->console = (struct hv_call_console){0};
	assert_int_equal(hv_vm_read(fake.vm, &byte, 1), 0);
}

#define vm_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		vm_test(vm_write__bytes__stand_in_the_ring_in_order),
		vm_test(vm_write__nothing__tells_nobody),
		vm_test(u4_vm_write__ring_is_nearly_full__takes_what_fits),
		vm_test(vm_write__machine_without_a_console__takes_nothing),
		vm_test(vm_read__bytes_of_the_owner__in_order_and_once),
		vm_test(vm_read__machine_without_a_console__gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
