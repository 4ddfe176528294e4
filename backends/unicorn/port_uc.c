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

/* ---- for RV64 guests ---- */

void port_rv64_vs_load(struct rv64_vs *vs)
{
	sim_rv64_vs_get(&sim_now->rv64.cpu, vs);
}

uint64_t port_rv64_time(void)
{
	return sim_clock_now(&sim_now->clock) / SIM_RV64_TICK_NS;
}

uint64_t port_rv64_pending(void)
{
	return sim_rv64_pending(&sim_now->rv64.cpu);
}

/* This hart has no Sstc. */
void port_rv64_timer_set(uint64_t when)
{
	(void)when;
}

bool port_rv64_insn_fetch(uint64_t va, uint32_t *insn)
{
	const struct sim_rv64_cpu *cpu = &sim_now->rv64.cpu;
	struct rv64_vs vs;

	sim_rv64_vs_get(cpu, &vs);
	return rv64_insn_peek(&vs, &cpu->vcpu->rv64->hv.vm->gmem, va, insn);
}

/* Each turn begins with an empty TLB, so only the vCPU that asks has one; code is everybody's. */
void port_rv64_fence(const struct hv_vm *vm, const struct rv64_fence *fence)
{
	(void)vm;
	if (fence->op == RV64_FENCE_I) {
		sim_rv64_code_sync(&sim_now->rv64.cpu);
	} else {
		(void)uc_ctl_flush_tlb(sim_now->uc);
	}
}
