/* SPDX-License-Identifier: MIT */
/* One token of a device tree's structure block. */
#ifndef FDT_TOKEN_H
#define FDT_TOKEN_H

#include <hv/bits.h>
#include <hv/fdt.h>

#define FDT_CELL        4u
#define FDT_PROP_HEADER 8u /* len, nameoff */

enum {
	FDT_BEGIN_NODE = 1,
	FDT_END_NODE = 2,
	FDT_PROP = 3,
	FDT_NOP = 4,
	FDT_END = 9,
};

struct fdt_token {
	uint32_t kind;
	uint32_t at, next; /* offsets in the structure block, of this and of the one behind it */
	const char *name;  /* of a node or a property */
	struct hv_blob value;
};

/*
 * With every bound checked. Needs the blocks' places in *fdt, and the last string terminated.
 * HV_ERR_INVALID as hv_fdt_open().
 */
HV_WARN_UNUSED enum hv_status fdt_token_read(const struct hv_fdt *fdt, uint32_t at,
	struct fdt_token *token, struct hv_load_error *error);
const char *fdt_token_name(uint32_t kind);

static inline uint32_t fdt_padded(uint32_t size)
{
	return (uint32_t)hv_align_up(size, FDT_CELL);
}

/*
 * The same of a tree that hv_fdt_open() passed, where nothing is left to check, and each kind is in
 * its cell's last byte; not behind FDT_END.
 * Trees are walked often, and mostly for a part of what a token says: so each caller has its own.
 */
static HV_HOT struct fdt_token fdt_token_next(const struct hv_fdt *fdt, uint32_t at)
{
	const uint8_t *cell = fdt->base + fdt->structs + at;
	struct fdt_token token = {.kind = cell[FDT_CELL - 1], .at = at, .next = at + FDT_CELL};

	if (token.kind == FDT_PROP) {
		uint32_t len = hv_be32(cell + FDT_CELL);

		token.name = (const char *)fdt->base + fdt->strings + hv_be32(cell + 8);
		token.value = (struct hv_blob){cell + FDT_CELL + FDT_PROP_HEADER, len};
		token.next += FDT_PROP_HEADER + fdt_padded(len);
	} else if (token.kind == FDT_BEGIN_NODE) {
		uint32_t size = 0;

		token.name = (const char *)cell + FDT_CELL;
		while (token.name[size++] != '\0') {
		}
		token.next += fdt_padded(size);
	}
	return token;
}

#endif
