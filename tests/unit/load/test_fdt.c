/* SPDX-License-Identifier: MIT */
/* The device tree reader: what it finds in good trees, and that bad ones are refused (F1, F6). */
#include <unit.h>

#include <hv/bits.h>
#include <hv/fdt.h>

#include "fdt_kit.h"
#include "load_kit.h"

static _Alignas(8) uint8_t buf[8192];
static struct hv_fdt fdt;
static struct hv_load_error error;

static enum hv_status open_bytes(size_t size)
{
	memset(&error, 0, sizeof(error));
	return hv_fdt_open(&fdt, (struct hv_blob){buf, size}, &error);
}

static void open_machine(void)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));

	assert_int_equal(fdt_check_full(buf, size), 0);
	assert_int_equal(open_bytes(size), HV_OK);
}

/* Opens a tree whose structure block is these words. */
#define open_words(...)                                                                            \
	open_bytes(kit_fdt_words(buf, (const uint32_t[]){__VA_ARGS__},                             \
		sizeof((const uint32_t[]){__VA_ARGS__}) / 4))

static void assert_refused(const char *field, uint64_t offset, const char *why)
{
	assert_string_equal(error.field, field);
	assert_int_equal(error.offset, offset);
	assert_string_equal(error.why, why);
	assert_null(error.input);
}

static struct hv_fdt_node node_at(const char *path)
{
	struct hv_fdt_node node;

	assert_int_equal(hv_fdt_find_path(&fdt, path, &node), HV_OK);
	return node;
}

static void fdt_walk__machine__visits_each_node_once_in_order(void **state)
{
	static const struct {
		const char *name;
		uint16_t depth;
		uint8_t address_cells, size_cells;
		bool is_mapped;
	} want[] = {
		{"", 0, 2, 1, true},
		{"memory@40000000", 1, 2, 2, true},
		{"cpus", 1, 2, 2, true},
		{"cpu@3", 2, 1, 0, false},
		{"soc", 1, 2, 2, true},
		{"uart@9000000", 2, 1, 1, true},
		{"chosen", 1, 2, 2, true},
	};
	struct hv_fdt_walk walk;
	struct hv_fdt_node node;

	(void)state;
	open_machine();
	hv_fdt_walk_init(&walk, &fdt);
	for (size_t i = 0; i < HV_ARRAY_COUNT(want); i++) {
		assert_true(hv_fdt_walk_next(&walk, &node));
		assert_string_equal(node.name, want[i].name);
		assert_int_equal(node.depth, want[i].depth);
		assert_int_equal(node.address_cells, want[i].address_cells);
		assert_int_equal(node.size_cells, want[i].size_cells);
		assert_int_equal(node.is_mapped, want[i].is_mapped);
		assert_int_equal(hv_be32(buf + node.at), KIT_BEGIN);
	}
	assert_false(hv_fdt_walk_next(&walk, &node));
	assert_false(hv_fdt_walk_next(&walk, &node));
}

