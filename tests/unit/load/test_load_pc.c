/* SPDX-License-Identifier: MIT */
/* What a kernel for x86 is started with: where it is, and every byte of it (F7, F2). */
#include <unit.h>

#include "load_kit.h"

#define RAM_SIZE HV_MIB(4)
#define BLOCK    0x88000u /* where it is when nothing is in the way */
#define TABLES   BLOCK
#define INFO     (BLOCK + 0x6000u)
#define GDT      (BLOCK + 0x7000u)
#define CMDLINE  (BLOCK + 0x7100u)
#define INITRD   (RAM_SIZE - 8192u)

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t bytes[8192], initrd[5000], want[4096];
static const char words[] = "console=ttyS0 quiet";
static struct hv_gmem gmem;
static struct hv_load_plan plan;
static struct hv_load_error error;

/* RAM full of a pattern, so that every byte that changes is seen. */
static void make_ram(uint64_t size)
{
	const struct hv_gmem_region region = {.gpa = {0},
		.size = size,
		.hpa = {0x80000000},
		.host = ram,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};

	memset(ram, 0xa5, sizeof(ram));
	memset(&gmem, 0, sizeof(gmem));
	assert_int_equal(hv_gmem_add(&gmem, &region), HV_OK);
}

static struct hv_guest guest_of(struct hv_blob kernel)
{
	struct hv_guest guest = kit_guest_x86(kernel);

	memset(initrd, 0x33, sizeof(initrd));
	guest.ram_size = RAM_SIZE;
	guest.initrd = (struct hv_blob){initrd, sizeof(initrd)};
	guest.cmdline = (struct hv_blob){words, sizeof(words) - 1};
	return guest;
}

static struct hv_guest bzimage(void)
{
	struct hv_guest guest = guest_of(kit_bzimage(bytes, 4096));

	memset(bytes + KIT_BZ_SETUP, 0x11, 4096 - KIT_BZ_SETUP);
	kit_put(bytes + KIT_BZ_PREF_ADDRESS, 8, 0x200000);
	kit_put(bytes + KIT_BZ_INIT_SIZE, 4, 0x20000);
	return guest;
}

static struct hv_guest multiboot(void)
{
	struct hv_blob kernel = kit_elf32(bytes, 4096, 1, 0x100000 + 128);

	kit_put_phdr32(bytes, 0, (struct kit_phdr){1, 7, 0, 0x100000, 0x100000, 4096, 8192, 4});
	kit_put_multiboot(bytes + 256, 3);
	return guest_of(kernel);
}

static struct hv_guest flat(void)
{
	memset(bytes, 0x90, 4096);
	return guest_of((struct hv_blob){bytes, 4096});
}

/* An ELF of segments of 4 KiB each, without a protocol of its own. */
static struct hv_guest elf_at(unsigned count, const uint64_t *at, const uint64_t *size)
{
	struct hv_blob kernel = kit_elf(bytes, 4096, (uint16_t)count, at[0]);

	kit_put(bytes + KIT_E_MACHINE, 2, HV_MACHINE_X86_64);
	for (unsigned i = 0; i < count; i++) {
		kit_put_phdr(bytes, i, (struct kit_phdr){1, 7, 0, at[i], at[i], 1, size[i], 1});
	}
	return guest_of(kernel);
}

static enum hv_status plan_for(const struct hv_guest *guest)
{
	return hv_load_plan(hv_load_machine(guest->machine), guest, GPA(0), &plan, &error);
}

static void load(struct hv_guest guest)
{
	make_ram(RAM_SIZE);
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_true(kit_plan_is_sound(&plan, &guest));
	assert_int_equal(hv_load_commit(&hv_load_x86_64, &guest, &plan, &gmem), HV_OK);
}

static bool is_all(uint64_t at, uint8_t byte, uint64_t end)
{
	for (; at < end; at++) {
		if (ram[at] != byte) {
			return false;
		}
	}
	return true;
}

