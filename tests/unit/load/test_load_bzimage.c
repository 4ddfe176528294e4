/* SPDX-License-Identifier: MIT */
/* bzImages: where they go, how they are entered, what their header may say (F4, F1). */
#include <unit.h>

#include "load_kit.h"

#define SIZE 4096u
#define CODE (SIZE - KIT_BZ_SETUP) /* bytes of the protected-mode part */
#define PREF 0x1000000u
#define INIT 0x3f97000u

static uint8_t bytes[256 * 512 + 4096];
static struct hv_load_plan plan;
static struct hv_load_error error;

static struct hv_guest good(void)
{
	return kit_guest_x86(kit_bzimage(bytes, SIZE));
}

static struct hv_guest with(uint64_t offset, unsigned size, uint64_t value)
{
	struct hv_guest guest = good();

	kit_put(bytes + offset, size, value);
	return guest;
}

/* Of a protocol version before these fields were. */
static struct hv_guest old(uint16_t version)
{
	return with(KIT_BZ_VERSION, 2, version);
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(0), &plan, &error);
}

static void assert_refused_by(struct hv_guest guest, const char *input, const char *field,
	uint64_t offset, uint64_t value, const char *why)
{
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.input, input);
	assert_string_equal(error.field, field);
	assert_int_equal(error.offset, offset);
	assert_int_equal(error.value, value);
	assert_string_equal(error.why, why);
}

static void assert_refused(
	struct hv_guest guest, const char *field, uint64_t offset, uint64_t value, const char *why)
{
	assert_refused_by(guest, "kernel", field, offset, value, why);
}

static void bzimage__debian_6_1_numbers__at_pref_address_by_the_64_bit_entry(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.initrd.size = 4097;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_BZIMAGE);
	assert_int_equal(plan.entry.v, PREF + 0x200);
	assert_int_equal(plan.kernel.v, PREF);
	assert_int_equal(plan.kernel_end.v, PREF + INIT);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].file_off, KIT_BZ_SETUP);
	assert_int_equal(plan.segment[0].file_size, CODE);
	assert_int_equal(plan.segment[0].mem_size, INIT);
	assert_true(plan.segment[0].own_bss);
	assert_int_equal(plan.initrd.v, KIT_RAM_SIZE - 8192);
	assert_int_equal(plan.dtb.v, 0);
	assert_true(plan.tables.v != 0);
	assert_true(kit_plan_is_sound(&plan, &guest));
}

static void bzimage__no_64_bit_entry__code32_start_counts_from_1_mib(void **state)
{
	(void)state;
	assert_int_equal(plan_for(with(KIT_BZ_XLOADFLAGS, 2, 0x7e)), HV_OK);
	assert_int_equal(plan.entry.v, PREF);
	assert_int_equal(plan.tables.v, 0); /* in protected mode */
	kit_put(bytes + KIT_BZ_CODE32_START, 4, 0x100000 + CODE - 1);
	assert_int_equal(plan_for(kit_guest_x86((struct hv_blob){bytes, SIZE})), HV_OK);
	assert_int_equal(plan.entry.v, PREF + CODE - 1);
	kit_put(bytes + KIT_BZ_CODE32_START, 4, 0x100000 + CODE);
	assert_refused(kit_guest_x86((struct hv_blob){bytes, SIZE}), "code32_start",
		KIT_BZ_CODE32_START, 0x100000 + CODE, "an entry outside of what the file loads");
	kit_put(bytes + KIT_BZ_CODE32_START, 4, 0xfffff);
	assert_refused(kit_guest_x86((struct hv_blob){bytes, SIZE}), "code32_start",
		KIT_BZ_CODE32_START, 0xfffff, "an entry outside of what the file loads");
	/* Before 2.12 there were no xloadflags. */
	assert_int_equal(plan_for(old(0x20b)), HV_OK);
	assert_int_equal(plan.entry.v, PREF);
	assert_int_equal(plan_for(old(0x20c)), HV_OK);
	assert_int_equal(plan.entry.v, PREF + 0x200);
}

