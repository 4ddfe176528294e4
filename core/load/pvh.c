/* SPDX-License-Identifier: MIT */
/*
 * ELF kernels with a PVH entry: a note names a 32-bit physical address, which is entered in
 * protected mode. Xen, docs/misc/pvh.pandoc; System V ABI, Edition 4.1 draft, chapter 5 (notes).
 */
#include <load/elf.h>

#define PVH_NOTE_ENTRY  18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PVH_NOTE_HEADER 12u
#define PVH_NOTES_MOST  1024u /* that are looked at, in all of a file */
#define PVH_CLASS       4u    /* offset of EI_CLASS */

/* The entry's note. */
struct pvh_entry {
	uint64_t at; /* offset of the address in the file */
	uint64_t paddr;
};

/* Notes that are being looked through: bytes [at, end) of the file. */
struct pvh_notes {
	struct hv_blob file;
	uint64_t at, end, align;
	unsigned left; /* how many more may be looked at */
};

/*
 * False when there is no further one in one piece. Description and next note are aligned; sizes are
 * 32 bits wide, so nothing wraps.
 */
static bool pvh_next(struct pvh_notes *notes, bool *found, struct pvh_entry *entry)
{
	const uint8_t *p = (const uint8_t *)notes->file.data + notes->at;
	uint64_t room = notes->end - notes->at, name_size, desc_size, desc;

	if (room < PVH_NOTE_HEADER || notes->left == 0) {
		return false;
	}
	notes->left--;
	name_size = hv_le32(p);
	desc_size = hv_le32(p + 4);
	desc = hv_align_up(PVH_NOTE_HEADER + name_size, notes->align);
	if (desc + desc_size > room) {
		return false;
	}
	*found = hv_le32(p + 8) == PVH_NOTE_ENTRY && name_size == 4 &&
		 __builtin_memcmp(p + PVH_NOTE_HEADER, "Xen", 4) == 0 &&
		 (desc_size == 4 || desc_size == 8);
	if (*found) {
		entry->at = notes->at + desc;
		entry->paddr = desc_size == 4 ? hv_le32(p + desc) : hv_le64(p + desc);
	}
	desc = hv_align_up(desc + desc_size, notes->align);
	notes->at += desc < room ? desc : room;
	return true;
}

static bool pvh_find(const struct load_elf *elf, struct pvh_entry *entry)
{
	struct pvh_notes notes = {.file = elf->file, .left = PVH_NOTES_MOST};
	bool found = false;

	for (uint16_t i = 0; i < elf->phnum && !found; i++) {
		struct load_elf_phdr ph = load_elf_phdr(elf, i);

		if (ph.type != LOAD_PT_NOTE ||
			!hv_range_inside(ph.offset, ph.filesz, 0, elf->file.size)) {
			continue;
		}
		notes.at = ph.offset;
		notes.end = ph.offset + ph.filesz;
		notes.align = ph.align == 8 ? 8 : 4;
		while (!found && pvh_next(&notes, &found, entry)) {
		}
	}
	return found;
}

/* An ELF of either class for x86. */
static enum hv_status pvh_open(
	struct load_elf *elf, struct hv_blob kernel, struct hv_load_error *error)
{
	static const struct load_elf_want want[] = {
		{LOAD_ELF_64, HV_MACHINE_X86_64, "not for x86-64"},
		{LOAD_ELF_32, LOAD_EM_386, "not for x86"},
	};
	const uint8_t *p = kernel.data;
	bool is_32 = kernel.size > PVH_CLASS && p[PVH_CLASS] == LOAD_ELF_32;

	return load_elf_open(elf, kernel, &want[is_32 ? 1 : 0], error);
}

bool load_pvh_is(struct hv_blob kernel)
{
	struct hv_load_error error;
	struct pvh_entry entry;
	struct load_elf elf;

	return pvh_open(&elf, kernel, &error) == HV_OK && pvh_find(&elf, &entry);
}

enum hv_status load_pvh_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct pvh_entry entry = {0};
	struct load_elf elf;
	enum hv_status status = pvh_open(&elf, guest->kernel, error);

	if (status == HV_OK) {
		status = load_elf_segments(&elf, guest, ram, plan, error);
	}
	if (status != HV_OK) {
		return status;
	}
	(void)pvh_find(&elf, &entry); /* this kind has one */
	load_at(error, "XEN_ELFNOTE_PHYS32_ENTRY", entry.at, entry.paddr);
	return load_elf_enter_at(&elf, guest, entry.paddr, plan, error);
}
