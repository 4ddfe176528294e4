/* SPDX-License-Identifier: MIT */
/*
 * Device tree of the board virt-aarch64. Devicetree Specification 0.4; bindings as of Linux 6.1,
 * Documentation/devicetree/bindings.
 */
#include "dtb.h"

#include <board/virt_aarch64.h>
#include <hv/bits.h>
#include <hv/fdt.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define DTB_APB_HZ 24000000u
#define DTB_STDOUT "/pl011@9000000"
_Static_assert(VIRT_A64_UART == 0x9000000u, "DTB_STDOUT names the console by its address");

enum dtb_phandle { DTB_GIC = 1, DTB_APB };
enum dtb_irq_kind { DTB_SPI = 0, DTB_PPI = 1 };
#define DTB_IRQ_LEVEL 4u

/* Writes in order; after the first failure it does nothing more. */
struct dtb_writer {
	void *fdt;
	int err;
};

static void dtb_begin(struct dtb_writer *w, const char *name)
{
	w->err = w->err != 0 ? w->err : fdt_begin_node(w->fdt, name);
}

/* A node named after its address, as the specification wants. */
static void dtb_begin_at(struct dtb_writer *w, const char *name, uint64_t at)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)at);
	dtb_begin(w, text);
}

static void dtb_end(struct dtb_writer *w)
{
	w->err = w->err != 0 ? w->err : fdt_end_node(w->fdt);
}

static void dtb_bytes(struct dtb_writer *w, const char *name, const void *value, size_t size)
{
	w->err = w->err != 0 ? w->err : fdt_property(w->fdt, name, value, (int)size);
}

static void dtb_text(struct dtb_writer *w, const char *name, const char *value)
{
	dtb_bytes(w, name, value, strlen(value) + 1);
}

/* A list of strings; `size` counts the NULs between them and the last one. */
#define dtb_texts(w, name, list) dtb_bytes(w, name, list, sizeof(list))

static void dtb_flag(struct dtb_writer *w, const char *name)
{
	dtb_bytes(w, name, "", 0);
}

static void dtb_u64(struct dtb_writer *w, const char *name, uint64_t value)
{
	fdt64_t cell = cpu_to_fdt64(value);

	dtb_bytes(w, name, &cell, sizeof(cell));
}

static void dtb_cells(struct dtb_writer *w, const char *name, const uint32_t *cell, size_t count)
{
	void *value = NULL;

	if (w->err == 0) {
		w->err = fdt_property_placeholder(
			w->fdt, name, (int)(count * sizeof(*cell)), &value);
	}
	for (size_t i = 0; w->err == 0 && i < count; i++) {
		fdt32_st((uint8_t *)value + i * sizeof(*cell), cell[i]);
	}
}

