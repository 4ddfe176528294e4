/* SPDX-License-Identifier: MIT */
/*
 * ELF kernels: linked (ET_EXEC) and static position-independent ones (ET_DYN), both loaded by
 * physical address. No relocation is applied and no symbol is read: such images relocate
 * themselves. System V ABI, Edition 4.1 draft, chapter 5; ELF for the Arm 64-bit Architecture,
 * 2023Q3; RISC-V ELF psABI 1.0; x86-64 psABI 1.0.
 */
#include <load/elf.h>

#define ELF_PT_LOAD   1u
#define ELF_PT_INTERP 3u

/* All that one program header can get wrong on its own. */
static enum hv_status elf_check_phdr(
	const struct load_elf *elf, const struct load_elf_phdr *ph, struct hv_load_error *error)
{
	const struct load_elf_class *class = elf->class;
	uint64_t end;

	load_at(error, "p_filesz", ph->at + class->p_filesz, ph->filesz);
	if (ph->filesz > ph->memsz) {
		return load_refuse(error, "larger than p_memsz");
	}
	load_at(error, "p_offset", ph->at + class->p_offset, ph->offset);
	if (ph->filesz != 0 && !hv_range_inside(ph->offset, ph->filesz, 0, elf->file.size)) {
		return load_refuse(error, "the segment leaves the file");
	}
	load_at(error, "p_memsz", ph->at + class->p_memsz, ph->memsz);
	if (!hv_add_ok(ph->paddr, ph->memsz, &end) || !hv_add_ok(ph->vaddr, ph->memsz, &end)) {
		return load_refuse(error, "the address wraps");
	}
	load_at(error, "p_align", ph->at + class->p_align, ph->align);
	if ((ph->align & (ph->align - 1)) != 0) { /* 0 and 1 both mean: none */
		return load_refuse(error, "not a power of two");
	}
	return HV_OK;
}

static bool elf_is_loaded(const struct load_elf_phdr *ph)
{
	return ph->type == ELF_PT_LOAD && ph->memsz != 0;
}

/* First pass: every header is sound, and something is loaded. */
static enum hv_status elf_check_phdrs(struct load_elf *elf, struct hv_load_error *error)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct load_elf_phdr ph = load_elf_phdr(elf, i);
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
		load_at(error, "e_phnum", elf->class->phnum, elf->phnum);
		return load_refuse(error, "no PT_LOAD segment");
	}
	return HV_OK;
}

/* Where a physical address of the file goes; one that wraps goes where no RAM is. */
static uint64_t elf_place(const struct load_elf *elf, const struct hv_guest *guest, uint64_t paddr)
{
	uint64_t to;

	if (!guest->has_load_addr) {
		return paddr;
	}
	return hv_add_ok(guest->load_addr.v, paddr - elf->lowest, &to) ? to : UINT64_MAX;
}

/* Second pass: no two segments touch, and all are in RAM. */
static enum hv_status elf_add_segments(const struct load_elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct load_elf_phdr ph = load_elf_phdr(elf, i);
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
		load_at(error, "p_paddr", ph.at + elf->class->p_paddr, ph.paddr);
		status = load_segment_add(plan, ram, &segment, error);
		if (status != HV_OK) {
			return status;
		}
	}
	return HV_OK;
}

enum hv_status load_elf_segments(struct load_elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	enum hv_status status = elf_check_phdrs(elf, error);

	return status == HV_OK ? elf_add_segments(elf, guest, ram, plan, error) : status;
}

/*
 * The entry is virtual when the image runs at other addresses than it is loaded at; some linker
 * scripts give a physical one all the same. Either must name a byte that the file holds.
 */
static bool elf_entry_paddr(const struct load_elf *elf, uint64_t insn_size, uint64_t *paddr)
{
	bool found = false;

	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct load_elf_phdr ph = load_elf_phdr(elf, i);

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

enum hv_status load_elf_enter(const struct load_elf *elf, const struct hv_guest *guest,
	const struct load_ram *ram, struct hv_load_plan *plan, struct hv_load_error *error)
{
	uint64_t paddr;

	load_at(error, "e_entry", elf->class->entry, elf->entry);
	if (!elf_entry_paddr(elf, ram->machine->insn_align, &paddr)) {
		return load_refuse(error, "outside of what the file loads");
	}
	plan->entry = GPA(elf_place(elf, guest, paddr));
	if (!hv_is_aligned(plan->entry.v, ram->machine->insn_align)) {
		return load_refuse(error, "not aligned to an instruction");
	}
	return HV_OK;
}

enum hv_status load_elf_enter_at(const struct load_elf *elf, const struct hv_guest *guest,
	uint64_t paddr, struct hv_load_plan *plan, struct hv_load_error *error)
{
	for (uint16_t i = 0; i < elf->phnum; i++) {
		struct load_elf_phdr ph = load_elf_phdr(elf, i);

		if (elf_is_loaded(&ph) && hv_range_inside(paddr, 1, ph.paddr, ph.filesz)) {
			plan->entry = GPA(elf_place(elf, guest, paddr));
			return HV_OK;
		}
	}
	return load_refuse(error, "outside of what the file loads");
}

enum hv_status load_elf_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	const struct load_elf_want want = {
		LOAD_ELF_64, ram->machine->number, ram->machine->foreign_elf};
	struct load_elf elf;
	enum hv_status status = load_elf_open(&elf, guest->kernel, &want, error);

	if (status == HV_OK) {
		status = load_elf_segments(&elf, guest, ram, plan, error);
	}
	return status == HV_OK ? load_elf_enter(&elf, guest, ram, plan, error) : status;
}
