/* SPDX-License-Identifier: MIT */
/*
 * Inside of the guest loader: what its planners share. The door for everybody else is <hv/load.h>.
 */
#ifndef LOAD_H
#define LOAD_H

#include <hv/bits.h>
#include <hv/load.h>

/* Where a kernel may go: the guest's RAM, which neither wraps nor is empty. */
struct load_ram {
	const struct load_machine *machine;
	uint64_t base, size;
};

/* One kind of kernel. */
struct load_format {
	enum hv_load_kind kind;
	/* Never reads past the file, whatever it holds. */
	bool (*is)(struct hv_blob kernel);
	/* A planner; see below. */
	enum hv_status (*plan)(const struct hv_guest *guest, const struct load_ram *ram,
		struct hv_load_plan *plan, struct hv_load_error *error);
};

/* What loading knows of a guest's architecture: machine_*.c. */
struct load_machine {
	uint16_t number;                  /* HV_MACHINE_* */
	const struct load_format *format; /* in the order in which they are tried; then flat */
	uint8_t format_count;
	const char *foreign_elf; /* why one for another machine is refused */
	uint64_t flat_offset;    /* where a flat binary goes, counted from the base of RAM */
	uint64_t insn_align;     /* of code */
	bool has_low_dtb;        /* ELF kernels may look for the DTB at the base of RAM */
	uint64_t dtb_end;        /* DTB and initrd end below this if the kernel starts there */
	bool is_pc;              /* no DTB: the kernel gets boot information in low memory (pc.h) */
	/* Places all that is not the kernel, whose segments and extent the plan has. */
	enum hv_status (*place)(const struct hv_guest *guest, const struct load_ram *ram,
		struct hv_load_plan *plan, struct hv_load_error *error);
	/* A block of that size at plan->block, which is zeroed and then written; 0, NULL: none. */
	uint64_t block_size;
	void (*write)(const struct hv_guest *guest, const struct hv_load_plan *plan,
		const struct hv_gmem *gmem);
};

/*
 * A planner validates one kind of kernel and fills in plan->entry and the segments; it copies
 * nothing. HV_ERR_INVALID, with *error complete but for its input.
 */
HV_WARN_UNUSED enum hv_status load_elf_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_linux_a64_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_linux_rv64_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_bzimage_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_pvh_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_multiboot_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
HV_WARN_UNUSED enum hv_status load_flat_plan(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);

bool load_elf_is(struct hv_blob kernel);
bool load_linux_a64_is(struct hv_blob kernel);
bool load_linux_rv64_is(struct hv_blob kernel);
bool load_bzimage_is(struct hv_blob kernel);
bool load_pvh_is(struct hv_blob kernel);
bool load_multiboot_is(struct hv_blob kernel);
/* Offset of the header of a file that has one. */
uint64_t load_multiboot_header(struct hv_blob kernel);
#define LOAD_BZIMAGE_MAGIC 0x202u /* offset of "HdrS" */

/* For machines with a device tree: DTB and initrd as high as the kernel leaves room. */
HV_WARN_UNUSED enum hv_status load_tree_place(const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
/* The initrd, as high in the room as there is a place. */
HV_WARN_UNUSED enum hv_status load_initrd_place(const struct hv_guest *guest,
	const struct load_ram *room, struct hv_load_plan *plan, struct hv_load_error *error);

/*
 * Adds a segment to the plan if it lies in RAM and touches no other one. `error` comes with the
 * field that asked for this place, and only gets its reason here.
 */
HV_WARN_UNUSED enum hv_status load_segment_add(struct hv_load_plan *plan,
	const struct load_ram *ram, const struct hv_load_segment *segment,
	struct hv_load_error *error);

/*
 * The highest multiple of `align` from which `size` bytes fit into the room and clear every
 * segment.
 */
bool load_fit(const struct hv_load_plan *plan, const struct load_ram *room, uint64_t size,
	uint64_t align, gpa_t *at);

/* Points an error at a field, before anything is known to be wrong with it. */
static inline void load_at(
	struct hv_load_error *error, const char *field, uint64_t offset, uint64_t value)
{
	error->field = field;
	error->offset = offset;
	error->value = value;
}

static inline HV_WARN_UNUSED enum hv_status load_refuse(
	struct hv_load_error *error, const char *why)
{
	error->why = why;
	return HV_ERR_INVALID;
}

/* Whether two terminated strings are equal. */
static inline bool load_text_is(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
