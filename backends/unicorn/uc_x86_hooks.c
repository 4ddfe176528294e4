/* SPDX-License-Identifier: MIT */
/*
 * Unicorn's hooks. Exits and exceptions end the run, and so does SYSCALL; ports are core's inside
 * the hook. A run may be stopped at an exception, a SYSCALL or a block's start only (the head of
 * uc_hooks.c says why).
 */
#include "uc_x86.h"

#include <hv/bits.h>

#define EXIT_FIRST 0x100u /* Unicorn's number of exit code 0 */
#define EXIT_LAST  (EXIT_FIRST + SVM_EXIT_NPF)
#define FLAG_IF    HV_BIT(9)

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	struct sim_x86_cpu *cpu = data;

	if (number >= EXIT_FIRST && number <= EXIT_LAST) {
		cpu->left_by = number - EXIT_FIRST;
	} else {
		cpu->broken = "the emulated CPU raised an exception that was to exit";
	}
	(void)uc_emu_stop(uc);
}

static void on_syscall(uc_engine *uc, void *data)
{
	struct sim_x86_cpu *cpu = data;

	cpu->left_by = LEFT_BY_SYSCALL;
	(void)uc_emu_stop(uc);
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *data)
{
	(void)uc;
	return sim_x86_port(data, true, (uint16_t)port, (uint8_t)size, 0);
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *data)
{
	(void)uc;
	(void)sim_x86_port(data, false, (uint16_t)port, (uint8_t)size, value);
}

/* Core's nested tables lead to memory only, and so does nothing else. */
static bool on_unmapped(
	uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	struct sim_x86_cpu *cpu = data;

	(void)uc;
	(void)type;
	(void)address;
	(void)size;
	(void)value;
	cpu->broken = "its nested tables lead to where no memory is";
	return false;
}

/* ---- the start of a block ---- */

static bool is_over(struct sim_clock *clock)
{
	return !(clock->every && sim_clock_pass(clock)) && sim_clock_look(clock);
}

/* An interrupt waits: may it come? The run begins with a block where it may not. */
static bool is_open(struct sim_x86_cpu *cpu)
{
	if (cpu->unwatched) {
		cpu->unwatched--;
		return false;
	}
	return sim_x86_flags(&cpu->engine) & FLAG_IF;
}

static __attribute__((noinline)) void look(uc_engine *uc, struct sim_clock *clock)
{
	if (is_over(clock) || (clock->every && is_open(clock->every))) {
		(void)uc_emu_stop(uc);
	}
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *data)
{
	(void)address;
	(void)size;
	if (sim_clock_block(data)) {
		look(uc, data);
	}
}

bool sim_x86_hook(struct sim_x86_cpu *cpu)
{
	const int unmapped =
		UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED | UC_HOOK_MEM_FETCH_UNMAPPED;
	uc_engine *uc = cpu->engine.uc;
	uc_hook hook;

	return uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, cpu, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_syscall, cpu, 1, 0,
		       UC_X86_INS_SYSCALL) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_in, cpu, 1, 0, UC_X86_INS_IN) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_out, cpu, 1, 0, UC_X86_INS_OUT) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, unmapped, (void *)on_unmapped, cpu, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_BLOCK, (void *)on_block, cpu->clock, 1, 0) ==
		       UC_ERR_OK;
}
