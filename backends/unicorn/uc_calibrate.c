/* SPDX-License-Identifier: MIT */
/*
 * Opens Unicorn and finds out where it keeps what its API does not tell. A few instructions that
 * trap are run, each with a syndrome, a fault address and a target level that we know beforehand;
 * the only place in the saved context that held the right value every time is the one. Nothing of
 * Unicorn's layout is known here, so the next version is either understood or refused.
 */
#include "uc_engine.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MIN 0x02010100u /* 2.1.1, as uc_version() packs it */

/*
 * Bytes of translated code. Unicorn writes all of it at the start and at each flush, so its default
 * of 1 GiB costs a quarter of a second each time. Half of this is too little for a Debian boot.
 */
#define CODE_BUFFER_SIZE (64u << 20)

/* Where the probe runs, before any guest has memory; and where it finds nothing. */
#define PROBE       0x40000000ull
#define PROBE_TABLE (PROBE + 0x1000)
#define PROBE_DATA  (PROBE + 0x1800)
#define PROBE_SIZE  0x2000u
#define NOWHERE     0x12345678000ull /* beyond the one block that the probe's table maps */
#define PSTATE_EL1H 0x3c5u

#define SCR_NS_HCE_RW 0x501u
/* 4 KiB granule, one table of 512 blocks of 1 GiB: 39 bits in, 44 bits out. */
#define PROBE_VTCR 0x80043559ull
#define BLOCK_RWX  0x7fdull /* block, normal memory, read and write, inner shareable, accessed */
#define BLOCK_1G   (1ull << 30)

#define HVC(imm)     (0xd4000002u | (imm) << 5)
#define SVC(imm)     (0xd4000001u | (imm) << 5)
#define LDR_X0_X1    0xf9400020u
#define LDXR_X0_X2   0xc85f7c40u
#define CLREX        0xd5033f5fu
#define NOP          0xd503201fu
#define WFI          0xd503207fu
#define ESR(ec, iss) ((uint32_t)(ec) << 26 | 1u << 25 | (iss))
#define ESR_EC(ec)   ((uint32_t)(ec) << 26)
#define EC_ONLY      0xfc000000u

/*
 * Two instructions; what an exception record of the second says, and what the exclusive monitor
 * watches after the first.
 */
struct probe {
	uint32_t first, insn;
	uint64_t x1; /* the load's address; 0: no fault address */
	uint32_t esr, esr_mask, target_el;
	uint64_t exclusive; /* also in X2; 0: anything */
};

static const struct probe probes[] = {
	{NOP, HVC(0xabcdu), 0, ESR(0x16, 0xabcd), ~0u, 2, 0},
	{NOP, HVC(0x1234u), 0, ESR(0x16, 0x1234), ~0u, 2, 0},
	{NOP, SVC(0x77u), 0, ESR(0x15, 0x77), ~0u, 1, 0},
	{NOP, LDR_X0_X1, NOWHERE + 0x8a8, ESR_EC(0x24), EC_ONLY, 2, 0},
	{NOP, LDR_X0_X1, NOWHERE + 0x10118, ESR_EC(0x24), EC_ONLY, 2, 0},
	{NOP, WFI, 0, ESR_EC(0x01), EC_ONLY, 2, 0},
	{LDXR_X0_X2, HVC(1u), 0, ESR(0x16, 1), ~0u, 2, PROBE_DATA},
	{LDXR_X0_X2, HVC(2u), 0, ESR(0x16, 2), ~0u, 2, PROBE_DATA + 0x48},
	{CLREX, HVC(3u), 0, ESR(0x16, 3), ~0u, 2, ~0ull},
};
#define PROBES (sizeof(probes) / sizeof(probes[0]))

struct survey {
	struct sim_engine *engine;
	uint8_t *sample[PROBES]; /* the saved context at each probe's exception */
	size_t at;               /* the probe that runs */
	bool seen;
};

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	struct survey *survey = data;

	(void)number;
	if (!survey->seen && uc_context_save(uc, survey->engine->context) == UC_ERR_OK) {
		survey->seen = true;
		memcpy(survey->sample[survey->at], survey->engine->context,
			survey->engine->context_size);
	}
	(void)uc_emu_stop(uc);
}

