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

static void x13_cpuid__other_tables_or_segment__is_looked_for_there(void **state)
{
	(void)state;
	kit_code(0x0f, 0xa2);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	kit_set64(0x9000, kit_get64(KIT_TABLES));
	kit.sys->cr3 = 0x9000;
	kit_code(0x66, 0x0f, 0xa2);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2 + 3);
	kit.sys->rip = KIT_CODE;
	kit.sys->seg[X86_CS].attrib ^= X86_SEG_L | X86_SEG_D;
	kit.sys->seg[X86_CS].base = 0x1000;
	memcpy(&kit_ram[KIT_CODE + 0x1000], (uint8_t[]){0x66, 0x66, 0x0f, 0xa2}, 4);
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rip, KIT_CODE + 4);
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

static void msr__written__by_edx_and_eax(void **state)
{
	(void)state;
	kit_code(0x0f, 0x30);
	kit.r[X86_RCX] = 0xffffffff00000277;
	kit.r[X86_RAX] = 0xffffffff00000006;
	kit.r[X86_RDX] = 0xffffffff00000001;
	assert_int_equal(kit_exit(SVM_EXIT(MSR), 1, 0), HV_RESUME);
	assert_int_equal(kit.sys->pat, 0x0000000100000006);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
	assert_int_equal(exits(HV_EXIT_SYSREG), 1);
	kit_registers_but(1 << X86_RCX | 1 << X86_RAX | 1 << X86_RDX);
}

static void x20_msr__unknown_or_refused__is_general_protection(void **state)
{
	(void)state;
	for (unsigned write = 0; write < 2; write++) {
		kit_code(0x0f, write ? 0x30 : 0x32);
		kit.r[X86_RCX] = 0x12345;
		assert_int_equal(kit_exit(SVM_EXIT(MSR), write, 0), HV_RESUME);
		kit_raised_at_code(X86_GP, true, 0);
		kit_registers_but(1 << X86_RCX);
		kit.vcpu->event.valid = false;
	}
}

/* Every number, as a guest may ask for any: an answer, or #GP. */
static void x20_msr__numbers_random__end_in_a_verdict(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		bool write;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		write = seed >> 63;
		kit.sys->rip = KIT_CODE;
		kit_code(0x0f, write ? 0x30 : 0x32);
		kit.r[X86_RCX] =
			(n & 1 ? 0xc0000000 : 0) | (n & 2 ? 0x10000 : 0) | (seed >> 20 & 0x1fff);
		kit.r[X86_RAX] = seed >> 7;
		kit.r[X86_RDX] = n & 4 ? seed >> 40 : 0;
		assert_int_equal(kit_exit(SVM_EXIT(MSR), write, 0), HV_RESUME);
		assert_true(kit.sys->rip == KIT_CODE + 2 || kit.vcpu->event.vector == X86_GP);
		assert_true(kit.sys->efer & X86_EFER_SVME);
		kit.vcpu->event.valid = false;
	}
}

/* ---- lengths ---- */

static const struct {
	uint64_t exit;
	uint8_t code[4], length;
	uint64_t info1;
} hot[] = {
	{SVM_EXIT(VMMCALL), {0x0f, 0x01, 0xd9}, 3, 0},
	{SVM_EXIT(CPUID), {0x0f, 0xa2}, 2, 0},
	{SVM_EXIT(MSR), {0x0f, 0x32}, 2, 0},
	{SVM_EXIT(MSR), {0x0f, 0x30}, 2, 1},
	{SVM_EXIT(HLT), {0xf4}, 1, 0},
};

static void hot_setup(size_t i, unsigned prefixes)
{
	kit_setup(NULL);
	kit.r[X86_RAX] = 0;
	kit.r[X86_RCX] = 0x1a0;
	kit.r[X86_RDX] = 0;
	memset(&kit_ram[KIT_CODE], 0x66, prefixes);
	memcpy(&kit_ram[KIT_CODE + prefixes], hot[i].code, 4);
	kit.control->shadow = SVM_SHADOW;
}

static void x13_instructions__prefixes_and_next_rip__are_stepped_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(hot); i++) {
		for (unsigned prefixes = 0; prefixes <= 15u - hot[i].length; prefixes++) {
			hot_setup(i, prefixes);
			assert_int_not_equal(kit_exit(hot[i].exit, hot[i].info1, 0), HV_CRASH);
			assert_int_equal(kit.sys->rip, KIT_CODE + prefixes + hot[i].length);
			assert_int_equal(kit.control->shadow, 0);
		}
		hot_setup(i, 0);
		kit.control->next_rip = KIT_CODE + 9;
		assert_int_not_equal(kit_exit(hot[i].exit, hot[i].info1, 0), HV_CRASH);
		assert_int_equal(kit.sys->rip, KIT_CODE + 9);
	}
}

static void x13_instructions__too_long_by_now__are_general_protection(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(hot); i++) {
		hot_setup(i, 16u - hot[i].length);
		assert_int_equal(kit_exit(hot[i].exit, hot[i].info1, 0), HV_RESUME);
		kit_raised_at_code(X86_GP, true, 0);
		assert_int_equal(kit.control->shadow, SVM_SHADOW);
		kit_registers_but(1 << X86_RAX | 1 << X86_RCX | 1 << X86_RDX);
	}
}

