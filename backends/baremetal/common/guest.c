/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "clock.h"
#include "machine.h"
#include "report.h"
#include "stage1.h"

#include <hv/bits.h>

#define BLOCK_1G HV_GIB(1)
#define BLOCK_2M HV_MIB(2)
#define NS_PER_S 1000000000u

static enum hv_status take(struct tree *tree, uint64_t size, uint64_t align, uint64_t *base)
{
	enum hv_status status = ranges_take(&tree->ram, size, align, base);

	if (status == HV_OK) {
		status = stage1_map(*base, size, HV_PROT_R | HV_PROT_W, HV_MEM_NORMAL);
	}
	return status;
}

/* With the alignment that gives Stage-2 the largest blocks, if such a place is free. */
static enum hv_status take_ram(struct guest *guest, struct tree *tree)
{
	uint64_t size = guest->what.ram_size, base;
	enum hv_status status = HV_ERR_NO_MEMORY;

	if (size >= BLOCK_1G) {
		status = take(tree, size, BLOCK_1G, &base);
	}
	if (status == HV_ERR_NO_MEMORY) {
		status = take(tree, size, BLOCK_2M, &base);
	}
	if (status == HV_OK) {
		guest->cfg.ram_size = size;
		guest->cfg.ram_hpa = HPA(base);
		guest->cfg.ram_host = (uint8_t *)base;
	}
	return status;
}

static enum hv_status take_flash(struct guest *guest, struct tree *tree)
{
	uint64_t size = hv_align_up(guest->what.flash.size, HV_PAGE_SIZE);
	enum hv_status status;

	if (size == 0) {
		return HV_OK;
	}
	status = take(tree, size, HV_PAGE_SIZE, &guest->flash.base);
	if (status == HV_OK) {
		guest->flash.size = size;
		guest->cfg.flash_size = size;
		guest->cfg.flash_hpa = HPA(guest->flash.base);
		guest->cfg.flash_host = (uint8_t *)guest->flash.base;
	}
	return status;
}

static enum hv_status take_core(struct guest *guest, struct tree *tree)
{
	size_t arena_size;
	uint32_t page_count;
	uint64_t base;
	enum hv_status status;

	machine_sizes(&guest->what, &guest->cfg, &arena_size, &page_count);
	arena_size = hv_align_up(arena_size, HV_PAGE_SIZE);
	status = take(tree, arena_size + page_count * HV_PAGE_SIZE, HV_PAGE_SIZE, &base);
	if (status == HV_OK) {
		guest->arena = (struct hv_arena){.base = (uint8_t *)base, .size = arena_size};
		guest->pages.page_count = page_count;
		guest->pages.base = (uint8_t *)base + arena_size;
		guest->cfg.pages = &guest->pages;
	}
	return status;
}

/* By the host's clock, which is read once; 1970 without one. */
static uint64_t epoch(void)
{
	uint64_t up = port_now() / NS_PER_S, now = machine_epoch();

	return now > up ? now - up : 0;
}

/* For now. */
static enum hv_status need_one_vm(uint64_t count, struct hv_load_error *error)
{
	if (count == 1) {
		return HV_OK;
	}
	*error = (struct hv_load_error){.input = "bundle",
		.field = "vm",
		.why = "this hypervisor runs one VM",
		.value = count};
	return HV_ERR_INVALID;
}

/* Each vCPU has a CPU of its own. */
static enum hv_status need_cpus(
	const struct tree *tree, uint32_t count, struct hv_load_error *error)
{
	static const char *const why[TREE_CPUS] = {
		"more vCPUs than the host's 1 CPU",
		"more vCPUs than the host's 2 CPUs",
		"more vCPUs than the host's 3 CPUs",
		"more vCPUs than the host's 4 CPUs",
		"more vCPUs than the host's 5 CPUs",
		"more vCPUs than the host's 6 CPUs",
		"more vCPUs than the host's 7 CPUs",
		"more vCPUs than the 8 CPUs that are used at most",
	};

	if (count <= tree->cpu_count) {
		return HV_OK;
	}
	*error = (struct hv_load_error){.input = "bundle",
		.field = "cpus",
		.why = why[tree->cpu_count - 1],
		.value = count};
	return HV_ERR_INVALID;
}

/* What the bundle wants, and where all of it will be. */
static enum hv_status read_bundle(struct guest *guest, const struct tree *tree, struct hv_blob blob,
	struct hv_load_error *error)
{
	enum hv_status status = hv_bundle_open(&guest->bundle, machine_number(), blob, error);

	if (status != HV_OK) {
		return status;
	}
	report_token(guest->bundle.token);
	status = need_one_vm(guest->bundle.vm_count, error);
	if (status == HV_OK) {
		status = hv_bundle_vm(&guest->bundle, 0, &guest->what, error);
	}
	if (status == HV_OK) {
		status = need_cpus(tree, guest->what.cpus, error);
	}
	if (status == HV_OK) {
		status = machine_check(&guest->what, error);
	}
	if (status == HV_OK) {
		status = hv_load_plan(
			machine_loader(), &guest->what, machine_ram(), &guest->plan, error);
	}
	return status;
}