static bool take_sample(struct survey *survey, const struct probe *probe)
{
	const uint32_t code[] = {probe->first, probe->insn};
	const uint64_t pc = PROBE + survey->at * sizeof(code);
	uc_engine *uc = survey->engine->uc;

	survey->seen = false;
	if (uc_mem_write(uc, pc, code, sizeof(code)) != UC_ERR_OK) {
		return false;
	}
	sim_reg_set(uc, UC_ARM64_REG_X1, probe->x1);
	sim_reg_set(uc, UC_ARM64_REG_X2, probe->exclusive);
	sim_reg_set(uc, UC_ARM64_REG_PSTATE, PSTATE_EL1H);
	sim_sysreg_set(uc, UC_SPSR_EL1, 0);
	return uc_emu_start(uc, pc, 0, 0, 0) == UC_ERR_OK && survey->seen;
}

static uint32_t word_at(const uint8_t *sample, size_t at)
{
	uint32_t word;

	memcpy(&word, sample + at, sizeof(word));
	return word;
}

static bool is_esr(const struct survey *survey, size_t at)
{
	for (size_t i = 0; i < PROBES; i++) {
		if ((word_at(survey->sample[i], at) & probes[i].esr_mask) != probes[i].esr) {
			return false;
		}
	}
	return true;
}

static bool is_target_el(const struct survey *survey, size_t at)
{
	for (size_t i = 0; i < PROBES; i++) {
		if (word_at(survey->sample[i], at) != probes[i].target_el) {
			return false;
		}
	}
	return true;
}

static uint64_t double_word_at(const uint8_t *sample, size_t at)
{
	uint64_t word;

	memcpy(&word, sample + at, sizeof(word));
	return word;
}

static bool is_far(const struct survey *survey, size_t at)
{
	for (size_t i = 0; i < PROBES; i++) {
		if (probes[i].x1 && double_word_at(survey->sample[i], at) != probes[i].x1) {
			return false;
		}
	}
	return true;
}

static bool is_exclusive(const struct survey *survey, size_t at)
{
	for (size_t i = 0; i < PROBES; i++) {
		if (probes[i].exclusive &&
			double_word_at(survey->sample[i], at) != probes[i].exclusive) {
			return false;
		}
	}
	return true;
}

/*
 * The place from `from` on, in `step` bytes; 0: none. The syndrome's is the first one; the others'
 * is the first one after it, because they are members of the same record.
 */
static size_t find(const struct survey *survey, size_t from, size_t step,
	bool (*is)(const struct survey *survey, size_t at))
{
	for (size_t at = from; at + sizeof(uint64_t) <= survey->engine->context_size; at += step) {
		if (is(survey, at)) {
			return at;
		}
	}
	return 0;
}

static bool conclude(struct survey *survey)
{
	struct sim_engine *engine = survey->engine;

	engine->at.esr = find(survey, 0, sizeof(uint32_t), is_esr);
	if (!engine->at.esr) {
		return false;
	}
	engine->at.far = find(survey, engine->at.esr, sizeof(uint32_t), is_far);
	engine->at.target_el = find(survey, engine->at.esr, sizeof(uint32_t), is_target_el);
	/* Behind the general registers, of which X2 is one; the same place twice would be a guess.
	 */
	engine->at.exclusive = find(survey, engine->at.esr, sizeof(uint32_t), is_exclusive);
	return engine->at.far && engine->at.target_el && engine->at.exclusive &&
	       find(survey, engine->at.exclusive + sizeof(uint32_t), sizeof(uint32_t),
		       is_exclusive) == 0 &&
	       find(survey, engine->at.esr + sizeof(uint32_t), sizeof(uint32_t), is_esr) == 0;
}

static void enter_el1(uc_engine *uc)
{
	sim_sysreg_set(uc, UC_SCR_EL3, SCR_NS_HCE_RW);
	sim_sysreg_set(uc, UC_VTCR_EL2, PROBE_VTCR);
	sim_sysreg_set(uc, UC_VTTBR_EL2, PROBE_TABLE);
	sim_sysreg_set(uc, UC_HCR_EL2, UC_HCR_RW | UC_HCR_VM | UC_HCR_TWI);
}

