/* SPDX-License-Identifier: MIT */
/*
 * What the life of the image asks of its architecture: each backend has one of these. In the order
 * in which main.c calls them.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "tree.h"

#include <board/board.h>
#include <hv/load.h>

/* This CPU's record, the machine's tree, console, power, clock, capabilities. Or the end. */
struct tree *machine_learn(uintptr_t dtb);
/* Makes stage1, and maps us, the devices and the bundle; the caller maps what else it needs. */
void machine_map(void);
/* From the translation that we booted with to stage1; then the interrupt controller is ready. */
void machine_settle(void);
/* Our own interrupts, on this CPU; they stay masked. */
void machine_irqs(void);
/*
 * Starts the host's CPUs 1 to count - 1; each enters main_secondary() after its machine_settle()
 * and machine_irqs(). Not before all that they read is written.
 */
void machine_start_cpus(uint32_t count);
_Noreturn void machine_off(void);
/* One round of a loop that waits for another CPU, which kicks this one. */
void machine_relax(void);

/* ---- the guest's machine ---- */

/* HV_MACHINE_*: whose guests these are. */
uint16_t machine_number(void);
const struct load_machine *machine_loader(void);
/* Where its RAM begins. */
gpa_t machine_ram(void);
/* Whether this host can have such a guest. HV_ERR_INVALID: *error says why not. */
HV_WARN_UNUSED enum hv_status machine_check(
	const struct hv_guest *guest, struct hv_load_error *error);
/* Seconds since 1970 by the host's clock; 0 when it has none. */
uint64_t machine_epoch(void);
void machine_sizes(
	const struct hv_guest *guest, const struct board_cfg *cfg, size_t *arena, uint32_t *pages);
HV_WARN_UNUSED enum hv_status machine_create(const struct hv_guest *guest,
	const struct board_cfg *cfg, struct hv_arena *arena, struct board **board);
/*
 * The images are in its memory; `dtb` is the copy of its device tree there, as we see it;
 * called only when it has one. Makes it true of this CPU. HV_ERR_INVALID: *error says why that
 * cannot be.
 */
HV_WARN_UNUSED enum hv_status machine_loaded(
	void *dtb, uint64_t dtb_size, struct hv_load_error *error);
/* vCPU 0 begins as the plan says. HV_ERR_STATE. */
HV_WARN_UNUSED enum hv_status machine_start(struct board *board, const struct hv_load_plan *plan);
/* Runs this CPU's vCPU until its VM has stopped. */
void machine_run(struct board *board, bool timed);
void machine_dump(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx);

/* With statistics only, in counter ticks; `mark` is when the current side began. */
struct machine_times {
	uint64_t mark, guest, hypervisor, idle;
};
const struct machine_times *machine_times(uint16_t cpu);

#endif
