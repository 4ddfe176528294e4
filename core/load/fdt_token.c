/* SPDX-License-Identifier: MIT */
/* Devicetree Specification 0.4, section 5.4.1: the only place that knows how tokens are laid out.
 */
#include <load/fdt_token.h>
#include <load/load.h>

const char *fdt_token_name(uint32_t kind)
{
	switch (kind) {
	case FDT_BEGIN_NODE: return "FDT_BEGIN_NODE";
	case FDT_END_NODE: return "FDT_END_NODE";
	case FDT_PROP: return "FDT_PROP";
	case FDT_NOP: return "FDT_NOP";
	case FDT_END: return "FDT_END";
	default: return "token";
	}
}

/* Moves next past `size` bytes and their padding; false when the block has fewer left. */
static bool fdt_token_skip(const struct hv_fdt *fdt, struct fdt_token *token, uint32_t size)
{
	uint64_t end = hv_align_up((uint64_t)token->next + size, FDT_CELL);

	if (end > fdt->structs_size) {
		return false;
	}
	token->next = (uint32_t)end;
	return true;
}

static enum hv_status fdt_token_node(
	const struct hv_fdt *fdt, struct fdt_token *token, struct hv_load_error *error)
{
	const uint8_t *name = fdt->base + fdt->structs + token->next;
	uint32_t room = fdt->structs_size - token->next, size = 0;

	while (size < room && name[size] != '\0') {
		size++;
	}
	if (size == room || !fdt_token_skip(fdt, token, size + 1)) {
		return load_refuse(error, "the node's name is not terminated");
	}
	token->name = (const char *)name;
	return HV_OK;
}

static enum hv_status fdt_token_prop(
	const struct hv_fdt *fdt, struct fdt_token *token, struct hv_load_error *error)
{
	uint32_t at = fdt->structs + token->next, len, name;

	if (!fdt_token_skip(fdt, token, FDT_PROP_HEADER)) {
		return load_refuse(error, "past the end of the structure block");
	}
	len = hv_be32(fdt->base + at);
	name = hv_be32(fdt->base + at + FDT_CELL);
	load_at(error, "FDT_PROP len", at, len);
	if (!fdt_token_skip(fdt, token, len)) {
		return load_refuse(error, "past the end of the structure block");
	}
	load_at(error, "FDT_PROP nameoff", (uint64_t)at + FDT_CELL, name);
	if (name >= fdt->strings_size) {
		return load_refuse(error, "past the end of the strings block");
	}
	token->name = (const char *)fdt->base + fdt->strings + name;
	token->value = (struct hv_blob){fdt->base + at + FDT_PROP_HEADER, len};
	return HV_OK;
}

enum hv_status fdt_token_read(
	const struct hv_fdt *fdt, uint32_t at, struct fdt_token *token, struct hv_load_error *error)
{
	*token = (struct fdt_token){.at = at, .next = at};
	load_at(error, "FDT_END", (uint64_t)fdt->structs + at, at);
	if (!fdt_token_skip(fdt, token, FDT_CELL)) {
		return load_refuse(error, "the structure block ends without it");
	}
	token->kind = hv_be32(fdt->base + fdt->structs + at);
	load_at(error, fdt_token_name(token->kind), (uint64_t)fdt->structs + at, token->kind);
	switch (token->kind) {
	case FDT_BEGIN_NODE: return fdt_token_node(fdt, token, error);
	case FDT_PROP: return fdt_token_prop(fdt, token, error);
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END: return HV_OK;
	default: return load_refuse(error, "not a token");
	}
}
