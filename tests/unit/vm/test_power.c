/* SPDX-License-Identifier: MIT */
#include <unit.h>

#include <fake_race.h>
#include <fake_vm.h>
#include <hv/power.h>

static struct fake_vm fake;
static struct hv_vcpu **vcpu;

/* Three vCPUs; number 0 runs. */
static int setup(void **state)
{
	unit_setup(state);
	fake_vm_start(&fake, 3);
	vcpu = fake.vm->vcpu;
	return hv_vcpu_enter(vcpu[0], 0);
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

static enum hv_status turn_on(unsigned n)
{
	return hv_power_cpu_on(fake.vm, FAKE_HW_ID(n), GPA(FAKE_VM_PC), n);
}

static enum hv_power_state power_of(unsigned n)
{
	enum hv_power_state power = (enum hv_power_state)99;

	assert_int_equal(hv_power_state(fake.vm, FAKE_HW_ID(n), &power), HV_OK);
	return power;
}

static void h3_cpu_on__no_such_cpu__is_not_found(void **state)
{
	enum hv_power_state power;

	(void)state;
	assert_int_equal(turn_on(3), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_power_cpu_on(fake.vm, 1, GPA(FAKE_VM_PC), 0), HV_ERR_NOT_FOUND);
	assert_int_equal(
		hv_power_cpu_on(fake.vm, UINT64_MAX, GPA(FAKE_VM_PC), 0), HV_ERR_NOT_FOUND);
	/* One bit beyond what names a vCPU is another name. */
	assert_int_equal(
		hv_power_cpu_on(fake.vm, FAKE_HW_ID(1) + 1, GPA(FAKE_VM_PC), 0), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_power_state(fake.vm, FAKE_HW_ID(3), &power), HV_ERR_NOT_FOUND);
}

static void h3_cpu_on__entry_outside_executable_memory__is_out_of_range(void **state)
{
	static const uint64_t entries[] = {0, FAKE_VM_RAM - 1, FAKE_VM_RAM + FAKE_VM_RAM_SIZE,
		0x9000000, FAKE_VM_RAM_HPA, UINT64_MAX};
	struct hv_gmem_region *rom = &fake.vm->gmem.region[0];

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		assert_int_equal(
			hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(entries[i]), 0), HV_ERR_RANGE);
	}
	rom->prot = HV_PROT_R;
	assert_int_equal(
		hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(FAKE_VM_ROM), 0), HV_ERR_RANGE);
	assert_int_equal(vcpu[1]->state, HV_VCPU_OFF);
	assert_int_equal(fake.vm->on_count, 1);
	rom->prot = HV_PROT_R | HV_PROT_X;
	assert_int_equal(hv_power_cpu_on(fake.vm, FAKE_HW_ID(1), GPA(FAKE_VM_ROM), 0), HV_OK);
}

static void h3_cpu_on__off_pending_on_and_self__tells_them_apart(void **state)
{
	(void)state;
	assert_int_equal(power_of(1), HV_POWER_OFF);
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(power_of(1), HV_POWER_PENDING);
	assert_int_equal(turn_on(1), HV_ERR_STATE);
	assert_int_equal(hv_vcpu_enter(vcpu[1], 1), HV_OK);
	assert_int_equal(power_of(1), HV_POWER_ON);
	assert_int_equal(turn_on(1), HV_ERR_STATE);
	hv_vcpu_leave(vcpu[1], HV_BLOCK);
	assert_int_equal(power_of(1), HV_POWER_ON);
	assert_int_equal(turn_on(1), HV_ERR_STATE);
	assert_int_equal(vcpu[1]->state, HV_VCPU_BLOCKED);
	assert_int_equal(turn_on(0), HV_ERR_STATE);
	assert_int_equal(fake.vm->on_count, 2);
}

static void h3_cpu_on__refused__keeps_the_first_callers_registers(void **state)
{
	(void)state;
	assert_int_equal(turn_on(2), HV_OK);
	assert_int_equal(
		hv_power_cpu_on(fake.vm, FAKE_HW_ID(2), GPA(FAKE_VM_RAM), 0xbad), HV_ERR_STATE);
	assert_int_equal(hv_vcpu_enter(vcpu[2], 2), HV_OK);
	assert_int_equal(fake_vcpu(vcpu[2])->pc.v, FAKE_VM_PC);
	assert_int_equal(fake_vcpu(vcpu[2])->arg, 2);
}

static void h3_cpu_on__wakes_the_cpu_that_ran_it_last(void **state)
{
	(void)state;
	vcpu[1]->pcpu = 3;
	fake_port.kicks = 0;
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(fake_port.kicks, 1);
	assert_int_equal(fake_port.kicked_pcpu, 3);
}

