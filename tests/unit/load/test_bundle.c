/* SPDX-License-Identifier: MIT */
/* Bundles: what a manifest says, and that everything it gets wrong is refused (F8). */
#include <unit.h>

#include <hv/bits.h>
#include <hv/bundle.h>
#include <hv/vm.h>

#include "fdt_kit.h"
#include "load_kit.h"

#define TOTAL (16u * 4096u)
#define MANY  ((1u + HV_BUNDLE_VMS * 4u) * 4096u) /* the most images there can be */

static _Alignas(8) uint8_t buf[MANY];
static struct hv_bundle bundle;
static struct hv_guest guest;
static struct hv_load_error error;

/* One bundle under construction: the manifest is edited with libfdt before it is opened. */
static void begin(void)
{
	memset(buf, 0, sizeof(buf));
	assert_int_equal(fdt_create_empty_tree(buf, 4096), 0);
	fdt_setprop_string(buf, 0, "compatible", "drydock,bundle-1");
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_AARCH64);
	fdt_setprop_u64(buf, 0, "total-size", TOTAL);
}

static void set_image(int node, const char *name, uint64_t offset, uint64_t size)
{
	fdt64_t cell[2] = {cpu_to_fdt64(offset), cpu_to_fdt64(size)};

	assert_int_equal(fdt_setprop(buf, node, name, cell, sizeof(cell)), 0);
}

static int find_vm(const char *name)
{
	return fdt_subnode_offset(buf, 0, name);
}

/* libfdt puts a new node first: add them from the last to the first. */
static void add_vm(const char *name, uint64_t kernel)
{
	int node = fdt_add_subnode(buf, 0, name);

	assert_true(node > 0);
	assert_int_equal(fdt_setprop_u32(buf, node, "cpus", 1), 0);
	assert_int_equal(fdt_setprop_u32(buf, node, "gic-version", 3), 0);
	assert_int_equal(fdt_setprop_u64(buf, node, "memory-size", HV_MIB(128)), 0);
	set_image(node, "kernel", kernel, 4096);
}

static enum hv_status open_bundle(void)
{
	memset(&error, 0, sizeof(error));
	return hv_bundle_open(
		&bundle, HV_MACHINE_AARCH64, (struct hv_blob){buf, sizeof(buf)}, &error);
}

static void assert_refused(const char *input, const char *field, const char *why)
{
	assert_int_equal(open_bundle(), HV_ERR_INVALID);
	assert_string_equal(error.input, input);
	assert_string_equal(error.field, field);
	assert_string_equal(error.why, why);
	assert_int_equal(bundle.vm_count, 0);
	assert_int_equal(bundle.blob.size, 0);
}

static void begin_one(void)
{
	begin();
	add_vm("vm@0", 4096);
}

static void bundle__all_properties__reach_the_guest(void **state)
{
	int node;

	(void)state;
	begin();
	fdt_setprop_string(buf, 0, "token", "0123456789abcdef");
	fdt_setprop(buf, 0, "stats", "", 0);
	add_vm("vm@0", 4096);
	node = find_vm("vm@0");
	set_image(node, "initrd", 2 * 4096, 5000);
	set_image(node, "dtb", 4 * 4096, 1);
	set_image(node, "flash", 5 * 4096, 11 * 4096);
	fdt_setprop_u64(buf, node, "load-address", 0x48000000);
	fdt_setprop(buf, node, "lazy-memory", NULL, 0);
	fdt_setprop_u32(buf, node, "gic-version", 2);
	fdt_setprop_u32(buf, node, "cpus", HV_VCPUS);
	assert_int_equal(open_bundle(), HV_OK);
	assert_int_equal(bundle.vm_count, 1);
	assert_string_equal(bundle.token, "0123456789abcdef");
	assert_true(bundle.stats);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_int_equal(guest.machine, HV_MACHINE_AARCH64);
	assert_int_equal(guest.cpus, HV_VCPUS);
	assert_int_equal(guest.gic, 2);
	assert_int_equal(guest.ram_size, HV_MIB(128));
	assert_true(guest.has_load_addr);
	assert_true(guest.lazy_ram);
	assert_int_equal(guest.load_addr.v, 0x48000000);
	assert_ptr_equal(guest.kernel.data, buf + 4096);
	assert_int_equal(guest.kernel.size, 4096);
	assert_ptr_equal(guest.initrd.data, buf + 2 * 4096);
	assert_int_equal(guest.initrd.size, 5000);
	assert_ptr_equal(guest.dtb.data, buf + 4 * 4096);
	assert_int_equal(guest.dtb.size, 1);
	assert_ptr_equal(guest.flash.data, buf + 5 * 4096);
	assert_int_equal(guest.flash.size, 11 * 4096);
}

