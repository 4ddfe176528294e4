/* SPDX-License-Identifier: MIT */
/* Where kernel, DTB and initrd go, and what is refused for want of room (F3, F7). */
#include <unit.h>

#include "load_kit.h"

static uint8_t bytes[8192];
static struct hv_load_plan plan;
static struct hv_load_error error;

static struct hv_guest image(uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	return kit_guest(kit_image(bytes, 4096, text_offset, image_size, flags));
}

static struct hv_guest flat(uint64_t size)
{
	memset(bytes, 0, sizeof(bytes));
	return kit_guest((struct hv_blob){bytes, size});
}

/* One segment at `at`, entered at its first byte. */
static struct hv_guest elf(uint64_t at, uint64_t mem_size)
{
	struct hv_blob kernel = kit_elf(bytes, 256, 1, at);

	kit_put_phdr(bytes, 0,
		(struct kit_phdr){.type = 1,
			.offset = 128,
			.vaddr = at,
			.paddr = at,
			.filesz = 128,
			.memsz = mem_size});
	return kit_guest(kernel);
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM), &plan, &error);
}

static void assert_refused(struct hv_guest guest, const char *input, const char *field,
	uint64_t offset, const char *why)
{
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.input, input);
	assert_string_equal(error.field, field);
	assert_int_equal(error.offset, offset);
	assert_string_equal(error.why, why);
}

static void load_kind__by_bytes__and_not_one_byte_less(void **state)
{
	struct hv_blob kernel;

	(void)state;
	kernel = elf(KIT_RAM, 128).kernel;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_ELF64);
	kernel.size = 4;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_ELF64);
	kernel.size = 3;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_FLAT);
	kernel.size = 256;
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] ^= 0x20;
		assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_FLAT);
		bytes[i] ^= 0x20;
	}
	kernel = image(0, 4096, 0).kernel;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_LINUX_A64);
	kernel.size = 64;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_LINUX_A64);
	kernel.size = 63;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_FLAT);
	kernel.size = 64;
	bytes[0] = 'M'; /* a PE stub in front is still an Image */
	bytes[1] = 'Z';
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_LINUX_A64);
	bytes[59] = 'e';
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_FLAT);
	kernel.size = 0;
	assert_int_equal(hv_load_kind(&hv_load_aarch64, kernel), HV_LOAD_FLAT);
}

static void load_kind_name__each_kind__has_its_own(void **state)
{
	(void)state;
	assert_string_equal(hv_load_kind_name(HV_LOAD_ELF64), "ELF64");
	assert_string_equal(hv_load_kind_name(HV_LOAD_LINUX_A64), "arm64 Image");
	assert_string_equal(hv_load_kind_name(HV_LOAD_LINUX_RV64), "RISC-V Image");
	assert_string_equal(hv_load_kind_name(HV_LOAD_BZIMAGE), "bzImage");
	assert_string_equal(hv_load_kind_name(HV_LOAD_PVH), "ELF with a PVH entry");
	assert_string_equal(hv_load_kind_name(HV_LOAD_MULTIBOOT), "multiboot image");
	assert_string_equal(hv_load_kind_name(HV_LOAD_FLAT), "flat binary");
}

static void plan_image__debian_6_1_numbers__kernel_at_ram_base_rest_at_the_top(void **state)
{
	struct hv_guest guest = image(0, 0x2010000, 0xa);

	(void)state;
	guest.dtb.size = 5000;
	guest.initrd.size = 3 * 4096 + 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_LINUX_A64);
	assert_int_equal(plan.entry.v, KIT_RAM);
	assert_int_equal(plan.kernel.v, KIT_RAM);
	assert_int_equal(plan.kernel_end.v, KIT_RAM + 0x2010000);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(64));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 4 * 4096);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].file_off, 0);
	assert_int_equal(plan.segment[0].file_size, 4096);
	assert_int_equal(plan.segment[0].mem_size, 0x2010000);
}

static void plan_image__no_initrd_no_dtb__places_are_0(void **state)
{
	(void)state;
	assert_int_equal(plan_for(image(0, 4096, 0)), HV_OK);
	assert_int_equal(plan.initrd.v, 0);
	assert_int_equal(plan.dtb.v, 0);
}

static void plan_image__text_offset__counts_from_2_mib_above_an_unaligned_base(void **state)
{
	struct hv_guest guest = image(0x80000, 0x100000, 0);

	(void)state;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, KIT_RAM + 0x80000);
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM + 4096), &plan, &error), HV_OK);
	assert_int_equal(plan.entry.v, KIT_RAM + HV_MIB(2) + 0x80000);
}

