/* SPDX-License-Identifier: MIT */
/*
 * ELF64 kernels: linked (ET_EXEC) and static position-independent ones (ET_DYN), both
 * loaded by physical address. No relocation is applied and no symbol is read: such images relocate
 * themselves. System V ABI, Edition 4.1 draft, chapters 4 and 5; ELF for the Arm 64-bit
 * Architecture, 2023Q3; RISC-V ELF psABI 1.0.
 */
#include <load/load.h>

#define ELF_HEADER_SIZE 64u
#define ELF_PHDR_SIZE   56u
#define ELF_TYPE        16u /* offsets of the fields that are read outside of the table */
#define ELF_MACHINE     18u
#define ELF_ENTRY       24u
#define ELF_PHOFF       32u
#define ELF_PHNUM       56u
#define ELF_ET_EXEC     2u
#define ELF_ET_DYN      3u
#define ELF_PN_XNUM     0xffffu
#define ELF_PT_LOAD     1u
#define ELF_PT_INTERP   3u
#define ELF_PHDR_OFFSET 8u
#define ELF_PHDR_VADDR  16u
#define ELF_PHDR_PADDR  24u
#define ELF_PHDR_FILESZ 32u
#define ELF_PHDR_MEMSZ  40u
#define ELF_PHDR_ALIGN  48u

/* Fields of the header that can have only one value. */
static const struct elf_rule {
	const char *field, *why;
	uint8_t offset, size;
	uint16_t want;
} elf_rules[] = {
	{"EI_CLASS", "not a 64-bit ELF", 4, 1, 2},
	{"EI_DATA", "not little-endian", 5, 1, 1},
	{"EI_VERSION", "unknown version", 6, 1, 1},
	{"e_version", "unknown version", 20, 4, 1},
	{"e_ehsize", "not the size of an ELF64 header", 52, 2, ELF_HEADER_SIZE},
	{"e_phentsize", "not the size of an ELF64 program header", 54, 2, ELF_PHDR_SIZE},
};

struct elf {
	struct hv_blob file;
	const uint8_t *base; /* file.data */
	uint64_t phoff, entry;
	uint16_t phnum;
	uint64_t lowest; /* of all p_paddr that are loaded */
};

struct elf_phdr {
	uint64_t at; /* its offset in the file */
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static uint64_t elf_field(const uint8_t *at, uint8_t size)
{
	switch (size) {
	case 1: return at[0];
	case 2: return hv_le16(at);
	default: return hv_le32(at);
	}
}

static struct elf_phdr elf_phdr(const struct elf *elf, uint16_t index)
{
	uint64_t at = elf->phoff + (uint64_t)index * ELF_PHDR_SIZE;
	const uint8_t *p = elf->base + at;

	return (struct elf_phdr){
		.at = at,
		.type = hv_le32(p),
		.offset = hv_le64(p + ELF_PHDR_OFFSET),
		.vaddr = hv_le64(p + ELF_PHDR_VADDR),
		.paddr = hv_le64(p + ELF_PHDR_PADDR),
		.filesz = hv_le64(p + ELF_PHDR_FILESZ),
		.memsz = hv_le64(p + ELF_PHDR_MEMSZ),
		.align = hv_le64(p + ELF_PHDR_ALIGN),
	};
}

bool load_elf_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;

	return kernel.size >= 4 && p[0] == 0x7f && p[1] == 'E' && p[2] == 'L' && p[3] == 'F';
}

static enum hv_status elf_check_header(
	const struct elf *elf, const struct load_machine *machine, struct hv_load_error *error)
{
	uint64_t type;

	load_at(error, "e_ident", 0, elf->file.size);
	if (elf->file.size < ELF_HEADER_SIZE) {
		return load_refuse(error, "the file is shorter than an ELF header");
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(elf_rules); i++) {
		const struct elf_rule *rule = &elf_rules[i];
		uint64_t value = elf_field(elf->base + rule->offset, rule->size);

		if (value != rule->want) {
			load_at(error, rule->field, rule->offset, value);
			return load_refuse(error, rule->why);
		}
	}
	load_at(error, "e_machine", ELF_MACHINE, hv_le16(elf->base + ELF_MACHINE));
	if (error->value != machine->number) {
		return load_refuse(error, machine->foreign_elf);
	}
	type = hv_le16(elf->base + ELF_TYPE);
	if (type != ELF_ET_EXEC && type != ELF_ET_DYN) {
		load_at(error, "e_type", ELF_TYPE, type);
		return load_refuse(error, "neither an executable nor position-independent");
	}
	return HV_OK;
}

static enum hv_status elf_open(struct elf *elf, struct hv_blob kernel,
	const struct load_machine *machine, struct hv_load_error *error)
{
	enum hv_status status;

	*elf = (struct elf){.file = kernel, .base = kernel.data, .lowest = UINT64_MAX};
	status = elf_check_header(elf, machine, error);
	if (status != HV_OK) {
		return status;
	}
	elf->entry = hv_le64(elf->base + ELF_ENTRY);
	elf->phoff = hv_le64(elf->base + ELF_PHOFF);
	elf->phnum = hv_le16(elf->base + ELF_PHNUM);
	load_at(error, "e_phnum", ELF_PHNUM, elf->phnum);
	if (elf->phnum == 0) {
		return load_refuse(error, "no program header");
	}
	if (elf->phnum == ELF_PN_XNUM) {
		return load_refuse(error, "extended numbering is not supported");
	}
	load_at(error, "e_phoff", ELF_PHOFF, elf->phoff);
	if (!hv_range_inside(elf->phoff, (uint64_t)elf->phnum * ELF_PHDR_SIZE, 0, kernel.size)) {
		return load_refuse(error, "program headers leave the file");
	}
	return HV_OK;
}

