/* SPDX-License-Identifier: MIT */
#include "uc_x86_code.h"

#include "uc_x86.h"

#include <arch/x86_64/walk.h>
#include <stdlib.h>
#include <string.h>

/* ---- stores ---- */

/*
 * Before the next block. But a store that hits its own block is not done: Unicorn translates it
 * anew, and it begins with the next block. If the run ended there already, that block may run.
 */
static void end_run(struct sim_x86_cpu *cpu)
{
	sim_clock_expire(cpu->clock);
	if (cpu->code.again) {
		sim_clock_free(cpu->clock);
	}
}

static void make_stale(struct sim_x86_code *code, uint32_t page)
{
	code->holds[page] = 0;
	if (code->stale_count == SIM_X86_STALE) {
		code->all_stale = true;
	} else {
		code->stale[code->stale_count++] = page;
	}
}

static bool on_store(
	uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	struct sim_x86_cpu *cpu = data;
	uint64_t offset = address - cpu->code.ram_hpa;

	(void)uc;
	(void)type;
	(void)size;
	(void)value;
	if (offset < cpu->code.ram_size && cpu->code.holds[offset / HV_PAGE_SIZE]) {
		make_stale(&cpu->code, (uint32_t)(offset / HV_PAGE_SIZE));
		end_run(cpu);
	}
	return true;
}

/* ---- translations ---- */

static void holds_code(struct sim_x86_cpu *cpu, uint64_t linear)
{
	struct x86_vcpu *vcpu = cpu->vcpu->x86;
	struct x86_walk walk = x86_walk(vcpu, linear, X86_FETCH);
	const struct hv_gmem_region *region;
	uint64_t offset;

	if (!walk.ok) {
		return;
	}
	region = hv_gmem_find(&vcpu->hv.vm->gmem, walk.gpa);
	if (!region) {
		return;
	}
	offset = region->hpa.v + (walk.gpa.v - region->gpa.v) - cpu->code.ram_hpa;
	if (offset < cpu->code.ram_size) {
		cpu->code.holds[offset / HV_PAGE_SIZE] = 1;
	}
}

/* A block is in two pages at most. Core's record of the paging registers is of the last exit. */
static void on_translated(uc_engine *uc, uc_tb *block, uc_tb *before, void *data)
{
	struct sim_x86_cpu *cpu = data;

	(void)uc;
	(void)before;
	if (!cpu->vcpu) {
		return;
	}
	sim_x86_paging_get(cpu);
	holds_code(cpu, block->pc);
	if ((block->pc ^ (block->pc + block->size - 1)) / HV_PAGE_SIZE) {
		holds_code(cpu, block->pc + block->size - 1);
	}
}

/* ---- forgetting ---- */

/*
 * Unicorn forgets code by linear address. To its host these are host-physical; but its TLB does not
 * know whose an entry is.
 */
static void forget_pages(struct sim_x86_cpu *cpu)
{
	struct sim_x86_engine *engine = &cpu->engine;
	struct sim_x86_code *code = &cpu->code;

	(void)uc_context_restore(engine->uc, engine->fresh);
	(void)uc_ctl_flush_tlb(engine->uc);
	for (unsigned i = 0; i < code->stale_count; i++) {
		uint64_t hpa = code->ram_hpa + (uint64_t)code->stale[i] * HV_PAGE_SIZE;

		(void)uc_ctl_remove_cache(engine->uc, hpa, hpa + HV_PAGE_SIZE);
	}
	sim_x86_put(engine);
	(void)uc_ctl_flush_tlb(engine->uc);
}

static void forget_all(struct sim_x86_cpu *cpu)
{
	(void)uc_ctl_flush_tb(cpu->engine.uc);
	memset(cpu->code.holds, 0, cpu->code.ram_size / HV_PAGE_SIZE);
}

void sim_x86_code_settle(struct sim_x86_cpu *cpu)
{
	struct sim_x86_code *code = &cpu->code;
	uint64_t rip = cpu->vcpu->x86->sys->rip;

	if (code->stale_count == 0) {
		code->again = false;
		return;
	}
	code->again = rip == code->rip;
	code->rip = rip;
	if (code->all_stale) {
		forget_all(cpu);
	} else {
		forget_pages(cpu);
	}
	code->stale_count = 0;
	code->all_stale = false;
}

/* ---- open and close ---- */

bool sim_x86_code_open(struct sim_x86_cpu *cpu, uint64_t ram_hpa, uint64_t ram_size)
{
	struct sim_x86_code *code = &cpu->code;
	uc_engine *uc = cpu->engine.uc;
	uc_hook hook;

	code->ram_hpa = ram_hpa;
	code->ram_size = ram_size;
	code->holds = calloc(ram_size / HV_PAGE_SIZE, 1);
	return code->holds &&
	       uc_hook_add(uc, &hook, UC_HOOK_EDGE_GENERATED, (void *)on_translated, cpu, 1, 0) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_MEM_WRITE_PROT, (void *)on_store, cpu, 1, 0) ==
		       UC_ERR_OK;
}

void sim_x86_code_close(struct sim_x86_cpu *cpu)
{
	free(cpu->code.holds);
	cpu->code.holds = NULL;
}
