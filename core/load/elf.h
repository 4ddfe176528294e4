/* SPDX-License-Identifier: MIT */
/* ELF files of both classes, for the kinds of kernels that come in one. */
#ifndef LOAD_ELF_H
#define LOAD_ELF_H

#include <load/load.h>

#define LOAD_ELF_32  1u /* EI_CLASS */
#define LOAD_ELF_64  2u
#define LOAD_EM_386  3u
#define LOAD_PT_NOTE 4u

/* What a kind of kernel wants its file to be. */
struct load_elf_want {
	uint8_t class;
	uint16_t machine;
	const char *foreign; /* why one for another machine is refused */
};

struct load_elf {
	struct hv_blob file;
	const uint8_t *base; /* file.data */
	const struct load_elf_class *class;
	uint64_t phoff, entry;
	uint16_t phnum;
	uint64_t lowest; /* of all p_paddr that are loaded; set by load_elf_segments() */
};

struct load_elf_phdr {
	uint64_t at; /* its offset in the file */
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* Where the fields of each class are: offsets in the header, then in a program header. */
struct load_elf_class {
	uint8_t number, word; /* EI_CLASS; bytes of an address */
	uint8_t header_size, phdr_size;
	uint8_t entry, phoff, ehsize, phentsize, phnum;
	uint8_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};

/* Checks the header, and that all program headers are in the file. */
HV_WARN_UNUSED enum hv_status load_elf_open(struct load_elf *elf, struct hv_blob kernel,
	const struct load_elf_want *want, struct hv_load_error *error);
struct load_elf_phdr load_elf_phdr(const struct load_elf *elf, uint16_t index);

/* Checks every program header, then adds to the plan what they load. */
HV_WARN_UNUSED enum hv_status load_elf_segments(struct load_elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error);
/* The plan's entry is e_entry. After load_elf_segments(). */
HV_WARN_UNUSED enum hv_status load_elf_enter(const struct load_elf *elf,
	const struct hv_guest *guest, const struct load_ram *ram, struct hv_load_plan *plan,
	struct hv_load_error *error);
/* The same for a physical address that stands elsewhere in the file: where *error points. */
HV_WARN_UNUSED enum hv_status load_elf_enter_at(const struct load_elf *elf,
	const struct hv_guest *guest, uint64_t paddr, struct hv_load_plan *plan,
	struct hv_load_error *error);

#endif
