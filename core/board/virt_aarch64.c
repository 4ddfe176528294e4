/* SPDX-License-Identifier: MIT */
/*
 * Wires one virt-aarch64 machine. It only connects: what a part does is in the part's own folder.
 */
#include "parts.h"

#include <board/virt_aarch64.h>
#include <dev/pflash/pflash.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <dev/virtio/virtio.h>
#include <hv/bits.h>

static const struct board_map map = {
	.ram = VIRT_A64_RAM,
	.flash = VIRT_A64_FLASH,
	.flash_max = VIRT_A64_FLASH_MAX,
	.ia_bits = VIRT_A64_IA_BITS,
	.root_level = 2,  /* blocks of 1 GiB */
	.root_pages = 16, /* most that a Stage-2 root is concatenated of (DDI 0487, D8.2) */
};

struct machine {
	struct virt_a64 virt; /* first: what the caller sees */
	struct pl011 uart;
	struct pl031 rtc;
	struct pflash flash;
	struct hv_lock uart_lock, rtc_lock;
};

/* An IA larger than the CPU's PA is refused by the CPU. */
static uint8_t ia_bits(const struct virt_a64_cfg *cfg)
{
	return cfg->pa_bits < VIRT_A64_IA_BITS ? cfg->pa_bits : VIRT_A64_IA_BITS;
}

static struct hv_vm_cfg vm_cfg(const struct virt_a64_cfg *cfg)
{
	return (struct hv_vm_cfg){
		.id = cfg->board.id,
		.vcpu_count = cfg->board.cpus,
		.arch = &a64_arch,
		.pages = cfg->board.pages,
		.ia_bits = ia_bits(cfg),
		.pa_bits = cfg->pa_bits,
	};
}

static enum gic_iface gic_iface(const struct virt_a64_cfg *cfg)
{
	if (cfg->gic == 3) {
		return GIC_IFACE_V3;
	}
	return cfg->gicv.v != 0 ? GIC_IFACE_V2 : GIC_IFACE_V2_SOFT;
}

static struct vgic_cfg gic_cfg(const struct virt_a64_cfg *cfg)
{
	return (struct vgic_cfg){.spis = VIRT_A64_SPIS, .iface = gic_iface(cfg)};
}

static bool is_valid(const struct virt_a64_cfg *cfg)
{
	return board_is_valid(&cfg->board, &map) && (cfg->gic == 2 || cfg->gic == 3);
}

/* ---- interrupts ---- */

static void notify(void *vcpu)
{
	hv_vcpu_wake(vcpu, HV_TODO_IRQ);
}

/* List registers that are only memory can be as many as there may be. */
static uint8_t lr_count(const struct virt_a64_cfg *cfg)
{
	return gic_iface(cfg) == GIC_IFACE_V2_SOFT ? GIC_LRS : cfg->lr_count;
}

static enum hv_status add_cpu(struct virt_a64 *virt, uint16_t index, const struct virt_a64_cfg *cfg)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(virt->board.vm->vcpu[index], struct a64_vcpu, hv);
	const struct vgic_cpu_cfg cpu = {
		.index = index,
		.affinity = a64_arch.hw_id(&vcpu->hv),
		.lr_count = lr_count(cfg),
		.notify = notify,
		.ctx = &vcpu->hv,
	};

	virt->vcpu[index] = vcpu;
	return vgic_add_cpu(virt->gic, &vcpu->gic, &cpu);
}

static enum hv_status add_gic(
	struct virt_a64 *virt, const struct virt_a64_cfg *cfg, struct hv_arena *arena)
{
	const struct vgic_cfg gic = gic_cfg(cfg);
	enum hv_status status = vgic_create(&virt->gic, &gic, arena);

	for (uint16_t i = 0; i < cfg->board.cpus && status == HV_OK; i++) {
		status = add_cpu(virt, i, cfg);
	}
	return status;
}

static struct hv_irq spi(const struct virt_a64 *virt, uint32_t intid)
{
	return (struct hv_irq){.set = vgic_spi_set, .ctl = virt->gic, .line = intid};
}

/* ---- memory and devices ---- */

static enum hv_status add_gicv2(struct virt_a64 *virt)
{
	const struct hv_region regions[] = {
		{
			.base = GPA(VIRT_A64_GICD),
			.size = GICV2_GICD_SIZE,
			.ops = &gicv2_dist_ops,
			.dev = virt->gic,
		},
		{
			.base = GPA(VIRT_A64_GICC),
			.size = GICV2_GICC_SIZE,
			.ops = &gicv2_cpuif_ops,
			.dev = virt->gic,
		},
	};

	return board_add_regions(&virt->board.vm->bus, regions, HV_ARRAY_COUNT(regions));
}

static enum hv_status add_gicv3(struct virt_a64 *virt, uint16_t cpus)
{
	const struct hv_region regions[] = {
		{
			.base = GPA(VIRT_A64_GICD),
			.size = GICV3_GICD_SIZE,
			.ops = &gicv3_dist_ops,
			.dev = virt->gic,
		},
		{
			.base = GPA(VIRT_A64_GICR),
			.size = (uint64_t)GICV3_GICR_SIZE * cpus,
			.ops = &gicv3_redist_ops,
			.dev = virt->gic,
		},
	};

