/* SPDX-License-Identifier: MIT */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <hv/types.h>

/* RAM of the host that nobody uses, mapped RW; physical is virtual. */
struct selftest_ram {
	uint8_t *base;
	uint64_t size;
};

struct selftest_part {
	const char *name;
	bool (*run)(const struct selftest_ram *ram);
};
/* What only this CPU's image tests; the last has no name. */
extern const struct selftest_part cpu_parts[];

/* Each prints what it saw, and returns whether that was right. */
bool oracle_run(const struct selftest_ram *ram); /* P16: nested tables against the CPU's own walk */
bool probe_run(
	const struct selftest_ram *ram); /* I12: our own translation against the CPU's walk */
bool entry_run(const struct selftest_ram *ram); /* X23: registers through entry and exit */
bool tlb_run(const struct selftest_ram *ram);   /* P6, P8: the TLB follows the tables */
/* I12 and X7: does what it is named for, which must end in a dump. False: no such fault, or none.
 */
bool fault_run(const char *name, const struct selftest_ram *ram);

#endif
