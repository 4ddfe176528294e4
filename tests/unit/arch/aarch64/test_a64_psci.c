/* SPDX-License-Identifier: MIT */
/* Firmware calls: PSCI 1.1 and SMCCC 1.2, through HVC and SMC. */
#include "a64_kit.h"

#include <arch/aarch64/smccc.h>

#define PC KIT_RAM

#define FN(n)   (PSCI_BASE | (n))
#define FN64(n) (PSCI_BASE | PSCI_SMC64 | (n))

static enum hv_verdict verdict;

/* HVC #0 with x0..x3; returns x0. */
static uint64_t call(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	uint64_t *x = kit.vcpu->regs.x;

	x[0] = fn;
	x[1] = a1;
	x[2] = a2;
	x[3] = a3;
	verdict = kit_trap(kit_esr(0x16, 0));
	return x[0];
}

static int64_t result(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	int64_t r = (int64_t)call(fn, a1, a2, a3);

	assert_int_equal(verdict, HV_RESUME);
	/* Arguments and everything else stay (H10). */
	assert_int_equal(kit.vcpu->regs.x[1], a1);
	assert_int_equal(kit.vcpu->regs.x[2], a2);
	assert_int_equal(kit.vcpu->regs.x[3], a3);
	kit_registers_but(0xf);
	return r;
}

static struct hv_vcpu *second(void)
{
	return kit.vm->vcpu[1];
}

/* ---- H1, H2 ---- */

static bool is_known(uint32_t fn)
{
	static const uint32_t known[] = {0x80000000, 0x80000001, 0x8600ff01, 0x8600ff03,
		DRYDOCK_FEATURES, DRYDOCK_PUTCHAR, DRYDOCK_WRITE, DRYDOCK_EXIT, FN(0), FN(1), FN(2),
		FN(3), FN(4), FN(6), FN(8), FN(9), FN(10), FN(0x12), FN64(1), FN64(3), FN64(4),
		FN64(0x12)};

	for (unsigned i = 0; i < HV_ARRAY_COUNT(known); i++) {
		if (known[i] == fn) {
			return true;
		}
	}
	return false;
}

static void h1_call__unknown_neighbours_and_ranges__not_supported(void **state)
{
	static const uint32_t base[] = {0x80000000, 0x81000000, 0x82000000, 0x83000000, 0x84000000,
		0x85000000, 0x86000000, 0x87000000, 0xb0000000, 0xbf000000, 0xc0000000, 0xc1000000,
		0xc4000000, 0xc6000000, 0xff000000, 0x00000000, 0x04000000, 0x44000000};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(base); i++) {
		for (uint32_t n = 0; n < 0x80; n++) {
			uint32_t fn = base[i] + n, top = base[i] + 0xff80 + n;

			if (!is_known(fn)) {
				assert_int_equal(result(fn, 1, 2, 3), -1);
			}
			if (!is_known(top)) {
				assert_int_equal(result(top, 1, 2, 3), -1);
			}
		}
	}
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

static void h1_call__random_ids_through_smc__not_supported_never_undef(void **state)
{
	uint64_t seed = 4;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if (is_known((uint32_t)(seed >> 32))) {
			continue;
		}
		kit.vcpu->regs.x[0] = seed >> 32 | seed << 32;
		kit.vcpu->regs.pc = PC;
		assert_int_equal(kit_trap(kit_esr(0x17, 0)), HV_RESUME);
		assert_int_equal(kit.vcpu->regs.x[0], ~(uint64_t)0);
		assert_int_equal(kit.vcpu->regs.pc, PC + 4);
	}
	kit_registers_but(1);
}

