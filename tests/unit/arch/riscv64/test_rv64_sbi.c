/* SPDX-License-Identifier: MIT */
/* SBI calls as such, base, TIME, SRST, and Drydock's own. */
#include "sbi_kit.h"

/* ---- H1, H2, H10 ---- */

static bool is_known(uint32_t ext)
{
	static const uint32_t known[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST,
		SBI_DBCN, SBI_SUSP, SBI_DRYDOCK};

	for (unsigned i = 0; i < HV_ARRAY_COUNT(known); i++) {
		if (known[i] == ext) {
			return true;
		}
	}
	return ext <= 8;
}

static void unknown(uint32_t ext)
{
	if (is_known(ext)) {
		return;
	}
	sbi_gives(ext, 0, 1, SBI_ERR_NOT_SUPPORTED, 0);
	sbi_gives(SBI_BASE, SBI_BASE_PROBE, ext, SBI_SUCCESS, 0);
}

static void h1_call__unknown_extensions__not_supported_and_probe_0(void **state)
{
	/* Neighbours of what is there; PMU, NACL, STA, CPPC, FWFT, DBTR, MPXY, SSE; ranges. */
	static const uint32_t base[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST,
		SBI_DBCN, SBI_SUSP, SBI_DRYDOCK, 0x09, 0x504d55, 0x4e41434c, 0x535441, 0x43505043,
		0x46574654, 0x44425452, 0x4d505859, 0x535345, 0x08000000, 0x09000000, 0x0a000000,
		0x0affffff, 0x80000000, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(base); i++) {
		for (uint32_t n = 0; n < 16; n++) {
			unknown(base[i] + n - 8);
		}
	}
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

static void h1_call__random_extensions__not_supported(void **state)
{
	uint64_t dice = 4;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		dice = dice * 6364136223846793005u + 1442695040888963407u;
		unknown((uint32_t)(dice >> 32));
	}
}

/* The first function that each extension does not have, and far ones. */
static void h1_call__unknown_functions__not_supported(void **state)
{
	static const struct {
		uint32_t ext, count;
	} row[] = {{SBI_BASE, 7}, {SBI_TIME, 1}, {SBI_IPI, 1}, {SBI_RFENCE, 3}, {SBI_HSM, 4},
		{SBI_SRST, 1}, {SBI_DBCN, 3}, {SBI_SUSP, 1}, {SBI_DRYDOCK, 1}};
	static const uint32_t far[] = {0, 1, 3, 0x7fffffff, 0x80000000, 0xfffffff0};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		for (unsigned n = 0; n < HV_ARRAY_COUNT(far); n++) {
			sbi_gives(row[i].ext, row[i].count + far[n], 0, SBI_ERR_NOT_SUPPORTED, 0);
		}
	}
	assert_int_equal(fake_rv64.fences + fake_rv64.timer_sets, 0);
}

