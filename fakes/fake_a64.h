/* SPDX-License-Identifier: MIT */
/* The part of the port that only A64 guests ask for: registers that a test sets and inspects. */
#ifndef FAKE_A64_H
#define FAKE_A64_H

#include <arch/aarch64/a64.h>

struct fake_a64 {
	struct a64_el1 el1; /* what the CPU holds */
	unsigned el1_loads;
	uint64_t vreg[32][2];
	uint64_t count; /* CNTPCT_EL0 */
};

extern struct fake_a64 fake_a64;
void fake_a64_reset(void);

#endif