static void f3_image__size_0__takes_the_defaults_of_old_kernels(void **state)
{
	(void)state;
	assert_int_equal(plan_for(image(0x12345, 0, 0)), HV_OK);
	assert_int_equal(plan.entry.v, KIT_RAM + 0x80000);
	assert_int_equal(plan.kernel_end.v, KIT_RAM + 0x80000 + 4096);
}

static void f3_image__size_below_the_file__is_refused(void **state)
{
	(void)state;
	assert_int_equal(plan_for(image(0, 4096, 0)), HV_OK);
	assert_refused(image(0, 4095, 0), "kernel", "image_size", 16, "smaller than the file");
	assert_int_equal(error.value, 4095);
	assert_refused(image(0, 1, 0), "kernel", "image_size", 16, "smaller than the file");
}

static void f3_image__size_beyond_ram__is_refused(void **state)
{
	static const uint64_t bad[] = {KIT_RAM_SIZE + 1, HV_BIT(63), UINT64_MAX};

	(void)state;
	assert_int_equal(plan_for(image(0, KIT_RAM_SIZE, 0)), HV_OK);
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		assert_refused(image(0, bad[i], 0), "kernel", "image_size", 16,
			"outside of the guest's RAM");
		assert_int_equal(error.value, bad[i]);
	}
}

static void f3_image__big_endian__is_refused(void **state)
{
	(void)state;
	assert_refused(image(0, 4096, 0xb), "kernel", "flags", 24, "a big-endian kernel");
}

static void f3_image__every_page_size__is_the_kernels_affair(void **state)
{
	(void)state;
	for (uint64_t page = 0; page < 4; page++) {
		assert_int_equal(plan_for(image(0, 4096, page << 1)), HV_OK);
	}
}

static void f3_image__text_offset_unaligned_or_huge__is_refused(void **state)
{
	(void)state;
	assert_refused(
		image(0x80001, 4096, 0), "kernel", "text_offset", 8, "not a multiple of 4 KiB");
	assert_refused(
		image(UINT64_MAX - 4095, 4096, 0), "kernel", "text_offset", 8, "the address wraps");
	assert_refused(image(HV_BIT(62), 4096, 0), "kernel", "image_size", 16,
		"outside of the guest's RAM");
	assert_refused(image(KIT_RAM_SIZE, 4096, 0), "kernel", "image_size", 16,
		"outside of the guest's RAM");
	assert_int_equal(plan_for(image(KIT_RAM_SIZE - 4096, 4096, 0)), HV_OK);
}

static void plan_image__load_addr__where_text_offset_allows(void **state)
{
	struct hv_guest guest = image(0x80000, 0x100000, 0);

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x48080000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x48080000);
	guest.load_addr = GPA(0x48000000);
	assert_refused(
		guest, "kernel", "load address", 0, "not text_offset above a multiple of 2 MiB");
	assert_int_equal(error.value, 0x48000000);
	guest.load_addr = GPA(0x80000);
	assert_refused(guest, "kernel", "image_size", 16, "outside of the guest's RAM");
}

static void plan_flat__no_load_addr__512_kib_above_ram(void **state)
{
	struct hv_guest guest = flat(5000);

	(void)state;
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_FLAT);
	assert_int_equal(plan.entry.v, KIT_RAM + 0x80000);
	assert_int_equal(plan.kernel.v, plan.entry.v);
	assert_int_equal(plan.kernel_end.v, plan.entry.v + 5000);
	assert_int_equal(plan.segment[0].mem_size, 5000);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(64));
}

static void plan_flat__load_addr__is_entered_there(void **state)
{
	struct hv_guest guest = flat(8192);

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x48000000);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x48000000);
	guest.load_addr = GPA(0x48000002);
	assert_refused(guest, "kernel", "load address", 0, "not aligned to an instruction");
	guest.load_addr = GPA(KIT_RAM - 4);
	assert_refused(guest, "kernel", "load address", 0, "outside of the guest's RAM");
	guest.load_addr = GPA(KIT_RAM + KIT_RAM_SIZE - 8192);
	assert_int_equal(plan_for(guest), HV_OK);
	guest.load_addr.v += 4;
	assert_refused(guest, "kernel", "load address", 0, "outside of the guest's RAM");
	guest.load_addr = GPA(UINT64_MAX - 3);
	assert_refused(guest, "kernel", "load address", 0, "outside of the guest's RAM");
}

