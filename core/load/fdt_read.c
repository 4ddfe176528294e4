/* SPDX-License-Identifier: MIT */
/*
 * Reading a device tree that hv_fdt_open() has passed: nodes in order, properties, and the values,
 * whose form is checked when they are asked for.
 */
#include <load/fdt_token.h>
#include <load/load.h>

/* What holds where #address-cells and #size-cells are missing (section 2.3.5). */
#define FDT_ADDRESS_CELLS 2u
#define FDT_SIZE_CELLS    1u
#define FDT_CELLS_MAX     2u /* what fits a 64-bit number */

bool hv_fdt_prop_at(const struct hv_fdt *fdt, const struct hv_fdt_node *node, uint32_t index,
	const char **name, struct hv_blob *value)
{
	struct fdt_token token = fdt_token_next(fdt, node->props);

	while (token.kind == FDT_NOP || (token.kind == FDT_PROP && index-- != 0)) {
		token = fdt_token_next(fdt, token.next);
	}
	if (token.kind != FDT_PROP) {
		return false;
	}
	*name = token.name;
	*value = token.value;
	return true;
}

bool hv_fdt_prop(const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name,
	struct hv_blob *value)
{
	struct fdt_token token = fdt_token_next(fdt, node->props);

	while (token.kind == FDT_NOP || token.kind == FDT_PROP) {
		if (token.kind == FDT_PROP && load_text_is(token.name, name)) {
			*value = token.value;
			return true;
		}
		token = fdt_token_next(fdt, token.next);
	}
	return false;
}

/* Whether the string at *at in the list is `text`; moves *at behind it. */
static bool fdt_list_step(struct hv_blob list, uint64_t *at, const char *text)
{
	const char *bytes = list.data;
	bool same = true;

	while (*at < list.size && bytes[*at] != '\0') {
		same = same && *text == bytes[*at];
		text += same ? 1 : 0;
		(*at)++;
	}
	same = same && *text == '\0' && *at < list.size;
	(*at)++;
	return same;
}

bool hv_fdt_has_string(const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name,
	const char *text)
{
	struct hv_blob list;
	uint64_t at = 0;

	if (!hv_fdt_prop(fdt, node, name, &list)) {
		return false;
	}
	while (at < list.size) {
		if (fdt_list_step(list, &at, text)) {
			return true;
		}
	}
	return false;
}

bool hv_fdt_is_enabled(const struct hv_fdt *fdt, const struct hv_fdt_node *node)
{
	struct hv_blob status;

	return !hv_fdt_prop(fdt, node, "status", &status) ||
	       hv_fdt_has_string(fdt, node, "status", "okay") ||
	       hv_fdt_has_string(fdt, node, "status", "ok");
}

enum hv_status hv_fdt_string(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	const char *name, const char **text)
{
	struct hv_blob value;
	const char *bytes;

	if (!hv_fdt_prop(fdt, node, name, &value)) {
		return HV_ERR_NOT_FOUND;
	}
	bytes = value.data;
	for (uint64_t i = 0; i < value.size; i++) {
		if (bytes[i] == '\0') {
			*text = bytes;
			return i + 1 == value.size ? HV_OK : HV_ERR_INVALID;
		}
	}
	return HV_ERR_INVALID;
}

/* A number of 0 to FDT_CELLS_MAX cells. */
static uint64_t fdt_cells(const uint8_t *at, uint8_t count)
{
	switch (count) {
	case 0: return 0;
	case 1: return hv_be32(at);
	default: return hv_be64(at);
	}
}

enum hv_status hv_fdt_u32(
	const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name, uint32_t *value)
{
	struct hv_blob cells;

	if (!hv_fdt_prop(fdt, node, name, &cells)) {
		return HV_ERR_NOT_FOUND;
	}
	if (cells.size != FDT_CELL) {
		return HV_ERR_INVALID;
	}
	*value = hv_be32(cells.data);
	return HV_OK;
}

enum hv_status hv_fdt_u64(
	const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name, uint64_t *value)
{
	struct hv_blob cells;

	if (!hv_fdt_prop(fdt, node, name, &cells)) {
		return HV_ERR_NOT_FOUND;
	}
	if (cells.size != FDT_CELL && cells.size != (uint64_t)2 * FDT_CELL) {
		return HV_ERR_INVALID;
	}
	*value = fdt_cells(cells.data, (uint8_t)(cells.size / FDT_CELL));
	return HV_OK;
}

enum hv_status hv_fdt_reg(const struct hv_fdt *fdt, const struct hv_fdt_node *node, uint32_t index,
	struct hv_fdt_range *range)
{
	uint64_t pair = ((uint64_t)node->address_cells + node->size_cells) * FDT_CELL, end;
	struct hv_blob reg;
	const uint8_t *at;

	if (!hv_fdt_prop(fdt, node, "reg", &reg)) {
		return HV_ERR_NOT_FOUND;
	}
	if (node->address_cells == 0 || node->address_cells > FDT_CELLS_MAX ||
		node->size_cells > FDT_CELLS_MAX || reg.size % pair != 0) {
		return HV_ERR_INVALID;
	}
	if (index >= reg.size / pair) {
		return HV_ERR_NOT_FOUND;
	}
	at = (const uint8_t *)reg.data + index * pair;
	range->base = fdt_cells(at, node->address_cells);
	range->size = fdt_cells(at + (uint64_t)node->address_cells * FDT_CELL, node->size_cells);
	return hv_add_ok(range->base, range->size, &end) ? HV_OK : HV_ERR_INVALID;
}

