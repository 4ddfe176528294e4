/* SPDX-License-Identifier: MIT */
#include "maps.h"

/* A table is read by its columns. */
/* clang-format off */

#define NO_ROW                               { X86_OP_NONE, 0, 0, 0, 0, 0 }
#define GROUP(number)                        { X86_OP_NONE, 0, number, 0, 0, F_MODRM | F_GROUP }
#define ONLY(name, flags)                    { X86_OP_##name, S_V, 0, 0, 0, flags }
#define OTHER(imm, flags)                    { X86_OP_OTHER, S_V, 0, 0, I_##imm, flags }
#define ROW(name, size, dst, src, imm, flags) \
	{ X86_OP_##name, S_##size, P_##dst, P_##src, I_##imm, flags }

#define ROW2(...)  __VA_ARGS__, __VA_ARGS__
#define ROW4(...)  ROW2(__VA_ARGS__), ROW2(__VA_ARGS__)
#define ROW8(...)  ROW4(__VA_ARGS__), ROW4(__VA_ARGS__)
#define ROW16(...) ROW8(__VA_ARGS__), ROW8(__VA_ARGS__)

#define MODRM F_MODRM
#define LOCK  (F_MODRM | F_LOCK)

/* The six forms that each of the eight arithmetic operations has. */
#define ARITH(name, flags) \
	ROW(name, B, E, G, NONE, flags), ROW(name, V, E, G, NONE, flags), \
	ROW(name, B, G, E, NONE, MODRM), ROW(name, V, G, E, NONE, MODRM), \
	ROW(name, B, A, I, B, 0), ROW(name, V, A, I, Z, 0)

const struct x86_row x86_one_byte[256] = {
	/* 00 */ ARITH(ADD, LOCK), ONLY(PUSH, F_NO64), ONLY(POP, F_NO64),
	/* 08 */ ARITH(OR, LOCK), ONLY(PUSH, F_NO64), NO_ROW,
	/* 10 */ ARITH(ADC, LOCK), ONLY(PUSH, F_NO64), ONLY(POP, F_NO64),
	/* 18 */ ARITH(SBB, LOCK), ONLY(PUSH, F_NO64), ONLY(POP, F_NO64),
	/* 20 */ ARITH(AND, LOCK), NO_ROW, OTHER(NONE, F_NO64),
	/* 28 */ ARITH(SUB, LOCK), NO_ROW, OTHER(NONE, F_NO64),
	/* 30 */ ARITH(XOR, LOCK), NO_ROW, OTHER(NONE, F_NO64),
	/* 38 */ ARITH(CMP, MODRM), NO_ROW, OTHER(NONE, F_NO64),
	/* 40 */ ROW8(ROW(INC, V, Z, NONE, NONE, F_NO64)),
	/* 48 */ ROW8(ROW(DEC, V, Z, NONE, NONE, F_NO64)),
	/* 50 */ ROW8(ROW(PUSH, V, Z, NONE, NONE, F_D64)),
	/* 58 */ ROW8(ROW(POP, V, Z, NONE, NONE, F_D64)),
	/* 60 */ ONLY(PUSH, F_NO64), ONLY(POP, F_NO64), OTHER(NONE, MODRM | F_NO64 | F_MEM),
	/* 63 */ ROW(MOVSX, V, G, ED, NONE, MODRM), ROW4(NO_ROW),
	/* 68 */ ROW(PUSH, V, I, NONE, Z, F_D64), OTHER(Z, MODRM),
	/* 6a */ ROW(PUSH, V, I, NONE, B, F_D64), OTHER(B, MODRM),
	/* 6c */ ROW(INS, B, NONE, NONE, NONE, 0), ROW(INS, Z, NONE, NONE, NONE, 0),
	/* 6e */ ROW(OUTS, B, NONE, NONE, NONE, 0), ROW(OUTS, Z, NONE, NONE, NONE, 0),
	/* 70 */ ROW16(OTHER(B, F_D64)),
	/* 80 */ GROUP(G_80), GROUP(G_81), GROUP(G_82), GROUP(G_83),
	/* 84 */ ROW(TEST, B, E, G, NONE, MODRM), ROW(TEST, V, E, G, NONE, MODRM),
	/* 86 */ ROW(XCHG, B, E, G, NONE, LOCK), ROW(XCHG, V, E, G, NONE, LOCK),
	/* 88 */ ROW(MOV, B, E, G, NONE, MODRM), ROW(MOV, V, E, G, NONE, MODRM),
	/* 8a */ ROW(MOV, B, G, E, NONE, MODRM), ROW(MOV, V, G, E, NONE, MODRM),
	/* 8c */ GROUP(G_8C), OTHER(NONE, MODRM | F_MEM), GROUP(G_8E), GROUP(G_8F),
	/* 90 */ ROW8(ROW(XCHG, V, Z, A, NONE, 0)),
	/* 98 */ ROW2(OTHER(NONE, 0)), ROW(CALL, Z, NONE, NONE, FAR, F_NO64), OTHER(NONE, 0),
	/* 9c */ ONLY(PUSHF, F_D64), ONLY(POPF, F_D64), ROW2(OTHER(NONE, 0)),
	/* a0 */ ROW(MOV, B, A, O, O, 0), ROW(MOV, V, A, O, O, 0),
	/* a2 */ ROW(MOV, B, O, A, O, 0), ROW(MOV, V, O, A, O, 0),
	/* a4 */ ROW(MOVS, B, NONE, NONE, NONE, 0), ROW(MOVS, V, NONE, NONE, NONE, 0),
	/* a6 */ ROW(CMPS, B, NONE, NONE, NONE, 0), ROW(CMPS, V, NONE, NONE, NONE, 0),
	/* a8 */ ROW(TEST, B, A, I, B, 0), ROW(TEST, V, A, I, Z, 0),
	/* aa */ ROW(STOS, B, NONE, NONE, NONE, 0), ROW(STOS, V, NONE, NONE, NONE, 0),
	/* ac */ ROW(LODS, B, NONE, NONE, NONE, 0), ROW(LODS, V, NONE, NONE, NONE, 0),
	/* ae */ ROW(SCAS, B, NONE, NONE, NONE, 0), ROW(SCAS, V, NONE, NONE, NONE, 0),
	/* b0 */ ROW8(ROW(MOV, B, Z, I, B, 0)), ROW8(ROW(MOV, V, Z, I, V, 0)),
	/* c0 */ ROW2(GROUP(G_C0)), OTHER(W, F_D64), OTHER(NONE, F_D64),
	/* c4 */ ROW2(OTHER(NONE, MODRM | F_NO64 | F_MEM)), GROUP(G_C6), GROUP(G_C7),
	/* c8 */ OTHER(ENTER, F_D64), OTHER(NONE, F_D64), OTHER(W, 0), OTHER(NONE, 0),
	/* cc */ ONLY(INT3, 0), ROW(INT, V, I, NONE, UB, 0), ONLY(INTO, F_NO64), ONLY(IRET, 0),
	/* d0 */ ROW4(OTHER(NONE, MODRM)), ROW2(OTHER(UB, F_NO64)), OTHER(NONE, F_NO64),
	/* d7 */ OTHER(NONE, 0), ROW8(OTHER(NONE, MODRM)),
	/* e0 */ ROW4(OTHER(B, F_D64)),
	/* e4 */ ROW(IN, B, A, I, UB, 0), ROW(IN, Z, A, I, UB, 0),
	/* e6 */ ROW(OUT, B, I, A, UB, 0), ROW(OUT, Z, I, A, UB, 0),
	/* e8 */ ROW(CALL, V, I, NONE, Z, F_D64), ROW(JMP, V, I, NONE, Z, F_D64),
	/* ea */ ROW(JMP, Z, NONE, NONE, FAR, F_NO64), ROW(JMP, V, I, NONE, B, F_D64),
	/* ec */ ROW(IN, B, A, DX, NONE, 0), ROW(IN, Z, A, DX, NONE, 0),
	/* ee */ ROW(OUT, B, DX, A, NONE, 0), ROW(OUT, Z, DX, A, NONE, 0),
	/* f0 */ NO_ROW, ONLY(INT1, 0), ROW2(NO_ROW),
	/* f4 */ ONLY(HLT, 0), OTHER(NONE, 0), GROUP(G_F6), GROUP(G_F7),
	/* f8 */ ROW4(OTHER(NONE, 0)), ROW2(OTHER(NONE, 0)), GROUP(G_FE), GROUP(G_FF),
};

/* 0B, B9, FF are UD2, UD1, UD0: #UD is what they are for. */
const struct x86_row x86_two_byte[256] = {
	/* 00 */ GROUP(G_0F00), GROUP(G_0F01), ROW2(OTHER(NONE, MODRM)),
	/* 04 */ NO_ROW, OTHER(NONE, 0), ONLY(CLTS, 0), OTHER(NONE, 0),
	/* 08 */ ONLY(INVD, 0), ONLY(WBINVD, 0), ROW2(NO_ROW),
	/* 0c */ NO_ROW, OTHER(NONE, MODRM), OTHER(NONE, 0), OTHER(UB, MODRM),
	/* 10 */ ROW16(OTHER(NONE, MODRM)),
	/* 20 */ ROW(MOV_CR, V, R, C, NONE, MODRM), ROW(MOV_DR, V, R, D, NONE, MODRM),
	/* 22 */ ROW(MOV_CR, V, C, R, NONE, MODRM), ROW(MOV_DR, V, D, R, NONE, MODRM),
	/* 24 */ ROW4(NO_ROW), ROW8(OTHER(NONE, MODRM)),
	/* 30 */ ONLY(WRMSR, 0), ONLY(RDTSC, 0), ONLY(RDMSR, 0), ONLY(RDPMC, 0),
	/* 34 */ ROW2(OTHER(NONE, 0)), NO_ROW, OTHER(NONE, 0),
	/* 38 */ ROW8(NO_ROW),
	/* 40 */ ROW16(OTHER(NONE, MODRM)),
	/* 50 */ ROW16(OTHER(NONE, MODRM)), ROW16(OTHER(NONE, MODRM)),
	/* 70 */ OTHER(UB, MODRM), ROW2(GROUP(G_0F71)), GROUP(G_0F73),
	/* 74 */ ROW2(OTHER(NONE, MODRM)), OTHER(NONE, MODRM), OTHER(NONE, 0),
	/* 78 */ ROW2(OTHER(NONE, MODRM)), ROW2(NO_ROW), ROW4(OTHER(NONE, MODRM)),
	/* 80 */ ROW16(OTHER(Z, F_D64)),
	/* 90 */ ROW16(OTHER(NONE, MODRM)),
	/* a0 */ ONLY(PUSH, F_D64), ONLY(POP, F_D64), ONLY(CPUID, 0), ROW(BT, V, E, G, NONE, MODRM),
	/* a4 */ OTHER(UB, MODRM), OTHER(NONE, MODRM), ROW2(NO_ROW),
	/* a8 */ ONLY(PUSH, F_D64), ONLY(POP, F_D64), ONLY(RSM, 0), ROW(BTS, V, E, G, NONE, LOCK),
	/* ac */ OTHER(UB, MODRM), OTHER(NONE, MODRM), ROW2(OTHER(NONE, MODRM)),
	/* b0 */ ROW(CMPXCHG, B, E, G, NONE, LOCK), ROW(CMPXCHG, V, E, G, NONE, LOCK),
	/* b2 */ OTHER(NONE, MODRM | F_MEM), ROW(BTR, V, E, G, NONE, LOCK),
	/* b4 */ ROW2(OTHER(NONE, MODRM | F_MEM)),
	/* b6 */ ROW(MOVZX, V, G, EB, NONE, MODRM), ROW(MOVZX, V, G, EW, NONE, MODRM),
	/* b8 */ OTHER(NONE, MODRM), NO_ROW, GROUP(G_0FBA), ROW(BTC, V, E, G, NONE, LOCK),
	/* bc */ ROW2(OTHER(NONE, MODRM)),
	/* be */ ROW(MOVSX, V, G, EB, NONE, MODRM), ROW(MOVSX, V, G, EW, NONE, MODRM),
	/* c0 */ ROW(XADD, B, E, G, NONE, LOCK), ROW(XADD, V, E, G, NONE, LOCK), OTHER(UB, MODRM),
	/* c3 */ ROW(MOV, Y, E, G, NONE, MODRM | F_MEM), ROW2(OTHER(UB, MODRM)), OTHER(UB, MODRM),
	/* c7 */ GROUP(G_0FC7), ROW8(OTHER(NONE, 0)),
	/* d0 */ ROW16(OTHER(NONE, MODRM)), ROW16(OTHER(NONE, MODRM)),
	/* f0 */ ROW8(OTHER(NONE, MODRM)), ROW4(OTHER(NONE, MODRM)),
	/* fc */ ROW2(OTHER(NONE, MODRM)), OTHER(NONE, MODRM), NO_ROW,
};

#define ARITH_GROUP(size, imm, flags) { \
	ROW(ADD, size, E, I, imm, (flags) | F_LOCK), ROW(OR, size, E, I, imm, (flags) | F_LOCK), \
	ROW(ADC, size, E, I, imm, (flags) | F_LOCK), ROW(SBB, size, E, I, imm, (flags) | F_LOCK), \
	ROW(AND, size, E, I, imm, (flags) | F_LOCK), ROW(SUB, size, E, I, imm, (flags) | F_LOCK), \
	ROW(XOR, size, E, I, imm, (flags) | F_LOCK), ROW(CMP, size, E, I, imm, flags) }

