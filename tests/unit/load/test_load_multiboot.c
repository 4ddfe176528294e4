/* SPDX-License-Identifier: MIT */
/* Multiboot images: how they are found, where they go, every way to be refused (F1, F2). */
#include <unit.h>

#include "load_kit.h"

#define TEXT   0x100000u
#define SIZE   1024u
#define HEADER 128u /* of the ELF file's, and of the one with addresses */

enum {
	P_OFFSET = 4,
	P_VADDR = 8,
	P_PADDR = 12,
	P_FILESZ = 16,
	P_MEMSZ = 20,
	P_ALIGN = 28,
	ADDRESSES = 0x10000,
};

static uint8_t bytes[16384];
static struct hv_load_plan plan;
static struct hv_load_error error;

/* Text with the header, and data with BSS. */
static struct hv_guest good(void)
{
	struct hv_blob kernel = kit_elf32(bytes, SIZE, 2, TEXT + 300);

	kit_put_phdr32(bytes, 0, (struct kit_phdr){1, 5, 0, TEXT, TEXT, 512, 512, 0x1000});
	kit_put_phdr32(
		bytes, 1, (struct kit_phdr){1, 6, 512, 0xc0200000, 0x200000, 512, 0x4000, 0x1000});
	kit_put_multiboot(bytes + HEADER, 3);
	return kit_guest_x86(kernel);
}

/* A flat file that says where it goes: 64 bytes of it stay out. */
static struct hv_guest placed(void)
{
	uint8_t *header = bytes + HEADER;

	memset(bytes, 0x90, SIZE);
	kit_put_multiboot(header, ADDRESSES | 3);
	kit_put(header + KIT_MB_HEADER_ADDR, 4, TEXT + HEADER - 64);
	kit_put(header + KIT_MB_LOAD_ADDR, 4, TEXT);
	kit_put(header + KIT_MB_LOAD_END, 4, TEXT + 512);
	kit_put(header + KIT_MB_BSS_END, 4, TEXT + 0x2000);
	kit_put(header + KIT_MB_ENTRY, 4, TEXT + 300);
	return kit_guest_x86((struct hv_blob){bytes, SIZE});
}

static struct hv_guest placed_with(unsigned field, uint64_t value)
{
	struct hv_guest guest = placed();

	kit_put(bytes + HEADER + field, 4, value);
	return guest;
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(0), &plan, &error);
}

static void assert_refused(
	struct hv_guest guest, const char *field, uint64_t offset, uint64_t value, const char *why)
{
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.input, "kernel");
	assert_string_equal(error.field, field);
	assert_int_equal(error.offset, offset);
	assert_int_equal(error.value, value);
	assert_string_equal(error.why, why);
}

static void multiboot_elf__good_file__segments_and_entry(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.initrd.size = 4097;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_MULTIBOOT);
	assert_int_equal(plan.entry.v, TEXT + 300);
	assert_int_equal(plan.tables.v, 0);
	assert_int_equal(plan.segment_count, 2);
	assert_int_equal(plan.segment[0].to.v, TEXT);
	assert_int_equal(plan.segment[0].file_off, 0);
	assert_int_equal(plan.segment[0].file_size, 512);
	assert_int_equal(plan.segment[1].to.v, 0x200000);
	assert_int_equal(plan.segment[1].file_off, 512);
	assert_int_equal(plan.segment[1].mem_size, 0x4000);
	assert_false(plan.segment[1].own_bss);
	assert_int_equal(plan.initrd.v, KIT_RAM_SIZE - 8192);
	assert_true(kit_plan_is_sound(&plan, &guest));
}

static void multiboot_elf__virtual_entry__is_translated(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + KIT_E_ENTRY, 4, 0xc0200010);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x200010);
}

static void multiboot_elf__load_addr__moves_it_as_a_block(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x400000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.segment[0].to.v, 0x400000);
	assert_int_equal(plan.segment[1].to.v, 0x500000);
	assert_int_equal(plan.entry.v, 0x400000 + 300);
}