static void bundle__only_what_is_needed__the_rest_is_none(void **state)
{
	(void)state;
	begin_one();
	assert_int_equal(open_bundle(), HV_OK);
	assert_string_equal(bundle.token, "");
	assert_false(bundle.stats);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_false(guest.has_load_addr);
	assert_false(guest.lazy_ram);
	assert_int_equal(guest.initrd.size, 0);
	assert_int_equal(guest.dtb.size, 0);
	assert_int_equal(guest.flash.size, 0);
	assert_int_equal(hv_bundle_vm(&bundle, 1, &guest, &error), HV_ERR_NOT_FOUND);
}

static void bundle__blob_longer_than_total_size__rest_is_ignored(void **state)
{
	(void)state;
	begin_one();
	fdt_setprop_u64(buf, 0, "total-size", 2 * 4096);
	assert_int_equal(open_bundle(), HV_OK);
	assert_int_equal(bundle.blob.size, 2 * 4096);
	set_image(find_vm("vm@0"), "kernel", 4096, 4097);
	assert_refused("bundle vm0", "kernel", "empty, or past the end of the bundle");
}

static void f8_bundle__count_0_8_9__limit_holds(void **state)
{
	static const char *const name[] = {
		"vm@0", "vm@1", "vm@2", "vm@3", "vm@4", "vm@5", "vm@6", "vm@7", "vm@8"};

	(void)state;
	begin();
	assert_refused("bundle", "/vm@0", "missing");
	assert_int_equal(error.offset, 0);
	assert_int_equal(error.value, 0);
	for (unsigned i = HV_BUNDLE_VMS; i-- > 0;) {
		add_vm(name[i], (1 + i) * 4096);
	}
	assert_int_equal(open_bundle(), HV_OK);
	assert_int_equal(bundle.vm_count, HV_BUNDLE_VMS);
	for (uint16_t i = 0; i < HV_BUNDLE_VMS; i++) {
		assert_int_equal(hv_bundle_vm(&bundle, i, &guest, &error), HV_OK);
		assert_ptr_equal(guest.kernel.data, buf + (1 + i) * 4096);
	}
	assert_int_equal(hv_bundle_vm(&bundle, HV_BUNDLE_VMS, &guest, &error), HV_ERR_NOT_FOUND);
	begin();
	for (unsigned i = HV_BUNDLE_VMS + 1; i-- > 0;) {
		add_vm(name[i], (1 + i) * 4096);
	}
	assert_refused("bundle vm7", "vm@8", "more than 8 VMs");
}

static void bundle__most_images_that_fit__are_all_told_apart(void **state)
{
	static const char *const name[] = {
		"vm@0", "vm@1", "vm@2", "vm@3", "vm@4", "vm@5", "vm@6", "vm@7"};
	static const char *const image[] = {"initrd", "dtb", "flash"};

	(void)state;
	begin();
	fdt_setprop_u64(buf, 0, "total-size", MANY);
	for (unsigned i = HV_BUNDLE_VMS; i-- > 0;) {
		add_vm(name[i], (1 + 4 * i) * 4096);
		for (unsigned n = 0; n < 3; n++) {
			set_image(find_vm(name[i]), image[n], (2 + 4 * i + n) * 4096, 4096);
		}
	}
	assert_int_equal(open_bundle(), HV_OK);
	assert_int_equal(bundle.vm_count, HV_BUNDLE_VMS);
	set_image(find_vm("vm@7"), "flash", 4096 + 4095, 1);
	assert_refused("bundle vm7", "flash", "the offset is not a multiple of 4 KiB");
	set_image(find_vm("vm@7"), "flash", 4096, 1);
	assert_refused("bundle vm7", "flash", "overlaps another image");
}