static void plan_flat__known_to_be_something_else__is_refused(void **state)
{
	static const struct {
		uint16_t offset;
		uint8_t size;
		const char *magic, *why;
	} foreign[] = {
		{0, 4, "\x1f\x8b\x08\x08", "compressed with gzip: unpack it first"},
		{0, 6, "\xfd\x37zXZ\0", "compressed with xz: unpack it first"},
		{0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first"},
		{0, 8, "MZ\0\0zimg", "an EFI zboot image: unpack it first"},
		{0, 2, "MZ", "an EFI program"},
		{0, 4, "\x27\x05\x19\x56", "wrapped for U-Boot: unwrap it first"},
		{0, 4, "\xd0\x0d\xfe\xed", "a device tree"},
		{0, 6, "070701", "a cpio archive"},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(foreign); i++) {
		const size_t size = (size_t)foreign[i].offset + foreign[i].size;
		struct hv_guest guest = flat(size);

		memcpy(bytes + foreign[i].offset, foreign[i].magic, foreign[i].size);
		guest.kernel = kit_exact(bytes, size);
		assert_int_equal(plan_for(guest), HV_ERR_INVALID);
		assert_string_equal(error.field, "magic");
		assert_string_equal(error.why, foreign[i].why);
		/* One byte less of it, and nobody can tell. */
		guest.kernel.size = foreign[i].offset + 1u;
		assert_int_equal(plan_for(guest), HV_OK);
		free((void *)guest.kernel.data);
	}
}

static void plan_kernel__empty__is_refused(void **state)
{
	(void)state;
	assert_refused(flat(0), "kernel", "size", 0, "the file is empty");
}

static void f7_ram__no_pages_or_past_the_address_space__is_refused(void **state)
{
	struct hv_guest guest = flat(4);

	(void)state;
	guest.ram_size = 0;
	assert_refused(guest, "ram", "size", 0, "not a positive multiple of 4 KiB");
	guest.ram_size = HV_MIB(2) + 1;
	assert_refused(guest, "ram", "size", 0, "not a positive multiple of 4 KiB");
	assert_int_equal(error.value, HV_MIB(2) + 1);
	guest.ram_size = UINT64_MAX - 4095;
	assert_refused(guest, "ram", "size", 0, "unaligned, or past the end of the address space");
	guest.ram_size = HV_MIB(2);
	assert_int_equal(hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM + 1), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.input, "ram");
}

static void plan_dtb__sizes_around_the_slots__are_aligned_and_cross_no_2_mib(void **state)
{
	static const uint64_t want[][2] = {
		{1, HV_KIB(64)},
		{HV_KIB(64), HV_KIB(64)},
		{HV_KIB(64) + 1, HV_KIB(128)},
		{HV_MIB(1) + 1, HV_MIB(2)},
		{HV_MIB(2), HV_MIB(2)},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(want); i++) {
		struct hv_guest guest = image(0, 4096, 0);

		guest.dtb.size = want[i][0];
		guest.initrd.size = 4096;
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - want[i][1]);
		assert_int_equal(plan.initrd.v, plan.dtb.v - 4096);
		/* A RAM size that is no multiple of the slot pushes it down, not across. */
		guest.ram_size = KIT_RAM_SIZE - 4096;
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - 2 * want[i][1]);
	}
}

static void f7_dtb__above_2_mib__is_refused(void **state)
{
	struct hv_guest guest = image(0, 4096, 0);

	(void)state;
	guest.dtb.size = HV_MIB(2) + 1;
	assert_refused(guest, "dtb", "size", 0, "larger than 2 MiB");
	assert_int_equal(error.value, HV_MIB(2) + 1);
	guest.dtb.size = UINT64_MAX;
	assert_refused(guest, "dtb", "size", 0, "larger than 2 MiB");
}

static void f7_dtb__gap_above_the_bss_just_fits_or_not__is_judged(void **state)
{
	struct hv_guest guest = image(0, KIT_RAM_SIZE - HV_KIB(64), 0);

	(void)state;
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, plan.kernel_end.v);
	guest = image(0, KIT_RAM_SIZE - HV_KIB(64) + 1, 0);
	guest.dtb.size = 1;
	assert_refused(guest, "dtb", "size", 0, "no room left in the guest's RAM");
}

