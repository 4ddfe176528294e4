/* SPDX-License-Identifier: MIT */
/* ELF kernels for x86: those with a PVH entry, by notes of every shape, and plain ones (F1, F2). */
#include <unit.h>

#include "load_kit.h"

#define TEXT 0x1000000u
#define SIZE 1024u
#define NOTE 256u /* where the notes are in the file */

static uint8_t bytes[65536];
static struct hv_load_plan plan;
static struct hv_load_error error;

/* Returns where the next one goes. */
static unsigned put_note(
	unsigned at, const char *name, uint32_t type, uint32_t desc_size, uint64_t desc)
{
	uint32_t name_size = (uint32_t)strlen(name) + 1;

	kit_put(bytes + at, 4, name_size);
	kit_put(bytes + at + 4, 4, desc_size);
	kit_put(bytes + at + 8, 4, type);
	memcpy(bytes + at + 12, name, name_size);
	at += 12 + (name_size + 3) / 4 * 4;
	kit_put(bytes + at, desc_size > 8 ? 8 : desc_size, desc);
	return at + (desc_size + 3) / 4 * 4;
}

/* Text of 256 bytes, and notes: another of Xen's, the entry, one of GNU's. */
static struct hv_guest good(void)
{
	struct hv_blob kernel = kit_elf(bytes, SIZE, 2, TEXT);
	unsigned end;

	kit_put(bytes + KIT_E_MACHINE, 2, HV_MACHINE_X86_64);
	kit_put_phdr(bytes, 0,
		(struct kit_phdr){1, 5, 768, 0xffffffff81000000, TEXT, 256, 0x2000, 0x1000});
	end = put_note(NOTE, "Xen", 6, 6, 0x78756e696c);
	end = put_note(end, "Xen", 18, 4, TEXT + 128);
	end = put_note(end, "GNU", 3, 20, 0);
	kit_put_phdr(bytes, 1, (struct kit_phdr){4, 4, NOTE, 0, 0, end - NOTE, end - NOTE, 4});
	return kit_guest_x86(kernel);
}

static struct hv_guest good_32(void)
{
	struct hv_blob kernel = kit_elf32(bytes, SIZE, 2, TEXT);
	unsigned end = put_note(NOTE, "Xen", 18, 4, TEXT + 64);

	kit_put_phdr32(bytes, 0, (struct kit_phdr){1, 5, 768, TEXT, TEXT, 256, 0x2000, 4});
	kit_put_phdr32(bytes, 1, (struct kit_phdr){4, 4, NOTE, 0, 0, end - NOTE, end - NOTE, 4});
	return kit_guest_x86(kernel);
}

/* One note alone, of whatever sizes. */
static struct hv_guest note_of(const char *name, uint32_t type, uint32_t desc_size, uint64_t desc)
{
	struct hv_guest guest = good();
	unsigned end;

	memset(bytes + NOTE, 0, 256);
	end = put_note(NOTE, name, type, desc_size, desc);
	kit_put(bytes + kit_phdr_at(1, 32), 8, end - NOTE);
	return guest;
}

static enum hv_status plan_for(struct hv_guest guest)
{
	return hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(0), &plan, &error);
}

static void pvh__elf64_as_linux_has_it__entry_of_the_note_in_protected_mode(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_PVH);
	assert_int_equal(plan.entry.v, TEXT + 128);
	assert_int_equal(plan.tables.v, 0);
	assert_int_equal(plan.segment_count, 1);
	assert_int_equal(plan.segment[0].to.v, TEXT);
	assert_int_equal(plan.segment[0].mem_size, 0x2000);
	assert_true(kit_plan_is_sound(&plan, &guest));
	guest.has_load_addr = true;
	guest.load_addr = GPA(TEXT + HV_MIB(2));
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + HV_MIB(2) + 128);
}

