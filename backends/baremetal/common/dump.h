/* SPDX-License-Identifier: MIT */
/* What the dumps of our own faults are made of, as "dump" records. */
#ifndef DUMP_H
#define DUMP_H

#include <stddef.h>
#include <stdint.h>

/* A value, and where it is in the image's symbol file when it is in its code. */
void dump_value(const char *name, uint64_t value);
/* x<first> to x<last>, three a line; reg[0] is x<first>. */
void dump_regs(const uint64_t *reg, unsigned first, unsigned last);

struct dump_stack {
	const uint8_t *base;
	size_t size;
};
/*
 * Every word from sp to the end of that of the two stacks it is on which points into our code:
 * return addresses, and a few that were.
 */
void dump_stack(const struct dump_stack stack[2], uint64_t sp);

#endif
