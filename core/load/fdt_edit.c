/* SPDX-License-Identifier: MIT */
/*
 * Changing a device tree where it is. Only what cannot fail half-way: nothing moves, so a value may
 * not grow, and the words that a shorter one leaves become FDT_NOP, which every reader skips.
 */
#include <hv/check.h>
#include <load/fdt_token.h>
#include <load/load.h>

#define FDT_EDIT_LEN 8u /* the value's length, before its first byte */

static void fdt_put_cell(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < FDT_CELL; i++) {
		at[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

enum hv_status hv_fdt_prop_set(void *tree, const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	const char *name, struct hv_blob value)
{
	struct hv_blob old;
	uint64_t size = value.size, kept = hv_align_up(size, FDT_CELL);
	uint8_t *at;

	HV_CHECK(tree == (const void *)fdt->base);
	if (!hv_fdt_prop(fdt, node, name, &old)) {
		return HV_ERR_NOT_FOUND;
	}
	if (size > old.size) {
		return HV_ERR_RANGE;
	}
	at = (uint8_t *)tree + ((const uint8_t *)old.data - fdt->base);
	if (size != 0) {
		__builtin_memmove(at, value.data, size);
	}
	__builtin_memset(at + size, 0, kept - size);
	for (uint64_t i = kept; i < hv_align_up(old.size, FDT_CELL); i += FDT_CELL) {
		fdt_put_cell(at + i, FDT_NOP);
	}
	fdt_put_cell(at - FDT_EDIT_LEN, (uint32_t)size);
	return HV_OK;
}
