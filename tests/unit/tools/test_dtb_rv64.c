/* SPDX-License-Identifier: MIT */
/* The device tree of virt-riscv64, read back with libfdt. The numbers are those of QEMU's own. */
#include <unit.h>

#include <board/virt_riscv64.h>
#include <dtb.h>
#include <hv/bits.h>
#include <hv/fdt.h>
#include <libfdt.h>

static _Alignas(8) uint8_t buf[DTB_ROOM];
static struct hv_load_error error;

static struct hv_guest guest_of(uint16_t cpus)
{
	return (struct hv_guest){
		.machine = HV_MACHINE_RISCV, .cpus = cpus, .ram_size = HV_MIB(256)};
}

static void make(const struct hv_guest *guest)
{
	const struct dtb_cfg cfg = {.guest = guest};
	size_t used = 0;

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(dtb_make(&cfg, buf, sizeof(buf), &used, &error), HV_OK);
	assert_int_equal(fdt_check_full(buf, used), 0);
}

static const void *prop(const char *path, const char *name, int size)
{
	int node = fdt_path_offset(buf, path), found;
	const void *value = fdt_getprop(buf, node, name, &found);

	assert_non_null(value);
	assert_int_equal(found, size);
	return value;
}

static uint32_t cell(const char *path, const char *name, unsigned count, unsigned at)
{
	const fdt32_t *cells = prop(path, name, (int)(4 * count));

	return fdt32_ld(cells + at);
}

static const char *text(const char *path, const char *name)
{
	const char *value = fdt_getprop(buf, fdt_path_offset(buf, path), name, NULL);

	assert_non_null(value);
	return value;
}

static void assert_reg(const char *path, uint64_t base, uint64_t size)
{
	const fdt64_t *cells = prop(path, "reg", 16);

	assert_int_equal(fdt64_ld(cells), base);
	assert_int_equal(fdt64_ld(cells + 1), size);
}

static int node_of(uint32_t phandle)
{
	return fdt_node_offset_by_phandle(buf, phandle);
}

static void assert_device(
	const char *path, const char *compatible, uint64_t base, uint64_t size, uint32_t irq)
{
	assert_string_equal(text(path, "compatible"), compatible);
	assert_reg(path, base, size);
	assert_int_equal(cell(path, "interrupts", 1, 0), irq);
	assert_int_equal(node_of(cell(path, "interrupt-parent", 1, 0)),
		fdt_path_offset(buf, "/soc/plic@c000000"));
}

static void dtb_rv64__devices__are_where_qemu_has_them(void **state)
{
	struct hv_guest guest = guest_of(1);

	(void)state;
	make(&guest);
	assert_string_equal(text("/", "model"), "drydock,virt-riscv64");
	assert_int_equal(fdt_node_check_compatible(buf, 0, "riscv-virtio"), 0);
	assert_reg("/memory@80000000", 0x80000000, HV_MIB(256));
	assert_string_equal(text("/soc", "compatible"), "simple-bus");
	(void)prop("/soc", "ranges", 0);
	assert_device("/soc/serial@10000000", "ns16550a", 0x10000000, 0x100, 10);
	assert_int_equal(cell("/soc/serial@10000000", "clock-frequency", 1, 0), 3686400);
	assert_device("/soc/rtc@101000", "google,goldfish-rtc", 0x101000, 0x1000, 11);
	assert_device("/soc/virtio_mmio@10001000", "virtio,mmio", 0x10001000, 0x1000, 1);
	assert_device("/soc/virtio_mmio@10008000", "virtio,mmio", 0x10008000, 0x1000, 8);
	assert_true(fdt_path_offset(buf, "/soc/virtio_mmio@10009000") < 0);
	assert_string_equal(text("/chosen", "stdout-path"), "/soc/serial@10000000");
	assert_true(fdt_path_offset(buf, "/flash@22000000") < 0);
	assert_true(fdt_path_offset(buf, "/psci") < 0);
}

static void dtb_rv64__flash__as_large_as_its_pages(void **state)
{
	struct hv_guest guest = guest_of(1);

	(void)state;
	guest.flash.size = 4097;
	make(&guest);
	assert_string_equal(text("/flash@22000000", "compatible"), "cfi-flash");
	assert_reg("/flash@22000000", 0x22000000, 8192);
}