static void pvh__elf32_for_i386__likewise(void **state)
{
	struct hv_guest guest = good_32();

	(void)state;
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_PVH);
	assert_int_equal(plan.entry.v, TEXT + 64);
	kit_put(bytes + KIT_E_MACHINE, 2, HV_MACHINE_X86_64); /* x32: nobody's kernel */
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.field, "EI_CLASS");
}

static void pvh__entry_of_8_bytes__is_taken(void **state)
{
	(void)state;
	assert_int_equal(plan_for(note_of("Xen", 18, 8, TEXT + 255)), HV_OK);
	assert_int_equal(plan.entry.v, TEXT + 255);
}

static void pvh__other_notes__are_no_entry(void **state)
{
	static const struct {
		const char *name;
		uint32_t type, desc_size;
	} other[] = {{"Xen", 17, 4}, {"Xem", 18, 4}, {"XenX", 18, 4}, {"Xe", 18, 4}, {"Xen", 18, 0},
		{"Xen", 18, 7}, {"Xen", 18, 16}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(other); i++) {
		struct hv_guest guest =
			note_of(other[i].name, other[i].type, other[i].desc_size, TEXT);

		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
	}
}

static void pvh__notes_aligned_to_8__are_read_so(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	memset(bytes + NOTE, 0, 256);
	/* Name of 6 bytes: the description is at 24 instead of 20; then the entry's at 16. */
	kit_put(bytes + NOTE, 4, 6);
	kit_put(bytes + NOTE + 4, 4, 4);
	memcpy(bytes + NOTE + 12, "Other", 6);
	put_note(NOTE + 32, "Xen", 18, 4, TEXT + 8);
	kit_put(bytes + kit_phdr_at(1, 32), 8, 32 + 20);
	kit_put(bytes + kit_phdr_at(1, 48), 8, 8);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_PVH);
	assert_int_equal(plan.entry.v, TEXT + 8);
	kit_put(bytes + kit_phdr_at(1, 48), 8, 4);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
}

static void f2_pvh__entry_outside_of_the_file__is_refused_at_the_note(void **state)
{
	static const uint64_t odd[] = {0, TEXT - 1, TEXT + 256, UINT64_MAX, 0xffffffff81000000};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(odd); i++) {
		assert_int_equal(plan_for(note_of("Xen", 18, 8, odd[i])), HV_ERR_INVALID);
		assert_string_equal(error.field, "XEN_ELFNOTE_PHYS32_ENTRY");
		assert_int_equal(error.offset, NOTE + 16);
		assert_int_equal(error.value, odd[i]);
		assert_string_equal(error.why, "outside of what the file loads");
	}
}

static void f2_pvh__segment_outside_of_ram__is_refused(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	kit_put(bytes + kit_phdr_at(0, 24), 8, KIT_RAM_SIZE - 0x1fff);
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.field, "p_paddr");
}

static void f1_pvh__notes_cut_anywhere__are_not_read_past(void **state)
{
	(void)state;
	for (unsigned size = 0; size <= 64; size++) {
		struct hv_guest guest = good();

		kit_put(bytes + kit_phdr_at(1, 32), 8, size);
		/* The first note takes 24 bytes, the entry's 20. */
		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel),
			size < 44 ? HV_LOAD_ELF64 : HV_LOAD_PVH);
	}
	/* Notes that leave the file are none. */
	{
		struct hv_guest guest = good();

		kit_put(bytes + kit_phdr_at(1, 32), 8, SIZE - NOTE + 1);
		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
		kit_put(bytes + kit_phdr_at(1, 32), 8, SIZE - NOTE);
		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_PVH);
		kit_put(bytes + kit_phdr_at(1, 8), 8, UINT64_MAX);
		assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
	}
}

static void f1_pvh__more_notes_than_are_looked_at__is_no_entry(void **state)
{
	struct hv_guest guest = good();
	const unsigned empty = 12;

	(void)state;
	guest.kernel.size = sizeof(bytes);
	kit_put(bytes + kit_phdr_at(1, 32), 8, sizeof(bytes) - NOTE);
	memset(bytes + NOTE, 0, SIZE);
	put_note(NOTE + 1023 * empty, "Xen", 18, 4, TEXT);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_PVH);
	memset(bytes + NOTE, 0, sizeof(bytes) - NOTE);
	put_note(NOTE + 1024 * empty, "Xen", 18, 4, TEXT);
	assert_int_equal(hv_load_kind(&hv_load_x86_64, guest.kernel), HV_LOAD_ELF64);
}

