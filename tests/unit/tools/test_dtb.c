/* SPDX-License-Identifier: MIT */
/* The device tree that guests get, read back with libfdt. */
#include <unit.h>

#include <board/virt_aarch64.h>
#include <dtb.h>
#include <hv/bits.h>
#include <hv/vm.h>
#include <libfdt.h>

static _Alignas(8) uint8_t buf[DTB_ROOM];
static struct hv_load_error error;
static uint8_t seed[DTB_SEED_SIZE];

static struct hv_guest guest_of(uint16_t cpus, uint8_t gic)
{
	return (struct hv_guest){
		.machine = HV_MACHINE_AARCH64, .cpus = cpus, .gic = gic, .ram_size = HV_MIB(256)};
}

static size_t make(const struct dtb_cfg *cfg)
{
	size_t used = 0;

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(dtb_make(cfg, buf, sizeof(buf), &used, &error), HV_OK);
	assert_int_equal(fdt_check_full(buf, used), 0);
	return used;
}

static const void *prop(const char *path, const char *name, int size)
{
	int node = fdt_path_offset(buf, path), found;
	const void *value = fdt_getprop(buf, node, name, &found);

	assert_non_null(value);
	assert_int_equal(found, size);
	return value;
}

static uint64_t cells(const void *value, unsigned at)
{
	return fdt64_ld((const fdt64_t *)value + at);
}

static uint32_t cell(const void *value, unsigned at)
{
	return fdt32_ld((const fdt32_t *)value + at);
}

static bool has(const char *path, const char *name)
{
	return fdt_getprop(buf, fdt_path_offset(buf, path), name, NULL) != NULL;
}

static void dtb_make__one_cpu_gicv3__describes_the_board(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	make(&cfg);
	assert_int_equal(cells(prop("/memory@40000000", "reg", 16), 0), VIRT_A64_RAM);
	assert_int_equal(cells(prop("/memory@40000000", "reg", 16), 1), HV_MIB(256));
	assert_string_equal(prop("/cpus/cpu@0", "enable-method", 5), "psci");
	assert_string_equal(prop("/psci", "method", 4), "hvc");
	assert_int_equal(cells(prop("/pl011@9000000", "reg", 16), 0), VIRT_A64_UART);
	assert_int_equal(cell(prop("/pl011@9000000", "interrupts", 12), 1), 1);
	assert_int_equal(cells(prop("/pl031@9010000", "reg", 16), 0), VIRT_A64_RTC);
	assert_int_equal(cell(prop("/pl031@9010000", "interrupts", 12), 1), 2);
	assert_true(fdt_path_offset(buf, "/flash@4000000") < 0);
	assert_true(fdt_path_offset(buf, "/cpus/cpu@1") < 0);
	assert_string_equal(prop("/chosen", "stdout-path", 15), "/pl011@9000000");
	assert_true(fdt_path_offset(buf, "/pl011@9000000") > 0);
	assert_false(has("/chosen", "bootargs"));
	assert_false(has("/chosen", "linux,initrd-start"));
	assert_false(has("/chosen", "rng-seed"));
	assert_false(has("/chosen", "kaslr-seed"));
}

static void dtb_make__phandles__name_the_gic_and_the_clock(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	make(&cfg);
	assert_int_equal(fdt_node_offset_by_phandle(buf, cell(prop("/", "interrupt-parent", 4), 0)),
		fdt_path_offset(buf, "/intc@8000000"));
	assert_int_equal(
		fdt_node_offset_by_phandle(buf, cell(prop("/pl011@9000000", "clocks", 8), 0)),
		fdt_path_offset(buf, "/apb-pclk"));
	assert_int_equal(
		fdt_node_offset_by_phandle(buf, cell(prop("/pl031@9010000", "clocks", 4), 0)),
		fdt_path_offset(buf, "/apb-pclk"));
	assert_int_equal(cell(prop("/apb-pclk", "clock-frequency", 4), 0), 24000000);
}

static void dtb_make__four_cpus_gicv3__one_redistributor_each(void **state)
{
	struct hv_guest guest = guest_of(4, 3);
	struct dtb_cfg cfg = {.guest = &guest};
	const void *reg;

	(void)state;
	make(&cfg);
	assert_int_equal(cell(prop("/cpus/cpu@3", "reg", 4), 0), 3);
	assert_string_equal(prop("/intc@8000000", "compatible", 11), "arm,gic-v3");
	reg = prop("/intc@8000000", "reg", 32);
	assert_int_equal(cells(reg, 0), VIRT_A64_GICD);
	assert_int_equal(cells(reg, 1), 0x10000);
	assert_int_equal(cells(reg, 2), VIRT_A64_GICR);
	assert_int_equal(cells(reg, 3), 4 * 0x20000);
}

