/* SPDX-License-Identifier: MIT */
/*
 * What a guest's device tree says of its harts, narrowed to what they have. Linux, Documentation/
 * devicetree/bindings/riscv/cpus.yaml and extensions.yaml. Trees are made before anybody knows the
 * CPU, and users bring their own.
 */
#include "isa.h"

#include <hv/bits.h>
#include <hv/check.h>
#include <hv/fdt.h>

/* A tree that is being changed, and the node that is being looked at. */
struct editor {
	uint8_t *tree;
	struct hv_fdt fdt;
	struct hv_fdt_node node;
	const struct rv64_caps *caps;
};

/* A property's bytes, to be changed. False: the node has none of that name. */
static bool find(const struct editor *edit, const char *name, char **text, size_t *size)
{
	struct hv_blob value;

	if (!hv_fdt_prop(&edit->fdt, &edit->node, name, &value)) {
		return false;
	}
	*text = (char *)edit->tree + ((const uint8_t *)value.data - edit->fdt.base);
	*size = value.size;
	return true;
}

static void set(const struct editor *edit, const char *name, const void *value, size_t size)
{
	enum hv_status status = hv_fdt_prop_set(edit->tree, &edit->fdt, &edit->node, name,
		(struct hv_blob){.data = value, .size = size});

	HV_CHECK(status == HV_OK); /* it was found, and is not longer */
	(void)status;
}

/* One string. Without its NUL it is none, and readers that take it all the same get nothing. */
static void narrow_isa(const struct editor *edit)
{
	size_t size, used;
	char *isa;

	if (!find(edit, "riscv,isa", &isa, &size)) {
		return;
	}
	if (size == 0 || isa[size - 1]) {
		set(edit, "riscv,isa", isa, 0);
		return;
	}
	used = rv64_isa_narrow(isa, size, rv64_guest_exts(edit->caps));
	isa[used] = '\0';
	set(edit, "riscv,isa", isa, used + 1);
}

/* A list of strings, one for each extension. */
static void narrow_list(const struct editor *edit)
{
	const uint64_t have = rv64_guest_exts(edit->caps);
	size_t size, used = 0, start = 0;
	char *list;

	if (!find(edit, "riscv,isa-extensions", &list, &size)) {
		return;
	}
	for (size_t end = 0; end < size; end++) {
		uint64_t exts;

		if (list[end]) {
			continue;
		}
		exts = rv64_isa_ext(list + start, end - start);
		if (exts && !(exts & ~have)) {
			__builtin_memmove(list + used, list + start, end + 1 - start);
			used += end + 1 - start;
		}
		start = end + 1;
	}
	set(edit, "riscv,isa-extensions", list, used);
}

/* All of one length, so that one can take another's place. Index: levels of vsatp. */
static const char mmu_types[][11] = {
	"riscv,none", "riscv,none", "riscv,none", "riscv,sv39", "riscv,sv48", "riscv,sv57"};
#define MMU_LEVELS (HV_ARRAY_COUNT(mmu_types) - 1)

static void narrow_mmu(const struct editor *edit)
{
	size_t size;
	char *text;

	if (!find(edit, "mmu-type", &text, &size) || size != sizeof(mmu_types[0])) {
		return;
	}
	for (size_t i = MMU_LEVELS; i > edit->caps->satp_levels; i--) {
		if (__builtin_memcmp(text, mmu_types[i], size) == 0) {
			set(edit, "mmu-type", mmu_types[edit->caps->satp_levels], size);
			return;
		}
	}
}

static void narrow_timebase(const struct editor *edit)
{
	const uint32_t hz = edit->caps->timebase;
	const uint8_t cell[] = {
		(uint8_t)(hz >> 24), (uint8_t)(hz >> 16), (uint8_t)(hz >> 8), (uint8_t)hz};
	size_t size;
	char *text;

	if (find(edit, "timebase-frequency", &text, &size) && size == sizeof(cell)) {
		set(edit, "timebase-frequency", cell, sizeof(cell));
	}
}

/* Harts lie below this node (Devicetree Specification 0.4, 3.7). */
static bool is_cpus(const struct hv_fdt_node *node)
{
	static const char cpus[] = "cpus";
	size_t n = 0;

	while (n < sizeof(cpus) && node->name[n] == cpus[n]) {
		n++;
	}
	return n == sizeof(cpus) && node->depth == 1;
}

enum hv_status rv64_dtb_narrow(
	void *tree, uint64_t size, const struct rv64_caps *caps, struct hv_load_error *error)
{
	struct editor edit = {.tree = tree, .caps = caps};
	struct hv_fdt_walk walk;
	enum hv_status status;
	bool in_cpus = false;

	*error = (struct hv_load_error){.input = "dtb"};
	status = hv_fdt_open(&edit.fdt, (struct hv_blob){tree, size}, error);
	if (status != HV_OK) {
		return status;
	}
	hv_fdt_walk_init(&walk, &edit.fdt);
	while (hv_fdt_walk_next(&walk, &edit.node)) {
		in_cpus = edit.node.depth <= 1 ? is_cpus(&edit.node) : in_cpus;
		if (in_cpus) {
			narrow_isa(&edit);
			narrow_list(&edit);
			narrow_mmu(&edit);
			narrow_timebase(&edit);
		}
	}
	return HV_OK;
}
