/* SPDX-License-Identifier: MIT */
/*
 * Unicorn forgets code by virtual address, and only where that may be executed; but the address by
 * which a kernel cleans a page is often an alias that may not. At EL2, whose MMU is off, addresses
 * are host-physical and all may be executed: so that is where it is asked from.
 */
#include "uc_icache.h"

#include "uc_hooks.h"

#define LINE        64u    /* the smallest that CTR_EL0.IminLine of any CPU here says */
#define PSTATE_EL2H 0x3c9u /* DAIF masked */

void sim_icache_line(struct sim_cpu *cpu, uint64_t va)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	hpa_t hpa;

	sim_cpu_stage1_load(cpu);
	if (a64_host_address(vcpu, va & ~(uint64_t)(LINE - 1), &hpa)) {
		sim_cpu_pstate_set(cpu, PSTATE_EL2H);
		(void)uc_ctl_remove_cache(cpu->engine.uc, hpa.v, hpa.v + LINE);
		sim_cpu_pstate_set(cpu, vcpu->regs.pstate);
	}
	vcpu->el1_here = false;
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
