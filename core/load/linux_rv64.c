/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V `Image` of Linux and of whoever borrows its header. Linux, Documentation/arch/riscv,
 * boot-image-header.rst (header version 0.2) and boot.rst (where the kernel may be).
 */
#include <load/linux.h>

#define RV64_VERSION      32u /* offsets of what arm64 does not have there */
#define RV64_OLD_MAGIC    48u
#define RV64_OLD_MAGIC_IS 0x5643534952u /* "RISCV\0\0\0"; deprecated since version 0.2 */
#define RV64_MAGIC2       0x05435352u   /* "RSC\x05"; since version 0.2 */
#define RV64_MAGIC2_SINCE 2u
#define RV64_KERNEL_ALIGN HV_MIB(2) /* Linux maps itself by such blocks */

bool load_linux_rv64_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return load_linux_has_magic(kernel, RV64_MAGIC2) ||
	       (kernel.size >= LINUX_HEADER_SIZE &&
		       hv_le64(p + RV64_OLD_MAGIC) == RV64_OLD_MAGIC_IS);
}

/* Minor versions only give reserved fields a meaning; a major one could move them all. */
static enum hv_status rv64_check_version(struct hv_blob kernel, struct hv_load_error *error)
{
	const uint8_t *p = kernel.data;
	uint32_t version = hv_le32(p + RV64_VERSION);

	load_at(error, "version", RV64_VERSION, version);
	if (version >> 16 != 0) {
		return load_refuse(error, "unknown: the header's major version is not 0");
	}
	load_at(error, "magic2", LINUX_MAGIC, hv_le32(p + LINUX_MAGIC));
	if (version >= RV64_MAGIC2_SINCE && !load_linux_has_magic(kernel, RV64_MAGIC2)) {
		return load_refuse(error, "not RSC\\x05, as the header's version wants it");
	}
	return HV_OK;
}

enum hv_status load_linux_rv64_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct load_linux image = load_linux_decode(guest->kernel);
	enum hv_status status = rv64_check_version(guest->kernel, error);

	if (status != HV_OK) {
		return status;
	}
	load_at(error, "image_size", LINUX_IMAGE_SIZE, image.size);
	if (image.size == 0) {
		return load_refuse(error, "missing, and mandatory");
	}
	load_at(error, "text_offset", LINUX_TEXT_OFFSET, image.text_offset);
	if (!hv_is_aligned(image.text_offset, RV64_KERNEL_ALIGN)) {
		return load_refuse(error, "not a multiple of 2 MiB");
	}
	return load_linux_plan(&image, guest, ram, plan, error);
}
