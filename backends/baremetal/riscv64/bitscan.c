/* SPDX-License-Identifier: MIT */
/*
 * The two functions that a compiler calls where it may not assume Zbb: how many zeroes are below
 * the lowest one, and above the highest. Of 0 both are undefined.
 */
#include <stdint.h>

int __ctzdi2(uint64_t value);
int __clzdi2(uint64_t value);

/* The top six bits of this, shifted left by 0 to 63, are all different (a de Bruijn sequence). */
#define SEQUENCE 0x03f79d71b4cb0a89u

static const uint8_t place[64] = {0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4, 62, 55,
	59, 36, 53, 51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5, 63, 47, 56, 27, 60, 41, 37, 16, 54,
	35, 52, 21, 44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6};

int __ctzdi2(uint64_t value)
{
	return place[(value & -value) * SEQUENCE >> 58];
}

int __clzdi2(uint64_t value)
{
	for (unsigned shift = 1; shift < 64; shift *= 2) {
		value |= value >> shift;
	}
	return 63 - place[(value - (value >> 1)) * SEQUENCE >> 58];
}
