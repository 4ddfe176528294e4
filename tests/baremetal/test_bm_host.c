/* SPDX-License-Identifier: MIT */
/* The host's device tree as the bare-metal backend reads it; the trees are made with libfdt. */
#include <unit.h>

#include <host.h>
#include <hv/bits.h>
#include <libfdt.h>
#include <stdio.h>

#define RAM      HV_GIB(1)
#define RAM_SIZE HV_MIB(512)
#define IMAGE    (RAM + HV_MIB(2))
#define INITRD   (RAM + HV_MIB(128))

/* What differs from a good tree. */
struct variant {
	const char *drop;        /* the node of this name is left out */
	const char *disable;     /* this one is disabled */
	const char *gic;         /* its "compatible" */
	const uint64_t *gic_reg; /* GICv2: its "reg", of so many ranges */
	size_t gic_ranges;
	bool no_gic_irq;
	const char *method;      /* of PSCI */
	uint32_t gicr_regions;   /* 0: no such property */
	unsigned memory_nodes;   /* 0: one */
	uint32_t uart_irq_cells; /* of its "interrupts"; 0: all 3 */
	uint64_t reserve, reserve_size;
	uint64_t reserved_node, reserved_node_size;
	bool no_initrd_end, uart_behind_a_bus;
};

static _Alignas(8) uint8_t blob[65536];
static struct host host;
static struct hv_load_error error;

static void put_string(const char *name, const char *text)
{
	assert_int_equal(fdt_property(blob, name, text, (int)strlen(text) + 1), 0);
}

static bool begin(const struct variant *tree, const char *name)
{
	if (tree->drop && strncmp(name, tree->drop, strlen(tree->drop)) == 0) {
		return false;
	}
	assert_int_equal(fdt_begin_node(blob, name), 0);
	if (tree->disable && strncmp(name, tree->disable, strlen(tree->disable)) == 0) {
		put_string("status", "disabled");
	}
	return true;
}

static void end(void)
{
	assert_int_equal(fdt_end_node(blob), 0);
}

static void put_reg(const uint64_t *values, size_t count)
{
	fdt64_t cells[16];

	for (size_t i = 0; i < count; i++) {
		cells[i] = cpu_to_fdt64(values[i]);
	}
	assert_int_equal(fdt_property(blob, "reg", cells, (int)(count * 8)), 0);
}

#define PUT_REG(...)                                                                               \
	put_reg((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static void put_irqs(const uint32_t *values, size_t count)
{
	fdt32_t cells[16];

	for (size_t i = 0; i < count; i++) {
		cells[i] = cpu_to_fdt32(values[i]);
	}
	assert_int_equal(fdt_property(blob, "interrupts", cells, (int)(count * 4)), 0);
}

static void put_memory(const struct variant *tree)
{
	unsigned nodes = tree->memory_nodes ? tree->memory_nodes : 1;

	for (unsigned i = 0; i < nodes; i++) {
		uint64_t base = RAM + i * HV_GIB(1);
		char name[32];

		snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)base);
		if (begin(tree, name)) {
			put_string("device_type", "memory");
			PUT_REG(base, RAM_SIZE);
			end();
		}
	}
}

static void put_reserved(const struct variant *tree)
{
	if (tree->reserved_node_size == 0) {
		return;
	}
	begin(tree, "reserved-memory");
	fdt_property_u32(blob, "#address-cells", 2);
	fdt_property_u32(blob, "#size-cells", 2);
	fdt_property(blob, "ranges", NULL, 0);
	begin(tree, "firmware");
	PUT_REG(tree->reserved_node, tree->reserved_node_size);
	end();
	end();
}

static void put_uart(const struct variant *tree)
{
	static const uint32_t irq[] = {0, 1, 4};

	if (tree->uart_behind_a_bus) {
		begin(tree, "bus"); /* no "ranges": the CPU does not see its addresses */
		fdt_property_u32(blob, "#address-cells", 2);
		fdt_property_u32(blob, "#size-cells", 2);
	}
	if (begin(tree, "pl011@9000000")) {
		fdt_property(blob, "compatible", "arm,pl011\0arm,primecell", 24);
		PUT_REG(0x9000000, 0x1000);
		put_irqs(irq, tree->uart_irq_cells ? tree->uart_irq_cells : 3);
		end();
	}
	if (tree->uart_behind_a_bus) {
		end();
	}
}

