/* SPDX-License-Identifier: MIT */
/* The registers that decide what traps, against values worked out by hand from DDI 0487. */
#include "a64_kit.h"

/* RW TSW TACR TIDCP TSC TID3 TID1 TWI BSU=1 FB AMO IMO FMO PTW SWIO VM; TID2 (17) must be 0. */
static void a64_hcr__bits__as_the_manual_numbers_them(void **state)
{
	(void)state;
	assert_int_equal(a64_hcr(), 0x807d263f);
}

/* TDRA 11, TDOSA 10, TPM 6, TPMCR 5; TDA 9 is a backend's to add. */
static void a64_mdcr__bits__as_the_manual_numbers_them(void **state)
{
	(void)state;
	assert_int_equal(a64_mdcr(), 0xc60);
	assert_int_equal(A64_MDCR_DEBUG, 0x200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(a64_hcr__bits__as_the_manual_numbers_them),
		kit_test(a64_mdcr__bits__as_the_manual_numbers_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