static void dtb_rv64__plic__one_context_in_two_for_each_hart(void **state)
{
	static const char plic[] = "/soc/plic@c000000";
	struct hv_guest guest = guest_of(2);

	(void)state;
	make(&guest);
	assert_int_equal(
		fdt_node_check_compatible(buf, fdt_path_offset(buf, plic), "riscv,plic0"), 0);
	assert_string_equal(text(plic, "compatible"), "sifive,plic-1.0.0");
	assert_reg(plic, 0x0c000000, 0x600000);
	assert_int_equal(cell(plic, "riscv,ndev", 1, 0), 96);
	for (unsigned hart = 0; hart < 2; hart++) {
		int intc = fdt_path_offset(buf, hart == 0 ? "/cpus/cpu@0/interrupt-controller"
							  : "/cpus/cpu@1/interrupt-controller");
		const unsigned at = 4 * hart;

		assert_true(intc > 0);
		assert_int_equal(node_of(cell(plic, "interrupts-extended", 8, at)), intc);
		assert_int_equal(
			cell(plic, "interrupts-extended", 8, at + 1), UINT32_MAX); /* M-mode */
		assert_int_equal(node_of(cell(plic, "interrupts-extended", 8, at + 2)), intc);
		assert_int_equal(cell(plic, "interrupts-extended", 8, at + 3), 9);
	}
}

static void dtb_rv64__aplic__in_the_plics_place_with_two_cells_an_interrupt(void **state)
{
	static const char aplic[] = "/soc/aplic@d000000";
	struct hv_guest guest = guest_of(2);

	(void)state;
	guest.aplic = true;
	make(&guest);
	assert_true(fdt_path_offset(buf, "/soc/plic@c000000") < 0);
	assert_string_equal(text(aplic, "compatible"), "riscv,aplic");
	assert_reg(aplic, 0x0d000000, 0x8000);
	assert_int_equal(cell(aplic, "#interrupt-cells", 1, 0), 2);
	assert_int_equal(cell(aplic, "riscv,num-sources", 1, 0), 96);
	(void)prop(aplic, "interrupt-controller", 0);
	for (unsigned hart = 0; hart < 2; hart++) {
		int intc = fdt_path_offset(buf, hart == 0 ? "/cpus/cpu@0/interrupt-controller"
							  : "/cpus/cpu@1/interrupt-controller");

		assert_int_equal(node_of(cell(aplic, "interrupts-extended", 4, 2 * hart)), intc);
		assert_int_equal(cell(aplic, "interrupts-extended", 4, 2 * hart + 1), 9);
	}
	assert_int_equal(cell("/soc/serial@10000000", "interrupts", 2, 0), 10);
	assert_int_equal(cell("/soc/serial@10000000", "interrupts", 2, 1), 4); /* level, high */
	assert_int_equal(node_of(cell("/soc/rtc@101000", "interrupt-parent", 1, 0)),
		fdt_path_offset(buf, aplic));
}

/* riscv,isa-extensions says the same as an ISA string behind its "rv64". */
static void assert_list_is(const char *path, const char *isa)
{
	int node = fdt_path_offset(buf, path), size, count;

	count = fdt_stringlist_count(buf, node, "riscv,isa-extensions");
	assert_true(count > 10);
	for (int i = 0; i < count; i++) {
		const char *name = fdt_stringlist_get(buf, node, "riscv,isa-extensions", i, &size);

		isa += *isa == '_';
		assert_memory_equal(isa, name, (size_t)size);
		isa += size;
	}
	assert_int_equal(*isa, '\0');
}

static void dtb_rv64__harts__have_all_that_a_virtual_one_can_have_and_no_h(void **state)
{
	const struct rv64_caps all = {.exts = UINT64_MAX};
	struct hv_guest guest = guest_of(4);
	const char *isa;

	(void)state;
	make(&guest);
	assert_int_equal(cell("/cpus", "timebase-frequency", 1, 0), 10000000);
	assert_int_equal(cell("/cpus/cpu@3", "reg", 1, 0), 3);
	assert_string_equal(text("/cpus/cpu@3", "device_type"), "cpu");
	assert_string_equal(text("/cpus/cpu@3", "compatible"), "riscv");
	assert_string_equal(text("/cpus/cpu@3", "mmu-type"), "riscv,sv57");
	isa = text("/cpus/cpu@3", "riscv,isa");
	assert_memory_equal(isa, "rv64imafdcv_", 12);
	assert_int_equal(rv64_isa_parse(isa, RV64_ISA_MAX), rv64_guest_exts(&all));
	assert_string_equal(text("/cpus/cpu@3", "riscv,isa-base"), "rv64i");
	assert_list_is("/cpus/cpu@3", isa + 4);
	assert_string_equal(
		text("/cpus/cpu@3/interrupt-controller", "compatible"), "riscv,cpu-intc");
	assert_true(fdt_path_offset(buf, "/cpus/cpu@4") < 0);
}

