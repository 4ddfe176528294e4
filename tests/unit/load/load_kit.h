/* SPDX-License-Identifier: MIT */
/* Small kernels made by hand, and the ways to break them, for the loader's tests. */
#ifndef LOAD_KIT_H
#define LOAD_KIT_H

#include <hv/bits.h>
#include <hv/load.h>
#include <stdlib.h>
#include <string.h>

#define KIT_RAM      0x40000000u
#define KIT_RAM_SIZE HV_MIB(256)

static inline void kit_put(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		at[i] = (uint8_t)(value >> 8 * i);
	}
}

/* What to flip in a byte: each bit, then all of them. */
#define KIT_FLIPS 9u
static inline uint8_t kit_flip(unsigned n)
{
	return (uint8_t)(n < 8 ? 1u << n : 0xffu);
}

/* The values that F1 puts into every 8-byte field of a file of `size` bytes. */
#define KIT_EDGES 8u
static inline uint64_t kit_edge(unsigned n, uint64_t size)
{
	const uint64_t edge[KIT_EDGES] = {
		0, 1, UINT64_MAX, HV_BIT(31), HV_BIT(63), size - 1, size, size + 1};

	return edge[n];
}

static inline struct hv_guest kit_guest(struct hv_blob kernel)
{
	return (struct hv_guest){.machine = HV_MACHINE_AARCH64,
		.cpus = 1,
		.gic = 3,
		.ram_size = KIT_RAM_SIZE,
		.kernel = kernel};
}

/* An arm64 Image of `size` bytes in `bytes`. */
static inline struct hv_blob kit_image(
	uint8_t *bytes, size_t size, uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	memset(bytes, 0, size);
	kit_put(bytes + 8, 8, text_offset);
	kit_put(bytes + 16, 8, image_size);
	kit_put(bytes + 24, 8, flags);
	memcpy(bytes + 56, "ARM\x64", 4);
	return (struct hv_blob){bytes, size};
}

/* The same of RISC-V: version 0.2 of the header. */
static inline struct hv_blob kit_image_rv64(
	uint8_t *bytes, size_t size, uint64_t text_offset, uint64_t image_size)
{
	memset(bytes, 0, size);
	kit_put(bytes + 8, 8, text_offset);
	kit_put(bytes + 16, 8, image_size);
	kit_put(bytes + 32, 4, 2);
	memcpy(bytes + 48, "RISCV", 5);
	memcpy(bytes + 56, "RSC\x05", 4);
	return (struct hv_blob){bytes, size};
}

/* The same for x86_64, whose RAM starts at 0. */
static inline struct hv_guest kit_guest_x86(struct hv_blob kernel)
{
	return (struct hv_guest){.machine = HV_MACHINE_X86_64,
		.cpus = 1,
		.ram_size = KIT_RAM_SIZE,
		.kernel = kernel};
}

/* Offsets in a bzImage. */
enum kit_bz {
	KIT_BZ_SETUP_SECTS = 0x1f1,
	KIT_BZ_SYSSIZE = 0x1f4,
	KIT_BZ_BOOT_FLAG = 0x1fe,
	KIT_BZ_JUMP = 0x201,
	KIT_BZ_MAGIC = 0x202,
	KIT_BZ_VERSION = 0x206,
	KIT_BZ_LOADFLAGS = 0x211,
	KIT_BZ_CODE32_START = 0x214,
	KIT_BZ_INITRD_MAX = 0x22c,
	KIT_BZ_ALIGNMENT = 0x230,
	KIT_BZ_RELOCATABLE = 0x234,
	KIT_BZ_XLOADFLAGS = 0x236,
	KIT_BZ_CMDLINE_SIZE = 0x238,
	KIT_BZ_SETUP_DATA = 0x250,
	KIT_BZ_PREF_ADDRESS = 0x258,
	KIT_BZ_INIT_SIZE = 0x260,
	KIT_BZ_SETUP = 1024, /* bytes of the real-mode part */
};

