/* SPDX-License-Identifier: MIT */
/* The part of the port that only x86 guests ask for: a CPU that a test makes up. */
#ifndef FAKE_X86_H
#define FAKE_X86_H

#include <arch/x86_64/x86.h>

/* What CPUID says of a leaf and subleaf; of those without a row, nothing. */
struct fake_x86_leaf {
	uint32_t leaf, subleaf;
	struct x86_cpuid id;
};

struct fake_x86 {
	uint64_t tsc;
	uint32_t tsc_aux;
	unsigned tsc_aux_sets;
	unsigned cpuids;
	const struct fake_x86_leaf *leaves;
	size_t leaf_count;
	struct x86_cpuid others; /* instead of nothing */
};

extern struct fake_x86 fake_x86;
void fake_x86_reset(void);

#endif
