/* SPDX-License-Identifier: MIT */
#include "alu.h"

/* One operation on the way. */
struct alu {
	uint64_t a, b, result;
	unsigned bits; /* of the operands */
	uint64_t sign, mask;
	uint64_t flags; /* RFLAGS */
};

static void flag_set(struct alu *alu, uint64_t flag, bool value)
{
	alu->flags = value ? alu->flags | flag : alu->flags & ~flag;
}

/* Of every arithmetic and logical operation: SF, ZF, PF. */
static void flags_by_result(struct alu *alu)
{
	flag_set(alu, X86_FLAG_SF, alu->result & alu->sign);
	flag_set(alu, X86_FLAG_ZF, alu->result == 0);
	flag_set(alu, X86_FLAG_PF, !__builtin_parity((unsigned)alu->result & 0xff));
}

/* OF and AF of a sum or a difference. `overflow`: what the signs say, in the sign's bit. */
static void flags_by_carries(struct alu *alu, uint64_t overflow)
{
	flag_set(alu, X86_FLAG_OF, overflow & alu->sign);
	flag_set(alu, X86_FLAG_AF, (alu->a ^ alu->b ^ alu->result) & 0x10);
}

static void add(struct alu *alu, bool carry)
{
	alu->result = (alu->a + alu->b + carry) & alu->mask;
	flag_set(alu, X86_FLAG_CF, carry ? alu->result <= alu->a : alu->result < alu->a);
	flags_by_carries(alu, ~(alu->a ^ alu->b) & (alu->a ^ alu->result));
	flags_by_result(alu);
}

static void subtract(struct alu *alu, bool borrow)
{
	alu->result = (alu->a - alu->b - borrow) & alu->mask;
	flag_set(alu, X86_FLAG_CF, borrow ? alu->a <= alu->b : alu->a < alu->b);
	flags_by_carries(alu, (alu->a ^ alu->b) & (alu->a ^ alu->result));
	flags_by_result(alu);
}

static void logic(struct alu *alu, uint64_t result)
{
	alu->result = result;
	alu->flags &= ~(X86_FLAG_CF | X86_FLAG_OF | X86_FLAG_AF);
	flags_by_result(alu);
}

/* Bit b of a goes to CF. ZF stays as it was; what the others become is undefined. */
static void bit(struct alu *alu, enum x86_op op)
{
	uint64_t bit = HV_BIT(alu->b & (alu->bits - 1u));

	flag_set(alu, X86_FLAG_CF, alu->a & bit);
	switch (op) {
	case X86_OP_BTS: alu->result = alu->a | bit; break;
	case X86_OP_BTR: alu->result = alu->a & ~bit; break;
	case X86_OP_BTC: alu->result = alu->a ^ bit; break;
	default: alu->result = alu->a; break;
	}
}

static void by_one(struct alu *alu, enum x86_op op)
{
	uint64_t carry = alu->flags & X86_FLAG_CF;

	alu->b = 1;
	if (op == X86_OP_INC) {
		add(alu, false);
	} else {
		subtract(alu, false);
	}
	alu->flags = (alu->flags & ~X86_FLAG_CF) | carry; /* which these leave alone */
}

static void negate(struct alu *alu)
{
	alu->b = alu->a;
	alu->a = 0;
	subtract(alu, false);
}

static void compute(struct alu *alu, enum x86_op op)
{
	bool carry = alu->flags & X86_FLAG_CF;

	switch (op) {
	case X86_OP_ADD: add(alu, false); break;
	case X86_OP_ADC: add(alu, carry); break;
	case X86_OP_SUB: subtract(alu, false); break;
	case X86_OP_SBB: subtract(alu, carry); break;
	case X86_OP_CMP:
		subtract(alu, false);
		alu->result = alu->a;
		break;
	case X86_OP_OR: logic(alu, alu->a | alu->b); break;
	case X86_OP_AND: logic(alu, alu->a & alu->b); break;
	case X86_OP_XOR: logic(alu, alu->a ^ alu->b); break;
	case X86_OP_TEST:
		logic(alu, alu->a & alu->b);
		alu->result = alu->a;
		break;
	case X86_OP_NOT: alu->result = ~alu->a & alu->mask; break;
	case X86_OP_NEG: negate(alu); break;
	case X86_OP_INC:
	case X86_OP_DEC: by_one(alu, op); break;
	default: bit(alu, op); break;
	}
}

uint64_t x86_alu(enum x86_op op, uint8_t size, uint64_t a, uint64_t b, uint64_t *rflags)
{
	unsigned bits = 8u * size;
	struct alu alu = {
		.a = a,
		.b = b,
		.bits = bits,
		.sign = HV_BIT(bits - 1),
		.mask = HV_MASK(bits - 1, 0),
		.flags = *rflags,
	};

	compute(&alu, op);
	*rflags = alu.flags;
	return alu.result;
}
