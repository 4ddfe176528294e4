/* SPDX-License-Identifier: MIT */
/*
 * Opening a device tree: one pass over header, reservations and structure, without recursion, that
 * leaves nothing unchecked which later reading relies on. Devicetree Specification 0.4, chapter 5.
 */
#include <load/fdt_token.h>
#include <load/load.h>

#define FDT_HEADER_SIZE   40u
#define FDT_MAGIC         0xd00dfeedu
#define FDT_VERSION       17u
#define FDT_RESERVED_SIZE 16u

enum fdt_block { FDT_RESERVED, FDT_STRUCTS, FDT_STRINGS, FDT_BLOCKS };

enum fdt_field {
	FDT_F_MAGIC = 0,
	FDT_F_TOTALSIZE = 4,
	FDT_F_STRUCTS = 8,
	FDT_F_STRINGS = 12,
	FDT_F_RESERVED = 16,
	FDT_F_VERSION = 20,
	FDT_F_COMPATIBLE = 24,
	FDT_F_STRINGS_SIZE = 32,
	FDT_F_STRUCTS_SIZE = 36,
};

static uint32_t fdt_field(const struct hv_fdt *fdt, enum fdt_field field)
{
	return hv_be32(fdt->base + field);
}

static enum hv_status fdt_check_header(
	struct hv_fdt *fdt, struct hv_blob blob, struct hv_load_error *error)
{
	load_at(error, "magic", FDT_F_MAGIC, blob.size);
	if (blob.size < FDT_HEADER_SIZE) {
		return load_refuse(error, "shorter than a device tree header");
	}
	load_at(error, "magic", FDT_F_MAGIC, fdt_field(fdt, FDT_F_MAGIC));
	if (error->value != FDT_MAGIC) {
		return load_refuse(error, "not a flattened device tree");
	}
	fdt->size = fdt_field(fdt, FDT_F_TOTALSIZE);
	load_at(error, "totalsize", FDT_F_TOTALSIZE, fdt->size);
	if (fdt->size < FDT_HEADER_SIZE) {
		return load_refuse(error, "smaller than its header");
	}
	if (fdt->size > blob.size) {
		return load_refuse(error, "past the end of the file");
	}
	load_at(error, "version", FDT_F_VERSION, fdt_field(fdt, FDT_F_VERSION));
	if (error->value < FDT_VERSION) {
		return load_refuse(error, "older than 17");
	}
	load_at(error, "last_comp_version", FDT_F_COMPATIBLE, fdt_field(fdt, FDT_F_COMPATIBLE));
	if (error->value > FDT_VERSION) {
		return load_refuse(error, "newer than 17");
	}
	return HV_OK;
}

/* Whether these bytes lie behind the header, as all blocks do. */
static bool fdt_has(const struct hv_fdt *fdt, uint64_t at, uint64_t size)
{
	return hv_range_inside(at, size, FDT_HEADER_SIZE, fdt->size - FDT_HEADER_SIZE);
}

static enum hv_status fdt_check_block(const struct hv_fdt *fdt, uint32_t at, uint32_t size,
	uint32_t align, struct hv_load_error *error)
{
	if (!hv_is_aligned(at, align)) {
		return load_refuse(error, "unaligned");
	}
	if (!fdt_has(fdt, at, size)) {
		return load_refuse(error, "not between the header and the end");
	}
	return HV_OK;
}

/* Counts the reservations: address and size in 8 bytes each, until both are 0. */
static enum hv_status fdt_check_reserved(struct hv_fdt *fdt, struct hv_load_error *error)
{
	fdt->reserved = fdt_field(fdt, FDT_F_RESERVED);
	load_at(error, "off_mem_rsvmap", FDT_F_RESERVED, fdt->reserved);
	if (!hv_is_aligned(fdt->reserved, 8)) {
		return load_refuse(error, "unaligned");
	}
	for (uint64_t at = fdt->reserved; fdt_has(fdt, at, FDT_RESERVED_SIZE);
		at += FDT_RESERVED_SIZE) {
		if (hv_be64(fdt->base + at) == 0 && hv_be64(fdt->base + at + 8) == 0) {
			return HV_OK;
		}
		fdt->reserved_count++;
	}
	return load_refuse(error, "the memory reservations do not end");
}

static enum hv_status fdt_check_blocks(struct hv_fdt *fdt, struct hv_load_error *error)
{
	enum hv_status status = fdt_check_reserved(fdt, error);

