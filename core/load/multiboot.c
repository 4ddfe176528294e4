/* SPDX-License-Identifier: MIT */
/*
 * Multiboot images: ELF32 files, or whatever says in its header where it goes. The Multiboot
 * Specification, version 0.6.96, 3.1.
 */
#include <load/elf.h>

#define MB_SEARCH 8192u /* the header is in the first bytes */
#define MB_MAGIC  0x1badb002u
/* In the header. */
#define MB_FLAGS       4u
#define MB_CHECKSUM    8u
#define MB_HEADER_ADDR 12u
#define MB_LOAD_ADDR   16u
#define MB_LOAD_END    20u
#define MB_BSS_END     24u
#define MB_ENTRY       28u
#define MB_SIZE        12u
#define MB_ADDR_SIZE   32u /* with addresses */

#define MB_FLAGS_KNOWN 0x00000003u /* modules on pages, memory information */
#define MB_FLAGS_MUST  0x0000ffffu /* who does not know one of these must refuse */
#define MB_FLAGS_ADDR  0x00010000u

/* Where an image that has addresses goes. */
struct mb_addr {
	uint64_t header, load, load_end, bss_end, entry;
};

static bool mb_is_header(const uint8_t *p)
{
	return hv_le32(p) == MB_MAGIC &&
	       (uint32_t)(hv_le32(p) + hv_le32(p + MB_FLAGS) + hv_le32(p + MB_CHECKSUM)) == 0;
}

static bool mb_has_addr(const uint8_t *header)
{
	return (hv_le32(header + MB_FLAGS) & MB_FLAGS_ADDR) != 0;
}

static bool mb_find(struct hv_blob kernel, uint64_t *at)
{
	uint64_t end = kernel.size < MB_SEARCH ? kernel.size : MB_SEARCH;
	const uint8_t *p = kernel.data;
	uint64_t off = 0;

	while (off + MB_SIZE <= end && !mb_is_header(p + off)) {
		off += 4;
	}
	*at = off;
	return off + MB_SIZE <= end;
}

uint64_t load_multiboot_header(struct hv_blob kernel)
{
	uint64_t at;

	(void)mb_find(kernel, &at);
	return at;
}

/* An ELF64 whose header has no addresses is no multiboot image, but may be something else. */
bool load_multiboot_is(struct hv_blob kernel)
{
	const uint8_t *p = kernel.data;
	uint64_t at;

	return mb_find(kernel, &at) &&
	       (mb_has_addr(p + at) || !load_elf_is(kernel) || p[4] == LOAD_ELF_32);
}

static struct mb_addr mb_decode(const uint8_t *header)
{
	return (struct mb_addr){
		.header = hv_le32(header + MB_HEADER_ADDR),
		.load = hv_le32(header + MB_LOAD_ADDR),
		.load_end = hv_le32(header + MB_LOAD_END),
		.bss_end = hv_le32(header + MB_BSS_END),
		.entry = hv_le32(header + MB_ENTRY),
	};
}

/*
 * Which bytes of the file go to load_addr: those from the one that is as far before the header as
 * load_addr is below header_addr. load_end_addr 0: up to the file's end; bss_end_addr 0: no BSS.
 */
static enum hv_status mb_segment(const struct mb_addr *addr, uint64_t at, uint64_t file_size,
	struct hv_load_segment *segment, struct hv_load_error *error)
{
	uint64_t before = addr->header - addr->load;

	load_at(error, "load_addr", at + MB_LOAD_ADDR, addr->load);
	if (addr->load > addr->header || before > at) {
		return load_refuse(error, "not as far below header_addr as the file reaches");
	}
	segment->file_off = at - before;
	segment->file_size = file_size - segment->file_off;
	load_at(error, "load_end_addr", at + MB_LOAD_END, addr->load_end);
	if (addr->load_end != 0) {
		if (addr->load_end <= addr->load ||
			addr->load_end - addr->load > segment->file_size) {
			return load_refuse(error, "below load_addr, or past the end of the file");
		}
		segment->file_size = addr->load_end - addr->load;
	}
	segment->mem_size = segment->file_size;
	load_at(error, "bss_end_addr", at + MB_BSS_END, addr->bss_end);
	if (addr->bss_end != 0) {
		if (addr->bss_end < addr->load + segment->file_size) {
			return load_refuse(error, "below the end of what is loaded");
		}
		segment->mem_size = addr->bss_end - addr->load;
	}
	return HV_OK;
}

static enum hv_status mb_plan_addr(const struct hv_guest *guest, const struct load_ram *ram,
	uint64_t at, struct hv_load_plan *plan, struct hv_load_error *error)
{
	struct hv_load_segment segment = {0};
	struct mb_addr addr;
	enum hv_status status;

	load_at(error, "flags", at + MB_FLAGS, MB_FLAGS_ADDR);
	if (!hv_range_inside(at, MB_ADDR_SIZE, 0, guest->kernel.size)) {
		return load_refuse(error, "the file ends before the header's addresses");
	}
	addr = mb_decode((const uint8_t *)guest->kernel.data + at);
	status = mb_segment(&addr, at, guest->kernel.size, &segment, error);
	if (status != HV_OK) {
		return status;
	}
	segment.to = guest->has_load_addr ? guest->load_addr : GPA(addr.load);
	load_at(error, "load_addr", at + MB_LOAD_ADDR, addr.load);
	status = load_segment_add(plan, ram, &segment, error);
	if (status != HV_OK) {
		return status;
	}
	load_at(error, "entry_addr", at + MB_ENTRY, addr.entry);
	if (!hv_range_inside(addr.entry, 1, addr.load, segment.file_size)) {
		return load_refuse(error, "outside of what the file loads");
	}
	plan->entry = GPA(segment.to.v + (addr.entry - addr.load));
	return HV_OK;
}

static enum hv_status mb_plan_elf(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	static const struct load_elf_want want = {LOAD_ELF_32, LOAD_EM_386, "not for x86"};
	struct load_elf elf;
	enum hv_status status = load_elf_open(&elf, guest->kernel, &want, error);

	if (status == HV_OK) {
		status = load_elf_segments(&elf, guest, ram, plan, error);
	}
	return status == HV_OK ? load_elf_enter(&elf, guest, ram, plan, error) : status;
}

enum hv_status load_multiboot_plan(const struct hv_guest *guest, const struct load_ram *ram,
	struct hv_load_plan *plan, struct hv_load_error *error)
{
	uint64_t at = load_multiboot_header(guest->kernel);
	const uint8_t *header = (const uint8_t *)guest->kernel.data + at;
	uint32_t flags = hv_le32(header + MB_FLAGS);

	load_at(error, "flags", at + MB_FLAGS, flags);
	if ((flags & MB_FLAGS_MUST & ~MB_FLAGS_KNOWN) != 0) {
		return load_refuse(error, "asks for more than modules on pages and memory sizes");
	}
	if (mb_has_addr(header)) {
		return mb_plan_addr(guest, ram, at, plan, error);
	}
	return mb_plan_elf(guest, ram, plan, error);
}