static void bundle__load_address_0__is_one(void **state)
{
	(void)state;
	begin_one();
	fdt_setprop_u64(buf, find_vm("vm@0"), "load-address", 0);
	assert_int_equal(open_bundle(), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_true(guest.has_load_addr);
	assert_int_equal(guest.load_addr.v, 0);
}

static void f8_bundle__wrong_node_name_or_depth__is_refused(void **state)
{
	(void)state;
	begin();
	add_vm("vm@1", 4096);
	assert_refused("bundle", "vm@1", "not the next vm@<n> below the root");
	begin();
	add_vm("vm", 4096);
	assert_refused("bundle", "vm", "not the next vm@<n> below the root");
	begin();
	add_vm("vm@0", 2 * 4096);
	add_vm("vm@1", 4096);
	assert_refused("bundle", "vm@1", "not the next vm@<n> below the root");
	begin_one();
	assert_true(fdt_add_subnode(buf, find_vm("vm@0"), "vm@1") > 0);
	assert_refused("bundle vm0", "vm@1", "not the next vm@<n> below the root");
}

static void f8_bundle__unknown_property__is_refused_by_name(void **state)
{
	(void)state;
	begin_one();
	fdt_setprop_u32(buf, 0, "tokens", 1);
	assert_refused("bundle", "tokens", "unknown property");
	assert_int_equal(error.value, 0);
	assert_ptr_equal(buf + error.offset, fdt_getprop(buf, 0, "tokens", NULL));
	begin_one();
	fdt_setprop_u32(buf, find_vm("vm@0"), "cpu", 1);
	assert_refused("bundle vm0", "cpu", "unknown property");
}

static void f8_bundle__compatible_missing_or_other__is_refused(void **state)
{
	(void)state;
	begin_one();
	fdt_delprop(buf, 0, "compatible");
	assert_refused("bundle", "compatible", "not drydock,bundle-1");
	begin_one();
	fdt_setprop_string(buf, 0, "compatible", "drydock,bundle-2");
	assert_refused("bundle", "compatible", "not drydock,bundle-1");
}

static void f8_bundle__numbers_at_and_past_their_ends__are_judged(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
		const char *why;
	} bad[] = {
		{"cpus", 0, "out of range"},
		{"cpus", HV_VCPUS + 1, "out of range"},
		{"cpus", UINT64_MAX, "out of range"},
		{"gic-version", 1, "out of range"},
		{"gic-version", 4, "out of range"},
		{"memory-size", 0, "out of range"},
		{"memory-size", 4095, "out of range"},
		{"memory-size", 4097, "not a multiple of 4 KiB"},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		begin_one();
		fdt_setprop_u64(buf, find_vm("vm@0"), bad[i].name, bad[i].value);
		assert_refused("bundle vm0", bad[i].name, bad[i].why);
		assert_int_equal(error.value, bad[i].value);
	}
}

static void f8_bundle__number_missing_or_no_number__is_refused(void **state)
{
	static const char *const name[] = {"cpus", "gic-version", "memory-size"};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(name); i++) {
		begin_one();
		fdt_delprop(buf, find_vm("vm@0"), name[i]);
		assert_refused("bundle vm0", name[i], "missing");
		assert_int_equal(error.value, 0);
		begin_one();
		fdt_setprop(buf, find_vm("vm@0"), name[i], "abc", 3);
		assert_refused("bundle vm0", name[i], "not a number of one or two cells");
	}
	begin_one();
	fdt_setprop(buf, find_vm("vm@0"), "load-address", "", 0);
	assert_refused("bundle vm0", "load-address", "not a number of one or two cells");
	begin_one();
	fdt_delprop(buf, find_vm("vm@0"), "kernel");
	assert_refused("bundle vm0", "kernel", "missing");
}

static void f8_bundle__for_another_machine_or_none__is_refused(void **state)
{
	(void)state;
	begin_one();
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_RISCV);
	assert_refused("bundle", "machine", "for another architecture than the hypervisor");
	assert_int_equal(error.value, HV_MACHINE_RISCV);
	fdt_setprop_u32(buf, 0, "machine", 0x10000 + HV_MACHINE_AARCH64);
	assert_refused("bundle", "machine", "out of range");
	fdt_delprop(buf, 0, "machine");
	assert_refused("bundle", "machine", "missing");
}

static void bundle__for_riscv64__has_no_gic(void **state)
{
	const struct hv_blob blob = {buf, sizeof(buf)};

	(void)state;
	begin_one();
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_RISCV);
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "gic-version");
	assert_string_equal(error.why, "the machine has no GIC");
	fdt_delprop(buf, find_vm("vm@0"), "gic-version");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_int_equal(guest.machine, HV_MACHINE_RISCV);
	assert_int_equal(guest.gic, 0);
}