static void h4_cpu_off__not_the_last__can_be_turned_on_again_once_it_has_left(void **state)
{
	(void)state;
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(hv_vcpu_enter(vcpu[1], 1), HV_OK);
	assert_int_equal(hv_power_cpu_off(vcpu[1]), HV_OFF);
	assert_int_equal(fake.vm->state, HV_VM_RUNNING);
	/* Its registers are still being saved. */
	assert_int_equal(power_of(1), HV_POWER_ON);
	assert_int_equal(turn_on(1), HV_ERR_STATE);
	hv_vcpu_leave(vcpu[1], HV_OFF);
	assert_int_equal(power_of(1), HV_POWER_OFF);
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(fake.vm->on_count, 2);
}

static void h4_cpu_off__the_last__stops_the_vm(void **state)
{
	(void)state;
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(hv_power_cpu_off(vcpu[0]), HV_OFF);
	hv_vcpu_leave(vcpu[0], HV_OFF);
	assert_int_equal(fake.vm->state, HV_VM_RUNNING);
	assert_int_equal(hv_vcpu_enter(vcpu[1], 0), HV_OK);
	assert_int_equal(hv_power_cpu_off(vcpu[1]), HV_OFF);
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(fake.vm->stop, HV_STOP_OFF);
	hv_vcpu_leave(vcpu[1], HV_OFF);
	assert_int_equal(vcpu[1]->state, HV_VCPU_OFF);
	assert_int_equal(turn_on(0), HV_ERR_STATE);
}

static void h5_system__off_and_reboot__quiesce_every_vcpu_and_kick_who_runs(void **state)
{
	(void)state;
	for (unsigned reboot = 0; reboot < 2; reboot++) {
		again();
		fake_vcpu_bring(vcpu[1], HV_VCPU_RUNNING);
		vcpu[1]->pcpu = 3;
		fake_vcpu_bring(vcpu[2], HV_VCPU_BLOCKED);
		fake_port.kicks = 0;
		assert_int_equal(hv_power_system(fake.vm, reboot), HV_OFF);
		assert_int_equal(fake.vm->state, HV_VM_STOPPED);
		assert_int_equal(fake.vm->stop, reboot ? HV_STOP_REBOOT : HV_STOP_OFF);
		assert_int_equal(vcpu[2]->state, HV_VCPU_OFF);
		assert_int_equal(fake_port.kicks, 3);
		assert_true(vcpu[1]->todo & HV_TODO_STOP);
		assert_int_equal(hv_vm_reset(fake.vm), HV_ERR_STATE);
		hv_vcpu_leave(vcpu[0], HV_OFF);
		hv_vcpu_leave(vcpu[1], HV_RESUME); /* mid-I/O: it had no idea */
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(vcpu[i]->state, HV_VCPU_OFF);
		}
		assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
	}
}

static void power_state__crashed__is_off(void **state)
{
	(void)state;
	hv_vcpu_leave(vcpu[0], hv_vm_crash(vcpu[0], "test", 0, 0));
	assert_int_equal(vcpu[0]->state, HV_VCPU_DEAD);
	assert_int_equal(power_of(0), HV_POWER_OFF);
}

/* ---- races: every interleaving of what two or three CPUs do at once ---- */

static enum hv_status status[2];

static void setup_0_runs(void *ctx)
{
	(void)ctx;
	again();
	status[0] = status[1] = HV_ERR_INVALID;
}

static void setup_0_and_1_run(void *ctx)
{
	setup_0_runs(ctx);
	assert_int_equal(turn_on(1), HV_OK);
	assert_int_equal(hv_vcpu_enter(vcpu[1], 1), HV_OK);
}

static void setup_none_runs(void *ctx)
{
	setup_0_runs(ctx);
	hv_vcpu_leave(vcpu[0], HV_YIELD);
}

static void on_by_0(void *ctx)
{
	(void)ctx;
	status[0] = hv_power_cpu_on(fake.vm, FAKE_HW_ID(2), GPA(FAKE_VM_PC), 100);
}

static void on_by_1(void *ctx)
{
	(void)ctx;
	status[1] = hv_power_cpu_on(fake.vm, FAKE_HW_ID(2), GPA(FAKE_VM_PC + 8), 101);
}

static void check_one_winner(void *ctx)
{
	unsigned *wins = ctx;
	bool first = status[0] == HV_OK;

	assert_int_equal(status[!first], HV_OK);
	assert_int_equal(status[first], HV_ERR_STATE);
	assert_int_equal(fake.vm->on_count, 2);
	assert_int_equal(hv_vcpu_enter(vcpu[2], 2), HV_OK);
	assert_int_equal(fake_vcpu(vcpu[2])->resets, 1);
	assert_int_equal(fake_vcpu(vcpu[2])->arg, first ? 100 : 101);
	assert_int_equal(fake_vcpu(vcpu[2])->pc.v, first ? FAKE_VM_PC : FAKE_VM_PC + 8);
	wins[!first]++;
}

