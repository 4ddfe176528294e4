/* SPDX-License-Identifier: MIT */
/*
 * The image's parts, by each backend's link.ld. Their addresses are computed with as numbers: to C
 * these are unrelated objects.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stdint.h>

extern const uint8_t image_start[], text_end[], rodata_end[], image_end[];

static inline bool image_is_code(uint64_t address)
{
	return address - (uintptr_t)image_start < (uintptr_t)text_end - (uintptr_t)image_start;
}

#endif