/* A bzImage of protocol 2.15 with what Debian's has, but for its size and one sector of setup. */
static inline struct hv_blob kit_bzimage(uint8_t *bytes, size_t size)
{
	memset(bytes, 0, size);
	bytes[KIT_BZ_SETUP_SECTS] = 1;
	kit_put(bytes + KIT_BZ_SYSSIZE, 4, (size - KIT_BZ_SETUP) / 16);
	kit_put(bytes + KIT_BZ_BOOT_FLAG, 2, 0xaa55);
	kit_put(bytes + KIT_BZ_JUMP - 1, 2, 0x6aeb);
	memcpy(bytes + KIT_BZ_MAGIC, "HdrS", 4);
	kit_put(bytes + KIT_BZ_VERSION, 2, 0x20f);
	bytes[KIT_BZ_LOADFLAGS] = 1;
	kit_put(bytes + KIT_BZ_CODE32_START, 4, 0x100000);
	kit_put(bytes + KIT_BZ_INITRD_MAX, 4, 0x7fffffff);
	kit_put(bytes + KIT_BZ_ALIGNMENT, 4, 0x200000);
	bytes[KIT_BZ_RELOCATABLE] = 1;
	kit_put(bytes + KIT_BZ_XLOADFLAGS, 2, 0x7f);
	kit_put(bytes + KIT_BZ_CMDLINE_SIZE, 4, 2047);
	kit_put(bytes + KIT_BZ_PREF_ADDRESS, 8, 0x1000000);
	kit_put(bytes + KIT_BZ_INIT_SIZE, 4, 0x3f97000);
	return (struct hv_blob){bytes, size};
}

/* Offsets in a multiboot header. */
enum kit_mb {
	KIT_MB_FLAGS = 4,
	KIT_MB_CHECKSUM = 8,
	KIT_MB_HEADER_ADDR = 12,
	KIT_MB_LOAD_ADDR = 16,
	KIT_MB_LOAD_END = 20,
	KIT_MB_BSS_END = 24,
	KIT_MB_ENTRY = 28,
};

static inline void kit_put_multiboot(uint8_t *at, uint32_t flags)
{
	kit_put(at, 4, 0x1badb002);
	kit_put(at + KIT_MB_FLAGS, 4, flags);
	kit_put(at + KIT_MB_CHECKSUM, 4, 0u - 0x1badb002u - flags);
}

/* Offsets of ELF64 fields that tests set. */
enum kit_elf {
	KIT_E_CLASS = 4,
	KIT_E_DATA = 5,
	KIT_E_IVERSION = 6,
	KIT_E_TYPE = 16,
	KIT_E_MACHINE = 18,
	KIT_E_VERSION = 20,
	KIT_E_ENTRY = 24,
	KIT_E_PHOFF = 32,
	KIT_E_EHSIZE = 52,
	KIT_E_PHENTSIZE = 54,
	KIT_E_PHNUM = 56,
	KIT_ELF_HEADER = 64,
	KIT_ELF_PHDR = 56,
};

struct kit_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* Offset in the file of a field of program header n; `field` is its offset there. */
static inline uint64_t kit_phdr_at(unsigned n, unsigned field)
{
	return KIT_ELF_HEADER + (uint64_t)n * KIT_ELF_PHDR + field;
}

static inline void kit_put_phdr(uint8_t *bytes, unsigned n, struct kit_phdr ph)
{
	uint8_t *at = bytes + kit_phdr_at(n, 0);

	kit_put(at, 4, ph.type);
	kit_put(at + 4, 4, ph.flags);
	kit_put(at + 8, 8, ph.offset);
	kit_put(at + 16, 8, ph.vaddr);
	kit_put(at + 24, 8, ph.paddr);
	kit_put(at + 32, 8, ph.filesz);
	kit_put(at + 40, 8, ph.memsz);
	kit_put(at + 48, 8, ph.align);
}

/* An executable of `size` bytes with room for `phnum` program headers, all PT_NULL. */
static inline struct hv_blob kit_elf(uint8_t *bytes, size_t size, uint16_t phnum, uint64_t entry)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

	memset(bytes, 0, size);
	memcpy(bytes, ident, sizeof(ident));
	kit_put(bytes + KIT_E_TYPE, 2, 2);
	kit_put(bytes + KIT_E_MACHINE, 2, 183);
	kit_put(bytes + KIT_E_VERSION, 4, 1);
	kit_put(bytes + KIT_E_ENTRY, 8, entry);
	kit_put(bytes + KIT_E_PHOFF, 8, KIT_ELF_HEADER);
	kit_put(bytes + KIT_E_EHSIZE, 2, KIT_ELF_HEADER);
	kit_put(bytes + KIT_E_PHENTSIZE, 2, KIT_ELF_PHDR);
	kit_put(bytes + KIT_E_PHNUM, 2, phnum);
	return (struct hv_blob){bytes, size};
}

/* Offsets of ELF32 fields that tests set. */
enum kit_elf32 {
	KIT_E32_PHOFF = 28,
	KIT_E32_EHSIZE = 40,
	KIT_E32_PHENTSIZE = 42,
	KIT_E32_PHNUM = 44,
	KIT_ELF32_HEADER = 52,
	KIT_ELF32_PHDR = 32,
};

static inline uint64_t kit_phdr32_at(unsigned n, unsigned field)
{
	return KIT_ELF32_HEADER + (uint64_t)n * KIT_ELF32_PHDR + field;
}

