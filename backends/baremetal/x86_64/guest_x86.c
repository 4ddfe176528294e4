/* SPDX-License-Identifier: MIT */
/* The guest's machine on this host (common/machine.h): board pc-x86_64. */
#include "bm.h"
#include "caps.h"
#include "time.h"

#include <board/pc_x86_64.h>
#include <common/machine.h>

static _Alignas(HV_PAGE_SIZE) uint8_t iopm[SVM_IOPM_SIZE] __attribute__((section(".noinit")));
static _Alignas(HV_PAGE_SIZE) uint8_t msrpm[SVM_MSRPM_SIZE] __attribute__((section(".noinit")));

uint16_t machine_number(void)
{
	return HV_MACHINE_X86_64;
}

const struct load_machine *machine_loader(void)
{
	return &hv_load_x86_64;
}

gpa_t machine_ram(void)
{
	return GPA(PC_X86_RAM);
}

enum hv_status machine_check(const struct hv_guest *guest, struct hv_load_error *error)
{
	(void)guest, (void)error;
	return HV_OK;
}

uint64_t machine_epoch(void)
{
	return rtc_epoch();
}

static struct pc_x86_cfg pc_cfg(const struct board_cfg *cfg)
{
	return (struct pc_x86_cfg){.board = *cfg, .caps = caps_get()};
}

void machine_sizes(
	const struct hv_guest *guest, const struct board_cfg *cfg, size_t *arena, uint32_t *pages)
{
	const struct pc_x86_cfg pc = pc_cfg(cfg);

	(void)guest;
	*arena = pc_x86_arena_size(&pc);
	*pages = pc_x86_page_count(&pc);
}

/* vCPU n runs on CPU n, whose record has its VMCB. */
enum hv_status machine_create(const struct hv_guest *guest, const struct board_cfg *cfg,
	struct hv_arena *arena, struct board **board)
{
	const struct pc_x86_cfg pc_config = pc_cfg(cfg);
	const struct svm_cfg svm = {
		.iopm = (uintptr_t)iopm, .msrpm = (uintptr_t)msrpm, .asid = cfg->id};
	struct pc_x86 *pc;
	enum hv_status status = pc_x86_create(&pc, &pc_config, arena);

	(void)guest;
	*board = status == HV_OK ? &pc->board : NULL;
	if (status != HV_OK) {
		return status;
	}
	svm_maps_init(iopm, msrpm);
	for (uint16_t i = 0; i < cfg->cpus; i++) {
		x86_vcpu_caps_set(pc->vcpu[i], caps_get());
		svm_vmcb_init(pc->vcpu[i], &cpu_slots[i].guest_vmcb, &svm);
	}
	return HV_OK;
}

/* There is no tree on a PC. */
enum hv_status machine_loaded(void *dtb, uint64_t dtb_size, struct hv_load_error *error)
{
	(void)dtb, (void)dtb_size, (void)error;
	return HV_OK;
}

enum hv_status machine_start(struct board *board, const struct hv_load_plan *plan)
{
	pc_x86_boot(HV_CONTAINER_OF(board, struct pc_x86, board), plan);
	return hv_vm_start(board->vm, plan->entry, 0);
}

void machine_dump(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	x86_dump_crash(vm, line, ctx);
}

const struct machine_times *machine_times(uint16_t cpu)
{
	return &bm_cpu(cpu)->times;
}
