/* SPDX-License-Identifier: MIT */
/* Harts that start, stop and sleep: HSM and SUSP. */
#include "sbi_kit.h"

#define START  KIT_RAM + 0x200
#define OPAQUE 0x1234567890abcdef

#define NON_RETENTIVE 0x80000000u

static int64_t hsm(uint64_t fn, uint64_t a0, uint64_t a1, uint64_t a2)
{
	return sbi_call(SBI_HSM, fn, a0, a1, a2);
}

static void status_is(uint64_t hart, uint64_t hsm_state)
{
	sbi_gives(SBI_HSM, SBI_HSM_STATUS, hart, SBI_SUCCESS, hsm_state);
}

/* ---- start, stop, status ---- */

static void h3_start__stopped_hart__goes_through_all_states(void **state)
{
	struct rv64_vcpu *second = kit_vcpu(1);

	(void)state;
	status_is(0, 0);
	status_is(1, 1);
	assert_int_equal(hsm(SBI_HSM_START, 1, START, OPAQUE), SBI_SUCCESS);
	assert_int_equal(sbi_value, 0);
	assert_int_equal(sbi_verdict, HV_RESUME);
	status_is(1, 2); /* start pending */
	assert_int_equal(hsm(SBI_HSM_START, 1, START, 0), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(hv_vcpu_enter(&second->hv, 1), HV_OK);
	assert_int_equal(second->regs.pc, START);
	assert_int_equal(second->regs.x[10], 1);
	assert_int_equal(second->regs.x[11], OPAQUE);
	status_is(1, 0);
	assert_int_equal(hsm(SBI_HSM_START, 1, START, 0), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(hsm(SBI_HSM_START, 0, START, 0), SBI_ERR_ALREADY_AVAILABLE); /* itself */
	hv_vcpu_leave(&second->hv, hv_power_cpu_off(&second->hv));
	status_is(1, 1);
	assert_int_equal(hsm(SBI_HSM_START, 1, START, 0), SBI_SUCCESS);
}

static void h3_start__bad_hart__invalid_parameter(void **state)
{
	static const uint64_t bad[] = {
		KIT_VCPUS, 63, 64, 0x80000000, HV_BIT(32) | 1, HV_BIT(63), ~(uint64_t)0};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(hsm(SBI_HSM_START, bad[i], START, 0), SBI_ERR_INVALID_PARAM);
		sbi_gives(SBI_HSM, SBI_HSM_STATUS, bad[i], SBI_ERR_INVALID_PARAM, 0);
	}
}

static void h3_h8_start__bad_address__invalid_address(void **state)
{
	static const uint64_t bad[] = {START + 1, KIT_DEV, KIT_NOTHING, 0, KIT_RAM - 2,
		KIT_RAM + KIT_RAM_SIZE, KIT_RAM + KIT_RAM_SIZE - 1, ~(uint64_t)0, ~(uint64_t)1};
	static const uint64_t good[] = {
		KIT_RAM, KIT_RAM + KIT_RAM_SIZE - 2, KIT_ROM, KIT_LAZY + KIT_SMALL - 2};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(hsm(SBI_HSM_START, 1, bad[i], 0), SBI_ERR_INVALID_ADDRESS);
	}
	status_is(1, 1);
	for (unsigned i = 0; i < HV_ARRAY_COUNT(good); i++) {
		kit_setup(NULL);
		assert_int_equal(hsm(SBI_HSM_START, 1, good[i], 0), SBI_SUCCESS);
	}
}

