/* SPDX-License-Identifier: MIT */
/*
 * CPACR_EL1.FPEN: the trap of FP and SIMD instructions to EL1 (DDI 0487, D17.2.33), which Unicorn
 * never takes. While FP is off, each block is looked through before it runs, and a run ends at the
 * first instruction that is to trap. While it is on, nothing of this costs anything.
 */
#ifndef UC_FP_H
#define UC_FP_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_FP_BLOCKS 1024u

struct sim_cpu;

struct sim_fp {
	uint8_t fpen;   /* CPACR_EL1[21:20] */
	bool found;     /* `at` is the first trapping instruction of `block` */
	bool is_cut;    /* the run ends at `at`, which cuts `block` in two */
	uint32_t size;  /* of the block, in bytes */
	uint64_t block; /* where it starts */
	uint64_t at;
	struct { /* blocks without such an instruction; forgotten when FP goes off */
		uint64_t address;
		uint32_t size;
	} clean[SIM_FP_BLOCKS];
};

/* CPACR_EL1 is this from now on. */
void sim_fp_set(struct sim_cpu *cpu, uint64_t cpacr);
/* A block is about to run, and FP may be off. It may end the run. */
void sim_fp_block(struct sim_cpu *cpu, uint64_t address, uint32_t size);
/*
 * The CPU reports a WFI. True: there is none, it is how Unicorn says that the run is to end here,
 * and the PC has been put right.
 */
bool sim_fp_at_end(struct sim_cpu *cpu);
/* After a run: whether it only ended for FP's sake, and goes on from the CPU's PC. */
bool sim_fp_continue(struct sim_cpu *cpu);

#endif
