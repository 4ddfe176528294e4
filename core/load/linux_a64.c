/* SPDX-License-Identifier: MIT */
/*
 * The arm64 `Image` of Linux and of whoever borrows its header. One with a PE header in front (MZ)
 * is a plain Image: its first instruction is also the magic. Linux, Documentation/arch/arm64/
 * booting.rst, section 4.
 */
#include <load/load.h>

#define IMAGE_HEADER_SIZE 64u
#define IMAGE_TEXT_OFFSET 8u
#define IMAGE_SIZE        16u
#define IMAGE_FLAGS       24u
#define IMAGE_MAGIC       56u
#define IMAGE_MAGIC_VALUE 0x644d5241u /* "ARM\x64" */
#define IMAGE_FLAG_BE     HV_BIT(0)
#define IMAGE_BASE_ALIGN  HV_MIB(2) /* text_offset counts from a multiple of this */

struct image {
	uint64_t text_offset, size, flags;
};

bool load_linux_a64_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return kernel.size >= IMAGE_HEADER_SIZE && hv_le32(p + IMAGE_MAGIC) == IMAGE_MAGIC_VALUE;
}

static struct image image_decode(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;
	struct image image = {
		.text_offset = hv_le64(p + IMAGE_TEXT_OFFSET),
		.size = hv_le64(p + IMAGE_SIZE),
		.flags = hv_le64(p + IMAGE_FLAGS),
	};

	/* Before Linux 3.17: no size, and a text_offset whose byte order is anyone's guess. */
	if (image.size == 0) {
		image.text_offset = LOAD_TEXT_OFFSET;
		image.size = kernel.size;
	}
	return image;
}

/* Whatever page size the flags name: only the kernel can tell if it gets along without. */
static enum hv_status image_check(
	const struct image *image, struct hv_blob kernel, struct hv_load_error *error)
{
	load_at(error, "flags", IMAGE_FLAGS, image->flags);
	if ((image->flags & IMAGE_FLAG_BE) != 0) {
		return load_refuse(error, "a big-endian kernel");
	}
	load_at(error, "image_size", IMAGE_SIZE, image->size);
	if (image->size < kernel.size) {
		return load_refuse(error, "smaller than the file");
	}
	load_at(error, "text_offset", IMAGE_TEXT_OFFSET, image->text_offset);
	if (!hv_is_aligned(image->text_offset, HV_PAGE_SIZE)) {
		return load_refuse(error, "not a multiple of 4 KiB");
	}
	return HV_OK;
}

/* The lowest place in RAM that the header allows, or the one that was asked for. */
static enum hv_status image_place(const struct image *image, const struct hv_guest *guest,
	const struct load_ram *ram, uint64_t *to, struct hv_load_error *error)
{
	if (guest->has_load_addr) {
		*to = guest->load_addr.v;
		if (!hv_is_aligned(*to - image->text_offset, IMAGE_BASE_ALIGN)) {
			load_at(error, "load address", 0, *to);
			return load_refuse(error, "not text_offset above a multiple of 2 MiB");
		}
		return HV_OK;
	}
	if (!hv_add_ok(hv_align_up(ram->base, IMAGE_BASE_ALIGN), image->text_offset, to)) {
		return load_refuse(error, "the address wraps");
	}
	return HV_OK;
}

enum hv_status load_linux_a64_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct image image = image_decode(guest->kernel);
	struct hv_load_segment segment = {.file_size = guest->kernel.size, .mem_size = image.size};
	enum hv_status status = image_check(&image, guest->kernel, error);

	if (status == HV_OK) {
		status = image_place(&image, guest, ram, &segment.to.v, error);
	}
	if (status == HV_OK) {
		load_at(error, "image_size", IMAGE_SIZE, image.size);
		status = load_segment_add(plan, ram, &segment, error);
	}
	plan->entry = segment.to;
	return status;
}