static void bundle__aplic__is_read_for_riscv64_and_refused_elsewhere(void **state)
{
	const struct hv_blob blob = {buf, sizeof(buf)};

	(void)state;
	begin_one();
	fdt_setprop(buf, find_vm("vm@0"), "aplic", NULL, 0);
	assert_refused("bundle vm0", "aplic", "the machine has no APLIC");
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_RISCV);
	fdt_delprop(buf, find_vm("vm@0"), "gic-version");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_true(guest.aplic);
	fdt_delprop(buf, find_vm("vm@0"), "aplic");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_false(guest.aplic);
	fdt_setprop(buf, find_vm("vm@0"), "aplic", NULL, 0);
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_X86_64);
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "aplic");
}

static void bundle__cmdline__is_read_for_x86_64_and_refused_elsewhere(void **state)
{
	const struct hv_blob blob = {buf, sizeof(buf)};
	int vm;

	(void)state;
	begin_one();
	fdt_setprop_string(buf, find_vm("vm@0"), "cmdline", "a b");
	assert_refused("bundle vm0", "cmdline", "the machine's is in its tree, in /chosen");
	assert_int_equal(error.value, 4);
	fdt_setprop_u32(buf, 0, "machine", HV_MACHINE_X86_64);
	fdt_delprop(buf, find_vm("vm@0"), "gic-version");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_int_equal(guest.cmdline.size, 3);
	assert_memory_equal(guest.cmdline.data, "a b", 4);
	vm = find_vm("vm@0");
	fdt_setprop_string(buf, vm, "cmdline", "");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_int_equal(guest.cmdline.size, 0);
	for (int i = 0; i < 3; i++) {
		static const struct hv_blob odd[] = {{"", 0}, {"ab", 2}, {"a\0b", 4}};

		fdt_setprop(buf, vm, "cmdline", odd[i].data, (int)odd[i].size);
		assert_int_equal(
			hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_ERR_INVALID);
		assert_string_equal(error.field, "cmdline");
		assert_string_equal(error.why, "not a string");
	}
	fdt_delprop(buf, vm, "cmdline");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &guest, &error), HV_OK);
	assert_int_equal(guest.cmdline.size, 0);
}

static void f8_bundle__total_size_against_file_and_manifest__is_judged(void **state)
{
	(void)state;
	begin_one();
	fdt_setprop_u64(buf, 0, "total-size", sizeof(buf) + 1);
	assert_refused("bundle", "total-size", "out of range");
	begin_one();
	fdt_setprop_u64(buf, 0, "total-size", 4095);
	assert_refused("bundle", "total-size", "out of range");
	begin_one();
	fdt_delprop(buf, 0, "total-size");
	assert_refused("bundle", "total-size", "missing");
}

static void f8_bundle__token_of_other_form__is_refused(void **state)
{
	static const struct {
		const char *text;
		int size;
		const char *why;
	} bad[] = {
		{"0123456789abcde", 16, "not 16 characters"},
		{"0123456789abcdef0", 18, "not 16 characters"},
		{"0123456789abcdef0", 17, "not 16 characters"},
		{"0123456789abcde\n", 17, "not letters and digits"},
		{"0123456789abcde/", 17, "not letters and digits"},
		{"0123456789abcde:", 17, "not letters and digits"},
		{"0123456789abcde@", 17, "not letters and digits"},
		{"0123456789abcde{", 17, "not letters and digits"},
		{"0123456789abcde\xe1", 17, "not letters and digits"},
		{"", 0, "not 16 characters"},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		begin_one();
		fdt_setprop(buf, 0, "token", bad[i].text, bad[i].size);
		assert_refused("bundle", "token", bad[i].why);
	}
	begin_one();
	fdt_setprop_string(buf, 0, "token", "azAZ09azAZ09azAZ");
	assert_int_equal(open_bundle(), HV_OK);
}

static void f8_bundle__image_places__are_judged(void **state)
{
	static const struct {
		uint64_t offset, size;
		const char *why;
	} bad[] = {
		{4097, 1, "the offset is not a multiple of 4 KiB"},
		{0, 1, "overlaps the manifest"},
		{4096, 0, "empty, or past the end of the bundle"},
		{4096, TOTAL - 4096 + 1, "empty, or past the end of the bundle"},
		{4096, UINT64_MAX, "empty, or past the end of the bundle"},
		{TOTAL, 1, "empty, or past the end of the bundle"},
		{UINT64_MAX - 4095, 4096, "empty, or past the end of the bundle"},
	};
	static const char *const name[] = {"kernel", "initrd", "dtb", "flash"};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		for (size_t n = 0; n < HV_ARRAY_COUNT(name); n++) {
			begin_one();
			set_image(find_vm("vm@0"), name[n], bad[i].offset, bad[i].size);
			assert_refused("bundle vm0", name[n], bad[i].why);
		}
	}
	begin_one();
	set_image(find_vm("vm@0"), "kernel", 4096, TOTAL - 4096);
	assert_int_equal(open_bundle(), HV_OK);
	begin_one();
	fdt_setprop_u64(buf, find_vm("vm@0"), "kernel", 4096);
	assert_refused("bundle vm0", "kernel", "not an offset and a size of two cells each");
}

