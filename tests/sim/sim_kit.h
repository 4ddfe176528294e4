/* SPDX-License-Identifier: MIT */
/* Runs one of our own guests on the sim and keeps what it said. */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sim.h>

#define KIT_RAM_SIZE HV_MIB(16)

static struct kit {
	struct hv_guest guest;
	struct sim_cfg cfg;
	struct sim_report report;
	char said[65536]; /* the guest's console, as a string */
	size_t said_size;
	const char *until; /* the run ends when the guest has said this; NULL: never */
} kit;

static bool kit_out(void *ctx, const uint8_t *bytes, size_t count)
{
	struct kit *to = ctx;

	assert_true(to->said_size + count < sizeof(to->said));
	memcpy(to->said + to->said_size, bytes, count);
	to->said_size += count;
	to->said[to->said_size] = '\0';
	return !to->until || !strstr(to->said, to->until);
}

/* The bytes of a file of the build tree; the caller frees them. */
static struct hv_blob kit_file(const char *name)
{
	char path[512];
	struct hv_blob blob = {0};
	uint8_t *bytes;
	FILE *file;
	long size;

	snprintf(path, sizeof(path), "%s/%s", GUEST_DIR, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size > 0);
	rewind(file);
	bytes = malloc((size_t)size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
	fclose(file);
	blob.data = bytes;
	blob.size = (uint64_t)size;
	return blob;
}

static int kit_setup(void **state)
{
	(void)state;
	kit = (struct kit){
		.guest = {.machine = HV_MACHINE_AARCH64,
			.cpus = 1,
			.gic = 3,
			.ram_size = KIT_RAM_SIZE},
		.cfg = {.guest = &kit.guest,
			.in_fd = -1,
			.out = kit_out,
			.ctx = &kit,
			.timeout_s = 60},
	};
	return 0;
}

static int kit_teardown(void **state)
{
	(void)state;
	free((void *)(uintptr_t)kit.guest.kernel.data);
	free((void *)(uintptr_t)kit.guest.flash.data);
	return 0;
}

/* Once more with the same configuration. */
static void kit_again(void)
{
	kit.said_size = 0;
	kit.said[0] = '\0';
	sim_run(&kit.cfg, &kit.report);
}

static inline void kit_run(const char *guest)
{
	kit.guest.kernel = kit_file(guest);
	kit_again();
}

static bool kit_said(const char *text)
{
	return strstr(kit.said, text) != NULL;
}

/* The guest judged itself, and powered off. */
static void kit_all_passed(void)
{
	if (kit.report.end != SIM_OFF || !kit_said("ALL PASS") || kit_said("FAIL")) {
		print_error("ended as %d (%s), having said:\n%s\n", kit.report.end,
			kit.report.error, kit.said);
	}
	assert_int_equal(kit.report.end, SIM_OFF);
	assert_true(kit_said("ALL PASS"));
	assert_false(kit_said("FAIL"));
}

#define kit_test(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

#endif
