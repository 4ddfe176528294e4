/* SPDX-License-Identifier: MIT */
/* MSRs that exit: each one's values, and what is not one. */
#include "x86_kit.h"

#include <arch/x86_64/msr.h>

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_true(x86_msr_read(kit.vcpu, msr, &value));
	return value;
}

static bool set(uint32_t msr, uint64_t value)
{
	return x86_msr_write(kit.vcpu, msr, value);
}

static bool exists(uint32_t msr)
{
	uint64_t value;

	return x86_msr_read(kit.vcpu, msr, &value);
}

/* Sets it, and reads that back. */
static void keeps(uint32_t msr, uint64_t value)
{
	assert_true(set(msr, value));
	assert_int_equal(get(msr), value);
}

/* Refuses it, and keeps what it had. */
static void refuses(uint32_t msr, uint64_t value)
{
	uint64_t was = get(msr);

	assert_false(set(msr, value));
	assert_int_equal(get(msr), was);
}

static void efer__bits_that_the_cpu_has__are_the_guests(void **state)
{
	(void)state;
	assert_int_equal(get(0xc0000080), X86_EFER_LME | X86_EFER_LMA); /* and no SVME */
	assert_true(set(0xc0000080, X86_EFER_SCE | X86_EFER_LME | X86_EFER_NXE | X86_EFER_FFXSR));
	assert_int_equal(kit.sys->efer, X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE |
						X86_EFER_FFXSR | X86_EFER_SVME);
	refuses(0xc0000080, X86_EFER_LME | X86_EFER_SVME);
	refuses(0xc0000080, X86_EFER_LME | HV_BIT(1));
	refuses(0xc0000080, X86_EFER_LME | HV_BIT(63));
	refuses(0xc0000080, 0); /* out of long mode while paging is on */
	kit.sys->cr0 &= ~X86_CR0_PG;
	keeps(0xc0000080, X86_EFER_LMA); /* that bit is the CPU's */
	fake_x86.leaf_count = 0;
	refuses(0xc0000080, X86_EFER_NXE);
}

static void tsc__written__moves_and_tsc_adjust_tells(void **state)
{
	(void)state;
	fake_x86.tsc = 1000;
	kit.vcpu->tsc_offset = 50;
	assert_int_equal(get(0x10), 1050);
	assert_int_equal(get(0x3b), 0);
	assert_true(set(0x10, 5000));
	assert_int_equal(get(0x10), 5000);
	assert_int_equal(get(0x3b), 3950);
	assert_true(kit_looks()); /* the entry tells the CPU */
	assert_true(set(0x3b, (uint64_t)-10));
	assert_int_equal(get(0x10), 1040);
	assert_int_equal(svm_entry_prepare(kit.vcpu), HV_RESUME);
	assert_int_equal(kit.control->tsc_offset, 40);
}

static void tsc_aux__written__is_in_the_cpu(void **state)
{
	(void)state;
	keeps(0xc0000103, 0xffffffff);
	assert_int_equal(fake_x86.tsc_aux, 0xffffffff);
	refuses(0xc0000103, HV_BIT(32));
	assert_int_equal(fake_x86.tsc_aux, 0xffffffff);
}

static void apic__base_x2apic_and_deadline__are_the_local_apics(void **state)
{
	const uint64_t base = LAPIC_BASE | LAPIC_BASE_BSP | LAPIC_BASE_ENABLE;

	(void)state;
	assert_false(exists(0x802));
	assert_false(set(0x808, 0));
	keeps(0x1b, base | LAPIC_BASE_X2APIC);
	assert_int_equal(get(0x802), 0);
	keeps(0x808, 0x20);
	assert_false(exists(0x801));
	assert_false(exists(0x900));
	refuses(0x1b, LAPIC_BASE | HV_BIT(63));
	assert_true(set(0x832, 0x40020 | 0x10)); /* the timer: by deadline */
	fake_x86.tsc = 0;
	keeps(0x6e0, 123456789);
}

static void pat__types__are_checked(void **state)
{
	(void)state;
	assert_int_equal(get(0x277), 0x0007040600070406);
	keeps(0x277, 0x0001040506070001);
	assert_int_equal(kit.sys->pat, 0x0001040506070001);
	refuses(0x277, 0x02);
	refuses(0x277, 0x0300000000000000);
	refuses(0x277, 0x08);
}

