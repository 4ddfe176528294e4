/* SPDX-License-Identifier: MIT */
/* From exit code to verdict: what guests do all the time, with and without prefixes, NRIPS and
 * traps. */
#include "../x86_kit.h"

#include <arch/x86_64/call.h>

static void vmmcall__features__answers_and_steps(void **state)
{
	(void)state;
	kit_code(0x0f, 0x01, 0xd9);
	kit.r[X86_RAX] = X86_CALL_FEATURES;
	assert_int_equal(kit_exit(SVM_EXIT(VMMCALL), 0, 0), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], 0xf);
	assert_int_equal(kit.sys->rip, KIT_CODE + 3);
	assert_int_equal(exits(HV_EXIT_CALL), 1);
	kit_registers_but(1 << X86_RAX);
}

static void h11_vmmcall__from_cpl_3__is_undefined(void **state)
{
	(void)state;
	kit_code(0x0f, 0x01, 0xd9);
	kit.sys->cpl = 3;
	assert_int_equal(kit_exit(SVM_EXIT(VMMCALL), 0, 0), HV_RESUME);
	kit_raised_at_code(X86_UD, false, 0);
	kit_registers_but(0);
}

static void cpuid__vendor__is_the_hosts(void **state)
{
	(void)state;
	kit_code(0x0f, 0xa2);
	kit.r[X86_RAX] = 0xffffffff00000000;
	kit.r[X86_RCX] = 0;
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], 0xd);
	assert_int_equal(kit.r[X86_RBX], 0x68747541);
	assert_int_equal(kit.r[X86_RDX], 0x69746e65);
	assert_int_equal(kit.r[X86_RCX], 0x444d4163);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	assert_int_equal(exits(HV_EXIT_SYSREG), 1);
}

/* The second time the bytes are read where they were found the first time. */
static void x13_cpuid__with_prefixes_and_without__steps_over_all_of_it(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		kit.sys->rip = KIT_CODE;
		kit_code(0x0f, 0xa2);
		assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE + 2);
		kit_code(0x66, 0x2e, 0x48, 0x0f, 0xa2);
		assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
		assert_int_equal(kit.sys->rip, KIT_CODE + 2 + 5);
	}
}

static void x13_cpuid__next_rip_known__is_taken_from_there(void **state)
{
	(void)state;
	kit.control->next_rip = KIT_CODE + 7;
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 7);
}

static void x11_cpuid__code_gone_or_another__is_met_by_the_guest(void **state)
{
	(void)state;
	kit_code(0x90);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE);
	assert_false(kit.vcpu->event.valid);
	kit_registers_but(0);
	kit_set64(kit_pte(KIT_CODE), 0);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	kit_raised_at_code(X86_PF, true, 0);
	assert_int_equal(kit.sys->cr2, KIT_CODE);
	kit_registers_but(0);
}

static void port__in_and_out_of_all_sizes__reach_the_device(void **state)
{
	static const uint64_t kept[] = {
		[1] = 0xffffffffffffff00, [2] = 0xffffffffffff0000, [4] = 0};

	(void)state;
	for (unsigned size = 1; size <= 4; size *= 2) {
		uint64_t info = (uint64_t)KIT_PORT << 16 | size << SVM_IO_SIZE_SHIFT;
		uint64_t mask = UINT64_MAX >> (64 - 8 * size);

		kit.sys->rip = KIT_CODE;
		kit.r[X86_RAX] = 0x1122334455667788;
		kit.port.answer = 0xa1b2c3d4 & mask;
		assert_int_equal(
			kit_exit(SVM_EXIT(IOIO), info | SVM_IO_IN, KIT_CODE + 2), HV_RESUME);
		assert_int_equal(
			kit.r[X86_RAX], (0x1122334455667788 & kept[size]) | (0xa1b2c3d4 & mask));
		assert_int_equal(kit.sys->rip, KIT_CODE + 2);
		kit.r[X86_RAX] = 0x1122334455667788;
		assert_int_equal(kit_exit(SVM_EXIT(IOIO), info, KIT_CODE + 3), HV_RESUME);
		assert_true(kit.port.last.write);
		assert_int_equal(kit.port.last.data, 0x1122334455667788 & mask);
		assert_int_equal(kit.port.last.size, size);
		assert_int_equal(kit.r[X86_RAX], 0x1122334455667788);
		assert_int_equal(kit.sys->rip, KIT_CODE + 3);
	}
}

static void hlt__nothing_pending__blocks_behind_it(void **state)
{
	(void)state;
	kit_code(0xf4);
	kit.sys->rflags |= X86_FLAG_IF;
	assert_int_equal(kit_exit(SVM_EXIT(HLT), 0, 0), HV_BLOCK);
	assert_true(kit.vcpu->halted);
	assert_int_equal(kit.sys->rip, KIT_CODE + 1);
	assert_int_equal(exits(HV_EXIT_WAIT), 1);
	/* It is woken, but for nothing. */
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_BLOCK);
}

static void msr__apic_base__is_the_apics(void **state)
{
	(void)state;
	kit_code(0x0f, 0x32);
	kit.r[X86_RCX] = 0x1b;
	assert_int_equal(kit_exit(SVM_EXIT(MSR), 0, 0), HV_RESUME);
	assert_int_equal(kit.r[X86_RAX], LAPIC_BASE | LAPIC_BASE_ENABLE | LAPIC_BASE_BSP);
	assert_int_equal(kit.r[X86_RDX], 0);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(vmmcall__features__answers_and_steps),
		kit_test(h11_vmmcall__from_cpl_3__is_undefined),
		kit_test(cpuid__vendor__is_the_hosts),
		kit_test(x13_cpuid__with_prefixes_and_without__steps_over_all_of_it),
		kit_test(x13_cpuid__next_rip_known__is_taken_from_there),
		kit_test(x11_cpuid__code_gone_or_another__is_met_by_the_guest),
		kit_test(port__in_and_out_of_all_sizes__reach_the_device),
		kit_test(hlt__nothing_pending__blocks_behind_it),
		kit_test(msr__apic_base__is_the_apics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
