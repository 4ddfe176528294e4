/* SPDX-License-Identifier: MIT */
/* What boards are put together with. For this folder only. */
#ifndef PARTS_H
#define PARTS_H

#include "board.h"

#define BOARD_ALIGN 64u

/* Where a board's guests see memory, and how much of it there can be. */
struct board_map {
	uint64_t ram, flash, flash_max;
	uint64_t ram_max, ram_rest; /* RAM that would be at ram_max and above is there; 0: all is
				       in one piece */
	uint8_t ia_bits;            /* of the guest-physical address space */
	uint8_t root_level;         /* whose descriptors the nested root holds; 0: pages */
	uint8_t root_pages;         /* most that a nested root is made of */
};

bool board_is_valid(const struct board_cfg *cfg, const struct board_map *map);
/* Whether devices need locks. */
bool board_is_shared(const struct board_cfg *cfg);
HV_WARN_UNUSED enum hv_status board_add_memory(
	struct hv_gmem *gmem, const struct board_cfg *cfg, const struct board_map *map);
HV_WARN_UNUSED enum hv_status board_add_regions(
	struct hv_bus *bus, const struct hv_region *region, size_t count);
/* Nested tables below the root that mapping this takes at most. */
uint64_t board_table_count(const struct board_map *map, uint64_t gpa, uint64_t hpa, uint64_t size);
/* The root's pages and all tables for RAM and flash. */
uint64_t board_page_count(const struct board_cfg *cfg, const struct board_map *map);
/* After a build that failed somewhere: page tables go back to their pool. */
void board_demolish(const struct board *board);

#endif