static void f7_initrd__gap_between_bss_and_dtb_just_fits_or_not__is_judged(void **state)
{
	struct hv_guest guest = image(0, HV_MIB(128), 0);

	(void)state;
	guest.dtb.size = 1;
	guest.initrd.size = HV_MIB(128) - HV_KIB(64);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, plan.kernel_end.v);
	guest.initrd.size++;
	assert_refused(guest, "initrd", "size", 0, "no room left in the guest's RAM");
	guest.initrd.size = UINT64_MAX;
	assert_refused(guest, "initrd", "size", 0, "no room left in the guest's RAM");
	guest.initrd.size = KIT_RAM_SIZE;
	assert_refused(guest, "initrd", "size", 0, "no room left in the guest's RAM");
	guest.initrd.size = KIT_RAM + 2 * KIT_RAM_SIZE; /* more than the address of its end */
	assert_refused(guest, "initrd", "size", 0, "no room left in the guest's RAM");
}

static void plan_initrd__no_dtb__ends_at_the_end_of_ram(void **state)
{
	struct hv_guest guest = image(0, 4096, 0);

	(void)state;
	guest.initrd.size = 4097;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, KIT_RAM + KIT_RAM_SIZE - 8192);
}

static void plan__kernel_at_the_top__dtb_and_initrd_below_it(void **state)
{
	struct hv_guest guest = flat(4096);

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(KIT_RAM + KIT_RAM_SIZE - 8192);
	guest.dtb.size = 1;
	guest.initrd.size = 4096;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(128));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 4096);
	/* And into the gap above it, when one is left. */
	guest.dtb.size = 0;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, KIT_RAM + KIT_RAM_SIZE - 4096);
}

static void f7_plan__kernel_in_the_middle_of_little_ram__no_gap_is_enough(void **state)
{
	struct hv_guest guest = flat(4096);

	(void)state;
	guest.ram_size = HV_KIB(128);
	guest.has_load_addr = true;
	guest.load_addr = GPA(KIT_RAM + HV_KIB(64));
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM);
	guest.load_addr = GPA(KIT_RAM + HV_KIB(64) - 4096);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + HV_KIB(64));
	guest.load_addr = GPA(KIT_RAM + HV_KIB(64) - 4);
	assert_refused(guest, "dtb", "size", 0, "no room left in the guest's RAM");
}

static void f7_dtb__slot_would_start_below_unaligned_ram__is_refused(void **state)
{
	struct hv_guest guest = flat(4096);

	(void)state;
	guest.ram_size = HV_KIB(124);
	guest.has_load_addr = true;
	guest.load_addr = GPA(KIT_RAM + HV_KIB(124));
	guest.dtb.size = 1;
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM + HV_KIB(4)), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
	guest.ram_size = HV_KIB(128);
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM), &plan, &error), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM);
}

/* Two segments in the highest slot: what does not fit above them goes below both. */
static void plan_elf__segments_at_the_top_in_any_order__initrd_below_them(void **state)
{
	const uint64_t top = KIT_RAM + KIT_RAM_SIZE;
	const uint64_t at[] = {top - 0x1000, top - 0x3000};

	(void)state;
	for (unsigned swap = 0; swap < 2; swap++) {
		struct hv_guest guest = kit_guest(kit_elf(bytes, 256, 2, at[0]));

		for (unsigned i = 0; i < 2; i++) {
			const uint64_t to = at[i ^ swap];

			kit_put_phdr(bytes, i, (struct kit_phdr){1, 5, 0, to, to, 16, 16, 1});
		}
		guest.initrd.size = 0x4000;
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.initrd.v, top - 0x7000);
		guest.initrd.size = 0x1000;
		assert_int_equal(plan_for(guest), HV_OK);
		assert_int_equal(plan.initrd.v, top - 0x2000);
	}
}

static void plan_elf__base_of_ram_free__dtb_goes_there(void **state)
{
	struct hv_guest guest = elf(KIT_RAM + HV_KIB(64), 4096);

	(void)state;
	guest.dtb.size = 1;
	guest.initrd.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_ELF64);
	assert_int_equal(plan.dtb.v, KIT_RAM);
	assert_int_equal(plan.initrd.v, KIT_RAM + KIT_RAM_SIZE - 4096);
}

static void plan_elf__base_of_ram_taken_or_unaligned__dtb_goes_to_the_top(void **state)
{
	struct hv_guest guest = elf(KIT_RAM + HV_KIB(64) - 4, 4096);

	(void)state;
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(64));
	guest = elf(KIT_RAM, 4096);
	guest.dtb.size = 1;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(64));
	guest = elf(KIT_RAM + HV_MIB(4), 4096);
	guest.dtb.size = 1;
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(KIT_RAM + 4096), &plan, &error), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + KIT_RAM_SIZE - HV_KIB(64));
}

