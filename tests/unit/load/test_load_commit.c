/* SPDX-License-Identifier: MIT */
/* What ends up in guest memory, and that nothing does when something is wrong (F1, F2). */
#include <unit.h>

#include "load_kit.h"

#define RAM_SIZE  0x40000u /* 256 KiB, in two regions that meet at SPLIT */
#define SPLIT     0x8000u
#define FILE_SIZE 600u

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t bytes[4096];
static struct hv_gmem gmem;
static struct hv_load_plan plan;
static struct hv_load_error error;

/* RAM full of a pattern, so that every byte that changes is seen. */
static void make_ram(void)
{
	const struct hv_gmem_region low = {.gpa = {KIT_RAM},
		.size = SPLIT,
		.hpa = {0x80000000},
		.host = ram,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};
	const struct hv_gmem_region high = {.gpa = {KIT_RAM + SPLIT},
		.size = RAM_SIZE - SPLIT,
		.hpa = {0x90000000},
		.host = ram + SPLIT,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X};

	memset(ram, 0xa5, sizeof(ram));
	memset(&gmem, 0, sizeof(gmem));
	assert_int_equal(hv_gmem_add(&gmem, &low), HV_OK);
	assert_int_equal(hv_gmem_add(&gmem, &high), HV_OK);
}

static struct hv_guest guest_of(struct hv_blob kernel)
{
	struct hv_guest guest = kit_guest(kernel);

	guest.ram_size = RAM_SIZE;
	return guest;
}

static enum hv_status load(const struct hv_guest *guest)
{
	enum hv_status status =
		hv_load_plan(hv_load_machine(guest->machine), guest, GPA(KIT_RAM), &plan, &error);

	return status == HV_OK
		       ? hv_load_commit(hv_load_machine(guest->machine), guest, &plan, &gmem)
		       : status;
}

static bool is_all(const uint8_t *at, uint8_t byte, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i] != byte) {
			return false;
		}
	}
	return true;
}

/* The kernels of the sweeps: 600 bytes that fit RAM. */
static struct hv_blob make_image(void)
{
	struct hv_blob kernel = kit_image(bytes, FILE_SIZE, 0x1000, 0x2000, 0xa);

	memset(bytes + 64, 0x11, FILE_SIZE - 64);
	return kernel;
}

static struct hv_blob make_elf(void)
{
	struct hv_blob kernel = kit_elf(bytes, FILE_SIZE, 2, KIT_RAM + 0x1004);

	kit_put_phdr(bytes, 0,
		(struct kit_phdr){1, 5, 200, KIT_RAM + 0x1000, KIT_RAM + 0x1000, 100, 200, 8});
	kit_put_phdr(bytes, 1,
		(struct kit_phdr){1, 6, 300, KIT_RAM + 0x7ff0, KIT_RAM + 0x7ff0, 300, 600, 8});
	memset(bytes + 200, 0x11, FILE_SIZE - 200);
	return kernel;
}

static struct hv_blob make_flat(void)
{
	memset(bytes, 0x11, FILE_SIZE);
	return (struct hv_blob){bytes, FILE_SIZE};
}

static void commit_image__file_then_zeroes__up_to_image_size_and_no_further(void **state)
{
	struct hv_guest guest = guest_of(make_image());

	(void)state;
	make_ram();
	assert_int_equal(load(&guest), HV_OK);
	assert_true(is_all(ram, 0xa5, 0x1000));
	assert_memory_equal(ram + 0x1000, bytes, FILE_SIZE);
	assert_true(is_all(ram + 0x1000 + FILE_SIZE, 0, 0x2000 - FILE_SIZE));
	assert_true(is_all(ram + 0x3000, 0xa5, RAM_SIZE - 0x3000));
}

