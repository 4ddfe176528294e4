/* SPDX-License-Identifier: MIT */
/* ELF64 kernels: what is loaded where, and every way to be refused (F2). */
#include <unit.h>

#include "load_kit.h"

#define TEXT 0x40000000u /* two segments of a good file, 128 bytes each */
#define DATA 0x40010000u
#define SIZE 512u

enum {
	P_TYPE = 0,
	P_OFFSET = 8,
	P_VADDR = 16,
	P_PADDR = 24,
	P_FILESZ = 32,
	P_MEMSZ = 40,
	P_ALIGN = 48,
	PT_LOAD = 1,
	PT_INTERP = 3,
	PT_NOTE = 4
};

static uint8_t bytes[8192];
static struct hv_load_plan plan;
static struct hv_load_error error;

/* Text, data with BSS, and a note that nobody loads. */
static struct hv_guest good(void)
{
	struct hv_blob kernel = kit_elf(bytes, SIZE, 3, TEXT + 64);

	kit_put_phdr(bytes, 0, (struct kit_phdr){PT_LOAD, 5, 256, TEXT, TEXT, 128, 128, 0x1000});
	kit_put_phdr(bytes, 1, (struct kit_phdr){PT_NOTE, 4, UINT64_MAX, 0, 0, 7, 3, 3});
	kit_put_phdr(bytes, 2, (struct kit_phdr){PT_LOAD, 6, 384, DATA, DATA, 128, 0x2000, 0x1000});
	return kit_guest(kernel);
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM), &plan, &error);
}

/* The good file with one field changed. */
static enum hv_status plan_with(uint64_t offset, unsigned size, uint64_t value)
{
	struct hv_guest guest = good();

	kit_put(bytes + offset, size, value);
	return plan_for(guest);
}

static void assert_error(const char *field, uint64_t offset, const char *why)
{
	assert_string_equal(error.input, "kernel");
	assert_string_equal(error.field, field);
	assert_string_equal(error.why, why);
	assert_int_equal(error.offset, offset);
}

static void assert_refused_with(
	uint64_t offset, unsigned size, uint64_t value, const char *field, const char *why)
{
	assert_int_equal(plan_with(offset, size, value), HV_ERR_INVALID);
	assert_error(field, offset, why);
	assert_int_equal(error.value, value);
}

static void elf__good_file__segments_and_entry(void **state)
{
	(void)state;
	assert_int_equal(plan_for(good()), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_ELF64);
	assert_int_equal(plan.entry.v, TEXT + 64);
	assert_int_equal(plan.kernel.v, TEXT);
	assert_int_equal(plan.kernel_end.v, DATA + 0x2000);
	assert_int_equal(plan.segment_count, 2);
	assert_int_equal(plan.segment[0].to.v, TEXT);
	assert_int_equal(plan.segment[0].file_off, 256);
	assert_int_equal(plan.segment[0].file_size, 128);
	assert_int_equal(plan.segment[0].mem_size, 128);
	assert_int_equal(plan.segment[1].to.v, DATA);
	assert_int_equal(plan.segment[1].mem_size, 0x2000);
}

static void elf__zephyrs_shape__entry_is_not_the_load_base(void **state)
{
	struct hv_guest guest = kit_guest(kit_elf(bytes, SIZE, 1, TEXT + 0x7c));

	(void)state;
	kit_put_phdr(bytes, 0, (struct kit_phdr){PT_LOAD, 7, 120, TEXT, TEXT, 300, 0x8000, 8});
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + 0x7c);
	assert_int_equal(plan.kernel.v, TEXT);
}

static void elf__any_os_abi__is_fine(void **state)
{
	(void)state;
	assert_int_equal(plan_with(7, 1, 97), HV_OK);
}

