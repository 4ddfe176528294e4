/* SPDX-License-Identifier: MIT */
/* What the tests of each page-table format have in common. */
#ifndef FMT_CHECK_H
#define FMT_CHECK_H

#include <unit.h>

#include <hv/bits.h>
#include <hv/pt.h>

static inline bool fmt_same(struct hv_pte a, struct hv_pte b)
{
	return a.kind == b.kind && a.pa == b.pa && a.prot == b.prot && a.type == b.type;
}

static inline void fmt_round_trip(const struct hv_pt_fmt *fmt, struct hv_pte pte, uint8_t level)
{
	uint64_t raw = fmt->encode(pte, level);

	if (!fmt_same(fmt->decode(raw, level), pte)) {
		fail_msg("level %u kind %d pa %llx prot %u type %u -> %llx", level, pte.kind,
			(unsigned long long)pte.pa, pte.prot, pte.type, (unsigned long long)raw);
	}
}

/* Every leaf and table with every address of one bit, all bits and none comes back as it was. */
static inline void fmt_check_round_trips(const struct hv_pt_fmt *fmt)
{
	for (uint8_t level = 0; level < fmt->max_levels; level++) {
		uint64_t all = HV_BIT(fmt->max_pa_bits) - 1;

		fmt_round_trip(fmt, (struct hv_pte){.kind = HV_PTE_EMPTY}, level);
		for (unsigned bit = 11; bit <= fmt->max_pa_bits; bit++) {
			uint64_t pa = bit == 11 ? 0 : bit == fmt->max_pa_bits ? all : HV_BIT(bit);
			struct hv_pte table = {.kind = HV_PTE_TABLE, .pa = pa & ~(uint64_t)4095};

			if (level > 0) {
				fmt_round_trip(fmt, table, level);
			}
			for (unsigned n = 0; level <= fmt->max_leaf && n < 16; n++) {
				struct hv_pte leaf = {
					.kind = HV_PTE_LEAF,
					.pa = pa & ~(hv_pt_span(level) - 1),
					.prot = n & 7,
					.type = (uint8_t)(n >> 3),
				};

				if (hv_bit(fmt->prot_mask, leaf.prot)) {
					fmt_round_trip(fmt, leaf, level);
				}
			}
		}
	}
}

/*
 * P11: of all settings of the bits below `low` (all of them) and from `high` up (all with at most
 * two set), decode takes exactly those that encode emits: one for each leaf it can express, one
 * table, one empty. Whatever it takes, encode gives back bit for bit.
 */
static inline void fmt_check_attributes(const struct hv_pt_fmt *fmt, unsigned low, unsigned high)
{
	const unsigned leaves = 2u * (unsigned)__builtin_popcount(fmt->prot_mask);

	for (uint8_t level = 0; level < fmt->max_levels; level++) {
		unsigned taken[4] = {0};

		for (unsigned a = high; a <= 64; a++) {
			/* b == a stands for a alone, a == 64 for no high bit at all */
			for (unsigned b = a; b < 64 || b == a; b++) {
				uint64_t top = (a < 64 ? HV_BIT(a) : 0) | (b < 64 ? HV_BIT(b) : 0);

				for (uint64_t bottom = 0; bottom < HV_BIT(low); bottom++) {
					struct hv_pte pte = fmt->decode(top | bottom, level);

					taken[pte.kind]++;
					if (pte.kind != HV_PTE_BAD &&
						fmt->encode(pte, level) != (top | bottom)) {
						fail_msg(
							"%llx", (unsigned long long)(top | bottom));
					}
				}
			}
		}
		assert_int_equal(taken[HV_PTE_EMPTY], 1);
		assert_int_equal(taken[HV_PTE_TABLE], level > 0);
		assert_int_equal(taken[HV_PTE_LEAF], level <= fmt->max_leaf ? leaves : 0);
	}
}

/* P11: an address bit below a block's size, or above what the format holds, is refused. */
static inline void fmt_check_misaligned(const struct hv_pt_fmt *fmt, unsigned pa_shift)
{
	for (uint8_t level = 0; level <= fmt->max_leaf; level++) {
		struct hv_pte leaf = {.kind = HV_PTE_LEAF, .prot = HV_PROT_R};
		uint64_t raw = fmt->encode(leaf, level);

		for (unsigned bit = 12; HV_BIT(bit) < hv_pt_span(level); bit++) {
			uint64_t bad = raw | HV_BIT(bit - pa_shift);

			assert_int_equal(fmt->decode(bad, level).kind, HV_PTE_BAD);
		}
		for (unsigned bit = fmt->max_pa_bits; bit - pa_shift < 63; bit++) {
			uint64_t bad = raw ^ HV_BIT(bit - pa_shift);
			struct hv_pte pte = fmt->decode(bad, level);

			assert_true(pte.kind == HV_PTE_BAD || pte.pa == 0);
		}
		/* The address that encode is given may carry an offset; a descriptor never does. */
		leaf.pa = hv_pt_span(level) - 1;
		assert_true(fmt->encode(leaf, level) == raw);
	}
}

struct fmt_golden {
	struct hv_pte pte;
	uint8_t level;
	uint64_t raw;
};

static inline void fmt_check_golden(
	const struct hv_pt_fmt *fmt, const struct fmt_golden *golden, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t raw = fmt->encode(golden[i].pte, golden[i].level);

		if (raw != golden[i].raw) {
			fail_msg("row %zu: %llx", i, (unsigned long long)raw);
		}
		assert_true(fmt_same(fmt->decode(raw, golden[i].level), golden[i].pte));
	}
}

static inline void fmt_check_bad(
	const struct hv_pt_fmt *fmt, uint8_t level, const uint64_t *raw, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fmt->decode(raw[i], level).kind != HV_PTE_BAD) {
			fail_msg("level %u: %llx is taken", level, (unsigned long long)raw[i]);
		}
	}
}

#define R__ HV_PROT_R
#define RW_ (HV_PROT_R | HV_PROT_W)
#define R_X (HV_PROT_R | HV_PROT_X)
#define RWX (HV_PROT_R | HV_PROT_W | HV_PROT_X)
#define X__ HV_PROT_X

#define GOLDEN_LEAF(p, perms, memory, lv, bits)                                                    \
	{                                                                                          \
		{.kind = HV_PTE_LEAF, .pa = (p), .prot = (perms), .type = (memory)}, (lv), (bits)  \
	}
#define GOLDEN_TABLE(p, lv, bits)                                                                  \
	{                                                                                          \
		{.kind = HV_PTE_TABLE, .pa = (p)}, (lv), (bits)                                    \
	}

#endif
