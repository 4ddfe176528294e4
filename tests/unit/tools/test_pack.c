/* SPDX-License-Identifier: MIT */
/* What pack writes, the reader that runs on bare metal must understand. */
#include <unit.h>

#include <hv/bits.h>
#include <hv/bundle.h>
#include <pack.h>

#define TOKEN "0123456789abcdef"

static const char kernel[] = "kernel bytes", initrd[] = "initrd";
static uint8_t dtb[5000];

static struct hv_guest some_guest(void)
{
	return (struct hv_guest){
		.machine = HV_MACHINE_AARCH64,
		.cpus = 3,
		.gic = 3,
		.ram_size = HV_MIB(64),
		.kernel = {kernel, sizeof(kernel)},
		.initrd = {initrd, sizeof(initrd)},
		.dtb = {dtb, sizeof(dtb)},
	};
}

static void assert_same_blob(struct hv_blob a, struct hv_blob b)
{
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.data, b.data, a.size);
}

static void pack_bundle__read_back__is_the_same_guest(void **state)
{
	struct hv_guest guest = some_guest(), read;
	struct hv_load_error error;
	struct hv_bundle bundle;
	struct hv_blob blob;

	(void)state;
	assert_true(pack_bundle(&guest, TOKEN, true, &blob));
	assert_int_equal(hv_bundle_open(&bundle, guest.machine, blob, &error), HV_OK);
	assert_int_equal(bundle.vm_count, 1);
	assert_string_equal(bundle.token, TOKEN);
	assert_true(bundle.stats);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_int_equal(read.cpus, 3);
	assert_int_equal(read.gic, 3);
	assert_false(read.aplic);
	assert_int_equal(read.ram_size, HV_MIB(64));
	assert_false(read.has_load_addr);
	assert_same_blob(read.kernel, guest.kernel);
	assert_same_blob(read.initrd, guest.initrd);
	assert_same_blob(read.dtb, guest.dtb);
	assert_int_equal(read.flash.size, 0);
	assert_true(hv_is_aligned(
		(uint64_t)((const uint8_t *)read.kernel.data - (const uint8_t *)blob.data),
		HV_BUNDLE_ALIGN));
	free((void *)blob.data);
}

static void pack_bundle__no_token_no_stats_load_address__read_back(void **state)
{
	struct hv_guest guest = some_guest(), read;
	struct hv_load_error error;
	struct hv_bundle bundle;
	struct hv_blob blob;

	(void)state;
	guest.has_load_addr = true;
	guest.load_addr = GPA(0x48000000);
	assert_true(pack_bundle(&guest, NULL, false, &blob));
	assert_int_equal(hv_bundle_open(&bundle, guest.machine, blob, &error), HV_OK);
	assert_string_equal(bundle.token, "");
	assert_false(bundle.stats);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_true(read.has_load_addr);
	assert_int_equal(read.load_addr.v, 0x48000000);
	free((void *)blob.data);
}

static void pack_bundle__riscv64__says_so_and_has_no_gic(void **state)
{
	struct hv_guest guest = some_guest(), read;
	struct hv_load_error error;
	struct hv_bundle bundle;
	struct hv_blob blob;

	(void)state;
	guest.machine = HV_MACHINE_RISCV;
	guest.gic = 0;
	assert_true(pack_bundle(&guest, NULL, false, &blob));
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_AARCH64, blob, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "machine");
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_int_equal(read.machine, HV_MACHINE_RISCV);
	assert_int_equal(read.gic, 0);
	assert_false(read.aplic);
	free((void *)blob.data);
	guest.aplic = true;
	assert_true(pack_bundle(&guest, NULL, false, &blob));
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_RISCV, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_true(read.aplic);
	free((void *)blob.data);
}

static void pack_bundle__x86_64__carries_the_command_line(void **state)
{
	static const char words[] = "console=ttyS0 quiet and what follows";
	struct hv_guest guest = some_guest(), read;
	struct hv_load_error error;
	struct hv_bundle bundle;
	struct hv_blob blob;

	(void)state;
	guest.machine = HV_MACHINE_X86_64;
	guest.gic = 0;
	guest.dtb = (struct hv_blob){0};
	guest.cmdline = (struct hv_blob){words, 19};
	assert_true(pack_bundle(&guest, NULL, false, &blob));
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_int_equal(read.machine, HV_MACHINE_X86_64);
	assert_same_blob(read.cmdline, guest.cmdline);
	assert_same_blob(read.kernel, guest.kernel);
	free((void *)blob.data);
	guest.cmdline.size = 0;
	assert_true(pack_bundle(&guest, NULL, false, &blob));
	assert_int_equal(hv_bundle_open(&bundle, HV_MACHINE_X86_64, blob, &error), HV_OK);
	assert_int_equal(hv_bundle_vm(&bundle, 0, &read, &error), HV_OK);
	assert_int_equal(read.cmdline.size, 0);
	free((void *)blob.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(pack_bundle__read_back__is_the_same_guest),
		hv_unit_test(pack_bundle__no_token_no_stats_load_address__read_back),
		hv_unit_test(pack_bundle__riscv64__says_so_and_has_no_gic),
		hv_unit_test(pack_bundle__x86_64__carries_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