static void h3_start__hart_ids_are_the_boards__not_the_index(void **state)
{
	(void)state;
	kit_vcpu(1)->hart_id = 70;
	assert_int_equal(hsm(SBI_HSM_START, 1, START, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(hsm(SBI_HSM_START, 70, START, 0), SBI_SUCCESS);
	assert_int_equal(hv_vcpu_enter(kit.vm->vcpu[1], 1), HV_OK);
	assert_int_equal(kit_vcpu(1)->regs.x[10], 70);
	status_is(70, 0);
}

static void h3_start__machine_stops__is_not_started(void **state)
{
	(void)state;
	hv_vm_stop(kit.vm, HV_STOP_OFF);
	assert_int_equal(hsm(SBI_HSM_START, 1, START, 0), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(kit.vm->vcpu[1]->state, HV_VCPU_OFF);
}

static void h4_stop__not_the_last__only_itself(void **state)
{
	(void)state;
	kit_run(1);
	(void)hsm(SBI_HSM_STOP, 0, 0, 0);
	assert_int_equal(sbi_verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

static void h4_stop__the_last__stops_the_machine(void **state)
{
	(void)state;
	(void)hsm(SBI_HSM_STOP, 0, 0, 0);
	assert_int_equal(sbi_verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

/* ---- suspend ---- */

static void h6_suspend__retentive__waits_and_goes_on(void **state)
{
	(void)state;
	kit_run(1);
	assert_int_equal(hsm(SBI_HSM_SUSPEND, 0, 1, 2), SBI_SUCCESS); /* a1, a2 do not count */
	assert_int_equal(sbi_value, 0);
	assert_int_equal(sbi_verdict, HV_BLOCK);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC);
	assert_false(kit.vcpu->vs_here); /* nothing of it was looked at */
	hv_vcpu_leave(&kit.vcpu->hv, HV_BLOCK);
	assert_int_equal(kit.vm->vcpu[0]->state, HV_VCPU_BLOCKED);
	/* Hart 1 sees it sleep, until it has run again. */
	kit.vcpu = kit_vcpu(1);
	memcpy(kit.vcpu->regs.x, kit_vcpu(0)->regs.x, sizeof(kit.vcpu->regs.x));
	status_is(0, 4);
	rv64_ipi_send(kit_vcpu(0));
	assert_int_equal(kit.vm->vcpu[0]->state, HV_VCPU_READY);
	status_is(0, 4);
	assert_int_equal(hv_vcpu_enter(kit.vm->vcpu[0], 0), HV_OK);
	assert_int_equal(rv64_entry_prepare(kit_vcpu(0)).set, HV_BIT(RV64_VSSI));
	status_is(0, 0);
}

static void h6_suspend__interrupt_is_pending__does_not_sleep(void **state)
{
	(void)state;
	fake_rv64.pending = HV_BIT(RV64_VSTI);
	assert_int_equal(hsm(SBI_HSM_SUSPEND, 0, 0, 0), SBI_SUCCESS);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_false(atomic_load(&kit.vcpu->suspended));
}

/* The interrupt comes between the call and the end of the exit. */
static void s4_suspend__interrupt_comes_at_the_last_moment__is_not_lost(void **state)
{
	(void)state;
	(void)hsm(SBI_HSM_SUSPEND, 0, 0, 0);
	rv64_line_set(kit.vcpu, RV64_VSEI, true);
	hv_vcpu_leave(&kit.vcpu->hv, sbi_verdict);
	assert_int_equal(kit.vm->vcpu[0]->state, HV_VCPU_READY);
}

static void suspend_non_retentive__resumes_as_a_hart_that_starts(void **state)
{
	const uint64_t status = 0x8000000a00006122; /* SIE, SPIE, SPP, FS and more */

	(void)state;
	fake_rv64.vs.vsatp = 0x8000000000080010;
	fake_rv64.vs.vsstatus = status;
	fake_rv64.vs.vsie = 0x222;
	kit.vcpu->hart_id = 9;
	(void)hsm(SBI_HSM_SUSPEND, 0xdeadbeef00000000 | NON_RETENTIVE, START, OPAQUE);
	assert_int_equal(sbi_verdict, HV_BLOCK);
	assert_true(atomic_load(&kit.vcpu->suspended));
	assert_int_equal(kit.vcpu->regs.pc, START);
	assert_int_equal(kit.vcpu->regs.x[10], 9);
	assert_int_equal(kit.vcpu->regs.x[11], OPAQUE);
	assert_true(kit.vcpu->vs_here && kit.vcpu->vs_dirty);
	assert_int_equal(kit.vcpu->vs.vsatp, 0);
	assert_int_equal(kit.vcpu->vs.vsstatus, status & ~HV_BIT(1));
	assert_int_equal(kit.vcpu->vs.vsie, 0x222); /* or nothing could wake it */
	/* With something pending it starts over there at once. */
	kit_setup(NULL);
	fake_rv64.pending = HV_BIT(RV64_VSSI);
	(void)hsm(SBI_HSM_SUSPEND, NON_RETENTIVE, START, OPAQUE);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, START);
}

static void h6_suspend__bad_type_or_address(void **state)
{
	static const uint32_t bad[] = {
		1, 0x0fffffff, 0x10000000, 0x7fffffff, 0x80000001, 0x90000000, ~0u};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(hsm(SBI_HSM_SUSPEND, bad[i], START, 0), SBI_ERR_INVALID_PARAM);
		assert_int_equal(sbi_value, 0);
	}
	assert_int_equal(hsm(SBI_HSM_SUSPEND, NON_RETENTIVE, KIT_DEV, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(
		hsm(SBI_HSM_SUSPEND, NON_RETENTIVE, START + 1, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC);
	assert_false(atomic_load(&kit.vcpu->suspended));
	assert_int_equal(fake_rv64.vs_loads, 0);
}

/* ---- SUSP ---- */

static void susp__alone__sleeps_and_resumes_there(void **state)
{
	(void)state;
	(void)sbi_call(SBI_SUSP, 0, HV_BIT(32), START, OPAQUE); /* H2: the type has 32 bits */
	assert_int_equal(sbi_verdict, HV_BLOCK);
	assert_true(atomic_load(&kit.vcpu->suspended));
	assert_int_equal(kit.vcpu->regs.pc, START);
	assert_int_equal(kit.vcpu->regs.x[11], OPAQUE);
}

static void susp__another_hart_is_not_stopped__denied(void **state)
{
	(void)state;
	assert_int_equal(hsm(SBI_HSM_START, 2, START, 0), SBI_SUCCESS); /* pending is not stopped */
	assert_int_equal(sbi_call(SBI_SUSP, 0, 0, START, 0), SBI_ERR_DENIED);
	assert_int_equal(hv_vcpu_enter(kit.vm->vcpu[2], 2), HV_OK);
	assert_int_equal(sbi_call(SBI_SUSP, 0, 0, START, 0), SBI_ERR_DENIED);
	assert_int_equal(kit.vcpu->regs.pc, SBI_PC);
	hv_vcpu_leave(kit.vm->vcpu[2], hv_power_cpu_off(kit.vm->vcpu[2]));
	(void)sbi_call(SBI_SUSP, 0, 0, START, 0);
	assert_int_equal(sbi_verdict, HV_BLOCK);
}

static void h6_susp__bad_type_or_address(void **state)
{
	static const uint32_t bad[] = {1, 0x7fffffff, 0x80000000, ~0u};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(sbi_call(SBI_SUSP, 0, bad[i], START, 0), SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(sbi_call(SBI_SUSP, 0, 0, KIT_NOTHING, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(sbi_verdict, HV_RESUME);
	assert_false(atomic_load(&kit.vcpu->suspended));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(h3_start__stopped_hart__goes_through_all_states),
		kit_test(h3_start__bad_hart__invalid_parameter),
		kit_test(h3_h8_start__bad_address__invalid_address),
		kit_test(h3_start__hart_ids_are_the_boards__not_the_index),
		kit_test(h3_start__machine_stops__is_not_started),
		kit_test(h4_stop__not_the_last__only_itself),
		kit_test(h4_stop__the_last__stops_the_machine),
		kit_test(h6_suspend__retentive__waits_and_goes_on),
		kit_test(h6_suspend__interrupt_is_pending__does_not_sleep),
		kit_test(s4_suspend__interrupt_comes_at_the_last_moment__is_not_lost),
		kit_test(suspend_non_retentive__resumes_as_a_hart_that_starts),
		kit_test(h6_suspend__bad_type_or_address),
		kit_test(susp__alone__sleeps_and_resumes_there),
		kit_test(susp__another_hart_is_not_stopped__denied),
		kit_test(h6_susp__bad_type_or_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