static void fdt_find__by_path__with_and_without_unit_address(void **state)
{
	struct hv_fdt_node node;

	(void)state;
	open_machine();
	assert_int_equal(node_at("/").depth, 0);
	assert_string_equal(node_at("/chosen").name, "chosen");
	assert_string_equal(node_at("/cpus/cpu@3").name, "cpu@3");
	assert_string_equal(node_at("/soc/uart").name, "uart@9000000");
	assert_int_equal(hv_fdt_find_path(&fdt, "/cpus/cpu@2", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_path(&fdt, "/cpu@3", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_path(&fdt, "/cpus/uart", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_path(&fdt, "/chose", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_path(&fdt, "/chosens", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_path(&fdt, "chosen", &node), HV_ERR_NOT_FOUND);
}

static void fdt_find__by_string__whole_strings_of_the_list_only(void **state)
{
	struct hv_fdt_node node;
	struct hv_fdt_walk walk;

	(void)state;
	open_machine();
	assert_int_equal(hv_fdt_find_compatible(&fdt, "arm,pl011", &node), HV_OK);
	assert_string_equal(node.name, "uart@9000000");
	assert_int_equal(hv_fdt_find_compatible(&fdt, "acme,uart", &node), HV_OK);
	assert_int_equal(hv_fdt_find_compatible(&fdt, "arm,pl01", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_compatible(&fdt, "arm,pl0111", &node), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_find_compatible(&fdt, "", &node), HV_ERR_NOT_FOUND);
	hv_fdt_walk_init(&walk, &fdt);
	assert_true(hv_fdt_walk_to(&walk, "device_type", "memory", &node));
	assert_string_equal(node.name, "memory@40000000");
	assert_false(hv_fdt_walk_to(&walk, "device_type", "memory", &node));
}

static void fdt_has_string__last_one_not_terminated__is_not_in_the_list(void **state)
{
	struct hv_fdt_node node;

	(void)state;
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_PROP, 3, KIT_FDT_X, 0x61006200, KIT_END_NODE, KIT_END),
		HV_OK);
	node = node_at("/");
	assert_true(hv_fdt_has_string(&fdt, &node, "x", "a"));
	assert_false(hv_fdt_has_string(&fdt, &node, "x", "b"));
}

static void fdt_is_enabled__absent_okay_ok__and_nothing_else(void **state)
{
	struct hv_fdt_node node;

	(void)state;
	open_machine();
	node = node_at("/chosen");
	assert_true(hv_fdt_is_enabled(&fdt, &node));
	node = node_at("/soc/uart");
	assert_false(hv_fdt_is_enabled(&fdt, &node));
	assert_int_equal(
		fdt_setprop_string(buf, fdt_path_offset(buf, "/soc/uart"), "status", "okay"), 0);
	assert_int_equal(open_bytes(fdt_totalsize(buf)), HV_OK);
	node = node_at("/soc/uart");
	assert_true(hv_fdt_is_enabled(&fdt, &node));
	assert_int_equal(
		fdt_setprop_string(buf, fdt_path_offset(buf, "/soc/uart"), "status", "ok"), 0);
	assert_int_equal(open_bytes(fdt_totalsize(buf)), HV_OK);
	node = node_at("/soc/uart");
	assert_true(hv_fdt_is_enabled(&fdt, &node));
}

static void fdt_values__right_forms__are_read(void **state)
{
	struct hv_fdt_node chosen, cpu;
	const char *text;
	uint64_t big;
	uint32_t small;

	(void)state;
	open_machine();
	chosen = node_at("/chosen");
	cpu = node_at("/cpus/cpu@3");
	assert_int_equal(hv_fdt_string(&fdt, &chosen, "bootargs", &text), HV_OK);
	assert_string_equal(text, "quiet");
	assert_int_equal(hv_fdt_u64(&fdt, &chosen, "linux,initrd-start", &big), HV_OK);
	assert_int_equal(big, 0x148000000);
	assert_int_equal(hv_fdt_u64(&fdt, &chosen, "linux,initrd-end", &big), HV_OK);
	assert_int_equal(big, 0x48001000);
	assert_int_equal(hv_fdt_u32(&fdt, &cpu, "reg", &small), HV_OK);
	assert_int_equal(small, 3);
}

static void fdt_values__missing_or_of_another_form__are_refused(void **state)
{
	struct hv_fdt_node chosen, uart, memory;
	const char *text;
	uint64_t big;
	uint32_t small;

	(void)state;
	open_machine();
	chosen = node_at("/chosen");
	uart = node_at("/soc/uart");
	memory = node_at("/memory");
	assert_int_equal(hv_fdt_string(&fdt, &chosen, "none", &text), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_string(&fdt, &uart, "compatible", &text), HV_ERR_INVALID);
	assert_int_equal(hv_fdt_u32(&fdt, &chosen, "none", &small), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_u32(&fdt, &chosen, "linux,initrd-start", &small), HV_ERR_INVALID);
	assert_int_equal(hv_fdt_u64(&fdt, &chosen, "none", &big), HV_ERR_NOT_FOUND);
	assert_int_equal(hv_fdt_u64(&fdt, &chosen, "bootargs", &big), HV_ERR_INVALID);
	assert_int_equal(hv_fdt_u64(&fdt, &memory, "reg", &big), HV_ERR_INVALID);
}

static void fdt_string__not_terminated_or_empty__is_refused(void **state)
{
	struct hv_fdt_node node;
	const char *text;

	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_PROP, 4, KIT_FDT_X, 0x61626364, KIT_PROP, 0,
				 KIT_FDT_REG, KIT_END_NODE, KIT_END),
		HV_OK);
	node = node_at("/");
	assert_int_equal(hv_fdt_string(&fdt, &node, "x", &text), HV_ERR_INVALID);
	assert_int_equal(hv_fdt_string(&fdt, &node, "reg", &text), HV_ERR_INVALID);
	/* An empty string is one, of one byte. */
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_PROP, 1, KIT_FDT_X, 0, KIT_END_NODE, KIT_END), HV_OK);
	node = node_at("/");
	assert_int_equal(hv_fdt_string(&fdt, &node, "x", &text), HV_OK);
	assert_string_equal(text, "");
}