	return board_add_regions(&virt->board.vm->bus, regions, HV_ARRAY_COUNT(regions));
}

/* In front of the emulated one: what is mapped does not trap. */
static enum hv_status map_gicv(struct hv_pt *pt, hpa_t gicv)
{
	const struct hv_pt_map frame = {
		.ia = GPA(VIRT_A64_GICC),
		.pa = gicv,
		.size = GICV2_GICV_SIZE,
		.prot = HV_PROT_R | HV_PROT_W,
		.type = HV_MEM_DEVICE,
	};
	enum hv_status status;

	port_lock(&pt->lock);
	status = hv_pt_map(pt, &frame);
	port_unlock(&pt->lock);
	return status;
}

static enum hv_status add_gic_frames(struct virt_a64 *virt, const struct virt_a64_cfg *cfg)
{
	enum hv_status status = HV_OK;

	if (cfg->gic == 3) {
		return add_gicv3(virt, cfg->board.cpus);
	}
	if (cfg->gicv.v != 0) {
		status = map_gicv(&virt->board.vm->pt, cfg->gicv);
	}
	return status == HV_OK ? add_gicv2(virt) : status;
}

static enum hv_status add_devices(struct machine *machine, const struct virt_a64_cfg *cfg)
{
	struct virt_a64 *virt = &machine->virt;
	bool shared = board_is_shared(&cfg->board);
	const struct hv_region regions[] = {
		{
			.base = GPA(VIRT_A64_UART),
			.size = VIRT_A64_UART_SIZE,
			.ops = &pl011_ops,
			.dev = &machine->uart,
			.lock = shared ? &machine->uart_lock : NULL,
		},
		{
			.base = GPA(VIRT_A64_RTC),
			.size = VIRT_A64_RTC_SIZE,
			.ops = &pl031_ops,
			.dev = &machine->rtc,
			.lock = shared ? &machine->rtc_lock : NULL,
		},
		{
			.base = GPA(VIRT_A64_VIRTIO),
			.size = VIRT_A64_VIRTIOS * VIRT_A64_VIRTIO_SIZE,
			.ops = &virtio_empty_ops, /* no state: no lock */
		},
		{
			.base = GPA(VIRT_A64_FLASH),
			.size = VIRT_A64_FLASH_MAX,
			.ops = &pflash_ops,
			.dev = &machine->flash, /* never changes: no lock */
		},
	};
	size_t count = HV_ARRAY_COUNT(regions) - (cfg->board.flash_size == 0 ? 1 : 0);

	machine->uart_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	machine->rtc_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	pl011_init(&machine->uart, &virt->board.console, spi(virt, VIRT_A64_UART_INTID));
	virt->board.vm->console =
		(struct hv_call_console){&virt->board.console, &machine->uart_lock};
	pl031_init(&machine->rtc, cfg->board.epoch, spi(virt, VIRT_A64_RTC_INTID));
	pflash_init(&machine->flash, cfg->board.flash_size);
	return board_add_regions(&virt->board.vm->bus, regions, count);
}

/* ---- the machine ---- */

static enum hv_status build(
	struct machine *machine, const struct virt_a64_cfg *cfg, struct hv_arena *arena)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	struct virt_a64 *virt = &machine->virt;
	enum hv_status status = hv_vm_create(&virt->board.vm, &vm, arena);

	if (status == HV_OK) {
		status = add_gic(virt, cfg, arena);
	}
	if (status == HV_OK) {
		status = board_add_memory(&virt->board.vm->gmem, &cfg->board, &map);
	}
	if (status == HV_OK) {
		status = add_gic_frames(virt, cfg);
	}
	if (status == HV_OK) {
		status = add_devices(machine, cfg);
	}
	return status == HV_OK ? hv_vm_seal(virt->board.vm) : status;
}

enum hv_status virt_a64_create(
	struct virt_a64 **virt, const struct virt_a64_cfg *cfg, struct hv_arena *arena)
{
	size_t mark = arena->used;
	enum hv_status status;
	struct machine *machine;

	*virt = NULL;
	if (!is_valid(cfg)) {
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

size_t virt_a64_arena_size(const struct virt_a64_cfg *cfg)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	const struct vgic_cfg gic = gic_cfg(cfg);

	return sizeof(struct machine) + BOARD_ALIGN + hv_vm_arena_size(&vm) + vgic_arena_size(&gic);
}

uint32_t virt_a64_page_count(const struct virt_a64_cfg *cfg)
{
	uint64_t gicv = gic_iface(cfg) == GIC_IFACE_V2 ? GICV2_GICV_SIZE : 0;

	if (!is_valid(cfg)) {
		return 0;
	}
	return (uint32_t)(board_page_count(&cfg->board, &map) +
			  board_table_count(&map, VIRT_A64_GICC, cfg->gicv.v, gicv));
}
