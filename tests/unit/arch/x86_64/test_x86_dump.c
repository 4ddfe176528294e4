/* SPDX-License-Identifier: MIT */
#include "x86_kit.h"

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

static void dump__crash__says_why_and_all_registers(void **state)
{
	(void)state;
	assert_int_equal(kit_exit(SVM_EXIT(SHUTDOWN), 0, 0), HV_CRASH);
	x86_dump_crash(kit.vm, line, lines);
	assert_string_equal(lines[0], "vCPU 0: triple fault (0x7f, 0x0)");
	assert_string_equal(lines[1], "rax 0xa5a5a5a500000000  rcx 0xa5a5a5a500000101  "
				      "rdx 0xa5a5a5a500000202  rbx 0xa5a5a5a500000303");
	assert_non_null(strstr(lines[4], "r15 0xa5a5a5a500000f0f"));
	assert_non_null(strstr(lines[5], "rip    0x0000000000010000  rflags 0x0000000000000002"));
	assert_non_null(strstr(lines[6], "cr3    0x0000000000001000"));
	assert_string_equal(lines[8], "cs 0x0000000000000010  attrib 0x0000000000000a9b  "
				      "limit 0x00000000ffffffff  base 0x0000000000000000");
	assert_non_null(strstr(lines[14], "tr "));
	assert_int_equal(line_count, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(dump__crash__says_why_and_all_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