static void dtb_make__timer__ppis_13_14_11_10_level(void **state)
{
	static const uint32_t ppi[] = {13, 14, 11, 10};
	struct hv_guest guest = guest_of(2, 3);
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	for (uint8_t gic = 2; gic <= 3; gic++) {
		guest.gic = gic;
		make(&cfg);
		for (unsigned i = 0; i < 4; i++) {
			const void *value = prop("/timer", "interrupts", 48);

			assert_int_equal(cell(value, 3 * i), 1);
			assert_int_equal(cell(value, 3 * i + 1), ppi[i]);
			assert_int_equal(cell(value, 3 * i + 2), gic == 2 ? 0x304 : 4);
		}
	}
}

static void dtb_make__gicv2__has_a_cpu_interface(void **state)
{
	struct hv_guest guest = guest_of(1, 2);
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	make(&cfg);
	assert_string_equal(prop("/intc@8000000", "compatible", 19), "arm,cortex-a15-gic");
	assert_int_equal(cells(prop("/intc@8000000", "reg", 32), 2), 0x08010000);
}

static void dtb_make__flash__as_large_as_its_pages(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	guest.flash.size = 4097;
	make(&cfg);
	assert_int_equal(cells(prop("/flash@4000000", "reg", 16), 0), VIRT_A64_FLASH);
	assert_int_equal(cells(prop("/flash@4000000", "reg", 16), 1), 8192);
}

static void dtb_make__chosen__says_what_the_caller_gives(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest,
		.bootargs = "quiet",
		.initrd = GPA(0x48000000),
		.rng_seed = seed,
		.kaslr_seed = 0x1122334455667788};

	(void)state;
	memset(seed, 0x77, sizeof(seed));
	guest.initrd.size = 5;
	make(&cfg);
	assert_string_equal(prop("/chosen", "bootargs", 6), "quiet");
	assert_int_equal(cells(prop("/chosen", "linux,initrd-start", 8), 0), 0x48000000);
	assert_int_equal(cells(prop("/chosen", "linux,initrd-end", 8), 0), 0x48000005);
	assert_memory_equal(prop("/chosen", "rng-seed", DTB_SEED_SIZE), seed, DTB_SEED_SIZE);
	assert_int_equal(cells(prop("/chosen", "kaslr-seed", 8), 0), 0x1122334455667788);
}

static enum hv_status make_into(const struct dtb_cfg *cfg, size_t size)
{
	uint8_t *exact = malloc(size);
	size_t used;
	enum hv_status status;

	assert_non_null(exact);
	status = dtb_make(cfg, exact, size, &used, &error);
	free(exact);
	return status;
}

static void dtb_make__each_smaller_buffer__is_refused(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest};
	size_t used = make(&cfg), needed = used;

	(void)state;
	while (make_into(&cfg, needed) != HV_OK) {
		assert_string_equal(error.input, "dtb");
		assert_string_equal(error.field, "totalsize");
		needed++;
	}
	assert_true(needed < used + 64);
	for (size_t size = 0; size < used; size += 16) {
		assert_int_equal(make_into(&cfg, size), HV_ERR_INVALID);
	}
}

static void f7_dtb_make__bootargs_2047_and_2048__limit_holds(void **state)
{
	struct hv_guest guest = guest_of(1, 3);
	char args[DTB_BOOTARGS_MAX + 2];
	struct dtb_cfg cfg = {.guest = &guest, .bootargs = args};

	(void)state;
	memset(args, 'a', sizeof(args));
	args[DTB_BOOTARGS_MAX + 1] = '\0';
	assert_int_equal(make_into(&cfg, DTB_ROOM), HV_ERR_INVALID);
	assert_string_equal(error.field, "bootargs");
	assert_int_equal(error.value, DTB_BOOTARGS_MAX + 1);
	args[DTB_BOOTARGS_MAX] = '\0';
	assert_int_equal(make_into(&cfg, DTB_ROOM), HV_OK);
}

