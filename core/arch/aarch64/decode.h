/* SPDX-License-Identifier: MIT */
/*
 * A64 loads and stores: one instruction word in, a record out. Pure. DDI 0487, C4.1 "Loads and
 * Stores" and the instructions it lists. Used where the CPU gives no syndrome of an access (ISV=0).
 */
#ifndef A64_DECODE_H
#define A64_DECODE_H

#include <hv/types.h>

enum a64_ldst_kind {
	A64_LDST_NONE,          /* no load or store, or unallocated */
	A64_LDST_PLAIN,         /* the record below says it all */
	A64_LDST_PREFETCH,      /* PRFM, PRFUM: never faults */
	A64_LDST_EXCLUSIVE,     /* LDXR, STXP, … */
	A64_LDST_ATOMIC,        /* CAS, LDADD, SWP, … (LDAPR is plain) */
	A64_LDST_STRUCTURE,     /* LD1 … ST4 */
	A64_LDST_ZERO,          /* DC ZVA */
	A64_LDST_AUTH,          /* LDRAA, LDRAB */
	A64_LDST_TAG,           /* STG, LDG, STGP, … */
	A64_LDST_UNPREDICTABLE, /* a base or a register named twice: CONSTRAINED UNPREDICTABLE (D2)
				 */
};

enum a64_ldst_mode {
	A64_LDST_OFFSET, /* base + imm */
	A64_LDST_PRE,    /* base += imm, then at the base */
	A64_LDST_POST,   /* at the base, then base += imm */
	A64_LDST_INDEX,  /* base + extended and shifted rm */
	A64_LDST_PC,     /* literal: PC + imm */
};

/* How rm becomes 64 bits: the encodings of option<2:0> that exist here. */
enum a64_ldst_extend { A64_UXTW = 2, A64_LSL = 3, A64_SXTW = 6, A64_SXTX = 7 };

struct a64_ldst {
	enum a64_ldst_kind kind;
	enum a64_ldst_mode mode;
	bool load, vector;
	bool sext, wide;   /* a load's sign extension, and whether to 64 bits (else 32) */
	bool unprivileged; /* LDTR, STTR: with EL0's permissions */
	uint8_t count;     /* registers: 1, or 2 one after the other in memory */
	uint8_t size;      /* bytes of each: 1, 2, 4, 8, 16 */
	uint8_t rt, rt2;   /* 31: the zero register, or V31 */
	uint8_t rn;        /* 31: the stack pointer */
	uint8_t rm, extend, shift;
	int64_t imm; /* in bytes */
};

struct a64_ldst a64_ldst_decode(uint32_t insn);

#endif
