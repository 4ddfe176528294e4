/* SPDX-License-Identifier: MIT */
/*
 * The four functions that a compiler may call on its own. Plain C: word loops that GCC turns into
 * ldp/stp pairs where there are such. Whole guest images go through memcpy, so its inner loop moves
 * 64 bytes a round. Words are written where they are aligned, and read so if they can: where GCC
 * does not count on unaligned accesses (RISC-V), it makes eight of one. Built with -fno-builtin and
 * -fno-tree-loop-distribute-patterns, lest memset become a call to memset.
 */
#include "mem.h"

#include <stdbool.h>
#include <stdint.h>

/* Eight bytes of any type; the other ones lie at any address, too. */
typedef uint64_t __attribute__((may_alias)) word_t;
typedef uint64_t __attribute__((aligned(1), may_alias)) loose_t;

#define WORD sizeof(word_t)

static inline bool is_aligned(const void *at)
{
	return (uintptr_t)at % WORD == 0;
}

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	for (; size != 0 && !is_aligned(t); size--) {
		*t++ = *f++;
	}
	for (; size >= 8 * WORD && is_aligned(f); size -= 8 * WORD) {
		const word_t *w = (const void *)f;
		word_t a = w[0], b = w[1], c = w[2], d = w[3];
		word_t e = w[4], g = w[5], h = w[6], i = w[7];
		word_t *v = (void *)t;

		v[0] = a, v[1] = b, v[2] = c, v[3] = d;
		v[4] = e, v[5] = g, v[6] = h, v[7] = i;
		t += 8 * WORD;
		f += 8 * WORD;
	}
	for (; size >= WORD; size -= WORD) {
		*(word_t *)(void *)t = *(const loose_t *)f;
		t += WORD;
		f += WORD;
	}
	while (size--) {
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *t = (uint8_t *)to + size;
	const uint8_t *f = (const uint8_t *)from + size;

	if ((uintptr_t)to - (uintptr_t)from >= size) {
		return memcpy(to, from, size);
	}
	for (; size != 0 && !is_aligned(t); size--) {
		*--t = *--f;
	}
	for (; size >= WORD; size -= WORD) {
		t -= WORD;
		f -= WORD;
		*(word_t *)(void *)t = *(const loose_t *)f;
	}
	while (size--) {
		*--t = *--f;
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint8_t *t = to;
	word_t w = 0x0101010101010101u * (uint8_t)byte;

	for (; size != 0 && !is_aligned(t); size--) {
		*t++ = (uint8_t)byte;
	}
	for (; size >= 8 * WORD; size -= 8 * WORD) {
		word_t *v = (void *)t;

		v[0] = w, v[1] = w, v[2] = w, v[3] = w;
		v[4] = w, v[5] = w, v[6] = w, v[7] = w;
		t += 8 * WORD;
	}
	for (; size >= WORD; size -= WORD) {
		*(word_t *)(void *)t = w;
		t += WORD;
	}
	while (size--) {
		*t++ = (uint8_t)byte;
	}
	return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *l = left, *r = right;

	for (size_t i = 0; i < size; i++) {
		if (l[i] != r[i]) {
			return l[i] - r[i];
		}
	}
	return 0;
}