static void put_gic(const struct variant *tree)
{
	static const uint32_t irq[] = {1, 9, 4};

	if (!begin(tree, "intc@8000000")) {
		return;
	}
	put_string("compatible", tree->gic ? tree->gic : "arm,gic-v3");
	if (tree->gicr_regions) {
		fdt_property_u32(blob, "#redistributor-regions", tree->gicr_regions);
	}
	if (tree->gic_reg) {
		put_reg(tree->gic_reg, 2 * tree->gic_ranges);
	} else {
		PUT_REG(0x8000000, 0x10000, 0x80a0000, 0xf60000, 0x4000000000, 0x4000000);
	}
	if (!tree->no_gic_irq) {
		put_irqs(irq, 3);
	}
	end();
}

static void put_timer(const struct variant *tree)
{
	static const uint32_t irq[] = {1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4};

	if (begin(tree, "timer")) {
		put_string("compatible", "arm,armv8-timer");
		put_irqs(irq, 12);
		end();
	}
}

static void put_small(const struct variant *tree)
{
	if (begin(tree, "psci")) {
		put_string("method", tree->method ? tree->method : "smc");
		end();
	}
	if (begin(tree, "pl031@9010000")) {
		put_string("compatible", "arm,pl031");
		PUT_REG(0x9010000, 0x1000);
		end();
	}
	if (begin(tree, "chosen")) {
		fdt_property_u64(blob, "linux,initrd-start", INITRD);
		if (!tree->no_initrd_end) {
			fdt_property_u64(blob, "linux,initrd-end", INITRD + 12345);
		}
		end();
	}
}

static enum hv_status read_tree(const struct variant *tree)
{
	const struct range image = {.base = IMAGE, .size = 0x41000};

	assert_int_equal(fdt_create(blob, sizeof(blob)), 0);
	if (tree->reserve_size) {
		assert_int_equal(
			fdt_add_reservemap_entry(blob, tree->reserve, tree->reserve_size), 0);
	}
	assert_int_equal(fdt_finish_reservemap(blob), 0);
	assert_int_equal(fdt_begin_node(blob, ""), 0);
	fdt_property_u32(blob, "#address-cells", 2);
	fdt_property_u32(blob, "#size-cells", 2);
	put_reserved(tree);
	put_memory(tree);
	put_uart(tree);
	put_gic(tree);
	put_timer(tree);
	put_small(tree);
	end();
	assert_int_equal(fdt_finish(blob), 0);
	memset(&error, 0, sizeof(error));
	return host_read(&host, blob, image, &error);
}

static void assert_refused(const struct variant *tree, const char *field)
{
	assert_int_equal(read_tree(tree), HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
	assert_string_equal(error.field, field);
	assert_non_null(error.why);
}

/* Whether any byte of [base, base+size) would be given out. */
static bool is_free(uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < host.tree.ram.count; i++) {
		if (hv_range_overlaps(
			    host.tree.ram.range[i].base, host.tree.ram.range[i].size, base, size)) {
			return true;
		}
	}
	return false;
}

static uint64_t free_size(void)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < host.tree.ram.count; i++) {
		size += host.tree.ram.range[i].size;
	}
	return size;
}

static void host__good_tree__all_found(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){0}), HV_OK);
	assert_int_equal(host.tree.uart.base, 0x9000000);
	assert_int_equal(host.uart_intid, 33);
	assert_int_equal(host.gicd.base, 0x8000000);
	assert_int_equal(host.gic_version, 3);
	assert_int_equal(host.gicr_count, 1);
	assert_int_equal(host.gicr[0].base, 0x80a0000);
	assert_int_equal(host.gicr[0].size, 0xf60000);
	assert_int_equal(host.maintenance_intid, 25);
	assert_int_equal(host.vtimer_intid, 27);
	assert_int_equal(host.hyp_timer_intid, 26);
	assert_int_equal(host.tree.rtc.base, 0x9010000);
	assert_int_equal(host.tree.initrd.base, INITRD);
	assert_int_equal(host.tree.initrd.size, 12345);
	assert_string_equal(host.psci_method, "smc");
}

