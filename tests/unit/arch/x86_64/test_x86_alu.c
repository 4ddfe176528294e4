/* SPDX-License-Identifier: MIT */
/*
 * Results and flags: all of the bytes against a model that adds bit by bit, and the edges of the
 * wider sizes.
 */
#include <unit.h>

#include <arch/x86_64/alu.h>

#define STATUS (X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | X86_FLAG_OF)
#define OTHERS (~(uint64_t)STATUS) /* which no operation changes */

struct model {
	uint64_t result, flags;
};

static uint64_t flag(uint64_t bit, bool value)
{
	return value ? bit : 0;
}

static uint64_t flags_of_result(uint64_t result, unsigned bits)
{
	unsigned ones = 0;

	for (unsigned i = 0; i < 8; i++) {
		ones += (unsigned)(result >> i & 1);
	}
	return flag(X86_FLAG_ZF, result == 0) | flag(X86_FLAG_SF, result >> (bits - 1)) |
	       flag(X86_FLAG_PF, ones % 2 == 0);
}

/* A full adder for each bit. */
static struct model model_add(uint64_t a, uint64_t b, bool carry, unsigned bits)
{
	struct model model = {0};
	bool into_sign = false;

	for (unsigned i = 0; i < bits; i++) {
		bool x = a >> i & 1, y = b >> i & 1;

		into_sign = carry;
		model.result |= (uint64_t)(x ^ y ^ carry) << i;
		carry = (x && y) || (carry && (x || y));
		model.flags |= flag(X86_FLAG_AF, i == 3 && carry);
	}
	model.flags |= flag(X86_FLAG_CF, carry) | flag(X86_FLAG_OF, carry != into_sign) |
		       flags_of_result(model.result, bits);
	return model;
}

/* a + ~b + 1, where carries mean the opposite. */
static struct model model_subtract(uint64_t a, uint64_t b, bool borrow, unsigned bits)
{
	struct model model = model_add(a, ~b, !borrow, bits);

	model.flags ^= X86_FLAG_CF | X86_FLAG_AF;
	return model;
}

static struct model model_logic(uint64_t result, unsigned bits)
{
	return (struct model){result, flags_of_result(result, bits)};
}

static struct model model_of(enum x86_op op, uint64_t a, uint64_t b, uint64_t flags, unsigned bits)
{
	bool carry = flags & X86_FLAG_CF;
	struct model model;

	switch (op) {
	case X86_OP_ADD: return model_add(a, b, false, bits);
	case X86_OP_ADC: return model_add(a, b, carry, bits);
	case X86_OP_SUB: return model_subtract(a, b, false, bits);
	case X86_OP_SBB: return model_subtract(a, b, carry, bits);
	case X86_OP_CMP:
		model = model_subtract(a, b, false, bits);
		model.result = a;
		return model;
	case X86_OP_AND: return model_logic(a & b, bits);
	case X86_OP_OR: return model_logic(a | b, bits);
	case X86_OP_XOR: return model_logic(a ^ b, bits);
	case X86_OP_TEST:
		model = model_logic(a & b, bits);
		model.result = a;
		return model;
	case X86_OP_NEG: return model_subtract(0, a, false, bits);
	case X86_OP_INC:
		model = model_add(a, 1, false, bits);
		model.flags = (model.flags & ~X86_FLAG_CF) | flag(X86_FLAG_CF, carry);
		return model;
	default:
		assert_int_equal(op, X86_OP_DEC);
		model = model_subtract(a, 1, false, bits);
		model.flags = (model.flags & ~X86_FLAG_CF) | flag(X86_FLAG_CF, carry);
		return model;
	}
}

static const enum x86_op arithmetic[] = {X86_OP_ADD, X86_OP_OR, X86_OP_ADC, X86_OP_SBB, X86_OP_AND,
	X86_OP_SUB, X86_OP_XOR, X86_OP_CMP, X86_OP_TEST, X86_OP_NEG, X86_OP_INC, X86_OP_DEC};

