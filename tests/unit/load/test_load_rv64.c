/* SPDX-License-Identifier: MIT */
/* Kernels for riscv64: its Image (F3, F1), where else it differs, and kernels of other machines. */
#include <unit.h>

#include "load_kit.h"

#define RAM    0x80000000u
#define OFFSET HV_MIB(2)

static uint8_t bytes[8192];
static struct hv_load_plan plan;
static struct hv_load_error error;

static struct hv_guest guest_of(struct hv_blob kernel)
{
	struct hv_guest guest = kit_guest(kernel);

	guest.machine = HV_MACHINE_RISCV;
	guest.gic = 0;
	return guest;
}

static struct hv_guest image(uint64_t text_offset, uint64_t image_size)
{
	return guest_of(kit_image_rv64(bytes, 4096, text_offset, image_size));
}

/* The good Image with one field changed. */
static struct hv_guest image_with(uint64_t offset, unsigned size, uint64_t value)
{
	struct hv_guest guest = image(OFFSET, 8192);

	kit_put(bytes + offset, size, value);
	return guest;
}

static struct hv_guest elf(uint16_t machine, uint64_t at, uint64_t entry)
{
	struct hv_blob kernel = kit_elf(bytes, 256, 1, entry);

	kit_put(bytes + KIT_E_MACHINE, 2, machine);
	kit_put_phdr(bytes, 0,
		(struct kit_phdr){.type = 1,
			.offset = 128,
			.vaddr = at,
			.paddr = at,
			.filesz = 128,
			.memsz = 4096});
	return guest_of(kernel);
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(RAM), &plan, &error);
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

static void plan_image__debian_6_12_numbers__kernel_at_text_offset_rest_at_the_top(void **state)
{
	struct hv_guest guest = image(0x200000, 0x1e6b000);

	(void)state;
	guest.dtb.size = 5000;
	guest.initrd.size = 4097;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_LINUX_RV64);
	assert_int_equal(plan.entry.v, 0x80200000);
	assert_int_equal(plan.kernel.v, 0x80200000);
	assert_int_equal(plan.kernel_end.v, 0x80200000 + 0x1e6b000);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].file_size, 4096);
	assert_int_equal(plan.dtb.v, RAM + KIT_RAM_SIZE - HV_KIB(64));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 8192);
}

static void plan_image__text_offset_0__at_the_base_of_ram(void **state)
{
	(void)state;
	assert_int_equal(plan_for(image(0, 4096)), HV_OK);
	assert_int_equal(plan.entry.v, RAM);
}

static void plan_image__load_addr__a_multiple_of_2_mib(void **state)
{
	struct hv_guest guest = image(OFFSET, 8192);

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(RAM + HV_MIB(64));
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, RAM + HV_MIB(64));
	guest.load_addr = GPA(RAM + HV_MIB(64) + 4096);
	assert_refused(guest, "load address", 0, RAM + HV_MIB(64) + 4096,
		"not text_offset above a multiple of 2 MiB");
}

static void f3_image_rv64__size_0_or_below_the_file_or_beyond_ram__is_refused(void **state)
{
	static const uint64_t huge[] = {KIT_RAM_SIZE - OFFSET + 1, HV_BIT(63), UINT64_MAX};

	(void)state;
	assert_int_equal(plan_for(image(OFFSET, 4096)), HV_OK); /* as large as the file: no BSS */
	assert_refused(image(OFFSET, 0), "image_size", 16, 0, "missing, and mandatory");
	assert_refused(image(OFFSET, 4095), "image_size", 16, 4095, "smaller than the file");
	assert_refused(image(OFFSET, 1), "image_size", 16, 1, "smaller than the file");
	assert_int_equal(plan_for(image(OFFSET, KIT_RAM_SIZE - OFFSET)), HV_OK);
	for (size_t i = 0; i < HV_ARRAY_COUNT(huge); i++) {
		assert_refused(image(OFFSET, huge[i]), "image_size", 16, huge[i],
			"outside of the guest's RAM");
	}
}

static void f3_image_rv64__text_offset_unaligned_or_huge__is_refused(void **state)
{
	static const uint64_t odd[] = {1, 4096, HV_KIB(512), HV_MIB(1), HV_MIB(2) - 1, HV_MIB(3)};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(odd); i++) {
		assert_refused(
			image(odd[i], 4096), "text_offset", 8, odd[i], "not a multiple of 2 MiB");
	}
	assert_refused(image(UINT64_MAX - OFFSET + 1, 4096), "text_offset", 8,
		UINT64_MAX - OFFSET + 1, "the address wraps");
	assert_refused(
		image(HV_BIT(62), 4096), "image_size", 16, 4096, "outside of the guest's RAM");
	assert_refused(
		image(KIT_RAM_SIZE, 4096), "image_size", 16, 4096, "outside of the guest's RAM");
	assert_int_equal(plan_for(image(KIT_RAM_SIZE - OFFSET, 4096)), HV_OK);
}