static inline void kit_put_phdr32(uint8_t *bytes, unsigned n, struct kit_phdr ph)
{
	uint8_t *at = bytes + kit_phdr32_at(n, 0);

	kit_put(at, 4, ph.type);
	kit_put(at + 4, 4, ph.offset);
	kit_put(at + 8, 4, ph.vaddr);
	kit_put(at + 12, 4, ph.paddr);
	kit_put(at + 16, 4, ph.filesz);
	kit_put(at + 20, 4, ph.memsz);
	kit_put(at + 24, 4, ph.flags);
	kit_put(at + 28, 4, ph.align);
}

/* An executable for i386, the same otherwise. */
static inline struct hv_blob kit_elf32(uint8_t *bytes, size_t size, uint16_t phnum, uint64_t entry)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};

	memset(bytes, 0, size);
	memcpy(bytes, ident, sizeof(ident));
	kit_put(bytes + KIT_E_TYPE, 2, 2);
	kit_put(bytes + KIT_E_MACHINE, 2, 3);
	kit_put(bytes + KIT_E_VERSION, 4, 1);
	kit_put(bytes + KIT_E_ENTRY, 4, entry);
	kit_put(bytes + KIT_E32_PHOFF, 4, KIT_ELF32_HEADER);
	kit_put(bytes + KIT_E32_EHSIZE, 2, KIT_ELF32_HEADER);
	kit_put(bytes + KIT_E32_PHENTSIZE, 2, KIT_ELF32_PHDR);
	kit_put(bytes + KIT_E32_PHNUM, 2, phnum);
	return (struct hv_blob){bytes, size};
}

/* The same bytes on a heap block of exactly their size, for ASan; the caller frees data. */
static inline struct hv_blob kit_exact(const void *bytes, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL) {
		abort();
	}
	memcpy(copy, bytes, size);
	return (struct hv_blob){copy, size};
}

static inline uint64_t kit_ram(const struct hv_guest *guest)
{
	return guest->machine == HV_MACHINE_X86_64 ? 0 : KIT_RAM;
}

static inline bool kit_place_is_free(
	const struct hv_load_plan *plan, const struct hv_guest *guest, gpa_t at, uint64_t size)
{
	if (guest->machine == HV_MACHINE_X86_64 &&
		hv_range_overlaps(at.v, size, 0x9fc00, 0x60400)) {
		return false;
	}
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		if (hv_range_overlaps(
			    at.v, size, plan->segment[i].to.v, plan->segment[i].mem_size)) {
			return false;
		}
	}
	return size == 0 || hv_range_inside(at.v, size, kit_ram(guest), guest->ram_size);
}

/* What a PC's kernel is started with is in low memory that nothing else uses. */
static inline bool kit_boot_info_is_sound(
	const struct hv_load_plan *plan, const struct hv_guest *guest)
{
	uint64_t size = guest->cmdline.size + 1;

	if (guest->machine != HV_MACHINE_X86_64) {
		return plan->info.v == 0 && plan->cmdline.v == 0 && plan->gdt.v == 0 &&
		       plan->tables.v == 0;
	}
	return hv_range_inside(plan->info.v, 4096, 0x10000, 0x80000) &&
	       kit_place_is_free(plan, guest, plan->info, 4096) &&
	       kit_place_is_free(plan, guest, plan->gdt, HV_LOAD_GDT_SIZE) &&
	       kit_place_is_free(plan, guest, plan->cmdline, size) &&
	       (plan->tables.v == 0 || kit_place_is_free(plan, guest, plan->tables, 6 * 4096));
}

/* What holds for every plan, whatever the file was: all in RAM and nothing on top of another. */
static inline bool kit_plan_is_sound(const struct hv_load_plan *plan, const struct hv_guest *guest)
{
	uint64_t insn = guest->machine == HV_MACHINE_X86_64  ? 1
			: guest->machine == HV_MACHINE_RISCV ? 2
							     : 4;
	bool has_entry = false;
	struct hv_load_plan before = *plan;

	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		before.segment_count = i;
		if (!kit_place_is_free(&before, guest, segment->to, segment->mem_size) ||
			segment->file_size > segment->mem_size ||
			!hv_range_inside(
				segment->file_off, segment->file_size, 0, guest->kernel.size)) {
			return false;
		}
		has_entry |= hv_range_inside(plan->entry.v, 1, segment->to.v, segment->mem_size);
	}
	return has_entry && hv_is_aligned(plan->entry.v, insn) &&
	       kit_place_is_free(plan, guest, plan->dtb, guest->dtb.size) &&
	       kit_place_is_free(plan, guest, plan->initrd, guest->initrd.size) &&
	       kit_boot_info_is_sound(plan, guest) &&
	       !hv_range_overlaps(plan->dtb.v, guest->dtb.size, plan->initrd.v, guest->initrd.size);
}

#endif
