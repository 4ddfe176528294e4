/* SPDX-License-Identifier: MIT */
/*
 * RISC-V instructions that exits need to know: bits in, a record out. Pure. Unprivileged ISA
 * 20191213 ("unpriv"), chapters 2, 5, 8 to 12, 16; the vector extension 1.0; CMO 1.0; priv 3.3.3.
 */
#ifndef RV64_DECODE_H
#define RV64_DECODE_H

#include <hv/bits.h>

enum rv64_insn_kind {
	RV64_INSN_OTHER,  /* none of those below, or reserved */
	RV64_INSN_LDST,   /* an integer load or store: the record says it all */
	RV64_INSN_FLOAT,  /* a floating-point load or store */
	RV64_INSN_VECTOR, /* a vector load or store */
	RV64_INSN_ATOMIC, /* an AMO, LR or SC */
	RV64_INSN_CACHE,  /* cbo.* */
	RV64_INSN_CSR,
	RV64_INSN_WFI,
};

enum rv64_csr_op { RV64_CSR_WRITE = 1, RV64_CSR_SET, RV64_CSR_CLEAR };

struct rv64_insn {
	enum rv64_insn_kind kind;
	uint8_t length; /* bytes: 2 or 4. Encodings of longer ones are 4, and OTHER */
	bool write;     /* of those that access memory: faults are a store's */
	/* LDST */
	uint8_t size; /* bytes: 1, 2, 4, 8 */
	bool sext;    /* a load that extends the sign */
	uint8_t reg;  /* rd of a load or a CSR instruction, rs2 of a store */
	uint8_t base; /* rs1 */
	int32_t imm;  /* added to the base */
	/* CSR */
	uint16_t csr;
	enum rv64_csr_op op;
	bool immediate; /* the operand is `source` itself, not the register of that number */
	uint8_t source;
};

/* The upper half of `bits` is not looked at where the instruction has 16 bits. */
struct rv64_insn rv64_insn_decode(uint32_t bits);

/* By the first half: 2 or 4 bytes. */
static inline uint8_t rv64_insn_length(uint32_t bits)
{
	return (bits & 3) == 3 ? 4 : 2;
}

/* ---- what the way to a device asks of a plain load or store, and no more ---- */

/* 32 bits, unpriv 2.6 and 5.2: what device drivers do most. Opcode and width say which it is. */
enum rv64_form {
	RV64_FORM_LW = 0x2003,
	RV64_FORM_LB = 0x0003,
	RV64_FORM_LBU = 0x4003,
	RV64_FORM_SW = 0x2023,
	RV64_FORM_SB = 0x0023,
};

static HV_HOT uint32_t rv64_word_form(uint32_t bits)
{
	return bits & 0x707f;
}

static HV_HOT size_t rv64_word_rd(uint32_t bits)
{
	return bits >> 7 & 31;
}

static HV_HOT size_t rv64_word_rs2(uint32_t bits)
{
	return bits >> 20 & 31;
}

/*
 * 16 bits, unpriv 16.3: C.LW and C.SW, in quadrant 0. Like all but C.LWSP and its kind they name
 * registers by three bits, 8 to 15.
 */
static HV_HOT bool rv64_is_half_0(uint32_t bits)
{
	return (bits & 3) == 0;
}

static HV_HOT bool rv64_half_is_lw(uint32_t bits)
{
	return (bits & 0xe003) == 0x4000;
}

static HV_HOT bool rv64_half_is_sw(uint32_t bits)
{
	return (bits & 0xe003) == 0xc000;
}

/* rd or rs2. */
static HV_HOT size_t rv64_half_reg(uint32_t bits)
{
	return 8 + (size_t)(bits >> 2 & 7);
}

#endif
