/* SPDX-License-Identifier: MIT */
/* The guest's machine on this host (common/machine.h): board virt-riscv64. */
#include "caps.h"
#include "host.h"
#include "hs.h"

#include <board/virt_riscv64.h>
#include <common/machine.h>

/* Goldfish RTC: reading the low half latches the high one; nanoseconds since 1970. */
#define RTC_TIME_LOW  0x0u
#define RTC_TIME_HIGH 0x4u
#define NS_PER_S      1000000000u

uint16_t machine_number(void)
{
	return HV_MACHINE_RISCV;
}

const struct load_machine *machine_loader(void)
{
	return &hv_load_riscv64;
}

gpa_t machine_ram(void)
{
	return GPA(VIRT_RV64_RAM);
}

enum hv_status machine_check(const struct hv_guest *guest, struct hv_load_error *error)
{
	(void)guest, (void)error;
	return HV_OK;
}

/* Before stage1 is in use, or the clock would have to be mapped. */
uint64_t machine_epoch(void)
{
	const struct range *rtc = &host_get()->tree.rtc;
	uint64_t low;

	if (rtc->size == 0) {
		return 0;
	}
	low = *(volatile uint32_t *)(rtc->base + RTC_TIME_LOW);
	return (low | (uint64_t) * (volatile uint32_t *)(rtc->base + RTC_TIME_HIGH) << 32) /
	       NS_PER_S;
}

static struct virt_rv64_cfg virt_cfg(const struct hv_guest *guest, const struct board_cfg *cfg)
{
	return (struct virt_rv64_cfg){.board = *cfg, .caps = caps_get(), .aplic = guest->aplic};
}

void machine_sizes(
	const struct hv_guest *guest, const struct board_cfg *cfg, size_t *arena, uint32_t *pages)
{
	const struct virt_rv64_cfg virt = virt_cfg(guest, cfg);

	*arena = virt_rv64_arena_size(&virt);
	*pages = virt_rv64_page_count(&virt);
}

enum hv_status machine_create(const struct hv_guest *guest, const struct board_cfg *cfg,
	struct hv_arena *arena, struct board **board)
{
	const struct virt_rv64_cfg virt_config = virt_cfg(guest, cfg);
	struct virt_rv64 *virt;
	enum hv_status status = virt_rv64_create(&virt, &virt_config, arena);

	*board = status == HV_OK ? &virt->board : NULL;
	return status;
}

enum hv_status machine_loaded(void *dtb, uint64_t dtb_size, struct hv_load_error *error)
{
	return rv64_dtb_narrow(dtb, dtb_size, caps_get(), error);
}

enum hv_status machine_start(struct board *board, const struct hv_load_plan *plan)
{
	return hv_vm_start(board->vm, plan->entry, plan->dtb.v);
}

void machine_dump(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx)
{
	rv64_dump_crash(vm, line, ctx);
}

const struct machine_times *machine_times(uint16_t cpu)
{
	return &hs_cpu(cpu)->times;
}
