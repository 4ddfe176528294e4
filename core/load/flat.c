/* SPDX-License-Identifier: MIT */
/*
 * A flat binary: bytes that say nothing about themselves. It goes to the address that was asked
 * for, else 512 KiB above the base of RAM, where QEMU's `virt` machine puts a raw `-kernel` and
 * where such images are therefore linked. It is entered at its first byte.
 */
#include <load/load.h>

#define FLAT_ENTRY_ALIGN 4u

enum hv_status load_flat_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct hv_load_segment segment = {
		.to = guest->has_load_addr ? guest->load_addr : GPA(ram->base + LOAD_TEXT_OFFSET),
		.file_size = guest->kernel.size,
		.mem_size = guest->kernel.size,
	};

	load_at(error, "load address", 0, segment.to.v);
	if (!hv_is_aligned(segment.to.v, FLAT_ENTRY_ALIGN)) {
		return load_refuse(error, "not aligned to an instruction");
	}
	plan->entry = segment.to;
	return load_segment_add(plan, ram, &segment, error);
}