static void mtrrs__ranges_and_default__are_remembered(void **state)
{
	(void)state;
	assert_int_equal(get(0xfe), 8 | HV_BIT(8) | HV_BIT(10));
	refuses(0xfe, 0);
	assert_int_equal(get(0x2ff), 0x806);
	for (uint32_t msr = 0x200; msr < 0x210; msr += 2) {
		keeps(msr, 0x80000000 | 6);
		keeps(msr + 1, 0xff80000000 | HV_BIT(11));
		refuses(msr, 2);
		refuses(msr, HV_BIT(40));
		refuses(msr, HV_BIT(11));
		refuses(msr + 1, 1);
	}
	assert_false(exists(0x210));
	keeps(0x2ff, 0xc00);
	refuses(0x2ff, 0x1000);
	refuses(0x2ff, 3);
	keeps(0x250, 0x0606060606060606);
	keeps(0x258, 0x0101010101010101);
	keeps(0x259, 0x0404040404040404);
	for (uint32_t msr = 0x268; msr < 0x270; msr++) {
		keeps(msr, 0x0500000000000000 | msr % 2);
		refuses(msr, 7);
	}
	assert_int_equal(get(0x250), 0x0606060606060606); /* each its own */
	assert_false(exists(0x251));
	assert_false(exists(0x267));
	assert_false(exists(0x270));
}

static void addresses__canonical__are_kept_and_others_refused(void **state)
{
	static const uint32_t numbers[] = {
		0x175, 0x176, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(numbers); i++) {
		fake_x86.leaf_count = 0; /* a host without LA57 */
		keeps(numbers[i], 0xffff800000000000 | i);
		refuses(numbers[i], 0x0000800000000000);
		refuses(numbers[i], 0xff00000000000000);
		fake_x86.leaf_count = HV_ARRAY_COUNT(kit_leaves); /* whatever CR4 says */
		keeps(numbers[i], 0xff00000000000000 | i);
		refuses(numbers[i], 0xaaaaaaaaaaaaaaaa);
	}
	assert_int_equal(kit.sys->lstar, 0xff00000000000002);
	assert_int_equal(kit.sys->seg[X86_GS].base, 0xff00000000000005);
	assert_int_equal(kit.sys->kernel_gs_base, 0xff00000000000006);
}

static void quiet__known_but_without_meaning__read_as_a_quiet_cpus(void **state)
{
	static const uint32_t zero[] = {0x17, 0x8b, 0xce, 0x179, 0xc0010000, 0xc0010007, 0x17a,
		0x1d9, 0xc0010010, 0xc001001a, 0xc001001d, 0xc001001f, 0xc0010055, 0xc0010061,
		0xc0011020, 0xc0011023};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(zero); i++) {
		assert_int_equal(get(zero[i]), 0);
		assert_true(set(zero[i], UINT64_MAX));
		assert_int_equal(get(zero[i]), 0);
	}
	assert_int_equal(get(0xc0010015), HV_BIT(24));
	assert_int_equal(get(0xc0011029), HV_BIT(1));
	assert_int_equal(get(0x1a0), 1);
	keeps(0x1a0, 0x400c51889);
}

static void reset__of_all__is_power_on(void **state)
{
	(void)state;
	kit.vcpu->tsc_offset = 7;
	assert_true(set(0x3b, 1000) && set(0xc0000103, 5) && set(0x1a0, 0) && set(0x277, 0) &&
		    set(0x2ff, 0) && set(0x200, 6) && set(0x250, 6));
	x86_msr_reset(kit.vcpu);
	assert_int_equal(kit.vcpu->tsc_offset, 7);
	assert_int_equal(fake_x86.tsc_aux, 0);
	assert_int_equal(get(0x3b), 0);
	assert_int_equal(get(0x1a0), 1);
	assert_int_equal(get(0x277), 0x0007040600070406);
	assert_int_equal(get(0x2ff), 0x806);
	assert_int_equal(get(0x200), 0);
	assert_int_equal(get(0x250), 0);
}

/* Machine check banks, perf counters, speculation control, SVM's, microcode updates, x2APIC while
 * it is off. */
static void x20_numbers__unknown__do_not_exist(void **state)
{
	static const uint32_t unknown[] = {0x48, 0x49, 0x79, 0x10a, 0x186, 0x400, 0x403, 0x4ff,
		0x800, 0x8ff, 0xc0000104, 0xc0010008, 0xc0010200, 0xc0010114, 0xc0010117,
		0x40000000, UINT32_MAX};
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(unknown); i++) {
		assert_false(exists(unknown[i]));
		assert_false(set(unknown[i], 0));
	}
	for (uint32_t n = 0; n < 0x2000; n++) {
		count += exists(n) + exists(0xc0000000 | n) + exists(0xc0010000 | n) +
			 exists(0x40000000 | n);
	}
	assert_int_equal(count, 71);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(efer__bits_that_the_cpu_has__are_the_guests),
		kit_test(tsc__written__moves_and_tsc_adjust_tells),
		kit_test(tsc_aux__written__is_in_the_cpu),
		kit_test(apic__base_x2apic_and_deadline__are_the_local_apics),
		kit_test(pat__types__are_checked),
		kit_test(mtrrs__ranges_and_default__are_remembered),
		kit_test(addresses__canonical__are_kept_and_others_refused),
		kit_test(quiet__known_but_without_meaning__read_as_a_quiet_cpus),
		kit_test(reset__of_all__is_power_on),
		kit_test(x20_numbers__unknown__do_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