static void multiboot_header__last_place_and_beyond__is_found_or_not(void **state)
{
	struct hv_guest guest = kit_guest_x86((struct hv_blob){bytes, 8192 + 12});

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	kit_put_multiboot(bytes + 8192 - 12, 0);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_MULTIBOOT);
	memset(bytes, 0, sizeof(bytes));
	kit_put_multiboot(bytes + 8192 - 8, 0);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_FLAT);
	memset(bytes, 0, sizeof(bytes));
	kit_put_multiboot(bytes + 2, 0); /* not aligned */
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_FLAT);
	memset(bytes, 0, sizeof(bytes));
	kit_put_multiboot(bytes, 0);
	guest.kernel.size = 12;
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_MULTIBOOT);
	guest.kernel.size = 11;
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_FLAT);
	for (unsigned at = 0; at < 12; at++) {
		guest.kernel.size = 12;
		kit_put_multiboot(bytes, 0);
		bytes[at] ^= 0x10;
		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_FLAT);
	}
}

static void multiboot_header__in_an_elf64__counts_only_with_addresses(void **state)
{
	struct hv_blob kernel = kit_elf(bytes, SIZE, 1, TEXT);

	(void)state;
	kit_put(bytes + KIT_E_MACHINE, 2, HV_MACHINE_X86_64);
	kit_put_phdr(bytes, 0, (struct kit_phdr){1, 5, 256, TEXT, TEXT, 128, 128, 1});
	kit_put_multiboot(bytes + HEADER, 0);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, kernel), HV_LOAD_ELF64);
	assert_int_equal(plan_for(kit_guest_x86(kernel)), HV_OK);
	kit_put_multiboot(bytes + HEADER, ADDRESSES);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, kernel), HV_LOAD_MULTIBOOT);
}

static void multiboot_flags__what_must_be_known__is_refused_bit_by_bit(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t flags = (uint32_t)HV_BIT(bit);
		struct hv_guest guest = good();

		kit_put_multiboot(bytes + HEADER, flags);
		if (bit >= 2 && bit < 16) {
			assert_refused(guest, "flags", HEADER + 4, flags,
				"asks for more than modules on pages and memory sizes");
		} else if (bit != 16) {
			assert_int_equal(plan_for(guest), HV_OK);
		}
	}
}

static void multiboot__flat_without_addresses__is_refused(void **state)
{
	struct hv_guest guest = placed();

	(void)state;
	kit_put_multiboot(bytes + HEADER, 3);
	assert_refused(guest, "EI_CLASS", 4, 0x90, "not a 32-bit ELF");
}

static void multiboot_addresses__good_file__what_they_say(void **state)
{
	struct hv_guest guest = placed();

	(void)state;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_MULTIBOOT);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].to.v, TEXT);
	assert_int_equal(plan.segment[0].file_off, 64);
	assert_int_equal(plan.segment[0].file_size, 512);
	assert_int_equal(plan.segment[0].mem_size, 0x2000);
	assert_int_equal(plan.entry.v, TEXT + 300);
	assert_true(kit_plan_is_sound(&plan, &guest));
	/* Zeroes: up to the file's end, and no BSS. */
	assert_int_equal(plan_for(placed_with(KIT_MB_LOAD_END, 0)), HV_OK);
	assert_int_equal(plan.segment[0].file_size, SIZE - 64);
	assert_int_equal(plan_for(placed_with(KIT_MB_BSS_END, 0)), HV_OK);
	assert_int_equal(plan.segment[0].mem_size, 512);
	guest = placed();
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x500000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.segment[0].to.v, 0x500000);
	assert_int_equal(plan.entry.v, 0x500000 + 300);
}

