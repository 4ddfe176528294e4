/* SPDX-License-Identifier: MIT */
#include "uc_fp.h"

#include "uc_a64.h"
#include "uc_hooks.h"

#include <hv/bits.h>
#include <string.h>

#define FPEN_SHIFT 20u
#define FPEN_EL1   1u /* EL0 traps, EL1 does not */
#define FPEN_ALL   3u
#define CHUNK      64u

/* EC 0x07, IL, CV, COND 0xe: what an A64 instruction reports (ISS for EC 0b000111). */
#define ESR_FP 0x1fe00000u

/* Both SIMD&FP groups of A64 have bits [27:26] set (DDI 0487, C4.1); and MRS, MSR of FPCR, FPSR. */
static bool is_fp(uint32_t insn)
{
	return (insn >> 26 & 3) == 3 || (insn & 0xffdfffc0u) == 0xd51b4400u;
}

void sim_fp_set(struct sim_cpu *cpu, uint64_t cpacr)
{
	cpu->fp.fpen = cpacr >> FPEN_SHIFT & 3;
	if (cpu->fp.fpen != FPEN_ALL) {
		memset(cpu->fp.clean, 0, sizeof(cpu->fp.clean));
	}
	sim_clock_every_block(cpu->clock, cpu->fp.fpen != FPEN_ALL ? cpu : NULL);
}

/* Byte offset of the first FP instruction in the block; `size`: none, or the fetch fails before. */
static uint32_t find_fp(struct sim_cpu *cpu, uint64_t address, uint32_t size)
{
	uint32_t insn[CHUNK];

	for (uint32_t at = 0; at < size; at += sizeof(insn)) {
		uint32_t left = (size - at) / sizeof(uint32_t);
		unsigned count = sim_cpu_peek(cpu, address + at, insn, left < CHUNK ? left : CHUNK);

		for (unsigned n = 0; n < count; n++) {
			if (is_fp(insn[n])) {
				return at + n * (uint32_t)sizeof(uint32_t);
			}
		}
		if (count < CHUNK) {
			break;
		}
	}
	return size;
}

static bool is_off(const struct sim_cpu *cpu)
{
	return cpu->fp.fpen != FPEN_ALL && (cpu->fp.fpen != FPEN_EL1 || sim_cpu_is_el0(cpu));
}

void sim_fp_block(struct sim_cpu *cpu, uint64_t address, uint32_t size)
{
	struct sim_fp *fp = &cpu->fp;
	unsigned slot = address / sizeof(uint32_t) % SIM_FP_BLOCKS;
	uint32_t at;

	if (fp->clean[slot].address == address && fp->clean[slot].size == size) {
		return;
	}
	if (!is_off(cpu)) {
		return;
	}
	at = find_fp(cpu, address, size);
	if (at == size) {
		fp->clean[slot].address = address;
		fp->clean[slot].size = size;
		return;
	}
	fp->found = true;
	fp->block = address;
	fp->size = size;
	fp->at = address + at;
	(void)uc_emu_stop(cpu->engine.uc);
}

/* Translated code knows where runs end, so it is made anew. */
static void set_end(struct sim_cpu *cpu, bool on)
{
	struct sim_fp *fp = &cpu->fp;
	uc_engine *uc = cpu->engine.uc;

	(void)uc_ctl_set_exits(uc, on ? &fp->at : NULL, (size_t)on);
	(void)uc_ctl_remove_cache(uc, fp->block, fp->block + fp->size);
	fp->is_cut = on;
}

/* `at` is not the first instruction of its block, and a WFI would have ended that before. */
bool sim_fp_at_end(struct sim_cpu *cpu)
{
	uc_engine *uc = cpu->engine.uc;

	if (!cpu->fp.is_cut || sim_reg_get(uc, UC_ARM64_REG_PC) + sizeof(uint32_t) != cpu->fp.at) {
		return false;
	}
	sim_reg_set(uc, UC_ARM64_REG_PC, cpu->fp.at);
	return true;
}

bool sim_fp_continue(struct sim_cpu *cpu)
{
	struct sim_fp *fp = &cpu->fp;
	bool found = fp->found || fp->is_cut;
	uint64_t pc;

	if (fp->is_cut) {
		set_end(cpu, false);
	}
	fp->found = false;
	if (!found || cpu->trapped || cpu->broken) {
		return false;
	}
	pc = sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC);
	if (pc == fp->at && is_off(cpu)) {
		sim_cpu_exception(cpu, &(struct sim_fault){.esr = ESR_FP, .target_el = 1});
		return true;
	}
	if (pc == fp->block) {
		set_end(cpu, true);
		return true;
	}
	return false;
}
