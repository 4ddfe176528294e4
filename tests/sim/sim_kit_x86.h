/* SPDX-License-Identifier: MIT */
/* The same for guests of x86_64. */
#ifndef SIM_KIT_X86_H
#define SIM_KIT_X86_H

#include "sim_kit.h"

static int kit_setup_x86(void **state)
{
	(void)kit_setup(state);
	kit.guest.machine = HV_MACHINE_X86_64;
	kit.guest.gic = 0;
	return 0;
}

static void kit_run_x86(const char *guest)
{
	char name[64];

	snprintf(name, sizeof(name), "x86_64/%s", guest);
	kit_run(name);
}

#define kit_test_x86(name) cmocka_unit_test_setup_teardown(name, kit_setup_x86, kit_teardown)

#endif