/* All that one program header can get wrong on its own. */
static enum hv_status elf_check_phdr(
	const struct elf *elf, const struct elf_phdr *ph, struct hv_load_error *error)
{
	uint64_t end;

	load_at(error, "p_filesz", ph->at + ELF_PHDR_FILESZ, ph->filesz);
	if (ph->filesz > ph->memsz) {
		return load_refuse(error, "larger than p_memsz");
	}
	load_at(error, "p_offset", ph->at + ELF_PHDR_OFFSET, ph->offset);
	if (ph->filesz != 0 && !hv_range_inside(ph->offset, ph->filesz, 0, elf->file.size)) {
		return load_refuse(error, "the segment leaves the file");
	}
	load_at(error, "p_memsz", ph->at + ELF_PHDR_MEMSZ, ph->memsz);
	if (!hv_add_ok(ph->paddr, ph->memsz, &end) || !hv_add_ok(ph->vaddr, ph->memsz, &end)) {
		return load_refuse(error, "the address wraps");
	}
	load_at(error, "p_align", ph->at + ELF_PHDR_ALIGN, ph->align);
	if ((ph->align & (ph->align - 1)) != 0) { /* 0 and 1 both mean: none */
		return load_refuse(error, "not a power of two");
	}
	return HV_OK;
}

static bool elf_is_loaded(const struct elf_phdr *ph)
{
	return ph->type == ELF_PT_LOAD && ph->memsz != 0;
}

/* First pass: every header is sound, and something is loaded. */
static enum hv_status elf_check_phdrs(struct elf *elf, struct hv_load_error *error)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_phdr ph = elf_phdr(elf, i);
		enum hv_status status;

		if (ph.type == ELF_PT_INTERP) {
			load_at(error, "p_type", ph.at, ph.type);
			return load_refuse(error, "a dynamic linker is asked for");
		}
		if (ph.type != ELF_PT_LOAD) {
			continue;
		}
		status = elf_check_phdr(elf, &ph, error);
		if (status != HV_OK) {
			return status;
		}
		if (elf_is_loaded(&ph) && ph.paddr < elf->lowest) {
			elf->lowest = ph.paddr;
		}
	}
	if (elf->lowest == UINT64_MAX) {
		load_at(error, "e_phnum", ELF_PHNUM, elf->phnum);
		return load_refuse(error, "no PT_LOAD segment");
	}
	return HV_OK;
}

/* Where a physical address of the file goes; one that wraps goes where no RAM is. */
static uint64_t elf_place(const struct elf *elf, const struct hv_guest *guest, uint64_t paddr)
{
	uint64_t to;

	if (!guest->has_load_addr) {
		return paddr;
	}
	return hv_add_ok(guest->load_addr.v, paddr - elf->lowest, &to) ? to : UINT64_MAX;
}

/* Second pass: no two segments touch, and all are in RAM. */
static enum hv_status elf_add_segments(const struct elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_phdr ph = elf_phdr(elf, i);
		struct hv_load_segment segment = {
			.to = GPA(elf_place(elf, guest, ph.paddr)),
			.file_off = ph.filesz == 0 ? 0 : ph.offset,
			.file_size = ph.filesz,
			.mem_size = ph.memsz,
		};
		enum hv_status status;

		if (!elf_is_loaded(&ph)) {
			continue;
		}
		load_at(error, "p_paddr", ph.at + ELF_PHDR_PADDR, ph.paddr);
		status = load_segment_add(plan, ram, &segment, error);
		if (status != HV_OK) {
			return status;
		}
	}
	return HV_OK;
}

/*
 * The entry is virtual when the image runs at other addresses than it is loaded at; some linker
 * scripts give a physical one all the same. Either must name a byte that the file holds.
 */
static bool elf_entry_paddr(const struct elf *elf, uint64_t insn_size, uint64_t *paddr)
{
	bool found = false;

	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct elf_phdr ph = elf_phdr(elf, i);

		if (!elf_is_loaded(&ph)) {
			continue;
		}
		if (hv_range_inside(elf->entry, insn_size, ph.vaddr, ph.filesz)) {
			*paddr = ph.paddr + (elf->entry - ph.vaddr);
			return true;
		}
		if (hv_range_inside(elf->entry, insn_size, ph.paddr, ph.filesz)) {
			*paddr = elf->entry;
			found = true;
		}
	}
	return found;
}

static enum hv_status elf_find_entry(const struct elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	uint64_t paddr;

	load_at(error, "e_entry", ELF_ENTRY, elf->entry);
	if (!elf_entry_paddr(elf, ram->machine->insn_align, &paddr)) {
		return load_refuse(error, "outside of what the file loads");
	}
	plan->entry = GPA(elf_place(elf, guest, paddr));
	if (!hv_is_aligned(plan->entry.v, ram->machine->insn_align)) {
		return load_refuse(error, "not aligned to an instruction");
	}
	return HV_OK;
}

enum hv_status load_elf_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct elf elf;
	enum hv_status status = elf_open(&elf, guest->kernel, ram->machine, error);

	if (status == HV_OK) {
		status = elf_check_phdrs(&elf, error);
	}
	if (status == HV_OK) {
		status = elf_add_segments(&elf, guest, ram, plan, error);
	}
	if (status == HV_OK) {
		status = elf_find_entry(&elf, guest, ram, plan, error);
	}
	return status;
}