static void h3_cpu_on__two_callers_at_once__exactly_one_wins(void **state)
{
	unsigned wins[2] = {0};

	(void)state;
	fake_race(&(struct fake_race){.setup = setup_0_runs,
		.cpu = {on_by_0, on_by_1},
		.check = check_one_winner,
		.ctx = wins});
	assert_true(wins[0] > 0 && wins[1] > 0);
}

static void off_by_0(void *ctx)
{
	(void)ctx;
	hv_vcpu_leave(vcpu[0], hv_power_cpu_off(vcpu[0]));
}

static void off_by_1(void *ctx)
{
	(void)ctx;
	hv_vcpu_leave(vcpu[1], hv_power_cpu_off(vcpu[1]));
}

static void check_stopped(void *ctx)
{
	(void)ctx;
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(fake.vm->stop, HV_STOP_OFF);
	assert_int_equal(hv_vm_reset(fake.vm), HV_OK);
}

static void h4_cpu_off__the_last_two_at_once__the_vm_stops(void **state)
{
	(void)state;
	assert_true(fake_race(&(struct fake_race){.setup = setup_0_and_1_run,
			    .cpu = {off_by_0, off_by_1},
			    .check = check_stopped}) > 100);
}

/* vCPU 0 turns 2 on and itself off, while 1 goes off: one stays. */
static void on_then_off_by_0(void *ctx)
{
	on_by_0(ctx);
	off_by_0(ctx);
}

static void check_2_stays(void *ctx)
{
	(void)ctx;
	assert_int_equal(status[0], HV_OK);
	assert_int_equal(fake.vm->state, HV_VM_RUNNING);
	assert_int_equal(fake.vm->on_count, 1);
	assert_int_equal(vcpu[2]->state, HV_VCPU_READY);
}

static void h4_cpu_off__as_another_is_turned_on__the_vm_goes_on(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){.setup = setup_0_and_1_run,
		.cpu = {on_then_off_by_0, off_by_1},
		.check = check_2_stays});
}

static void reboot(void *ctx)
{
	(void)ctx;
	hv_vm_stop(fake.vm, HV_STOP_REBOOT);
}

static void check_none_on(void *ctx)
{
	(void)ctx;
	assert_true(status[0] == HV_OK || status[0] == HV_ERR_STATE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(vcpu[i]->state, HV_VCPU_OFF);
		assert_int_equal(hv_vcpu_enter(vcpu[i], 0), HV_ERR_STATE);
	}
}

static void h5_system__a_cpu_on_at_once__no_vcpu_is_on_in_a_stopped_vm(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){
		.setup = setup_none_runs, .cpu = {on_by_0, reboot}, .check = check_none_on});
}

static void pause(void *ctx)
{
	(void)ctx;
	status[0] = hv_vm_pause(fake.vm);
}

static void crash_by_0(void *ctx)
{
	(void)ctx;
	hv_vcpu_leave(vcpu[0], hv_vm_crash(vcpu[0], "race", 1, 2));
}

static void check_crashed(void *ctx)
{
	(void)ctx;
	assert_true(status[0] == HV_OK || status[0] == HV_ERR_STATE);
	assert_string_equal(fake.vm->crash.reason, "race");
	assert_int_equal(fake.vm->state, HV_VM_STOPPED);
	assert_int_equal(vcpu[0]->state, HV_VCPU_DEAD);
}

static void vm_pause__a_crash_at_once__is_recorded(void **state)
{
	(void)state;
	fake_race(&(struct fake_race){
		.setup = setup_0_runs, .cpu = {pause, crash_by_0}, .check = check_crashed});
}

#define test_on(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on(h3_cpu_on__no_such_cpu__is_not_found),
		test_on(h3_cpu_on__entry_outside_executable_memory__is_out_of_range),
		test_on(h3_cpu_on__off_pending_on_and_self__tells_them_apart),
		test_on(h3_cpu_on__refused__keeps_the_first_callers_registers),
		test_on(h3_cpu_on__wakes_the_cpu_that_ran_it_last),
		test_on(h4_cpu_off__not_the_last__can_be_turned_on_again_once_it_has_left),
		test_on(h4_cpu_off__the_last__stops_the_vm),
		test_on(h5_system__off_and_reboot__quiesce_every_vcpu_and_kick_who_runs),
		test_on(power_state__crashed__is_off),
		test_on(h3_cpu_on__two_callers_at_once__exactly_one_wins),
		test_on(h4_cpu_off__the_last_two_at_once__the_vm_stops),
		test_on(h4_cpu_off__as_another_is_turned_on__the_vm_goes_on),
		test_on(h5_system__a_cpu_on_at_once__no_vcpu_is_on_in_a_stopped_vm),
		test_on(vm_pause__a_crash_at_once__is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
