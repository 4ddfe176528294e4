/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_race.h>
#include <fake_vm.h>
#include <hv/power.h>

static struct fake_vm fake;
static struct hv_vcpu *vcpu; /* number 1 of 2; OFF */

static int setup(void **state)
{
	unit_setup(state);
	fake_vm_start(&fake, 2);
	vcpu = fake.vm->vcpu[1];
	vcpu->pcpu = 2;
	fake_port.kicks = 0;
	return 0;
}

static int teardown(void **state)
{
	fake_vm_free(&fake);
	return unit_teardown(state);
}

static void again(void)
{
	setup(NULL);
}

/* ---- enter ---- */

static void vcpu_enter__ready__runs_on_that_cpu(void **state)
{
	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_READY);
	assert_int_equal(hv_vcpu_enter(vcpu, 3), HV_OK);
	assert_int_equal(vcpu->state, HV_VCPU_RUNNING);
	assert_int_equal(vcpu->pcpu, 3);
	assert_int_equal(fake_vcpu(vcpu)->resets, 0);
}

static void vcpu_enter__any_other_state__is_refused_and_changes_nothing(void **state)
{
	(void)state;
	for (unsigned from = 0; from < HV_VCPU_STATES; from++) {
		if (from == HV_VCPU_READY) {
			continue;
		}
		again();
		fake_vcpu_bring(vcpu, from);
		assert_int_equal(hv_vcpu_enter(vcpu, 3), HV_ERR_STATE);
		assert_int_equal(vcpu->state, from);
		assert_int_equal(vcpu->pcpu, 2);
	}
}

static void vcpu_enter__after_cpu_on__takes_power_on_registers_once(void **state)
{
	(void)state;
	assert_int_equal(
		hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(FAKE_VM_PC + 4), 0x1234), HV_OK);
	assert_int_equal(fake_vcpu(vcpu)->resets, 0);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_OK);
	assert_int_equal(fake_vcpu(vcpu)->resets, 1);
	assert_int_equal(fake_vcpu(vcpu)->pc.v, FAKE_VM_PC + 4);
	assert_int_equal(fake_vcpu(vcpu)->arg, 0x1234);
	assert_int_equal(vcpu->todo, 0);
	hv_vcpu_leave(vcpu, HV_YIELD);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_OK);
	assert_int_equal(fake_vcpu(vcpu)->resets, 1);
}

static void vcpu_enter__interrupt_is_pending__leaves_it_for_the_arch(void **state)
{
	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_READY);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_OK);
	assert_int_equal(vcpu->todo, HV_TODO_IRQ);
}

static void vcpu_enter__paused__is_refused_until_the_pause_ends(void **state)
{
	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_READY);
	hv_vcpu_wake(vcpu, HV_TODO_PAUSE);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_ERR_STATE);
	assert_int_equal(vcpu->state, HV_VCPU_READY);
}

/* ---- leave ---- */

static void vcpu_leave__each_verdict_with_nothing_to_do__goes_where_it_says(void **state)
{
	static const enum hv_vcpu_state after[] = {
		[HV_RESUME] = HV_VCPU_READY,
		[HV_YIELD] = HV_VCPU_READY,
		[HV_BLOCK] = HV_VCPU_BLOCKED,
		[HV_FAULT] = HV_VCPU_DEAD,
		[HV_OFF] = HV_VCPU_OFF,
		[HV_CRASH] = HV_VCPU_DEAD,
	};

	(void)state;
	for (unsigned verdict = HV_RESUME; verdict <= HV_CRASH; verdict++) {
		again();
		fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
		hv_vcpu_leave(vcpu, verdict);
		assert_int_equal(vcpu->state, after[verdict]);
	}
}

static void vcpu_leave__the_vm_stops__goes_off_and_only_a_crash_is_dead(void **state)
{
	(void)state;
	for (unsigned verdict = HV_RESUME; verdict <= HV_CRASH; verdict++) {
		bool dead = verdict == HV_CRASH || verdict == HV_FAULT;

		again();
		fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
		hv_vcpu_wake(vcpu, HV_TODO_STOP);
		hv_vcpu_leave(vcpu, verdict);
		assert_int_equal(vcpu->state, dead ? HV_VCPU_DEAD : HV_VCPU_OFF);
	}
}

static void vcpu_leave__paused__keeps_what_it_was_about(void **state)
{
	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
	hv_vcpu_wake(vcpu, HV_TODO_PAUSE);
	hv_vcpu_leave(vcpu, HV_BLOCK);
	assert_int_equal(vcpu->state, HV_VCPU_BLOCKED);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	assert_int_equal(vcpu->state, HV_VCPU_READY);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_ERR_STATE);
}

static void vcpu_leave__not_running__is_our_bug(void **state)
{
#ifndef HV_COVERAGE
	jmp_buf here;

	if (setjmp(here) == 0) {
		fake_port.panic_to = &here;
		hv_vcpu_leave(vcpu, HV_YIELD);
		fail();
	}
	assert_non_null(strstr(fake_port.panic_why, "vcpu.c"));
	port_unlock(&vcpu->lock);
#endif
	(void)state;
}

/* ---- wake ---- */