static void commit_elf__segment_across_two_regions__is_whole_and_its_bss_zero(void **state)
{
	struct hv_guest guest = guest_of(make_elf());

	(void)state;
	make_ram();
	assert_int_equal(load(&guest), HV_OK);
	assert_memory_equal(ram + 0x1000, bytes + 200, 100);
	assert_true(is_all(ram + 0x1000 + 100, 0, 100));
	assert_true(is_all(ram + 0x1000 + 200, 0xa5, 0x7ff0 - 0x10c8));
	assert_memory_equal(ram + 0x7ff0, bytes + 300, 300);
	assert_true(is_all(ram + 0x7ff0 + 300, 0, 300));
	assert_true(is_all(ram + 0x7ff0 + 600, 0xa5, 64));
}

static void commit__initrd_and_dtb__are_where_the_plan_says(void **state)
{
	struct hv_guest guest = guest_of(make_elf());
	static uint8_t initrd[5000], dtb[100];

	(void)state;
	memset(initrd, 0x22, sizeof(initrd));
	memset(dtb, 0x33, sizeof(dtb));
	guest.initrd = (struct hv_blob){initrd, sizeof(initrd)};
	guest.dtb = (struct hv_blob){dtb, sizeof(dtb)};
	make_ram();
	assert_int_equal(load(&guest), HV_OK);
	assert_true(is_all(ram + (plan.initrd.v - KIT_RAM), 0x22, sizeof(initrd)));
	assert_int_equal(ram[plan.initrd.v - KIT_RAM - 1], 0xa5);
	assert_true(is_all(ram + (plan.dtb.v - KIT_RAM), 0x33, sizeof(dtb)));
	assert_int_equal(ram[plan.dtb.v - KIT_RAM + sizeof(dtb)], 0xa5);
}

static void commit__what_was_written__is_made_visible_per_region(void **state)
{
	struct hv_guest guest = guest_of(make_elf());

	(void)state;
	make_ram();
	assert_int_equal(load(&guest), HV_OK);
	assert_int_equal(fake_port.syncs, 3); /* one segment, and two halves of the other */
	assert_ptr_equal(fake_port.synced, ram + SPLIT);
	assert_int_equal(fake_port.synced_size, 600 - 16);
	guest = guest_of(make_image());
	assert_int_equal(load(&guest), HV_OK);
	assert_ptr_equal(fake_port.synced, ram + 0x1000);
	assert_int_equal(fake_port.synced_size, 0x2000);
}

static void f2_commit__memory_lacks_a_part__nothing_is_written(void **state)
{
	struct hv_guest guest = guest_of(make_elf());
	static const uint8_t dtb[100];

	(void)state;
	guest.dtb = (struct hv_blob){dtb, sizeof(dtb)};
	for (unsigned missing = 0; missing < 2; missing++) {
		make_ram();
		gmem.region[missing].prot = HV_PROT_R | HV_PROT_X;
		assert_int_equal(load(&guest), HV_ERR_RANGE);
		assert_true(is_all(ram, 0xa5, RAM_SIZE));
	}
}

static void f2_commit__only_segment_is_not_writable__nothing_is_written(void **state)
{
	struct hv_guest guest = guest_of(make_image());

	(void)state;
	make_ram();
	gmem.region[0].prot = HV_PROT_R;
	assert_int_equal(load(&guest), HV_ERR_RANGE);
	assert_true(is_all(ram, 0xa5, RAM_SIZE));
}

static void commit__most_segments_with_initrd_and_dtb__all_arrive(void **state)
{
	struct hv_guest guest =
		guest_of(kit_elf(bytes, sizeof(bytes), HV_LOAD_SEGMENTS, KIT_RAM + 0x10000));

	(void)state;
	for (unsigned i = 0; i < HV_LOAD_SEGMENTS; i++) {
		const uint64_t to = KIT_RAM + 0x10000 + i * 16;

		kit_put_phdr(bytes, i, (struct kit_phdr){1, 5, 2048, to, to, 16, 16, 1});
	}
	memset(bytes + 2048, 0x44, 16);
	guest.initrd = guest.dtb = (struct hv_blob){bytes + 2048, 16};
	make_ram();
	assert_int_equal(load(&guest), HV_OK);
	assert_true(is_all(ram + 0x10000, 0x44, HV_LOAD_SEGMENTS * 16));
	assert_true(is_all(ram + (plan.initrd.v - KIT_RAM), 0x44, 16));
	assert_true(is_all(ram + (plan.dtb.v - KIT_RAM), 0x44, 16));
}