static void f3_image_rv64__big_endian__is_refused_and_reserved_flags_are_not(void **state)
{
	(void)state;
	assert_refused(image_with(24, 8, 1), "flags", 24, 1, "a big-endian kernel");
	assert_int_equal(plan_for(image_with(24, 8, ~(uint64_t)1)), HV_OK);
	assert_int_equal(plan_for(image_with(36, 4, UINT32_MAX)), HV_OK); /* res1 */
	assert_int_equal(plan_for(image_with(40, 8, UINT64_MAX)), HV_OK); /* res2 */
	assert_int_equal(plan_for(image_with(60, 4, 0x40)), HV_OK);       /* PE header */
}

static void f3_image_rv64__version_and_magic2__are_judged_together(void **state)
{
	(void)state;
	assert_refused(image_with(32, 4, 0x10000), "version", 32, 0x10000,
		"unknown: the header's major version is not 0");
	assert_refused(image_with(32, 4, UINT32_MAX), "version", 32, UINT32_MAX,
		"unknown: the header's major version is not 0");
	assert_int_equal(plan_for(image_with(32, 4, 0xffff)), HV_OK);
	assert_refused(image_with(56, 4, 0x06435352), "magic2", 56, 0x06435352,
		"not RSC\\x05, as the header's version wants it");
	assert_int_equal(plan_for(image_with(48, 8, 0)), HV_OK); /* the old magic may go */
	assert_int_equal(plan.kind, HV_LOAD_LINUX_RV64);
}

static void f3_image_rv64__version_0_1__has_the_old_magic_only(void **state)
{
	struct hv_guest guest = image_with(32, 4, 1);

	(void)state;
	kit_put(bytes + 56, 4, 0);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_LINUX_RV64);
	bytes[55] = 1; /* eight bytes of it */
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_FLAT);
}

static void f1_image_rv64__prefixes_of_the_header__are_flat_below_64_bytes(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 80; size++) {
		struct hv_guest guest = image(OFFSET, 8192);

		guest.kernel = kit_exact(bytes, size);
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.kind, size < 64 ? HV_LOAD_FLAT : HV_LOAD_LINUX_RV64);
		assert_int_equal(plan.segment[0].mem_size, size < 64 ? size : 8192);
		free((void *)guest.kernel.data);
	}
}

static void f1_image_rv64__bytes_flipped_and_fields_at_edges__are_refused_or_sound(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 64; at++) {
		for (unsigned n = 0; n < KIT_FLIPS; n++) {
			struct hv_guest guest = image(OFFSET, 8192);

			bytes[at] ^= kit_flip(n);
			if (plan_for(guest) == HV_OK) {
				assert_true(hv_range_inside(plan.kernel.v,
					plan.kernel_end.v - plan.kernel.v, RAM, KIT_RAM_SIZE));
			}
		}
	}
	for (unsigned at = 0; at < 64; at += 8) {
		for (unsigned n = 0; n < KIT_EDGES; n++) {
			struct hv_guest guest = image_with(at, 8, kit_edge(n, 4096));

			if (plan_for(guest) == HV_OK) {
				assert_true(hv_range_inside(plan.kernel.v,
					plan.kernel_end.v - plan.kernel.v, RAM, KIT_RAM_SIZE));
			}
		}
	}
}

static void plan_flat__no_load_addr__2_mib_above_ram(void **state)
{
	struct hv_guest guest = guest_of((struct hv_blob){bytes, 5000});

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_FLAT);
	assert_int_equal(plan.entry.v, 0x80200000);
	assert_int_equal(plan.kernel_end.v, 0x80200000 + 5000);
}

static void plan_flat__load_addr__compressed_code_needs_2_bytes_of_alignment(void **state)
{
	struct hv_guest guest = guest_of((struct hv_blob){bytes, 16});

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	guest.has_load_addr = true;
	guest.load_addr = GPA(RAM + 2);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, RAM + 2);
	guest.load_addr = GPA(RAM + 1);
	assert_refused(guest, "load address", 0, RAM + 1, "not aligned to an instruction");
}