static void h2_call__dirty_upper_halves__are_not_looked_at(void **state)
{
	const uint64_t dirt = 0xdeadbeef00000000;

	(void)state;
	assert_int_equal(result(dirt | FN(PSCI_VERSION), 0, 0, 0), 0x10001);
	assert_int_equal(result(dirt | FN(PSCI_FEATURES), dirt | FN(PSCI_CPU_ON), 0, 0), 0);
	assert_int_equal(result(dirt | FN(PSCI_AFFINITY_INFO), dirt | 1, dirt, 0), 1);
	assert_int_equal(
		result(dirt | FN(PSCI_CPU_ON), dirt | 1, dirt | (KIT_RAM + 0x100), dirt | 5), 0);
	assert_int_equal(second()->on_pc.v, KIT_RAM + 0x100);
	assert_int_equal(second()->on_arg, 5);
	/* In the 64-bit convention they count. */
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), dirt | 1, 0, 0), -2);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 1, dirt, 0), -2);
}

/* ---- discovery ---- */

static void smccc__version_and_features(void **state)
{
	(void)state;
	assert_int_equal(result(SMCCC_VERSION, 0, 0, 0), 0x10002);
	assert_int_equal(result(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(result(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0), 0);
	assert_int_equal(result(SMCCC_ARCH_FEATURES, 0x80008000, 0, 0), -1); /* WORKAROUND_1 */
	assert_int_equal(result(0x84000050, 0, 0, 0), -1);                   /* TRNG_VERSION */
}

static void smccc__who_we_are(void **state)
{
	uint64_t *x = kit.vcpu->regs.x;

	(void)state;
	assert_int_equal(call(SMCCC_HYP_UID, 9, 9, 9), 0x612c5a8b);
	assert_int_equal(x[1], 0x0e4fd493);
	assert_int_equal(x[2], 0x7244b7a1);
	assert_int_equal(x[3], 0x636f6479);
	assert_int_equal(call(SMCCC_HYP_REVISION, 9, 9, 9), 0);
	assert_int_equal(x[1], 1);
	kit_registers_but(0xf);
}

static void psci_features__every_function__says_what_is_there(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 0x20; n++) {
		assert_int_equal(result(FN(PSCI_FEATURES), FN(n), 0, 0), is_known(FN(n)) ? 0 : -1);
		assert_int_equal(
			result(FN(PSCI_FEATURES), FN64(n), 0, 0), is_known(FN64(n)) ? 0 : -1);
	}
	assert_int_equal(result(FN(PSCI_FEATURES), SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(result(FN(PSCI_FEATURES), SMCCC_ARCH_FEATURES, 0, 0), -1);
	assert_int_equal(result(FN(PSCI_FEATURES), 0, 0, 0), -1);
	assert_int_equal(result(FN(PSCI_FEATURES), FN(0x20), 0, 0), -1);
}

static void psci__version_and_migration(void **state)
{
	(void)state;
	assert_int_equal(result(FN(PSCI_VERSION), 0, 0, 0), 0x10001);
	assert_int_equal(result(FN(PSCI_MIGRATE_INFO_TYPE), 0, 0, 0), 2);
	assert_int_equal(result(FN(PSCI_MIGRATE), 0, 0, 0), -1);
	assert_int_equal(result(FN64(PSCI_MIGRATE), 0, 0, 0), -1);
	assert_int_equal(result(FN(0x13), 0, 0, 0), -1); /* MEM_PROTECT */
	assert_int_equal(result(FN(0x14), 0, 0, 0), -1);
	assert_int_equal(result(FN64(0x14), 0, 0, 0), -1);
	assert_int_equal(result(FN(0x0b), 0, 0, 0), -1); /* CPU_FREEZE */
}

/* ---- H3: CPU_ON ---- */

static void h3_cpu_on__both_widths__starts_once(void **state)
{
	(void)state;
	for (unsigned wide = 0; wide < 2; wide++) {
		uint64_t fn = wide ? FN64(PSCI_CPU_ON) : FN(PSCI_CPU_ON);
		struct a64_vcpu *vcpu;

		kit_setup(NULL);
		vcpu = HV_CONTAINER_OF(second(), struct a64_vcpu, hv);
		assert_int_equal(result(fn, 1, KIT_RAM + 0x40, 0x1234567890), 0);
		assert_int_equal(second()->state, HV_VCPU_READY);
		assert_int_equal(result(fn, 1, KIT_RAM + 0x40, 7), -5); /* pending */
		assert_int_equal(result(FN(PSCI_AFFINITY_INFO), 1, 0, 0), 2);
		assert_int_equal(hv_vcpu_enter(second(), 1), HV_OK);
		assert_int_equal(vcpu->regs.pc, KIT_RAM + 0x40);
		assert_int_equal(vcpu->regs.x[0], wide ? 0x1234567890 : 0x34567890);
		assert_int_equal(result(fn, 1, KIT_RAM + 0x40, 7), -4); /* on */
		assert_int_equal(result(FN(PSCI_AFFINITY_INFO), 1, 0, 0), 0);
	}
}

static void h3_cpu_on__bad_target__invalid_parameters(void **state)
{
	static const uint64_t bad[] = {2, 0x100, 0x80000001, 0x40000001, 0x1000001, HV_BIT(32) | 1,
		HV_BIT(40) | 1, ~(uint64_t)0};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(result(FN64(PSCI_CPU_ON), bad[i], KIT_RAM, 0), -2);
	}
	assert_int_equal(result(FN64(PSCI_CPU_ON), 0, KIT_RAM, 0), -4); /* itself */
	assert_int_equal(second()->state, HV_VCPU_OFF);
}

static void h3_h8_cpu_on__bad_entry__invalid_address(void **state)
{
	static const uint64_t bad[] = {0, KIT_DEV, KIT_NOTHING, KIT_RAM + 1, KIT_RAM + 2,
		KIT_RAM + KIT_RAM_SIZE, ~(uint64_t)3, HV_BIT(40) | KIT_RAM};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(result(FN64(PSCI_CPU_ON), 1, bad[i], 0), -9);
	}
	assert_int_equal(second()->state, HV_VCPU_OFF);
	assert_int_equal(
		result(FN64(PSCI_CPU_ON), 1, KIT_RAM + KIT_RAM_SIZE - 4, 0), 0); /* the last */
}

static void h3_cpu_on__vm_is_stopping__is_not_started(void **state)
{
	(void)state;
	hv_vm_stop(kit.vm, HV_STOP_OFF);
	assert_int_equal(result(FN64(PSCI_CPU_ON), 1, KIT_RAM, 0), -4);
	assert_int_equal(second()->state, HV_VCPU_OFF);
}

/* ---- H4 ---- */

static void h4_cpu_off__last_one__stops_the_vm(void **state)
{
	(void)state;
	call(FN(PSCI_CPU_OFF), 0, 0, 0);
	assert_int_equal(verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_OFF);
}

static void h4_cpu_off__not_the_last__only_itself(void **state)
{
	(void)state;
	assert_int_equal(result(FN64(PSCI_CPU_ON), 1, KIT_RAM, 0), 0);
	call(FN(PSCI_CPU_OFF), 0, 0, 0);
	assert_int_equal(verdict, HV_OFF);
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

static void h4_affinity_info__levels(void **state)
{
	(void)state;
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, 0, 0), 0);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 1, 0, 0), 1);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 2, 0, 0), -2);
	for (unsigned level = 1; level < 4; level++) {
		/* The fields below the level do not count. */
		assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0xff, level, 0), 0);
		assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), HV_BIT(32), level, 0), -2);
	}
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0x100, 1, 0), -2);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0x100, 2, 0), 0);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, 4, 0), -2);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, ~(uint64_t)0, 0), -2);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0x80000000, 0, 0), -2);
}

