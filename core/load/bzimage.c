/* SPDX-License-Identifier: MIT */
/*
 * bzImage, Linux's own format on x86, entered by the 64-bit boot protocol where the kernel has it,
 * else by the 32-bit one: its real-mode part is never run. Linux, Documentation/arch/x86/boot.rst
 * (protocol 2.15).
 */
#include <load/pc.h>

/* Offsets in the file. */
#define BZ_SETUP_SECTS  0x1f1u
#define BZ_SYSSIZE      0x1f4u
#define BZ_BOOT_FLAG    0x1feu
#define BZ_VERSION      0x206u
#define BZ_LOADFLAGS    0x211u
#define BZ_CODE32_START 0x214u
#define BZ_INITRD_MAX   0x22cu
#define BZ_ALIGNMENT    0x230u
#define BZ_RELOCATABLE  0x234u
#define BZ_XLOADFLAGS   0x236u
#define BZ_CMDLINE_SIZE 0x238u
#define BZ_PREF_ADDRESS 0x258u
#define BZ_INIT_SIZE    0x260u

#define BZ_BOOT_FLAG_IS  0xaa55u
#define BZ_LOADED_HIGH   0x01u /* of loadflags */
#define BZ_KERNEL_64     0x01u /* of xloadflags */
#define BZ_ENTRY_64      0x200u
#define BZ_SECTOR        512u
#define BZ_DEFAULT_SECTS 4u
#define BZ_DEFAULT_BASE  0x100000u

/* Where fields appeared. */
#define BZ_2_02 0x0202u
#define BZ_2_03 0x0203u
#define BZ_2_04 0x0204u
#define BZ_2_05 0x0205u
#define BZ_2_06 0x0206u
#define BZ_2_10 0x020au
#define BZ_2_12 0x020cu

/* Before their fields were. */
#define BZ_OLD_INITRD_MAX   0x37ffffffu
#define BZ_OLD_CMDLINE_SIZE 255u

struct bzimage {
	uint64_t file_off, size; /* the protected-mode part */
	uint16_t version;
	bool relocatable, has_64;
	uint32_t alignment; /* of a relocatable one */
	uint64_t pref;      /* where it runs */
	uint64_t init_size; /* what it needs there; 0: it does not say */
	uint32_t code32_start;
};

bool load_bzimage_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return kernel.size >= BZ_VERSION + 2 &&
	       __builtin_memcmp(p + LOAD_BZIMAGE_MAGIC, "HdrS", 4) == 0;
}

/* The real-mode part, boot sector included. */
static uint64_t bz_setup_size(const uint8_t *p)
{
	uint64_t sects = p[BZ_SETUP_SECTS];

	return ((sects == 0 ? BZ_DEFAULT_SECTS : sects) + 1) * BZ_SECTOR;
}

/* Of a file that holds more than its real-mode part, and so all of the header. */
static struct bzimage bz_decode(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;
	uint16_t version = hv_le16(p + BZ_VERSION);
	struct bzimage bz = {
		.file_off = bz_setup_size(p),
		.size = kernel.size - bz_setup_size(p),
		.version = version,
		.relocatable = version >= BZ_2_05 && p[BZ_RELOCATABLE] != 0,
		.has_64 = version >= BZ_2_12 && (p[BZ_XLOADFLAGS] & BZ_KERNEL_64) != 0,
		.alignment = hv_le32(p + BZ_ALIGNMENT),
		.pref = BZ_DEFAULT_BASE,
		.code32_start = hv_le32(p + BZ_CODE32_START),
	};

	if (version >= BZ_2_10) {
		bz.pref = hv_le64(p + BZ_PREF_ADDRESS);
		bz.init_size = hv_le32(p + BZ_INIT_SIZE);
	}
	return bz;
}

struct load_bzimage_wants load_bzimage_wants(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;
	struct bzimage bz = bz_decode(kernel);
	uint64_t initrd_max = BZ_OLD_INITRD_MAX, cmdline_max = BZ_OLD_CMDLINE_SIZE;

	if (bz.version >= BZ_2_03) {
		initrd_max = hv_le32(p + BZ_INITRD_MAX);
	}
	if (bz.version >= BZ_2_06) {
		cmdline_max = hv_le32(p + BZ_CMDLINE_SIZE);
	}
	return (struct load_bzimage_wants){
		.long_mode = bz.has_64, .initrd_end = initrd_max + 1, .cmdline_max = cmdline_max};
}

/* What must hold before the rest of the header means anything. */
static enum hv_status bz_check_setup(struct hv_blob kernel, struct hv_load_error *error)
{
	const uint8_t *p = kernel.data;

