/* SPDX-License-Identifier: MIT */
/* As ISO C, 7.24; a bare-metal image has no libc. */
#ifndef MEM_H
#define MEM_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);

#endif
