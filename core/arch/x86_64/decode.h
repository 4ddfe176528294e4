/* SPDX-License-Identifier: MIT */
/*
 * x86 instructions: bytes in, a record out. Pure. APM3 (AMD64 Architecture Programmer's Manual,
 * volume 3, 24594 rev. 3.36), chapter 1 and appendix A; where AMD and Intel part, it is AMD's way.
 *
 * What exits meet has a name (enum x86_op) and its operands. All else is X86_OP_OTHER, of which the
 * length alone counts; of those that a mandatory prefix selects (SSE, VEX, EVEX, XOP) it is not
 * looked at whether this very one is allocated. The CPU did, before it made the exit.
 */
#ifndef X86_DECODE_H
#define X86_DECODE_H

#include <hv/types.h>

#define X86_INSN_MAX 15u /* bytes; a longer one is #GP */

/* By the code segment: its L bit in long mode, else its D bit. */
enum x86_mode { X86_MODE_16, X86_MODE_32, X86_MODE_64 };

enum x86_decoded {
	X86_DECODED,
	X86_DECODE_MORE,     /* the bytes end inside the instruction (D11) */
	X86_DECODE_INVALID,  /* #UD */
	X86_DECODE_TOO_LONG, /* #GP(0) (D6) */
};

enum x86_op {
	X86_OP_NONE, /* in no record */
	X86_OP_OTHER,
	/* what x86_emulate_begin() does */
	X86_OP_ADD, /* in the order of their encodings */
	X86_OP_OR,
	X86_OP_ADC,
	X86_OP_SBB,
	X86_OP_AND,
	X86_OP_SUB,
	X86_OP_XOR,
	X86_OP_CMP,
	X86_OP_TEST,
	X86_OP_NOT,
	X86_OP_NEG,
	X86_OP_INC,
	X86_OP_DEC,
	X86_OP_BT, /* in the order of their encodings */
	X86_OP_BTS,
	X86_OP_BTR,
	X86_OP_BTC,
	X86_OP_MOV, /* MOVNTI too */
	X86_OP_MOVZX,
	X86_OP_MOVSX, /* MOVSXD too */
	X86_OP_MOVBE,
	X86_OP_XCHG,
	X86_OP_XADD,
	X86_OP_CMPXCHG,
	X86_OP_STOS, /* strings */
	X86_OP_LODS,
	X86_OP_SCAS,
	X86_OP_MOVS,
	X86_OP_CMPS,
	X86_OP_INS,
	X86_OP_OUTS,
	/* what is refused by name when it meets a device (D8) */
	X86_OP_PUSH,
	X86_OP_POP,
	X86_OP_CALL,
	X86_OP_JMP,
	X86_OP_CMPXCHG8B, /* 16B too */
	/* what intercepts are about */
	X86_OP_IN,
	X86_OP_OUT,
	X86_OP_CPUID,
	X86_OP_RDMSR,
	X86_OP_WRMSR,
	X86_OP_RDTSC,
	X86_OP_RDTSCP,
	X86_OP_RDPMC,
	X86_OP_HLT,
	X86_OP_PAUSE,
	X86_OP_MONITOR, /* MONITORX too */
	X86_OP_MWAIT,   /* MWAITX too */
	X86_OP_VMMCALL,
	X86_OP_VMCALL,
	X86_OP_SVM, /* VMRUN, VMLOAD, VMSAVE, STGI, CLGI, SKINIT */
	X86_OP_INVLPGA,
	X86_OP_INVLPG,
	X86_OP_INVPCID,
	X86_OP_INVD,
	X86_OP_WBINVD,
	X86_OP_CLTS,
	X86_OP_LMSW,
	X86_OP_SMSW,
	X86_OP_SGDT,
	X86_OP_SIDT,
	X86_OP_LGDT,
	X86_OP_LIDT,
	X86_OP_SLDT,
	X86_OP_STR,
	X86_OP_LLDT,
	X86_OP_LTR,
	X86_OP_XSETBV,
	X86_OP_MOV_CR, /* one operand is a control register, the other a general one */
	X86_OP_MOV_DR,
	X86_OP_INT, /* INT n; n is the immediate */
	X86_OP_INT1,
	X86_OP_INT3,
	X86_OP_INTO,
	X86_OP_IRET,
	X86_OP_PUSHF,
	X86_OP_POPF,
	X86_OP_RSM,
	X86_OPS,
};

enum x86_operand_kind {
	X86_OPERAND_NONE,
	X86_OPERAND_REG,  /* the low bytes of a general register */
	X86_OPERAND_HIGH, /* AH, CH, DH, BH: bits 15:8 of reg, which is 0 to 3 */
	X86_OPERAND_MEM,  /* x86_insn.mem */
	X86_OPERAND_IMM,  /* x86_insn.imm */
	X86_OPERAND_CR,
	X86_OPERAND_DR,
};
struct x86_operand {
	uint8_t kind; /* enum x86_operand_kind */
	uint8_t reg;
	uint8_t size; /* bytes: 1, 2, 4, 8 */
};

/* Of a memory operand's base and index, beyond enum x86_gpr. */
#define X86_REG_NONE 0x10u
#define X86_REG_RIP  0x11u /* of the next instruction */

struct x86_mem {
	uint8_t segment; /* enum x86_seg_id */
	uint8_t base, index;
	uint8_t shift; /* of the index: 0 to 3 */
	int64_t disp;  /* sign-extended; an address of its own (A0 to A3) is not */
};

enum x86_rep { X86_REP_NONE, X86_REPNE /* F2 */, X86_REP /* F3 */ };

struct x86_insn {
	uint8_t op;        /* enum x86_op */
	uint8_t length;    /* bytes: 1 to 15 */
	uint8_t mode;      /* enum x86_mode, as it was given */
	uint8_t size;      /* of the operation, bytes: 1, 2, 4, 8 */
	uint8_t addr_size; /* 2, 4, 8 */
	uint8_t rep;       /* enum x86_rep: the last of these prefixes, whatever it means here */
	bool lock;
	struct x86_operand dst, src; /* dst: the left one; the only one */
	struct x86_mem mem;          /* of strings: the segment of what rSI points to */
	uint64_t imm;                /* extended to 64 bits as this instruction does */
};

/* `insn` is whole with X86_DECODED only. Of `bytes` not more than X86_INSN_MAX are looked at. */
HV_WARN_UNUSED enum x86_decoded x86_decode(
	struct x86_insn *insn, const uint8_t *bytes, size_t size, enum x86_mode mode);

#endif