static void fdt_prop_at__each_index__gives_name_and_value(void **state)
{
	struct hv_fdt_node node;
	struct hv_blob value;
	const char *name;

	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_NOP, KIT_PROP, 4, KIT_FDT_X, 7, KIT_NOP,
				 KIT_PROP, 0, KIT_FDT_REG, KIT_END_NODE, KIT_NOP, KIT_END),
		HV_OK);
	node = node_at("/");
	assert_true(hv_fdt_prop_at(&fdt, &node, 0, &name, &value));
	assert_string_equal(name, "x");
	assert_int_equal(value.size, 4);
	assert_int_equal(hv_be32(value.data), 7);
	assert_true(hv_fdt_prop_at(&fdt, &node, 1, &name, &value));
	assert_string_equal(name, "reg");
	assert_int_equal(value.size, 0);
	assert_false(hv_fdt_prop_at(&fdt, &node, 2, &name, &value));
	assert_true(hv_fdt_prop(&fdt, &node, "reg", &value));
	assert_false(hv_fdt_prop(&fdt, &node, "re", &value));
	assert_false(hv_fdt_prop(&fdt, &node, "regs", &value));
}

static void fdt_reg__each_pair__in_the_parents_cells(void **state)
{
	struct hv_fdt_range range;
	struct hv_fdt_node node;

	(void)state;
	open_machine();
	node = node_at("/memory");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_OK);
	assert_int_equal(range.base, 0x40000000);
	assert_int_equal(range.size, 0x10000000);
	assert_int_equal(hv_fdt_reg(&fdt, &node, 1, &range), HV_OK);
	assert_int_equal(range.base, 0x100000000);
	assert_int_equal(range.size, 0x200000);
	assert_int_equal(hv_fdt_reg(&fdt, &node, 2, &range), HV_ERR_NOT_FOUND);
	node = node_at("/cpus/cpu");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_OK);
	assert_int_equal(range.base, 3);
	assert_int_equal(range.size, 0);
	node = node_at("/soc/uart");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_OK);
	assert_int_equal(range.base, 0x9000000);
	assert_int_equal(range.size, 0x1000);
	node = node_at("/chosen");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_ERR_NOT_FOUND);
}

/* A root with these cells, and a child with a reg of 16 bytes; the status of reading it. */
static enum hv_status reg_with_cells(uint32_t address_cells, uint32_t size_cells)
{
	struct hv_fdt_range range;
	struct hv_fdt_node node;

	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_PROP, 4, KIT_FDT_ADDRESS, address_cells, KIT_PROP, 4,
			KIT_FDT_SIZE, size_cells, KIT_BEGIN, 0x61000000, KIT_PROP, 16, KIT_FDT_REG,
			1, 2, 3, 4, KIT_END_NODE, KIT_END_NODE, KIT_END),
		HV_OK);
	node = node_at("/a");
	return hv_fdt_reg(&fdt, &node, 0, &range);
}