static void multiboot_addresses__first_byte_and_entry__at_their_edges(void **state)
{
	const char *below = "not as far below header_addr as the file reaches";

	(void)state;
	/* The whole file, and one byte more than there is. */
	assert_int_equal(plan_for(placed_with(KIT_MB_HEADER_ADDR, TEXT + HEADER)), HV_OK);
	assert_int_equal(plan.segment[0].file_off, 0);
	assert_refused(placed_with(KIT_MB_HEADER_ADDR, TEXT + HEADER + 1), "load_addr",
		HEADER + KIT_MB_LOAD_ADDR, TEXT, below);
	assert_int_equal(plan_for(placed_with(KIT_MB_HEADER_ADDR, TEXT)), HV_OK);
	assert_int_equal(plan.segment[0].file_off, HEADER);
	assert_refused(placed_with(KIT_MB_HEADER_ADDR, TEXT - 1), "load_addr",
		HEADER + KIT_MB_LOAD_ADDR, TEXT, below);
	assert_int_equal(plan_for(placed_with(KIT_MB_ENTRY, TEXT)), HV_OK);
	assert_int_equal(plan_for(placed_with(KIT_MB_ENTRY, TEXT + 511)), HV_OK);
	assert_refused(placed_with(KIT_MB_ENTRY, TEXT - 1), "entry_addr", HEADER + KIT_MB_ENTRY,
		TEXT - 1, "outside of what the file loads");
	assert_refused(placed_with(KIT_MB_ENTRY, TEXT + 512), "entry_addr", HEADER + KIT_MB_ENTRY,
		TEXT + 512, "outside of what the file loads");
}

static void multiboot_addresses__ends__at_their_edges(void **state)
{
	const char *end = "below load_addr, or past the end of the file";

	(void)state;
	assert_int_equal(plan_for(placed_with(KIT_MB_LOAD_END, TEXT + SIZE - 64)), HV_OK);
	assert_refused(placed_with(KIT_MB_LOAD_END, TEXT + SIZE - 63), "load_end_addr",
		HEADER + KIT_MB_LOAD_END, TEXT + SIZE - 63, end);
	assert_refused(placed_with(KIT_MB_LOAD_END, TEXT), "load_end_addr",
		HEADER + KIT_MB_LOAD_END, TEXT, end);
	assert_refused(
		placed_with(KIT_MB_LOAD_END, 1), "load_end_addr", HEADER + KIT_MB_LOAD_END, 1, end);
	assert_int_equal(plan_for(placed_with(KIT_MB_BSS_END, TEXT + 512)), HV_OK);
	assert_refused(placed_with(KIT_MB_BSS_END, TEXT + 511), "bss_end_addr",
		HEADER + KIT_MB_BSS_END, TEXT + 511, "below the end of what is loaded");
	assert_refused(placed_with(KIT_MB_BSS_END, UINT32_MAX), "load_addr",
		HEADER + KIT_MB_LOAD_ADDR, TEXT, "outside of the guest's RAM");
	/* A file that ends in its header. */
	{
		struct hv_guest guest = placed();

		guest.kernel = kit_exact(bytes, HEADER + 31);
		assert_refused(guest, "flags", HEADER + KIT_MB_FLAGS, ADDRESSES,
			"the file ends before the header's addresses");
		free((void *)guest.kernel.data);
		guest = placed_with(KIT_MB_LOAD_END, 0);
		kit_put(bytes + HEADER + KIT_MB_ENTRY, 4, TEXT + 95);
		guest.kernel = kit_exact(bytes, HEADER + 32);
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.segment[0].file_size, 96);
		free((void *)guest.kernel.data);
	}
}

static void f2_multiboot_elf__what_an_elf_gets_wrong__is_refused_at_its_offset(void **state)
{
	static const struct {
		uint64_t offset, value;
		const char *field, *why;
		unsigned size;
	} cases[] = {
		{KIT_E_DATA, 2, "EI_DATA", "not little-endian", 1},
		{KIT_E_IVERSION, 0, "EI_VERSION", "unknown version", 1},
		{KIT_E_VERSION, 2, "e_version", "unknown version", 4},
		{KIT_E32_EHSIZE, 64, "e_ehsize", "not the size of the class's header", 2},
		{KIT_E32_PHENTSIZE, 56, "e_phentsize", "not the size of the class's program header",
			2},
		{KIT_E_MACHINE, 62, "e_machine", "not for x86", 2},
		{KIT_E_TYPE, 1, "e_type", "neither an executable nor position-independent", 2},
		{KIT_E32_PHNUM, 0, "e_phnum", "no program header", 2},
		{KIT_E32_PHNUM, 0xffff, "e_phnum", "extended numbering is not supported", 2},
		{KIT_E32_PHOFF, SIZE - 63, "e_phoff", "program headers leave the file", 4},
		{KIT_E32_PHOFF, UINT32_MAX, "e_phoff", "program headers leave the file", 4},
		{KIT_E_ENTRY, TEXT + 512, "e_entry", "outside of what the file loads", 4},
		{KIT_ELF32_HEADER + P_FILESZ, 513, "p_filesz", "larger than p_memsz", 4},
		{KIT_ELF32_HEADER + P_OFFSET, 513, "p_offset", "the segment leaves the file", 4},
		{KIT_ELF32_HEADER + P_ALIGN, 3, "p_align", "not a power of two", 4},
		{KIT_ELF32_HEADER + P_PADDR, 0xffffff00, "p_paddr", "outside of the guest's RAM",
			4},
		{KIT_ELF32_HEADER + P_PADDR, 0x9fa01, "p_paddr",
			"in what is no RAM between 639 KiB and 1 MiB", 4},
		{KIT_ELF32_HEADER + P_PADDR, 0xfffff, "p_paddr",
			"in what is no RAM between 639 KiB and 1 MiB", 4},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct hv_guest guest = good();

		kit_put(bytes + cases[i].offset, cases[i].size, cases[i].value);
		assert_refused(
			guest, cases[i].field, cases[i].offset, cases[i].value, cases[i].why);
	}
}