static bool run_probes(struct survey *survey)
{
	uc_engine *uc = survey->engine->uc;
	const uint64_t block = BLOCK_RWX | (PROBE & -BLOCK_1G);
	uc_hook hook;
	bool done;

	if (uc_mem_map(uc, PROBE, PROBE_SIZE, UC_PROT_ALL) != UC_ERR_OK ||
		uc_mem_write(uc, PROBE_TABLE + PROBE / BLOCK_1G * sizeof(block), &block,
			sizeof(block)) != UC_ERR_OK ||
		uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, survey, 1, 0) !=
			UC_ERR_OK) {
		return false;
	}
	enter_el1(uc);
	done = true;
	for (survey->at = 0; survey->at < PROBES && done; survey->at++) {
		done = take_sample(survey, &probes[survey->at]);
	}
	sim_sysreg_set(uc, UC_HCR_EL2, UC_HCR_RW);
	/* Not all translations: that would write the whole code buffer. */
	return uc_ctl_remove_cache(uc, PROBE, PROBE + PROBE_SIZE) == UC_ERR_OK &&
	       uc_hook_del(uc, hook) == UC_ERR_OK &&
	       uc_mem_unmap(uc, PROBE, PROBE_SIZE) == UC_ERR_OK &&
	       uc_ctl_flush_tlb(uc) == UC_ERR_OK && done;
}

static bool calibrate(struct sim_engine *engine)
{
	struct survey survey = {.engine = engine};
	uint8_t *samples = calloc(PROBES, engine->context_size);
	bool ok;

	if (!samples) {
		return false;
	}
	for (size_t i = 0; i < PROBES; i++) {
		survey.sample[i] = samples + i * engine->context_size;
	}
	ok = run_probes(&survey) && conclude(&survey);
	free(samples);
	return ok;
}

static const char *open_cpu(struct sim_engine *engine)
{
	/* No address ends a run: without this, a guest that jumps to `until` would. */
	if (uc_ctl_set_cpu_model(engine->uc, UC_CPU_ARM64_A57) != UC_ERR_OK ||
		uc_ctl_set_tcg_buffer_size(engine->uc, CODE_BUFFER_SIZE) != UC_ERR_OK ||
		uc_ctl_exits_enable(engine->uc) != UC_ERR_OK ||
		uc_ctl_set_exits(engine->uc, NULL, (size_t)0) != UC_ERR_OK ||
		uc_context_alloc(engine->uc, &engine->context) != UC_ERR_OK) {
		return "this Unicorn lacks a control that the sim needs";
	}
	engine->context_size = uc_context_size(engine->uc);
	if (!calibrate(engine)) {
		return "calibration failed: this Unicorn's virtualization mode or its saved "
		       "context is not as the sim knows it";
	}
	return NULL;
}

static bool has_page_size(uc_engine *uc)
{
	size_t size = 0;

	return uc_query(uc, UC_QUERY_PAGE_SIZE, &size) == UC_ERR_OK && size == SIM_PAGE_SIZE;
}

static const char *open_engine(struct sim_engine *engine, bool small_pages)
{
	const char *wrong;

	*engine = (struct sim_engine){0};
	if (uc_open(UC_ARCH_ARM64, UC_MODE_LITTLE_ENDIAN, &engine->uc) != UC_ERR_OK) {
		return "Unicorn cannot emulate aarch64";
	}
	if (!small_pages) {
		sim_engine_page_size(engine->uc);
	}
	wrong = open_cpu(engine);
	if (!wrong && !small_pages && !has_page_size(engine->uc)) {
		wrong = "Unicorn did not take the page size";
	}
	if (wrong) {
		sim_engine_close(engine);
	}
	return wrong;
}

const char *sim_engine_open(struct sim_engine *engine)
{
	const char *wrong;

	if (uc_version(NULL, NULL) < VERSION_MIN) {
		return "Unicorn is older than 2.1.1, which cannot run a guest with an MMU; run "
		       "`tools/drydock setup`";
	}
	wrong = open_engine(engine, false);
	return wrong ? open_engine(engine, true) : NULL;
}

void sim_engine_close(struct sim_engine *engine)
{
	if (engine->context) {
		(void)uc_context_free(engine->context);
	}
	(void)uc_close(engine->uc);
	*engine = (struct sim_engine){0};
}