static void vcpu_wake__each_state__sets_todo_and_moves_only_the_blocked(void **state)
{
	(void)state;
	for (unsigned from = 0; from < HV_VCPU_STATES; from++) {
		again();
		fake_vcpu_bring(vcpu, from);
		hv_vcpu_wake(vcpu, HV_TODO_IRQ);
		assert_int_equal(vcpu->todo, HV_TODO_IRQ);
		assert_int_equal(vcpu->state, from == HV_VCPU_BLOCKED ? HV_VCPU_READY : from);
		assert_int_equal(
			fake_port.kicks, from == HV_VCPU_BLOCKED || from == HV_VCPU_RUNNING);
		if (fake_port.kicks) {
			assert_int_equal(fake_port.kicked_pcpu, 2);
		}
	}
}

static void vcpu_wake__running_and_already_told__kicks_once(void **state)
{
	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	assert_int_equal(fake_port.kicks, 1);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ | HV_TODO_STOP);
	assert_int_equal(fake_port.kicks, 2);
	atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_IRQ); /* the arch consumed it */
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	assert_int_equal(fake_port.kicks, 3);
	assert_int_equal(vcpu->stats.irqs, 2);
}

static void vcpu_wake__stop__turns_off_who_waits_and_kicks_every_cpu(void **state)
{
	static const enum hv_vcpu_state after[] = {
		[HV_VCPU_OFF] = HV_VCPU_OFF,
		[HV_VCPU_READY] = HV_VCPU_OFF,
		[HV_VCPU_RUNNING] = HV_VCPU_RUNNING,
		[HV_VCPU_BLOCKED] = HV_VCPU_OFF,
		[HV_VCPU_DEAD] = HV_VCPU_DEAD,
	};

	(void)state;
	for (unsigned from = 0; from < HV_VCPU_STATES; from++) {
		again();
		fake_vcpu_bring(vcpu, from);
		hv_vcpu_wake(vcpu, HV_TODO_STOP);
		assert_int_equal(vcpu->state, after[from]);
		assert_int_equal(fake_port.kicks, 1);
		hv_vcpu_wake(vcpu, HV_TODO_STOP);
		assert_int_equal(fake_port.kicks, 1);
		assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_ERR_STATE);
	}
}

static void vcpu_wake__from_a_device_and_its_interrupt_controller__fits_the_lock_order(void **state)
{
	struct hv_lock dev = HV_LOCK_INIT(HV_LOCK_DEV), irqc = HV_LOCK_INIT(HV_LOCK_IRQC);

	(void)state;
	fake_vcpu_bring(vcpu, HV_VCPU_BLOCKED);
	port_lock(&fake.vm->lock);
	port_lock(&dev);
	port_lock(&irqc);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
	port_unlock(&irqc);
	port_unlock(&dev);
	port_unlock(&fake.vm->lock);
	assert_int_equal(vcpu->state, HV_VCPU_READY);
}

/* ---- S4: lost wake-ups. Every interleaving of what two or three CPUs do at once. ---- */

static struct guest {
	_Atomic bool line; /* the interrupt that it waits for */
	bool entered, waited, saw_line;
} guest;

static void setup_ready(void *ctx)
{
	(void)ctx;
	again();
	fake_vcpu_bring(vcpu, HV_VCPU_READY);
	guest = (struct guest){0};
}

static void setup_blocked(void *ctx)
{
	(void)ctx;
	again();
	fake_vcpu_bring(vcpu, HV_VCPU_BLOCKED);
	guest = (struct guest){0};
}

/* From the entry to the guest to its WFI: prepare the entry, run, find nothing, wait. */
static void prepare_and_wait(void *ctx)
{
	(void)ctx;
	atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_IRQ);
	fake_race_window();
	guest.saw_line = atomic_load(&guest.line);
	guest.waited = !guest.saw_line;
	hv_vcpu_leave(vcpu, guest.saw_line ? HV_YIELD : HV_BLOCK);
}

/* What a backend does with a vCPU that may be READY. */
static void run_until_wfi(void *ctx)
{
	guest.entered = hv_vcpu_enter(vcpu, 0) == HV_OK;
	if (!guest.entered) {
		return;
	}
	if (atomic_load(&vcpu->todo) & HV_TODO_LEAVE) {
		hv_vcpu_leave(vcpu, HV_YIELD);
		return;
	}
	fake_race_window();
	prepare_and_wait(ctx);
}

static void raise_line(void *ctx)
{
	(void)ctx;
	atomic_store(&guest.line, true);
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
}

static void stop_vm(void *ctx)
{
	(void)ctx;
	hv_vm_stop(fake.vm, HV_STOP_OFF);
}

static void pause_vm(void *ctx)
{
	(void)ctx;
	if (hv_vm_pause(fake.vm) != HV_OK) {
		abort();
	}
}

static void resume_vm(void *ctx)
{
	(void)ctx;
	if (hv_vm_start(fake.vm, GPA(0), 0) != HV_OK) {
		abort();
	}
}

static void setup_running(void *ctx)
{
	setup_ready(ctx);
	fake_vcpu_bring(vcpu, HV_VCPU_RUNNING);
}

