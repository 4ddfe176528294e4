/* SPDX-License-Identifier: MIT */
/*
 * What core asks of the sim. One host thread runs everything, so a lock only checks that it is not
 * taken twice, and a kick has nobody to interrupt.
 */
#include "uc_sim.h"

#include <hv/port.h>
#include <stdio.h>
#include <stdlib.h>

struct sim *sim_now;

void port_lock(struct hv_lock *lock)
{
	if (lock->word) {
		port_panic("a lock is taken twice");
	}
	lock->word = 1;
}

void port_unlock(struct hv_lock *lock)
{
	lock->word = 0;
}

uint64_t port_now(void)
{
	return sim_clock_now(&sim_now->clock);
}

void port_kick(uint16_t pcpu)
{
	(void)pcpu;
}

void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	sim_now->arch->nested_changed(sim_now, pt, from, len);
}

/* The guest may have run what stood there before: Unicorn's translations of it are stale. */
void port_guest_sync(const void *host, size_t size)
{
	(void)host;
	(void)size;
	(void)uc_ctl_flush_tb(sim_now->uc);
}

void port_log(const char *line, size_t size)
{
	fprintf(stderr, "drydock: %.*s\n", (int)size, line);
}

void port_panic(const char *why)
{
	fprintf(stderr, "drydock: bug: %s\n", why);
	abort();
}

/* ---- for A64 guests ---- */

void port_a64_el1_load(struct a64_el1 *el1)
{
	sim_cpu_el1_load(&sim_now->a64.cpu, el1);
}

uint64_t port_a64_sctlr(void)
{
	return sim_sysreg_get(sim_now->uc, UC_SCTLR_EL1);
}

void port_a64_vreg_get(unsigned n, uint64_t value[2])
{
	(void)uc_reg_read(sim_now->uc, UC_ARM64_REG_Q0 + (int)n, value);
}

void port_a64_vreg_set(unsigned n, const uint64_t value[2])
{
	(void)uc_reg_write(sim_now->uc, UC_ARM64_REG_Q0 + (int)n, value);
}

uint64_t port_a64_count(void)
{
	return sim_clock_count(&sim_now->clock);
}

void port_gicv3_lr_load(struct gicv3_cpu *cpu)
{
	uc_gicv_load(&sim_now->a64.vcpu[cpu->index].gicv, cpu);
}

/* No virtual interrupt of the sim stands for a physical one. */
void port_gicv3_hw_end(uint32_t pintid)
{
	(void)pintid;
}

bool port_gicv3_hw_level(uint32_t pintid)
{
	(void)pintid;
	return false;
}
