/* SPDX-License-Identifier: MIT */
/* What the Images of Linux have in common: RISC-V borrowed arm64's header. */
#ifndef LOAD_LINUX_H
#define LOAD_LINUX_H

#include <load/load.h>

/* Offsets in the header. */
#define LINUX_TEXT_OFFSET 8u
#define LINUX_IMAGE_SIZE  16u
#define LINUX_FLAGS       24u
#define LINUX_MAGIC       56u
#define LINUX_HEADER_SIZE 64u

struct load_linux {
	uint64_t text_offset, size, flags;
};

struct load_linux load_linux_decode(struct hv_blob kernel);
/* The magic number at the place that both share. */
bool load_linux_has_magic(struct hv_blob kernel, uint32_t magic);
/*
 * Checks flags and size, and puts the Image as low as it may go, or where the guest wants it. What
 * else the header says, text_offset's alignment above all, has been checked.
 */
HV_WARN_UNUSED enum hv_status load_linux_plan(const struct load_linux *image,
	const struct hv_guest *guest, const struct load_ram *ram, struct hv_load_plan *plan,
	struct hv_load_error *error);

#endif
