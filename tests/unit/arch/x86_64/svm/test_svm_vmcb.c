/* SPDX-License-Identifier: MIT */
/* What a fresh VMCB says, and the permission maps, bit by bit. */
#include "../x86_kit.h"

static bool intercepts(unsigned n)
{
	return kit.control->intercept[n / 32] >> n % 32 & 1;
}

static void vmcb__fresh__intercepts_what_it_must(void **state)
{
	static const uint8_t must[] = {SVM_INTERCEPT_INTR, SVM_INTERCEPT_NMI, SVM_INTERCEPT_SMI,
		SVM_INTERCEPT_INIT, SVM_INTERCEPT_CPUID, SVM_INTERCEPT_HLT, SVM_INTERCEPT_INVLPGA,
		SVM_INTERCEPT_IOIO, SVM_INTERCEPT_MSR, SVM_INTERCEPT_SHUTDOWN, SVM_INTERCEPT_VMRUN,
		SVM_INTERCEPT_VMMCALL, SVM_INTERCEPT_VMLOAD, SVM_INTERCEPT_VMSAVE,
		SVM_INTERCEPT_STGI, SVM_INTERCEPT_CLGI, SVM_INTERCEPT_SKINIT};
	static const uint8_t never[] = {SVM_INTERCEPT_VINTR, SVM_INTERCEPT_RDTSC,
		SVM_INTERCEPT_IRET, SVM_INTERCEPT_INT, SVM_INTERCEPT_PAUSE, SVM_INTERCEPT_INVLPG,
		SVM_INTERCEPT_RDTSCP, SVM_INTERCEPT_XSETBV};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(must); i++) {
		assert_true(intercepts(must[i]));
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(never); i++) {
		assert_false(intercepts(never[i]));
	}
	assert_int_equal(
		kit.control->intercept_exceptions, 1 << X86_DB | 1 << X86_AC | 1 << X86_MC);
	assert_int_equal(kit.control->intercept_cr_write, 1 << 4 | 1 << 8);
	assert_int_equal(kit.control->intercept_cr_read, 1 << 8);
}

static void vmcb__fresh__is_its_vcpus(void **state)
{
	(void)state;
	for (unsigned n = 0; n < KIT_VCPUS; n++) {
		const struct svm_control *control = &kit_vmcb[n].control;

		assert_ptr_equal(svm_vmcb(kit_vcpu(n)), &kit_vmcb[n]);
		assert_ptr_equal(kit_vcpu(n)->sys, &kit_vmcb[n].save);
		assert_int_equal(control->asid, n + 1);
		assert_int_equal(control->iopm, 0x1000);
		assert_int_equal(control->msrpm, 0x4000);
		assert_int_equal(control->nested, SVM_NESTED_PAGING);
		assert_int_equal(control->nested_cr3, kit.vm->pt.root.v);
		assert_int_equal(control->clean, 0);
		assert_true(control->vintr & SVM_VINTR_MASKING);
		assert_true(kit_vmcb[n].save.efer & X86_EFER_SVME);
	}
}

/* Bit 0: reads exit; bit 1: writes do. */
static unsigned exits_at(const uint8_t *map, uint32_t msr)
{
	uint32_t byte = (msr >> 30 ? 0x800 : 0) + (msr & 0x1fff) / 4;

	return map[byte] >> msr % 4 * 2 & 3;
}

static void maps__ports_and_msrs__all_exit_but_what_is_the_cpus_own(void **state)
{
	static const uint32_t own[] = {0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083,
		0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102};
	static uint8_t iopm[SVM_IOPM_SIZE], msrpm[SVM_MSRPM_SIZE];
	unsigned clear = 0;

	(void)state;
	svm_maps_init(iopm, msrpm);
	for (size_t i = 0; i < sizeof(iopm); i++) {
		assert_int_equal(iopm[i], 0xff);
	}
	for (size_t i = 0; i < sizeof(msrpm); i++) {
		clear += 8 - (unsigned)__builtin_popcount(msrpm[i]);
	}
	assert_int_equal(clear, HV_ARRAY_COUNT(own) + 3);
	for (size_t i = 0; i < HV_ARRAY_COUNT(own); i++) {
		bool free = own[i] == 0x174 || own[i] == 0xc0000081 || own[i] == 0xc0000084;

		assert_int_equal(exits_at(msrpm, own[i]), free ? 0 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(vmcb__fresh__intercepts_what_it_must),
		kit_test(vmcb__fresh__is_its_vcpus),
		kit_test(maps__ports_and_msrs__all_exit_but_what_is_the_cpus_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
