/* SPDX-License-Identifier: MIT */
/*
 * FENCE.I, which Unicorn translates to nothing. It forgets code that is written to, but only by the
 * first store to a page since that came into its TLB. So a page that code was translated from is
 * stale when it is stored to (uc_rv64_gstage.c says how we hear of that), and what was translated
 * from it is forgotten at the guest's next FENCE.I. Blocks that end with one are known since they
 * were translated; whether one runs is looked at only while there is a stale page.
 */
#ifndef UC_RV64_CODE_H
#define UC_RV64_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_RV64_FENCES 64u  /* blocks with a FENCE.I; with more, all code goes, and all of them */
#define SIM_RV64_STALE  256u /* stale pages; with more, all code goes */

struct sim_rv64_cpu;

struct sim_rv64_fence {
	uint64_t block, end; /* where the block begins, and what is behind the FENCE.I */
};

struct sim_rv64_code {
	struct sim_rv64_fence fence[SIM_RV64_FENCES];
	unsigned fence_count;
	bool passed;   /* a block with a FENCE.I has run, and something is stale */
	uint8_t *page; /* NULL: not open; of each page of RAM: holds code, was written, or both */
	const uint8_t *ram;
	uint64_t ram_size;
	uint32_t stale[SIM_RV64_STALE]; /* pages that are both */
	unsigned stale_count;
	bool all_stale;
};

/* With the guest's RAM, before the guest runs. False: no memory, or no such hook. */
bool sim_rv64_code_open(struct sim_rv64_cpu *cpu, const uint8_t *ram, uint64_t ram_size);
void sim_rv64_code_close(struct sim_rv64_cpu *cpu);
/* The guest stores to this guest-physical address: the first time since the TLB was emptied. */
void sim_rv64_code_written(struct sim_rv64_cpu *cpu, uint64_t gpa);
/* Something is stale, and this block is about to run. */
void sim_rv64_code_block(struct sim_rv64_cpu *cpu, uint64_t address);
/* A run has ended, and core's registers are current. */
void sim_rv64_code_run_ended(struct sim_rv64_cpu *cpu);
/* FENCE.I, while no run is on. */
void sim_rv64_code_sync(struct sim_rv64_cpu *cpu);

#endif
