/* SPDX-License-Identifier: MIT */
/* From trap record to verdict: every scause, calls, exceptions that go back to the guest. */
#include "trap_kit.h"

enum fate { FORWARD, ILLEGAL, HANDLED, STOP };

static enum fate fate_of(uint64_t scause)
{
	static const uint8_t forwarded[] = {0, 1, 3, 4, 5, 6, 7, 8, 12, 13, 15};

	if (scause >= 24 || (scause & RV64_INTERRUPT)) {
		return STOP;
	}
	if (memchr(forwarded, (int)scause, sizeof(forwarded))) {
		return FORWARD;
	}
	if (scause == RV64_ILLEGAL || scause == RV64_VIRTUAL_INSN) {
		return ILLEGAL;
	}
	return scause == 10 || scause == 20 || scause == 21 || scause == 23 ? HANDLED : STOP;
}

static void check(uint64_t scause)
{
	const uint64_t tval = INSN_ADDI;
	enum hv_verdict verdict;

	kit_setup(NULL);
	verdict = kit_trap(scause, tval);
	switch (fate_of(scause)) {
	case FORWARD:
		assert_int_equal(verdict, HV_RESUME);
		kit_refused(scause, tval);
		break;
	case ILLEGAL:
		assert_int_equal(verdict, HV_RESUME);
		kit_refused(RV64_ILLEGAL, tval);
		break;
	case HANDLED: assert_int_not_equal(verdict, HV_CRASH); break;
	default:
		assert_int_equal(verdict, HV_CRASH);
		assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
		assert_string_equal(kit.vm->crash.reason, rv64_cause_name(scause));
		assert_int_equal(kit.vm->crash.info[0], scause);
		assert_int_equal(kit.vm->crash.info[1], PC);
		assert_int_equal(exits(HV_EXIT_BAD), 1);
		kit_registers_but(0);
		break;
	}
}

static void x9_trap__every_cause__is_handled_or_goes_back_or_stops_the_vm(void **state)
{
	(void)state;
	for (uint64_t scause = 0; scause < 128; scause++) {
		check(scause);
		check(scause | RV64_INTERRUPT);
		check(scause | HV_BIT(32));
	}
	check(UINT64_MAX);
}

static void x9_trap__every_cause_random_record__ends_in_a_verdict(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned n = 0; n < 64 * 64; n++) {
		struct rv64_trap trap;

		if (n % 64 == 0) {
			kit_setup(NULL);
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		trap.scause = n % 64;
		trap.stval = seed;
		trap.htval = seed >> 7;
		trap.htinst = n & 256 ? seed >> 32 : 0;
		fake_rv64.insn = (uint32_t)(seed >> 13);
		kit.vcpu->regs.x[17] = 0x10; /* calls: of the base extension, which ends no run */
		assert_int_not_equal(rv64_trap_handle(kit.vcpu, &trap), HV_FAULT);
		assert_int_equal(fake_port.locks_held, 0);
		assert_int_equal(kit.vcpu->regs.x[0], 0);
	}
}

/* H11: a process' own call is its kernel's. */
static void h11_ecall__from_user_mode__goes_back(void **state)
{
	(void)state;
	fake_rv64.vs.user = true;
	assert_int_equal(kit_trap(RV64_ECALL_VU, 0), HV_RESUME);
	kit_refused(RV64_ECALL_VU, 0);
	assert_false(kit.vcpu->vs.vsstatus & RV64_STATUS_SPP);
}

static void ecall__from_the_kernel__is_a_call_and_stepped_over(void **state)
{
	(void)state;
	kit.vcpu->regs.x[17] = 0x10; /* base: specification version */
	kit.vcpu->regs.x[16] = 0;
	assert_int_equal(kit_trap(RV64_ECALL_VS, 0), HV_RESUME);
	assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	assert_int_equal(kit.vcpu->regs.x[10], 0);
	assert_int_equal(kit.vcpu->regs.x[11], 0x02000000);
	assert_int_equal(exits(HV_EXIT_CALL), 1);
	assert_int_equal(fake_rv64.vs_loads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(x9_trap__every_cause__is_handled_or_goes_back_or_stops_the_vm),
		kit_test(x9_trap__every_cause_random_record__ends_in_a_verdict),
		kit_test(h11_ecall__from_user_mode__goes_back),
		kit_test(ecall__from_the_kernel__is_a_call_and_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