#define dtb_list(w, name, ...)                                                                     \
	dtb_cells(w, name, (const uint32_t[]){__VA_ARGS__},                                        \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The two cells of a 64-bit number. */
#define DTB_2(x) (uint32_t)((uint64_t)(x) >> 32), (uint32_t)(x)

static void dtb_memory(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_begin_at(w, "memory", VIRT_A64_RAM);
	dtb_text(w, "device_type", "memory");
	dtb_list(w, "reg", DTB_2(VIRT_A64_RAM), DTB_2(guest->ram_size));
	dtb_end(w);
}

static void dtb_cpus(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_begin(w, "cpus");
	dtb_list(w, "#address-cells", 1);
	dtb_list(w, "#size-cells", 0);
	for (uint32_t i = 0; i < guest->cpus; i++) {
		dtb_begin_at(w, "cpu", i);
		dtb_text(w, "device_type", "cpu");
		dtb_text(w, "compatible", "arm,armv8");
		dtb_list(w, "reg", i); /* MPIDR_EL1.Aff0 */
		dtb_text(w, "enable-method", "psci");
		dtb_end(w);
	}
	dtb_end(w);
	dtb_begin(w, "psci");
	dtb_texts(w, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	dtb_text(w, "method", "hvc");
	dtb_end(w);
}

static void dtb_gic(struct dtb_writer *w, const struct hv_guest *guest)
{
	dtb_begin_at(w, "intc", VIRT_A64_GICD);
	if (guest->gic == 2) {
		dtb_text(w, "compatible", "arm,cortex-a15-gic");
		dtb_list(w, "reg", DTB_2(VIRT_A64_GICD), DTB_2(GICV2_GICD_SIZE),
			DTB_2(VIRT_A64_GICC), DTB_2(GICV2_GICC_SIZE));
	} else {
		dtb_text(w, "compatible", "arm,gic-v3");
		dtb_list(w, "reg", DTB_2(VIRT_A64_GICD), DTB_2(GICV3_GICD_SIZE),
			DTB_2(VIRT_A64_GICR), DTB_2((uint64_t)GICV3_GICR_SIZE * guest->cpus));
	}
	dtb_flag(w, "interrupt-controller");
	dtb_list(w, "#interrupt-cells", 3);
	dtb_list(w, "#address-cells", 0);
	dtb_list(w, "phandle", DTB_GIC);
	dtb_end(w);
}

static void dtb_timer(struct dtb_writer *w, const struct hv_guest *guest)
{
	/* GICv2 PPIs carry the mask of their CPUs. */
	uint32_t flags = DTB_IRQ_LEVEL | (guest->gic == 2 ? ((1u << guest->cpus) - 1) << 8 : 0);

	dtb_begin(w, "timer");
	dtb_texts(w, "compatible", "arm,armv8-timer\0arm,armv7-timer");
	/* Secure, non-secure physical (INTID 30), virtual (27), EL2. */
	dtb_list(w, "interrupts", DTB_PPI, 13, flags, DTB_PPI, 14, flags, DTB_PPI, 11, flags,
		DTB_PPI, 10, flags);
	dtb_flag(w, "always-on");
	dtb_end(w);
}

static void dtb_clock(struct dtb_writer *w)
{
	dtb_begin(w, "apb-pclk");
	dtb_text(w, "compatible", "fixed-clock");
	dtb_list(w, "#clock-cells", 0);
	dtb_list(w, "clock-frequency", DTB_APB_HZ);
	dtb_text(w, "clock-output-names", "clk24mhz");
	dtb_list(w, "phandle", DTB_APB);
	dtb_end(w);
}

static void dtb_uart(struct dtb_writer *w)
{
	dtb_begin_at(w, "pl011", VIRT_A64_UART);
	dtb_texts(w, "compatible", "arm,pl011\0arm,primecell");
	dtb_list(w, "reg", DTB_2(VIRT_A64_UART), DTB_2(VIRT_A64_UART_SIZE));
	dtb_list(w, "interrupts", DTB_SPI, VIRT_A64_UART_INTID - GIC_SPI_FIRST, DTB_IRQ_LEVEL);
	dtb_list(w, "clocks", DTB_APB, DTB_APB);
	dtb_texts(w, "clock-names", "uartclk\0apb_pclk");
	dtb_end(w);
}

static void dtb_rtc(struct dtb_writer *w)
{
	dtb_begin_at(w, "pl031", VIRT_A64_RTC);
	dtb_texts(w, "compatible", "arm,pl031\0arm,primecell");
	dtb_list(w, "reg", DTB_2(VIRT_A64_RTC), DTB_2(VIRT_A64_RTC_SIZE));
	dtb_list(w, "interrupts", DTB_SPI, VIRT_A64_RTC_INTID - GIC_SPI_FIRST, DTB_IRQ_LEVEL);
	dtb_list(w, "clocks", DTB_APB);
	dtb_text(w, "clock-names", "apb_pclk");
	dtb_end(w);
}

static void dtb_flash(struct dtb_writer *w, const struct hv_guest *guest)
{
	if (guest->flash.size == 0) {
		return;
	}
	dtb_begin_at(w, "flash", VIRT_A64_FLASH);
	dtb_text(w, "compatible", "cfi-flash");
	dtb_list(w, "reg", DTB_2(VIRT_A64_FLASH),
		DTB_2(hv_align_up(guest->flash.size, HV_PAGE_SIZE)));
	dtb_list(w, "bank-width", 4);
	dtb_end(w);
}

static void dtb_chosen(struct dtb_writer *w, const struct dtb_cfg *cfg)
{
	dtb_begin(w, "chosen");
	dtb_text(w, "stdout-path", DTB_STDOUT);
	if (cfg->bootargs != NULL) {
		dtb_text(w, "bootargs", cfg->bootargs);
	}
	if (cfg->guest->initrd.size != 0) {
		dtb_u64(w, "linux,initrd-start", cfg->initrd.v);
		dtb_u64(w, "linux,initrd-end", cfg->initrd.v + cfg->guest->initrd.size);
	}
	if (cfg->rng_seed != NULL) {
		dtb_bytes(w, "rng-seed", cfg->rng_seed, DTB_SEED_SIZE);
	}
	if (cfg->kaslr_seed != 0) {
		dtb_u64(w, "kaslr-seed", cfg->kaslr_seed);
	}
	dtb_end(w);
}

static void dtb_root(struct dtb_writer *w, const struct dtb_cfg *cfg)
{
	dtb_begin(w, "");
	dtb_text(w, "model", "drydock,virt-aarch64");
	dtb_texts(w, "compatible", "drydock,virt-aarch64\0linux,dummy-virt");
	dtb_list(w, "#address-cells", 2);
	dtb_list(w, "#size-cells", 2);
	dtb_list(w, "interrupt-parent", DTB_GIC);
	dtb_chosen(w, cfg);
	dtb_memory(w, cfg->guest);
	dtb_cpus(w, cfg->guest);
	dtb_gic(w, cfg->guest);
	dtb_timer(w, cfg->guest);
	dtb_clock(w);
	dtb_uart(w);
	dtb_rtc(w);
	dtb_flash(w, cfg->guest);
	dtb_end(w);
}

static int dtb_write(const struct dtb_cfg *cfg, void *buf, size_t size)
{
	struct dtb_writer w = {.fdt = buf};

	w.err = fdt_create(buf, (int)size);
	w.err = w.err != 0 ? w.err : fdt_finish_reservemap(buf);
	dtb_root(&w, cfg);
	return w.err != 0 ? w.err : fdt_finish(buf);
}

static enum hv_status dtb_refuse(
	struct hv_load_error *error, const char *field, const char *why, uint64_t value)
{
	*error = (struct hv_load_error){.input = "dtb", .field = field, .why = why, .value = value};
	return HV_ERR_INVALID;
}

/* A user's tree may describe less memory than the machine has, but no other. */
static enum hv_status dtb_check_memory(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	const struct hv_guest *guest, struct hv_load_error *error)
{
	struct hv_fdt_range range = {0};
	enum hv_status status = HV_OK;

	for (uint32_t i = 0; status == HV_OK; i++) {
		status = hv_fdt_reg(fdt, node, i, &range);
		if (status == HV_OK &&
			(range.size == 0 || !hv_range_inside(range.base, range.size, VIRT_A64_RAM,
						    guest->ram_size))) {
			error->value = range.base;
			error->why = "memory that the machine does not have";
			return HV_ERR_INVALID;
		}
	}
	error->why = "not a list of addresses and sizes";
	return status == HV_ERR_NOT_FOUND ? HV_OK : status;
}

static enum hv_status dtb_check_users(const struct hv_guest *guest, struct hv_load_error *error)
{
	struct hv_fdt fdt;
	struct hv_fdt_walk walk;
	struct hv_fdt_node node;
	enum hv_status status = hv_fdt_open(&fdt, guest->dtb, error);
	int err;

	if (status != HV_OK) {
		return status;
	}
	err = fdt_check_full(guest->dtb.data, guest->dtb.size);
	if (err != 0) { /* a second opinion, before libfdt changes it */
		return dtb_refuse(error, "structure", fdt_strerror(err), 0);
	}
	hv_fdt_walk_init(&walk, &fdt);
	while (status == HV_OK && hv_fdt_walk_to(&walk, "device_type", "memory", &node)) {
		*error = (struct hv_load_error){
			.input = "dtb", .field = "memory reg", .offset = node.at};
		status = dtb_check_memory(&fdt, &node, guest, error);
	}
	return status;
}

/* The user's tree says where some other initrd was, if anything. */
static int dtb_patch_initrd(void *fdt, int node, const struct dtb_cfg *cfg)
{
	uint64_t end = cfg->initrd.v + cfg->guest->initrd.size;
	int err;

	if (cfg->guest->initrd.size == 0) {
		(void)fdt_delprop(fdt, node, "linux,initrd-start");
		(void)fdt_delprop(fdt, node, "linux,initrd-end");
		return 0;
	}
	err = fdt_setprop_u64(fdt, node, "linux,initrd-start", cfg->initrd.v);
	return err != 0 ? err : fdt_setprop_u64(fdt, node, "linux,initrd-end", end);
}

/* Seeds that the user chose stay. */
static int dtb_patch_seeds(void *fdt, int node, const struct dtb_cfg *cfg)
{
	int err = 0;

	if (cfg->rng_seed != NULL && fdt_getprop(fdt, node, "rng-seed", NULL) == NULL) {
		err = fdt_setprop(fdt, node, "rng-seed", cfg->rng_seed, DTB_SEED_SIZE);
	}
	if (err == 0 && cfg->kaslr_seed != 0 &&
		fdt_getprop(fdt, node, "kaslr-seed", NULL) == NULL) {
		err = fdt_setprop_u64(fdt, node, "kaslr-seed", cfg->kaslr_seed);
	}
	return err;
}

static int dtb_patch(const struct dtb_cfg *cfg, void *buf, size_t size)
{
	int err = fdt_open_into(cfg->guest->dtb.data, buf, (int)size), node;

	if (err != 0) {
		return err;
	}
	node = fdt_subnode_offset(buf, 0, "chosen");
	node = node >= 0 ? node : fdt_add_subnode(buf, 0, "chosen");
	if (node < 0) {
		return node;
	}
	if (cfg->bootargs != NULL) {
		err = fdt_setprop(
			buf, node, "bootargs", cfg->bootargs, (int)strlen(cfg->bootargs) + 1);
	}
	err = err != 0 ? err : dtb_patch_initrd(buf, node, cfg);
	err = err != 0 ? err : dtb_patch_seeds(buf, node, cfg);
	return err != 0 ? err : fdt_pack(buf);
}

enum hv_status dtb_make(const struct dtb_cfg *cfg, void *buf, size_t size, size_t *used,
	struct hv_load_error *error)
{
	bool is_users = cfg->guest->dtb.size != 0;
	int err;

	*error = (struct hv_load_error){.input = "dtb"};
	if (cfg->bootargs != NULL && strlen(cfg->bootargs) > DTB_BOOTARGS_MAX) {
		return dtb_refuse(
			error, "bootargs", "longer than 2047 bytes", strlen(cfg->bootargs));
	}
	if (is_users && dtb_check_users(cfg->guest, error) != HV_OK) {
		return HV_ERR_INVALID;
	}
	err = is_users ? dtb_patch(cfg, buf, size) : dtb_write(cfg, buf, size);
	if (err != 0) {
		return dtb_refuse(error, "totalsize", fdt_strerror(err), size);
	}
	*used = fdt_totalsize(buf);
	return HV_OK;
}

enum hv_status dtb_place(struct hv_guest *guest, struct dtb_cfg *cfg, void *buf, size_t size,
	struct hv_load_error *error)
{
	struct hv_guest planned = *guest;
	struct hv_load_plan plan;
	enum hv_status status;
	size_t used = 0;

	cfg->guest = guest;
	cfg->initrd = GPA(0);
	status = dtb_make(cfg, buf, size, &used, error);
	if (status != HV_OK) {
		return status;
	}
	planned.dtb = (struct hv_blob){buf, used};
	status = hv_load_plan(&planned, GPA(VIRT_A64_RAM), &plan, error);
	if (status != HV_OK) {
		return status;
	}
	cfg->initrd = plan.initrd;
	status = dtb_make(cfg, buf, size, &used, error);
	guest->dtb = planned.dtb;
	return status;
}
