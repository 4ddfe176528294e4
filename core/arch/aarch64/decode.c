/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include <hv/bits.h>

static unsigned field(uint32_t insn, unsigned high, unsigned low)
{
	return (unsigned)hv_bits(insn, high, low);
}

static int64_t signed_field(uint32_t insn, unsigned high, unsigned low)
{
	return (int64_t)hv_sign_extend(hv_bits(insn, high, low), high - low + 1);
}

static struct a64_ldst only(enum a64_ldst_kind kind)
{
	return (struct a64_ldst){.kind = kind};
}

static struct a64_ldst plain(uint32_t insn)
{
	return (struct a64_ldst){
		.kind = A64_LDST_PLAIN,
		.count = 1,
		.rt = (uint8_t)field(insn, 4, 0),
		.rn = (uint8_t)field(insn, 9, 5),
	};
}

static bool writes_back(const struct a64_ldst *op)
{
	return op->mode == A64_LDST_PRE || op->mode == A64_LDST_POST;
}

/* Writeback to a base that is also transferred, or one register loaded twice (D2). */
static bool is_unpredictable(const struct a64_ldst *op)
{
	bool pair = op->count == 2;

	if (op->load && pair && op->rt == op->rt2) {
		return true;
	}
	return writes_back(op) && !op->vector && op->rn != 31 &&
	       (op->rt == op->rn || (pair && op->rt2 == op->rn));
}

static struct a64_ldst checked(struct a64_ldst op)
{
	return is_unpredictable(&op) ? only(A64_LDST_UNPREDICTABLE) : op;
}

/* LDXR, STXR, LDXP, STXP, CAS, CASP, LDAR, STLR, LDLAR, STLLR: bits 29:24 = 001000. */
static struct a64_ldst exclusive(uint32_t insn)
{
	bool o2 = hv_bit(insn, 23), o1 = hv_bit(insn, 21), rt2_ones = field(insn, 14, 10) == 31;
	struct a64_ldst op = plain(insn);

	if (o1 && (o2 || !hv_bit(insn, 31))) { /* CAS and CASP are fixed at Rt2 = 31 */
		return only(rt2_ones ? A64_LDST_ATOMIC : A64_LDST_NONE);
	}
	if (!o2) {
		return only(A64_LDST_EXCLUSIVE);
	}
	if (!rt2_ones || field(insn, 20, 16) != 31) { /* should be ones */
		return only(A64_LDST_UNPREDICTABLE);
	}
	op.size = (uint8_t)(1u << field(insn, 31, 30));
	op.load = hv_bit(insn, 22);
	op.wide = op.size == 8;
	return op;
}

/* LDR, LDRSW, PRFM from PC + imm19: bits 29:27 = 011, 25:24 = 00. */
static struct a64_ldst literal(uint32_t insn)
{
	unsigned opc = field(insn, 31, 30);
	struct a64_ldst op = plain(insn);

	op.vector = hv_bit(insn, 26);
	if (opc == 3) {
		return only(op.vector ? A64_LDST_NONE : A64_LDST_PREFETCH);
	}
	op.mode = A64_LDST_PC;
	op.imm = signed_field(insn, 23, 5) * 4;
	op.load = true;
	op.size = (uint8_t)(op.vector ? 4u << opc : opc == 1 ? 8 : 4);
	op.sext = !op.vector && opc == 2;
	op.wide = !op.vector && opc != 0;
	return op;
}

/* STLUR, LDAPUR and their signed loads: bits 29:24 = 011001, 21 = 0, 11:10 = 00. */
static struct a64_ldst unscaled_ordered(uint32_t insn)
{
	unsigned size = field(insn, 31, 30), opc = field(insn, 23, 22);
	struct a64_ldst op = plain(insn);

	if (opc >= 2 && size + opc > 4) {
		return only(A64_LDST_NONE);
	}
	op.imm = signed_field(insn, 20, 12);
	op.size = (uint8_t)(1u << size);
	op.load = opc != 0;
	op.sext = opc >= 2;
	op.wide = opc == 2 || size == 3;
	return op;
}

/* Bits 29:27 = 011, 24 = 1: ordered loads and stores, tags; the rest is newer than we know. */
static struct a64_ldst ordered_or_tag(uint32_t insn)
{
	if (hv_bit(insn, 26)) {
		return only(A64_LDST_NONE);
	}
	if (hv_bit(insn, 21)) {
		return only(field(insn, 31, 30) == 3 ? A64_LDST_TAG : A64_LDST_NONE);
	}
	return field(insn, 11, 10) == 0 ? unscaled_ordered(insn) : only(A64_LDST_NONE);
}

/* LDP, STP, LDPSW, LDNP, STNP: bits 29:27 = 101. */
static struct a64_ldst pair(uint32_t insn)
{
	/* By bits 24:23; the first is the form without temporal locality. */
	static const uint8_t mode[] = {
		A64_LDST_OFFSET, A64_LDST_POST, A64_LDST_OFFSET, A64_LDST_PRE};
	unsigned opc = field(insn, 31, 30);
	struct a64_ldst op = plain(insn);

	op.vector = hv_bit(insn, 26);
	op.load = hv_bit(insn, 22);
	if (opc == 3) {
		return only(A64_LDST_NONE);
	}
	if (!op.vector && opc == 1) {
		if (field(insn, 24, 23) == 0) {
			return only(A64_LDST_NONE);
		}
		if (!op.load) {
			return only(A64_LDST_TAG); /* STGP */
		}
		op.sext = true; /* LDPSW */
	}
	op.count = 2;
	op.rt2 = (uint8_t)field(insn, 14, 10);
	op.size = (uint8_t)(op.vector ? 4u << opc : opc == 2 ? 8 : 4);
	op.wide = !op.vector && opc != 0;
	op.mode = (enum a64_ldst_mode)mode[field(insn, 24, 23)];
	op.imm = signed_field(insn, 21, 15) * op.size;
	return checked(op);
}

