/* SPDX-License-Identifier: MIT */
/*
 * Unicorn forgets code by virtual address, and only where that may be executed; but the address by
 * which a kernel cleans a page is often an alias that may not. At EL2, whose MMU is off, addresses
 * are host-physical and all may be executed: so that is where it is asked from.
 */
#include "uc_icache.h"

#include "uc_hooks.h"

#include <arch/aarch64/walk.h>

#define LINE        64u    /* the smallest that CTR_EL0.IminLine of any CPU here says */
#define PSTATE_EL2H 0x3c9u /* DAIF masked */

/* False: there is no memory, so that there is no code. */
static bool find(struct sim_cpu *cpu, uint64_t va, uint64_t *hpa)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	struct a64_walk walk;
	struct hv_pte pte;
	uint8_t level;
	bool found;

	sim_cpu_stage1_load(cpu);
	found = a64_translate(vcpu, va, A64_WALK_READ, false, &walk);
	vcpu->el1_here = false;
	if (!found || hv_pt_lookup(&vcpu->hv.vm->pt, GPA(walk.gpa), &pte, &level) != HV_OK) {
		return false;
	}
	*hpa = pte.pa;
	return true;
}

void sim_icache_line(struct sim_cpu *cpu, uint64_t va)
{
	uint64_t hpa;

	if (find(cpu, va & ~(uint64_t)(LINE - 1), &hpa)) {
		uint64_t pstate = cpu->vcpu->a64->regs.pstate;

		sim_cpu_pstate_set(cpu, PSTATE_EL2H);
		(void)uc_ctl_remove_cache(cpu->engine.uc, hpa, hpa + LINE);
		sim_cpu_pstate_set(cpu, pstate);
	}
}

void sim_icache_all(struct sim_cpu *cpu)
{
	cpu->code_is_stale = true;
	sim_clock_expire(cpu->clock);
}

void sim_icache_settle(struct sim_cpu *cpu)
{
	if (cpu->code_is_stale) {
		cpu->code_is_stale = false;
		(void)uc_ctl_flush_tb(cpu->engine.uc);
	}
}
