/* SPDX-License-Identifier: MIT */
/*
 * Code that changes, which an x86 CPU notices by itself. Unicorn does so once: a page that code was
 * translated from is watched up to the first store, which makes it forget the code that was hit,
 * and ends the watch, although other code of the page is kept. So RAM is mapped without the right
 * to write: then Unicorn asks a hook at each store that it looks at closely, and does it. When such
 * a page holds code, the run ends before the next block, and all code of that page is forgotten.
 */
#ifndef UC_X86_CODE_H
#define UC_X86_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_X86_STALE 64u /* pages; with more, all code goes */

struct sim_x86_cpu;

struct sim_x86_code {
	uint8_t *holds; /* of each page of RAM: code was translated from it; NULL: not open */
	uint64_t ram_hpa, ram_size;
	uint32_t stale[SIM_X86_STALE]; /* pages */
	unsigned stale_count;
	bool all_stale;
	uint64_t rip; /* where the run ended that was ended for this; it must not be there again */
	bool again;
};

/* Before the guest runs. False: no memory, or no such hook. */
bool sim_x86_code_open(struct sim_x86_cpu *cpu, uint64_t ram_hpa, uint64_t ram_size);
void sim_x86_code_close(struct sim_x86_cpu *cpu);
/* After each run of Unicorn's; engine->now is what the CPU holds, then and after. */
void sim_x86_code_settle(struct sim_x86_cpu *cpu);

#endif
