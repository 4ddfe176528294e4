/* SPDX-License-Identifier: MIT */
/* Trap entry to VS-mode. */
#include "trap_kit.h"

#define FIXED 0x8000000a00006000u /* bits of vsstatus that an exception leaves alone */

static void take(uint64_t status, bool user, uint64_t cause)
{
	kit_setup(NULL);
	fake_rv64.vs.vsstatus = status;
	fake_rv64.vs.user = user;
	rv64_exception_take(kit.vcpu, cause, 0x77);
	assert_int_equal(fake_rv64.vs_loads, 1);
	assert_int_equal(kit.vcpu->vs.vsepc, PC);
	assert_int_equal(kit.vcpu->vs.vscause, cause);
	assert_int_equal(kit.vcpu->vs.vstval, 0x77);
	assert_false(kit.vcpu->vs.user);
	assert_true(kit.vcpu->vs_dirty);
	kit_registers_but(0);
}

static void exception__any_status__stacks_mode_and_enable(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 16; n++) {
		bool user = n & 1, enabled = n & 2;
		uint64_t status = FIXED | (enabled ? RV64_STATUS_SIE : 0), after = FIXED;

		status |= n & 4 ? RV64_STATUS_SPIE : 0;
		status |= n & 8 ? RV64_STATUS_SPP : 0;
		take(status, user, RV64_BREAKPOINT);
		after |= user ? 0 : RV64_STATUS_SPP;
		after |= enabled ? RV64_STATUS_SPIE : 0;
		assert_int_equal(kit.vcpu->vs.vsstatus, after);
	}
}

static void exception__vectored__goes_to_the_base(void **state)
{
	(void)state;
	fake_rv64.vs.vstvec = KIT_VSTVEC | 1;
	rv64_exception_take(kit.vcpu, RV64_LOAD_PAGE, 0);
	assert_int_equal(kit.vcpu->regs.pc, KIT_VSTVEC);
}

static void interrupt__vectored_or_not__goes_where_it_belongs(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		kit_setup(NULL);
		fake_rv64.vs.vstvec = KIT_VSTVEC | 1;
		rv64_exception_take(kit.vcpu, RV64_INTERRUPT | n, 0);
		assert_int_equal(kit.vcpu->regs.pc, KIT_VSTVEC + 4 * n);
		assert_int_equal(kit.vcpu->vs.vscause, RV64_INTERRUPT | n);
		kit_setup(NULL);
		rv64_exception_take(kit.vcpu, RV64_INTERRUPT | n, 0);
		assert_int_equal(kit.vcpu->regs.pc, KIT_VSTVEC);
	}
}

/* What core changed and the CPU has not yet is not lost. */
static void exception__after_another__stacks_upon_it(void **state)
{
	(void)state;
	rv64_exception_take(kit.vcpu, RV64_LOAD_PAGE, 1);
	rv64_exception_take(kit.vcpu, RV64_FETCH_PAGE, 2);
	assert_int_equal(fake_rv64.vs_loads, 1);
	assert_int_equal(kit.vcpu->vs.vsepc, KIT_VSTVEC);
	assert_int_equal(kit.vcpu->vs.vstval, 2);
	assert_int_equal(kit.vcpu->vs.vsstatus & RV64_STATUS_SPIE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(exception__any_status__stacks_mode_and_enable),
		kit_test(exception__vectored__goes_to_the_base),
		kit_test(interrupt__vectored_or_not__goes_where_it_belongs),
		kit_test(exception__after_another__stacks_upon_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
