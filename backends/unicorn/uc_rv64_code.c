/* SPDX-License-Identifier: MIT */
#include "uc_rv64_code.h"

#include "uc_rv64.h"

#include <board/virt_riscv64.h>
#include <hv/bits.h>
#include <stdlib.h>
#include <string.h>

/* Its lower half says all. */
#define FENCE_I      0x100fu
#define FENCE_I_MASK 0x707fu

/* ---- pages ---- */

#define PAGE_CODE    1u
#define PAGE_WRITTEN 2u

static bool is_stale(const struct sim_rv64_code *code)
{
	return code->stale_count || code->all_stale;
}

/*
 * From now on each block is looked at. The one that runs was not, and may itself end with a
 * FENCE.I: so the run ends behind it.
 */
static void begin_to_look(struct sim_rv64_cpu *cpu)
{
	sim_clock_every_block(cpu->clock, cpu);
	sim_clock_expire(cpu->clock);
}

static void make_stale(struct sim_rv64_cpu *cpu, uint64_t page)
{
	struct sim_rv64_code *code = &cpu->code;

	if (!is_stale(code)) {
		begin_to_look(cpu);
	}
	if (code->stale_count == SIM_RV64_STALE) {
		code->all_stale = true;
	} else {
		code->stale[code->stale_count++] = (uint32_t)page;
	}
}

void sim_rv64_code_written(struct sim_rv64_cpu *cpu, uint64_t gpa)
{
	uint64_t page = (gpa - VIRT_RV64_RAM) / HV_PAGE_SIZE;

	if (gpa - VIRT_RV64_RAM >= cpu->code.ram_size || cpu->code.page[page] & PAGE_WRITTEN) {
		return;
	}
	cpu->code.page[page] |= PAGE_WRITTEN;
	if (cpu->code.page[page] & PAGE_CODE) {
		make_stale(cpu, page);
	}
}

/* The first code of a page is as it was written so far. The next store to it must be seen. */
static void holds_code(struct sim_rv64_cpu *cpu, uint64_t gpa)
{
	uint8_t *page = &cpu->code.page[(gpa - VIRT_RV64_RAM) / HV_PAGE_SIZE];

	if (*page == PAGE_WRITTEN) {
		*page = 0;
		(void)uc_ctl_flush_tlb(cpu->engine.uc);
	}
	*page |= PAGE_CODE;
}

/* ---- FENCE.I ---- */

/* In M-mode addresses are physical, and all may be executed. */
static void forget_pages(struct sim_rv64_cpu *cpu)
{
	struct sim_rv64_code *code = &cpu->code;
	uint64_t mode = sim_rv64_reg(cpu, AT_PRIV);

	sim_rv64_reg_set(cpu, AT_PRIV, PRIV_M);
	sim_rv64_put(&cpu->engine);
	for (unsigned i = 0; i < code->stale_count; i++) {
		uint64_t gpa = VIRT_RV64_RAM + code->stale[i] * HV_PAGE_SIZE;

		(void)uc_ctl_remove_cache(cpu->engine.uc, gpa, gpa + HV_PAGE_SIZE);
		code->page[code->stale[i]] = 0;
	}
	sim_rv64_reg_set(cpu, AT_PRIV, mode);
	sim_rv64_put(&cpu->engine);
}

static void forget_all(struct sim_rv64_cpu *cpu)
{
	(void)uc_ctl_flush_tb(cpu->engine.uc);
	memset(cpu->code.page, 0, cpu->code.ram_size / HV_PAGE_SIZE);
}

/* The next store to a page that is no longer marked must be seen: so the TLB is emptied. */
void sim_rv64_code_sync(struct sim_rv64_cpu *cpu)
{
	struct sim_rv64_code *code = &cpu->code;

	code->passed = false;
	if (!is_stale(code)) {
		return;
	}
	if (code->all_stale) {
		forget_all(cpu);
	} else {
		forget_pages(cpu);
	}
	(void)uc_ctl_flush_tlb(cpu->engine.uc);
	code->stale_count = 0;
	code->all_stale = false;
	sim_clock_every_block(cpu->clock, NULL);
}

