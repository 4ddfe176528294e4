/* SPDX-License-Identifier: MIT */
/*
 * One walk over the tree; each node is offered to whoever reads its kind. Devicetree Specification
 * 0.4.
 */
#include "tree.h"

#include <hv/bits.h>

#define DTB_TOTALSIZE 4u /* offset of that field in the header */

enum hv_status tree_refuse(struct tree_reader *reader, const char *field, const char *why)
{
	*reader->error = (struct hv_load_error){.input = "dtb",
		.field = field,
		.why = why,
		.offset = reader->node ? reader->node->at : 0};
	return HV_ERR_INVALID;
}

enum hv_status tree_reg(struct tree_reader *reader, uint32_t index, struct range *range)
{
	struct hv_fdt_range found;

	if (!reader->node->is_mapped ||
		hv_fdt_reg(reader->fdt, reader->node, index, &found) != HV_OK || found.size == 0) {
		return tree_refuse(reader, "reg", "no range that the CPU sees");
	}
	*range = (struct range){.base = found.base, .size = found.size};
	return HV_OK;
}

/* ---- nodes that are known by "compatible" ---- */

/* Whether [at, end) begins with `text` and its NUL. */
static bool is_text(const char *at, const char *end, const char *text)
{
	while (at < end && *at == *text) {
		if (*at == '\0') {
			return true;
		}
		at++;
		text++;
	}
	return false;
}

static const struct tree_rule *rule_for(
	const struct tree_reader *reader, const char *at, const char *end)
{
	const struct tree_rules *rules = reader->rules;

	for (uint32_t i = 0; i < rules->count; i++) {
		if (is_text(at, end, rules->rule[i].compatible) &&
			!reader->found[rules->rule[i].kind]) {
			return &rules->rule[i];
		}
	}
	return NULL;
}

/* The first string of the list that somebody reads counts. */
static enum hv_status read_compatible(struct tree_reader *reader)
{
	const struct tree_rule *rule = NULL;
	const char *at, *end;
	struct hv_blob list;

	if (!hv_fdt_prop(reader->fdt, reader->node, "compatible", &list)) {
		return HV_OK;
	}
	at = list.data;
	for (end = at + list.size; at < end && !rule; at++) {
		rule = rule_for(reader, at, end);
		while (at < end && *at) {
			at++;
		}
	}
	if (!rule || !hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	reader->found[rule->kind] = true;
	return rule->read(reader);
}

/* ---- nodes that are known by their name, all below the root ---- */

bool tree_has_name(const struct hv_fdt_node *node, const char *name)
{
	const char *at = node->name;

	while (*name && *at == *name) {
		at++;
		name++;
	}
	return *name == '\0' && (*at == '\0' || *at == '@');
}

static enum hv_status read_memory(struct tree_reader *reader)
{
	struct ranges *ram = &reader->tree->ram;
	struct hv_fdt_range range;

	if (!hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	for (uint32_t i = 0; hv_fdt_reg(reader->fdt, reader->node, i, &range) == HV_OK; i++) {
		/* Removed first, because a range may be named twice. */
		if (ranges_remove(ram, range.base, range.size) != HV_OK ||
			ranges_add(ram, range.base, range.size) != HV_OK) {
			return tree_refuse(reader, "memory", "more ranges than we take");
		}
	}
	return HV_OK;
}

/* Where the boot loader put the initrd, which is our bundle. */
static void read_chosen(struct tree_reader *reader)
{
	uint64_t start, end;

	if (hv_fdt_u64(reader->fdt, reader->node, "linux,initrd-start", &start) == HV_OK &&
		hv_fdt_u64(reader->fdt, reader->node, "linux,initrd-end", &end) == HV_OK &&
		start < end) {
		reader->tree->initrd = (struct range){.base = start, .size = end - start};
	}
}

/* Devicetree Specification 0.4, 3.8: its "reg" is one number of the parent's #address-cells. */
static enum hv_status read_cpu(struct tree_reader *reader)
{
	struct tree *tree = reader->tree;
	struct hv_fdt_range id;

