/* SPDX-License-Identifier: MIT */
/* What the Images of Linux have in common: their header's first fields, and how they are placed. */
#include <load/linux.h>

#define LINUX_FLAG_BE    HV_BIT(0)
#define LINUX_BASE_ALIGN HV_MIB(2) /* text_offset counts from a multiple of this */

struct load_linux load_linux_decode(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return (struct load_linux){
		.text_offset = hv_le64(p + LINUX_TEXT_OFFSET),
		.size = hv_le64(p + LINUX_IMAGE_SIZE),
		.flags = hv_le64(p + LINUX_FLAGS),
	};
}

bool load_linux_has_magic(struct hv_blob kernel, uint32_t magic)
{
	const uint8_t *p = kernel.data;

	return kernel.size >= LINUX_HEADER_SIZE && hv_le32(p + LINUX_MAGIC) == magic;
}

static enum hv_status linux_check(
	const struct load_linux *image, struct hv_blob kernel, struct hv_load_error *error)
{
	load_at(error, "flags", LINUX_FLAGS, image->flags);
	if ((image->flags & LINUX_FLAG_BE) != 0) {
		return load_refuse(error, "a big-endian kernel");
	}
	load_at(error, "image_size", LINUX_IMAGE_SIZE, image->size);
	return image->size >= kernel.size ? HV_OK : load_refuse(error, "smaller than the file");
}

/* The lowest place in RAM that the header allows, or the one that was asked for. */
static enum hv_status linux_place(const struct load_linux *image, const struct hv_guest *guest,
	const struct load_ram *ram, uint64_t *to, struct hv_load_error *error)
{
	if (guest->has_load_addr) {
		*to = guest->load_addr.v;
		load_at(error, "load address", 0, *to);
		return hv_is_aligned(*to - image->text_offset, LINUX_BASE_ALIGN)
			       ? HV_OK
			       : load_refuse(error, "not text_offset above a multiple of 2 MiB");
	}
	load_at(error, "text_offset", LINUX_TEXT_OFFSET, image->text_offset);
	return hv_add_ok(hv_align_up(ram->base, LINUX_BASE_ALIGN), image->text_offset, to)
		       ? HV_OK
		       : load_refuse(error, "the address wraps");
}

enum hv_status load_linux_plan(const struct load_linux *image, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct hv_load_segment segment = {.file_size = guest->kernel.size, .mem_size = image->size};
	enum hv_status status = linux_check(image, guest->kernel, error);

	if (status == HV_OK) {
		status = linux_place(image, guest, ram, &segment.to.v, error);
	}
	if (status == HV_OK) {
		load_at(error, "image_size", LINUX_IMAGE_SIZE, image->size);
		status = load_segment_add(plan, ram, &segment, error);
	}
	plan->entry = segment.to;
	return status;
}
