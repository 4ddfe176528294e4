/* SPDX-License-Identifier: MIT */
/* SetTimer, by Sstc and without it. */
#include "sbi_kit.h"

#define NOW 1000000u

static bool level(void)
{
	return kit_has_line(0, RV64_VSTI);
}

/* Both spellings of the call must do the same. */
static void set_timer(bool legacy, uint64_t when)
{
	atomic_store(&kit.vcpu->hv.todo, 0);
	if (legacy) {
		assert_int_equal(sbi_legacy(SBI_LEGACY_SET_TIMER, when, 7, 8, 9), 0);
		assert_int_equal(sbi_verdict, HV_RESUME);
	} else {
		sbi_gives(SBI_TIME, 0, when, SBI_SUCCESS, 0);
	}
}

static void set_timer__with_sstc__is_the_cpus(void **state)
{
	(void)state;
	kit.vcpu->sstc = true;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		set_timer(legacy, NOW + legacy);
		assert_int_equal(fake_rv64.timer_sets, 1 + legacy);
		assert_int_equal(fake_rv64.timer, NOW + legacy);
		assert_int_equal(kit_todo(0), 0);
	}
	/* The deadline of others does not matter then. */
	kit.vcpu->timer_due = 5;
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW), HV_NEVER_DUE);
	assert_false(level());
}

static void set_timer__without_sstc__is_a_deadline_that_is_told(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		set_timer(legacy, NOW + legacy);
		assert_int_equal(kit.vcpu->timer_due, NOW + legacy);
		assert_int_equal(kit_todo(0), HV_TODO_TIME);
	}
	assert_int_equal(fake_rv64.timer_sets, 0);
	assert_int_equal(fake_port.kicks, 0);
}

static void l5_timer__rises_when_it_is_time__once_until_it_is_set_again(void **state)
{
	(void)state;
	set_timer(false, NOW);
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW - 1), NOW);
	assert_false(level());
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW), HV_NEVER_DUE);
	assert_true(level());
	assert_int_equal(kit_todo(0), HV_TODO_TIME | HV_TODO_IRQ);
	assert_int_equal(kit.vcpu->hv.stats.irqs, 1);
	/* No storm: it stays, and nobody is told again. */
	atomic_store(&kit.vcpu->hv.todo, 0);
	for (unsigned n = 0; n < 100; n++) {
		assert_int_equal(rv64_timer_update(kit.vcpu, NOW + n), HV_NEVER_DUE);
	}
	assert_int_equal(kit_todo(0), 0);
	assert_int_equal(kit.vcpu->hv.stats.irqs, 1);
	/* Set again: low at once, and the entry is told. */
	set_timer(false, NOW + 500);
	assert_false(level());
	assert_int_equal(kit_todo(0), HV_TODO_TIME | HV_TODO_IRQ);
	assert_int_equal(rv64_entry_prepare(kit.vcpu).clear, 0x440);
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW + 100), NOW + 500);
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW + 500), HV_NEVER_DUE);
	assert_true(level());
	assert_int_equal(kit.vcpu->hv.stats.irqs, 2);
}

static void l5_timer__zero_and_past__at_once(void **state)
{
	static const uint64_t when[] = {0, 1, NOW - 1, NOW};

	(void)state;
	for (unsigned n = 0; n < HV_ARRAY_COUNT(when); n++) {
		set_timer(n & 1, when[n]);
		assert_false(level());
		assert_int_equal(rv64_timer_update(kit.vcpu, NOW), HV_NEVER_DUE);
		assert_true(level());
	}
}

static void l5_timer__all_ones__never_and_clears_what_was_pending(void **state)
{
	(void)state;
	set_timer(false, NOW);
	(void)rv64_timer_update(kit.vcpu, NOW);
	assert_true(level());
	set_timer(false, ~(uint64_t)0);
	assert_false(level());
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW), HV_NEVER_DUE);
	assert_int_equal(rv64_timer_update(kit.vcpu, ~(uint64_t)0), HV_NEVER_DUE);
	assert_false(level());
}

static void l5_timer__guests_time_is_another__deadline_is_the_hosts(void **state)
{
	(void)state;
	kit.vcpu->htimedelta = (uint64_t)0 - 1000; /* the guest started at 1000 */
	set_timer(false, 500);
	assert_int_equal(rv64_timer_update(kit.vcpu, 1499), 1500);
	assert_false(level());
	assert_int_equal(rv64_timer_update(kit.vcpu, 1500), HV_NEVER_DUE);
	assert_true(level());
	/* Beyond the end of the host's time: never, not soon. */
	set_timer(false, ~(uint64_t)0 - 1);
	assert_int_equal(rv64_timer_update(kit.vcpu, 1500), HV_NEVER_DUE);
	assert_false(level());
	set_timer(false, ~(uint64_t)0 - 1000);
	assert_int_equal(rv64_timer_update(kit.vcpu, 1500), ~(uint64_t)0);
}

/* "VSTI follows": time that went back, as after a restore, takes it back. */
static void l5_timer__time_goes_back__level_follows(void **state)
{
	(void)state;
	set_timer(false, NOW);
	(void)rv64_timer_update(kit.vcpu, NOW);
	assert_true(level());
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW - 10), NOW);
	assert_false(level());
}

static void timer__waiting_hart__is_woken(void **state)
{
	(void)state;
	set_timer(false, NOW);
	hv_vcpu_leave(&kit.vcpu->hv, HV_BLOCK);
	assert_int_equal(rv64_timer_update(kit.vcpu, NOW - 1), NOW);
	assert_int_equal(kit.vcpu->hv.state, HV_VCPU_BLOCKED);
	(void)rv64_timer_update(kit.vcpu, NOW);
	assert_int_equal(kit.vcpu->hv.state, HV_VCPU_READY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(set_timer__with_sstc__is_the_cpus),
		kit_test(set_timer__without_sstc__is_a_deadline_that_is_told),
		kit_test(l5_timer__rises_when_it_is_time__once_until_it_is_set_again),
		kit_test(l5_timer__zero_and_past__at_once),
		kit_test(l5_timer__all_ones__never_and_clears_what_was_pending),
		kit_test(l5_timer__guests_time_is_another__deadline_is_the_hosts),
		kit_test(l5_timer__time_goes_back__level_follows),
		kit_test(timer__waiting_hart__is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