static void bzimage__shorter_than_its_64_bit_entry__is_refused(void **state)
{
	struct hv_guest guest = kit_guest_x86(kit_bzimage(bytes, KIT_BZ_SETUP + 0x200));

	(void)state;
	assert_refused(guest, "xloadflags", KIT_BZ_XLOADFLAGS, 1,
		"an entry outside of what the file loads");
	guest.kernel = kit_bzimage(bytes, KIT_BZ_SETUP + 0x201);
	assert_int_equal(plan_for(guest), HV_OK);
}

static void bzimage__not_relocatable__at_1_mib_with_room_where_it_runs(void **state)
{
	(void)state;
	assert_int_equal(plan_for(with(KIT_BZ_RELOCATABLE, 1, 0)), HV_OK);
	assert_int_equal(plan.kernel.v, HV_MIB(1));
	assert_int_equal(plan.kernel_end.v, PREF + INIT);
	assert_int_equal(plan.entry.v, HV_MIB(1) + 0x200);
	/* Its alignment does not matter. */
	kit_put(bytes + KIT_BZ_ALIGNMENT, 4, 0);
	assert_int_equal(plan_for(kit_guest_x86((struct hv_blob){bytes, SIZE})), HV_OK);
	/* Nor relocatable_kernel before 2.05, nor the last two fields before 2.10. */
	assert_int_equal(plan_for(old(0x204)), HV_OK);
	assert_int_equal(plan.kernel.v, HV_MIB(1));
	assert_int_equal(plan.kernel_end.v, HV_MIB(1) + CODE);
	assert_int_equal(plan_for(old(0x205)), HV_OK);
	assert_int_equal(plan.kernel.v, HV_MIB(2));
	assert_int_equal(plan_for(old(0x209)), HV_OK);
	assert_int_equal(plan.kernel.v, HV_MIB(2));
	assert_int_equal(plan.kernel_end.v, HV_MIB(2) + CODE);
	assert_int_equal(plan_for(old(0x20a)), HV_OK);
	assert_int_equal(plan.kernel.v, PREF);
}

static void bzimage__pref_address_between_alignments__goes_up(void **state)
{
	(void)state;
	assert_int_equal(plan_for(with(KIT_BZ_PREF_ADDRESS, 8, PREF + 1)), HV_OK);
	assert_int_equal(plan.kernel.v, PREF + HV_MIB(2));
}

static void bzimage__load_addr__where_the_kernel_can_run(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(PREF);
	assert_int_equal(plan_for(guest), HV_OK);
	guest.load_addr = GPA(PREF + HV_MIB(2));
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, PREF + HV_MIB(2) + 0x200);
	guest.load_addr = GPA(PREF - HV_MIB(2));
	assert_refused(guest, "load address", 0, PREF - HV_MIB(2),
		"below pref_address, or not aligned to kernel_alignment");
	guest.load_addr = GPA(PREF + HV_MIB(1));
	assert_refused(guest, "load address", 0, PREF + HV_MIB(1),
		"below pref_address, or not aligned to kernel_alignment");
	bytes[KIT_BZ_RELOCATABLE] = 0;
	guest.load_addr = GPA(PREF);
	assert_refused(
		guest, "load address", 0, PREF, "not 1 MiB, and the kernel is not relocatable");
	guest.load_addr = GPA(HV_MIB(1));
	assert_int_equal(plan_for(guest), HV_OK);
}

static void f4_bzimage__setup_sects_0__means_4(void **state)
{
	(void)state;
	assert_int_equal(plan_for(with(KIT_BZ_SETUP_SECTS, 1, 0)), HV_ERR_INVALID); /* syssize */
	kit_put(bytes + KIT_BZ_SYSSIZE, 4, (SIZE - 5 * 512) / 16);
	assert_int_equal(plan_for(kit_guest_x86((struct hv_blob){bytes, SIZE})), HV_OK);
	assert_int_equal(plan.segment[0].file_off, 5 * 512);
	assert_int_equal(plan.segment[0].file_size, SIZE - 5 * 512);
}