static void f7_elf__dtb_at_the_base__initrd_never_reaches_it(void **state)
{
	struct hv_guest guest = elf(KIT_RAM + HV_MIB(4), 4096);

	(void)state;
	guest.ram_size = HV_MIB(4) + 4096;
	guest.dtb.size = 1;
	guest.initrd.size = HV_MIB(4) - HV_KIB(64);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, KIT_RAM + HV_KIB(64));
	guest.initrd.size++;
	assert_refused(guest, "initrd", "size", 0, "no room left in the guest's RAM");
}

static void f7_elf__ram_smaller_than_a_dtb_slot__is_refused(void **state)
{
	struct hv_guest guest = elf(KIT_RAM, 4096);

	(void)state;
	guest.ram_size = HV_KIB(32);
	guest.dtb.size = 1;
	assert_refused(guest, "dtb", "size", 0, "no room left in the guest's RAM");
}

static void plan__ram_above_32_gib__all_stays_in_the_window_of_the_kernel(void **state)
{
	struct hv_guest guest = image(0, 4096, 0);

	(void)state;
	guest.ram_size = HV_GIB(64);
	guest.dtb.size = 1;
	guest.initrd.size = 4096;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + HV_GIB(32) - HV_KIB(64));
	assert_int_equal(plan.initrd.v, plan.dtb.v - 4096);
	guest.ram_size = HV_GIB(32);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.dtb.v, KIT_RAM + HV_GIB(32) - HV_KIB(64));
	/* A high RAM that is small has no business with the window. */
	guest.ram_size = KIT_RAM_SIZE;
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(HV_GIB(32)), &plan, &error), HV_OK);
	assert_int_equal(plan.dtb.v, HV_GIB(32) + KIT_RAM_SIZE - HV_KIB(64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(load_kind__by_bytes__and_not_one_byte_less),
		hv_unit_test(load_kind_name__each_kind__has_its_own),
		hv_unit_test(plan_image__debian_6_1_numbers__kernel_at_ram_base_rest_at_the_top),
		hv_unit_test(plan_image__no_initrd_no_dtb__places_are_0),
		hv_unit_test(plan_image__text_offset__counts_from_2_mib_above_an_unaligned_base),
		hv_unit_test(f3_image__size_0__takes_the_defaults_of_old_kernels),
		hv_unit_test(f3_image__size_below_the_file__is_refused),
		hv_unit_test(f3_image__size_beyond_ram__is_refused),
		hv_unit_test(f3_image__big_endian__is_refused),
		hv_unit_test(f3_image__every_page_size__is_the_kernels_affair),
		hv_unit_test(f3_image__text_offset_unaligned_or_huge__is_refused),
		hv_unit_test(plan_image__load_addr__where_text_offset_allows),
		hv_unit_test(plan_flat__no_load_addr__512_kib_above_ram),
		hv_unit_test(plan_flat__load_addr__is_entered_there),
		hv_unit_test(plan_flat__known_to_be_something_else__is_refused),
		hv_unit_test(plan_kernel__empty__is_refused),
		hv_unit_test(f7_ram__no_pages_or_past_the_address_space__is_refused),
		hv_unit_test(plan_dtb__sizes_around_the_slots__are_aligned_and_cross_no_2_mib),
		hv_unit_test(f7_dtb__above_2_mib__is_refused),
		hv_unit_test(f7_dtb__gap_above_the_bss_just_fits_or_not__is_judged),
		hv_unit_test(f7_initrd__gap_between_bss_and_dtb_just_fits_or_not__is_judged),
		hv_unit_test(plan_initrd__no_dtb__ends_at_the_end_of_ram),
		hv_unit_test(plan__kernel_at_the_top__dtb_and_initrd_below_it),
		hv_unit_test(f7_plan__kernel_in_the_middle_of_little_ram__no_gap_is_enough),
		hv_unit_test(f7_dtb__slot_would_start_below_unaligned_ram__is_refused),
		hv_unit_test(plan_elf__segments_at_the_top_in_any_order__initrd_below_them),
		hv_unit_test(plan_elf__base_of_ram_free__dtb_goes_there),
		hv_unit_test(plan_elf__base_of_ram_taken_or_unaligned__dtb_goes_to_the_top),
		hv_unit_test(f7_elf__dtb_at_the_base__initrd_never_reaches_it),
		hv_unit_test(f7_elf__ram_smaller_than_a_dtb_slot__is_refused),
		hv_unit_test(plan__ram_above_32_gib__all_stays_in_the_window_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