static void h4_affinity_info__group_without_a_running_cpu__pending_or_off(void **state)
{
	(void)state;
	/* vCPU 0 is asked about too, so it plays dead. */
	kit.vcpu->hv.state = HV_VCPU_DEAD;
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, 1, 0), 1);
	assert_int_equal(result(FN64(PSCI_CPU_ON), 1, KIT_RAM, 0), 0);
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, 1, 0), 2);
	/* The other way round: the first is pending, the second off. */
	kit.vcpu->hv.state = HV_VCPU_READY;
	atomic_store(&kit.vcpu->hv.todo, HV_TODO_RESET);
	second()->state = HV_VCPU_OFF;
	assert_int_equal(result(FN64(PSCI_AFFINITY_INFO), 0, 1, 0), 2);
	atomic_store(&kit.vcpu->hv.todo, 0);
	kit.vcpu->hv.state = HV_VCPU_RUNNING;
}

static void h4_cpu_suspend__standby_and_power_down__wait(void **state)
{
	(void)state;
	assert_int_equal(call(FN(PSCI_CPU_SUSPEND), 0, 0, 0), 0);
	assert_int_equal(verdict, HV_BLOCK);
	assert_int_equal(call(FN64(PSCI_CPU_SUSPEND), 0x1ffff, KIT_RAM, 0), 0);
	assert_int_equal(verdict, HV_BLOCK);
}