static void f6_reg__cells_0_5_99__are_refused(void **state)
{
	static const uint32_t bad[] = {0, 3, 5, 99, 255, 256, 0x80000001, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(reg_with_cells(bad[i], 2), HV_ERR_INVALID);
		if (bad[i] != 0) {
			assert_int_equal(reg_with_cells(2, bad[i]), HV_ERR_INVALID);
		}
	}
	assert_int_equal(reg_with_cells(1, 0), HV_OK);
	assert_int_equal(reg_with_cells(2, 2), HV_OK);
}

static void f6_reg__length_no_multiple_of_a_pair__is_refused(void **state)
{
	(void)state;
	assert_int_equal(reg_with_cells(1, 1), HV_OK);
	assert_int_equal(reg_with_cells(2, 1), HV_ERR_INVALID);
	assert_int_equal(reg_with_cells(1, 2), HV_ERR_INVALID);
}

static void f6_reg__range_wraps__is_refused(void **state)
{
	struct hv_fdt_range range;
	struct hv_fdt_node node;

	(void)state;
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_PROP, 4, KIT_FDT_SIZE, 2, KIT_BEGIN, 0x61000000,
			KIT_PROP, 16, KIT_FDT_REG, UINT32_MAX, 0xfffff000, 0, 0x1000, KIT_END_NODE,
			KIT_BEGIN, 0x62000000, KIT_PROP, 16, KIT_FDT_REG, UINT32_MAX, 0xfffff000, 0,
			0xfff, KIT_END_NODE, KIT_END_NODE, KIT_END),
		HV_OK);
	node = node_at("/a");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_ERR_INVALID);
	node = node_at("/b");
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_OK);
}

static void f6_cells__property_of_two_cells__nothing_below_can_be_read(void **state)
{
	struct hv_fdt_range range;
	struct hv_fdt_node node;

	(void)state;
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_PROP, 8, KIT_FDT_ADDRESS, 0, 1, KIT_BEGIN, 0x61000000,
			KIT_PROP, 8, KIT_FDT_REG, 1, 2, KIT_END_NODE, KIT_END_NODE, KIT_END),
		HV_OK);
	node = node_at("/a");
	assert_int_equal(node.address_cells, 255);
	assert_int_equal(hv_fdt_reg(&fdt, &node, 0, &range), HV_ERR_INVALID);
}

static void fdt_node__bus_with_translation__is_not_mapped(void **state)
{
	(void)state;
	open_machine();
	assert_int_equal(fdt_open_into(buf, buf, sizeof(buf)), 0);
	assert_int_equal(fdt_setprop_u32(buf, fdt_path_offset(buf, "/soc"), "ranges", 0), 0);
	assert_int_equal(open_bytes(fdt_totalsize(buf)), HV_OK);
	assert_false(node_at("/soc/uart").is_mapped);
	assert_true(node_at("/soc").is_mapped);
}

static void fdt_node__rubbish_in_the_padding_of_its_name__is_skipped(void **state)
{
	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0x00616263, KIT_BEGIN, 0x61006263, KIT_END_NODE,
				 KIT_END_NODE, KIT_END),
		HV_OK);
	assert_string_equal(node_at("/a").name, "a");
}

static void fdt_reserved__two_entries__are_found_and_then_no_more(void **state)
{
	struct hv_fdt_range range;

	(void)state;
	open_machine();
	assert_true(hv_fdt_reserved(&fdt, 0, &range));
	assert_int_equal(range.base, 0x48000000);
	assert_int_equal(range.size, 0x1000);
	assert_true(hv_fdt_reserved(&fdt, 1, &range));
	assert_int_equal(range.base, 0x49000000);
	assert_int_equal(range.size, 0x2000);
	assert_false(hv_fdt_reserved(&fdt, 2, &range));
}

/* Opens the machine after writing one header field. */
static enum hv_status open_with(uint32_t offset, uint32_t value)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));

	kit_be32(buf + offset, value);
	return open_bytes(size);
}