/* What boot information says of 4 MiB of RAM: base, size, type. */
static const uint64_t map[4][3] = {
	{0, 0x9fc00, 1},
	{0x9fc00, 0x400, 2},
	{0xe0000, 0x20000, 2},
	{0x100000, RAM_SIZE - 0x100000, 1},
};

static void assert_refused(const struct hv_guest *guest, const char *input, const char *field,
	uint64_t offset, uint64_t value, const char *why)
{
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.input, input);
	assert_string_equal(error.field, field);
	assert_int_equal(error.offset, offset);
	assert_int_equal(error.value, value);
	assert_string_equal(error.why, why);
}

/* ---- what is written ---- */

static void commit_bzimage__boot_params__are_the_boot_protocols(void **state)
{
	struct hv_guest guest = bzimage();

	(void)state;
	kit_put(bytes + KIT_BZ_SETUP_DATA, 8, 0x123456789a); /* whatever a file says */
	kit_put(bytes + KIT_BZ_CODE32_START, 4, 0x100123);
	load(guest);
	assert_int_equal(plan.info.v, INFO);
	assert_int_equal(plan.initrd.v, INITRD);
	memset(want, 0, sizeof(want));
	memcpy(want + 0x1f1, bytes + 0x1f1, 0x202 + 0x6a - 0x1f1);
	kit_put(want + 0x070, 8, 0xe0000);  /* acpi_rsdp_addr */
	want[0x1e8] = 4;                    /* e820_entries */
	want[0x210] = 0xff;                 /* type_of_loader: none that has a number */
	kit_put(want + 0x214, 4, 0x200000); /* code32_start */
	kit_put(want + 0x218, 4, INITRD);   /* ramdisk_image */
	kit_put(want + 0x21c, 4, 5000);     /* ramdisk_size */
	kit_put(want + 0x228, 4, CMDLINE);  /* cmd_line_ptr */
	kit_put(want + 0x250, 8, 0);        /* setup_data */
	for (unsigned i = 0; i < 4; i++) {
		kit_put(want + 0x2d0 + 20 * i, 8, map[i][0]);
		kit_put(want + 0x2d0 + 20 * i + 8, 8, map[i][1]);
		kit_put(want + 0x2d0 + 20 * i + 16, 4, map[i][2]);
	}
	assert_memory_equal(ram + INFO, want, 4096);
}

static void commit_bzimage__no_initrd__is_said(void **state)
{
	struct hv_guest guest = bzimage();

	(void)state;
	guest.initrd = (struct hv_blob){0};
	guest.cmdline = (struct hv_blob){0};
	load(guest);
	assert_int_equal(hv_le32(ram + INFO + 0x218), 0);
	assert_int_equal(hv_le32(ram + INFO + 0x21c), 0);
	assert_int_equal(hv_le32(ram + INFO + 0x228), CMDLINE);
	assert_int_equal(ram[CMDLINE], 0);
}

static void f4_bzimage__header_ends_early_or_late__no_other_field_is_touched(void **state)
{
	struct hv_guest guest = bzimage();

	(void)state;
	memset(bytes + 0x264, 0x77, 0x100);
	bytes[KIT_BZ_JUMP] = 0xff; /* to 0x301 */
	load(guest);
	assert_true(is_all(INFO + 0x264, 0x77, INFO + 0x290));
	assert_true(is_all(INFO + 0x290, 0, INFO + 0x2d0));
	bytes[KIT_BZ_JUMP] = 0x290 - 0x202;
	load(guest);
	assert_true(is_all(INFO + 0x264, 0x77, INFO + 0x290));
	assert_int_equal(ram[INFO + 0x290], 0);
	bytes[KIT_BZ_JUMP] = 0;
	load(guest);
	assert_memory_equal(ram + INFO + 0x1f1, bytes + 0x1f1, 0x202 - 0x1f1);
	assert_int_equal(hv_le32(ram + INFO + 0x202), 0);
	assert_int_equal(hv_le32(ram + INFO + 0x228), CMDLINE); /* ours all the same */
}