static void h4_cpu_suspend__bad_state_or_address(void **state)
{
	static const uint32_t bad[] = {
		0x80000000, 0x04000000, 0x00800000, 0x00020000, 0x01000000, 0x02010000, ~0u};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(result(FN(PSCI_CPU_SUSPEND), bad[i], KIT_RAM, 0), -2);
	}
	assert_int_equal(result(FN64(PSCI_CPU_SUSPEND), 0x10000, KIT_DEV, 0), -9);
	assert_int_equal(result(FN64(PSCI_CPU_SUSPEND), 0x10000, KIT_RAM + 2, 0), -9);
}

static void h4_system__off_reset_and_reset2(void **state)
{
	static const struct {
		uint64_t fn, type;
		enum hv_stop stop;
	} row[] = {
		{FN(PSCI_SYSTEM_OFF), 0, HV_STOP_OFF}, {FN(PSCI_SYSTEM_RESET), 0, HV_STOP_REBOOT},
		{FN(PSCI_SYSTEM_RESET2), 0, HV_STOP_REBOOT},
		{FN64(PSCI_SYSTEM_RESET2), HV_BIT(32), HV_STOP_REBOOT}, /* the type has 32 bits */
	};

	(void)state;
	for (unsigned i = 0; i < HV_ARRAY_COUNT(row); i++) {
		kit_setup(NULL);
		call(row[i].fn, row[i].type, 0, 0);
		assert_int_equal(verdict, HV_OFF);
		assert_int_equal(kit.vm->stop, row[i].stop);
	}
}

static void h4_system_reset2__vendor_or_reserved_types__invalid(void **state)
{
	(void)state;
	assert_int_equal(result(FN(PSCI_SYSTEM_RESET2), 1, 0, 0), -2);
	assert_int_equal(result(FN(PSCI_SYSTEM_RESET2), 0x80000000, 0, 0), -2);
	assert_int_equal(result(FN64(PSCI_SYSTEM_RESET2), 0xffffffff, 0, 0), -2);
	assert_int_equal(kit.vm->stop, HV_STOP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(h1_call__unknown_neighbours_and_ranges__not_supported),
		kit_test(h1_call__random_ids_through_smc__not_supported_never_undef),
		kit_test(h2_call__dirty_upper_halves__are_not_looked_at),
		kit_test(smccc__version_and_features),
		kit_test(smccc__who_we_are),
		kit_test(psci_features__every_function__says_what_is_there),
		kit_test(psci__version_and_migration),
		kit_test(h3_cpu_on__both_widths__starts_once),
		kit_test(h3_cpu_on__bad_target__invalid_parameters),
		kit_test(h3_h8_cpu_on__bad_entry__invalid_address),
		kit_test(h3_cpu_on__vm_is_stopping__is_not_started),
		kit_test(h4_cpu_off__last_one__stops_the_vm),
		kit_test(h4_cpu_off__not_the_last__only_itself),
		kit_test(h4_affinity_info__levels),
		kit_test(h4_affinity_info__group_without_a_running_cpu__pending_or_off),
		kit_test(h4_cpu_suspend__standby_and_power_down__wait),
		kit_test(h4_cpu_suspend__bad_state_or_address),
		kit_test(h4_system__off_reset_and_reset2),
		kit_test(h4_system_reset2__vendor_or_reserved_types__invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
