/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include <hv/bits.h>
#include <hv/check.h>

/* How much of RAM is in its first piece. */
static uint64_t first_size(const struct board_cfg *cfg, const struct board_map *map)
{
	uint64_t room = map->ram_max - map->ram;

	return map->ram_max != 0 && cfg->ram_size > room ? room : cfg->ram_size;
}

static bool is_ram_valid(const struct board_cfg *cfg, const struct board_map *map)
{
	uint64_t first = first_size(cfg, map);

	return first != 0 && first <= HV_BIT(map->ia_bits) - map->ram &&
	       cfg->ram_size - first <= HV_BIT(map->ia_bits) - map->ram_rest &&
	       hv_is_aligned(cfg->ram_size, HV_PAGE_SIZE);
}

bool board_is_valid(const struct board_cfg *cfg, const struct board_map *map)
{
	return cfg->cpus >= 1 && cfg->cpus <= HV_VCPUS && is_ram_valid(cfg, map) &&
	       cfg->flash_size <= map->flash_max && hv_is_aligned(cfg->flash_size, HV_PAGE_SIZE);
}

bool board_is_shared(const struct board_cfg *cfg)
{
	return !cfg->unshared || cfg->cpus != 1;
}

/* The piece of RAM from `offset` on. */
static enum hv_status add_ram(struct hv_gmem *gmem, const struct board_cfg *cfg, uint64_t gpa,
	uint64_t offset, uint64_t size)
{
	const struct hv_gmem_region ram = {
		.gpa = GPA(gpa),
		.size = size,
		.hpa = HPA(cfg->ram_hpa.v + offset),
		.host = cfg->ram_host + offset,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X,
		.lazy = cfg->lazy_ram,
	};

	return hv_gmem_add(gmem, &ram);
}

enum hv_status board_add_memory(
	struct hv_gmem *gmem, const struct board_cfg *cfg, const struct board_map *map)
{
	uint64_t first = first_size(cfg, map), rest = cfg->ram_size - first;
	const struct hv_gmem_region flash = {
		.gpa = GPA(map->flash),
		.size = cfg->flash_size,
		.hpa = cfg->flash_hpa,
		.host = cfg->flash_host,
		.prot = HV_PROT_R | HV_PROT_X, /* writes fault, and reach the device behind it */
		.lazy = true,
	};
	enum hv_status status = add_ram(gmem, cfg, map->ram, 0, first);

	if (status == HV_OK && rest != 0) {
		status = add_ram(gmem, cfg, map->ram_rest, first, rest);
	}
	if (status == HV_OK && cfg->flash_size != 0) {
		status = hv_gmem_add(gmem, &flash);
	}
	return status;
}

enum hv_status board_add_regions(struct hv_bus *bus, const struct hv_region *region, size_t count)
{
	enum hv_status status = HV_OK;

	for (size_t i = 0; i < count && status == HV_OK; i++) {
		status = hv_bus_add(bus, &region[i]);
	}
	return status;
}

/*
 * At each level one per slot of the level above, but for the slots that a block fills, which need
 * the same alignment on both sides.
 */
uint64_t board_table_count(const struct board_map *map, uint64_t gpa, uint64_t hpa, uint64_t size)
{
	uint64_t end = gpa + size, count = 0;

	for (uint8_t level = 1; size != 0 && level <= map->root_level; level++) {
		uint64_t span = hv_pt_span(level);
		uint64_t slots = (hv_align_up(end, span) - hv_align_down(gpa, span)) / span;
		uint64_t ragged = !hv_is_aligned(gpa, span) + !hv_is_aligned(end, span);

		count += hv_is_aligned(gpa - hpa, span) && ragged < slots ? ragged : slots;
	}
	return count;
}

uint64_t board_page_count(const struct board_cfg *cfg, const struct board_map *map)
{
	uint64_t first = first_size(cfg, map);

	return map->root_pages + board_table_count(map, map->ram, cfg->ram_hpa.v, first) +
	       board_table_count(
		       map, map->ram_rest, cfg->ram_hpa.v + first, cfg->ram_size - first) +
	       board_table_count(map, map->flash, cfg->flash_hpa.v, cfg->flash_size);
}

void board_demolish(const struct board *board)
{
	if (board->vm) {
		enum hv_status status = hv_vm_destroy(board->vm);

		HV_CHECK(status == HV_OK);
	}
}
