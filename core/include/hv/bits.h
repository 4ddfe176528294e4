/* SPDX-License-Identifier: MIT */
/* Bit fields, alignment, checked sums and byte-order accesses: pure and inline. */
#ifndef HV_BITS_H
#define HV_BITS_H

#include <hv/types.h>

#define HV_BIT(n) ((uint64_t)1 << (n))
/* Mask of the bits hi..lo, both included; 63 >= hi >= lo. */
#define HV_MASK(hi, lo) ((~(uint64_t)0 >> (63 - (hi))) & (~(uint64_t)0 << (lo)))

/* Bits hi..lo of value, moved down to bit 0. */
static inline uint64_t hv_bits(uint64_t value, unsigned hi, unsigned lo)
{
	return (value & HV_MASK(hi, lo)) >> lo;
}

static inline bool hv_bit(uint64_t value, unsigned n)
{
	return (value >> n & 1) != 0;
}

/* value's low `bits` (1..64) seen as a two's-complement number. */
static inline uint64_t hv_sign_extend(uint64_t value, unsigned bits)
{
	uint64_t sign = HV_BIT(bits - 1);

	value &= HV_MASK(bits - 1, 0);
	return (value ^ sign) - sign;
}

/* align is a power of two. hv_align_up wraps to 0 above the last multiple: check the sum first. */
static inline uint64_t hv_align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

static inline uint64_t hv_align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline bool hv_is_aligned(uint64_t value, uint64_t align)
{
	return (value & (align - 1)) == 0;
}

/* *sum = a + b; false when the sum wraps. */
static inline HV_WARN_UNUSED bool hv_add_ok(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

/* Whether [at, at+size) lies inside [base, base+limit), all without wrapping. */
static inline bool hv_range_inside(uint64_t at, uint64_t size, uint64_t base, uint64_t limit)
{
	return at >= base && size <= limit && at - base <= limit - size;
}

/* Whether two ranges that do not wrap share a byte. */
static inline bool hv_range_overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a_size != 0 && b_size != 0 && (a < b ? b - a < a_size : a - b < b_size);
}

/* Index of the lowest set bit; value is not 0. */
static inline unsigned hv_lowest_bit(uint64_t value)
{
	return (unsigned)__builtin_ctzll(value);
}

/* Index of the highest set bit; value is not 0. */
static inline unsigned hv_highest_bit(uint64_t value)
{
	return 63u - (unsigned)__builtin_clzll(value);
}

/* Unaligned accesses with an explicit byte order, whatever the host's. */
static inline uint16_t hv_le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t hv_le32(const void *p)
{
	const uint8_t *b = p;

	return hv_le16(b) | (uint32_t)hv_le16(b + 2) << 16;
}

static inline uint64_t hv_le64(const void *p)
{
	const uint8_t *b = p;

	return hv_le32(b) | (uint64_t)hv_le32(b + 4) << 32;
}

static inline uint32_t hv_be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t hv_be64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)hv_be32(b) << 32 | hv_be32(b + 4);
}

#endif
