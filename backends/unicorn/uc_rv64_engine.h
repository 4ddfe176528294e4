/* SPDX-License-Identifier: MIT */
/*
 * Unicorn as a RISC-V hart. Its API neither tells the address of a fault nor lets anyone below
 * M-mode be written to; both are in its saved context, at places that are looked for when the
 * engine is opened. When one is not found, the engine does not open.
 */
#ifndef UC_RV64_ENGINE_H
#define UC_RV64_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unicorn/unicorn.h>

/* What is found in the saved context, each 64 bits wide. */
enum sim_rv64_at {
	AT_X1, /* X1 to X31 follow each other */
	AT_PC,
	AT_MSTATUS, /* sstatus is part of it */
	AT_MIE,
	AT_MIP,
	AT_STVEC,
	AT_SSCRATCH,
	AT_SEPC,
	AT_SCAUSE,
	AT_STVAL,
	AT_SATP,
	AT_SCOUNTEREN,
	AT_PRIV,     /* 0, 1 or 3: U, S or M */
	AT_BADADDR,  /* of the last fault */
	AT_RESERVED, /* the address of LR's reservation; ~0: there is none */
	SIM_RV64_PLACES,
};

#define PRIV_U 0u
#define PRIV_S 1u
#define PRIV_M 3u

struct sim_rv64_engine {
	uc_engine *uc;
	uc_context *now; /* the CPU's registers, when a function says so */
	size_t context_size;
	size_t at[SIM_RV64_PLACES];
};

/* The memory at SIM_RV64_PROBE is gone again when it returns. NULL, or in words what is wrong. */
const char *sim_rv64_engine_open(struct sim_rv64_engine *engine);
void sim_rv64_engine_close(struct sim_rv64_engine *engine);

/* A member of a saved context. */
uint64_t sim_rv64_get(
	const struct sim_rv64_engine *engine, const uc_context *context, enum sim_rv64_at at);
void sim_rv64_set(const struct sim_rv64_engine *engine, uc_context *context, enum sim_rv64_at at,
	uint64_t value);

/* The CPU's registers to engine->now, and back. */
void sim_rv64_look(struct sim_rv64_engine *engine);
void sim_rv64_put(struct sim_rv64_engine *engine);

/*
 * Physical memory that S-mode and U-mode may touch; anything else is an access fault. At most
 * SIM_RV64_RANGES, which the CPU's M-mode writes to its PMP.
 */
#define SIM_RV64_RANGES 2u
struct sim_rv64_range {
	uint64_t base, size; /* multiples of a page; size 0: none */
	bool writable;
};
bool sim_rv64_protect(
	struct sim_rv64_engine *engine, const struct sim_rv64_range range[SIM_RV64_RANGES]);

#endif