static void f6_header__each_field_wrong__is_refused_with_its_offset(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));
	uint32_t structs = fdt_off_dt_struct(buf);

	(void)state;
	assert_int_equal(open_with(0, 0xd00dfeee), HV_ERR_INVALID);
	assert_refused("magic", 0, "not a flattened device tree");
	assert_int_equal(error.value, 0xd00dfeee);
	assert_int_equal(open_with(4, 39), HV_ERR_INVALID);
	assert_refused("totalsize", 4, "smaller than its header");
	assert_int_equal(open_with(4, 40), HV_ERR_INVALID);
	assert_refused("off_mem_rsvmap", 16, "the memory reservations do not end");
	assert_int_equal(open_with(4, (uint32_t)size + 1), HV_ERR_INVALID);
	assert_refused("totalsize", 4, "past the end of the file");
	assert_int_equal(open_with(20, 16), HV_ERR_INVALID);
	assert_refused("version", 20, "older than 17");
	assert_int_equal(open_with(20, 18), HV_OK);
	assert_int_equal(open_with(24, 17), HV_OK);
	assert_int_equal(open_with(24, 18), HV_ERR_INVALID);
	assert_refused("last_comp_version", 24, "newer than 17");
	assert_int_equal(open_with(8, structs + 2), HV_ERR_INVALID);
	assert_refused("off_dt_struct", 8, "unaligned");
	assert_int_equal(open_with(8, 0xfffffffc), HV_ERR_INVALID);
	assert_refused("off_dt_struct", 8, "not between the header and the end");
	assert_int_equal(open_with(36, UINT32_MAX), HV_ERR_INVALID);
	assert_refused("off_dt_struct", 8, "not between the header and the end");
	assert_int_equal(open_with(12, UINT32_MAX), HV_ERR_INVALID);
	assert_refused("off_dt_strings", 12, "not between the header and the end");
	assert_int_equal(open_with(16, 44), HV_ERR_INVALID);
	assert_refused("off_mem_rsvmap", 16, "unaligned");
}

static void f6_header__blocks_overlap__is_refused(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));
	uint32_t structs = fdt_off_dt_struct(buf);

	(void)state;
	assert_int_equal(open_with(16, 32), HV_ERR_INVALID);
	assert_refused("off_mem_rsvmap", 16, "the memory reservations do not end");
	assert_int_equal(open_with(8, 36), HV_ERR_INVALID);
	assert_refused("off_dt_struct", 8, "not between the header and the end");
	assert_int_equal(open_with(8, structs - 4), HV_ERR_INVALID);
	assert_refused("off_dt_struct", 8, "overlaps another block");
	kit_fdt_machine(buf, sizeof(buf));
	kit_be32(buf + 12, fdt_off_dt_strings(buf) - 1);
	kit_be32(buf + 32, fdt_size_dt_strings(buf) + 1);
	assert_int_equal(open_bytes(size), HV_ERR_INVALID);
	assert_refused("off_dt_strings", 12, "overlaps another block");
}

static void f6_header__empty_block_at_0__is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_END_NODE, KIT_END), HV_OK);
	kit_be32(buf + 32, 0);
	assert_int_equal(open_bytes(fdt.size), HV_OK);
	kit_be32(buf + 12, 0);
	assert_int_equal(open_bytes(fdt.size), HV_ERR_INVALID);
	assert_refused("off_dt_strings", 12, "not between the header and the end");
}

static void f6_reservations__not_terminated__is_refused(void **state)
{
	(void)state;
	/* In the strings block, at the end of the tree, two zero words never come. */
	kit_fdt_machine(buf, sizeof(buf));
	assert_int_equal(open_with(16, (fdt_off_dt_strings(buf) + 7) & ~7u), HV_ERR_INVALID);
	assert_refused("off_mem_rsvmap", 16, "the memory reservations do not end");
	assert_int_equal(open_with(16, 0xfffffff8), HV_ERR_INVALID);
	assert_refused("off_mem_rsvmap", 16, "the memory reservations do not end");
}

static void f6_strings__last_not_terminated__is_refused(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));

	(void)state;
	buf[size - 1] = 'x';
	assert_int_equal(open_bytes(size), HV_ERR_INVALID);
	assert_refused("off_dt_strings", 12, "the last string is not terminated");
}