static void h2_call__dirty_upper_halves__are_not_looked_at(void **state)
{
	const uint64_t dirt = 0xdeadbeef00000000;

	(void)state;
	sbi_gives(dirt | SBI_BASE, dirt | SBI_BASE_SPEC_VERSION, 0, SBI_SUCCESS, 0x02000000);
	sbi_gives(dirt | SBI_BASE, dirt | SBI_BASE_PROBE, dirt | SBI_HSM, SBI_SUCCESS, 1);
	sbi_gives(dirt | SBI_HSM, dirt | SBI_HSM_STATUS, 1, SBI_SUCCESS, 1);
	/* As a sign extends an id with its top bit set. */
	sbi_gives(0xffffffff80000000, 0, 0, SBI_ERR_NOT_SUPPORTED, 0);
	(void)sbi_call(SBI_SRST, 0, dirt, dirt | 1, 0);
	assert_int_equal(sbi_verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

/* ---- any arguments at all ---- */

static uint64_t dice = 9;

static uint64_t roll(void)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return dice >> 20;
}

/* What is likely to be wrong in one of the calls. */
static uint64_t likely(void)
{
	static const uint64_t values[] = {0, 1, 2, 3, 7, 8, 63, 64, 0xfff, 0x1000, 0x40000, KIT_RAM,
		KIT_RAM + 1, KIT_RAM + KIT_RAM_SIZE - 1, KIT_RAM + KIT_RAM_SIZE, KIT_ROM, KIT_DEV,
		KIT_LAZY, KIT_NOTHING, 0x7fffffff, 0x80000000, 0xffffffff, HV_BIT(32), HV_BIT(63),
		~(uint64_t)0xfff, ~(uint64_t)0};

	return roll() % 8 ? values[roll() % HV_ARRAY_COUNT(values)] : roll() << 20 ^ roll();
}

/* The machine goes on from where the call left it: as a backend would do it. */
static void go_on(void)
{
	if (sbi_verdict == HV_RESUME || sbi_verdict == HV_YIELD) {
		assert_true(sbi_verdict == HV_RESUME || kit.vcpu->regs.pc == SBI_PC - 4);
		atomic_store(&kit.vcpu->hv.todo, 0);
		return;
	}
	assert_true(sbi_verdict == HV_BLOCK || sbi_verdict == HV_OFF || sbi_verdict == HV_CRASH);
	assert_int_equal(kit.vm->stop != HV_STOP_NONE, sbi_verdict != HV_BLOCK);
	hv_vcpu_leave(&kit.vcpu->hv, sbi_verdict);
	kit_setup(NULL);
}

static void h6_h8_call__any_arguments__an_answer_and_nothing_else(void **state)
{
	static const uint32_t ext[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, SBI_BASE, SBI_TIME, SBI_IPI,
		SBI_RFENCE, SBI_HSM, SBI_SRST, SBI_DBCN, SBI_SUSP, SBI_DRYDOCK};

	(void)state;
	for (unsigned n = 0; n < 30000; n++) {
		uint64_t pc = SBI_PC, arg[5];
		unsigned which = (unsigned)(roll() % HV_ARRAY_COUNT(ext));

		for (unsigned i = 0; i < 5; i++) {
			arg[i] = likely();
		}
		fake_rv64.pending = roll() % 4 == 0 ? HV_BIT(RV64_VSTI) : 0;
		(void)sbi_call5(ext[which], roll() % 8, arg); /* checks the registers (H10) */
		assert_int_equal(fake_port.locks_held, 0);
		assert_true(ext[which] > 8 || sbi_verdict == HV_OFF || sbi_value == arg[1]);
		/* A fence is for harts that exist, and for a bounded number of pages. */
		assert_int_equal(fake_rv64.fence.vcpus & ~7u, 0);
		assert_true(fake_rv64.fence.size == ~(uint64_t)0 ||
			    fake_rv64.fence.size <= 64 * HV_PAGE_SIZE);
		assert_true(
			sbi_verdict != HV_RESUME || kit.vcpu->regs.pc == pc || kit.vcpu->vs_here);
		go_on();
	}
}

/* ---- base ---- */

static void base__who_we_are(void **state)
{
	(void)state;
	sbi_gives(SBI_BASE, SBI_BASE_SPEC_VERSION, 5, SBI_SUCCESS, 0x02000000);
	sbi_gives(SBI_BASE, SBI_BASE_IMPL_ID, 5, SBI_SUCCESS, 0x647279);
	sbi_gives(SBI_BASE, SBI_BASE_IMPL_VERSION, 5, SBI_SUCCESS, 1);
	sbi_gives(SBI_BASE, SBI_BASE_MVENDORID, 5, SBI_SUCCESS, 0);
	sbi_gives(SBI_BASE, SBI_BASE_MARCHID, 5, SBI_SUCCESS, 0);
	sbi_gives(SBI_BASE, SBI_BASE_MIMPID, 5, SBI_SUCCESS, 0);
}

static void base_probe__what_is_there__1(void **state)
{
	static const uint32_t ext[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x54494d45, 0x735049,
		0x52464e43, 0x48534d, 0x53525354, 0x4442434e, 0x53555350, 0x0a647279};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(ext); i++) {
		sbi_gives(SBI_BASE, SBI_BASE_PROBE, ext[i], SBI_SUCCESS, 1);
	}
}

/* ---- SRST, legacy shutdown ---- */

