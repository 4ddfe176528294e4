/* SPDX-License-Identifier: MIT */
/*
 * Decides where everything goes before a byte is copied: the kernel where it asks to be, then DTB
 * and initrd as high as the kernel, its BSS included, leaves room.
 */
#include <load/load.h>

#define PLAN_DTB_SLOT HV_KIB(64)
/* Linux maps the DTB by one 2 MiB block (booting.rst, section 2). */
#define PLAN_DTB_MAX HV_MIB(2)
/* Kernel and initrd in one window of this size that starts at a multiple of 1 GiB (section 4). */
#define PLAN_WINDOW       HV_GIB(32)
#define PLAN_WINDOW_ALIGN HV_GIB(1)

static const char *const plan_kind_names[] = {
	[HV_LOAD_FLAT] = "flat binary",
	[HV_LOAD_ELF64] = "ELF64",
	[HV_LOAD_LINUX_A64] = "arm64 Image",
	[HV_LOAD_LINUX_RV64] = "RISC-V Image",
	[HV_LOAD_BZIMAGE] = "bzImage",
	[HV_LOAD_PVH] = "ELF with a PVH entry",
	[HV_LOAD_MULTIBOOT] = "multiboot image",
};

static const struct load_format plan_flat = {.kind = HV_LOAD_FLAT, .plan = load_flat_plan};

static const struct load_format *plan_format(
	const struct load_machine *machine, struct hv_blob kernel)
{
	for (uint8_t i = 0; i < machine->format_count; i++) {
		if (machine->format[i].is(kernel)) {
			return &machine->format[i];
		}
	}
	return &plan_flat;
}

enum hv_load_kind hv_load_kind(const struct load_machine *machine, struct hv_blob kernel)
{
	return plan_format(machine, kernel)->kind;
}

const char *hv_load_kind_name(enum hv_load_kind kind)
{
	return plan_kind_names[kind];
}

enum hv_status load_segment_add(struct hv_load_plan *plan, const struct load_ram *ram,
	const struct hv_load_segment *segment, struct hv_load_error *error)
{
	if (!hv_range_inside(segment->to.v, segment->mem_size, ram->base, ram->size)) {
		return load_refuse(error, "outside of the guest's RAM");
	}
	if (ram->machine->is_pc && hv_range_overlaps(segment->to.v, segment->mem_size,
					   HV_PC_LOW_END, HV_PC_RAM - HV_PC_LOW_END)) {
		return load_refuse(error, "in what is no RAM between 639 KiB and 1 MiB");
	}
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *other = &plan->segment[i];

		if (hv_range_overlaps(
			    segment->to.v, segment->mem_size, other->to.v, other->mem_size)) {
			return load_refuse(error, "overlaps another segment");
		}
	}
	if (plan->segment_count == HV_LOAD_SEGMENTS) {
		return load_refuse(error, "too many segments");
	}
	plan->segment[plan->segment_count++] = *segment;
	return HV_OK;
}

static enum hv_status plan_kernel(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	const struct load_format *format;

	error->input = "kernel";
	load_at(error, "size", 0, guest->kernel.size);
	if (guest->kernel.size == 0) {
		return load_refuse(error, "the file is empty");
	}
	format = plan_format(ram->machine, guest->kernel);
	plan->kind = format->kind;
	return format->plan(guest, ram, plan, error);
}

static void plan_kernel_extent(struct hv_load_plan *plan)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (uint16_t i = 0; i < plan->segment_count; i++) {
		uint64_t at = plan->segment[i].to.v, end = at + plan->segment[i].mem_size;

		low = at < low ? at : low;
		high = end > high ? end : high;
	}
	plan->kernel = GPA(low);
	plan->kernel_end = GPA(high);
}

static bool plan_is_clear(const struct hv_load_plan *plan, uint64_t at, uint64_t size)
{
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		if (hv_range_overlaps(at, size, segment->to.v, segment->mem_size)) {
			return false;
		}
	}
	return true;
}

/* The next lower end to try when [at, at+size) is not clear: the highest segment in its way. */
static uint64_t plan_below(const struct hv_load_plan *plan, uint64_t at, uint64_t size)
{
	uint64_t below = 0;

	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		if (hv_range_overlaps(at, size, segment->to.v, segment->mem_size) &&
			segment->to.v > below) {
			below = segment->to.v;
		}
	}
	return below;
}

/* Each segment moves it down at most once. */
bool load_fit(const struct hv_load_plan *plan, const struct load_ram *room, uint64_t size,
	uint64_t align, gpa_t *at)
{
	uint64_t end = room->base + room->size;

	while (end >= room->base && size <= end - room->base) {
		at->v = hv_align_down(end - size, align);
		if (at->v < room->base) {
			return false;
		}
		if (plan_is_clear(plan, at->v, size)) {
			return true;
		}
		end = plan_below(plan, at->v, size);
	}
	return false;
}

/* A power of two, so that the aligned slot crosses no 2 MiB border. */
static uint64_t plan_dtb_slot(uint64_t size)
{
	uint64_t slot = PLAN_DTB_SLOT;

	while (slot < size) {
		slot <<= 1;
	}
	return slot;
}

/*
 * An ELF that was linked for QEMU's aarch64 `virt` may look for the DTB at the base of RAM, where
 * QEMU puts it for ELF kernels if they leave that place free; others take it from a register. Takes
 * its place off the room.
 */