	if (status != HV_OK) {
		return status;
	}
	fdt->structs = fdt_field(fdt, FDT_F_STRUCTS);
	fdt->structs_size = fdt_field(fdt, FDT_F_STRUCTS_SIZE);
	load_at(error, "off_dt_struct", FDT_F_STRUCTS, fdt->structs);
	status = fdt_check_block(fdt, fdt->structs, fdt->structs_size, FDT_CELL, error);
	if (status != HV_OK) {
		return status;
	}
	fdt->strings = fdt_field(fdt, FDT_F_STRINGS);
	fdt->strings_size = fdt_field(fdt, FDT_F_STRINGS_SIZE);
	load_at(error, "off_dt_strings", FDT_F_STRINGS, fdt->strings);
	status = fdt_check_block(fdt, fdt->strings, fdt->strings_size, 1, error);
	if (status != HV_OK) {
		return status;
	}
	/* With the last byte 0, every name that starts inside ends inside. */
	if (fdt->strings_size != 0 && fdt->base[fdt->strings + fdt->strings_size - 1] != '\0') {
		return load_refuse(error, "the last string is not terminated");
	}
	return HV_OK;
}

static enum hv_status fdt_check_overlap(const struct hv_fdt *fdt, struct hv_load_error *error)
{
	const struct {
		const char *name;
		uint8_t field;
		uint64_t at, size;
	} block[FDT_BLOCKS] = {
		[FDT_RESERVED] = {"off_mem_rsvmap", FDT_F_RESERVED, fdt->reserved,
			((uint64_t)fdt->reserved_count + 1) * FDT_RESERVED_SIZE},
		[FDT_STRUCTS] = {"off_dt_struct", FDT_F_STRUCTS, fdt->structs, fdt->structs_size},
		[FDT_STRINGS] = {"off_dt_strings", FDT_F_STRINGS, fdt->strings, fdt->strings_size},
	};

	for (unsigned a = 1; a < FDT_BLOCKS; a++) {
		for (unsigned b = 0; b < a; b++) {
			if (hv_range_overlaps(
				    block[a].at, block[a].size, block[b].at, block[b].size)) {
				load_at(error, block[a].name, block[a].field, block[a].at);
				return load_refuse(error, "overlaps another block");
			}
		}
	}
	return HV_OK;
}

/* Where in the grammar of the structure block a pass stands. */
struct fdt_grammar {
	uint16_t depth;
	bool has_root;   /* seen, perhaps closed again */
	bool takes_prop; /* no child of the open node came yet */
};

static const char *fdt_begin_fault(struct fdt_grammar *grammar, const char *name)
{
	if (grammar->depth == 0 && *name != '\0') {
		return "the root has a name";
	}
	if (grammar->depth == 0 && grammar->has_root) {
		return "a second root";
	}
	if (grammar->depth == HV_FDT_DEPTH) {
		return "nodes nested too deep";
	}
	grammar->has_root = true;
	grammar->takes_prop = true;
	grammar->depth++;
	return NULL;
}

/* What is wrong with this token in this place; NULL: nothing. */
static const char *fdt_grammar_fault(struct fdt_grammar *grammar, const struct fdt_token *token)
{
	switch (token->kind) {
	case FDT_BEGIN_NODE: return fdt_begin_fault(grammar, token->name);
	case FDT_END_NODE:
		if (grammar->depth == 0) {
			return "no node is open";
		}
		grammar->takes_prop = false;
		grammar->depth--;
		return NULL;
	case FDT_PROP:
		return grammar->depth != 0 && grammar->takes_prop
			       ? NULL
			       : "a property outside of a node, or after a child";
	case FDT_END:
		return grammar->depth == 0 && grammar->has_root ? NULL : "nodes left open, or none";
	default: return NULL; /* FDT_NOP; the token's reader refused all others */
	}
}

static enum hv_status fdt_check_structs(const struct hv_fdt *fdt, struct hv_load_error *error)
{
	struct fdt_grammar grammar = {0};
	struct fdt_token token = {0};

	do {
		enum hv_status status = fdt_token_read(fdt, token.next, &token, error);

		if (status != HV_OK) {
			return status;
		}
		load_at(error, fdt_token_name(token.kind), fdt->structs + token.at, token.kind);
		error->why = fdt_grammar_fault(&grammar, &token);
		if (error->why != NULL) {
			return HV_ERR_INVALID;
		}
	} while (token.kind != FDT_END);
	return HV_OK;
}

enum hv_status hv_fdt_open(struct hv_fdt *fdt, struct hv_blob blob, struct hv_load_error *error)
{
	enum hv_status status;

	*fdt = (struct hv_fdt){.base = blob.data};
	status = fdt_check_header(fdt, blob, error);
	if (status == HV_OK) {
		status = fdt_check_blocks(fdt, error);
	}
	if (status == HV_OK) {
		status = fdt_check_overlap(fdt, error);
	}
	if (status == HV_OK) {
		status = fdt_check_structs(fdt, error);
	}
	return status;
}

bool hv_fdt_reserved(const struct hv_fdt *fdt, uint32_t index, struct hv_fdt_range *range)
{
	const uint8_t *entry;

	if (index >= fdt->reserved_count) {
		return false;
	}
	entry = fdt->base + fdt->reserved + (uint64_t)index * FDT_RESERVED_SIZE;
	*range = (struct hv_fdt_range){.base = hv_be64(entry), .size = hv_be64(entry + 8)};
	return true;
}
