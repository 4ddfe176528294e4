/* SPDX-License-Identifier: MIT */
#include "decode.h"

#define X_SP 2u

static uint32_t field(uint32_t bits, unsigned high, unsigned low)
{
	return (uint32_t)hv_bits(bits, high, low);
}

static struct rv64_insn only(enum rv64_insn_kind kind, uint8_t length)
{
	return (struct rv64_insn){.kind = kind, .length = length};
}

static struct rv64_insn access(enum rv64_insn_kind kind, uint8_t length, bool write)
{
	return (struct rv64_insn){.kind = kind, .length = length, .write = write};
}

static struct rv64_insn ldst(uint8_t length, bool write, size_t size, bool sext)
{
	return (struct rv64_insn){
		.kind = RV64_INSN_LDST,
		.length = length,
		.size = (uint8_t)size,
		.write = write,
		.sext = sext && !write,
	};
}

/* ---- 16 bits: unpriv 16.3 and table 16.5. Bits 15:13 and 1:0 say which. ---- */

/* Offsets of words (13 clear) and doublewords (13 set). */
static int32_t half_imm(uint32_t bits)
{
	uint32_t common = field(bits, 12, 10) << 3;
	uint32_t word = field(bits, 6, 6) << 2 | field(bits, 5, 5) << 6;

	return (int32_t)(common | (hv_bit(bits, 13) ? field(bits, 6, 5) << 6 : word));
}

static int32_t sp_load_imm(uint32_t bits)
{
	uint32_t common = field(bits, 12, 12) << 5;
	uint32_t word = field(bits, 6, 4) << 2 | field(bits, 3, 2) << 6;
	uint32_t doubleword = field(bits, 6, 5) << 3 | field(bits, 4, 2) << 6;

	return (int32_t)(common | (hv_bit(bits, 13) ? doubleword : word));
}

static int32_t sp_store_imm(uint32_t bits)
{
	uint32_t word = field(bits, 12, 9) << 2 | field(bits, 8, 7) << 6;
	uint32_t doubleword = field(bits, 12, 10) << 3 | field(bits, 9, 7) << 6;

	return (int32_t)(hv_bit(bits, 13) ? doubleword : word);
}

static size_t half_size(uint32_t bits)
{
	return (size_t)4 << field(bits, 13, 13);
}

/* C.LW, C.LD, C.SW, C.SD. */
static struct rv64_insn by_register(uint32_t bits)
{
	struct rv64_insn insn = ldst(2, hv_bit(bits, 15), half_size(bits), true);

	insn.reg = (uint8_t)rv64_half_reg(bits);
	insn.base = (uint8_t)(8 + field(bits, 9, 7));
	insn.imm = half_imm(bits);
	return insn;
}

/* C.LWSP, C.LDSP, C.SWSP, C.SDSP. A load to x0 is reserved. */
static struct rv64_insn by_sp(uint32_t bits)
{
	bool write = hv_bit(bits, 15);
	struct rv64_insn insn = ldst(2, write, half_size(bits), true);

	insn.reg = (uint8_t)(write ? field(bits, 6, 2) : field(bits, 11, 7));
	insn.base = X_SP;
	insn.imm = write ? sp_store_imm(bits) : sp_load_imm(bits);
	return write || insn.reg != 0 ? insn : only(RV64_INSN_OTHER, 2);
}

/* Quadrants 0 and 2 are laid out alike: 001 and 101 are C.FLD and C.FSD, or relative to sp. */
static struct rv64_insn half(uint32_t bits)
{
	uint32_t quadrant = bits & 3;

	if (quadrant == 1) {
		return only(RV64_INSN_OTHER, 2);
	}
	if (field(bits, 14, 13) == 1) {
		return access(RV64_INSN_FLOAT, 2, hv_bit(bits, 15));
	}
	if (!hv_bit(bits, 14)) {
		return only(RV64_INSN_OTHER, 2);
	}
	return quadrant == 0 ? by_register(bits) : by_sp(bits);
}

