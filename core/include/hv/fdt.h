/* SPDX-License-Identifier: MIT */
/*
 * Reading a flattened device tree that nobody vouches for: the host's at EL2, a bundle's manifest,
 * a user's on the host. hv_fdt_open() checks the whole structure once; what comes after cannot
 * leave the blob, and its work is bounded by the blob's size. Values are checked where they are
 * asked for. Nothing is copied: names and values point into the blob. One thing can be changed, in
 * place: a property's value, for a shorter one. Devicetree Specification 0.4, chapter 5 (version 17
 * of the format).
 */
#ifndef HV_FDT_H
#define HV_FDT_H

#include <hv/load.h>

#define HV_FDT_DEPTH 32u /* nodes inside each other, the root included */

struct hv_fdt {
	const uint8_t *base;
	uint32_t size; /* totalsize; the blob may be longer */
	uint32_t reserved, reserved_count;
	uint32_t structs, structs_size;
	uint32_t strings, strings_size;
};

struct hv_fdt_node {
	const char *name; /* with its unit address; empty for the root */
	uint32_t at;      /* offset in the blob of its FDT_BEGIN_NODE, for messages */
	uint32_t props;   /* where its properties start in the structure block */
	uint16_t depth;   /* 0: the root */
	/* How its "reg" is to be read: the parent's #address-cells, #size-cells, at most 255. */
	uint8_t address_cells, size_cells;
	/* Its "reg" is an address that the CPU sees: all buses above have empty "ranges". */
	bool is_mapped;
};

struct hv_fdt_range {
	uint64_t base, size;
};

/*
 * HV_ERR_INVALID: error->field, offset, value and why are set, and error->input is left to the
 * caller. The blob must stay as it is while the hv_fdt is used, but for hv_fdt_prop_set(); it needs
 * no alignment.
 */
HV_WARN_UNUSED enum hv_status hv_fdt_open(
	struct hv_fdt *fdt, struct hv_blob blob, struct hv_load_error *error);

/* Entry `index` of the memory reservation block; false when there are no more. */
bool hv_fdt_reserved(const struct hv_fdt *fdt, uint32_t index, struct hv_fdt_range *range);

/* Visits every node, parents first, in the order of the blob. */
struct hv_fdt_walk {
	const struct hv_fdt *fdt;
	uint32_t next;  /* in the structure block */
	uint16_t depth; /* open nodes */
	struct hv_fdt_bus {
		uint32_t props; /* of the node that is this bus */
		bool is_known;  /* what follows has been read */
		bool is_mapped;
		uint8_t address_cells, size_cells;
	} bus[HV_FDT_DEPTH + 1]; /* [n]: what the children of a node of depth n - 1 see */
};

void hv_fdt_walk_init(struct hv_fdt_walk *walk, const struct hv_fdt *fdt);
bool hv_fdt_walk_next(struct hv_fdt_walk *walk, struct hv_fdt_node *node);
/* The next node whose property `name` is a list of strings that has `text` in it. */
bool hv_fdt_walk_to(
	struct hv_fdt_walk *walk, const char *name, const char *text, struct hv_fdt_node *node);

/* HV_ERR_NOT_FOUND. A part of the path may leave out the unit address: "/cpus/cpu". */
HV_WARN_UNUSED enum hv_status hv_fdt_find_path(
	const struct hv_fdt *fdt, const char *path, struct hv_fdt_node *node);
HV_WARN_UNUSED enum hv_status hv_fdt_find_compatible(
	const struct hv_fdt *fdt, const char *text, struct hv_fdt_node *node);

/* Property number `index` of a node; false when there are no more. */
bool hv_fdt_prop_at(const struct hv_fdt *fdt, const struct hv_fdt_node *node, uint32_t index,
	const char **name, struct hv_blob *value);
bool hv_fdt_prop(const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name,
	struct hv_blob *value);
bool hv_fdt_has_string(const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name,
	const char *text);
/* Whether the node's "status" is absent or okay. */
bool hv_fdt_is_enabled(const struct hv_fdt *fdt, const struct hv_fdt_node *node);

/* HV_ERR_NOT_FOUND; HV_ERR_INVALID when the value is not of that form. */
HV_WARN_UNUSED enum hv_status hv_fdt_string(const struct hv_fdt *fdt,
	const struct hv_fdt_node *node, const char *name, const char **text);
HV_WARN_UNUSED enum hv_status hv_fdt_u32(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	const char *name, uint32_t *value);
/* One or two cells. */
HV_WARN_UNUSED enum hv_status hv_fdt_u64(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	const char *name, uint64_t *value);
/*
 * Pair `index` of "reg". HV_ERR_INVALID: cells other than 1 or 2 for the address and 0 to 2 for the
 * size, a length that is no multiple of a pair, or a range that wraps.
 */
HV_WARN_UNUSED enum hv_status hv_fdt_reg(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	uint32_t index, struct hv_fdt_range *range);

/*
 * Gives a property a value that is not longer than its old one, where it is; the words that become
 * free turn into FDT_NOPs. `tree` is the blob that was opened, writable; `value` may lie in the old
 * one. All nodes and walks stay valid. HV_ERR_NOT_FOUND; HV_ERR_RANGE: the value is longer, and
 * nothing has changed.
 */
HV_WARN_UNUSED enum hv_status hv_fdt_prop_set(void *tree, const struct hv_fdt *fdt,
	const struct hv_fdt_node *node, const char *name, struct hv_blob value);

#endif
