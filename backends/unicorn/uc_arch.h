/* SPDX-License-Identifier: MIT */
/*
 * What the loop of uc_run.c asks of a guest architecture: its machine, its emulated CPU, and one
 * run of one vCPU. There is one emulated CPU, on which the vCPUs take turns.
 */
#ifndef UC_ARCH_H
#define UC_ARCH_H

#include <board/board.h>
#include <hv/load.h>
#include <hv/vm.h>
#include <stdbool.h>
#include <stdint.h>

struct sim;

/* Functions that can fail return NULL, or in words what is wrong. */
struct sim_arch {
	const struct load_machine *loader;
	uint64_t ram; /* where guests see their memory */
	uint64_t flash_max;
	uint64_t ram_hpa; /* where that memory is for core's tables */
	/* The emulated CPU walks the nested tables, so it sees memory at host-physical addresses.
	 */
	bool walks_nested;
	/* It sees memory without the right to write: Unicorn asks a hook then, and does the store.
	 */
	bool hears_stores;
	/* The emulated CPU; sim->uc from here to close(). */
	const char *(*open)(struct sim *sim);
	void (*close)(struct sim *sim);
	/* What the machine takes at most of the pool, in pages (0: it cannot be), and of the arena.
	 */
	uint32_t (*page_count)(struct sim *sim, const struct board_cfg *cfg);
	size_t (*arena_size)(struct sim *sim, const struct board_cfg *cfg);
	/* The machine, and its vCPUs on the emulated CPU: sim->board. */
	const char *(*build)(struct sim *sim, const struct board_cfg *cfg, struct hv_arena *arena);
	/* The guest's images are in its memory: what of them, or of its vCPUs, has to be fitted. */
	const char *(*loaded)(struct sim *sim, const struct hv_load_plan *plan);
	/* The emulated CPU holds this vCPU from here on. */
	void (*load)(struct sim *sim, uint16_t vcpu);
	/* The loaded vCPU goes off: nothing that core does not keep is left for its next life. */
	void (*clear)(struct sim *sim);
	/* Its timers tell their interrupt controller; when they want to be asked again, in ns. */
	uint64_t (*timers_update)(struct sim *sim, uint16_t vcpu);
	/* HV_TODO_IRQ, before an entry of the loaded vCPU. HV_RESUME: it may be entered. */
	enum hv_verdict (*irq_prepare)(struct sim *sim, uint16_t vcpu);
	/* Runs the loaded vCPU to its next exit, which is handled, but not beyond `deadline` (ns).
	 */
	enum hv_verdict (*run)(struct sim *sim, uint16_t vcpu, uint64_t deadline);
	/* Core changed this range of the nested tables: port_tlb_flush(). */
	void (*nested_changed)(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len);
	/* Core's words on a crashed VM. */
	void (*dump)(struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size),
		void *ctx);
};

extern const struct sim_arch sim_arch_a64, sim_arch_rv64, sim_arch_x86;

#endif