static void instructions__single_step__trap_behind_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(hot); i++) {
		hot_setup(i, 0);
		kit.sys->rflags |= X86_FLAG_TF | X86_FLAG_RF;
		assert_int_equal(kit_exit(hot[i].exit, hot[i].info1, 0), HV_RESUME);
		kit_raised(X86_DB, false, 0);
		assert_int_equal(kit.sys->rip, KIT_CODE + hot[i].length);
		assert_true(kit.sys->dr6 & X86_DR6_BS);
		assert_int_equal(kit.sys->rflags, 2 | X86_FLAG_TF);
	}
}

static void instructions__behind_a_breakpoint__lose_rf(void **state)
{
	(void)state;
	hot_setup(1, 0);
	kit.sys->rflags |= X86_FLAG_RF;
	assert_int_equal(kit_exit(SVM_EXIT(CPUID), 0, 0), HV_RESUME);
	assert_int_equal(kit.sys->rflags, 2);
	assert_false(kit.vcpu->event.valid);
}

/* ---- ports and HLT ---- */

static void x22_port__string__goes_by_the_emulator(void **state)
{
	(void)state;
	kit.control->shadow = SVM_SHADOW;
	kit.r[X86_RDX] = KIT_PORT;
	kit.r[X86_RDI] = 0x30000;
	kit.port.answer = 0x42;
	kit_code(0x6c);
	assert_int_equal(kit_exit(SVM_EXIT(IOIO),
				 (uint64_t)KIT_PORT << 16 | 1 << SVM_IO_SIZE_SHIFT | SVM_IO_IN |
					 SVM_IO_STRING,
				 KIT_CODE + 1),
		HV_RESUME);
	assert_int_equal(kit_ram[0x30000], 0x42);
	assert_int_equal(kit.sys->rip, KIT_CODE + 1);
	assert_int_equal(kit.control->shadow, 0);
}

static void port__single_step__traps_behind_it(void **state)
{
	(void)state;
	kit.sys->rflags |= X86_FLAG_TF;
	assert_int_equal(
		kit_exit(SVM_EXIT(IOIO), 0x80 << 16 | 1 << SVM_IO_SIZE_SHIFT, KIT_CODE + 2),
		HV_RESUME);
	kit_raised(X86_DB, false, 0);
	assert_int_equal(kit.sys->rip, KIT_CODE + 2);
}

static void hlt__something_is_there_already__does_not_wait(void **state)
{
	struct hv_access svr = {.off = LAPIC_SVR, .size = 4, .write = true, .data = 0x1ff};

	(void)state;
	assert_true(lapics_ops.access(&kit.lapics, &svr));
	kit_code(0xf4);
	lapic_raise(kit.vcpu->lapic, 0x41, false);
	atomic_store(&kit.vcpu->hv.todo, 0);
	kit.sys->rflags |= X86_FLAG_IF;
	assert_int_equal(kit_exit(SVM_EXIT(HLT), 0, 0), HV_RESUME);
	assert_true(kit_looks());
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.control->event_inject, SVM_EVENT_VALID | 0x41);
	kit_setup(NULL);
	kit_code(0xf4);
	kit.vcpu->nmi_pending = true;
	assert_int_equal(kit_exit(SVM_EXIT(HLT), 0, 0), HV_RESUME);
	assert_true(kit_looks());
}

static void exit__any__clears_the_flush(void **state)
{
	(void)state;
	svm_tlb_flush(kit.vcpu);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_FLUSH_ALL);
	kit.caps.has_flush_by_asid = true;
	svm_tlb_flush(kit.vcpu);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_FLUSH_GUEST);
	assert_int_equal(kit_exit(SVM_EXIT(INTR), 0, 0), HV_RESUME);
	assert_int_equal(kit.control->tlb_control, SVM_TLB_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(vmmcall__features__answers_and_steps),
		kit_test(h11_vmmcall__from_cpl_3__is_undefined),
		kit_test(cpuid__vendor__is_the_hosts),
		kit_test(x13_cpuid__with_prefixes_and_without__steps_over_all_of_it),
		kit_test(x13_cpuid__other_tables_or_segment__is_looked_for_there),
		kit_test(x13_cpuid__next_rip_known__is_taken_from_there),
		kit_test(x11_cpuid__code_gone_or_another__is_met_by_the_guest),
		kit_test(port__in_and_out_of_all_sizes__reach_the_device),
		kit_test(hlt__nothing_pending__blocks_behind_it),
		kit_test(msr__apic_base__is_the_apics),
		kit_test(msr__written__by_edx_and_eax),
		kit_test(x20_msr__unknown_or_refused__is_general_protection),
		kit_test(x20_msr__numbers_random__end_in_a_verdict),
		kit_test(x13_instructions__prefixes_and_next_rip__are_stepped_over),
		kit_test(x13_instructions__too_long_by_now__are_general_protection),
		kit_test(instructions__single_step__trap_behind_them),
		kit_test(instructions__behind_a_breakpoint__lose_rf),
		kit_test(x22_port__string__goes_by_the_emulator),
		kit_test(port__single_step__traps_behind_it),
		kit_test(hlt__something_is_there_already__does_not_wait),
		kit_test(exit__any__clears_the_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
