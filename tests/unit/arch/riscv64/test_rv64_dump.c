/* SPDX-License-Identifier: MIT */
#include "trap_kit.h"

#include <stdio.h>

static char lines[32][160];
static unsigned line_count;

static void line(void *ctx, const char *text, size_t size)
{
	assert_ptr_equal(ctx, lines);
	assert_true(line_count < 32 && size > 0 && size < sizeof(lines[0]));
	memcpy(lines[line_count], text, size);
	lines[line_count++][size] = '\0';
}

static bool has(const char *text)
{
	for (unsigned n = 0; n < line_count; n++) {
		if (strstr(lines[n], text)) {
			return true;
		}
	}
	return false;
}

static void dump__crash__says_why_and_all_registers(void **state)
{
	(void)state;
	memset(lines, 0, sizeof(lines));
	line_count = 0;
	fake_rv64.vs.vsatp = 0x8000000000081234u;
	fake_rv64.vs.user = true;
	assert_int_equal(kit_trap(24, 0), HV_CRASH);
	rv64_dump_crash(kit.vm, line, lines);
	assert_string_equal(lines[0], "vCPU 0: a reserved exception (0x18, 0x80000000)");
	assert_true(has("ra  0xa5a5a5a500000101  sp  0xa5a5a5a500000202"));
	assert_true(has("t6  0xa5a5a5a500001f1f  pc  0x0000000080000000"));
	assert_true(has("user    0x0000000000000001"));
	assert_true(has("tvec    0xffffffff80001000"));
	assert_true(has("atp     0x8000000000081234"));
	assert_true(has("scratch 0x0000000000000000"));
	assert_int_equal(line_count, 1 + 8 + 3);
}

static void cause_name__every_cause__is_a_text(void **state)
{
	(void)state;
	for (uint64_t cause = 0; cause < 64; cause++) {
		assert_true(strlen(rv64_cause_name(cause)) > 0);
		assert_string_equal(rv64_cause_name(RV64_INTERRUPT | cause), "an interrupt");
	}
	assert_string_equal(rv64_cause_name(21), "load guest-page fault");
	assert_string_equal(rv64_cause_name(14), "a reserved exception");
	assert_string_equal(rv64_cause_name(24), "a reserved exception");
	assert_string_equal(rv64_cause_name(HV_BIT(32)), "a reserved exception");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(dump__crash__says_why_and_all_registers),
		kit_test(cause_name__every_cause__is_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