static void setup_ready_and_paused(void *ctx)
{
	setup_ready(ctx);
	pause_vm(ctx);
	fake_port.kicks = 0;
}

/* It saw its interrupt, or it will be entered again and look: todo says so. */
static void check_not_lost(void *ctx)
{
	(void)ctx;
	assert_true(guest.line);
	assert_int_equal(vcpu->state, HV_VCPU_READY);
	assert_true(guest.saw_line || (vcpu->todo & HV_TODO_IRQ));
	assert_int_equal(fake_port.locks_held, 0);
}

static void s4_wake__in_every_window_around_the_wait__is_never_lost(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = setup_ready,
			    .cpu = {run_until_wfi, raise_line},
			    .check = check_not_lost}) > 50);
}

static void s4_wake__by_two_cpus_around_the_wait__is_never_lost(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = setup_running,
			    .cpu = {prepare_and_wait, raise_line, raise_line},
			    .check = check_not_lost}) > 1000);
}

/* Paused, it runs no more; resumed, it takes up where it was. */
static void check_pause(void *ctx)
{
	assert_int_equal(vcpu->state, guest.waited ? HV_VCPU_BLOCKED : HV_VCPU_READY);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_ERR_STATE);
	raise_line(ctx);
	resume_vm(ctx);
	assert_int_equal(hv_vcpu_enter(vcpu, 0), HV_OK);
}

/* It was entered, or its physical CPU was told to try again. */
static void check_resume(void *ctx)
{
	(void)ctx;
	assert_true(guest.entered || fake_port.kicks > 0);
	assert_int_equal(vcpu->state, guest.entered ? HV_VCPU_BLOCKED : HV_VCPU_READY);
}

static void s4_pause_and_resume__in_every_window_of_a_run__lose_no_vcpu(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = setup_ready,
			    .cpu = {run_until_wfi, pause_vm},
			    .check = check_pause}) > 100);
	assert_true(fake_race(&(struct fake_race){.setup = setup_ready_and_paused,
			    .cpu = {run_until_wfi, resume_vm},
			    .check = check_resume}) > 20);
}

static void s4_wake__while_the_vm_is_paused_or_resumed__is_not_lost(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){
		.setup = setup_blocked, .cpu = {raise_line, pause_vm}, .check = check_not_lost});
	fake_race(&(struct fake_race){.setup = setup_ready_and_paused,
		.cpu = {raise_line, resume_vm},
		.check = check_not_lost});
}

static void check_woken_once(void *ctx)
{
	(void)ctx;
	assert_int_equal(vcpu->state, HV_VCPU_READY);
	assert_int_equal(fake_port.kicks, 1);
}

static void s4_wake__a_waiting_one_by_two_cpus__is_ready_once(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){.setup = setup_blocked,
		.cpu = {raise_line, raise_line},
		.check = check_woken_once});
}

static void check_all_off(void *ctx)
{
	(void)ctx;
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(vcpu->state, HV_VCPU_OFF);
	assert_int_equal(fake.vm->vcpu[0]->state, HV_VCPU_OFF);
	assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
}

static void s4_stop__in_every_window_of_a_run_and_a_wake__no_vcpu_stays_on(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = setup_ready,
			    .cpu = {run_until_wfi, stop_vm},
			    .check = check_all_off}) > 100);
	assert_true(fake_race(&(struct fake_race){.setup = setup_blocked,
			    .cpu = {raise_line, stop_vm},
			    .check = check_all_off}) > 10);
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(vcpu_enter__ready__runs_on_that_cpu),
		test_on(vcpu_enter__any_other_state__is_refused_and_changes_nothing),
		test_on(vcpu_enter__after_cpu_on__takes_power_on_registers_once),
		test_on(vcpu_enter__interrupt_is_pending__leaves_it_for_the_arch),
		test_on(vcpu_enter__paused__is_refused_until_the_pause_ends),
		test_on(vcpu_leave__each_verdict_with_nothing_to_do__goes_where_it_says),
		test_on(vcpu_leave__the_vm_stops__goes_off_and_only_a_crash_is_dead),
		test_on(vcpu_leave__paused__keeps_what_it_was_about),
		test_on(vcpu_leave__not_running__is_our_bug),
		test_on(vcpu_wake__each_state__sets_todo_and_moves_only_the_blocked),
		test_on(vcpu_wake__running_and_already_told__kicks_once),
		test_on(vcpu_wake__stop__turns_off_who_waits_and_kicks_every_cpu),
		test_on(vcpu_wake__from_a_device_and_its_interrupt_controller__fits_the_lock_order),
		test_on(s4_wake__in_every_window_around_the_wait__is_never_lost),
		test_on(s4_wake__by_two_cpus_around_the_wait__is_never_lost),
		test_on(s4_wake__while_the_vm_is_paused_or_resumed__is_not_lost),
		test_on(s4_pause_and_resume__in_every_window_of_a_run__lose_no_vcpu),
		test_on(s4_wake__a_waiting_one_by_two_cpus__is_ready_once),
		test_on(s4_stop__in_every_window_of_a_run_and_a_wake__no_vcpu_stays_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