static void f1_elf__program_headers_end_with_the_file__nothing_is_read_past_them(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	memmove(bytes + SIZE, bytes + KIT_ELF_HEADER, 3 * KIT_ELF_PHDR);
	kit_put(bytes + KIT_E_PHOFF, 8, SIZE);
	guest.kernel = kit_exact(bytes, SIZE + 3 * KIT_ELF_PHDR);
	assert_int_equal(plan_for(guest), HV_OK);
	free((void *)guest.kernel.data);
}

static void elf__virtual_entry__is_translated_to_physical(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(0, P_VADDR), 8, 0xffff800000000000);
	kit_put(bytes + KIT_E_ENTRY, 8, 0xffff800000000010);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + 0x10);
	/* A physical entry of the same image is taken as it is. */
	kit_put(bytes + KIT_E_ENTRY, 8, TEXT + 0x20);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + 0x20);
}

static void elf__entry_physical_in_one_and_virtual_in_another__virtual_wins(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(0, P_VADDR), 8, 0xffff800000000000);
	kit_put(bytes + kit_phdr_at(2, P_VADDR), 8, TEXT);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, DATA + 64);
}

static void elf__position_independent__moves_to_the_load_address(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + KIT_E_TYPE, 2, 3);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + 64);
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x48000000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x48000000 + 64);
	assert_int_equal(plan.kernel.v, 0x48000000);
	assert_int_equal(plan.kernel_end.v, 0x48000000 + (DATA - TEXT) + 0x2000);
	kit_put(bytes + KIT_E_TYPE, 2, 2);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kernel.v, 0x48000000);
}

static void elf__linked_at_0__needs_a_load_address(void **state)
{
	struct hv_guest guest = kit_guest(kit_elf(bytes, SIZE, 1, 0x10));

	(void)state;
	kit_put_phdr(bytes, 0, (struct kit_phdr){PT_LOAD, 7, 128, 0, 0, 128, 128, 8});
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("p_paddr", kit_phdr_at(0, P_PADDR), "outside of the guest's RAM");
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x40200000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x40200010);
}

static void f2_elf__load_address_out_of_ram_or_wrapping__is_refused(void **state)
{
	static const uint64_t bad[] = {0, KIT_RAM - 4, KIT_RAM + KIT_RAM_SIZE - 0x10000, HV_BIT(63),
		UINT64_MAX - 0xfff, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		struct hv_guest guest = good();

		guest.has_load_addr = true;
		guest.load_addr = GPA(bad[i]);
		assert_int_equal(plan_for(guest), HV_ERR_INVALID);
		assert_string_equal(error.field, "p_paddr");
		assert_string_equal(error.why, "outside of the guest's RAM");
	}
}

static void f2_elf__segments_so_far_apart_that_moving_wraps__is_refused(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(0, P_PADDR), 8, 0);
	kit_put(bytes + kit_phdr_at(0, P_VADDR), 8, 0);
	kit_put(bytes + kit_phdr_at(2, P_PADDR), 8, UINT64_MAX - 0x2fff);
	guest.has_load_addr = true;
	guest.load_addr = GPA(TEXT + HV_MIB(16));
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("p_paddr", kit_phdr_at(2, P_PADDR), "outside of the guest's RAM");
}

static void f2_header__shorter_than_64_bytes__is_refused(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	for (guest.kernel.size = 4; guest.kernel.size < 64; guest.kernel.size++) {
		assert_int_equal(plan_for(guest), HV_ERR_INVALID);
		assert_error("e_ident", 0, "the file is shorter than an ELF header");
	}
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("e_phoff", 32, "program headers leave the file");
}

static void f2_header__wrong_class_endianness_machine__is_refused(void **state)
{
	(void)state;
	assert_refused_with(KIT_E_CLASS, 1, 1, "EI_CLASS", "not a 64-bit ELF");
	assert_refused_with(KIT_E_DATA, 1, 2, "EI_DATA", "not little-endian");
	assert_refused_with(KIT_E_IVERSION, 1, 0, "EI_VERSION", "unknown version");
	assert_refused_with(KIT_E_MACHINE, 2, 62, "e_machine", "not for AArch64");
	assert_refused_with(KIT_E_MACHINE, 2, 40, "e_machine", "not for AArch64");
	assert_refused_with(KIT_E_VERSION, 4, 0x10001, "e_version", "unknown version");
	assert_refused_with(KIT_E_EHSIZE, 2, 52, "e_ehsize", "not the size of the class's header");
}