static void host__good_tree__what_is_used_is_not_free(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){0}), HV_OK);
	assert_false(is_free(IMAGE, 0x41000));
	assert_false(is_free(INITRD, hv_align_up(12345, HV_PAGE_SIZE)));
	assert_true(is_free(IMAGE - 1, 1));
	assert_true(is_free(INITRD + hv_align_up(12345, HV_PAGE_SIZE), 1));
	assert_int_equal(free_size(), RAM_SIZE - 0x41000 - hv_align_up(12345, HV_PAGE_SIZE));
}

static void host__two_gicr_regions__both(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){.gicr_regions = 2}), HV_OK);
	assert_int_equal(host.gicr_count, 2);
	assert_int_equal(host.gicr[1].base, 0x4000000000);
}

/* GICD, GICC, GICH, GICV: base and size. */
#define GICV2                                                                                      \
	{                                                                                          \
		0x8000000, 0x10000, 0x8010000, 0x2000, 0x8030000, 0x200, 0x8040000, 0x2000         \
	}

static void host__gicv2__its_four_frames(void **state)
{
	static const char *const names[] = {"arm,cortex-a15-gic", "arm,gic-400"};
	static const uint64_t regs[] = GICV2;

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(names); i++) {
		assert_int_equal(read_tree(&(struct variant){
					 .gic = names[i], .gic_reg = regs, .gic_ranges = 4}),
			HV_OK);
		assert_int_equal(host.gic_version, 2);
		assert_int_equal(host.gicd.base, 0x8000000);
		assert_int_equal(host.gicc.base, 0x8010000);
		assert_int_equal(host.gich.base, 0x8030000);
		assert_int_equal(host.gicv.base, 0x8040000);
		assert_int_equal(host.maintenance_intid, 25);
	}
}

static void host__gicv2_without_virtualization__no_list_registers(void **state)
{
	static const uint64_t regs[] = GICV2;

	(void)state;
	for (size_t ranges = 2; ranges <= 3; ranges++) {
		assert_int_equal(read_tree(&(struct variant){.gic = "arm,gic-400",
					 .gic_reg = regs,
					 .gic_ranges = ranges,
					 .no_gic_irq = true}),
			HV_OK);
		assert_int_equal(host.gic_version, 2);
		assert_int_equal(host.gich.size, 0);
		assert_int_equal(host.gicv.size, 0);
		assert_int_equal(host.maintenance_intid, 0);
	}
}

/* One place of "reg" is too small, or not where a page begins. */
static void f6_host__gicv2_frames_of_no_use_to_guests__as_if_missing(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
	} row[] = {{5, 0x1ff}, {6, 0x8040100}, {7, 0x1fff}};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(row); i++) {
		uint64_t regs[] = GICV2;

		regs[row[i].at] = row[i].value;
		assert_int_equal(read_tree(&(struct variant){.gic = "arm,gic-400",
					 .gic_reg = regs,
					 .gic_ranges = 4,
					 .no_gic_irq = true}),
			HV_OK);
		assert_int_equal(host.gich.size, 0);
	}
}

static void f6_host__gicv2_of_which_we_need_more__named(void **state)
{
	uint64_t regs[] = GICV2;

	(void)state;
	assert_refused(
		&(struct variant){.gic = "arm,gic-400", .gic_reg = regs, .gic_ranges = 1}, "reg");
	assert_refused(
		&(struct variant){
			.gic = "arm,gic-400", .gic_reg = regs, .gic_ranges = 4, .no_gic_irq = true},
		"interrupts");
	regs[3] = 0x1fff; /* GICC without GICC_DIR */
	assert_refused(
		&(struct variant){.gic = "arm,gic-400", .gic_reg = regs, .gic_ranges = 4}, "reg");
}

static void host__reservations__not_free(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){.reserve = RAM + HV_MIB(64) + 1,
				 .reserve_size = 10,
				 .reserved_node = RAM + HV_MIB(96),
				 .reserved_node_size = HV_MIB(1)}),
		HV_OK);
	assert_false(is_free(RAM + HV_MIB(64), HV_PAGE_SIZE));
	assert_true(is_free(RAM + HV_MIB(64) + HV_PAGE_SIZE, 1));
	assert_false(is_free(RAM + HV_MIB(96), HV_MIB(1)));
}

static void host__optional_nodes_missing__fine(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){.drop = "psci"}), HV_OK);
	assert_null(host.psci_method);
	assert_int_equal(read_tree(&(struct variant){.drop = "pl031"}), HV_OK);
	assert_int_equal(host.tree.rtc.size, 0);
}

