/* SPDX-License-Identifier: MIT */
/* The opcode maps of APM3 appendix A as data. Only decode.c includes it. */
#ifndef X86_MAPS_H
#define X86_MAPS_H

#include "decode.h"

#include <hv/bits.h>

/* Where an operand is, in the letters of the appendix. */
enum x86_letter {
	P_NONE,
	P_E,  /* ModRM.rm: register or memory, of the operation's size */
	P_EB, /* ... of 8 bits, whatever the operation's */
	P_EW, /* ... of 16 bits */
	P_ED, /* ... of 32 bits */
	P_EM, /* ... of 16 bits in memory, of the operation's in a register */
	P_G,  /* ModRM.reg */
	P_I,  /* immediate */
	P_A,  /* rAX */
	P_O,  /* memory by an address in the instruction */
	P_Z,  /* the opcode's low three bits */
	P_DX,
	P_R, /* ModRM.rm: a general register as wide as the mode */
	P_C, /* ModRM.reg: a control register */
	P_D, /* ModRM.reg: a debug register */
};

/* Size of the operation. */
enum x86_size {
	S_V, /* 2, 4 or 8, by the prefixes */
	S_B, /* 1 */
	S_Z, /* as S_V, at most 4 */
	S_Y, /* 4, or 8 with REX.W */
	S_W, /* 2 */
};

/* The immediate, in bytes: how it is extended to 64 bits. */
enum x86_imm {
	I_NONE,
	I_B,     /* 1, sign */
	I_UB,    /* 1, zero */
	I_W,     /* 2, zero */
	I_Z,     /* 2 or 4, as S_Z; sign */
	I_V,     /* as S_V */
	I_ENTER, /* 3 */
	I_BB,    /* 2: EXTRQ, INSERTQ */
	I_D,     /* 4: XOP */
	I_FAR,   /* far pointer: as S_Z, and a selector */
	I_O,     /* as an address */
};

#define F_MODRM 0x01u
#define F_GROUP 0x02u /* the row is in x86_groups[dst], by ModRM.reg */
#define F_LOCK  0x04u /* LOCK is for it, when it changes memory */
#define F_NO64  0x08u /* not in 64-bit mode */
#define F_MEM   0x10u /* ModRM.rm has to be memory */
#define F_REG   0x20u /* ModRM.rm has to be a register */
#define F_RM0   0x40u /* ... number 0 */
#define F_D64   0x80u /* 64-bit mode: operands are 64 bits wide, or 16 */

struct x86_row {
	uint8_t op;       /* enum x86_op */
	uint8_t size;     /* enum x86_size */
	uint8_t dst, src; /* enum x86_letter */
	uint8_t imm;      /* enum x86_imm */
	uint8_t flags;    /* F_* */
};

enum x86_group {
	G_80,
	G_81,
	G_82,
	G_83,
	G_8C,
	G_8E,
	G_8F,
	G_C0, /* and C1 */
	G_C6,
	G_C7,
	G_F6,
	G_F7,
	G_FE,
	G_FF,
	G_0F00,
	G_0F01,
	G_0F71, /* and 72 */
	G_0F73,
	G_0FBA,
	G_0FC7,
	GROUPS,
};

/* A row whose op is X86_OP_NONE is not allocated, or a prefix, or the way to another map. */
extern const struct x86_row x86_one_byte[256];
extern const struct x86_row x86_two_byte[256]; /* 0F */
extern const struct x86_row x86_groups[GROUPS][8];
/* 0F 01 with a register: enum x86_op, by ModRM's low six bits. */
extern const uint8_t x86_system_ops[64];
/* Maps 0F 38 (ModRM) and 0F 3A (ModRM and a byte): a bit for each opcode. */
extern const uint32_t x86_map_0f38[8], x86_map_0f3a[8];
/* D8 to DF: a bit for each ModRM.reg with memory, and for each of ModRM's low six bits without. */
extern const uint8_t x86_x87_memory[8];
extern const uint64_t x86_x87_register[8];

#endif