static void f4_bzimage__setup_sects_255__is_128_kib(void **state)
{
	struct hv_guest guest = kit_guest_x86(kit_bzimage(bytes, 256 * 512 + 4096));

	(void)state;
	bytes[KIT_BZ_SETUP_SECTS] = 255;
	kit_put(bytes + KIT_BZ_SYSSIZE, 4, 4096 / 16);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.segment[0].file_off, 256 * 512);
	guest.kernel.size = 256 * 512;
	assert_refused(guest, "setup_sects", KIT_BZ_SETUP_SECTS, 255,
		"the real-mode part leaves nothing of the file");
}

static void f4_bzimage__syssize_beyond_the_file_or_wrapping__is_refused(void **state)
{
	static const uint64_t huge[] = {
		CODE / 16 + 1, HV_BIT(28) + 1, HV_BIT(31), UINT32_MAX}; /* the 2nd wraps 32 bits */

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(huge); i++) {
		assert_refused(with(KIT_BZ_SYSSIZE, 4, huge[i]), "syssize", KIT_BZ_SYSSIZE, huge[i],
			"past the end of the file");
	}
	assert_int_equal(plan_for(with(KIT_BZ_SYSSIZE, 4, CODE / 16)), HV_OK);
	/* A signature behind the kernel is not in it, and the last 16 bytes need not be whole. */
	assert_int_equal(plan_for(with(KIT_BZ_SYSSIZE, 4, 1)), HV_OK);
	{
		struct hv_guest guest = good();

		guest.kernel.size = SIZE - 15;
		assert_int_equal(plan_for(guest), HV_OK);
		guest.kernel.size = SIZE - 16;
		assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	}
	/* Of 16 bits before 2.04, with something else in the upper half. */
	{
		struct hv_guest guest = old(0x203);

		kit_put(bytes + KIT_BZ_SYSSIZE, 4, UINT32_MAX);
		assert_int_equal(plan_for(guest), HV_OK);
	}
}

static void f4_bzimage__version_and_loadflags__old_ones_and_zimages_are_refused(void **state)
{
	(void)state;
	assert_refused(old(0x201), "version", KIT_BZ_VERSION, 0x201, "older than 2.02");
	assert_refused(old(0), "version", KIT_BZ_VERSION, 0, "older than 2.02");
	assert_int_equal(plan_for(old(0x202)), HV_OK);
	assert_int_equal(plan_for(old(UINT16_MAX)), HV_OK); /* newer ones only add */
	assert_refused(with(KIT_BZ_LOADFLAGS, 1, 0xfe), "loadflags", KIT_BZ_LOADFLAGS, 0xfe,
		"a zImage, which is loaded below 1 MiB");
	assert_refused(with(KIT_BZ_BOOT_FLAG, 2, 0x55aa), "boot_flag", KIT_BZ_BOOT_FLAG, 0x55aa,
		"not 0xaa55");
}

static void f4_bzimage__kernel_alignment_no_power_of_two__is_refused(void **state)
{
	static const uint64_t odd[] = {0, 3, 0x300000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(odd); i++) {
		assert_refused(with(KIT_BZ_ALIGNMENT, 4, odd[i]), "kernel_alignment",
			KIT_BZ_ALIGNMENT, odd[i], "not a power of two");
	}
	assert_int_equal(plan_for(with(KIT_BZ_ALIGNMENT, 4, 1)), HV_OK);
	assert_refused(with(KIT_BZ_ALIGNMENT, 4, HV_BIT(31)), "init_size", KIT_BZ_INIT_SIZE, INIT,
		"outside of the guest's RAM");
}