/* ---- 32 bits, by their opcode ---- */

static size_t word_size(uint32_t bits)
{
	return (size_t)1 << field(bits, 13, 12);
}

/* LB, LH, LW, LD, LBU, LHU, LWU. Width 7 is reserved. */
static struct rv64_insn load(uint32_t bits)
{
	struct rv64_insn insn = ldst(4, false, word_size(bits), !hv_bit(bits, 14));

	insn.reg = (uint8_t)rv64_word_rd(bits);
	insn.base = (uint8_t)field(bits, 19, 15);
	insn.imm = (int32_t)hv_sign_extend(field(bits, 31, 20), 12);
	return field(bits, 14, 12) != 7 ? insn : only(RV64_INSN_OTHER, 4);
}

/* SB, SH, SW, SD. */
static struct rv64_insn store(uint32_t bits)
{
	struct rv64_insn insn = ldst(4, true, word_size(bits), false);

	insn.reg = (uint8_t)rv64_word_rs2(bits);
	insn.base = (uint8_t)field(bits, 19, 15);
	insn.imm = (int32_t)hv_sign_extend(field(bits, 31, 25) << 5 | field(bits, 11, 7), 12);
	return !hv_bit(bits, 14) ? insn : only(RV64_INSN_OTHER, 4);
}

/*
 * LOAD-FP and STORE-FP, which vectors share: widths 1 to 4 are a scalar's of 16 to 128 bits, 0 and
 * 5 to 7 vector elements'. Which of their encodings are allocated does not matter: none is done.
 */
static struct rv64_insn float_or_vector(uint32_t bits)
{
	uint32_t width = field(bits, 14, 12);
	bool scalar = width >= 1 && width <= 4;

	return access(scalar ? RV64_INSN_FLOAT : RV64_INSN_VECTOR, 4, hv_bit(bits, 5));
}

/*
 * Widths 2 and 3. Which functions are allocated does not matter, as above; 2 is LR, the only one
 * that does not write.
 */
static struct rv64_insn atomic(uint32_t bits)
{
	bool known = field(bits, 14, 13) == 1, lr = field(bits, 31, 27) == 2;

	return known ? access(RV64_INSN_ATOMIC, 4, !lr) : only(RV64_INSN_OTHER, 4);
}

/* CBO.INVAL, CLEAN, FLUSH, ZERO are 0, 1, 2, 4 at width 2 with rd 0. */
static struct rv64_insn misc_mem(uint32_t bits)
{
	uint32_t function = field(bits, 31, 20);
	bool known = field(bits, 14, 7) == 2u << 5 && function <= 4 && function != 3;

	return known ? access(RV64_INSN_CACHE, 4, true) : only(RV64_INSN_OTHER, 4);
}

#define WFI 0x10500073u

static struct rv64_insn system(uint32_t bits)
{
	uint32_t op = field(bits, 13, 12);

	if (op == 0) {
		return only(bits == WFI ? RV64_INSN_WFI : RV64_INSN_OTHER, 4);
	}
	return (struct rv64_insn){
		.kind = RV64_INSN_CSR,
		.length = 4,
		.reg = (uint8_t)field(bits, 11, 7),
		.csr = (uint16_t)field(bits, 31, 20),
		.op = (enum rv64_csr_op)op,
		.immediate = hv_bit(bits, 14),
		.source = (uint8_t)field(bits, 19, 15),
	};
}

struct rv64_insn rv64_insn_decode(uint32_t bits)
{
	if (rv64_insn_length(bits) == 2) {
		return half(bits & 0xffff);
	}
	switch (bits & 0x7f) {
	case 0x03: return load(bits);
	case 0x07:
	case 0x27: return float_or_vector(bits);
	case 0x0f: return misc_mem(bits);
	case 0x23: return store(bits);
	case 0x2f: return atomic(bits);
	case 0x73: return system(bits);
	default: return only(RV64_INSN_OTHER, 4);
	}
}