static void commit_bzimage__kernel__only_its_bytes_are_written(void **state)
{
	(void)state;
	load(bzimage());
	assert_true(is_all(0, 0xa5, BLOCK));
	assert_true(is_all(BLOCK + 0x8000, 0xa5, 0x200000));
	assert_true(is_all(0x200000, 0x11, 0x200000 + 3072));
	assert_true(is_all(0x200000 + 3072, 0xa5, INITRD)); /* its BSS is its own affair */
	assert_true(is_all(INITRD, 0x33, INITRD + 5000));
	assert_true(is_all(INITRD + 5000, 0xa5, RAM_SIZE));
}

static void commit__command_line__ends_with_a_nul(void **state)
{
	(void)state;
	load(bzimage());
	assert_int_equal(plan.cmdline.v, CMDLINE);
	assert_string_equal((char *)ram + CMDLINE, words);
	assert_true(is_all(CMDLINE + sizeof(words) - 1, 0, BLOCK + 0x8000));
}

static void commit__long_mode__tables_map_4_gib_one_to_one(void **state)
{
	(void)state;
	load(flat());
	assert_int_equal(plan.tables.v, TABLES);
	assert_int_equal(hv_le64(ram + TABLES), TABLES + 0x1007);
	assert_true(is_all(TABLES + 8, 0, TABLES + 0x1000));
	for (unsigned i = 0; i < 4; i++) {
		uint64_t level_2 = TABLES + 0x2000 + 0x1000 * i;

		assert_int_equal(hv_le64(ram + TABLES + 0x1000 + 8 * i), level_2 | 7);
		for (unsigned k = 0; k < 512; k++) {
			assert_int_equal(hv_le64(ram + level_2 + 8 * k),
				(HV_GIB(1) * i + HV_MIB(2) * k) | 0x87);
		}
	}
	assert_true(is_all(TABLES + 0x1020, 0, TABLES + 0x2000));
}

static void commit__gdt__code_is_of_the_mode_of_the_entry(void **state)
{
	(void)state;
	load(flat());
	assert_int_equal(plan.gdt.v, GDT);
	assert_true(is_all(GDT, 0, GDT + 0x10));
	assert_int_equal(hv_le64(ram + GDT + 0x10), 0x00af9b000000ffff);
	assert_int_equal(hv_le64(ram + GDT + 0x18), 0x00cf93000000ffff);
	assert_true(is_all(GDT + HV_LOAD_GDT_SIZE, 0, CMDLINE));
	load(multiboot());
	assert_int_equal(plan.tables.v, 0);
	assert_true(is_all(TABLES, 0, INFO)); /* no paging, no tables */
	assert_int_equal(hv_le64(ram + GDT + 0x10), 0x00cf9b000000ffff);
	assert_int_equal(hv_le64(ram + GDT + 0x18), 0x00cf93000000ffff);
}

static void commit_flat__hvm_start_info__is_version_1(void **state)
{
	(void)state;
	load(flat());
	memset(want, 0, sizeof(want));
	kit_put(want, 4, 0x336ec578);
	kit_put(want + 4, 4, 1);            /* version */
	kit_put(want + 12, 4, 1);           /* nr_modules */
	kit_put(want + 16, 8, INFO + 0x40); /* modlist_paddr */
	kit_put(want + 24, 8, CMDLINE);     /* cmdline_paddr */
	kit_put(want + 32, 8, 0xe0000);     /* rsdp_paddr */
	kit_put(want + 40, 8, INFO + 0x80); /* memmap_paddr */
	kit_put(want + 48, 4, 4);           /* memmap_entries */
	kit_put(want + 0x40, 8, INITRD);
	kit_put(want + 0x48, 8, 5000);
	for (unsigned i = 0; i < 4; i++) {
		kit_put(want + 0x80 + 24 * i, 8, map[i][0]);
		kit_put(want + 0x80 + 24 * i + 8, 8, map[i][1]);
		kit_put(want + 0x80 + 24 * i + 16, 4, map[i][2]);
	}
	assert_memory_equal(ram + INFO, want, 4096);
}

