/* SPDX-License-Identifier: MIT */
/*
 * The header and the program headers of an ELF file, of either class. System V ABI, Edition 4.1
 * draft, chapters 4 and 5.
 */
#include <load/elf.h>

#define ELF_TYPE    16u /* offsets of what is at the same place in both classes */
#define ELF_MACHINE 18u
#define ELF_CLASS   4u
#define ELF_ET_EXEC 2u
#define ELF_ET_DYN  3u
#define ELF_PN_XNUM 0xffffu

static const struct load_elf_class elf_classes[] = {
	{
		.number = LOAD_ELF_32,
		.word = 4,
		.header_size = 52,
		.phdr_size = 32,
		.entry = 24,
		.phoff = 28,
		.ehsize = 40,
		.phentsize = 42,
		.phnum = 44,
		.p_offset = 4,
		.p_vaddr = 8,
		.p_paddr = 12,
		.p_filesz = 16,
		.p_memsz = 20,
		.p_align = 28,
	},
	{
		.number = LOAD_ELF_64,
		.word = 8,
		.header_size = 64,
		.phdr_size = 56,
		.entry = 24,
		.phoff = 32,
		.ehsize = 52,
		.phentsize = 54,
		.phnum = 56,
		.p_offset = 8,
		.p_vaddr = 16,
		.p_paddr = 24,
		.p_filesz = 32,
		.p_memsz = 40,
		.p_align = 48,
	},
};

/* A field that can have only one value. */
struct elf_rule {
	const char *field, *why;
	uint8_t offset, size;
	uint16_t want;
};

bool load_elf_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return kernel.size >= 4 && p[0] == 0x7f && p[1] == 'E' && p[2] == 'L' && p[3] == 'F';
}

static uint64_t elf_field(const uint8_t *at, uint8_t size)
{
	switch (size) {
	case 1: return at[0];
	case 2: return hv_le16(at);
	case 4: return hv_le32(at);
	default: return hv_le64(at);
	}
}

static enum hv_status elf_check_rules(const struct load_elf *elf, struct hv_load_error *error)
{
	const struct load_elf_class *class = elf->class;
	const struct elf_rule rules[] = {
		{"EI_CLASS", class->number == LOAD_ELF_64 ? "not a 64-bit ELF" : "not a 32-bit ELF",
			ELF_CLASS, 1, class->number},
		{"EI_DATA", "not little-endian", 5, 1, 1},
		{"EI_VERSION", "unknown version", 6, 1, 1},
		{"e_version", "unknown version", 20, 4, 1},
		{"e_ehsize", "not the size of the class's header", class->ehsize, 2,
			class->header_size},
		{"e_phentsize", "not the size of the class's program header", class->phentsize, 2,
			class->phdr_size},
	};

	for (size_t i = 0; i < HV_ARRAY_COUNT(rules); i++) {
		const struct elf_rule *rule = &rules[i];
		uint64_t value = elf_field(elf->base + rule->offset, rule->size);

		if (value != rule->want) {
			load_at(error, rule->field, rule->offset, value);
			return load_refuse(error, rule->why);
		}
	}
	return HV_OK;
}

static enum hv_status elf_check_header(
	const struct load_elf *elf, const struct load_elf_want *want, struct hv_load_error *error)
{
	enum hv_status status;
	uint64_t type;

	load_at(error, "e_ident", 0, elf->file.size);
	if (elf->file.size < elf->class->header_size) {
		return load_refuse(error, "the file is shorter than an ELF header");
	}
	status = elf_check_rules(elf, error);
	if (status != HV_OK) {
		return status;
	}
	load_at(error, "e_machine", ELF_MACHINE, hv_le16(elf->base + ELF_MACHINE));
	if (error->value != want->machine) {
		return load_refuse(error, want->foreign);
	}
	type = hv_le16(elf->base + ELF_TYPE);
	if (type != ELF_ET_EXEC && type != ELF_ET_DYN) {
		load_at(error, "e_type", ELF_TYPE, type);
		return load_refuse(error, "neither an executable nor position-independent");
	}
	return HV_OK;
}

enum hv_status load_elf_open(struct load_elf *elf, struct hv_blob kernel,
	const struct load_elf_want *want, struct hv_load_error *error)
{
	const struct load_elf_class *class = &elf_classes[want->class - LOAD_ELF_32];
	enum hv_status status;

	*elf = (struct load_elf){
		.file = kernel, .base = kernel.data, .class = class, .lowest = UINT64_MAX};
	status = elf_check_header(elf, want, error);
	if (status != HV_OK) {
		return status;
	}
	elf->entry = elf_field(elf->base + class->entry, class->word);
	elf->phoff = elf_field(elf->base + class->phoff, class->word);
	elf->phnum = hv_le16(elf->base + class->phnum);
	load_at(error, "e_phnum", class->phnum, elf->phnum);
	if (elf->phnum == 0) {
		return load_refuse(error, "no program header");
	}
	if (elf->phnum == ELF_PN_XNUM) {
		return load_refuse(error, "extended numbering is not supported");
	}
	load_at(error, "e_phoff", class->phoff, elf->phoff);
	if (!hv_range_inside(elf->phoff, (uint64_t)elf->phnum * class->phdr_size, 0, kernel.size)) {
		return load_refuse(error, "program headers leave the file");
	}
	return HV_OK;
}

struct load_elf_phdr load_elf_phdr(const struct load_elf *elf, uint16_t index)
{
	const struct load_elf_class *class = elf->class;
	uint64_t at = elf->phoff + (uint64_t)index * class->phdr_size;
	const uint8_t *p = elf->base + at;

	return (struct load_elf_phdr){
		.at = at,
		.type = hv_le32(p),
		.offset = elf_field(p + class->p_offset, class->word),
		.vaddr = elf_field(p + class->p_vaddr, class->word),
		.paddr = elf_field(p + class->p_paddr, class->word),
		.filesz = elf_field(p + class->p_filesz, class->word),
		.memsz = elf_field(p + class->p_memsz, class->word),
		.align = elf_field(p + class->p_align, class->word),
	};
}
