/* SPDX-License-Identifier: MIT */
/*
 * Wires one virt-riscv64 machine. It only connects: what a part does is in the part's own folder.
 */
#include "parts.h"

#include <board/virt_riscv64.h>
#include <dev/aplic/aplic.h>
#include <dev/goldfish_rtc/goldfish_rtc.h>
#include <dev/ns16550/ns16550.h>
#include <dev/pflash/pflash.h>
#include <dev/plic/plic.h>
#include <dev/virtio/virtio.h>
#include <hv/bits.h>

static const struct board_map map = {
	.ram = VIRT_RV64_RAM,
	.flash = VIRT_RV64_FLASH,
	.flash_max = VIRT_RV64_FLASH_MAX,
	.ia_bits = VIRT_RV64_IA_BITS,
	.root_level = 2, /* blocks of 1 GiB */
	.root_pages = 7, /* four that are aligned to their size (priv 8.5.1) */
};

struct machine {
	struct virt_rv64 virt; /* first: what the caller sees */
	struct hv_region irqc; /* of the interrupt controller */
	struct hv_irq source;  /* its line 0 */
	struct ns16550 uart;
	struct goldfish_rtc rtc;
	struct pflash flash;
	struct hv_lock uart_lock, rtc_lock;
};

static struct hv_vm_cfg vm_cfg(const struct virt_rv64_cfg *cfg)
{
	return (struct hv_vm_cfg){
		.id = cfg->board.id,
		.vcpu_count = cfg->board.cpus,
		.arch = &rv64_arch,
		.pages = cfg->board.pages,
		.ia_bits = VIRT_RV64_IA_BITS,
		.pa_bits = cfg->caps->pa_bits,
	};
}

static struct plic_cfg plic_cfg(const struct virt_rv64_cfg *cfg)
{
	return (struct plic_cfg){.sources = VIRT_RV64_SOURCES, .harts = (uint8_t)cfg->board.cpus};
}

static struct aplic_cfg aplic_cfg(const struct virt_rv64_cfg *cfg)
{
	return (struct aplic_cfg){.sources = VIRT_RV64_SOURCES, .harts = (uint8_t)cfg->board.cpus};
}

/* ---- harts ---- */

static void add_harts(struct virt_rv64 *virt, const struct virt_rv64_cfg *cfg)
{
	for (uint16_t i = 0; i < cfg->board.cpus; i++) {
		virt->vcpu[i] = HV_CONTAINER_OF(virt->board.vm->vcpu[i], struct rv64_vcpu, hv);
		virt->vcpu[i]->hart_id = i;
		rv64_vcpu_caps_set(virt->vcpu[i], cfg->caps);
	}
}

/* ---- interrupts ---- */

static void external(void *vcpu, bool level)
{
	rv64_line_set(vcpu, RV64_VSEI, level);
}

static enum hv_status add_plic(
	struct machine *machine, const struct virt_rv64_cfg *cfg, struct hv_arena *arena)
{
	const struct plic_cfg plic_config = plic_cfg(cfg);
	struct plic *plic;
	enum hv_status status = plic_create(&plic, &plic_config, arena);

	for (uint16_t i = 0; i < cfg->board.cpus && status == HV_OK; i++) {
		const struct plic_hart_cfg hart = {external, machine->virt.vcpu[i]};

		status = plic_add_hart(plic, i, &hart);
	}
	machine->source = (struct hv_irq){.set = plic_source_set, .ctl = plic};
	machine->irqc = (struct hv_region){
		.base = GPA(VIRT_RV64_PLIC),
		.size = VIRT_RV64_PLIC_SIZE,
		.ops = &plic_ops,
		.dev = plic,
	};
	return status;
}

static enum hv_status add_aplic(
	struct machine *machine, const struct virt_rv64_cfg *cfg, struct hv_arena *arena)
{
	const struct aplic_cfg aplic_config = aplic_cfg(cfg);
	struct aplic *aplic;
	enum hv_status status = aplic_create(&aplic, &aplic_config, arena);

	for (uint16_t i = 0; i < cfg->board.cpus && status == HV_OK; i++) {
		const struct aplic_hart_cfg hart = {external, machine->virt.vcpu[i]};

		status = aplic_add_hart(aplic, i, &hart);
	}
	machine->source = (struct hv_irq){.set = aplic_source_set, .ctl = aplic};
	machine->irqc = (struct hv_region){
		.base = GPA(VIRT_RV64_APLIC),
		.size = VIRT_RV64_APLIC_SIZE,
		.ops = &aplic_ops,
		.dev = aplic,
	};
	return status;
}