static void f6_host__needed_node_missing__named(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.drop = "pl011"}, "arm,pl011");
	assert_refused(&(struct variant){.drop = "intc"}, "arm,gic-v3 or arm,gic-400");
	assert_refused(&(struct variant){.gic = "arm,cortex-a9-gic"}, "arm,gic-v3 or arm,gic-400");
	assert_refused(&(struct variant){.drop = "timer"}, "arm,armv8-timer");
	assert_refused(&(struct variant){.drop = "memory"}, "memory");
	assert_refused(&(struct variant){.drop = "chosen"}, "linux,initrd-start");
	assert_refused(&(struct variant){.no_initrd_end = true}, "linux,initrd-start");
}

static void f6_host__disabled_node__as_if_missing(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.disable = "pl011"}, "arm,pl011");
	assert_refused(&(struct variant){.disable = "memory"}, "memory");
}

static void f6_host__something_missing__uart_and_psci_still_known(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.drop = "timer"}, "arm,armv8-timer");
	assert_int_equal(host.tree.uart.base, 0x9000000);
	assert_string_equal(host.psci_method, "smc");
}

static void f6_host__interrupts_too_short__named_with_its_node(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.uart_irq_cells = 2}, "interrupts");
	assert_true(error.offset != 0);
}

static void f6_host__device_behind_a_bus__no_address(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.uart_behind_a_bus = true}, "reg");
}

static void f6_host__redistributor_regions__bounds(void **state)
{
	(void)state;
	assert_refused(
		&(struct variant){.gicr_regions = HOST_GICR_REGIONS + 1}, "#redistributor-regions");
	/* As many as allowed, but "reg" has not got them. */
	assert_refused(&(struct variant){.gicr_regions = HOST_GICR_REGIONS}, "reg");
}

static void f6_host__more_memory_than_we_take__refused(void **state)
{
	(void)state;
	assert_int_equal(read_tree(&(struct variant){.memory_nodes = 20}), HV_OK);
	assert_refused(&(struct variant){.memory_nodes = RANGES_MOST + 1}, "memory");
}

static void f6_host__reservation_that_wraps__refused(void **state)
{
	(void)state;
	assert_refused(&(struct variant){.reserve = UINT64_MAX - 10, .reserve_size = 5},
		"memory reservation");
}

/* F1: no prefix of a good tree makes us read outside of it (ASan), nor do other bytes. */
static void f1_host__every_byte_changed__no_harm(void **state)
{
	size_t size;

	(void)state;
	assert_int_equal(read_tree(&(struct variant){0}), HV_OK);
	size = fdt_totalsize(blob);
	for (size_t i = 8; i < size; i++) {
		const struct range image = {.base = IMAGE, .size = 0x41000};
		uint8_t old = blob[i];
		enum hv_status status;

		blob[i] ^= 0xff;
		status = host_read(&host, blob, image, &error);
		assert_true(status == HV_OK || status == HV_ERR_INVALID);
		blob[i] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(host__good_tree__all_found),
		hv_unit_test(host__good_tree__what_is_used_is_not_free),
		hv_unit_test(host__two_gicr_regions__both),
		hv_unit_test(host__gicv2__its_four_frames),
		hv_unit_test(host__gicv2_without_virtualization__no_list_registers),
		hv_unit_test(f6_host__gicv2_frames_of_no_use_to_guests__as_if_missing),
		hv_unit_test(f6_host__gicv2_of_which_we_need_more__named),
		hv_unit_test(host__reservations__not_free),
		hv_unit_test(host__optional_nodes_missing__fine),
		hv_unit_test(f6_host__needed_node_missing__named),
		hv_unit_test(f6_host__disabled_node__as_if_missing),
		hv_unit_test(f6_host__something_missing__uart_and_psci_still_known),
		hv_unit_test(f6_host__interrupts_too_short__named_with_its_node),
		hv_unit_test(f6_host__device_behind_a_bus__no_address),
		hv_unit_test(f6_host__redistributor_regions__bounds),
		hv_unit_test(f6_host__more_memory_than_we_take__refused),
		hv_unit_test(f6_host__reservation_that_wraps__refused),
		hv_unit_test(f1_host__every_byte_changed__no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
