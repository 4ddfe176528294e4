/* SPDX-License-Identifier: MIT */
/* Two events at once: what the CPU makes of them, so that none is lost (APM2 8.2.9). */
#include "x86_kit.h"

#include <arch/x86_64/event.h>

enum class { BENIGN, CONTRIBUTORY, PAGE, DOUBLE };

static enum class class_of(unsigned vector) {
	switch (vector){
		case 0 : case 10 : case 11 : case 12 : case 13 : return CONTRIBUTORY;
		case 14 : return PAGE;
		case 8 : return DOUBLE;
		default : return BENIGN;
	}
}

static void deliver(uint8_t type, uint8_t vector)
{
	kit.vcpu->event = (struct x86_event){
		.valid = true, .type = type, .vector = vector, .has_error = true, .error = 0x77};
}

/* Exceptions that core raises behind any that was being delivered. */
static void x15_exceptions__every_two__become_what_the_table_says(void **state)
{
	static const uint8_t seconds[] = {X86_DB, X86_UD, X86_GP, X86_SS_FAULT, X86_PF, X86_AC};

	(void)state;
	for (unsigned first = 0; first < 32; first++) {
		for (size_t i = 0; i < HV_ARRAY_COUNT(seconds); i++) {
			enum class a = class_of(first), b = class_of(seconds[i]);
			bool doubles = (a == CONTRIBUTORY && b == CONTRIBUTORY) ||
				       (a == PAGE && (b == CONTRIBUTORY || b == PAGE));
			bool ends = a == DOUBLE && b != BENIGN;
			enum hv_verdict verdict;

			kit_setup(NULL);
			deliver(X86_EVENT_EXCEPTION, (uint8_t)first);
			verdict = x86_raise_error(kit.vcpu, seconds[i], 0x55);
			assert_int_equal(verdict, ends ? HV_CRASH : HV_RESUME);
			if (ends) {
				assert_string_equal(kit.vm->crash.reason, "triple fault");
			} else if (doubles) {
				kit_raised(X86_DF, true, 0);
			} else {
				kit_raised(seconds[i], true, 0x55);
			}
			assert_false(kit.vcpu->held.valid);
		}
	}
}

static void x15_interrupt__meets_an_exception__comes_behind_it(void **state)
{
	(void)state;
	deliver(X86_EVENT_INTR, 0x41);
	assert_int_equal(x86_raise_page(kit.vcpu, 0x1234, 2), HV_RESUME);
	kit_raised(X86_PF, true, 2);
	assert_int_equal(kit.sys->cr2, 0x1234);
	assert_true(kit.vcpu->held.valid);
	assert_int_equal(kit.vcpu->held.vector, 0x41);
	assert_int_equal(kit.vcpu->held.type, X86_EVENT_INTR);
}

static void x15_nmi__meets_an_exception__comes_behind_it(void **state)
{
	(void)state;
	kit.vcpu->nmi_blocked = true;
	deliver(X86_EVENT_NMI, X86_NMI);
	assert_int_equal(x86_raise(kit.vcpu, X86_UD), HV_RESUME);
	kit_raised(X86_UD, false, 0);
	assert_true(kit.vcpu->nmi_pending);
	assert_false(kit.vcpu->nmi_blocked);
	assert_false(kit.vcpu->held.valid);
}

static void step__trap__is_told_in_dr6(void **state)
{
	(void)state;
	assert_int_equal(x86_raise_step(kit.vcpu), HV_RESUME);
	kit_raised(X86_DB, false, 0);
	assert_int_equal(kit.sys->dr6, X86_DR6_INIT | X86_DR6_BS);
	assert_int_equal(exits(HV_EXIT_GUEST), 1);
	assert_false(kit.sys->rflags & X86_FLAG_RF); /* a trap's flags, and a fault's */
	kit.vcpu->event.valid = false;
	assert_int_equal(x86_raise(kit.vcpu, X86_UD), HV_RESUME);
	assert_true(kit.sys->rflags & X86_FLAG_RF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x15_exceptions__every_two__become_what_the_table_says),
		kit_test(x15_interrupt__meets_an_exception__comes_behind_it),
		kit_test(x15_nmi__meets_an_exception__comes_behind_it),
		kit_test(step__trap__is_told_in_dr6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
