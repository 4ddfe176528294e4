/* SPDX-License-Identifier: MIT */
/*
 * Opens Unicorn as a RISC-V hart and finds its registers in the saved context. A register that the
 * API can write is written twice: the only place that held the one value and then the other is its.
 * The rest is found by programs of a few instructions whose effect is known. Nothing of Unicorn's
 * layout is known here, so the next version is either understood or refused.
 */
#include "uc_rv64_engine.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_MIN 0x02010100u /* 2.1.1, as uc_version() packs it */

/* Bytes of translated code: see uc_calibrate.c. */
#define CODE_BUFFER_SIZE (64u << 20)

#define PROBE      0x40000000ull /* where probes run, before any guest has memory */
#define PROBE_SIZE 0x1000u
#define PROBE_DATA (PROBE + 0x800)
#define NOWHERE    (PROBE + 0x10000) /* not within what probes may touch */

#define ECALL      0x00000073u
#define MRET       0x30200073u
#define LR_D_A0_A1 0x1005b52fu
#define LD_A0_8_A1 0x0085b503u

#define CSRW(csr, reg) ((uint32_t)(csr) << 20 | (uint32_t)(reg) << 15 | 0x1073u)
#define CSR_PMPCFG0    0x3a0u
#define CSR_PMPADDR0   0x3b0u
#define A0             10u
#define A4             14u

#define PMP_R   1u
#define PMP_W   2u
#define PMP_X   4u
#define PMP_TOR (1u << 3)

#define MSTATUS_MPP 11

/* ---- the saved context ---- */

uint64_t sim_rv64_get(
	const struct sim_rv64_engine *engine, const uc_context *context, enum sim_rv64_at at)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)context + engine->at[at], sizeof(value));
	return value;
}

void sim_rv64_set(const struct sim_rv64_engine *engine, uc_context *context, enum sim_rv64_at at,
	uint64_t value)
{
	memcpy((uint8_t *)context + engine->at[at], &value, sizeof(value));
}

void sim_rv64_look(struct sim_rv64_engine *engine)
{
	(void)uc_context_save(engine->uc, engine->now);
}

void sim_rv64_put(struct sim_rv64_engine *engine)
{
	(void)uc_context_restore(engine->uc, engine->now);
}

/* ---- programs ---- */

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	(void)number;
	*(bool *)data = true;
	(void)uc_emu_stop(uc);
}

/* Runs these instructions at PROBE until an exception stops them. */
static bool run(uc_engine *uc, const uint32_t *code, size_t size)
{
	bool stopped = false, done;
	uc_hook hook;

	if (uc_mem_write(uc, PROBE, code, size) != UC_ERR_OK ||
		uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, &stopped, 1, 0) !=
			UC_ERR_OK) {
		return false;
	}
	(void)uc_ctl_remove_cache(uc, PROBE, PROBE + PROBE_SIZE);
	done = uc_emu_start(uc, PROBE, 0, 0, 0) == UC_ERR_OK && stopped;
	return uc_hook_del(uc, hook) == UC_ERR_OK && done;
}

static bool set_reg(uc_engine *uc, int reg, uint64_t value)
{
	return uc_reg_write(uc, reg, &value) == UC_ERR_OK;
}

static bool protect(uc_engine *uc, const struct sim_rv64_range range[SIM_RV64_RANGES])
{
	static const uint32_t code[] = {
		CSRW(CSR_PMPADDR0, A0),
		CSRW(CSR_PMPADDR0 + 1, A0 + 1),
		CSRW(CSR_PMPADDR0 + 2, A0 + 2),
		CSRW(CSR_PMPADDR0 + 3, A0 + 3),
		CSRW(CSR_PMPCFG0, A4),
		ECALL,
	};
	uint64_t cfg = 0;

	/* Of each pair the first entry is off, and is where the second begins. */
	for (unsigned i = 0; i < SIM_RV64_RANGES; i++) {
		uint64_t end = range[i].base + range[i].size;
		uint64_t may = PMP_TOR | PMP_R | PMP_X | (range[i].writable ? PMP_W : 0);

		if (!set_reg(uc, UC_RISCV_REG_A0 + (int)(2 * i), range[i].base >> 2) ||
			!set_reg(uc, UC_RISCV_REG_A1 + (int)(2 * i), end >> 2)) {
			return false;
		}
		cfg |= range[i].size ? may << (16 * i + 8) : 0;
	}
	return set_reg(uc, UC_RISCV_REG_A4, cfg) && run(uc, code, sizeof(code));
}

bool sim_rv64_protect(
	struct sim_rv64_engine *engine, const struct sim_rv64_range range[SIM_RV64_RANGES])
{
	uc_engine *uc = engine->uc;
	bool done;

	if (uc_mem_map(uc, PROBE, PROBE_SIZE, UC_PROT_ALL) != UC_ERR_OK) {
		return false;
	}
	done = protect(uc, range);
	(void)uc_ctl_remove_cache(uc, PROBE, PROBE + PROBE_SIZE);
	return uc_mem_unmap(uc, PROBE, PROBE_SIZE) == UC_ERR_OK && done;
}

