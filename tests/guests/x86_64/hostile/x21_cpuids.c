/* SPDX-License-Identifier: MIT */
/* X21: leaves and subleaves without end, each the same when it is asked for again. */
#include "guest.h"

#define MANY 60000u

static uint64_t state;

static uint32_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 7);
}

static uint64_t sum(struct cpuid id)
{
	return ((uint64_t)id.eax * 3 + id.ebx) * 5 + id.ecx * 7ull + id.edx * 11ull;
}

static uint64_t all(void)
{
	static const uint32_t bases[] = {0, 0x40000000, 0x80000000, 0xc0000000, 0xfffffff0};
	uint64_t hash = 0;

	state = 88172645463325252u;
	for (unsigned i = 0; i < MANY; i++) {
		uint32_t leaf = bases[random() % 5] + random() % 64,
			 sub = random() % 4 ? random() % 64 : random();

		hash = hash * 31 + sum(cpuid(leaf, sub));
		hash = hash * 31 + sum(cpuid(random(), random()));
	}
	return hash;
}

void guest_main(uint64_t start_info)
{
	uint64_t first = all();

	(void)start_info;
	check_eq("the same again", all(), first);
	check_eq("the last of all is empty", sum(cpuid(~0u, ~0u)),
		on_drydock() ? 0 : sum(cpuid(~0u, ~0u)));
}
