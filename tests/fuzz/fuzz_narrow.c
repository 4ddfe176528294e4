/* SPDX-License-Identifier: MIT */
/*
 * What a hart has (8 bytes of extensions, one of address translation), then any file as the guest's
 * device tree: refused and untouched, or a sound tree of the same nodes that claims no more than
 * the hart has and than it did before, and that narrowing again does not change.
 */
#include "fuzz.h"

#include "unit/load/fdt_kit.h"

#include <arch/riscv64/rv64.h>
#include <hv/bits.h>

#define CAPS_SIZE 9u

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, size);
	return copy;
}

static uint64_t claim(const struct hv_fdt *fdt, const struct hv_fdt_node *node)
{
	struct hv_blob value;

	return hv_fdt_prop(fdt, node, "riscv,isa", &value) ? rv64_isa_parse(value.data, value.size)
							   : 0;
}

static uint64_t list_size(const struct hv_fdt *fdt, const struct hv_fdt_node *node)
{
	struct hv_blob value;

	return hv_fdt_prop(fdt, node, "riscv,isa-extensions", &value) ? value.size : 0;
}

static void compare(
	const uint8_t *was, const uint8_t *is, size_t size, const struct rv64_caps *caps)
{
	struct hv_load_error error;
	struct hv_fdt fdt[2];
	struct hv_fdt_walk walk[2];
	struct hv_fdt_node node[2];

	FUZZ_CHECK(hv_fdt_open(&fdt[0], (struct hv_blob){was, size}, &error) == HV_OK);
	FUZZ_CHECK(hv_fdt_open(&fdt[1], (struct hv_blob){is, size}, &error) == HV_OK);
	hv_fdt_walk_init(&walk[0], &fdt[0]);
	hv_fdt_walk_init(&walk[1], &fdt[1]);
	while (hv_fdt_walk_next(&walk[0], &node[0])) {
		uint64_t claims;

		FUZZ_CHECK(hv_fdt_walk_next(&walk[1], &node[1]) && node[0].at == node[1].at);
		claims = claim(&fdt[1], &node[1]);
		FUZZ_CHECK((claims & ~claim(&fdt[0], &node[0])) == 0);
		FUZZ_CHECK((claims & ~rv64_guest_exts(caps)) == 0);
		FUZZ_CHECK(list_size(&fdt[1], &node[1]) <= list_size(&fdt[0], &node[0]));
		FUZZ_CHECK(!hv_fdt_has_string(&fdt[1], &node[1], "riscv,isa-extensions", "h"));
		FUZZ_CHECK(caps->satp_levels >= 5 ||
			   !hv_fdt_has_string(&fdt[1], &node[1], "mmu-type", "riscv,sv57") ||
			   hv_fdt_string(&fdt[1], &node[1], "mmu-type", &node[1].name) != HV_OK);
	}
	FUZZ_CHECK(!hv_fdt_walk_next(&walk[1], &node[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rv64_caps caps = {.timebase = 10000000};
	struct hv_load_error error;
	uint8_t *once, *twice;

	if (size < CAPS_SIZE) {
		return 0;
	}
	caps.exts = hv_le64(data);
	caps.satp_levels = data[8] & 7;
	data += CAPS_SIZE;
	size -= CAPS_SIZE;
	once = copy_of(data, size);
	if (rv64_dtb_narrow(once, size, &caps, &error) != HV_OK) {
		FUZZ_CHECK(error.input != NULL && error.field != NULL && error.why != NULL);
		FUZZ_CHECK(memcmp(once, data, size) == 0);
		free(once);
		return 0;
	}
	FUZZ_CHECK(fdt_check_full(once, size) == 0);
	compare(data, once, size, &caps);
	twice = copy_of(once, size);
	FUZZ_CHECK(rv64_dtb_narrow(twice, size, &caps, &error) == HV_OK);
	FUZZ_CHECK(memcmp(once, twice, size) == 0);
	free(twice);
	free(once);
	return 0;
}