/* ---- places ---- */

struct survey {
	struct sim_rv64_engine *engine;
	uint8_t *before, *after, *third;
};

static uint64_t word_at(const uint8_t *sample, size_t at)
{
	uint64_t word;

	memcpy(&word, sample + at, sizeof(word));
	return word;
}

static bool sample(struct survey *survey, uint8_t *to)
{
	struct sim_rv64_engine *engine = survey->engine;

	if (uc_context_save(engine->uc, engine->now) != UC_ERR_OK) {
		return false;
	}
	memcpy(to, engine->now, engine->context_size);
	return true;
}

/* Where the samples hold these values, of which each is another; 0: nowhere, or not only there. */
static size_t place_of(const struct survey *survey, uint64_t before, uint64_t after)
{
	size_t found = 0;

	for (size_t at = 0; at + sizeof(uint64_t) <= survey->engine->context_size; at++) {
		if (word_at(survey->before, at) == before && word_at(survey->after, at) == after) {
			if (found) {
				return 0;
			}
			found = at;
		}
	}
	return found;
}

/* What the API can write in M-mode. */
static const struct {
	enum sim_rv64_at at;
	int reg;
	uint64_t a, b;
} named[] = {
	{AT_X1, UC_RISCV_REG_X1, 0x1122334455667788, 0x99aabbccddeeff01},
	{AT_PC, UC_RISCV_REG_PC, 0x1000, 0x123450},
	{AT_MSTATUS, UC_RISCV_REG_MSTATUS, 0x20, 0x4020},
	{AT_MIE, UC_RISCV_REG_MIE, 0x2, 0x222},
	{AT_MIP, UC_RISCV_REG_MIP, 0x20, 0x222},
	{AT_STVEC, UC_RISCV_REG_STVEC, 0x123400, 0x567800},
	{AT_SSCRATCH, UC_RISCV_REG_SSCRATCH, 0x1234, 0x5678},
	{AT_SEPC, UC_RISCV_REG_SEPC, 0x1234, 0x5678},
	{AT_SCAUSE, UC_RISCV_REG_SCAUSE, 0x1234, 0x5678},
	{AT_STVAL, UC_RISCV_REG_STVAL, 0x1234, 0x5678},
	{AT_SATP, UC_RISCV_REG_SATP, 0x1234, 0x5678},
	{AT_SCOUNTEREN, UC_RISCV_REG_SCOUNTEREN, 0x1234, 0x5678},
};

static bool find_named(struct survey *survey)
{
	struct sim_rv64_engine *engine = survey->engine;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (!set_reg(engine->uc, named[i].reg, named[i].a) ||
			!sample(survey, survey->before) ||
			!set_reg(engine->uc, named[i].reg, named[i].b) ||
			!sample(survey, survey->after)) {
			return false;
		}
		engine->at[named[i].at] = place_of(survey, named[i].a, named[i].b);
		if (!engine->at[named[i].at]) {
			return false;
		}
	}
	return true;
}

/* That X31 is where it follows from X1. */
static bool check_general(struct survey *survey)
{
	struct sim_rv64_engine *engine = survey->engine;
	const uint64_t value = 0x3131313131313131;

	return set_reg(engine->uc, UC_RISCV_REG_X31, value) && sample(survey, survey->before) &&
	       word_at(survey->before, engine->at[AT_X1] + 30 * sizeof(value)) == value;
}

/* M-mode goes to the mode `to`, and a load of S-mode or U-mode from A1 + 8 faults there. */
static bool drop(struct survey *survey, uint64_t to, uint64_t a1, uint8_t *sampled)
{
	static const uint32_t code[] = {CSRW(0x341, A0), MRET, LD_A0_8_A1};
	uc_engine *uc = survey->engine->uc;

	return set_reg(uc, UC_RISCV_REG_MSTATUS, to << MSTATUS_MPP) &&
	       set_reg(uc, UC_RISCV_REG_A0, PROBE + 8) && set_reg(uc, UC_RISCV_REG_A1, a1) &&
	       run(uc, code, sizeof(code)) && sample(survey, sampled);
}

static size_t place_of_mode(const struct survey *survey)
{
	size_t found = 0;

	for (size_t at = 0; at + sizeof(uint64_t) <= survey->engine->context_size; at++) {
		if (word_at(survey->before, at) == PRIV_M && word_at(survey->after, at) == PRIV_S &&
			word_at(survey->third, at) == PRIV_U) {
			if (found) {
				return 0;
			}
			found = at;
		}
	}
	return found;
}

