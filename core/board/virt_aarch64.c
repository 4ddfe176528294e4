/* SPDX-License-Identifier: MIT */
/*
 * Wires one virt-aarch64 machine. It only connects: what a part does is in the part's own folder.
 */
#include <board/virt_aarch64.h>
#include <dev/pflash/pflash.h>
#include <dev/pl011/pl011.h>
#include <dev/pl031/pl031.h>
#include <dev/virtio/virtio.h>
#include <hv/bits.h>
#include <hv/check.h>

#define BOARD_ALIGN 64u
#define ROOT_PAGES  16u /* most that a Stage-2 root is concatenated of (DDI 0487, D8.2) */

struct board {
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
		.id = cfg->id,
		.vcpu_count = cfg->cpus,
		.arch = &a64_arch,
		.pages = cfg->pages,
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
	return cfg->cpus >= 1 && cfg->cpus <= HV_VCPUS && (cfg->gic == 2 || cfg->gic == 3) &&
	       cfg->ram_size != 0 && hv_is_aligned(cfg->ram_size, HV_PAGE_SIZE) &&
	       cfg->ram_size <= HV_BIT(VIRT_A64_IA_BITS) - VIRT_A64_RAM &&
	       cfg->flash_size <= VIRT_A64_FLASH_MAX &&
	       hv_is_aligned(cfg->flash_size, HV_PAGE_SIZE);
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
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(virt->vm->vcpu[index], struct a64_vcpu, hv);
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

	for (uint16_t i = 0; i < cfg->cpus && status == HV_OK; i++) {
		status = add_cpu(virt, i, cfg);
	}
	return status;
}

static struct hv_irq spi(const struct virt_a64 *virt, uint32_t intid)
{
	return (struct hv_irq){.set = vgic_spi_set, .ctl = virt->gic, .line = intid};
}

/* ---- memory and devices ---- */

static enum hv_status add_memory(struct hv_gmem *gmem, const struct virt_a64_cfg *cfg)
{
	const struct hv_gmem_region ram = {
		.gpa = GPA(VIRT_A64_RAM),
		.size = cfg->ram_size,
		.hpa = cfg->ram_hpa,
		.host = cfg->ram_host,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X,
		.lazy = cfg->lazy_ram,
	};
	const struct hv_gmem_region flash = {
		.gpa = GPA(VIRT_A64_FLASH),
		.size = cfg->flash_size,
		.hpa = cfg->flash_hpa,
		.host = cfg->flash_host,
		.prot = HV_PROT_R | HV_PROT_X, /* writes fault, and reach the device behind it */
		.lazy = true,
	};
	enum hv_status status = hv_gmem_add(gmem, &ram);

	if (status == HV_OK && cfg->flash_size != 0) {
		status = hv_gmem_add(gmem, &flash);
	}
	return status;
}

static enum hv_status add_regions(struct hv_bus *bus, const struct hv_region *region, size_t count)
{
	enum hv_status status = HV_OK;

	for (size_t i = 0; i < count && status == HV_OK; i++) {
		status = hv_bus_add(bus, &region[i]);
	}
	return status;
}

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

	return add_regions(&virt->vm->bus, regions, HV_ARRAY_COUNT(regions));
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

	return add_regions(&virt->vm->bus, regions, HV_ARRAY_COUNT(regions));
}

/* In front of the emulated one: what is mapped does not trap. */
static enum hv_status map_gicv(struct hv_pt *pt, hpa_t gicv)
{
	const struct hv_pt_map map = {
		.ia = GPA(VIRT_A64_GICC),
		.pa = gicv,
		.size = GICV2_GICV_SIZE,
		.prot = HV_PROT_R | HV_PROT_W,
		.type = HV_MEM_DEVICE,
	};
	enum hv_status status;

	port_lock(&pt->lock);
	status = hv_pt_map(pt, &map);
	port_unlock(&pt->lock);
	return status;
}

static enum hv_status add_gic_frames(struct virt_a64 *virt, const struct virt_a64_cfg *cfg)
{
	enum hv_status status = HV_OK;

	if (cfg->gic == 3) {
		return add_gicv3(virt, cfg->cpus);
	}
	if (cfg->gicv.v != 0) {
		status = map_gicv(&virt->vm->pt, cfg->gicv);
	}
	return status == HV_OK ? add_gicv2(virt) : status;
}

