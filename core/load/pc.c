/* SPDX-License-Identifier: MIT */
/*
 * The block of low memory that a kernel for x86 is started with, and the map of memory that all
 * boot protocols tell it: where everything goes.
 */
#include <load/pc.h>

/*
 * Where the block may be: clear of the real-mode vectors, and of the last pages below
 * HV_PC_LOW_END, in which Linux prepares its switch to five levels while it still runs on our page
 * tables.
 */
#define PC_ROOM      0x10000u
#define PC_ROOM_SIZE 0x80000u

/* In the block. */
#define PC_TABLES  0x0000u /* one page each: level 4, level 3, four of level 2 */
#define PC_INFO    0x6000u
#define PC_GDT     0x7000u
#define PC_CMDLINE 0x7100u

#define PC_CMDLINE_MAX 2047u /* with its NUL what Linux keeps at most */

uint64_t load_pc_low_ram(uint64_t ram_size)
{
	return ram_size < HV_PC_RAM_MAX ? ram_size : HV_PC_RAM_MAX;
}

unsigned load_pc_map(uint64_t ram_size, struct load_pc_range map[LOAD_PC_RANGES])
{
	const uint64_t low = load_pc_low_ram(ram_size);
	const struct load_pc_range all[LOAD_PC_RANGES] = {
		{0, HV_PC_LOW_END, LOAD_PC_RAM},
		{HV_PC_LOW_END, 0xa0000 - HV_PC_LOW_END, LOAD_PC_RESERVED},
		{HV_PC_ACPI, HV_PC_RAM - HV_PC_ACPI, LOAD_PC_RESERVED},
		{HV_PC_RAM, low - HV_PC_RAM, LOAD_PC_RAM},
		{HV_PC_RAM_HIGH, ram_size - low, LOAD_PC_RAM},
	};

	__builtin_memcpy(map, all, sizeof(all));
	return ram_size > low ? LOAD_PC_RANGES : LOAD_PC_RANGES - 1;
}

static bool pc_is_long(const struct hv_guest *guest, enum hv_load_kind kind)
{
	switch (kind) {
	case HV_LOAD_BZIMAGE: return load_bzimage_wants(guest->kernel).long_mode;
	case HV_LOAD_PVH:
	case HV_LOAD_MULTIBOOT: return false;
	default: return true;
	}
}

static enum hv_status pc_check_cmdline(
	const struct hv_guest *guest, enum hv_load_kind kind, struct hv_load_error *error)
{
	const uint8_t *text = guest->cmdline.data;
	uint64_t most = PC_CMDLINE_MAX;

	if (kind == HV_LOAD_BZIMAGE && load_bzimage_wants(guest->kernel).cmdline_max < most) {
		most = load_bzimage_wants(guest->kernel).cmdline_max;
	}
	error->input = "cmdline";
	load_at(error, "size", 0, guest->cmdline.size);
	if (guest->cmdline.size > most) {
		return load_refuse(error, "longer than the kernel takes");
	}
	for (uint64_t i = 0; i < guest->cmdline.size; i++) {
		load_at(error, "text", i, text[i]);
		if (text[i] == '\0') {
			return load_refuse(error, "ends before its end");
		}
	}
	return HV_OK;
}

/* Where the initrd may go. */
static struct load_ram pc_room(
	const struct load_ram *ram, const struct hv_guest *guest, enum hv_load_kind kind)
{
	uint64_t end = ram->size;
	struct load_ram room = {.machine = ram->machine, .base = HV_PC_RAM};

	if (kind == HV_LOAD_BZIMAGE && load_bzimage_wants(guest->kernel).initrd_end < end) {
		end = load_bzimage_wants(guest->kernel).initrd_end;
	}
	room.size = end > room.base ? end - room.base : 0;
	return room;
}

static enum hv_status pc_place_block(
	const struct hv_guest *guest, struct hv_load_plan *plan, struct hv_load_error *error)
{
	const struct load_ram room = {.base = PC_ROOM, .size = PC_ROOM_SIZE};
	enum hv_status status = pc_check_cmdline(guest, plan->kind, error);

	if (status != HV_OK) {
		return status;
	}
	error->input = "kernel";
	load_at(error, "segments", 0, PC_ROOM);
	if (!load_fit(plan, &room, LOAD_PC_BLOCK_SIZE, HV_PAGE_SIZE, &plan->block)) {
		return load_refuse(error, "no room left below 640 KiB for boot information");
	}
	plan->info = GPA(plan->block.v + PC_INFO);
	plan->gdt = GPA(plan->block.v + PC_GDT);
	plan->cmdline = GPA(plan->block.v + PC_CMDLINE);
	if (pc_is_long(guest, plan->kind)) {
		plan->tables = GPA(plan->block.v + PC_TABLES);
	}
	return HV_OK;
}

enum hv_status load_pc_place(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_ram room = pc_room(ram, guest, plan->kind);
	enum hv_status status = load_initrd_place(guest, &room, plan, error);

	return status == HV_OK ? pc_place_block(guest, plan, error) : status;
}
