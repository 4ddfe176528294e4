/* SPDX-License-Identifier: MIT */
/* The part of the port that only RV64 guests ask for: registers that a test sets and inspects. */
#ifndef FAKE_RV64_H
#define FAKE_RV64_H

#include <arch/riscv64/rv64.h>

struct fake_rv64 {
	struct rv64_vs vs; /* what the CPU holds */
	unsigned vs_loads;
	uint64_t time;
	uint64_t pending;
	uint64_t timer; /* vstimecmp */
	unsigned timer_sets;
	uint32_t insn; /* at every address */
	bool fetch_fails;
	unsigned fetches;
	uint64_t fetched; /* from where, the last time */
	struct rv64_fence fence;
	const struct hv_vm *fence_vm;
	unsigned fences;
};

extern struct fake_rv64 fake_rv64;
void fake_rv64_reset(void);

#endif