const struct x86_row x86_groups[GROUPS][8] = {
	[G_80] = ARITH_GROUP(B, B, 0),
	[G_81] = ARITH_GROUP(V, Z, 0),
	[G_82] = ARITH_GROUP(B, B, F_NO64),
	[G_83] = ARITH_GROUP(V, B, 0),
	[G_8C] = { ROW4(OTHER(NONE, 0)), ROW2(OTHER(NONE, 0)) },
	[G_8E] = { OTHER(NONE, 0), [2] = ROW4(OTHER(NONE, 0)) }, /* CS is not moved to */
	[G_8F] = { ROW(POP, V, E, NONE, NONE, F_D64) },
	[G_C0] = { ROW8(OTHER(UB, 0)) },
	[G_C6] = { ROW(MOV, B, E, I, B, 0), [7] = OTHER(B, F_REG | F_RM0) },
	[G_C7] = { ROW(MOV, V, E, I, Z, 0), [7] = OTHER(Z, F_REG | F_RM0) },
	[G_F6] = {
		ROW2(ROW(TEST, B, E, I, B, 0)),
		ROW(NOT, B, E, NONE, NONE, F_LOCK), ROW(NEG, B, E, NONE, NONE, F_LOCK),
		ROW4(OTHER(NONE, 0)),
	},
	[G_F7] = {
		ROW2(ROW(TEST, V, E, I, Z, 0)),
		ROW(NOT, V, E, NONE, NONE, F_LOCK), ROW(NEG, V, E, NONE, NONE, F_LOCK),
		ROW4(OTHER(NONE, 0)),
	},
	[G_FE] = { ROW(INC, B, E, NONE, NONE, F_LOCK), ROW(DEC, B, E, NONE, NONE, F_LOCK) },
	[G_FF] = {
		ROW(INC, V, E, NONE, NONE, F_LOCK), ROW(DEC, V, E, NONE, NONE, F_LOCK),
		ROW(CALL, V, E, NONE, NONE, F_D64), ONLY(CALL, F_MEM),
		ROW(JMP, V, E, NONE, NONE, F_D64), ONLY(JMP, F_MEM),
		ROW(PUSH, V, E, NONE, NONE, F_D64),
	},
	[G_0F00] = {
		ROW(SLDT, V, EM, NONE, NONE, 0), ROW(STR, V, EM, NONE, NONE, 0),
		ROW(LLDT, W, EW, NONE, NONE, 0), ROW(LTR, W, EW, NONE, NONE, 0),
		ROW2(OTHER(NONE, 0)),
	},
	[G_0F01] = { /* with memory; all but SMSW and LMSW have others with a register */
		ONLY(SGDT, 0), ONLY(SIDT, 0), ONLY(LGDT, 0), ONLY(LIDT, 0),
		ROW(SMSW, V, EM, NONE, NONE, 0), OTHER(NONE, 0),
		ROW(LMSW, W, EW, NONE, NONE, 0), ROW(INVLPG, B, E, NONE, NONE, 0),
	},
	[G_0F71] = { [2] = OTHER(UB, F_REG), [4] = OTHER(UB, F_REG), [6] = OTHER(UB, F_REG) },
	[G_0F73] = { [2] = ROW2(OTHER(UB, F_REG)), [6] = ROW2(OTHER(UB, F_REG)) },
	[G_0FBA] = {
		[4] = ROW(BT, V, E, I, UB, 0), ROW(BTS, V, E, I, UB, F_LOCK),
		ROW(BTR, V, E, I, UB, F_LOCK), ROW(BTC, V, E, I, UB, F_LOCK),
	},
	[G_0FC7] = {
		[1] = ROW(CMPXCHG8B, Y, E, NONE, NONE, F_MEM | F_LOCK),
		[3] = OTHER(NONE, F_MEM), OTHER(NONE, F_MEM), OTHER(NONE, F_MEM),
		ROW2(OTHER(NONE, 0)),
	},
};

