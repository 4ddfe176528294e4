/* SPDX-License-Identifier: MIT */
/*
 * Any file as a device tree: what our reader takes, libfdt's full check takes and walks alike; and
 * what a user's tree becomes for the guest is a sound tree again (F6).
 */
#include "fuzz.h"

#include "unit/load/fdt_kit.h"
#include "unit/load/load_kit.h"

#include <dtb.h>

static void compare(const struct hv_fdt *fdt, const uint8_t *data, size_t size)
{
	unsigned nodes = 0;

	FUZZ_CHECK(fdt_check_full(data, size) == 0);
	for (int node = fdt_next_node(data, -1, NULL); node >= 0;
		node = fdt_next_node(data, node, NULL)) {
		nodes++;
	}
	FUZZ_CHECK(kit_fdt_read_all(fdt) == nodes);
}

static void adopt(struct hv_blob blob)
{
	struct hv_guest guest = kit_guest(blob);
	const struct dtb_cfg cfg = {
		.guest = &guest, .bootargs = "quiet", .initrd = GPA(KIT_RAM), .kaslr_seed = 1};
	size_t room = blob.size + DTB_ROOM, used = 0;
	uint8_t *buf = malloc(room);
	struct hv_load_error error;

	FUZZ_CHECK(buf != NULL);
	guest.dtb = guest.initrd = blob;
	if (dtb_make(&cfg, buf, room, &used, &error) == HV_OK) {
		FUZZ_CHECK(used <= room && fdt_check_full(buf, used) == 0);
	} else {
		FUZZ_CHECK(error.input != NULL && error.field != NULL && error.why != NULL);
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_load_error error;
	struct hv_fdt fdt;

	if (hv_fdt_open(&fdt, (struct hv_blob){data, size}, &error) == HV_OK) {
		compare(&fdt, data, size);
	} else {
		FUZZ_CHECK(error.field != NULL && error.why != NULL);
		FUZZ_CHECK(error.offset <= size || error.offset < 40);
	}
	if (size != 0) {
		adopt((struct hv_blob){data, size});
	}
	return 0;
}
