/* SPDX-License-Identifier: MIT */
/*
 * The arm64 `Image` of Linux and of whoever borrows its header. One with a PE header in front (MZ)
 * is a plain Image: its first instruction is also the magic. Linux, Documentation/arch/arm64/
 * booting.rst, section 4.
 */
#include <load/linux.h>

#define A64_MAGIC      0x644d5241u /* "ARM\x64" */
#define A64_OLD_OFFSET HV_KIB(512)

bool load_linux_a64_is(struct hv_blob kernel)
{
	return load_linux_has_magic(kernel, A64_MAGIC);
}

/* Whatever page size the flags name: only the kernel can tell if it gets along without. */
enum hv_status load_linux_a64_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_linux image = load_linux_decode(guest->kernel);

	/* Before Linux 3.17: no size, and a text_offset whose byte order is anyone's guess. */
	if (image.size == 0) {
		image.text_offset = A64_OLD_OFFSET;
		image.size = guest->kernel.size;
	}
	load_at(error, "text_offset", LINUX_TEXT_OFFSET, image.text_offset);
	if (!hv_is_aligned(image.text_offset, HV_PAGE_SIZE)) {
		return load_refuse(error, "not a multiple of 4 KiB");
	}
	return load_linux_plan(&image, guest, ram, plan, error);
}