enum hv_status guest_plan(struct guest *guest, struct tree *tree, struct hv_load_error *error)
{
	struct hv_blob blob = {.data = (const void *)tree->initrd.base, .size = tree->initrd.size};
	enum hv_status status = read_bundle(guest, tree, blob, error);

	if (status != HV_OK) {
		return status;
	}
	guest->cfg = (struct board_cfg){
		.id = 1,
		.cpus = guest->what.cpus,
		.unshared = guest->what.cpus == 1, /* ours is the only CPU then */
		.lazy_ram = guest->what.lazy_ram,
		.epoch = epoch(),
	};
	*error = (struct hv_load_error){.input = NULL, .why = "the host has too little memory"};
	status = take_ram(guest, tree);
	if (status == HV_OK) {
		status = take_flash(guest, tree);
	}
	return status == HV_OK ? take_core(guest, tree) : status;
}

static void fill_flash(struct guest *guest)
{
	uint8_t *flash = (uint8_t *)guest->flash.base;
	uint64_t size = guest->what.flash.size;

	if (guest->flash.size == 0) {
		return;
	}
	__builtin_memcpy(flash, guest->what.flash.data, size);
	__builtin_memset(flash + size, 0, guest->flash.size - size);
	port_guest_sync(flash, guest->flash.size);
}

/* RAM is one region, so the tree lies in one piece. */
static uint8_t *dtb_in_ram(const struct guest *guest)
{
	return guest->cfg.ram_host + (guest->plan.dtb.v - machine_ram().v);
}

enum hv_status guest_create(struct guest *guest, struct hv_load_error *error)
{
	uint8_t *pool = guest->pages.base;
	enum hv_status status;

	*error = (struct hv_load_error){.input = NULL, .why = "the VM could not be created"};
	hv_pages_init(&guest->pages, pool, HPA((uintptr_t)pool), guest->pages.page_count);
	fill_flash(guest);
	status = machine_create(&guest->what, &guest->cfg, &guest->arena, &guest->board);
	for (uint16_t i = 0; i < guest->cfg.cpus && status == HV_OK; i++) {
		guest->board->vm->vcpu[i]->pcpu = i;
	}
	if (status == HV_OK) {
		status = hv_load_commit(
			machine_loader(), &guest->what, &guest->plan, &guest->board->vm->gmem);
	}
	if (status == HV_OK && guest->what.dtb.size != 0) {
		status = machine_loaded(dtb_in_ram(guest), guest->what.dtb.size, error);
	}
	return status;
}

static void stat(const char *prefix, const char *name, uint64_t value)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	hv_text_str(&text, prefix);
	hv_text_str(&text, name);
	hv_text_char(&text, ' ');
	hv_text_dec(&text, value);
	report("stat", &text);
}

/* In seconds, with nine decimals. */
static void stat_time(const char *name, uint64_t ticks)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);
	uint64_t ns = clock_to_ns(ticks), unit = NS_PER_S / 10;

	hv_text_str(&text, name);
	hv_text_char(&text, ' ');
	hv_text_dec(&text, ns / NS_PER_S);
	hv_text_char(&text, '.');
	for (ns %= NS_PER_S; unit; unit /= 10) {
		hv_text_char(&text, (char)('0' + ns / unit % 10));
	}
	report("stat", &text);
}

void guest_stats(const struct guest *guest)
{
	struct hv_vcpu_stats sum = {0};
	uint64_t in_guest = 0, in_hypervisor = 0, idle = 0;

	for (uint16_t i = 0; i < guest->cfg.cpus; i++) {
		const struct hv_vcpu_stats *its = &guest->board->vm->vcpu[i]->stats;
		const struct machine_times *times = machine_times(i);

		for (unsigned kind = 0; kind < HV_EXIT_KINDS; kind++) {
			sum.exits[kind] += its->exits[kind];
		}
		sum.irqs += its->irqs;
		in_guest += times->guest;
		in_hypervisor += times->hypervisor;
		idle += times->idle;
	}
	for (unsigned kind = 0; kind < HV_EXIT_KINDS; kind++) {
		stat("exits.", hv_exit_kind_name((enum hv_exit_kind)kind), sum.exits[kind]);
	}
	stat("", "irqs", sum.irqs);
	stat("memory.", "arena", guest->arena.used);
	stat("memory.", "tables",
		(uint64_t)(guest->pages.page_count - guest->pages.free_count) * HV_PAGE_SIZE);
	stat_time("time.guest", in_guest);
	stat_time("time.hypervisor", in_hypervisor);
	stat_time("time.idle", idle);
}
