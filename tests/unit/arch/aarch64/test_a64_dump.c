/* SPDX-License-Identifier: MIT */
#include "a64_kit.h"

static char said[4096];

static void add(void *ctx, const char *text, size_t size)
{
	(void)ctx;
	strncat(said, text, size);
	strcat(said, "\n");
}

static void a64_dump__crashed_vm__reason_and_every_register_by_name(void **state)
{
	(void)state;
	fake_a64.el1.ttbr1 = 0x1234567890;
	kit.vcpu->regs.pc = 0xffff800008012345;
	assert_int_equal(hv_vm_crash(&kit.vcpu->hv, "a reason", 0x10, 0xabcdef), HV_CRASH);
	said[0] = '\0';
	a64_dump_crash(kit.vm, add, NULL);
	assert_non_null(strstr(said, "vCPU 0: a reason (0x10, 0xabcdef)\n"));
	assert_non_null(strstr(said, "x0  0xa5a5a5a500000000  x1  0xa5a5a5a500000101  "));
	assert_non_null(strstr(said, "x3  0xa5a5a5a500000303\nx4 "));
	assert_non_null(strstr(said, "x28 0xa5a5a5a500001c1c  x29 0xa5a5a5a500001d1d  "
				     "x30 0xa5a5a5a500001e1e\npc  0xffff800008012345  pstate "));
	assert_non_null(
		strstr(said, "ttbr0  0x0000000000000000  ttbr1  0x0000001234567890  mair "));
	assert_int_equal(said[strlen(said) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(a64_dump__crashed_vm__reason_and_every_register_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