static struct hv_irq source(const struct machine *machine, uint32_t number)
{
	struct hv_irq pin = machine->source;

	pin.line = number;
	return pin;
}

/* ---- devices ---- */

static enum hv_status add_devices(struct machine *machine, const struct virt_rv64_cfg *cfg)
{
	struct board *board = &machine->virt.board;
	bool shared = board_is_shared(&cfg->board);
	const struct hv_region regions[] = {
		machine->irqc,
		{
			.base = GPA(VIRT_RV64_UART),
			.size = VIRT_RV64_UART_SIZE,
			.ops = &ns16550_ops,
			.dev = &machine->uart,
			.lock = shared ? &machine->uart_lock : NULL,
		},
		{
			.base = GPA(VIRT_RV64_RTC),
			.size = VIRT_RV64_RTC_SIZE,
			.ops = &goldfish_rtc_ops,
			.dev = &machine->rtc,
			.lock = shared ? &machine->rtc_lock : NULL,
		},
		{
			.base = GPA(VIRT_RV64_VIRTIO),
			.size = VIRT_RV64_VIRTIOS * VIRT_RV64_VIRTIO_SIZE,
			.ops = &virtio_empty_ops, /* no state: no lock */
		},
		{
			.base = GPA(VIRT_RV64_FLASH),
			.size = VIRT_RV64_FLASH_MAX,
			.ops = &pflash_ops,
			.dev = &machine->flash, /* never changes: no lock */
		},
	};
	size_t count = HV_ARRAY_COUNT(regions) - (cfg->board.flash_size == 0 ? 1 : 0);

	machine->uart_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	machine->rtc_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	ns16550_init(&machine->uart, &board->console, source(machine, VIRT_RV64_UART_IRQ));
	board->vm->console = (struct hv_call_console){&board->console, &machine->uart_lock};
	goldfish_rtc_init(&machine->rtc, cfg->board.epoch, source(machine, VIRT_RV64_RTC_IRQ));
	pflash_init(&machine->flash, cfg->board.flash_size);
	return board_add_regions(&board->vm->bus, regions, count);
}

/* ---- the machine ---- */

static enum hv_status build(
	struct machine *machine, const struct virt_rv64_cfg *cfg, struct hv_arena *arena)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	struct board *board = &machine->virt.board;
	enum hv_status status = hv_vm_create(&board->vm, &vm, arena);

	if (status == HV_OK) {
		add_harts(&machine->virt, cfg);
		status =
			cfg->aplic ? add_aplic(machine, cfg, arena) : add_plic(machine, cfg, arena);
	}
	if (status == HV_OK) {
		status = board_add_memory(&board->vm->gmem, &cfg->board, &map);
	}
	if (status == HV_OK) {
		status = add_devices(machine, cfg);
	}
	return status == HV_OK ? hv_vm_seal(board->vm) : status;
}

enum hv_status virt_rv64_create(
	struct virt_rv64 **virt, const struct virt_rv64_cfg *cfg, struct hv_arena *arena)
{
	size_t mark = arena->used;
	enum hv_status status;
	struct machine *machine;

	*virt = NULL;
	if (!board_is_valid(&cfg->board, &map)) {
		return HV_ERR_INVALID;
	}
	machine = hv_arena_take(arena, sizeof(*machine), BOARD_ALIGN);
	if (!machine) {
		return HV_ERR_NO_MEMORY;
	}
	status = build(machine, cfg, arena);
	if (status != HV_OK) {
		board_demolish(&machine->virt.board);
		arena->used = mark;
		return status;
	}
	*virt = &machine->virt;
	return HV_OK;
}

size_t virt_rv64_arena_size(const struct virt_rv64_cfg *cfg)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	const struct plic_cfg plic = plic_cfg(cfg);
	const struct aplic_cfg aplic = aplic_cfg(cfg);

	return sizeof(struct machine) + BOARD_ALIGN + hv_vm_arena_size(&vm) +
	       (cfg->aplic ? aplic_arena_size(&aplic) : plic_arena_size(&plic));
}

uint32_t virt_rv64_page_count(const struct virt_rv64_cfg *cfg)
{
	return board_is_valid(&cfg->board, &map) ? (uint32_t)board_page_count(&cfg->board, &map)
						 : 0;
}
