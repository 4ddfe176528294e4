/* SPDX-License-Identifier: MIT */
/* What a multiboot image is told. The Multiboot Specification, version 0.6.96, 3.3. */
#include <load/pc.h>

#define MB_FLAGS     0u
#define MB_LOWER     4u
#define MB_UPPER     8u
#define MB_CMDLINE   16u
#define MB_MOD_COUNT 20u
#define MB_MODS      24u
#define MB_MAP_SIZE  44u
#define MB_MAP       48u
#define MB_LOADER    64u
/* Behind it, in the same page. */
#define MB_MODULE_AT  0x80u
#define MB_MAP_AT     0xc0u
#define MB_LOADER_AT  0x180u
#define MB_RANGE_SIZE 24u
#define MB_HAS_ALWAYS 0x245u /* memory, command line, map, loader's name */
#define MB_HAS_MODS   0x008u

/* Each range has the size of what follows that size in front. */
static uint64_t mb_put_map(const struct hv_gmem *gmem, uint64_t to, uint64_t ram_size)
{
	struct load_pc_range map[LOAD_PC_RANGES];
	unsigned count = load_pc_map(ram_size, map);

	for (unsigned i = 0; i < count; i++) {
		uint64_t at = to + i * MB_RANGE_SIZE;

		load_put(gmem, at, 4, MB_RANGE_SIZE - 4);
		load_put(gmem, at + 4, 8, map[i].base);
		load_put(gmem, at + 12, 8, map[i].size);
		load_put(gmem, at + 20, 4, map[i].type);
	}
	return count * MB_RANGE_SIZE;
}

/* One module, its string empty: zeroes that follow it. */
static void mb_put_module(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	uint64_t info = plan->info.v, to = info + MB_MODULE_AT;

	load_put(gmem, info + MB_FLAGS, 4, MB_HAS_ALWAYS | MB_HAS_MODS);
	if (guest->initrd.size == 0) {
		return;
	}
	load_put(gmem, info + MB_MOD_COUNT, 4, 1);
	load_put(gmem, info + MB_MODS, 4, to);
	load_put(gmem, to, 4, plan->initrd.v);
	load_put(gmem, to + 4, 4, plan->initrd.v + guest->initrd.size);
	load_put(gmem, to + 8, 4, to + 16);
}

void load_multiboot_info_write(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	static const char loader[] = "Drydock";
	uint64_t info = plan->info.v;

	load_put(gmem, info + MB_LOWER, 4, HV_PC_LOW_END >> 10);
	load_put(gmem, info + MB_UPPER, 4, (load_pc_low_ram(guest->ram_size) - HV_PC_RAM) >> 10);
	load_put(gmem, info + MB_CMDLINE, 4, plan->cmdline.v);
	mb_put_module(guest, plan, gmem);
	load_put(gmem, info + MB_MAP_SIZE, 4, mb_put_map(gmem, info + MB_MAP_AT, guest->ram_size));
	load_put(gmem, info + MB_MAP, 4, info + MB_MAP_AT);
	load_put(gmem, info + MB_LOADER, 4, info + MB_LOADER_AT);
	load_put_bytes(gmem, info + MB_LOADER_AT, loader, sizeof(loader));
}