static void dtb_make__largest_machine__fits_the_room(void **state)
{
	struct hv_guest guest = guest_of(HV_VCPUS, 3);
	char args[DTB_BOOTARGS_MAX + 1];
	struct dtb_cfg cfg = {.guest = &guest, .bootargs = args, .rng_seed = seed, .kaslr_seed = 1};

	(void)state;
	memset(args, 'a', sizeof(args));
	args[DTB_BOOTARGS_MAX] = '\0';
	guest.flash.size = 1;
	guest.initrd.size = 1;
	assert_int_equal(make_into(&cfg, DTB_ROOM), HV_OK);
}

/* A flat kernel: any bytes are one. */
static struct hv_guest bootable(void)
{
	struct hv_guest guest = guest_of(1, 3);

	guest.kernel = (struct hv_blob){seed, sizeof(seed)};
	guest.initrd = (struct hv_blob){seed, 6000};
	return guest;
}

static void dtb_place__initrd__is_named_where_the_plan_puts_it(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {0};
	struct hv_load_plan plan;

	(void)state;
	assert_int_equal(dtb_place(&guest, &cfg, buf, sizeof(buf), &error), HV_OK);
	assert_ptr_equal(guest.dtb.data, buf);
	assert_int_equal(guest.dtb.size, fdt_totalsize(buf));
	assert_int_equal(
		hv_load_plan(&hv_load_aarch64, &guest, GPA(VIRT_A64_RAM), &plan, &error), HV_OK);
	assert_int_equal(cells(prop("/chosen", "linux,initrd-start", 8), 0), plan.initrd.v);
	assert_int_equal(cells(prop("/chosen", "linux,initrd-end", 8), 0), plan.initrd.v + 6000);
}

static void dtb_place__kernel_does_not_fit__is_refused(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {0};

	(void)state;
	guest.ram_size = HV_KIB(512);
	assert_int_equal(dtb_place(&guest, &cfg, buf, sizeof(buf), &error), HV_ERR_INVALID);
	assert_string_equal(error.input, "kernel");
	assert_int_equal(guest.dtb.size, 0);
	guest = bootable();
	assert_int_equal(dtb_place(&guest, &cfg, buf, 100, &error), HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
}

/* A user's tree of 2 KiB: one of ours, changed by the test. */
static _Alignas(8) uint8_t users[2048];

static struct hv_blob users_tree(void)
{
	struct hv_guest guest = guest_of(1, 3);
	struct dtb_cfg cfg = {.guest = &guest, .bootargs = "users"};

	make(&cfg);
	assert_int_equal(fdt_open_into(buf, users, sizeof(users)), 0);
	return (struct hv_blob){users, sizeof(users)};
}

static void dtb_make__users_tree__keeps_what_it_says(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {
		.guest = &guest, .initrd = GPA(0x48000000), .rng_seed = seed, .kaslr_seed = 7};

	(void)state;
	guest.dtb = users_tree();
	assert_int_equal(fdt_setprop_string(users, 0, "model", "users"), 0);
	make(&cfg);
	assert_string_equal(prop("/", "model", 6), "users");
	assert_string_equal(prop("/chosen", "bootargs", 6), "users");
	assert_int_equal(cells(prop("/chosen", "linux,initrd-start", 8), 0), 0x48000000);
	assert_int_equal(cells(prop("/chosen", "linux,initrd-end", 8), 0), 0x48000000 + 6000);
	assert_true(has("/chosen", "rng-seed"));
	assert_true(has("/chosen", "kaslr-seed"));
}

static void dtb_make__users_tree_with_bootargs_given__they_win(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest, .bootargs = "ours"};

	(void)state;
	guest.dtb = users_tree();
	make(&cfg);
	assert_string_equal(prop("/chosen", "bootargs", 5), "ours");
	assert_false(has("/chosen", "rng-seed"));
	assert_false(has("/chosen", "kaslr-seed"));
}

static void dtb_make__users_tree_without_chosen__gets_one(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	guest.dtb = users_tree();
	assert_int_equal(fdt_del_node(users, fdt_path_offset(users, "/chosen")), 0);
	make(&cfg);
	assert_true(has("/chosen", "linux,initrd-start"));
}

static void dtb_make__users_seeds__stay(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest, .rng_seed = seed, .kaslr_seed = 7};
	int node;

	(void)state;
	guest.dtb = users_tree();
	node = fdt_path_offset(users, "/chosen");
	assert_int_equal(fdt_setprop_u32(users, node, "rng-seed", 1), 0);
	assert_int_equal(fdt_setprop_u64(users, node, "kaslr-seed", 9), 0);
	make(&cfg);
	assert_int_equal(cell(prop("/chosen", "rng-seed", 4), 0), 1);
	assert_int_equal(cells(prop("/chosen", "kaslr-seed", 8), 0), 9);
}