static void f4_bzimage__pref_address_and_init_size_at_edges__are_judged(void **state)
{
	static const uint64_t odd[] = {0, 0xfffff, HV_GIB(4), HV_BIT(63), UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(odd); i++) {
		assert_refused(with(KIT_BZ_PREF_ADDRESS, 8, odd[i]), "pref_address",
			KIT_BZ_PREF_ADDRESS, odd[i], "not between 1 MiB and 4 GiB");
	}
	assert_refused(with(KIT_BZ_PREF_ADDRESS, 8, UINT32_MAX), "init_size", KIT_BZ_INIT_SIZE,
		INIT, "outside of the guest's RAM");
	assert_int_equal(plan_for(with(KIT_BZ_PREF_ADDRESS, 8, HV_MIB(2))), HV_OK);
	assert_int_equal(plan.kernel.v, HV_MIB(2));
	assert_int_equal(plan_for(with(KIT_BZ_INIT_SIZE, 4, KIT_RAM_SIZE - PREF)), HV_OK);
	assert_refused(with(KIT_BZ_INIT_SIZE, 4, KIT_RAM_SIZE - PREF + 1), "init_size",
		KIT_BZ_INIT_SIZE, KIT_RAM_SIZE - PREF + 1, "outside of the guest's RAM");
	assert_refused(with(KIT_BZ_INIT_SIZE, 4, UINT32_MAX), "init_size", KIT_BZ_INIT_SIZE,
		UINT32_MAX, "outside of the guest's RAM");
	assert_int_equal(plan_for(with(KIT_BZ_INIT_SIZE, 4, 0)), HV_OK);
	assert_int_equal(plan.kernel_end.v, PREF + CODE); /* at least the file */
}

static void f4_bzimage__initrd_addr_max__is_kept(void **state)
{
	struct hv_guest guest = with(KIT_BZ_INITRD_MAX, 4, 0xffffff); /* below the kernel */

	(void)state;
	guest.initrd.size = 4096;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, 0x1000000 - 4096);
	kit_put(bytes + KIT_BZ_INITRD_MAX, 4, 0xfffffe);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, 0x1000000 - 8192); /* a page that it reaches into is out */
	kit_put(bytes + KIT_BZ_INITRD_MAX, 4, 0x100fff);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, 0x100000);
	for (uint32_t max = 0x100ffe; max != 0; max >>= 4) {
		kit_put(bytes + KIT_BZ_INITRD_MAX, 4, max);
		assert_refused_by(
			guest, "initrd", "size", 0, 4096, "no room left in the guest's RAM");
	}
	kit_put(bytes + KIT_BZ_INITRD_MAX, 4, UINT32_MAX);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, KIT_RAM_SIZE - 4096);
	/* Before 2.03 it was a constant. */
	guest = old(0x202);
	guest.ram_size = HV_GIB(2);
	guest.initrd.size = 4096;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, 0x38000000 - 4096);
	guest = old(0x203);
	guest.ram_size = HV_GIB(2);
	guest.initrd.size = 4096;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, HV_GIB(2) - 4096);
}

static void f4_bzimage__cmdline_size__is_kept(void **state)
{
	static char words[2049];
	struct hv_guest guest = with(KIT_BZ_CMDLINE_SIZE, 4, 0);

	(void)state;
	memset(words, 'x', sizeof(words));
	assert_int_equal(plan_for(guest), HV_OK); /* none needs no room */
	guest.cmdline = (struct hv_blob){words, 1};
	assert_refused_by(guest, "cmdline", "size", 0, 1, "longer than the kernel takes");
	kit_put(bytes + KIT_BZ_CMDLINE_SIZE, 4, 1);
	assert_int_equal(plan_for(guest), HV_OK);
	kit_put(bytes + KIT_BZ_CMDLINE_SIZE, 4, UINT32_MAX); /* ours is smaller then */
	guest.cmdline.size = 2047;
	assert_int_equal(plan_for(guest), HV_OK);
	guest.cmdline.size = 2048;
	assert_refused_by(guest, "cmdline", "size", 0, 2048, "longer than the kernel takes");
	/* Before 2.06 it was a constant. */
	guest = old(0x205);
	guest.cmdline = (struct hv_blob){words, 255};
	assert_int_equal(plan_for(guest), HV_OK);
	guest.cmdline.size = 256;
	assert_refused_by(guest, "cmdline", "size", 0, 256, "longer than the kernel takes");
	guest = old(0x206);
	guest.cmdline = (struct hv_blob){words, 256};
	assert_int_equal(plan_for(guest), HV_OK);
}

static void f7_bzimage__initrd_against_init_size__goes_below_or_is_refused(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.ram_size = PREF + HV_MIB(64);
	guest.initrd.size = 0x69000; /* all that is above */
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, PREF + INIT);
	guest.initrd.size++;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, PREF - 0x6a000);
	guest.initrd.size = PREF - HV_MIB(1);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.initrd.v, HV_MIB(1));
	guest.initrd.size++;
	assert_refused_by(guest, "initrd", "size", 0, PREF - HV_MIB(1) + 1,
		"no room left in the guest's RAM");
}