static void commit_flat__no_initrd__no_module(void **state)
{
	struct hv_guest guest = flat();

	(void)state;
	guest.initrd = (struct hv_blob){0};
	load(guest);
	assert_true(is_all(INFO + 12, 0, INFO + 24));
	assert_true(is_all(INFO + 0x40, 0, INFO + 0x80));
}

static void commit_multiboot__information__is_the_specifications(void **state)
{
	(void)state;
	load(multiboot());
	memset(want, 0, sizeof(want));
	kit_put(want, 4, 1u << 0 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9); /* flags */
	kit_put(want + 4, 4, 639);                                         /* mem_lower, KiB */
	kit_put(want + 8, 4, 3072);                                        /* mem_upper */
	kit_put(want + 16, 4, CMDLINE);
	kit_put(want + 20, 4, 1); /* mods_count */
	kit_put(want + 24, 4, INFO + 0x80);
	kit_put(want + 44, 4, 4 * 24); /* mmap_length */
	kit_put(want + 48, 4, INFO + 0xc0);
	kit_put(want + 64, 4, INFO + 0x180); /* boot_loader_name */
	kit_put(want + 0x80, 4, INITRD);     /* mod_start, mod_end, string */
	kit_put(want + 0x84, 4, INITRD + 5000);
	kit_put(want + 0x88, 4, INFO + 0x90);
	for (unsigned i = 0; i < 4; i++) {
		kit_put(want + 0xc0 + 24 * i, 4, 20);
		kit_put(want + 0xc4 + 24 * i, 8, map[i][0]);
		kit_put(want + 0xcc + 24 * i, 8, map[i][1]);
		kit_put(want + 0xd4 + 24 * i, 4, map[i][2]);
	}
	memcpy(want + 0x180, "Drydock", 7);
	assert_memory_equal(ram + INFO, want, 4096);
}

static void commit_multiboot__no_initrd__no_module(void **state)
{
	struct hv_guest guest = multiboot();

	(void)state;
	guest.initrd = (struct hv_blob){0};
	load(guest);
	assert_int_equal(hv_le32(ram + INFO + 20), 0);
	assert_int_equal(hv_le32(ram + INFO + 24), 0);
	assert_true(is_all(INFO + 0x80, 0, INFO + 0xc0));
}

static void f2_commit__memory_missing__nothing_is_written(void **state)
{
	struct hv_guest guest = bzimage();

	(void)state;
	make_ram(0x8f000); /* all but the block's last page, and what is above */
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(hv_load_commit(&hv_load_x86_64, &guest, &plan, &gmem), HV_ERR_RANGE);
	assert_true(is_all(0, 0xa5, RAM_SIZE));
	{ /* the block alone */
		const uint64_t at = 0x10000, size = 4096;

		guest = elf_at(1, &at, &size);
		guest.initrd = (struct hv_blob){0};
		assert_int_equal(plan_for(&guest), HV_OK);
		assert_int_equal(
			hv_load_commit(&hv_load_x86_64, &guest, &plan, &gmem), HV_ERR_RANGE);
		assert_true(is_all(0, 0xa5, RAM_SIZE));
	}
	make_ram(0x90000);
	assert_int_equal(hv_load_commit(&hv_load_x86_64, &guest, &plan, &gmem), HV_OK);
}

/* ---- where it goes ---- */