	load_at(error, "setup_sects", BZ_SETUP_SECTS, p[BZ_SETUP_SECTS]);
	if (bz_setup_size(p) >= kernel.size) {
		return load_refuse(error, "the real-mode part leaves nothing of the file");
	}
	load_at(error, "boot_flag", BZ_BOOT_FLAG, hv_le16(p + BZ_BOOT_FLAG));
	if (error->value != BZ_BOOT_FLAG_IS) {
		return load_refuse(error, "not 0xaa55");
	}
	load_at(error, "version", BZ_VERSION, hv_le16(p + BZ_VERSION));
	if (error->value < BZ_2_02) {
		return load_refuse(error, "older than 2.02");
	}
	load_at(error, "loadflags", BZ_LOADFLAGS, p[BZ_LOADFLAGS]);
	if ((p[BZ_LOADFLAGS] & BZ_LOADED_HIGH) == 0) {
		return load_refuse(error, "a zImage, which is loaded below 1 MiB");
	}
	return HV_OK;
}

static enum hv_status bz_check(
	const struct bzimage *bz, struct hv_blob kernel, struct hv_load_error *error)
{
	const uint8_t *p = kernel.data;

	load_at(error, "syssize", BZ_SYSSIZE, hv_le32(p + BZ_SYSSIZE));
	if (bz->version >= BZ_2_04 && error->value * 16 > hv_align_up(bz->size, 16)) {
		return load_refuse(error, "past the end of the file");
	}
	load_at(error, "kernel_alignment", BZ_ALIGNMENT, bz->alignment);
	if (bz->relocatable && (bz->alignment == 0 || (bz->alignment & (bz->alignment - 1)) != 0)) {
		return load_refuse(error, "not a power of two");
	}
	load_at(error, "pref_address", BZ_PREF_ADDRESS, bz->pref);
	if (bz->pref < BZ_DEFAULT_BASE || bz->pref >= HV_PC_RAM_HIGH) {
		return load_refuse(error, "not between 1 MiB and 4 GiB");
	}
	return HV_OK;
}

/*
 * Where the protected-mode part goes. A relocatable kernel runs where it is loaded, but not below
 * pref_address; any other is loaded at 1 MiB and moves itself to pref_address.
 */
static enum hv_status bz_place(const struct bzimage *bz, const struct hv_guest *guest, uint64_t *to,
	struct hv_load_error *error)
{
	*to = bz->relocatable ? hv_align_up(bz->pref, bz->alignment) : BZ_DEFAULT_BASE;
	if (!guest->has_load_addr || guest->load_addr.v == *to) {
		return HV_OK;
	}
	load_at(error, "load address", 0, guest->load_addr.v);
	if (!bz->relocatable) {
		return load_refuse(error, "not 1 MiB, and the kernel is not relocatable");
	}
	if (guest->load_addr.v < *to || !hv_is_aligned(guest->load_addr.v, bz->alignment)) {
		return load_refuse(error, "below pref_address, or not aligned to kernel_alignment");
	}
	*to = guest->load_addr.v;
	return HV_OK;
}

/* From where it is loaded up to the end of where it runs; at least the file. */
static uint64_t bz_mem_size(const struct bzimage *bz, uint64_t to)
{
	uint64_t size = bz->relocatable ? bz->init_size : bz->pref + bz->init_size - to;

	return size > bz->size ? size : bz->size;
}

static enum hv_status bz_enter(const struct bzimage *bz, uint64_t to, struct hv_load_plan *plan,
	struct hv_load_error *error)
{
	uint64_t offset = BZ_ENTRY_64;

	load_at(error, "xloadflags", BZ_XLOADFLAGS, BZ_KERNEL_64);
	if (!bz->has_64) {
		load_at(error, "code32_start", BZ_CODE32_START, bz->code32_start);
		offset = (uint64_t)bz->code32_start - BZ_DEFAULT_BASE;
	}
	if (offset >= bz->size) {
		return load_refuse(error, "an entry outside of what the file loads");
	}
	plan->entry = GPA(to + offset);
	return HV_OK;
}

enum hv_status load_bzimage_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct hv_load_segment segment = {.own_bss = true};
	enum hv_status status = bz_check_setup(guest->kernel, error);
	struct bzimage bz;

	if (status != HV_OK) {
		return status;
	}
	bz = bz_decode(guest->kernel);
	status = bz_check(&bz, guest->kernel, error);
	if (status == HV_OK) {
		status = bz_place(&bz, guest, &segment.to.v, error);
	}
	if (status != HV_OK) {
		return status;
	}
	segment.file_off = bz.file_off;
	segment.file_size = bz.size;
	segment.mem_size = bz_mem_size(&bz, segment.to.v);
	load_at(error, "init_size", BZ_INIT_SIZE, bz.init_size);
	status = load_segment_add(plan, ram, &segment, error);
	return status == HV_OK ? bz_enter(&bz, segment.to.v, plan, error) : status;
}
