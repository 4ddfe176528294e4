/* SPDX-License-Identifier: MIT */
/* Hands out what the caller lent, front to back; nothing is ever taken back. */
#include <hv/arena.h>
#include <hv/bits.h>

void *hv_arena_take(struct hv_arena *arena, size_t size, size_t align)
{
	uintptr_t start = (uintptr_t)arena->base + arena->used;
	size_t pad = (size_t)(hv_align_up(start, align) - start);
	uint8_t *taken;

	if (pad > arena->size - arena->used || size > arena->size - arena->used - pad) {
		return NULL;
	}
	taken = arena->base + arena->used + pad;
	__builtin_memset(taken, 0, size);
	arena->used += pad + size;
	return taken;
}