static void srst__types__stop_the_machine(void **state)
{
	static const enum hv_stop stop[] = {HV_STOP_OFF, HV_STOP_REBOOT, HV_STOP_REBOOT};

	(void)state;
	for (unsigned n = 0; n < 6; n++) {
		kit_setup(NULL);
		(void)sbi_call(SBI_SRST, 0, n % 3, n / 3, 0);
		assert_int_equal(sbi_verdict, HV_OFF);
		assert_int_equal(kit.vm->stop, stop[n % 3]);
	}
}

static void h6_srst__reserved_and_vendors_values__invalid(void **state)
{
	static const struct {
		uint32_t type, reason;
	} row[] = {{3, 0}, {0xefffffff, 0}, {0xf0000000, 0}, {0xffffffff, 0}, {0, 2},
		{0, 0xdfffffff}, {1, 0xe0000000}, {2, 0xffffffff}};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		assert_int_equal(sbi_call(SBI_SRST, 0, row[i].type, row[i].reason, 0),
			SBI_ERR_INVALID_PARAM);
		assert_int_equal(sbi_value, 0);
		assert_int_equal(sbi_verdict, HV_RESUME);
	}
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

static void legacy_shutdown__stops_the_machine(void **state)
{
	(void)state;
	(void)sbi_legacy(SBI_LEGACY_SHUTDOWN, 1, 2, 3, 4);
	assert_int_equal(sbi_verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

/* H5: the others go off with it, and nothing is left behind, however often. */
static void h5_srst__many_resets_with_others_running__each_as_the_first(void **state)
{
	uint32_t free_count = kit.pool.free_count;

	(void)state;
	for (unsigned n = 0; n < 1000; n++) {
		kit_run(1);
		(void)sbi_call(SBI_SRST, 0, 1, 0, 0);
		assert_int_equal(sbi_verdict, HV_OFF);
		hv_vcpu_leave(&kit.vcpu->hv, HV_OFF);
		assert_int_equal(hv_vm_reset(kit.vm), HV_ERR_STATE); /* hart 1 has not left yet */
		hv_vcpu_leave(kit.vm->vcpu[1], HV_YIELD);
		assert_int_equal(hv_vm_reset(kit.vm), HV_OK);
		assert_int_equal(kit.pool.free_count, free_count);
		assert_int_equal(hv_vm_start(kit.vm, GPA(KIT_RAM), n), HV_OK);
		assert_int_equal(hv_vcpu_enter(&kit.vcpu->hv, 0), HV_OK);
		assert_int_equal(kit.vcpu->regs.x[11], n);
		for (unsigned i = 0; i < 32; i++) {
			kit.vcpu->regs.x[i] = kit_poison(i);
		}
	}
}

/* ---- Drydock's own ---- */

static void exit__zero__is_a_power_off(void **state)
{
	(void)state;
	(void)sbi_call(SBI_DRYDOCK, SBI_DRYDOCK_EXIT, HV_BIT(32), 0, 0); /* H2: 32 bits */
	assert_int_equal(sbi_verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

static void exit__other__is_a_crash_with_that_code(void **state)
{
	(void)state;
	(void)sbi_call(SBI_DRYDOCK, SBI_DRYDOCK_EXIT, 42, 0, 0);
	assert_int_equal(sbi_verdict, HV_CRASH);
	assert_int_equal(kit.vm->stop, HV_STOP_CRASH);
	assert_int_equal(kit.vm->crash.info[0], 42);
	assert_int_equal(kit.vm->crash.info[1], SBI_PC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(h1_call__unknown_extensions__not_supported_and_probe_0),
		kit_test(h1_call__random_extensions__not_supported),
		kit_test(h1_call__unknown_functions__not_supported),
		kit_test(h2_call__dirty_upper_halves__are_not_looked_at),
		kit_test(h6_h8_call__any_arguments__an_answer_and_nothing_else),
		kit_test(base__who_we_are),
		kit_test(base_probe__what_is_there__1),
		kit_test(srst__types__stop_the_machine),
		kit_test(h6_srst__reserved_and_vendors_values__invalid),
		kit_test(legacy_shutdown__stops_the_machine),
		kit_test(h5_srst__many_resets_with_others_running__each_as_the_first),
		kit_test(exit__zero__is_a_power_off),
		kit_test(exit__other__is_a_crash_with_that_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
