/* SPDX-License-Identifier: MIT */
/* VMMCALL's calls. */
#include "x86_kit.h"

#include <arch/x86_64/call.h>

static struct hv_chan chan;
static struct hv_lock chan_lock;

static int setup(void **state)
{
	kit_setup(state);
	memset(&chan, 0, sizeof(chan));
	chan_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	kit.vm->console = (struct hv_call_console){.chan = &chan, .lock = &chan_lock};
	return 0;
}
#define call_test(name) cmocka_unit_test_setup_teardown(name, setup, kit_teardown)

static enum hv_verdict call(uint64_t fn, uint64_t rbx, uint64_t rcx)
{
	kit.r[X86_RAX] = fn;
	kit.r[X86_RBX] = rbx;
	kit.r[X86_RCX] = rcx;
	return x86_call(kit.vcpu);
}

static void answers(uint64_t fn, uint64_t rbx, uint64_t rcx, int64_t result)
{
	assert_int_equal(call(fn, rbx, rcx), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], (uint64_t)result);
	kit_registers_but(1 << X86_RAX | 1 << X86_RBX | 1 << X86_RCX);
	assert_int_equal(kit.r[X86_RBX], rbx);
	assert_int_equal(kit.r[X86_RCX], rcx);
}

static void h2_call__upper_half__does_not_count(void **state)
{
	(void)state;
	answers(0xffffffff00000000, 0, 0, 0xf);
}

static void call__unknown__is_not_supported(void **state)
{
	(void)state;
	answers(X86_CALLS, 0, 0, X86_CALL_NOT_SUPPORTED);
	answers(UINT32_MAX, 0, 0, X86_CALL_NOT_SUPPORTED);
}

static void putchar__byte__is_on_the_console(void **state)
{
	uint8_t byte;

	(void)state;
	answers(X86_CALL_PUTCHAR, 0x1241, 0, 1);
	assert_true(hv_ring_get(&chan.to_host, &byte));
	assert_int_equal(byte, 'A');
	while (hv_ring_put(&chan.to_host, 0)) {
	}
	answers(X86_CALL_PUTCHAR, 'B', 0, 0);
}

static void write__text__is_on_the_console(void **state)
{
	uint8_t bytes[5];

	(void)state;
	memcpy(&kit_ram[0x30000], "hello", 5);
	answers(X86_CALL_WRITE, 0x30000, 5, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(hv_ring_get(&chan.to_host, &bytes[i]));
	}
	assert_memory_equal(bytes, "hello", 5);
	answers(X86_CALL_WRITE, 0x30000, 0, 0);
	answers(X86_CALL_WRITE, 0x30000, HV_CALL_WRITE, HV_CALL_WRITE);
}

static void h1_write__too_much_or_no_memory__is_refused(void **state)
{
	(void)state;
	answers(X86_CALL_WRITE, 0x30000, HV_CALL_WRITE + 1, X86_CALL_INVALID);
	answers(X86_CALL_WRITE, 0x30000, UINT64_MAX, X86_CALL_INVALID);
	answers(X86_CALL_WRITE, KIT_NOTHING, 1, X86_CALL_INVALID);
	answers(X86_CALL_WRITE, KIT_RAM_SIZE - 4, 5, X86_CALL_INVALID);
	answers(X86_CALL_WRITE, UINT64_MAX, 2, X86_CALL_INVALID);
	assert_int_equal(hv_ring_count(&chan.to_host), 0);
}

static void exit__code__ends_the_vm(void **state)
{
	(void)state;
	assert_int_equal(call(X86_CALL_EXIT, 0xffffffff00000000, 0), HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

static void exit__failure__is_a_crash_with_its_code(void **state)
{
	(void)state;
	assert_int_equal(call(X86_CALL_EXIT, 7, 0), HV_CRASH);
	assert_int_equal(kit.vm->crash.info[0], 7);
	assert_int_equal(kit.vm->crash.info[1], KIT_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		call_test(h2_call__upper_half__does_not_count),
		call_test(call__unknown__is_not_supported),
		call_test(putchar__byte__is_on_the_console),
		call_test(write__text__is_on_the_console),
		call_test(h1_write__too_much_or_no_memory__is_refused),
		call_test(exit__code__ends_the_vm),
		call_test(exit__failure__is_a_crash_with_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