static void f2_header__type_neither_exec_nor_dyn__is_refused(void **state)
{
	static const uint16_t bad[] = {0, 1, 4, 0xfe00, 0xffff};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(KIT_E_TYPE, 2, bad[i], "e_type",
			"neither an executable nor position-independent");
	}
}

static void f2_phoff__past_the_file_or_wrapping__is_refused(void **state)
{
	static const uint64_t bad[] = {
		SIZE - 3 * 56 + 1, SIZE, HV_BIT(63), UINT64_MAX - 55, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(
			KIT_E_PHOFF, 8, bad[i], "e_phoff", "program headers leave the file");
	}
	/* The last place where they fit holds zeroes and data: no PT_LOAD, but in the file. */
	assert_int_equal(plan_with(KIT_E_PHOFF, 8, SIZE - 3 * 56), HV_ERR_INVALID);
	assert_error("e_phnum", KIT_E_PHNUM, "no PT_LOAD segment");
}

static void f2_phnum__0_or_pn_xnum_or_too_many__is_refused(void **state)
{
	(void)state;
	assert_refused_with(KIT_E_PHNUM, 2, 0, "e_phnum", "no program header");
	assert_refused_with(
		KIT_E_PHNUM, 2, 0xffff, "e_phnum", "extended numbering is not supported");
	assert_int_equal(plan_with(KIT_E_PHNUM, 2, 0xfffe), HV_ERR_INVALID);
	assert_error("e_phoff", KIT_E_PHOFF, "program headers leave the file");
}

static void f2_phentsize__any_but_56__is_refused(void **state)
{
	static const uint16_t bad[] = {0, 1, 32, 55, 57, 0x8000, 0xffff};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(KIT_E_PHENTSIZE, 2, bad[i], "e_phentsize",
			"not the size of the class's program header");
	}
}

static void f2_segments__none_to_load__is_refused(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(0, P_TYPE), 4, PT_NOTE);
	kit_put(bytes + kit_phdr_at(2, P_TYPE), 4, PT_NOTE);
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("e_phnum", KIT_E_PHNUM, "no PT_LOAD segment");
}

static void f2_segments__only_empty_ones__is_refused(void **state)
{
	struct hv_guest guest = kit_guest(kit_elf(bytes, SIZE, 1, TEXT));

	(void)state;
	kit_put_phdr(bytes, 0, (struct kit_phdr){PT_LOAD, 5, 0, TEXT, TEXT, 0, 0, 1});
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("e_phnum", KIT_E_PHNUM, "no PT_LOAD segment");
}

static void f2_segments__interpreter__is_refused(void **state)
{
	(void)state;
	assert_refused_with(
		kit_phdr_at(1, P_TYPE), 4, PT_INTERP, "p_type", "a dynamic linker is asked for");
}

static void f2_filesz__above_memsz__is_refused(void **state)
{
	(void)state;
	assert_refused_with(kit_phdr_at(0, P_FILESZ), 8, 129, "p_filesz", "larger than p_memsz");
	assert_refused_with(
		kit_phdr_at(2, P_FILESZ), 8, UINT64_MAX, "p_filesz", "larger than p_memsz");
}

static void f2_offset__plus_filesz_past_the_file_or_wrapping__is_refused(void **state)
{
	static const uint64_t bad[] = {SIZE - 127, SIZE, HV_BIT(63), UINT64_MAX - 127, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(kit_phdr_at(0, P_OFFSET), 8, bad[i], "p_offset",
			"the segment leaves the file");
	}
	assert_int_equal(plan_with(kit_phdr_at(0, P_OFFSET), 8, SIZE - 128), HV_OK);
}