static enum hv_status plan_dtb(const struct hv_guest *guest, struct load_ram *room,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	uint64_t size = guest->dtb.size, end = room->base + room->size, slot;

	error->input = "dtb";
	load_at(error, "size", 0, size);
	if (size == 0) {
		return HV_OK;
	}
	if (size > PLAN_DTB_MAX) {
		return load_refuse(error, "larger than 2 MiB");
	}
	slot = plan_dtb_slot(size);
	/* Room that is clear there ends below the kernel, so it is at least that large. */
	if (room->machine->has_low_dtb && plan->kind == HV_LOAD_ELF64 &&
		hv_is_aligned(room->base, slot) && plan_is_clear(plan, room->base, slot)) {
		plan->dtb = GPA(room->base);
		room->base += slot;
		room->size -= slot;
		return HV_OK;
	}
	if (!load_fit(plan, room, slot, slot, &plan->dtb)) {
		return load_refuse(error, "no room left in the guest's RAM");
	}
	room->size -= end - plan->dtb.v;
	return HV_OK;
}

enum hv_status load_initrd_place(const struct hv_guest *guest, const struct load_ram *room,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	error->input = "initrd";
	load_at(error, "size", 0, guest->initrd.size);
	if (guest->initrd.size == 0) {
		return HV_OK;
	}
	if (!load_fit(plan, room, guest->initrd.size, HV_PAGE_SIZE, &plan->initrd)) {
		return load_refuse(error, "no room left in the guest's RAM");
	}
	return HV_OK;
}

static enum hv_status plan_ram(const struct load_ram *ram, struct hv_load_error *error)
{
	uint64_t end;

	error->input = "ram";
	load_at(error, "size", 0, ram->size);
	if (ram->size == 0 || !hv_is_aligned(ram->size, HV_PAGE_SIZE)) {
		return load_refuse(error, "not a positive multiple of 4 KiB");
	}
	if (!hv_is_aligned(ram->base, HV_PAGE_SIZE) || !hv_add_ok(ram->base, ram->size, &end)) {
		return load_refuse(error, "unaligned, or past the end of the address space");
	}
	if (ram->machine->is_pc && (ram->base != 0 || ram->size <= HV_PC_RAM)) {
		return load_refuse(error, "a PC's, which starts at 0 and reaches beyond 1 MiB");
	}
	return HV_OK;
}

/* Where DTB and initrd may go. */
static struct load_ram plan_room(const struct load_ram *ram, gpa_t kernel)
{
	uint64_t window = hv_align_down(kernel.v, PLAN_WINDOW_ALIGN);
	uint64_t end = ram->base + ram->size;
	struct load_ram room = *ram;

	if (end - window > PLAN_WINDOW) {
		end = window + PLAN_WINDOW;
	}
	if (kernel.v < ram->machine->dtb_end && end > ram->machine->dtb_end) {
		end = ram->machine->dtb_end;
	}
	room.size = end - ram->base;
	return room;
}

/* Who tells the kernel what, a tree or boot information, is the machine's to say. */
static enum hv_status plan_inputs(const struct hv_guest *guest, const struct load_machine *machine,
	struct hv_load_error *error)
{
	if (machine->is_pc && guest->dtb.size != 0) {
		error->input = "dtb";
		load_at(error, "size", 0, guest->dtb.size);
		return load_refuse(error, "this machine is described by ACPI, not by a tree");
	}
	if (!machine->is_pc && guest->cmdline.size != 0) {
		error->input = "cmdline";
		load_at(error, "size", 0, guest->cmdline.size);
		return load_refuse(error, "this machine's is in its tree, in /chosen");
	}
	return HV_OK;
}

enum hv_status load_tree_place(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_ram room = plan_room(ram, plan->kernel);
	enum hv_status status = plan_dtb(guest, &room, plan, error);

	return status == HV_OK ? load_initrd_place(guest, &room, plan, error) : status;
}

static enum hv_status plan_check(
	const struct hv_guest *guest, const struct load_ram *ram, struct hv_load_error *error)
{
	enum hv_status status;

	error->input = "machine";
	load_at(error, "e_machine", 0, guest->machine);
	if (guest->machine != ram->machine->number) {
		return load_refuse(error, "not this one");
	}
	status = plan_ram(ram, error);
	return status == HV_OK ? plan_inputs(guest, ram->machine, error) : status;
}

enum hv_status hv_load_plan(const struct load_machine *machine, const struct hv_guest *guest,
	gpa_t ram_base, struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_ram ram = {.machine = machine, .base = ram_base.v, .size = guest->ram_size};
	enum hv_status status;

	*plan = (struct hv_load_plan){0};
	*error = (struct hv_load_error){0};
	status = plan_check(guest, &ram, error);
	if (status != HV_OK) {
		return status;
	}
	if (machine->is_pc && ram.size > HV_PC_RAM_MAX) {
		ram.size = HV_PC_RAM_MAX; /* what the loader may use is in one piece */
	}
	status = plan_kernel(guest, &ram, plan, error);
	if (status != HV_OK) {
		return status;
	}
	plan_kernel_extent(plan);
	return machine->place(guest, &ram, plan, error);
}