static enum hv_status add_devices(struct board *board, const struct virt_a64_cfg *cfg)
{
	struct virt_a64 *virt = &board->virt;
	bool shared = !cfg->unshared || cfg->cpus != 1;
	const struct hv_region regions[] = {
		{
			.base = GPA(VIRT_A64_UART),
			.size = VIRT_A64_UART_SIZE,
			.ops = &pl011_ops,
			.dev = &board->uart,
			.lock = shared ? &board->uart_lock : NULL,
		},
		{
			.base = GPA(VIRT_A64_RTC),
			.size = VIRT_A64_RTC_SIZE,
			.ops = &pl031_ops,
			.dev = &board->rtc,
			.lock = shared ? &board->rtc_lock : NULL,
		},
		{
			.base = GPA(VIRT_A64_VIRTIO),
			.size = VIRT_A64_VIRTIOS * VIRTIO_MMIO_SLOT_SIZE,
			.ops = &virtio_empty_ops, /* no state: no lock */
		},
		{
			.base = GPA(VIRT_A64_FLASH),
			.size = VIRT_A64_FLASH_MAX,
			.ops = &pflash_ops,
			.dev = &board->flash, /* never changes: no lock */
		},
	};
	size_t count = HV_ARRAY_COUNT(regions) - (cfg->flash_size == 0 ? 1 : 0);

	board->uart_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	board->rtc_lock = HV_LOCK_INIT(HV_LOCK_DEV);
	pl011_init(&board->uart, &virt->console, spi(virt, VIRT_A64_UART_INTID));
	virt->vm->console = (struct hv_call_console){&virt->console, &board->uart_lock};
	pl031_init(&board->rtc, cfg->epoch, spi(virt, VIRT_A64_RTC_INTID));
	pflash_init(&board->flash, cfg->flash_size);
	return add_regions(&virt->vm->bus, regions, count);
}

/* ---- the machine ---- */

static enum hv_status build(
	struct board *board, const struct virt_a64_cfg *cfg, struct hv_arena *arena)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	struct virt_a64 *virt = &board->virt;
	enum hv_status status = hv_vm_create(&virt->vm, &vm, arena);

	if (status == HV_OK) {
		status = add_gic(virt, cfg, arena);
	}
	if (status == HV_OK) {
		status = add_memory(&virt->vm->gmem, cfg);
	}
	if (status == HV_OK) {
		status = add_gic_frames(virt, cfg);
	}
	if (status == HV_OK) {
		status = add_devices(board, cfg);
	}
	return status == HV_OK ? hv_vm_seal(virt->vm) : status;
}

/* After a build that failed somewhere: page tables go back to their pool. */
static void demolish(const struct board *board)
{
	if (board->virt.vm) {
		enum hv_status status = hv_vm_destroy(board->virt.vm);

		HV_CHECK(status == HV_OK);
	}
}

enum hv_status virt_a64_create(
	struct virt_a64 **virt, const struct virt_a64_cfg *cfg, struct hv_arena *arena)
{
	size_t mark = arena->used;
	enum hv_status status;
	struct board *board;

	*virt = NULL;
	if (!is_valid(cfg)) {
		return HV_ERR_INVALID;
	}
	board = hv_arena_take(arena, sizeof(*board), BOARD_ALIGN);
	if (!board) {
		return HV_ERR_NO_MEMORY;
	}
	status = build(board, cfg, arena);
	if (status != HV_OK) {
		demolish(board);
		arena->used = mark;
		return status;
	}
	*virt = &board->virt;
	return HV_OK;
}

size_t virt_a64_arena_size(const struct virt_a64_cfg *cfg)
{
	const struct hv_vm_cfg vm = vm_cfg(cfg);
	const struct vgic_cfg gic = gic_cfg(cfg);

	return sizeof(struct board) + BOARD_ALIGN + hv_vm_arena_size(&vm) + vgic_arena_size(&gic);
}

/*
 * Tables below the root for one region: at each level one per slot of the level above, but for the
 * slots that a block fills, which need the same alignment on both sides.
 */
static uint64_t table_count(uint64_t gpa, uint64_t hpa, uint64_t size)
{
	uint64_t end = gpa + size, count = 0;

	for (uint8_t level = 1; size != 0 && level <= a64_stage2_fmt.max_leaf; level++) {
		uint64_t span = hv_pt_span(level);
		uint64_t slots = (hv_align_up(end, span) - hv_align_down(gpa, span)) / span;
		uint64_t ragged = !hv_is_aligned(gpa, span) + !hv_is_aligned(end, span);

		count += hv_is_aligned(gpa - hpa, span) && ragged < slots ? ragged : slots;
	}
	return count;
}

uint32_t virt_a64_page_count(const struct virt_a64_cfg *cfg)
{
	uint64_t gicv = gic_iface(cfg) == GIC_IFACE_V2 ? GICV2_GICV_SIZE : 0;

	if (!is_valid(cfg)) {
		return 0;
	}
	return (uint32_t)(ROOT_PAGES + table_count(VIRT_A64_GICC, cfg->gicv.v, gicv) +
			  table_count(VIRT_A64_RAM, cfg->ram_hpa.v, cfg->ram_size) +
			  table_count(VIRT_A64_FLASH, cfg->flash_hpa.v, cfg->flash_size));
}