static void elf__bss_only_segment__its_offset_does_not_matter(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(2, P_FILESZ), 8, 0);
	kit_put(bytes + kit_phdr_at(2, P_OFFSET), 8, UINT64_MAX);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.segment[1].file_off, 0);
	assert_int_equal(plan.segment[1].file_size, 0);
	assert_int_equal(plan.segment[1].mem_size, 0x2000);
}

static void f2_address__plus_memsz_wraps__is_refused(void **state)
{
	struct hv_guest guest = good();
	const uint64_t memsz = kit_phdr_at(2, P_MEMSZ);

	(void)state;
	assert_refused_with(memsz, 8, UINT64_MAX, "p_memsz", "the address wraps");
	assert_refused_with(memsz, 8, UINT64_MAX - DATA + 1, "p_memsz", "the address wraps");
	assert_int_equal(plan_with(memsz, 8, UINT64_MAX - DATA), HV_ERR_INVALID);
	assert_error("p_paddr", kit_phdr_at(2, P_PADDR), "outside of the guest's RAM");
	guest = good();
	kit_put(bytes + kit_phdr_at(2, P_VADDR), 8, UINT64_MAX - 0x1fff);
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_error("p_memsz", memsz, "the address wraps");
	guest = good();
	kit_put(bytes + kit_phdr_at(2, P_VADDR), 8, UINT64_MAX - 0x2000);
	assert_int_equal(plan_for(guest), HV_OK);
}

static void f2_paddr__outside_of_ram__is_refused(void **state)
{
	static const uint64_t bad[] = {0, 0x09000000, KIT_RAM - 1, KIT_RAM + KIT_RAM_SIZE - 0x1fff,
		KIT_RAM + KIT_RAM_SIZE};
	const uint64_t at = kit_phdr_at(2, P_PADDR);

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(at, 8, bad[i], "p_paddr", "outside of the guest's RAM");
	}
	assert_int_equal(plan_with(at, 8, KIT_RAM + KIT_RAM_SIZE - 0x2000), HV_OK);
}

static void f2_segments__overlapping__is_refused(void **state)
{
	const uint64_t at = kit_phdr_at(2, P_PADDR);

	(void)state;
	assert_refused_with(at, 8, TEXT, "p_paddr", "overlaps another segment");
	assert_refused_with(at, 8, TEXT + 127, "p_paddr", "overlaps another segment");
	assert_int_equal(plan_with(at, 8, TEXT + 128), HV_OK);
}

static void f2_segments__16_and_17__limit_holds(void **state)
{
	(void)state;
	for (uint16_t count = HV_LOAD_SEGMENTS; count <= HV_LOAD_SEGMENTS + 1; count++) {
		struct hv_guest guest = kit_guest(kit_elf(bytes, 2048, count, TEXT));

		for (unsigned i = 0; i < count; i++) {
			const uint64_t to = TEXT + i * 0x1000;

			kit_put_phdr(
				bytes, i, (struct kit_phdr){PT_LOAD, 5, 1024, to, to, 16, 16, 1});
		}
		assert_int_equal(
			plan_for(guest), count == HV_LOAD_SEGMENTS ? HV_OK : HV_ERR_INVALID);
	}
	assert_error("p_paddr", kit_phdr_at(HV_LOAD_SEGMENTS, P_PADDR), "too many segments");
}

static void f2_segments__most_headers_a_file_can_name__end_soon(void **state)
{
	const size_t size = 64 + 0xfffe * (size_t)56;
	uint8_t *large = malloc(size);
	struct hv_guest guest;

	(void)state;
	assert_non_null(large);
	guest = kit_guest(kit_elf(large, size, 0xfffe, TEXT));
	kit_put_phdr(large, 0xfffd, (struct kit_phdr){PT_LOAD, 5, 0, TEXT, TEXT, 64, 64, 1});
	assert_int_equal(plan_for(guest), HV_OK);
	free(large);
}

