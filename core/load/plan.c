/* SPDX-License-Identifier: MIT */
/*
 * Decides where everything goes before a byte is copied: the kernel where it asks to be, then DTB
 * and initrd as high as the kernel, its BSS included, leaves room.
 */
#include <load/linux.h>
#include <load/pc.h>

#define PLAN_DTB_SLOT HV_KIB(64)
/* Linux maps the DTB by one 2 MiB block (booting.rst, section 2). */
#define PLAN_DTB_MAX HV_MIB(2)
/* Kernel and initrd in one window of this size that starts at a multiple of 1 GiB (section 4). */
#define PLAN_WINDOW       HV_GIB(32)
#define PLAN_WINDOW_ALIGN HV_GIB(1)

/* What all kinds have. */
static const struct plan_kind {
	const char *name;
	uint16_t machine; /* 0: any */
	uint16_t magic;   /* its offset */
	const char *foreign;
} plan_kinds[] = {
	[HV_LOAD_FLAT] = {.name = "flat binary"},
	[HV_LOAD_ELF64] = {.name = "ELF64"},
	[HV_LOAD_LINUX_A64] = {"arm64 Image", HV_MACHINE_AARCH64, LINUX_MAGIC,
		"an arm64 Image, which is not for this machine"},
	[HV_LOAD_LINUX_RV64] = {"RISC-V Image", HV_MACHINE_RISCV, LINUX_MAGIC,
		"a RISC-V Image, which is not for this machine"},
	[HV_LOAD_BZIMAGE] = {"bzImage", HV_MACHINE_X86_64, LOAD_BZIMAGE_MAGIC,
		"a kernel for x86, which is not for this machine"},
	[HV_LOAD_PVH] = {.name = "ELF with a PVH entry", .machine = HV_MACHINE_X86_64},
	[HV_LOAD_MULTIBOOT] = {"multiboot image", HV_MACHINE_X86_64, 0,
		"a multiboot image, which is not for this machine"},
};

static enum hv_load_kind plan_elf_kind(struct hv_blob kernel)
{
	if (load_multiboot_is(kernel)) {
		return HV_LOAD_MULTIBOOT;
	}
	return load_pvh_is(kernel) ? HV_LOAD_PVH : HV_LOAD_ELF64;
}

enum hv_load_kind hv_load_kind(struct hv_blob kernel)
{
	if (load_elf_is(kernel)) {
		return plan_elf_kind(kernel);
	}
	if (load_linux_a64_is(kernel)) {
		return HV_LOAD_LINUX_A64;
	}
	if (load_linux_rv64_is(kernel)) {
		return HV_LOAD_LINUX_RV64;
	}
	if (load_bzimage_is(kernel)) {
		return HV_LOAD_BZIMAGE;
	}
	return load_multiboot_is(kernel) ? HV_LOAD_MULTIBOOT : HV_LOAD_FLAT;
}

const char *hv_load_kind_name(enum hv_load_kind kind)
{
	return plan_kinds[kind].name;
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

/* A kind that this machine never has. ELF files say themselves what they are for. */
static enum hv_status plan_foreign(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	const struct plan_kind *kind = &plan_kinds[plan->kind];
	const uint8_t *bytes = guest->kernel.data;
	uint64_t magic = kind->magic;

	if (load_elf_is(guest->kernel)) {
		return load_elf_plan(guest, ram, plan, error);
	}
	if (plan->kind == HV_LOAD_MULTIBOOT) {
		magic = load_multiboot_header(guest->kernel);
	}
	load_at(error, "magic", magic, hv_le32(bytes + magic));
	return load_refuse(error, kind->foreign);
}

static enum hv_status plan_kernel(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	uint16_t machine;

	error->input = "kernel";
	load_at(error, "size", 0, guest->kernel.size);
	if (guest->kernel.size == 0) {
		return load_refuse(error, "the file is empty");
	}
	plan->kind = hv_load_kind(guest->kernel);
	machine = plan_kinds[plan->kind].machine;
	if (machine != 0 && machine != ram->machine->number) {
		return plan_foreign(guest, ram, plan, error);
	}
	switch (plan->kind) {
	case HV_LOAD_ELF64: return load_elf_plan(guest, ram, plan, error);
	case HV_LOAD_LINUX_A64: return load_linux_a64_plan(guest, ram, plan, error);
	case HV_LOAD_LINUX_RV64: return load_linux_rv64_plan(guest, ram, plan, error);
	case HV_LOAD_BZIMAGE: return load_bzimage_plan(guest, ram, plan, error);
	case HV_LOAD_PVH: return load_pvh_plan(guest, ram, plan, error);
	case HV_LOAD_MULTIBOOT: return load_multiboot_plan(guest, ram, plan, error);
	default: return load_flat_plan(guest, ram, plan, error);
	}
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

static enum hv_status plan_initrd(const struct hv_guest *guest, const struct load_ram *room,
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

/* Where a PC's initrd may go. */
static struct load_ram plan_pc_room(
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

/* All that is not the kernel. */
static enum hv_status plan_rest(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_ram room;
	enum hv_status status;

	if (ram->machine->is_pc) {
		room = plan_pc_room(ram, guest, plan->kind);
		status = plan_initrd(guest, &room, plan, error);
		return status == HV_OK ? load_pc_place(guest, plan, error) : status;
	}
	room = plan_room(ram, plan->kernel);
	status = plan_dtb(guest, &room, plan, error);
	return status == HV_OK ? plan_initrd(guest, &room, plan, error) : status;
}

enum hv_status hv_load_plan(const struct hv_guest *guest, gpa_t ram_base, struct hv_load_plan *plan,
	struct hv_load_error *error)
{
	struct load_ram ram = {.machine = load_machine_find(guest->machine),
		.base = ram_base.v,
		.size = guest->ram_size};
	enum hv_status status;

	*plan = (struct hv_load_plan){0};
	*error = (struct hv_load_error){0};
	if (ram.machine == NULL) {
		error->input = "machine";
		load_at(error, "e_machine", 0, guest->machine);
		return load_refuse(error, "unknown");
	}
	status = plan_ram(&ram, error);
	if (status == HV_OK) {
		status = plan_inputs(guest, ram.machine, error);
	}
	if (status != HV_OK) {
		return status;
	}
	if (ram.machine->is_pc) {
		ram.size = load_pc_low_ram(ram.size);
	}
	status = plan_kernel(guest, &ram, plan, error);
	if (status != HV_OK) {
		return status;
	}
	plan_kernel_extent(plan);
	return plan_rest(guest, &ram, plan, error);
}