static void compare(enum x86_op op, uint8_t size, uint64_t a, uint64_t b, uint64_t flags)
{
	struct model model = model_of(op, a, b, flags, 8u * size);
	uint64_t rflags = flags;
	uint64_t result = x86_alu(op, size, a, b, &rflags);

	if (result != model.result || (rflags & STATUS) != model.flags ||
		((rflags ^ flags) & OTHERS) != 0) {
		fail_msg("op %d, %u bytes, %llx and %llx, flags %llx: %llx, flags %llx", op, size,
			(unsigned long long)a, (unsigned long long)b, (unsigned long long)flags,
			(unsigned long long)result, (unsigned long long)rflags);
	}
}

static void alu_bytes__all_of_them__result_and_flags_of_a_full_adder(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(arithmetic); i++) {
		for (uint64_t n = 0; n < 0x20000; n++) {
			uint64_t flags = n >> 16 ? ~(uint64_t)0 : 0;

			compare(arithmetic[i], 1, n & 0xff, n >> 8 & 0xff, flags);
		}
	}
}

static void alu_wide__edges_of_each_size__result_and_flags_of_a_full_adder(void **state)
{
	(void)state;
	for (uint8_t size = 2; size <= 8; size *= 2) {
		uint64_t mask = HV_MASK(8u * size - 1, 0), sign = HV_BIT(8u * size - 1);
		const uint64_t edge[] = {0, 1, 7, 8, 15, 16, 0x80, 0xff, 0x100, 0x5555555555555555,
			sign - 1, sign, sign + 1, mask - 1, mask};

		for (size_t i = 0; i < HV_ARRAY_COUNT(arithmetic); i++) {
			for (size_t n = 0; n < 2 * HV_ARRAY_COUNT(edge) * HV_ARRAY_COUNT(edge);
				n++) {
				size_t at = n / 2;

				compare(arithmetic[i], size, edge[at % HV_ARRAY_COUNT(edge)] & mask,
					edge[at / HV_ARRAY_COUNT(edge)] & mask,
					n % 2 ? ~(uint64_t)0 : 0);
			}
		}
	}
}

static void alu_not__any__no_flag_changes(void **state)
{
	uint64_t flags = ~(uint64_t)0;

	(void)state;
	assert_int_equal(x86_alu(X86_OP_NOT, 2, 0x00ff, 0, &flags), 0xff00);
	assert_int_equal(flags, ~(uint64_t)0);
	flags = 0;
	assert_int_equal(x86_alu(X86_OP_NOT, 8, 0, 0, &flags), ~(uint64_t)0);
	assert_int_equal(flags, 0);
}

static void alu_bits__each_bit_of_each_size__carry_and_the_bit_alone(void **state)
{
	const uint64_t pattern = 0xa5c3f00f12345678;

	(void)state;
	for (uint8_t size = 2; size <= 8; size *= 2) {
		uint64_t a = pattern & HV_MASK(8u * size - 1, 0);

		for (unsigned n = 0; n < 8u * size; n++) {
			const uint64_t expected[] = {
				a, a | HV_BIT(n), a & ~HV_BIT(n), a ^ HV_BIT(n)};

			for (unsigned i = 0; i < 4; i++) {
				uint64_t flags = X86_FLAG_ZF;

				assert_int_equal(x86_alu((enum x86_op)(X86_OP_BT + i), size, a,
							 n + 8u * size, &flags),
					expected[i]);
				assert_int_equal(
					flags, X86_FLAG_ZF | flag(X86_FLAG_CF, hv_bit(a, n)));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(alu_bytes__all_of_them__result_and_flags_of_a_full_adder),
		hv_unit_test(alu_wide__edges_of_each_size__result_and_flags_of_a_full_adder),
		hv_unit_test(alu_not__any__no_flag_changes),
		hv_unit_test(alu_bits__each_bit_of_each_size__carry_and_the_bit_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