static void f2_align__3_is_refused_and_0_means_none(void **state)
{
	static const uint64_t bad[] = {3, 5, 0x1001, UINT64_MAX};
	static const uint64_t fine[] = {0, 1, 2, 0x10000, HV_BIT(63)};
	const uint64_t at = kit_phdr_at(0, P_ALIGN);

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(at, 8, bad[i], "p_align", "not a power of two");
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(fine); i++) {
		assert_int_equal(plan_with(at, 8, fine[i]), HV_OK);
	}
}

static void f2_entry__outside_of_what_the_file_holds__is_refused(void **state)
{
	static const uint64_t bad[] = {
		0, TEXT - 4, TEXT + 128, DATA + 128, DATA + 0x1ffc, UINT64_MAX - 3};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused_with(
			KIT_E_ENTRY, 8, bad[i], "e_entry", "outside of what the file loads");
	}
	assert_int_equal(plan_with(KIT_E_ENTRY, 8, TEXT), HV_OK);
	assert_int_equal(plan_with(KIT_E_ENTRY, 8, TEXT + 124), HV_OK);
	assert_int_equal(plan_with(KIT_E_ENTRY, 8, DATA + 124), HV_OK);
	assert_refused_with(KIT_E_ENTRY, 8, TEXT + 66, "e_entry", "not aligned to an instruction");
	assert_int_equal(plan_with(kit_phdr_at(0, P_PADDR), 8, TEXT + 2), HV_ERR_INVALID);
	assert_error("e_entry", KIT_E_ENTRY, "not aligned to an instruction");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(elf__good_file__segments_and_entry),
		hv_unit_test(elf__zephyrs_shape__entry_is_not_the_load_base),
		hv_unit_test(elf__any_os_abi__is_fine),
		hv_unit_test(f1_elf__program_headers_end_with_the_file__nothing_is_read_past_them),
		hv_unit_test(elf__virtual_entry__is_translated_to_physical),
		hv_unit_test(elf__entry_physical_in_one_and_virtual_in_another__virtual_wins),
		hv_unit_test(elf__position_independent__moves_to_the_load_address),
		hv_unit_test(elf__linked_at_0__needs_a_load_address),
		hv_unit_test(f2_elf__load_address_out_of_ram_or_wrapping__is_refused),
		hv_unit_test(f2_elf__segments_so_far_apart_that_moving_wraps__is_refused),
		hv_unit_test(f2_header__shorter_than_64_bytes__is_refused),
		hv_unit_test(f2_header__wrong_class_endianness_machine__is_refused),
		hv_unit_test(f2_header__type_neither_exec_nor_dyn__is_refused),
		hv_unit_test(f2_phoff__past_the_file_or_wrapping__is_refused),
		hv_unit_test(f2_phnum__0_or_pn_xnum_or_too_many__is_refused),
		hv_unit_test(f2_phentsize__any_but_56__is_refused),
		hv_unit_test(f2_segments__none_to_load__is_refused),
		hv_unit_test(f2_segments__only_empty_ones__is_refused),
		hv_unit_test(f2_segments__interpreter__is_refused),
		hv_unit_test(f2_filesz__above_memsz__is_refused),
		hv_unit_test(f2_offset__plus_filesz_past_the_file_or_wrapping__is_refused),
		hv_unit_test(elf__bss_only_segment__its_offset_does_not_matter),
		hv_unit_test(f2_address__plus_memsz_wraps__is_refused),
		hv_unit_test(f2_paddr__outside_of_ram__is_refused),
		hv_unit_test(f2_segments__overlapping__is_refused),
		hv_unit_test(f2_segments__16_and_17__limit_holds),
		hv_unit_test(f2_segments__most_headers_a_file_can_name__end_soon),
		hv_unit_test(f2_align__3_is_refused_and_0_means_none),
		hv_unit_test(f2_entry__outside_of_what_the_file_holds__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
