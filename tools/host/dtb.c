/* SPDX-License-Identifier: MIT */
/*
 * Device trees for guests: what no architecture decides, and a user's own tree. Devicetree
 * Specification 0.4; bindings as of Linux 6.1, Documentation/devicetree/bindings.
 */
#include "dtb_write.h"

#include <board/virt_aarch64.h>
#include <board/virt_riscv64.h>
#include <hv/fdt.h>
#include <libfdt.h>
#include <string.h>

static const struct dtb_machine dtb_machines[] = {
	{
		.number = HV_MACHINE_AARCH64,
		.console = "/pl011@9000000",
		.ram = VIRT_A64_RAM,
		.flash = VIRT_A64_FLASH,
		.put = dtb_a64_put,
	},
	{
		.number = HV_MACHINE_RISCV,
		.console = "/soc/serial@10000000",
		.ram = VIRT_RV64_RAM,
		.flash = VIRT_RV64_FLASH,
		.put = dtb_rv64_put,
	},
};
_Static_assert(VIRT_A64_UART == 0x9000000u && VIRT_RV64_UART == 0x10000000u,
	"the consoles are named by their addresses");

static void dtb_memory(
	struct dtb_writer *w, const struct dtb_machine *machine, const struct hv_guest *guest)
{
	dtb_begin_at(w, "memory", machine->ram);
	dtb_text(w, "device_type", "memory");
	dtb_list(w, "reg", DTB_2(machine->ram), DTB_2(guest->ram_size));
	dtb_end(w);
}

static void dtb_flash(
	struct dtb_writer *w, const struct dtb_machine *machine, const struct hv_guest *guest)
{
	if (guest->flash.size == 0) {
		return;
	}
	dtb_begin_at(w, "flash", machine->flash);
	dtb_text(w, "compatible", "cfi-flash");
	dtb_list(w, "reg", DTB_2(machine->flash),
		DTB_2(hv_align_up(guest->flash.size, HV_PAGE_SIZE)));
	dtb_list(w, "bank-width", 4);
	dtb_end(w);
}

static void dtb_chosen(
	struct dtb_writer *w, const struct dtb_machine *machine, const struct dtb_cfg *cfg)
{
	dtb_begin(w, "chosen");
	dtb_text(w, "stdout-path", machine->console);
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

static void dtb_root(
	struct dtb_writer *w, const struct dtb_machine *machine, const struct dtb_cfg *cfg)
{
	dtb_begin(w, "");
	dtb_list(w, "#address-cells", 2);
	dtb_list(w, "#size-cells", 2);
	machine->put(w, cfg->guest);
	dtb_flash(w, machine, cfg->guest);
	dtb_memory(w, machine, cfg->guest);
	dtb_chosen(w, machine, cfg);
	dtb_end(w);
}

static int dtb_write(
	const struct dtb_machine *machine, const struct dtb_cfg *cfg, void *buf, size_t size)
{
	struct dtb_writer w = {.fdt = buf};

	w.err = fdt_create(buf, (int)size);
	w.err = w.err != 0 ? w.err : fdt_finish_reservemap(buf);
	dtb_root(&w, machine, cfg);
	return w.err != 0 ? w.err : fdt_finish(buf);
}

static enum hv_status dtb_refuse(
	struct hv_load_error *error, const char *field, const char *why, uint64_t value)
{
	*error = (struct hv_load_error){.input = "dtb", .field = field, .why = why, .value = value};
	return HV_ERR_INVALID;
}

static const struct dtb_machine *dtb_machine(
	const struct hv_guest *guest, struct hv_load_error *error)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(dtb_machines); i++) {
		if (dtb_machines[i].number == guest->machine) {
			return &dtb_machines[i];
		}
	}
	(void)!dtb_refuse(error, "machine", "unknown", guest->machine);
	return NULL;
}

/* A user's tree may describe less memory than the machine has, but no other. */
static enum hv_status dtb_check_memory(const struct hv_fdt *fdt, const struct hv_fdt_node *node,
	struct hv_fdt_range ram, struct hv_load_error *error)
{
	struct hv_fdt_range range = {0};
	enum hv_status status = HV_OK;

	for (uint32_t i = 0; status == HV_OK; i++) {
		status = hv_fdt_reg(fdt, node, i, &range);
		if (status == HV_OK && (range.size == 0 || !hv_range_inside(range.base, range.size,
								   ram.base, ram.size))) {
			error->value = range.base;
			error->why = "memory that the machine does not have";
			return HV_ERR_INVALID;
		}
	}
	error->why = "not a list of addresses and sizes";
	return status == HV_ERR_NOT_FOUND ? HV_OK : status;
}

static enum hv_status dtb_check_users(const struct dtb_machine *machine,
	const struct hv_guest *guest, struct hv_load_error *error)
{
	const struct hv_fdt_range ram = {.base = machine->ram, .size = guest->ram_size};
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
		status = dtb_check_memory(&fdt, &node, ram, error);
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

static enum hv_status dtb_fill(const struct dtb_machine *machine, const struct dtb_cfg *cfg,
	void *buf, size_t size, size_t *used, struct hv_load_error *error)
{
	bool is_users = cfg->guest->dtb.size != 0;
	int err;

	*error = (struct hv_load_error){.input = "dtb"};
	if (cfg->bootargs != NULL && strlen(cfg->bootargs) > DTB_BOOTARGS_MAX) {
		return dtb_refuse(
			error, "bootargs", "longer than 2047 bytes", strlen(cfg->bootargs));
	}
	if (is_users && dtb_check_users(machine, cfg->guest, error) != HV_OK) {
		return HV_ERR_INVALID;
	}
	err = is_users ? dtb_patch(cfg, buf, size) : dtb_write(machine, cfg, buf, size);
	if (err != 0) {
		return dtb_refuse(error, "totalsize", fdt_strerror(err), size);
	}
	*used = fdt_totalsize(buf);
	return HV_OK;
}

enum hv_status dtb_make(const struct dtb_cfg *cfg, void *buf, size_t size, size_t *used,
	struct hv_load_error *error)
{
	const struct dtb_machine *machine = dtb_machine(cfg->guest, error);

	return machine != NULL ? dtb_fill(machine, cfg, buf, size, used, error) : HV_ERR_INVALID;
}

enum hv_status dtb_place(struct hv_guest *guest, struct dtb_cfg *cfg, void *buf, size_t size,
	struct hv_load_error *error)
{
	const struct dtb_machine *machine = dtb_machine(guest, error);
	struct hv_guest planned = *guest;
	struct hv_load_plan plan;
	enum hv_status status;
	size_t used = 0;

	if (machine == NULL) {
		return HV_ERR_INVALID;
	}
	cfg->guest = guest;
	cfg->initrd = GPA(0);
	status = dtb_fill(machine, cfg, buf, size, &used, error);
	if (status != HV_OK) {
		return status;
	}
	planned.dtb = (struct hv_blob){buf, used};
	status = hv_load_plan(
		hv_load_machine(guest->machine), &planned, GPA(machine->ram), &plan, error);
	if (status != HV_OK) {
		return status;
	}
	cfg->initrd = plan.initrd;
	status = dtb_fill(machine, cfg, buf, size, &used, error);
	guest->dtb = planned.dtb;
	return status;
}
