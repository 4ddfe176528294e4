/* SPDX-License-Identifier: MIT */
/* The virtual CPU by CPUID: what of the host's is shown, what is ours, what follows registers. */
#include "x86_kit.h"

#include <arch/x86_64/cpuid.h>

static struct x86_cpuid ask(uint32_t leaf, uint32_t subleaf)
{
	return x86_cpuid_get(kit.vcpu, leaf, subleaf);
}

static void is(struct x86_cpuid id, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	assert_int_equal(id.eax, eax);
	assert_int_equal(id.ebx, ebx);
	assert_int_equal(id.ecx, ecx);
	assert_int_equal(id.edx, edx);
}

static void last_leaf__of_a_newer_host__is_the_last_that_is_known(void **state)
{
	static const struct fake_x86_leaf newer[] = {
		{0, 0, {0x20, 1, 2, 3}}, {0x80000000, 0, {0x80000023, 1, 2, 3}}};
	static const struct fake_x86_leaf older[] = {
		{0, 0, {0xb, 1, 2, 3}}, {0x80000000, 0, {0x80000008, 1, 2, 3}}};

	(void)state;
	fake_x86.leaf_count = 2;
	fake_x86.leaves = newer;
	is(ask(0, 0), 0xd, 1, 2, 3);
	is(ask(0x80000000, 0), 0x8000001e, 1, 2, 3);
	fake_x86.leaves = older;
	is(ask(0, 0), 0xb, 1, 2, 3);
	is(ask(0x80000000, 0), 0x80000008, 1, 2, 3);
}

/* Of a host that says yes to everything. */
static void x21_features__not_on_the_list__are_hidden(void **state)
{
	struct x86_cpuid one = ask(1, 0), seven = ask(7, 0), ext = ask(0x80000001, 0);

	(void)state;
	/* no DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, CNXT, SDBG, xTPR, PDCM, PCID, DCA; no
	 * OSXSAVE yet */
	assert_int_equal(one.ecx & (0x5fc | 1 << 10 | 1 << 11 | 3 << 14 | 3 << 17 | 1 << 27), 0);
	assert_int_equal(one.edx & (1 << 10 | 3 << 20 | 1 << 27 | 7u << 29 | 1 << 18), 0);
	assert_int_equal(one.edx & 1 << 28, 1 << 28); /* three CPUs */
	/* no SGX, HLE, INVPCID, RTM, RDT, MPX, PT; no OSPKE yet */
	assert_int_equal(
		seven.ebx & (1 << 2 | 1 << 4 | 1 << 10 | 3 << 11 | 3 << 14 | 1 << 22 | 1 << 25), 0);
	assert_int_equal(seven.ecx & (1 << 4 | 1 << 5 | 1 << 7 | 1 << 28), 0);
	assert_int_equal(seven.edx & ~(1u << 4 | 1 << 8), 0);
	assert_int_equal(seven.eax, 0);
	/* no SVM, EXTAPIC, CR8 in 32 bits, OSVW, IBS, SKINIT, WDT, LWP, perf counters, MWAITX */
	assert_int_equal(ext.ecx & (0x1e | 3 << 9 | 3 << 12 | 1 << 15 | 3 << 23 | 1 << 29), 0);
	assert_int_equal(ext.edx & (1 << 10 | 3 << 18 | 1 << 21 | 1 << 28), 0);
	assert_int_equal(ext.ebx, 0);
}

static void features__of_ours__are_there_on_any_host(void **state)
{
	(void)state;
	fake_x86.leaf_count = 0;
	assert_int_equal(
		ask(1, 0).ecx, 1u << 21 | 1 << 24 | 1u << 31); /* x2APIC, deadline, hypervisor */
	assert_int_equal(ask(7, 0).ebx, 1 << 1);               /* TSC_ADJUST */
	assert_int_equal(ask(6, 0).eax, 1 << 2);               /* ARAT */
	assert_int_equal(ask(0x80000001, 0).ecx, 1 << 22);     /* TOPOEXT */
}

static void features__switched_on_by_cr4_and_apic_base__follow(void **state)
{
	(void)state;
	kit.sys->cr4 |= X86_CR4_OSXSAVE | X86_CR4_PKE;
	assert_true(ask(1, 0).ecx & 1 << 27);
	assert_true(ask(7, 0).ecx & 1 << 4);
	assert_true(ask(1, 0).edx & 1 << 9);
	assert_true(lapic_base_write(kit.vcpu->lapic, LAPIC_BASE | LAPIC_BASE_BSP));
	assert_false(ask(1, 0).edx & 1 << 9);
	fake_x86.leaf_count = 0; /* a host without XSAVE and PKU */
	assert_false(ask(1, 0).ecx & 1 << 27);
	assert_false(ask(7, 0).ecx & 1 << 4);
}

static void topology__three_cpus__by_their_apic_ids(void **state)
{
	(void)state;
	for (unsigned n = 0; n < KIT_VCPUS; n++) {
		kit.vcpu = kit_vcpu(n);
		assert_int_equal(ask(1, 0).ebx, n << 24 | 3 << 16 | 0x800);
		is(ask(0xb, 0), 0, 1, 1 << 8, n);
		is(ask(0xb, 1), 2, 3, 1 | 2 << 8, n);
		is(ask(0xb, 2), 0, 0, 2, n);
		is(ask(0x8000001e, 0), n, n, 0, 0);
	}
	assert_int_equal(ask(0x80000008, 0).ecx, 2 << 12 | 2);
}