static void assert_refused_or_sound(size_t size)
{
	struct hv_guest guest = kit_guest_x86(kit_exact(bytes, size));

	guest.initrd.size = 5000;
	if (plan_for(guest) == HV_OK) {
		assert_true(kit_plan_is_sound(&plan, &guest));
	} else {
		assert_non_null(error.why);
		assert_true(error.offset <= size);
	}
	free((void *)guest.kernel.data);
}

static void f1_multiboot__prefixes_flips_and_edges__are_refused_or_sound(void **state)
{
	struct hv_guest (*const make[])(void) = {good, placed};

	(void)state;
	for (size_t kind = 0; kind < HV_ARRAY_COUNT(make); kind++) {
		for (size_t size = 1; size <= SIZE; size++) {
			(void)make[kind]();
			assert_refused_or_sound(size);
		}
		for (unsigned at = 0; at < HEADER + 32; at++) {
			for (unsigned n = 0; n < KIT_FLIPS; n++) {
				(void)make[kind]();
				bytes[at] ^= kit_flip(n);
				assert_refused_or_sound(SIZE);
			}
			for (unsigned n = 0; n < KIT_EDGES; n++) {
				(void)make[kind]();
				kit_put(bytes + at, 4, kit_edge(n, SIZE));
				assert_refused_or_sound(SIZE);
			}
		}
	}
}

/* Only an ELF says what it is for; a header somewhere in the first 8 KiB is no sign of x86. */
static void f2_multiboot__on_another_machine__is_refused_if_it_is_an_elf(void **state)
{
	struct hv_guest guest = placed();

	(void)state;
	assert_int_equal(hv_load_kind(&hv_load_riscv64, guest.kernel), HV_LOAD_FLAT);
	guest = good();
	guest.machine = HV_MACHINE_AARCH64;
	assert_int_equal(
		hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(KIT_RAM), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.field, "EI_CLASS");
	assert_string_equal(error.why, "not a 64-bit ELF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(multiboot_elf__good_file__segments_and_entry),
		hv_unit_test(multiboot_elf__virtual_entry__is_translated),
		hv_unit_test(multiboot_elf__load_addr__moves_it_as_a_block),
		hv_unit_test(multiboot_header__last_place_and_beyond__is_found_or_not),
		hv_unit_test(multiboot_header__in_an_elf64__counts_only_with_addresses),
		hv_unit_test(multiboot_flags__what_must_be_known__is_refused_bit_by_bit),
		hv_unit_test(multiboot__flat_without_addresses__is_refused),
		hv_unit_test(multiboot_addresses__good_file__what_they_say),
		hv_unit_test(multiboot_addresses__first_byte_and_entry__at_their_edges),
		hv_unit_test(multiboot_addresses__ends__at_their_edges),
		hv_unit_test(f2_multiboot_elf__what_an_elf_gets_wrong__is_refused_at_its_offset),
		hv_unit_test(f1_multiboot__prefixes_flips_and_edges__are_refused_or_sound),
		hv_unit_test(f2_multiboot__on_another_machine__is_refused_if_it_is_an_elf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