/* size and opc of a single register's forms. False: unallocated. PRFM: kind is PREFETCH. */
static bool single_size(uint32_t insn, struct a64_ldst *op)
{
	unsigned size = field(insn, 31, 30), opc = field(insn, 23, 22);

	op->vector = hv_bit(insn, 26);
	op->load = opc != 0;
	op->size = (uint8_t)(1u << size);
	if (op->vector) {
		op->load = (opc & 1) != 0;
		op->size = opc >= 2 ? 16 : op->size;
		return opc < 2 || size == 0;
	}
	op->sext = opc >= 2;
	op->wide = opc == 2 || (opc == 1 && size == 3);
	if (size == 3 && opc == 2) {
		op->kind = A64_LDST_PREFETCH;
		return true;
	}
	return opc != 3 || size < 2;
}

/* Bit 21 = 0: a signed 9-bit offset, unscaled, indexed or unprivileged. */
static bool single_imm9(uint32_t insn, struct a64_ldst *op)
{
	static const uint8_t mode[] = {
		A64_LDST_OFFSET, A64_LDST_POST, A64_LDST_OFFSET, A64_LDST_PRE};
	unsigned form = field(insn, 11, 10);

	op->mode = (enum a64_ldst_mode)mode[form];
	op->imm = signed_field(insn, 20, 12);
	op->unprivileged = form == 2;
	/* Prefetches are unscaled only; vectors have no unprivileged form. */
	return form == 0 || (op->kind == A64_LDST_PLAIN && !(form == 2 && op->vector));
}

/* Bit 21 = 1, bits 11:10 = 10: a register offset. */
static bool single_index(uint32_t insn, struct a64_ldst *op)
{
	op->mode = A64_LDST_INDEX;
	op->rm = (uint8_t)field(insn, 20, 16);
	op->extend = (uint8_t)field(insn, 15, 13);
	op->shift = hv_bit(insn, 12) ? (uint8_t)hv_lowest_bit(op->size) : 0;
	return (op->extend & 2) != 0;
}

/* Bits 29:27 = 111, 25:24 = 00, 21 = 1, 11:10 = 00: the LSE atomics, and LDAPR among them. */
static struct a64_ldst atomic(uint32_t insn)
{
	struct a64_ldst op = plain(insn);
	unsigned o3_opc = field(insn, 15, 12);
	bool acquire = hv_bit(insn, 23), release = hv_bit(insn, 22);

	if (hv_bit(insn, 26)) {
		return only(A64_LDST_NONE);
	}
	if (o3_opc <= 8) {
		return only(A64_LDST_ATOMIC);
	}
	if (o3_opc != 12 || !acquire || release) {
		return only(A64_LDST_NONE);
	}
	if (field(insn, 20, 16) != 31) {
		return only(A64_LDST_UNPREDICTABLE);
	}
	op.size = (uint8_t)(1u << field(insn, 31, 30));
	op.load = true;
	op.wide = op.size == 8;
	return op;
}

/* Bits 29:27 = 111, 25 = 0: one register, by all other addressing modes; and the atomics. */
static struct a64_ldst single(uint32_t insn)
{
	struct a64_ldst op = plain(insn);
	unsigned form = field(insn, 11, 10);
	bool ok, scaled = hv_bit(insn, 24);

	if (!scaled && hv_bit(insn, 21) && form == 0) {
		return atomic(insn);
	}
	if (!scaled && hv_bit(insn, 21) && form != 2) { /* LDRAA, LDRAB: 64-bit, general */
		return only(field(insn, 31, 30) == 3 && !hv_bit(insn, 26) ? A64_LDST_AUTH
									  : A64_LDST_NONE);
	}
	ok = single_size(insn, &op);
	if (scaled) {
		op.imm = (int64_t)field(insn, 21, 10) * op.size;
	} else {
		ok &= hv_bit(insn, 21) ? single_index(insn, &op) : single_imm9(insn, &op);
	}
	if (!ok) {
		return only(A64_LDST_NONE);
	}
	return op.kind == A64_LDST_PLAIN ? checked(op) : only(op.kind);
}

/* LD1 … ST4: which of their encodings are allocated does not matter to us, none is emulated. */
static struct a64_ldst structure(uint32_t insn)
{
	return only(hv_bit(insn, 31) ? A64_LDST_NONE : A64_LDST_STRUCTURE);
}

struct a64_ldst a64_ldst_decode(uint32_t insn)
{
	bool vector = hv_bit(insn, 26), bit24 = hv_bit(insn, 24);

	if ((insn & 0xffffffe0u) == 0xd50b7420u) {
		return only(A64_LDST_ZERO);
	}
	if ((insn & 0x0a000000u) != 0x08000000u) { /* op0 = x1x0: loads and stores */
		return only(A64_LDST_NONE);
	}
	switch (field(insn, 29, 28)) {
	case 0:
		if (vector) {
			return structure(insn);
		}
		return bit24 ? only(A64_LDST_NONE) : exclusive(insn);
	case 1: return bit24 ? ordered_or_tag(insn) : literal(insn);
	case 2: return pair(insn);
	default: return single(insn);
	}
}