static void f6_structs__broken_grammar__is_refused_at_the_token(void **state)
{
	(void)state;
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_END_NODE, KIT_BEGIN, 0, KIT_END_NODE, KIT_END),
		HV_ERR_INVALID);
	assert_refused("FDT_BEGIN_NODE", KIT_FDT_STRUCTS + 12, "a second root");
	assert_int_equal(
		open_words(KIT_BEGIN, 0, KIT_END_NODE, KIT_END_NODE, KIT_END), HV_ERR_INVALID);
	assert_refused("FDT_END_NODE", KIT_FDT_STRUCTS + 12, "no node is open");
	assert_int_equal(open_words(KIT_PROP, 0, 0, KIT_END), HV_ERR_INVALID);
	assert_refused(
		"FDT_PROP", KIT_FDT_STRUCTS, "a property outside of a node, or after a child");
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_BEGIN, 0x61000000, KIT_END_NODE, KIT_PROP, 0,
				 0, KIT_END_NODE, KIT_END),
		HV_ERR_INVALID);
	assert_refused(
		"FDT_PROP", KIT_FDT_STRUCTS + 20, "a property outside of a node, or after a child");
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_END), HV_ERR_INVALID);
	assert_refused("FDT_END", KIT_FDT_STRUCTS + 8, "nodes left open, or none");
	assert_int_equal(open_words(KIT_END), HV_ERR_INVALID);
	assert_refused("FDT_END", KIT_FDT_STRUCTS, "nodes left open, or none");
	assert_int_equal(open_words(KIT_BEGIN, 0, 5, KIT_END_NODE, KIT_END), HV_ERR_INVALID);
	assert_refused("token", KIT_FDT_STRUCTS + 8, "not a token");
	assert_int_equal(error.value, 5);
}

static void f6_structs__end_missing__is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_END_NODE), HV_ERR_INVALID);
	assert_refused("FDT_END", KIT_FDT_STRUCTS + 12, "the structure block ends without it");
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_END_NODE, KIT_NOP), HV_ERR_INVALID);
	assert_refused("FDT_END", KIT_FDT_STRUCTS + 16, "the structure block ends without it");
}

static void f6_structs__node_name_without_nul__is_refused(void **state)
{
	(void)state;
	assert_int_equal(open_words(KIT_BEGIN, 0x61626364), HV_ERR_INVALID);
	assert_refused("FDT_BEGIN_NODE", KIT_FDT_STRUCTS, "the node's name is not terminated");
	assert_int_equal(open_words(KIT_BEGIN), HV_ERR_INVALID);
	assert_refused("FDT_BEGIN_NODE", KIT_FDT_STRUCTS, "the node's name is not terminated");
	/* Terminated, but its padding is not there. */
	assert_int_equal(open_words(KIT_BEGIN, 0), HV_ERR_INVALID);
	kit_be32(buf + 36, 6);
	assert_int_equal(open_bytes(KIT_FDT_STRUCTS + 8 + sizeof(KIT_FDT_STRINGS)), HV_ERR_INVALID);
	assert_refused("FDT_BEGIN_NODE", KIT_FDT_STRUCTS, "the node's name is not terminated");
}

static void f6_prop__len_wraps_or_leaves_the_block__is_refused(void **state)
{
	static const uint32_t bad[] = {13, 0x7fffffff, 0x80000000, 0xfffffffc, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(
			open_words(KIT_BEGIN, 0, KIT_PROP, bad[i], 0, 0, KIT_END_NODE, KIT_END),
			HV_ERR_INVALID);
		assert_refused("FDT_PROP len", KIT_FDT_STRUCTS + 12,
			"past the end of the structure block");
		assert_int_equal(error.value, bad[i]);
	}
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_PROP, 0), HV_ERR_INVALID);
	assert_refused("FDT_PROP", KIT_FDT_STRUCTS + 8, "past the end of the structure block");
}

static void f6_prop__nameoff_beyond_the_strings__is_refused(void **state)
{
	static const uint32_t bad[] = {sizeof(KIT_FDT_STRINGS), 0x80000000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_int_equal(
			open_words(KIT_BEGIN, 0, KIT_PROP, 0, bad[i], KIT_END_NODE, KIT_END),
			HV_ERR_INVALID);
		assert_refused("FDT_PROP nameoff", KIT_FDT_STRUCTS + 16,
			"past the end of the strings block");
	}
	assert_int_equal(open_words(KIT_BEGIN, 0, KIT_PROP, 0, sizeof(KIT_FDT_STRINGS) - 1,
				 KIT_END_NODE, KIT_END),
		HV_OK);
}