static void dtb_make__users_initrd_but_none_given__is_taken_out(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};
	int node;

	(void)state;
	guest.dtb = users_tree();
	guest.initrd.size = 0;
	node = fdt_path_offset(users, "/chosen");
	assert_int_equal(fdt_setprop_u64(users, node, "linux,initrd-start", 1), 0);
	assert_int_equal(fdt_setprop_u64(users, node, "linux,initrd-end", 2), 0);
	make(&cfg);
	assert_false(has("/chosen", "linux,initrd-start"));
	assert_false(has("/chosen", "linux,initrd-end"));
}

static void f6_users_tree__broken__is_refused_with_field_and_offset(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	guest.dtb = users_tree();
	guest.dtb.size = 100;
	assert_int_equal(make_into(&cfg, DTB_ROOM), HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
	assert_string_equal(error.field, "totalsize");
	assert_int_equal(error.offset, 4);
}

static void f6_users_tree__memory_0_bytes_or_beyond_the_machine__is_refused(void **state)
{
	static const uint64_t bad[][2] = {
		{VIRT_A64_RAM, 0},
		{VIRT_A64_RAM, HV_MIB(256) + 1},
		{VIRT_A64_RAM - 1, 2},
		{VIRT_A64_RAM + HV_MIB(256), 1},
		{HV_BIT(63), HV_BIT(63)},
		{UINT64_MAX, 1},
	};
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		fdt64_t reg[2] = {cpu_to_fdt64(bad[i][0]), cpu_to_fdt64(bad[i][1])};

		guest.dtb = users_tree();
		assert_int_equal(
			fdt_setprop_inplace(users, fdt_path_offset(users, "/memory@40000000"),
				"reg", reg, sizeof(reg)),
			0);
		assert_int_equal(make_into(&cfg, DTB_ROOM), HV_ERR_INVALID);
		assert_string_equal(error.input, "dtb");
		assert_string_equal(error.field, "memory reg");
		assert_true(error.offset > 56);
	}
}

static void dtb_make__users_tree_with_less_memory__is_fine(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	guest.dtb = users_tree();
	guest.ram_size = HV_MIB(512);
	make(&cfg);
}

static void f7_users_tree__no_room_for_additions__is_refused(void **state)
{
	struct hv_guest guest = bootable();
	struct dtb_cfg cfg = {.guest = &guest};

	(void)state;
	guest.dtb = users_tree();
	assert_int_equal(fdt_pack(users), 0);
	for (size_t size = 0; size <= fdt_totalsize(users); size += 8) {
		assert_int_equal(make_into(&cfg, size), HV_ERR_INVALID);
		assert_string_equal(error.field, "totalsize");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(dtb_make__one_cpu_gicv3__describes_the_board),
		hv_unit_test(dtb_make__phandles__name_the_gic_and_the_clock),
		hv_unit_test(dtb_make__four_cpus_gicv3__one_redistributor_each),
		hv_unit_test(dtb_make__timer__ppis_13_14_11_10_level),
		hv_unit_test(dtb_make__gicv2__has_a_cpu_interface),
		hv_unit_test(dtb_make__flash__as_large_as_its_pages),
		hv_unit_test(dtb_make__chosen__says_what_the_caller_gives),
		hv_unit_test(dtb_make__each_smaller_buffer__is_refused),
		hv_unit_test(f7_dtb_make__bootargs_2047_and_2048__limit_holds),
		hv_unit_test(dtb_make__largest_machine__fits_the_room),
		hv_unit_test(dtb_place__initrd__is_named_where_the_plan_puts_it),
		hv_unit_test(dtb_place__kernel_does_not_fit__is_refused),
		hv_unit_test(dtb_make__users_tree__keeps_what_it_says),
		hv_unit_test(dtb_make__users_tree_with_bootargs_given__they_win),
		hv_unit_test(dtb_make__users_tree_without_chosen__gets_one),
		hv_unit_test(dtb_make__users_seeds__stay),
		hv_unit_test(dtb_make__users_initrd_but_none_given__is_taken_out),
		hv_unit_test(f6_users_tree__broken__is_refused_with_field_and_offset),
		hv_unit_test(f6_users_tree__memory_0_bytes_or_beyond_the_machine__is_refused),
		hv_unit_test(dtb_make__users_tree_with_less_memory__is_fine),
		hv_unit_test(f7_users_tree__no_room_for_additions__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