static void f7_block__segments_in_low_memory__it_goes_below_them(void **state)
{
	static const struct {
		uint64_t at, size, block; /* 0: refused */
	} cases[] = {
		{0x90000, 0xfc00, BLOCK},
		{0x8ffff, 1, BLOCK - 0x1000},
		{BLOCK, 1, BLOCK - 0x8000},
		{BLOCK - 1, 1, BLOCK},
		{0x0, 0x88000, BLOCK},
		{0x0, 0x88001, 0},
		{0x18000, 0x78000, 0x10000},
		{0x17fff, 0x78001, 0},
		{0x4000, 0x1000, BLOCK},
		{0x4000, 0x9bc00, 0},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct hv_guest guest = elf_at(1, &cases[i].at, &cases[i].size);

		if (cases[i].block == 0) {
			assert_refused(&guest, "kernel", "segments", 0, 0x10000,
				"no room left below 640 KiB for boot information");
		} else {
			assert_int_equal(plan_for(&guest), HV_OK);
			assert_int_equal(plan.tables.v, cases[i].block);
			assert_true(kit_plan_is_sound(&plan, &guest));
		}
	}
}

static void f7_block__gap_between_segments__is_found(void **state)
{
	static const uint64_t at[] = {0x8000, 0x48000}, size[] = {0x38000, 0x50000};
	struct hv_guest guest = elf_at(2, at, size);

	(void)state;
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.tables.v, 0x40000);
	kit_put(bytes + kit_phdr_at(0, 40), 8, 0x38001);
	assert_int_equal(plan_for(&guest), HV_ERR_INVALID);
	kit_put(bytes + kit_phdr_at(0, 40), 8, 0x30000 - 0x8000);
	kit_put(bytes + kit_phdr_at(1, 24), 8, 0x37fff);
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.tables.v, 0x88000);
}

static void f2_segment__in_the_hole_below_1_mib__is_refused(void **state)
{
	static const struct {
		uint64_t at, size;
		bool ok;
	} cases[] = {{0x9fbff, 1, true}, {0x9fbff, 2, false}, {0xffffe, 2, false},
		{0x100000, 1, true}, {0xe0000, 1, false}, {0x1000, 0x100000, false}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct hv_guest guest = elf_at(1, &cases[i].at, &cases[i].size);

		if (cases[i].ok) {
			assert_int_equal(plan_for(&guest), HV_OK);
		} else {
			assert_refused(&guest, "kernel", "p_paddr", kit_phdr_at(0, 24), cases[i].at,
				"in what is no RAM between 639 KiB and 1 MiB");
		}
	}
}

static void plan_flat__no_load_addr__at_2_mib(void **state)
{
	struct hv_guest guest = flat();

	(void)state;
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_FLAT);
	assert_int_equal(plan.entry.v, HV_MIB(2));
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x100001); /* code has no alignment */
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.entry.v, 0x100001);
	guest.load_addr = GPA(0x7c00);
	assert_int_equal(plan_for(&guest), HV_OK);
}

static void f7_cmdline__long_or_with_a_nul__is_refused(void **state)
{
	static char text[2048];
	struct hv_guest guest = flat();

	(void)state;
	memset(text, 'x', sizeof(text));
	guest.cmdline = (struct hv_blob){text, 2047};
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_true(kit_plan_is_sound(&plan, &guest));
	guest.cmdline.size = 2048;
	assert_refused(&guest, "cmdline", "size", 0, 2048, "longer than the kernel takes");
	guest.cmdline.size = 2047;
	text[2046] = '\0';
	assert_refused(&guest, "cmdline", "text", 2046, 0, "ends before its end");
}

static void f7_inputs__a_tree_here_or_a_command_line_elsewhere__are_refused(void **state)
{
	struct hv_guest guest = flat();

	(void)state;
	guest.dtb = guest.kernel;
	assert_refused(
		&guest, "dtb", "size", 0, 4096, "this machine is described by ACPI, not by a tree");
	guest = flat();
	guest.machine = HV_MACHINE_AARCH64;
	assert_refused(&guest, "cmdline", "size", 0, sizeof(words) - 1,
		"this machine's is in its tree, in /chosen");
	guest.machine = HV_MACHINE_RISCV;
	assert_refused(&guest, "cmdline", "size", 0, sizeof(words) - 1,
		"this machine's is in its tree, in /chosen");
}

