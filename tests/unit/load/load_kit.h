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

static inline bool kit_place_is_free(
	const struct hv_load_plan *plan, uint64_t ram_size, gpa_t at, uint64_t size)
{
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		if (hv_range_overlaps(
			    at.v, size, plan->segment[i].to.v, plan->segment[i].mem_size)) {
			return false;
		}
	}
	return size == 0 || hv_range_inside(at.v, size, KIT_RAM, ram_size);
}

/* What holds for every plan, whatever the file was: all in RAM and nothing on top of another. */
static inline bool kit_plan_is_sound(const struct hv_load_plan *plan, const struct hv_guest *guest)
{
	bool has_entry = false;
	struct hv_load_plan before = *plan;

	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		before.segment_count = i;
		if (!kit_place_is_free(&before, guest->ram_size, segment->to, segment->mem_size) ||
			segment->file_size > segment->mem_size ||
			!hv_range_inside(
				segment->file_off, segment->file_size, 0, guest->kernel.size)) {
			return false;
		}
		has_entry |= hv_range_inside(plan->entry.v, 1, segment->to.v, segment->mem_size);
	}
	return has_entry &&
	       hv_is_aligned(plan->entry.v, guest->machine == HV_MACHINE_RISCV ? 2 : 4) &&
	       kit_place_is_free(plan, guest->ram_size, plan->dtb, guest->dtb.size) &&
	       kit_place_is_free(plan, guest->ram_size, plan->initrd, guest->initrd.size) &&
	       !hv_range_overlaps(plan->dtb.v, guest->dtb.size, plan->initrd.v, guest->initrd.size);
}

#endif
