/* SPDX-License-Identifier: MIT */
/* The guest's machine on this host (common/machine.h): board virt-aarch64. */
#include "caps.h"
#include "el2.h"
#include "el2_stage1.h"
#include "host.h"
#include "host_gic.h"

#include <board/virt_aarch64.h>
#include <common/machine.h>

uint16_t machine_number(void)
{
	return HV_MACHINE_AARCH64;
}

const struct load_machine *machine_loader(void)
{
	return &hv_load_aarch64;
}

gpa_t machine_ram(void)
{
	return GPA(VIRT_A64_RAM);
}

/*
 * Without a GICv3 host the system registers of a GICv3 guest would be undefined; with one, those
 * of a GICv2 guest would not be.
 */
enum hv_status machine_check(const struct hv_guest *guest, struct hv_load_error *error)
{
	if (guest->gic == host_get()->gic_version) {
		return HV_OK;
	}
	*error = (struct hv_load_error){.input = "bundle",
		.field = "gic-version",
		.why = guest->gic == 3 ? "the host has a GICv2 only" : "the host has a GICv3",
		.value = guest->gic};
	return HV_ERR_INVALID;
}

uint64_t machine_epoch(void)
{
	const struct range *rtc = &host_get()->tree.rtc;

	if (rtc->size == 0) {
		return 0;
	}
	boot_map_add(rtc->base, rtc->size, HV_MEM_DEVICE);
	return *(volatile uint32_t *)rtc->base; /* RTCDR */
}

/* Descriptors of this format end at 48 bits, even on a CPU with more. */
static uint8_t pa_bits(void)
{
	uint8_t bits = caps_get()->pa_bits;

	return bits < a64_stage2_fmt.max_pa_bits ? bits : a64_stage2_fmt.max_pa_bits;
}

static struct virt_a64_cfg virt_cfg(const struct hv_guest *guest, const struct board_cfg *cfg)
{
	return (struct virt_a64_cfg){
		.board = *cfg,
		.gic = guest->gic,
		.gicv = HPA(host_get()->gicv.base),
		.lr_count = host_gic_lr_count(),
		.pa_bits = pa_bits(),
	};
}

void machine_sizes(
	const struct hv_guest *guest, const struct board_cfg *cfg, size_t *arena, uint32_t *pages)
{
	const struct virt_a64_cfg virt = virt_cfg(guest, cfg);

	*arena = virt_a64_arena_size(&virt);
	*pages = virt_a64_page_count(&virt);
}

/* The virtual timer is the CPU's own: its interrupt is the guest's to deactivate. */
enum hv_status machine_create(const struct hv_guest *guest, const struct board_cfg *cfg,
	struct hv_arena *arena, struct board **board)
{
	const struct virt_a64_cfg virt_config = virt_cfg(guest, cfg);
	struct virt_a64 *virt;
	enum hv_status status = virt_a64_create(&virt, &virt_config, arena);

	*board = status == HV_OK ? &virt->board : NULL;
	for (uint16_t i = 0; i < cfg->cpus && status == HV_OK; i++) {
		status = vgic_hw_map(&virt->vcpu[i]->gic, A64_PPI_VTIMER, host_get()->vtimer_intid);
	}
	return status;
}

/* What the tree says of the CPU holds for each that we run on. */
enum hv_status machine_loaded(void *dtb, uint64_t dtb_size, struct hv_load_error *error)
{
	(void)dtb, (void)dtb_size, (void)error;
	return HV_OK;
}

enum hv_status machine_start(struct board *board, const struct hv_load_plan *plan)
{
	return hv_vm_start(board->vm, plan->entry, plan->dtb.v);
}

void machine_dump(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	a64_dump_crash(vm, line, ctx);
}

const struct machine_times *machine_times(uint16_t cpu)
{
	return &el2_cpu(cpu)->times;
}