/* Whatever these bytes are: refused with an error that says where, or loaded inside RAM. */
static void try_exact(const void *data, size_t size, bool has_load_addr)
{
	struct hv_guest guest = guest_of(kit_exact(data, size));

	guest.has_load_addr = has_load_addr;
	guest.load_addr = GPA(KIT_RAM + 0x1000);
	guest.dtb = guest.initrd = guest.kernel;
	guest.dtb.size = guest.initrd.size = size < 16 ? size : 16;
	if (load(&guest) == HV_OK) {
		assert_true(kit_plan_is_sound(&plan, &guest));
	} else {
		assert_non_null(error.input);
		assert_non_null(error.field);
		assert_non_null(error.why);
		assert_true(error.offset <= size);
	}
	free((void *)guest.kernel.data);
}

static struct hv_blob (*const make_kernel[])(void) = {make_image, make_elf, make_flat};

static void f1_kernel__every_prefix__is_refused_or_loaded_safely(void **state)
{
	(void)state;
	make_ram();
	for (size_t kind = 0; kind < HV_ARRAY_COUNT(make_kernel); kind++) {
		struct hv_blob kernel = make_kernel[kind]();

		for (size_t size = 0; size <= kernel.size; size++) {
			try_exact(kernel.data, size, false);
			try_exact(kernel.data, size, true);
		}
	}
}

static void f1_kernel__each_byte_flipped__is_refused_or_loaded_safely(void **state)
{
	(void)state;
	make_ram();
	for (size_t kind = 0; kind < HV_ARRAY_COUNT(make_kernel); kind++) {
		struct hv_blob kernel = make_kernel[kind]();

		for (size_t i = 0; i < kernel.size; i++) {
			for (unsigned flip = 0; flip < KIT_FLIPS; flip++) {
				bytes[i] ^= kit_flip(flip);
				try_exact(bytes, kernel.size, true);
				bytes[i] ^= kit_flip(flip);
			}
		}
	}
}

static void f1_kernel__each_field_set_to_an_edge__is_refused_or_loaded_safely(void **state)
{
	(void)state;
	make_ram();
	for (size_t kind = 0; kind < HV_ARRAY_COUNT(make_kernel); kind++) {
		struct hv_blob kernel = make_kernel[kind]();

		for (size_t i = 0; i + 8 <= kernel.size && i < 184; i += 2) {
			for (unsigned edge = 0; edge < KIT_EDGES; edge++) {
				uint8_t saved[8];

				memcpy(saved, bytes + i, 8);
				kit_put(bytes + i, 8, kit_edge(edge, kernel.size));
				try_exact(bytes, kernel.size, false);
				try_exact(bytes, kernel.size, true);
				memcpy(bytes + i, saved, 8);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(commit_image__file_then_zeroes__up_to_image_size_and_no_further),
		hv_unit_test(commit_elf__segment_across_two_regions__is_whole_and_its_bss_zero),
		hv_unit_test(commit__initrd_and_dtb__are_where_the_plan_says),
		hv_unit_test(commit__what_was_written__is_made_visible_per_region),
		hv_unit_test(f2_commit__memory_lacks_a_part__nothing_is_written),
		hv_unit_test(f2_commit__only_segment_is_not_writable__nothing_is_written),
		hv_unit_test(commit__most_segments_with_initrd_and_dtb__all_arrive),
		hv_unit_test(f1_kernel__every_prefix__is_refused_or_loaded_safely),
		hv_unit_test(f1_kernel__each_byte_flipped__is_refused_or_loaded_safely),
		hv_unit_test(f1_kernel__each_field_set_to_an_edge__is_refused_or_loaded_safely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
