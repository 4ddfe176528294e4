/* SPDX-License-Identifier: MIT */
/* The same for guests of riscv64, which find their devices, and what their harts can do, in a tree.
 */
#ifndef SIM_KIT_RV64_H
#define SIM_KIT_RV64_H

#include "sim_kit.h"

#include <dtb.h>

static uint8_t kit_dtb[DTB_ROOM];

static int kit_setup_rv64(void **state)
{
	(void)kit_setup(state);
	kit.guest.machine = HV_MACHINE_RISCV;
	kit.guest.gic = 0;
	return 0;
}

static void kit_run_rv64(const char *guest)
{
	struct hv_load_error error;
	struct dtb_cfg cfg = {0};
	char name[64];

	snprintf(name, sizeof(name), "riscv64/%s", guest);
	kit.guest.kernel = kit_file(name);
	assert_int_equal(dtb_place(&kit.guest, &cfg, kit_dtb, sizeof(kit_dtb), &error), HV_OK);
	kit_again();
}

#define kit_test_rv64(name) cmocka_unit_test_setup_teardown(name, kit_setup_rv64, kit_teardown)

#endif