/* A chain of `depth` nodes, each inside the one before. */
static enum hv_status open_chain(uint32_t depth)
{
	uint32_t *word = calloc(3u * (size_t)depth + 1, sizeof(*word));
	uint8_t *bytes = malloc(KIT_FDT_STRUCTS + (3u * (size_t)depth + 1) * 4 + 64);
	enum hv_status status;
	size_t size;

	assert_non_null(word);
	assert_non_null(bytes);
	for (uint32_t i = 0; i < depth; i++) {
		word[2 * i] = KIT_BEGIN;
		word[2 * depth + i] = KIT_END_NODE;
	}
	word[3 * depth] = KIT_END;
	size = kit_fdt_words(bytes, word, 3u * (size_t)depth + 1);
	status = hv_fdt_open(&fdt, (struct hv_blob){bytes, size}, &error);
	if (status == HV_OK) {
		struct hv_fdt_walk walk;
		struct hv_fdt_node node;
		uint32_t seen = 0;

		hv_fdt_walk_init(&walk, &fdt);
		while (hv_fdt_walk_next(&walk, &node)) {
			seen++;
		}
		assert_int_equal(seen, depth);
	}
	free(word);
	free(bytes);
	return status;
}

static void f6_structs__depth_32_33_and_100000__limit_holds(void **state)
{
	(void)state;
	assert_int_equal(open_chain(HV_FDT_DEPTH), HV_OK);
	assert_int_equal(open_chain(HV_FDT_DEPTH + 1), HV_ERR_INVALID);
	assert_string_equal(error.why, "nodes nested too deep");
	assert_int_equal(open_chain(100000), HV_ERR_INVALID);
}

/* The bytes on a heap block of exactly their size: refused, or read without a stray access. */
static enum hv_status try_exact(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	enum hv_status status;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	status = hv_fdt_open(&fdt, (struct hv_blob){copy, size}, &error);
	if (status == HV_OK) {
		kit_fdt_read_all(&fdt);
		/* What we take, libfdt takes. */
		assert_int_equal(fdt_check_full(copy, size), 0);
	} else {
		assert_int_equal(status, HV_ERR_INVALID);
		assert_non_null(error.field);
		assert_non_null(error.why);
	}
	free(copy);
	return status;
}

static void f1_fdt__every_prefix__is_refused(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(try_exact(buf, i), HV_ERR_INVALID);
	}
	assert_int_equal(try_exact(buf, size), HV_OK);
}

static void f1_fdt__each_byte_flipped__is_refused_or_read_safely(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < size; i++) {
		for (unsigned flip = 0; flip < KIT_FLIPS; flip++) {
			buf[i] ^= kit_flip(flip);
			(void)!try_exact(buf, size);
			buf[i] ^= kit_flip(flip);
		}
	}
}

static void f1_fdt__each_word_set_to_an_edge__is_refused_or_read_safely(void **state)
{
	size_t size = kit_fdt_machine(buf, sizeof(buf));
	const uint64_t edge[] = {
		0, 1, UINT64_MAX, 0x80000000, HV_BIT(63), size - 1, size, size + 1};

	(void)state;
	for (size_t i = 0; i + 8 <= size; i += 4) {
		for (size_t e = 0; e < HV_ARRAY_COUNT(edge); e++) {
			uint8_t saved[8];

			memcpy(saved, buf + i, 8);
			kit_be32(buf + i, (uint32_t)(edge[e] >> 32));
			kit_be32(buf + i + 4, (uint32_t)edge[e]);
			(void)!try_exact(buf, size);
			memcpy(buf + i, saved, 4);
			(void)!try_exact(buf, size);
			memcpy(buf + i, saved, 8);
		}
	}
}