static void dtb_rv64__largest_machine__fits_the_room(void **state)
{
	static const uint8_t seed[DTB_SEED_SIZE];
	struct hv_guest guest = guest_of(HV_VCPUS);
	char args[DTB_BOOTARGS_MAX + 1];
	const struct dtb_cfg cfg = {
		.guest = &guest, .bootargs = args, .rng_seed = seed, .kaslr_seed = 1};
	size_t used;

	(void)state;
	memset(args, 'a', sizeof(args));
	args[DTB_BOOTARGS_MAX] = '\0';
	guest.flash.size = guest.initrd.size = 1;
	assert_int_equal(dtb_make(&cfg, buf, sizeof(buf), &used, &error), HV_OK);
	assert_int_equal(fdt_check_full(buf, used), 0);
}

static void dtb_rv64__placed__initrd_is_named_where_the_plan_puts_it(void **state)
{
	static uint8_t bytes[6000];
	struct hv_guest guest = guest_of(1);
	struct dtb_cfg cfg = {0};
	struct hv_load_plan plan;

	(void)state;
	guest.kernel = (struct hv_blob){bytes, 64};
	guest.initrd = (struct hv_blob){bytes, sizeof(bytes)};
	assert_int_equal(dtb_place(&guest, &cfg, buf, sizeof(buf), &error), HV_OK);
	assert_int_equal(
		hv_load_plan(&hv_load_riscv64, &guest, GPA(VIRT_RV64_RAM), &plan, &error), HV_OK);
	assert_int_equal(
		fdt64_ld((const fdt64_t *)prop("/chosen", "linux,initrd-start", 8)), plan.initrd.v);
}

static void f6_dtb_rv64__users_memory_elsewhere__is_refused(void **state)
{
	static _Alignas(8) uint8_t users[DTB_ROOM], out[2 * DTB_ROOM];
	struct hv_guest guest = guest_of(1), arm = guest_of(1);
	const struct dtb_cfg cfg = {.guest = &guest}, arms = {.guest = &arm};
	size_t used;

	(void)state;
	arm.machine = HV_MACHINE_AARCH64;
	arm.gic = 3;
	assert_int_equal(dtb_make(&arms, users, sizeof(users), &used, &error), HV_OK);
	guest.dtb = (struct hv_blob){users, used};
	assert_int_equal(dtb_make(&cfg, out, sizeof(out), &used, &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "memory reg");
	assert_string_equal(error.why, "memory that the machine does not have");
	assert_int_equal(error.value, 0x40000000);
}

static void dtb__unknown_machine__is_refused(void **state)
{
	struct hv_guest guest = guest_of(1);
	struct dtb_cfg cfg = {.guest = &guest};
	size_t used;

	(void)state;
	guest.machine = 62;
	assert_int_equal(dtb_make(&cfg, buf, sizeof(buf), &used, &error), HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
	assert_string_equal(error.field, "machine");
	assert_int_equal(error.value, 62);
	assert_int_equal(dtb_place(&guest, &cfg, buf, sizeof(buf), &error), HV_ERR_INVALID);
	assert_string_equal(error.field, "machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(dtb_rv64__devices__are_where_qemu_has_them),
		hv_unit_test(dtb_rv64__flash__as_large_as_its_pages),
		hv_unit_test(dtb_rv64__plic__one_context_in_two_for_each_hart),
		hv_unit_test(dtb_rv64__aplic__in_the_plics_place_with_two_cells_an_interrupt),
		hv_unit_test(dtb_rv64__harts__have_all_that_a_virtual_one_can_have_and_no_h),
		hv_unit_test(dtb_rv64__largest_machine__fits_the_room),
		hv_unit_test(dtb_rv64__placed__initrd_is_named_where_the_plan_puts_it),
		hv_unit_test(f6_dtb_rv64__users_memory_elsewhere__is_refused),
		hv_unit_test(dtb__unknown_machine__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
