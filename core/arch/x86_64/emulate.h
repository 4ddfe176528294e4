/* SPDX-License-Identifier: MIT */
/*
 * What an instruction does to memory, in two steps with the access itself between them. Pure: no
 * guest memory, no device and no page table is touched here.
 *
 *	begin: which accesses it makes, from registers alone; nothing has changed
 *	       the caller translates all of them (a write also where it first reads), then reads
 *	end:   registers, RFLAGS, RIP, and the data to write
 *	       the caller writes
 *
 * INS and OUTS: the caller moves access[0].data from or to port DX. Of a string with a repeat
 * prefix one element is done at a time: end says X86_EMU_AGAIN while RIP is still on it, so that it
 * may stop after any of them (X86_EMU_BATCH is a good bound) and the guest takes it up again.
 * A locked instruction's read and write are two accesses. What the caller owes: interrupts' shadow,
 * the trap by RFLAGS.TF after each X86_EMU_DONE and X86_EMU_AGAIN, alignment checks (#AC).
 */
#ifndef X86_EMULATE_H
#define X86_EMULATE_H

#include "decode.h"
#include "x86.h"

#define X86_EMU_BATCH 64u /* elements of a string per exit */

enum x86_emulated {
	X86_EMU_ACCESS,  /* begin: do the accesses, if any, then end */
	X86_EMU_FAULT,   /* begin: x86_emu.vector, with error code 0 */
	X86_EMU_REFUSED, /* begin: x86_emu.why */
	X86_EMU_DONE,    /* end: RIP is on the next instruction */
	X86_EMU_AGAIN,   /* end: RIP is where it was, for the next element */
};

struct x86_access {
	uint64_t linear; /* [linear, linear + size) may cross a page, and 4 GiB outside 64-bit mode
			  */
	uint64_t data;   /* a read: the caller's, zero above its size; a write: end's, likewise */
	uint8_t size;    /* bytes: 1, 2, 4, 8 */
	bool read, write;
};

struct x86_emu {
	struct x86_access access[2]; /* MOVS: from, to; CMPS: at rSI, at rDI */
	uint8_t count;  /* of accesses: 0 where only registers are named, or rCX is 0 */
	uint8_t vector; /* enum x86_vector */
	const char *why;
};

/* The mode that the guest's code is in. */
enum x86_mode x86_mode(const struct x86_sys *sys);

/* The next instruction's RIP; RFLAGS.RF is clear. */
void x86_step(struct x86_sys *sys, uint8_t length);

HV_WARN_UNUSED enum x86_emulated x86_emulate_begin(struct x86_emu *emu, const struct x86_insn *insn,
	const struct x86_regs *regs, const struct x86_sys *sys);
HV_WARN_UNUSED enum x86_emulated x86_emulate_end(struct x86_emu *emu, const struct x86_insn *insn,
	struct x86_regs *regs, struct x86_sys *sys);

/* A general register as operand (REG or HIGH): a write of 32 bits clears the upper half. */
uint64_t x86_operand_get(const struct x86_regs *regs, const struct x86_operand *operand);
void x86_operand_set(struct x86_regs *regs, const struct x86_operand *operand, uint64_t value);

#endif
