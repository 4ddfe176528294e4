/* SPDX-License-Identifier: MIT */
/* Small kernels made by hand, for the loader's tests. */
#ifndef LOAD_KIT_H
#define LOAD_KIT_H

#include <hv/load.h>
#include <string.h>

static inline void kit_put(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		at[i] = (uint8_t)(value >> 8 * i);
	}
}

/* What to flip in a byte: each bit, then all of them. */
#define KIT_FLIPS 9u
static inline uint8_t kit_flip(unsigned n)
{
	return (uint8_t)(n < 8 ? 1u << n : 0xffu);
}

/* An arm64 Image of `size` bytes in `bytes`. */
static inline struct hv_blob kit_image(
	uint8_t *bytes, size_t size, uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	memset(bytes, 0, size);
	kit_put(bytes + 8, 8, text_offset);
	kit_put(bytes + 16, 8, image_size);
	kit_put(bytes + 24, 8, flags);
	memcpy(bytes + 56, "ARM\x64", 4);
	return (struct hv_blob){bytes, size};
}

#endif