static void plan_elf__for_riscv__entered_at_any_2_bytes_with_the_dtb_at_the_top(void **state)
{
	struct hv_guest guest = elf(HV_MACHINE_RISCV, RAM + HV_MIB(2), RAM + HV_MIB(2) + 126);

	(void)state;
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_ELF64);
	assert_int_equal(plan.entry.v, RAM + HV_MIB(2) + 126);
	assert_int_equal(plan.dtb.v, RAM + KIT_RAM_SIZE - HV_KIB(64)); /* not at the free base */
	guest = elf(HV_MACHINE_RISCV, RAM, RAM + 1);
	assert_refused(guest, "e_entry", 24, RAM + 1, "not aligned to an instruction");
	guest = elf(HV_MACHINE_RISCV, RAM, RAM + 127);
	assert_refused(guest, "e_entry", 24, RAM + 127, "outside of what the file loads");
}

static void f2_kernel__of_another_machine__is_refused_by_name(void **state)
{
	struct hv_guest guest = elf(HV_MACHINE_AARCH64, RAM, RAM);

	(void)state;
	assert_refused(guest, "e_machine", 18, HV_MACHINE_AARCH64, "not for RISC-V");
	guest = elf(HV_MACHINE_RISCV, RAM, RAM);
	guest.machine = HV_MACHINE_AARCH64;
	assert_refused(guest, "e_machine", 18, HV_MACHINE_RISCV, "not for AArch64");
	guest = guest_of(kit_image(bytes, 4096, 0, 4096, 0));
	assert_refused(
		guest, "magic", 56, 0x644d5241, "an arm64 Image, which is not for this machine");
	guest = image(OFFSET, 4096);
	guest.machine = HV_MACHINE_AARCH64;
	assert_refused(
		guest, "magic", 56, 0x05435352, "a RISC-V Image, which is not for this machine");
}

static void plan__unknown_machine__is_refused(void **state)
{
	static const uint16_t machine[] = {0, 61, 182, 244, UINT16_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(machine); i++) {
		struct hv_guest guest = image(OFFSET, 4096);

		guest.machine = machine[i];
		assert_null(hv_load_machine(machine[i]));
		assert_int_equal(hv_load_plan(&hv_load_riscv64, &guest, GPA(RAM), &plan, &error),
			HV_ERR_INVALID);
		assert_string_equal(error.input, "machine");
		assert_string_equal(error.field, "e_machine");
		assert_int_equal(error.value, machine[i]);
		assert_string_equal(error.why, "not this one");
	}
}

/* As on QEMU, whose guests may know 32 bits of physical address only when they start. */
static void f7_dtb__much_ram__stays_below_3_gib(void **state)
{
	struct hv_guest guest = image(OFFSET, 4096);

	(void)state;
	guest.ram_size = HV_GIB(1);
	guest.dtb.size = guest.initrd.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, HV_GIB(3) - HV_KIB(64));
	guest.ram_size = HV_GIB(8);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, HV_GIB(3) - HV_KIB(64));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 4096);
	/* A kernel that is above itself does not care. */
	guest.has_load_addr = true;
	guest.load_addr = GPA(HV_GIB(3));
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, RAM + HV_GIB(8) - HV_KIB(64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(
			plan_image__debian_6_12_numbers__kernel_at_text_offset_rest_at_the_top),
		hv_unit_test(plan_image__text_offset_0__at_the_base_of_ram),
		hv_unit_test(plan_image__load_addr__a_multiple_of_2_mib),
		hv_unit_test(f3_image_rv64__size_0_or_below_the_file_or_beyond_ram__is_refused),
		hv_unit_test(f3_image_rv64__text_offset_unaligned_or_huge__is_refused),
		hv_unit_test(f3_image_rv64__big_endian__is_refused_and_reserved_flags_are_not),
		hv_unit_test(f3_image_rv64__version_and_magic2__are_judged_together),
		hv_unit_test(f3_image_rv64__version_0_1__has_the_old_magic_only),
		hv_unit_test(f1_image_rv64__prefixes_of_the_header__are_flat_below_64_bytes),
		hv_unit_test(
			f1_image_rv64__bytes_flipped_and_fields_at_edges__are_refused_or_sound),
		hv_unit_test(plan_flat__no_load_addr__2_mib_above_ram),
		hv_unit_test(plan_flat__load_addr__compressed_code_needs_2_bytes_of_alignment),
		hv_unit_test(plan_elf__for_riscv__entered_at_any_2_bytes_with_the_dtb_at_the_top),
		hv_unit_test(f2_kernel__of_another_machine__is_refused_by_name),
		hv_unit_test(plan__unknown_machine__is_refused),
		hv_unit_test(f7_dtb__much_ram__stays_below_3_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