static void f1_bzimage__every_prefix__is_flat_refused_or_sound(void **state)
{
	(void)state;
	for (size_t size = 1; size <= SIZE; size++) {
		struct hv_guest guest = good();
		enum hv_status status;

		guest.kernel = kit_exact(bytes, size);
		status = plan_for(guest);
		if (size < KIT_BZ_VERSION + 2) {
			assert_int_equal(plan.kind, HV_LOAD_FLAT);
		} else {
			assert_int_equal(plan.kind, HV_LOAD_BZIMAGE);
			assert_int_equal(status == HV_OK, size > SIZE - 16);
		}
		if (status == HV_OK) {
			assert_true(kit_plan_is_sound(&plan, &guest));
		}
		free((void *)guest.kernel.data);
	}
}

static void assert_refused_or_sound(void)
{
	struct hv_guest guest = kit_guest_x86(kit_exact(bytes, SIZE));

	guest.initrd.size = 5000;
	guest.cmdline = (struct hv_blob){"a b", 3};
	if (plan_for(guest) == HV_OK) {
		assert_true(kit_plan_is_sound(&plan, &guest));
	} else {
		assert_non_null(error.why);
		assert_true(error.offset < SIZE);
	}
	free((void *)guest.kernel.data);
}

static void f1_bzimage__bytes_flipped_and_fields_at_edges__are_refused_or_sound(void **state)
{
	(void)state;
	for (unsigned at = 0x1f0; at < 0x270; at++) {
		for (unsigned n = 0; n < KIT_FLIPS; n++) {
			(void)good();
			bytes[at] ^= kit_flip(n);
			assert_refused_or_sound();
		}
		for (unsigned n = 0; n < KIT_EDGES; n++) {
			(void)with(at, 8, kit_edge(n, SIZE));
			assert_refused_or_sound();
			(void)with(at, 4, kit_edge(n, SIZE));
			assert_refused_or_sound();
		}
	}
}

static void f2_bzimage__on_another_machine__is_refused_by_name(void **state)
{
	struct hv_guest guest = kit_guest(kit_bzimage(bytes, SIZE));

	(void)state;
	assert_int_equal(
		hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(KIT_RAM), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.field, "magic");
	assert_int_equal(error.offset, KIT_BZ_MAGIC);
	assert_string_equal(error.why, "a kernel for x86, which is not for this machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(bzimage__debian_6_1_numbers__at_pref_address_by_the_64_bit_entry),
		hv_unit_test(bzimage__no_64_bit_entry__code32_start_counts_from_1_mib),
		hv_unit_test(bzimage__shorter_than_its_64_bit_entry__is_refused),
		hv_unit_test(bzimage__not_relocatable__at_1_mib_with_room_where_it_runs),
		hv_unit_test(bzimage__pref_address_between_alignments__goes_up),
		hv_unit_test(bzimage__load_addr__where_the_kernel_can_run),
		hv_unit_test(f4_bzimage__setup_sects_0__means_4),
		hv_unit_test(f4_bzimage__setup_sects_255__is_128_kib),
		hv_unit_test(f4_bzimage__syssize_beyond_the_file_or_wrapping__is_refused),
		hv_unit_test(f4_bzimage__version_and_loadflags__old_ones_and_zimages_are_refused),
		hv_unit_test(f4_bzimage__kernel_alignment_no_power_of_two__is_refused),
		hv_unit_test(f4_bzimage__pref_address_and_init_size_at_edges__are_judged),
		hv_unit_test(f4_bzimage__initrd_addr_max__is_kept),
		hv_unit_test(f4_bzimage__cmdline_size__is_kept),
		hv_unit_test(f7_bzimage__initrd_against_init_size__goes_below_or_is_refused),
		hv_unit_test(f1_bzimage__every_prefix__is_flat_refused_or_sound),
		hv_unit_test(f1_bzimage__bytes_flipped_and_fields_at_edges__are_refused_or_sound),
		hv_unit_test(f2_bzimage__on_another_machine__is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
