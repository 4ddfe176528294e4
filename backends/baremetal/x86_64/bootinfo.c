/* SPDX-License-Identifier: MIT */
/*
 * Xen public/arch-x86/hvm/start_info.h, version 1; Multiboot Specification 0.6.96, 3.3. Both are
 * little-endian records at physical addresses, which are ours.
 */
#include "bootinfo.h"

#include <hv/bits.h>

#define PVH_MAGIC 0x336ec578u

enum pvh_at {
	PVH_VERSION = 4,
	PVH_MODULE_COUNT = 12,
	PVH_MODULES = 16,
	PVH_RSDP = 32,
	PVH_MAP = 40,
	PVH_MAP_COUNT = 48,
};
#define PVH_MAP_STRIDE 24u /* address, size, type */

#define MB_HAS_MODULES HV_BIT(3)
#define MB_HAS_MAP     HV_BIT(6)

enum mb_at {
	MB_FLAGS = 0,
	MB_MODULE_COUNT = 20,
	MB_MODULES = 24,
	MB_MAP_SIZE = 44,
	MB_MAP = 48,
};
#define MB_MAP_LEAST 20u /* of an entry behind its size: address, size, type */

#define TYPE_RAM 1u /* in both, as in e820 */

static const uint8_t *bytes_at(uint64_t address)
{
	return (const uint8_t *)(uintptr_t)address;
}

static enum hv_status refuse(struct hv_load_error *error, const char *field, const char *why)
{
	*error = (struct hv_load_error){.input = "boot information", .field = field, .why = why};
	return HV_ERR_INVALID;
}

/* Page 0 stays out, so that no pointer to something is 0. Firmware may name a range twice. */
static enum hv_status add_ram(struct bootinfo *info, uint64_t base, uint64_t size)
{
	uint64_t end = base + size;

	if (size == 0 || end < base) {
		return HV_OK;
	}
	base = hv_align_up(base < HV_PAGE_SIZE ? HV_PAGE_SIZE : base, HV_PAGE_SIZE);
	end = hv_align_down(end, HV_PAGE_SIZE);
	if (end <= base) {
		return HV_OK;
	}
	if (ranges_remove(&info->ram, base, end - base) != HV_OK) {
		return HV_ERR_FULL;
	}
	return ranges_add(&info->ram, base, end - base);
}

/* What another entry reserves is none, whatever the order. */
struct map {
	const uint8_t *at, *end;
	uint32_t skip; /* from an entry's begin to its address */
};

static const uint8_t *map_next(const struct map *map, const uint8_t *at)
{
	return map->skip ? at + map->skip + hv_le32(at) : at + PVH_MAP_STRIDE;
}

static bool map_has(const struct map *map, const uint8_t *at)
{
	uint64_t left = (uint64_t)(map->end - at);

	if (map->skip == 0) {
		return left >= PVH_MAP_STRIDE;
	}
	return left >= map->skip + MB_MAP_LEAST && hv_le32(at) >= MB_MAP_LEAST &&
	       left - map->skip >= hv_le32(at);
}

static enum hv_status read_map(
	struct bootinfo *info, const struct map *map, struct hv_load_error *error)
{
	enum hv_status status = HV_OK;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (const uint8_t *at = map->at; map_has(map, at) && status == HV_OK;
			at = map_next(map, at)) {
			const uint8_t *entry = at + map->skip;
			uint64_t base = hv_le64(entry), size = hv_le64(entry + 8);
			bool is_ram = hv_le32(entry + 16) == TYPE_RAM;

			if (pass == 0 && is_ram) {
				status = add_ram(info, base, size);
			} else if (pass == 1 && !is_ram && size != 0 && base + size > base) {
				status = ranges_remove(&info->ram, base, size);
			}
		}
	}
	return status == HV_OK ? HV_OK : refuse(error, "memory map", "more ranges than we take");
}

static enum hv_status take_bundle(
	struct bootinfo *info, uint64_t start, uint64_t size, struct hv_load_error *error)
{
	if (size > BOOTINFO_TOP || start > BOOTINFO_TOP - size) {
		return refuse(error, "module 0", "above 4 GiB");
	}
	info->bundle = (struct range){.base = start, .size = size};
	return HV_OK;
}

enum hv_status bootinfo_pvh(struct bootinfo *info, uint64_t at, struct hv_load_error *error)
{
	const uint8_t *pvh = bytes_at(at);
	uint64_t modules, map;
	uint32_t count;

	*info = (struct bootinfo){0};
	if (hv_le32(pvh) != PVH_MAGIC) {
		return refuse(error, "magic", "no PVH start information");
	}
	if (hv_le32(pvh + PVH_VERSION) < 1) {
		return refuse(error, "version", "has no memory map");
	}
	info->rsdp = hv_le64(pvh + PVH_RSDP);
	modules = hv_le64(pvh + PVH_MODULES);
	if (hv_le32(pvh + PVH_MODULE_COUNT) != 0 && modules < BOOTINFO_TOP) {
		const uint8_t *first = bytes_at(modules);
		enum hv_status status =
			take_bundle(info, hv_le64(first), hv_le64(first + 8), error);

		if (status != HV_OK) {
			return status;
		}
	}
	map = hv_le64(pvh + PVH_MAP);
	count = hv_le32(pvh + PVH_MAP_COUNT);
	if (map >= BOOTINFO_TOP || count > RANGES_MOST) {
		return refuse(error, "memory map", "above 4 GiB, or too long");
	}
	return read_map(info,
		&(struct map){.at = bytes_at(map),
			.end = bytes_at(map) + (uint64_t)count * PVH_MAP_STRIDE},
		error);
}

enum hv_status bootinfo_multiboot(struct bootinfo *info, uint64_t at, struct hv_load_error *error)
{
	const uint8_t *mb = bytes_at(at);
	uint32_t flags = hv_le32(mb + MB_FLAGS);
	const uint8_t *map = bytes_at(hv_le32(mb + MB_MAP));

	*info = (struct bootinfo){0};
	if (!(flags & MB_HAS_MAP)) {
		return refuse(error, "flags", "no memory map");
	}
	if (flags & MB_HAS_MODULES && hv_le32(mb + MB_MODULE_COUNT) != 0) {
		const uint8_t *first = bytes_at(hv_le32(mb + MB_MODULES));
		uint32_t start = hv_le32(first), end = hv_le32(first + 4);
		enum hv_status status =
			take_bundle(info, start, end > start ? end - start : 0, error);

		if (status != HV_OK) {
			return status;
		}
	}
	return read_map(info,
		&(struct map){.at = map,
			.end = map + hv_le32(mb + MB_MAP_SIZE),
			.skip = sizeof(uint32_t)},
		error);
}