/* ---- blocks that end with one ---- */

/* When all code goes, each of them will be translated again, and come here. */
static void know(struct sim_rv64_cpu *cpu, uint64_t block, uint64_t end)
{
	struct sim_rv64_code *code = &cpu->code;

	for (unsigned i = 0; i < code->fence_count; i++) {
		if (code->fence[i].block == block) {
			code->fence[i].end = end;
			return;
		}
	}
	if (code->fence_count == SIM_RV64_FENCES) {
		code->fence_count = 0;
		code->all_stale = true;
		code->passed = true;
		begin_to_look(cpu);
	}
	code->fence[code->fence_count++] = (struct sim_rv64_fence){block, end};
}

void sim_rv64_code_block(struct sim_rv64_cpu *cpu, uint64_t address)
{
	for (unsigned i = 0; i < cpu->code.fence_count; i++) {
		if (cpu->code.fence[i].block == address) {
			cpu->code.passed = true;
			sim_clock_expire(cpu->clock);
			return;
		}
	}
}

static bool is_behind_one(const struct sim_rv64_code *code, uint64_t address)
{
	for (unsigned i = 0; i < code->fence_count; i++) {
		if (code->fence[i].end == address) {
			return true;
		}
	}
	return false;
}

/* An interrupt may have come right behind it. To forget without need does no harm. */
void sim_rv64_code_run_ended(struct sim_rv64_cpu *cpu)
{
	const struct sim_rv64_code *code = &cpu->code;

	if (is_stale(code) && (code->passed || is_behind_one(code, cpu->vcpu->rv64->regs.pc) ||
				      is_behind_one(code, sim_rv64_reg(cpu, AT_SEPC)))) {
		sim_rv64_code_sync(cpu);
	}
}

static bool is_fence_i(uint16_t half)
{
	return (half & FENCE_I_MASK) == FENCE_I;
}

/* The two bytes at va as they were just fetched; 0: they are not in RAM. */
static uint16_t fetched(struct sim_rv64_cpu *cpu, const struct rv64_vs *vs, uint64_t va)
{
	struct rv64_walk walk = rv64_walk(vs, &cpu->vcpu->rv64->hv.vm->gmem, va, RV64_FETCH);
	uint64_t offset = walk.gpa.v - VIRT_RV64_RAM;

	if (walk.cause || offset >= cpu->code.ram_size - 1) {
		return 0;
	}
	holds_code(cpu, walk.gpa.v);
	return hv_le16(cpu->code.ram + offset);
}

/* A block ends behind a FENCE.I, and is in two pages at most. */
static void on_translated(uc_engine *uc, uc_tb *block, uc_tb *before, void *data)
{
	struct sim_rv64_cpu *cpu = data;
	uint64_t end = block->pc + block->size;
	struct rv64_vs vs;

	(void)uc;
	(void)before;
	sim_rv64_look(&cpu->engine);
	sim_rv64_vs_get(cpu, &vs);
	(void)fetched(cpu, &vs, block->pc);
	(void)fetched(cpu, &vs, end - 2);
	if (block->size >= 4 && is_fence_i(fetched(cpu, &vs, end - 4))) {
		know(cpu, block->pc, end);
	}
}

/* ---- open and close ---- */

bool sim_rv64_code_open(struct sim_rv64_cpu *cpu, const uint8_t *ram, uint64_t ram_size)
{
	struct sim_rv64_code *code = &cpu->code;
	uc_hook hook;

	code->ram = ram;
	code->ram_size = ram_size;
	code->page = calloc(ram_size / HV_PAGE_SIZE, sizeof(*code->page));
	return code->page && uc_hook_add(cpu->engine.uc, &hook, UC_HOOK_EDGE_GENERATED,
				     (void *)on_translated, cpu, 1, 0) == UC_ERR_OK;
}

void sim_rv64_code_close(struct sim_rv64_cpu *cpu)
{
	free(cpu->code.page);
	cpu->code.page = NULL;
}
