/* SPDX-License-Identifier: MIT */
/* A guest that cannot go on: its exception vector faults at the address it would be taken to. */
#include "a64_kit.h"

#define EC_IABT_LOWER 0x20
#define TRANSLATION_3 7

static void x1_insn_abort__at_the_vector_it_goes_to__stops_the_vm_with_reason(void **state)
{
	(void)state;
	fake_a64.el1.vbar = KIT_NOTHING;
	kit.vcpu->regs.pc = KIT_NOTHING + 0x200;
	assert_int_equal(kit_abort(EC_IABT_LOWER, TRANSLATION_3, KIT_NOTHING + 0x200), HV_CRASH);
	assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
	assert_string_equal(kit.vm->crash.reason, "its exception vector is not in memory");
	assert_int_equal(kit.vm->crash.info[1], KIT_NOTHING + 0x200);
}

static void insn_abort__at_the_vector_of_another_state__goes_to_the_guest(void **state)
{
	(void)state;
	fake_a64.el1.vbar = KIT_NOTHING;
	kit.vcpu->regs.pstate = KIT_EL1T;
	kit.vcpu->regs.pc = KIT_NOTHING + 0x200;
	assert_int_equal(kit_abort(EC_IABT_LOWER, TRANSLATION_3, KIT_NOTHING + 0x200), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, KIT_NOTHING);
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x1_insn_abort__at_the_vector_it_goes_to__stops_the_vm_with_reason),
		kit_test(insn_abort__at_the_vector_of_another_state__goes_to_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
