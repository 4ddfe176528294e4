/* SPDX-License-Identifier: MIT */
/* What every CMocka program of this tree includes first. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fake_port.h>

static inline int unit_setup(void **state)
{
	(void)state;
	fake_port_reset();
	return 0;
}

/* After each test no lock may be held (R7). */
static inline int unit_teardown(void **state)
{
	(void)state;
	return fake_port.locks_held == 0 ? 0 : -1;
}

#define hv_unit_test(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)

#endif
