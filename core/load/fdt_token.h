/* SPDX-License-Identifier: MIT */
/* One token of a device tree's structure block. */
#ifndef FDT_TOKEN_H
#define FDT_TOKEN_H

#include <hv/fdt.h>

#define FDT_CELL 4u

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
/* The same of a tree that hv_fdt_open() passed, where nothing is left to check; not behind FDT_END.
 */
struct fdt_token fdt_token_next(const struct hv_fdt *fdt, uint32_t at);
const char *fdt_token_name(uint32_t kind);

#endif