static void f8_bundle__images_overlap__is_refused(void **state)
{
	(void)state;
	begin_one();
	set_image(find_vm("vm@0"), "kernel", 4096, 4097);
	set_image(find_vm("vm@0"), "initrd", 2 * 4096, 1);
	assert_refused("bundle vm0", "initrd", "overlaps another image");
	begin();
	add_vm("vm@1", 4096);
	add_vm("vm@0", 4096);
	assert_refused("bundle vm1", "kernel", "overlaps another image");
}

static void f1_bundle__broken_manifest__is_refused_with_its_offset(void **state)
{
	(void)state;
	begin_one();
	buf[0] ^= 1;
	assert_refused("bundle", "magic", "not a flattened device tree");
}

static void try_exact(size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	assert_non_null(copy);
	memcpy(copy, buf, size);
	if (hv_bundle_open(&bundle, HV_MACHINE_AARCH64, (struct hv_blob){copy, size}, &error) ==
		HV_OK) {
		for (uint16_t i = 0; i < bundle.vm_count; i++) {
			const uint8_t *kernel;

			assert_int_equal(hv_bundle_vm(&bundle, i, &guest, &error), HV_OK);
			kernel = guest.kernel.data;
			assert_true(hv_range_inside(
				(uint64_t)(kernel - copy), guest.kernel.size, 0, size));
		}
	} else {
		assert_non_null(error.input);
		assert_non_null(error.field);
		assert_non_null(error.why);
	}
	free(copy);
}

static void f1_bundle__prefixes_and_flipped_bytes__are_refused_or_read_safely(void **state)
{
	const size_t size = 4 * 4096;

	(void)state;
	begin_one();
	fdt_setprop_u64(buf, 0, "total-size", size);
	fdt_setprop_string(buf, 0, "token", "0123456789abcdef");
	set_image(find_vm("vm@0"), "initrd", 2 * 4096, 4096);
	assert_int_equal(fdt_pack(buf), 0);
	for (size_t i = 0; i <= size; i += i < 1024 ? 1 : 509) {
		try_exact(i);
	}
	for (size_t i = 0; i < fdt_totalsize(buf); i++) {
		for (unsigned flip = 0; flip < KIT_FLIPS; flip++) {
			buf[i] ^= kit_flip(flip);
			try_exact(size);
			buf[i] ^= kit_flip(flip);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(bundle__all_properties__reach_the_guest),
		hv_unit_test(bundle__only_what_is_needed__the_rest_is_none),
		hv_unit_test(bundle__blob_longer_than_total_size__rest_is_ignored),
		hv_unit_test(f8_bundle__count_0_8_9__limit_holds),
		hv_unit_test(bundle__most_images_that_fit__are_all_told_apart),
		hv_unit_test(bundle__load_address_0__is_one),
		hv_unit_test(f8_bundle__wrong_node_name_or_depth__is_refused),
		hv_unit_test(f8_bundle__unknown_property__is_refused_by_name),
		hv_unit_test(f8_bundle__compatible_missing_or_other__is_refused),
		hv_unit_test(f8_bundle__numbers_at_and_past_their_ends__are_judged),
		hv_unit_test(f8_bundle__number_missing_or_no_number__is_refused),
		hv_unit_test(f8_bundle__for_another_machine_or_none__is_refused),
		hv_unit_test(bundle__for_riscv64__has_no_gic),
		hv_unit_test(bundle__aplic__is_read_for_riscv64_and_refused_elsewhere),
		hv_unit_test(bundle__cmdline__is_read_for_x86_64_and_refused_elsewhere),
		hv_unit_test(f8_bundle__total_size_against_file_and_manifest__is_judged),
		hv_unit_test(f8_bundle__token_of_other_form__is_refused),
		hv_unit_test(f8_bundle__image_places__are_judged),
		hv_unit_test(f8_bundle__images_overlap__is_refused),
		hv_unit_test(f1_bundle__broken_manifest__is_refused_with_its_offset),
		hv_unit_test(f1_bundle__prefixes_and_flipped_bytes__are_refused_or_read_safely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