	if (!tree_has_name(reader->node, "cpu") || !hv_fdt_is_enabled(reader->fdt, reader->node)) {
		return HV_OK;
	}
	if (hv_fdt_reg(reader->fdt, reader->node, 0, &id) != HV_OK) {
		return tree_refuse(reader, "reg", "no CPU's number");
	}
	if (tree->cpu_count < TREE_CPUS) {
		tree->cpu[tree->cpu_count++] = id.base;
	}
	return reader->rules->cpu ? reader->rules->cpu(reader) : HV_OK;
}

static enum hv_status read_named(struct tree_reader *reader)
{
	reader->in_reserved = tree_has_name(reader->node, "reserved-memory");
	reader->in_cpus = tree_has_name(reader->node, "cpus");
	if (tree_has_name(reader->node, "memory")) {
		return read_memory(reader);
	}
	if (tree_has_name(reader->node, "chosen")) {
		read_chosen(reader);
	}
	return reader->rules->named ? reader->rules->named(reader) : HV_OK;
}

/* ---- memory that is in use ---- */

/* Widened to pages, since that is what memory is given out in. */
static bool use(struct tree_reader *reader, uint64_t base, uint64_t size)
{
	uint64_t start = hv_align_down(base, HV_PAGE_SIZE), end;

	if (!hv_add_ok(base, size, &end) || !hv_add_ok(end, HV_PAGE_SIZE - 1, &end)) {
		return false;
	}
	return ranges_add(&reader->used, start, hv_align_down(end, HV_PAGE_SIZE) - start) == HV_OK;
}

static enum hv_status read_reserved(struct tree_reader *reader)
{
	struct hv_fdt_range range;

	for (uint32_t i = 0; hv_fdt_reg(reader->fdt, reader->node, i, &range) == HV_OK; i++) {
		if (!use(reader, range.base, range.size)) {
			return tree_refuse(reader, "reserved-memory", "wraps, or too many ranges");
		}
	}
	return HV_OK;
}

static enum hv_status drop_used(struct tree_reader *reader, struct range image)
{
	struct tree *tree = reader->tree;
	struct hv_fdt_range range;
	bool fine = use(reader, image.base, image.size) &&
		    use(reader, tree->dtb.base, tree->dtb.size) &&
		    use(reader, tree->initrd.base, tree->initrd.size);

	for (uint32_t i = 0; fine && hv_fdt_reserved(reader->fdt, i, &range); i++) {
		fine = use(reader, range.base, range.size);
	}
	for (uint32_t i = 0; fine && i < reader->used.count; i++) {
		fine = ranges_remove(&tree->ram, reader->used.range[i].base,
			       reader->used.range[i].size) == HV_OK;
	}
	return fine ? HV_OK
		    : tree_refuse(reader, "memory reservation", "wraps, or too many ranges");
}

/* ---- all of it ---- */

static enum hv_status read_node(struct tree_reader *reader)
{
	enum hv_status status = HV_OK;

	if (reader->node->depth == 1) {
		status = read_named(reader);
	} else if (reader->in_reserved && reader->node->depth > 1) {
		return read_reserved(reader);
	} else if (reader->in_cpus && reader->node->depth == 2) {
		return read_cpu(reader);
	} else if (reader->in_cpus && reader->rules->cpu) {
		return reader->rules->cpu(reader);
	}
	return status == HV_OK ? read_compatible(reader) : status;
}

static enum hv_status read_all(struct tree_reader *reader)
{
	enum hv_status status = HV_OK;
	struct hv_fdt_node node;
	struct hv_fdt_walk walk;

	hv_fdt_walk_init(&walk, reader->fdt);
	reader->node = &node;
	while (status == HV_OK && hv_fdt_walk_next(&walk, &node)) {
		status = read_node(reader);
	}
	reader->node = NULL;
	for (unsigned kind = 0; kind < TREE_KINDS && status == HV_OK; kind++) {
		if (reader->rules->needed[kind] && !reader->found[kind]) {
			status = tree_refuse(reader, reader->rules->needed[kind], "no such node");
		}
	}
	if (status == HV_OK && reader->tree->ram.count == 0) {
		status = tree_refuse(reader, "memory", "no such node");
	}
	if (status == HV_OK && reader->tree->initrd.size == 0) {
		status =
			tree_refuse(reader, "linux,initrd-start", "no initrd, so no guests to run");
	}
	return status;
}

enum hv_status tree_read(struct tree *tree, const struct tree_rules *rules, const void *dtb,
	struct range image, struct hv_load_error *error)
{
	struct hv_blob blob = {.data = dtb, .size = hv_be32((const uint8_t *)dtb + DTB_TOTALSIZE)};
	struct hv_fdt fdt;
	struct tree_reader reader = {.tree = tree, .rules = rules, .fdt = &fdt, .error = error};
	enum hv_status status;

	*tree = (struct tree){.dtb = {.base = (uintptr_t)dtb, .size = blob.size}};
	status = hv_fdt_open(&fdt, blob, error);
	if (status != HV_OK) {
		error->input = "dtb";
		return status;
	}
	status = read_all(&reader);
	return status == HV_OK ? drop_used(&reader, image) : status;
}
