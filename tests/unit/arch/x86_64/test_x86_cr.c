/* SPDX-License-Identifier: MIT */
/* Control registers: what may be written, and what follows. */
#include "x86_kit.h"

#include <arch/x86_64/cr.h>

static void cr0(uint64_t value, bool ok)
{
	uint64_t was = kit.sys->cr0, efer = kit.sys->efer;

	assert_int_equal(x86_cr0_write(kit.vcpu, value), ok);
	if (!ok) {
		assert_int_equal(kit.sys->cr0, was);
		assert_int_equal(kit.sys->efer, efer);
	}
}

static void cr4(uint64_t value, bool ok)
{
	uint64_t was = kit.sys->cr4;

	assert_int_equal(x86_cr4_write(kit.vcpu, value), ok);
	assert_int_equal(kit.sys->cr4, ok ? value : was);
}

static void leave_long_mode(void)
{
	kit.sys->seg[X86_CS].attrib &= ~X86_SEG_L; /* by way of compatibility mode */
	cr0(X86_CR0_PE, true);
}

static void cr0__combinations_that_do_not_exist__are_refused(void **state)
{
	(void)state;
	cr0(X86_CR0_PG | HV_BIT(32) | X86_CR0_PE, false);
	cr0(X86_CR0_PG, false);
	cr0(X86_CR0_PG | X86_CR0_PE | X86_CR0_NW, false);
	cr0(X86_CR0_PG | X86_CR0_PE | X86_CR0_NW | X86_CR0_CD, true);
	cr0(X86_CR0_PE, false);                                       /* out of 64-bit code */
	cr0(X86_CR0_PG | X86_CR0_PE | HV_BIT(10) | X86_CR0_TS, true); /* reserved: ignored */
	assert_int_equal(kit.sys->cr0, X86_CR0_PG | X86_CR0_PE | X86_CR0_TS | X86_CR0_ET);
	assert_int_equal(kit.sys->efer, X86_EFER_LMA | X86_EFER_LME | X86_EFER_SVME);
}

static void cr0__paging__takes_lma_along(void **state)
{
	(void)state;
	leave_long_mode();
	assert_int_equal(kit.sys->efer, X86_EFER_LME | X86_EFER_SVME);
	cr4(0, true);
	cr0(X86_CR0_PE | X86_CR0_PG, false); /* long mode needs PAE */
	cr4(X86_CR4_PAE, true);
	kit.sys->seg[X86_CS].attrib |= X86_SEG_L;
	cr0(X86_CR0_PE | X86_CR0_PG, false); /* from a segment that means nothing yet */
	kit.sys->seg[X86_CS].attrib &= ~X86_SEG_L;
	cr0(X86_CR0_PE | X86_CR0_PG, true);
	assert_int_equal(kit.sys->efer, X86_EFER_LMA | X86_EFER_LME | X86_EFER_SVME);
	leave_long_mode();
	assert_true(x86_efer_write(kit.vcpu, 0));
	cr0(X86_CR0_PE | X86_CR0_PG, true);
	assert_int_equal(kit.sys->efer, X86_EFER_SVME);
}

static void cr4__features__are_those_of_cpuid(void **state)
{
	const uint64_t some = X86_CR4_UMIP | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE | X86_CR4_SMEP |
			      X86_CR4_SMAP | X86_CR4_PKE | HV_MASK(10, 0);

	(void)state;
	cr4(some, true);
	cr4(X86_CR4_PAE | HV_BIT(13), false); /* VMXE */
	cr4(X86_CR4_PAE | HV_BIT(17), false); /* PCIDE */
	cr4(X86_CR4_PAE | HV_BIT(23), false);
	cr4(X86_CR4_PAE | HV_BIT(63), false);
	fake_x86.leaf_count = 0;
	cr4(X86_CR4_PAE | X86_CR4_SMEP, true); /* was there already */
	cr4(X86_CR4_PAE, true);
	cr4(X86_CR4_PAE | X86_CR4_SMEP, false);
}

static void cr4__long_mode__keeps_its_levels(void **state)
{
	(void)state;
	cr4(0, false);
	cr4(X86_CR4_PAE | X86_CR4_LA57, false);
	leave_long_mode();
	cr4(X86_CR4_LA57, true);
	cr4(0, true);
}

static void cr8__priority__is_the_local_apics(void **state)
{
	(void)state;
	assert_true(x86_cr8_write(kit.vcpu, 15));
	assert_int_equal(x86_cr8(kit.vcpu), 15);
	assert_false(x86_cr8_write(kit.vcpu, 16));
	assert_int_equal(x86_cr8(kit.vcpu), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(cr0__combinations_that_do_not_exist__are_refused),
		kit_test(cr0__paging__takes_lma_along),
		kit_test(cr4__features__are_those_of_cpuid),
		kit_test(cr4__long_mode__keeps_its_levels),
		kit_test(cr8__priority__is_the_local_apics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
