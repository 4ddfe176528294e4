/* SPDX-License-Identifier: MIT */
#include "fake_x86.h"

struct fake_x86 fake_x86;

void fake_x86_reset(void)
{
	fake_x86 = (struct fake_x86){0};
}

uint64_t port_x86_tsc(void)
{
	return fake_x86.tsc;
}

struct x86_cpuid port_x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
	fake_x86.cpuids++;
	for (size_t i = 0; i < fake_x86.leaf_count; i++) {
		if (fake_x86.leaves[i].leaf == leaf && fake_x86.leaves[i].subleaf == subleaf) {
			return fake_x86.leaves[i].id;
		}
	}
	return fake_x86.others;
}

void port_x86_tsc_aux_set(uint32_t value)
{
	fake_x86.tsc_aux = value;
	fake_x86.tsc_aux_sets++;
}
