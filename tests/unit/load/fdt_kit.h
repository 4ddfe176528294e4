/* SPDX-License-Identifier: MIT */
/* Device trees for tests: good ones from libfdt, and arbitrary structure blocks word by word. */
#ifndef FDT_KIT_H
#define FDT_KIT_H

#include <hv/fdt.h>
#include <libfdt.h>
#include <string.h>

#define KIT_FDT_STRUCTS 56u /* header and an empty reservation block come before */
/* Offsets in the strings block of what kit_fdt_words() makes. */
#define KIT_FDT_STRINGS "reg\0#address-cells\0#size-cells\0x"
#define KIT_FDT_REG     0u
#define KIT_FDT_ADDRESS 4u
#define KIT_FDT_SIZE    19u
#define KIT_FDT_X       31u

enum { KIT_BEGIN = 1, KIT_END_NODE = 2, KIT_PROP = 3, KIT_NOP = 4, KIT_END = 9 };

static inline void kit_be32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

/* A tree with exactly these words as its structure block; returns its size. */
static inline size_t kit_fdt_words(uint8_t *buf, const uint32_t *word, size_t count)
{
	const uint32_t size = (uint32_t)(KIT_FDT_STRUCTS + 4 * count + sizeof(KIT_FDT_STRINGS));
	const uint32_t header[10] = {0xd00dfeed, size, KIT_FDT_STRUCTS,
		(uint32_t)(KIT_FDT_STRUCTS + 4 * count), 40, 17, 16, 0, sizeof(KIT_FDT_STRINGS),
		(uint32_t)(4 * count)};

	memset(buf, 0, KIT_FDT_STRUCTS);
	for (size_t i = 0; i < HV_ARRAY_COUNT(header); i++) {
		kit_be32(buf + 4 * i, header[i]);
	}
	for (size_t i = 0; i < count; i++) {
		kit_be32(buf + KIT_FDT_STRUCTS + 4 * i, word[i]);
	}
	memcpy(buf + KIT_FDT_STRUCTS + 4 * count, KIT_FDT_STRINGS, sizeof(KIT_FDT_STRINGS));
	return size;
}

/* The smallest machine that has something of everything the reader knows. */
static inline size_t kit_fdt_machine(void *buf, size_t size)
{
	static const char compatible[] = "acme,uart\0arm,pl011";

	(void)fdt_create(buf, (int)size);
	(void)fdt_add_reservemap_entry(buf, 0x48000000, 0x1000);
	(void)fdt_add_reservemap_entry(buf, 0x49000000, 0x2000);
	(void)fdt_finish_reservemap(buf);
	(void)fdt_begin_node(buf, "");
	(void)fdt_property_u32(buf, "#address-cells", 2);
	(void)fdt_property_u32(buf, "#size-cells", 2);
	(void)fdt_begin_node(buf, "memory@40000000");
	(void)fdt_property_string(buf, "device_type", "memory");
	(void)fdt_property(buf, "reg",
		"\0\0\0\0\x40\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\x20\0\0", 32);
	(void)fdt_end_node(buf);
	(void)fdt_begin_node(buf, "cpus");
	(void)fdt_property_u32(buf, "#address-cells", 1);
	(void)fdt_property_u32(buf, "#size-cells", 0);
	(void)fdt_begin_node(buf, "cpu@3");
	(void)fdt_property_u32(buf, "reg", 3);
	(void)fdt_end_node(buf);
	(void)fdt_end_node(buf);
	(void)fdt_begin_node(buf, "soc");
	(void)fdt_property_u32(buf, "#address-cells", 1);
	(void)fdt_property(buf, "ranges", "", 0);
	(void)fdt_begin_node(buf, "uart@9000000");
	(void)fdt_property(buf, "compatible", compatible, sizeof(compatible));
	(void)fdt_property(buf, "reg", "\x09\0\0\0\0\0\x10\0", 8);
	(void)fdt_property_string(buf, "status", "disabled");
	(void)fdt_end_node(buf);
	(void)fdt_end_node(buf);
	(void)fdt_begin_node(buf, "chosen");
	(void)fdt_property_string(buf, "bootargs", "quiet");
	(void)fdt_property_u64(buf, "linux,initrd-start", 0x148000000);
	(void)fdt_property_u32(buf, "linux,initrd-end", 0x48001000);
	(void)fdt_end_node(buf);
	(void)fdt_end_node(buf);
	(void)fdt_finish(buf);
	return fdt_totalsize(buf);
}

/* Everything that a reader of a tree may ask; returns the number of nodes. */
static inline unsigned kit_fdt_read_all(const struct hv_fdt *fdt)
{
	struct hv_fdt_walk walk;
	struct hv_fdt_node node;
	struct hv_fdt_range range;
	struct hv_blob value;
	const char *name, *text;
	uint64_t number;
	unsigned nodes = 0;

	hv_fdt_walk_init(&walk, fdt);
	while (hv_fdt_walk_next(&walk, &node)) {
		for (uint32_t i = 0; hv_fdt_prop_at(fdt, &node, i, &name, &value); i++) {
			(void)!hv_fdt_u64(fdt, &node, name, &number);
			(void)!hv_fdt_string(fdt, &node, name, &text);
		}
		for (uint32_t i = 0; hv_fdt_reg(fdt, &node, i, &range) == HV_OK; i++) {
		}
		(void)hv_fdt_is_enabled(fdt, &node);
		nodes++;
	}
	for (uint32_t i = 0; hv_fdt_reserved(fdt, i, &range); i++) {
	}
	(void)!hv_fdt_find_path(fdt, "/soc/uart", &node);
	(void)!hv_fdt_find_compatible(fdt, "arm,pl011", &node);
	return nodes;
}

#endif