static void f6_fdt__10000_regions__are_all_counted_in_one_pass(void **state)
{
	enum { COUNT = 10000 };
	uint32_t *word = calloc(COUNT * 2 + 12, sizeof(*word));
	uint8_t *bytes = malloc(KIT_FDT_STRUCTS + (COUNT * 2 + 12) * 4 + 64);
	struct hv_fdt_range range;
	struct hv_fdt_node node;
	size_t size, at = 0;

	(void)state;
	assert_non_null(word);
	assert_non_null(bytes);
	word[at++] = KIT_BEGIN;
	word[at++] = 0;
	word[at++] = KIT_PROP;
	word[at++] = 4;
	word[at++] = KIT_FDT_ADDRESS;
	word[at++] = 1;
	word[at++] = KIT_PROP;
	word[at++] = COUNT * 8;
	word[at++] = KIT_FDT_REG;
	at += COUNT * 2;
	word[at++] = KIT_END_NODE;
	word[at++] = KIT_END;
	size = kit_fdt_words(bytes, word, at);
	assert_int_equal(hv_fdt_open(&fdt, (struct hv_blob){bytes, size}, &error), HV_OK);
	assert_int_equal(hv_fdt_find_path(&fdt, "/", &node), HV_OK);
	node.address_cells = 1;
	assert_int_equal(hv_fdt_reg(&fdt, &node, COUNT - 1, &range), HV_OK);
	assert_int_equal(hv_fdt_reg(&fdt, &node, COUNT, &range), HV_ERR_NOT_FOUND);
	free(word);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(fdt_walk__machine__visits_each_node_once_in_order),
		hv_unit_test(fdt_find__by_path__with_and_without_unit_address),
		hv_unit_test(fdt_find__by_string__whole_strings_of_the_list_only),
		hv_unit_test(fdt_has_string__last_one_not_terminated__is_not_in_the_list),
		hv_unit_test(fdt_is_enabled__absent_okay_ok__and_nothing_else),
		hv_unit_test(fdt_values__right_forms__are_read),
		hv_unit_test(fdt_values__missing_or_of_another_form__are_refused),
		hv_unit_test(fdt_string__not_terminated_or_empty__is_refused),
		hv_unit_test(fdt_prop_at__each_index__gives_name_and_value),
		hv_unit_test(fdt_reg__each_pair__in_the_parents_cells),
		hv_unit_test(f6_reg__cells_0_5_99__are_refused),
		hv_unit_test(f6_reg__length_no_multiple_of_a_pair__is_refused),
		hv_unit_test(f6_reg__range_wraps__is_refused),
		hv_unit_test(f6_cells__property_of_two_cells__nothing_below_can_be_read),
		hv_unit_test(fdt_node__bus_with_translation__is_not_mapped),
		hv_unit_test(fdt_node__rubbish_in_the_padding_of_its_name__is_skipped),
		hv_unit_test(fdt_reserved__two_entries__are_found_and_then_no_more),
		hv_unit_test(f6_header__each_field_wrong__is_refused_with_its_offset),
		hv_unit_test(f6_header__blocks_overlap__is_refused),
		hv_unit_test(f6_header__empty_block_at_0__is_refused),
		hv_unit_test(f6_reservations__not_terminated__is_refused),
		hv_unit_test(f6_strings__last_not_terminated__is_refused),
		hv_unit_test(f6_structs__broken_grammar__is_refused_at_the_token),
		hv_unit_test(f6_structs__end_missing__is_refused),
		hv_unit_test(f6_structs__node_name_without_nul__is_refused),
		hv_unit_test(f6_prop__len_wraps_or_leaves_the_block__is_refused),
		hv_unit_test(f6_prop__nameoff_beyond_the_strings__is_refused),
		hv_unit_test(f6_structs__depth_32_33_and_100000__limit_holds),
		hv_unit_test(f1_fdt__every_prefix__is_refused),
		hv_unit_test(f1_fdt__each_byte_flipped__is_refused_or_read_safely),
		hv_unit_test(f1_fdt__each_word_set_to_an_edge__is_refused_or_read_safely),
		hv_unit_test(f6_fdt__10000_regions__are_all_counted_in_one_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
