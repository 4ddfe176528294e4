/* SPDX-License-Identifier: MIT */
/*
 * A flat binary: bytes that say nothing about themselves. It goes to the address that was asked
 * for, else to the machine's default, and is entered at its first byte. Files that are known to be
 * something else are refused here rather than run.
 */
#include <load/load.h>

/*
 * What is no code for this machine, however it is loaded: by its first bytes, or as another
 * machine's kernel, since this one's own have been told apart by now.
 */
static const struct flat_foreign {
	uint16_t least; /* bytes of a file that can be one */
	uint16_t offset;
	uint8_t size;
	char magic[8];
	const char *why;
} flat_foreign[] = {
	{64, 56, 4, "ARM\x64", "an arm64 Image, which is not for this machine"},
	{64, 56, 4, "RSC\x05", "a RISC-V Image, which is not for this machine"},
	{64, 48, 8, "RISCV\0\0", "a RISC-V Image, which is not for this machine"},
	{LOAD_BZIMAGE_MAGIC + 6, LOAD_BZIMAGE_MAGIC, 4, "HdrS",
		"a kernel for x86, which is not for this machine"},
	{0, 0, 3, "\x1f\x8b\x08", "compressed with gzip: unpack it first"},
	{0, 0, 6, "\xfd\x37zXZ", "compressed with xz: unpack it first"},
	{0, 0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"},
	{0, 4, 4, "zimg", "an EFI zboot image: unpack it first"},
	{0, 0, 2, "MZ", "an EFI program"},
	{0, 0, 4, "\x27\x05\x19\x56", "wrapped for U-Boot: unwrap it first"},
	{0, 0, 4, "\xd0\x0d\xfe\xed", "a device tree"},
	{0, 0, 5, "07070", "a cpio archive"},
};

/* What is said of it: a word where it has one, else its first byte. */
static uint64_t flat_value(const struct flat_foreign *foreign, const uint8_t *bytes)
{
	const uint8_t *at = bytes + foreign->offset;

	return foreign->size < 4 ? at[0] : hv_le32(at);
}

static enum hv_status flat_check_foreign(struct hv_blob kernel, struct hv_load_error *error)
{
	const uint8_t *bytes = kernel.data;

	for (size_t i = 0; i < HV_ARRAY_COUNT(flat_foreign); i++) {
		const struct flat_foreign *foreign = &flat_foreign[i];

		if (kernel.size >= foreign->least &&
			hv_range_inside(foreign->offset, foreign->size, 0, kernel.size) &&
			__builtin_memcmp(bytes + foreign->offset, foreign->magic, foreign->size) ==
				0) {
			load_at(error, "magic", foreign->offset, flat_value(foreign, bytes));
			return load_refuse(error, foreign->why);
		}
	}
	return HV_OK;
}

enum hv_status load_flat_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct hv_load_segment segment = {
		.to = guest->has_load_addr ? guest->load_addr
					   : GPA(ram->base + ram->machine->flat_offset),
		.file_size = guest->kernel.size,
		.mem_size = guest->kernel.size,
	};
	enum hv_status status = flat_check_foreign(guest->kernel, error);

	if (status != HV_OK) {
		return status;
	}
	load_at(error, "load address", 0, segment.to.v);
	if (!hv_is_aligned(segment.to.v, ram->machine->insn_align)) {
		return load_refuse(error, "not aligned to an instruction");
	}
	plan->entry = segment.to;
	return load_segment_add(plan, ram, &segment, error);
}