/* The mode, and the address of a fault, by loads of S-mode and of U-mode. */
static bool find_faults(struct survey *survey)
{
	static const struct sim_rv64_range range[SIM_RV64_RANGES] = {{PROBE, PROBE_SIZE, true}};
	struct sim_rv64_engine *engine = survey->engine;
	uc_context *machine = engine->now;

	if (!protect(engine->uc, range) || !sample(survey, survey->before) ||
		!drop(survey, PRIV_S, NOWHERE, survey->after)) {
		return false;
	}
	memcpy(machine, survey->before, engine->context_size);
	sim_rv64_put(engine);
	if (!drop(survey, PRIV_U, NOWHERE + 0x128, survey->third)) {
		return false;
	}
	engine->at[AT_PRIV] = place_of_mode(survey);
	memcpy(machine, survey->before, engine->context_size);
	memcpy(survey->before, survey->third, engine->context_size);
	sim_rv64_put(engine);
	engine->at[AT_BADADDR] = place_of(survey, NOWHERE + 0x130, NOWHERE + 8);
	return engine->at[AT_PRIV] && engine->at[AT_BADADDR];
}

static bool reserve(struct survey *survey, uint64_t address, uint8_t *sampled)
{
	static const uint32_t code[] = {LR_D_A0_A1, 0x00000593u /* li a1, 0 */, ECALL};

	return set_reg(survey->engine->uc, UC_RISCV_REG_A1, address) &&
	       run(survey->engine->uc, code, sizeof(code)) && sample(survey, sampled);
}

static bool find_reservation(struct survey *survey)
{
	struct sim_rv64_engine *engine = survey->engine;

	if (!reserve(survey, PROBE_DATA, survey->before) ||
		!reserve(survey, PROBE_DATA + 0x48, survey->after)) {
		return false;
	}
	engine->at[AT_RESERVED] = place_of(survey, PROBE_DATA, PROBE_DATA + 0x48);
	return engine->at[AT_RESERVED] != 0;
}

static bool find_all(struct survey *survey)
{
	struct sim_rv64_engine *engine = survey->engine;
	uc_engine *uc = engine->uc;
	uc_context *fresh;
	bool done;

	if (uc_context_alloc(uc, &fresh) != UC_ERR_OK) {
		return false;
	}
	done = uc_context_save(uc, fresh) == UC_ERR_OK &&
	       uc_mem_map(uc, PROBE, PROBE_SIZE, UC_PROT_ALL) == UC_ERR_OK && find_named(survey) &&
	       check_general(survey) && uc_context_restore(uc, fresh) == UC_ERR_OK &&
	       find_faults(survey) && find_reservation(survey);
	(void)uc_context_restore(uc, fresh);
	(void)uc_context_free(fresh);
	(void)uc_ctl_remove_cache(uc, PROBE, PROBE + PROBE_SIZE);
	(void)uc_mem_unmap(uc, PROBE, PROBE_SIZE);
	(void)uc_ctl_flush_tlb(uc);
	return done;
}

static bool calibrate(struct sim_rv64_engine *engine)
{
	struct survey survey = {.engine = engine};
	uint8_t *samples = calloc(3, engine->context_size);
	bool done;

	if (!samples) {
		return false;
	}
	survey.before = samples;
	survey.after = samples + engine->context_size;
	survey.third = samples + 2 * engine->context_size;
	done = find_all(&survey);
	free(samples);
	return done;
}

/* ---- open and close ---- */

static const char *open_cpu(struct sim_rv64_engine *engine)
{
	uc_engine *uc = engine->uc;

	/* No address ends a run: without this, a guest that jumps to `until` would. */
	if (uc_ctl_set_cpu_model(uc, UC_CPU_RISCV64_SIFIVE_U54) != UC_ERR_OK ||
		uc_ctl_set_tcg_buffer_size(uc, CODE_BUFFER_SIZE) != UC_ERR_OK ||
		uc_ctl_exits_enable(uc) != UC_ERR_OK ||
		uc_ctl_set_exits(uc, NULL, (size_t)0) != UC_ERR_OK ||
		uc_context_alloc(uc, &engine->now) != UC_ERR_OK) {
		return "this Unicorn lacks a control that the sim needs";
	}
	engine->context_size = uc_context_size(uc);
	if (!calibrate(engine)) {
		return "calibration failed: this Unicorn's riscv64 or its saved context is not as "
		       "the sim knows it";
	}
	return NULL;
}

const char *sim_rv64_engine_open(struct sim_rv64_engine *engine)
{
	const char *wrong;

	*engine = (struct sim_rv64_engine){0};
	if (uc_version(NULL, NULL) < VERSION_MIN) {
		return "Unicorn is older than 2.1.1, which cannot run a guest with an MMU; run "
		       "`tools/drydock setup`";
	}
	if (uc_open(UC_ARCH_RISCV, UC_MODE_RISCV64, &engine->uc) != UC_ERR_OK) {
		return "Unicorn cannot emulate riscv64";
	}
	wrong = open_cpu(engine);
	if (wrong) {
		sim_rv64_engine_close(engine);
	}
	return wrong;
}

void sim_rv64_engine_close(struct sim_rv64_engine *engine)
{
	if (engine->now) {
		(void)uc_context_free(engine->now);
	}
	(void)uc_close(engine->uc);
	*engine = (struct sim_rv64_engine){0};
}
