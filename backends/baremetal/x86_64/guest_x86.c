/* SPDX-License-Identifier: MIT */
/* The guest's machine on this host (common/machine.h). */
#include "bm.h"
#include "time.h"

#include <common/machine.h>

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
	return GPA(0);
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

void machine_sizes(
	const struct hv_guest *guest, const struct board_cfg *cfg, size_t *arena, uint32_t *pages)
{
	(void)guest, (void)cfg;
	*arena = HV_PAGE_SIZE;
	*pages = 1;
}

enum hv_status machine_create(const struct hv_guest *guest, const struct board_cfg *cfg,
	struct hv_arena *arena, struct board **board)
{
	(void)guest, (void)cfg, (void)arena, (void)board;
	return HV_ERR_STATE; /* core has no vCPU for it yet */
}

enum hv_status machine_loaded(void *dtb, uint64_t dtb_size, struct hv_load_error *error)
{
	(void)dtb, (void)dtb_size, (void)error;
	return HV_OK;
}

void machine_run(struct board *board, bool timed)
{
	(void)board, (void)timed;
}

void machine_dump(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	(void)vm, (void)line, (void)ctx;
}

const struct machine_times *machine_times(uint16_t cpu)
{
	return &bm_cpu(cpu)->times;
}

uint64_t x86_timer_update(struct x86_vcpu *vcpu, uint64_t now)
{
	(void)vcpu, (void)now;
	return HV_NEVER_DUE;
}