static void assert_refused_or_sound(size_t size)
{
	struct hv_guest guest = kit_guest_x86(kit_exact(bytes, size));

	if (plan_for(guest) == HV_OK) {
		assert_true(kit_plan_is_sound(&plan, &guest));
	} else {
		assert_non_null(error.why);
		assert_true(error.offset <= size);
	}
	free((void *)guest.kernel.data);
}

static void f1_pvh__prefixes_flips_and_edges__are_refused_or_sound(void **state)
{
	struct hv_guest (*const make[])(void) = {good, good_32};

	(void)state;
	for (size_t kind = 0; kind < HV_ARRAY_COUNT(make); kind++) {
		for (size_t size = 1; size <= SIZE; size++) {
			(void)make[kind]();
			assert_refused_or_sound(size);
		}
		for (unsigned at = 0; at < NOTE + 80; at++) {
			for (unsigned n = 0; n < KIT_FLIPS; n++) {
				(void)make[kind]();
				bytes[at] ^= kit_flip(n);
				assert_refused_or_sound(SIZE);
			}
			for (unsigned n = 0; n < KIT_EDGES; n++) {
				(void)make[kind]();
				kit_put(bytes + at, 8, kit_edge(n, SIZE));
				assert_refused_or_sound(SIZE);
			}
		}
	}
}

static void elf64__for_x86_64__entered_in_long_mode_at_any_byte(void **state)
{
	struct hv_guest guest = note_of("Xen", 17, 4, 0);

	(void)state;
	kit_put(bytes + KIT_E_ENTRY, 8, 0xffffffff81000003);
	assert_int_equal(plan_for(guest), HV_OK);
	assert_int_equal(plan.kind, HV_LOAD_ELF64);
	assert_int_equal(plan.entry.v, TEXT + 3);
	assert_true(plan.tables.v != 0);
	assert_true(kit_plan_is_sound(&plan, &guest));
	kit_put(bytes + KIT_E_MACHINE, 2, HV_MACHINE_AARCH64);
	assert_int_equal(plan_for(guest), HV_ERR_INVALID);
	assert_string_equal(error.why, "not for x86-64");
}

static void f2_pvh__on_another_machine__is_refused_by_name(void **state)
{
	struct hv_guest guest = good();

	(void)state;
	guest.machine = HV_MACHINE_AARCH64;
	assert_int_equal(
		hv_load_plan(hv_load_machine(guest.machine), &guest, GPA(KIT_RAM), &plan, &error),
		HV_ERR_INVALID);
	assert_string_equal(error.field, "e_machine");
	assert_string_equal(error.why, "not for AArch64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(pvh__elf64_as_linux_has_it__entry_of_the_note_in_protected_mode),
		hv_unit_test(pvh__elf32_for_i386__likewise),
		hv_unit_test(pvh__entry_of_8_bytes__is_taken),
		hv_unit_test(pvh__other_notes__are_no_entry),
		hv_unit_test(pvh__notes_aligned_to_8__are_read_so),
		hv_unit_test(f2_pvh__entry_outside_of_the_file__is_refused_at_the_note),
		hv_unit_test(f2_pvh__segment_outside_of_ram__is_refused),
		hv_unit_test(f1_pvh__notes_cut_anywhere__are_not_read_past),
		hv_unit_test(f1_pvh__more_notes_than_are_looked_at__is_no_entry),
		hv_unit_test(f1_pvh__prefixes_flips_and_edges__are_refused_or_sound),
		hv_unit_test(elf64__for_x86_64__entered_in_long_mode_at_any_byte),
		hv_unit_test(f2_pvh__on_another_machine__is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