void hv_fdt_walk_init(struct hv_fdt_walk *walk, const struct hv_fdt *fdt)
{
	*walk = (struct hv_fdt_walk){.fdt = fdt};
	walk->bus[0] = (struct hv_fdt_bus){.is_known = true,
		.is_mapped = true,
		.address_cells = FDT_ADDRESS_CELLS,
		.size_cells = FDT_SIZE_CELLS};
}

/* A cell count as it can be kept: 255 stands for all that nobody can read anyway. */
static uint8_t fdt_cell_count(
	const struct hv_fdt *fdt, const struct hv_fdt_node *node, const char *name, uint8_t missing)
{
	uint32_t count;
	enum hv_status status = hv_fdt_u32(fdt, node, name, &count);

	if (status == HV_ERR_NOT_FOUND) {
		return missing;
	}
	return status == HV_OK && count < UINT8_MAX ? (uint8_t)count : UINT8_MAX;
}

/* How the children of a node see addresses: read when it has one, since most nodes have none. */
static const struct hv_fdt_bus *fdt_bus(struct hv_fdt_walk *walk)
{
	struct hv_fdt_bus *bus = &walk->bus[walk->depth];
	const struct hv_fdt_node parent = {.props = bus->props};
	struct hv_blob ranges;

	if (!bus->is_known) {
		bool identity =
			walk->depth == 1 ||
			(hv_fdt_prop(walk->fdt, &parent, "ranges", &ranges) && ranges.size == 0);

		bus->is_known = true;
		bus->is_mapped = identity && walk->bus[walk->depth - 1].is_mapped;
		bus->address_cells =
			fdt_cell_count(walk->fdt, &parent, "#address-cells", FDT_ADDRESS_CELLS);
		bus->size_cells = fdt_cell_count(walk->fdt, &parent, "#size-cells", FDT_SIZE_CELLS);
	}
	return bus;
}

static struct hv_fdt_node fdt_node(struct hv_fdt_walk *walk, const struct fdt_token *token)
{
	const struct hv_fdt_bus *bus = fdt_bus(walk);

	return (struct hv_fdt_node){
		.name = token->name,
		.at = walk->fdt->structs + token->at,
		.props = token->next,
		.depth = walk->depth,
		.address_cells = bus->address_cells,
		.size_cells = bus->size_cells,
		.is_mapped = bus->is_mapped,
	};
}

bool hv_fdt_walk_next(struct hv_fdt_walk *walk, struct hv_fdt_node *node)
{
	for (;;) {
		struct fdt_token token = fdt_token_next(walk->fdt, walk->next);

		switch (token.kind) {
		case FDT_END: return false; /* and stays there */
		case FDT_BEGIN_NODE:
			*node = fdt_node(walk, &token);
			walk->bus[++walk->depth] = (struct hv_fdt_bus){.props = token.next};
			walk->next = token.next;
			return true;
		case FDT_END_NODE: walk->depth--; break;
		default: break;
		}
		walk->next = token.next;
	}
}

bool hv_fdt_walk_to(
	struct hv_fdt_walk *walk, const char *name, const char *text, struct hv_fdt_node *node)
{
	while (hv_fdt_walk_next(walk, node)) {
		if (hv_fdt_has_string(walk->fdt, node, name, text)) {
			return true;
		}
	}
	return false;
}

enum hv_status hv_fdt_find_compatible(
	const struct hv_fdt *fdt, const char *text, struct hv_fdt_node *node)
{
	struct hv_fdt_walk walk;

	hv_fdt_walk_init(&walk, fdt);
	return hv_fdt_walk_to(&walk, "compatible", text, node) ? HV_OK : HV_ERR_NOT_FOUND;
}

/*
 * When the path's first part names the node: what is left of the path, else NULL. A part without a
 * unit address fits a node with any.
 */
static const char *fdt_path_step(const char *path, const char *name)
{
	while (*path != '\0' && *path != '/' && *path == *name) {
		path++;
		name++;
	}
	if ((*path != '\0' && *path != '/') || (*name != '\0' && *name != '@')) {
		return NULL;
	}
	return *path == '/' ? path + 1 : path;
}

enum hv_status hv_fdt_find_path(
	const struct hv_fdt *fdt, const char *path, struct hv_fdt_node *node)
{
	struct hv_fdt_walk walk;
	uint16_t depth = 0; /* of the node that the next part of the path must name */

	hv_fdt_walk_init(&walk, fdt);
	while (hv_fdt_walk_next(&walk, node) && node->depth >= depth) {
		const char *rest = node->depth == depth ? fdt_path_step(path, node->name) : NULL;

		if (rest != NULL && *rest == '\0') {
			return HV_OK;
		}
		if (rest != NULL) {
			path = rest;
			depth++;
		}
	}
	return HV_ERR_NOT_FOUND;
}