#define OP(name) X86_OP_##name
const uint8_t x86_system_ops[64] = {
	[0x00] = OP(OTHER), OP(VMCALL), OP(OTHER), OP(OTHER), OP(OTHER), OP(OTHER), /* ENCLV, VMLAUNCH to PCONFIG */
	[0x08] = OP(MONITOR), OP(MWAIT), OP(OTHER), OP(OTHER),           /* CLAC, STAC */
	[0x0c] = OP(OTHER), OP(OTHER), OP(OTHER), OP(OTHER),             /* TDCALL to ENCLS */
	[0x10] = OP(OTHER), OP(XSETBV),                                  /* XGETBV */
	[0x14] = OP(OTHER), OP(OTHER), OP(OTHER), OP(OTHER),             /* VMFUNC to ENCLU */
	[0x18] = OP(SVM), OP(VMMCALL), OP(SVM), OP(SVM), OP(SVM), OP(SVM), OP(SVM), OP(INVLPGA),
	[0x28] = OP(OTHER), OP(OTHER), OP(OTHER),                        /* SERIALIZE to SAVEPREVSSP */
	[0x2c] = OP(OTHER), OP(OTHER), OP(OTHER), OP(OTHER),             /* UIRET to WRPKRU */
	[0x38] = OP(OTHER), OP(RDTSCP), OP(MONITOR), OP(MWAIT),          /* SWAPGS */
	[0x3c] = OP(OTHER), OP(OTHER), OP(OTHER), OP(OTHER),             /* CLZERO to TLBSYNC */
};

const uint32_t x86_map_0f38[8] = {
	0x70b10fff, 0xffbf0f3f, 0x00000003, 0, 0x00000003, 0, 0xf900bf00, 0x0f630000,
};
const uint32_t x86_map_0f3a[8] = {
	0x00f0ff00, 0x00000007, 0x00000017, 0x0000000f, 0, 0, 0x8000d000, 0x00010000,
};

const uint8_t x86_x87_memory[8] = {0xff, 0xfd, 0xff, 0xaf, 0xff, 0xdf, 0xff, 0xff};
const uint64_t x86_x87_register[8] = {
	0xffffffffffffffff, 0xffff7f33ff01ffff, 0x00000200ffffffff, 0x00ffff1fffffffff,
	0xffffffffffffffff, 0x0000ffffffffffff, 0xffffffff02ffffff, 0x00ffff01ffffffff,
};
