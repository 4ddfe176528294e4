/* SPDX-License-Identifier: MIT */
/*
 * Unicorn as a CPU with a hypervisor mode. Hides what differs between its versions: what its API
 * does not tell (the syndrome of an exception) is found in its saved context, at places that are
 * looked for when the engine is opened; when they cannot be found, the engine does not open.
 */
#ifndef UC_ENGINE_H
#define UC_ENGINE_H

#include "uc_sysreg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unicorn/unicorn.h>

struct sim_engine {
	uc_engine *uc;
	uc_context *context; /* scratch: where an exception's record is looked up */
	size_t context_size;
	struct {
		/* Byte offsets in the saved context. */
		size_t esr, far, target_el;
		size_t exclusive; /* the address of the exclusive monitor; ~0: it is open */
	} at;
};

/* An exception that Unicorn reports and has not taken. */
struct sim_fault {
	uint32_t esr, target_el;
	uint64_t far;
};

/*
 * Opens the engine, with EL1 in AArch64, non-secure, under EL2. NULL, or in words what is wrong;
 * then there is nothing to close. The memory at SIM_PROBE is gone again when it returns.
 */
const char *sim_engine_open(struct sim_engine *engine);
void sim_engine_close(struct sim_engine *engine);

/* Before anything else is done with the engine: asks its TLB to work with SIM_PAGE_SIZE. */
#define SIM_PAGE_SIZE 4096u
void sim_engine_page_size(uc_engine *uc);

/* The exception that the hook is told about, from inside that hook only. */
struct sim_fault sim_engine_fault(struct sim_engine *engine);

/*
 * Saves the CPU's registers for another turn. Its exclusive monitor is open then: what it watched
 * may be written and written back meanwhile, and Unicorn compares values only.
 */
void sim_engine_put_aside(struct sim_engine *engine, uc_context *context);

uint64_t sim_sysreg_get(uc_engine *uc, uint32_t sysreg);
/* Also makes Unicorn look at PSTATE again: what it keeps of it is rebuilt by any such write. */
void sim_sysreg_set(uc_engine *uc, uint32_t sysreg, uint64_t value);
uint64_t sim_reg_get(uc_engine *uc, int reg);
void sim_reg_set(uc_engine *uc, int reg, uint64_t value);
/* Unicorn's number of X0..X30. */
int sim_reg_x(unsigned n);

#endif
