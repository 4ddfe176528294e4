/* SPDX-License-Identifier: MIT */
#include "fake_rv64.h"

struct fake_rv64 fake_rv64;

void fake_rv64_reset(void)
{
	fake_rv64 = (struct fake_rv64){0};
}

void port_rv64_vs_load(struct rv64_vs *vs)
{
	fake_rv64.vs_loads++;
	*vs = fake_rv64.vs;
}

uint64_t port_rv64_time(void)
{
	return fake_rv64.time;
}

uint64_t port_rv64_pending(void)
{
	return fake_rv64.pending;
}

void port_rv64_timer_set(uint64_t when)
{
	fake_rv64.timer_sets++;
	fake_rv64.timer = when;
}

bool port_rv64_insn_fetch(uint64_t va, uint32_t *insn)
{
	fake_rv64.fetches++;
	fake_rv64.fetched = va;
	if (fake_rv64.fetch_fails) {
		return false;
	}
	*insn = fake_rv64.insn;
	return true;
}

void port_rv64_fence(const struct hv_vm *vm, const struct rv64_fence *fence)
{
	fake_rv64.fences++;
	fake_rv64.fence_vm = vm;
	fake_rv64.fence = *fence;
}
