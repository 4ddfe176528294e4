/* SPDX-License-Identifier: MIT */
#include "fake_a64.h"

#include <string.h>

struct fake_a64 fake_a64;

void fake_a64_reset(void)
{
	fake_a64 = (struct fake_a64){0};
}

void port_a64_el1_load(struct a64_el1 *el1)
{
	fake_a64.el1_loads++;
	*el1 = fake_a64.el1;
}

uint64_t port_a64_sctlr(void)
{
	return fake_a64.el1.sctlr;
}

void port_a64_vreg_get(unsigned n, uint64_t value[2])
{
	memcpy(value, fake_a64.vreg[n], sizeof(fake_a64.vreg[n]));
}

void port_a64_vreg_set(unsigned n, const uint64_t value[2])
{
	memcpy(fake_a64.vreg[n], value, sizeof(fake_a64.vreg[n]));
}

uint64_t port_a64_count(void)
{
	return fake_a64.count;
}