static void f7_ram__not_a_pcs__is_refused(void **state)
{
	const char *why = "a PC's, which starts at 0 and reaches beyond 1 MiB";
	const uint64_t at = 0x1000, size = 1;
	struct hv_guest guest = elf_at(1, &at, &size);

	(void)state;
	guest.initrd = (struct hv_blob){0};
	guest.ram_size = HV_MIB(1);
	assert_refused(&guest, "ram", "size", 0, HV_MIB(1), why);
	guest.ram_size = HV_MIB(1) + 4096;
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(
		hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(4096), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.why, why);
}

static void plan__more_than_3_gib__rest_is_at_4_gib(void **state)
{
	struct hv_guest guest = bzimage();

	(void)state;
	guest.ram_size = HV_GIB(3);
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.initrd.v, 0x80000000 - 8192); /* initrd_addr_max */
	kit_put(bytes + KIT_BZ_INITRD_MAX, 4, UINT32_MAX);
	guest.ram_size = HV_GIB(3) + 4096;
	assert_int_equal(plan_for(&guest), HV_OK);
	assert_int_equal(plan.initrd.v, HV_GIB(3) - 8192);
	guest.initrd = (struct hv_blob){0};
	guest.ram_size = HV_GIB(3);
	load(guest);
	assert_int_equal(ram[INFO + 0x1e8], 4);
	guest.ram_size = HV_GIB(3) + 4096;
	load(guest);
	assert_int_equal(ram[INFO + 0x1e8], 5);
	assert_int_equal(hv_le64(ram + INFO + 0x2d0 + 68), HV_GIB(3) - HV_MIB(1));
	assert_int_equal(hv_le64(ram + INFO + 0x2d0 + 80), HV_GIB(4));
	assert_int_equal(hv_le64(ram + INFO + 0x2d0 + 88), 4096);
	assert_int_equal(hv_le32(ram + INFO + 0x2d0 + 96), 1);
	/* Nothing is loaded up there. */
	guest.has_load_addr = true;
	guest.load_addr = GPA(HV_GIB(4));
	assert_int_equal(plan_for(&guest), HV_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(commit_bzimage__boot_params__are_the_boot_protocols),
		hv_unit_test(commit_bzimage__no_initrd__is_said),
		hv_unit_test(f4_bzimage__header_ends_early_or_late__no_other_field_is_touched),
		hv_unit_test(commit_bzimage__kernel__only_its_bytes_are_written),
		hv_unit_test(commit__command_line__ends_with_a_nul),
		hv_unit_test(commit__long_mode__tables_map_4_gib_one_to_one),
		hv_unit_test(commit__gdt__code_is_of_the_mode_of_the_entry),
		hv_unit_test(commit_flat__hvm_start_info__is_version_1),
		hv_unit_test(commit_flat__no_initrd__no_module),
		hv_unit_test(commit_multiboot__information__is_the_specifications),
		hv_unit_test(commit_multiboot__no_initrd__no_module),
		hv_unit_test(f2_commit__memory_missing__nothing_is_written),
		hv_unit_test(f7_block__segments_in_low_memory__it_goes_below_them),
		hv_unit_test(f7_block__gap_between_segments__is_found),
		hv_unit_test(f2_segment__in_the_hole_below_1_mib__is_refused),
		hv_unit_test(plan_flat__no_load_addr__at_2_mib),
		hv_unit_test(f7_cmdline__long_or_with_a_nul__is_refused),
		hv_unit_test(f7_inputs__a_tree_here_or_a_command_line_elsewhere__are_refused),
		hv_unit_test(f7_ram__not_a_pcs__is_refused),
		hv_unit_test(plan__more_than_3_gib__rest_is_at_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
