/* SPDX-License-Identifier: MIT */
/* Trap records, and the instructions that they are about. */
#ifndef TRAP_KIT_H
#define TRAP_KIT_H

#include "rv64_kit.h"

#include <arch/riscv64/priv.h>

#define PC KIT_RAM

static inline uint64_t exits(enum hv_exit_kind kind)
{
	return kit.vcpu->hv.stats.exits[kind];
}

static inline enum hv_verdict kit_trap(uint64_t scause, uint64_t stval)
{
	const struct rv64_trap trap = {.scause = scause, .stval = stval};

	return rv64_trap_handle(kit.vcpu, &trap);
}

/* A guest-page fault of an access at va, which the guest's tables lead to gpa. */
static inline struct rv64_trap kit_fault(uint64_t scause, uint64_t va, uint64_t gpa)
{
	return (struct rv64_trap){.scause = scause, .stval = va, .htval = gpa >> 2};
}

/* The guest is at its vector with this; nothing else of it changed. */
static inline void kit_refused(uint64_t cause, uint64_t tval)
{
	kit_took(PC, cause, tval);
	kit_registers_but(0);
	assert_int_equal(exits(HV_EXIT_GUEST), 1);
	assert_int_equal(exits(HV_EXIT_MMIO), 0);
	assert_int_equal(kit.dev.accesses, 0);
}

/* ---- instructions ---- */

static inline uint32_t insn_load(unsigned width, unsigned rd, unsigned base, int imm)
{
	return (uint32_t)imm << 20 | base << 15 | width << 12 | rd << 7 | 0x03;
}

static inline uint32_t insn_store(unsigned width, unsigned rs2, unsigned base, int imm)
{
	return ((uint32_t)imm >> 5 & 0x7f) << 25 | rs2 << 20 | base << 15 | width << 12 |
	       ((uint32_t)imm & 31) << 7 | 0x23;
}

/* As htinst has it: no offset in the address; `length` is the original's. */
static inline uint64_t transformed(uint32_t insn, unsigned length)
{
	uint32_t imm = (insn & 0x7f) == 0x03 ? 0xfff00000u : 0xfe000f80u;

	insn &= ~(imm | 0x000f8000u);
	return length == 2 ? insn & ~2u : insn;
}

/* CSRRW, CSRRS, CSRRC are 1, 2, 3, with a number instead of rs1 5, 6, 7. */
static inline uint32_t insn_csr(unsigned funct, unsigned rd, unsigned csr, unsigned source)
{
	return csr << 20 | source << 15 | funct << 12 | rd << 7 | 0x73;
}

#define INSN_WFI  0x10500073u
#define INSN_ADDI 0x00150513u /* addi a0, a0, 1 */
#define INSN_NOP  0x0001u     /* c.nop */

#endif