static void topology__one_cpu__has_no_bits(void **state)
{
	(void)state;
	kit.vm->vcpu_count = 1;
	is(ask(0xb, 1), 0, 1, 1 | 2 << 8, 0);
	assert_false(ask(1, 0).edx & 1 << 28);
	assert_int_equal(ask(0x80000008, 0).ecx, 0);
	kit.vm->vcpu_count = KIT_VCPUS;
}

static void caches__as_intel_and_amd_list_them__are_private(void **state)
{
	static const struct fake_x86_leaf caches[] = {
		{4, 0, {0xfc1fc121, 0x01c0003f, 0x3f, 1}},
		{0x8000001d, 0, {0x03ffc121, 0x01c0003f, 0x3f, 1}},
		{2, 0, {1, 2, 3, 4}},
	};

	(void)state;
	fake_x86.leaves = caches;
	fake_x86.leaf_count = 3;
	is(ask(4, 0), 0x121 | 2u << 26, 0x01c0003f, 0x3f, 1);
	is(ask(4, 1), 0, 0, 0, 0);
	is(ask(0x8000001d, 0), 0x121, 0x01c0003f, 0x3f, 1);
	is(ask(2, 0), 1, 2, 3, 4);
}

static void xsave__as_the_cpu_says__but_for_supervisor_state(void **state)
{
	(void)state;
	is(ask(0xd, 0), 0x207, 0x340, 0xa88, 0);
	is(ask(0xd, 1), 7, 0, 0, 0);
}

static void hypervisor__leaf__says_who(void **state)
{
	struct x86_cpuid id = ask(0x40000000, 0);

	(void)state;
	assert_int_equal(id.eax, 0x40000000);
	assert_memory_equal(&id.ebx, "DrydockDrydk", 12);
}

static void leaves__of_the_hosts__are_passed_on(void **state)
{
	static const uint32_t passed[] = {
		0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006, 0x80000019, 0x8000001a};

	(void)state;
	fake_x86.leaf_count = 0;
	fake_x86.others = (struct x86_cpuid){1, 2, 3, UINT32_MAX};
	for (size_t i = 0; i < HV_ARRAY_COUNT(passed); i++) {
		is(ask(passed[i], 0), 1, 2, 3, UINT32_MAX);
	}
	is(ask(0x80000007, 0), 0, 0, 0, 1 << 8);
	fake_x86.others = (struct x86_cpuid){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	is(ask(0x80000008, 0), 0xffff, 1 | 1 << 2 | 1 << 9, 2 << 12 | 2, 0);
}

/* Whatever the host says, of these nothing: MONITOR, PMU, SGX, PT, SVM, SEV, Intel's own. */
static void x21_leaves__unknown_and_beyond_the_last__are_zero(void **state)
{
	static const uint32_t none[] = {3, 5, 8, 9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x12, 0x14, 0x1f,
		0x20, 0x24, 0x1000, 0x3fffffff, 0x40000001, 0x40000100, 0x4fffffff, 0x7fffffff,
		0x80000009, 0x8000000a, 0x8000001b, 0x8000001c, 0x8000001f, 0x80000021, 0xc0000000,
		UINT32_MAX};

	(void)state;
	fake_x86.leaf_count = 0;
	fake_x86.others = (struct x86_cpuid){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	for (size_t i = 0; i < HV_ARRAY_COUNT(none); i++) {
		is(ask(none[i], 0), 0, 0, 0, 0);
		is(ask(none[i], UINT32_MAX), 0, 0, 0, 0);
	}
	is(ask(7, 1), 0, 0, 0, 0);
	is(ask(7, UINT32_MAX), 0, 0, 0, 0);
}

static void x21_all__asked_twice__say_the_same(void **state)
{
	(void)state;
	for (uint32_t leaf = 0; leaf < 0x100; leaf++) {
		for (uint32_t range = 0; range < 4; range++) {
			struct x86_cpuid a = ask(range << 30 | leaf, leaf % 5);
			struct x86_cpuid b = ask(range << 30 | leaf, leaf % 5);

			assert_memory_equal(&a, &b, sizeof(a));
		}
	}
}

static void cpuid__registers__are_32_bits_in_and_out(void **state)
{
	(void)state;
	kit.r[X86_RAX] = 0xabcd000000000007;
	kit.r[X86_RCX] = 0xabcd000000000000;
	x86_cpuid(kit.vcpu);
	assert_int_equal(kit.r[X86_RAX], 0);
	assert_int_equal(kit.r[X86_RBX], ask(7, 0).ebx);
	assert_int_equal(kit.r[X86_RCX], ask(7, 0).ecx);
	assert_int_equal(kit.r[X86_RDX], ask(7, 0).edx);
	kit_registers_but(1 << X86_RAX | 1 << X86_RBX | 1 << X86_RCX | 1 << X86_RDX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(last_leaf__of_a_newer_host__is_the_last_that_is_known),
		kit_test(x21_features__not_on_the_list__are_hidden),
		kit_test(features__of_ours__are_there_on_any_host),
		kit_test(features__switched_on_by_cr4_and_apic_base__follow),
		kit_test(topology__three_cpus__by_their_apic_ids),
		kit_test(topology__one_cpu__has_no_bits),
		kit_test(caches__as_intel_and_amd_list_them__are_private),
		kit_test(xsave__as_the_cpu_says__but_for_supervisor_state),
		kit_test(hypervisor__leaf__says_who),
		kit_test(leaves__of_the_hosts__are_passed_on),
		kit_test(x21_leaves__unknown_and_beyond_the_last__are_zero),
		kit_test(x21_all__asked_twice__say_the_same),
		kit_test(cpuid__registers__are_32_bits_in_and_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
