/* SPDX-License-Identifier: MIT */
/*
 * Runs RV64 vCPUs of core's on the emulated hart: registers to and fro, exits, and what the hart
 * leaves to its owner (the guest's own exceptions, the counters).
 *
 * The guest's S-mode is the hart's S-mode, whose MMU walks the guest's tables, and whose interrupts
 * are the guest's. The G-stage is Unicorn's memory map, which port_tlb_flush() keeps equal to the
 * tables that core built, and the hart's PMP, by which what is no memory faults. Why not VS-mode:
 * docs/adr/0014-riscv64-guests-in-s-mode.md.
 *
 * There is one emulated hart, on which the vCPUs take turns. Each turn begins with an empty TLB: so
 * what one vCPU invalidates, no other can have kept.
 */
#ifndef UC_RV64_H
#define UC_RV64_H

#include "uc_clock.h"
#include "uc_rv64_code.h"
#include "uc_rv64_engine.h"

#include <arch/riscv64/rv64.h>

#define SIM_RV64_TICK_NS 100u /* 10 MHz, as on QEMU's virt machine */

/* What the sim keeps of one vCPU. */
struct sim_rv64_vcpu {
	struct rv64_vcpu *rv64;
	uc_context *context; /* its registers, while another vCPU is loaded */
	uint64_t fcsr;       /* which Unicorn's context lacks; valid at the same time */
};

enum sim_rv64_exit {
	SIM_RV64_TIME,   /* the deadline has come */
	SIM_RV64_TRAP,   /* a trap to the hypervisor: sim_rv64_cpu.trap says what */
	SIM_RV64_BROKEN, /* neither Unicorn nor the sim can go on: sim_rv64_cpu.broken says why */
};

struct sim_rv64_cpu {
	/* engine.now is what the hart holds whenever core runs. */
	struct sim_rv64_engine engine;
	struct sim_clock *clock;
	struct sim_rv64_vcpu *vcpu; /* whose state the hart holds */
	struct sim_rv64_code code;
	struct rv64_trap trap;
	bool trapped;
	const char *broken; /* NULL: nothing is */
};

/* NULL, or in words why not. The clock outlives the CPU. */
const char *sim_rv64_open(struct sim_rv64_cpu *cpu, struct sim_clock *clock);
void sim_rv64_close(struct sim_rv64_cpu *cpu);
/*
 * Before the first vCPU: guests can reach this memory, at most, and are met when they leave it.
 * NULL, or in words what is wrong.
 */
const char *sim_rv64_begin(
	struct sim_rv64_cpu *cpu, const struct sim_rv64_range range[SIM_RV64_RANGES]);

/* What guests can have of the emulated hart. */
struct rv64_caps sim_rv64_caps(void);

/*
 * Prepares a vCPU: it is the loaded one then. None may have run before. False: no memory for its
 * registers.
 */
bool sim_rv64_add(struct sim_rv64_cpu *cpu, struct sim_rv64_vcpu *vcpu);
void sim_rv64_drop(struct sim_rv64_vcpu *vcpu);
/* Makes `vcpu` the one that the hart holds. */
void sim_rv64_load(struct sim_rv64_cpu *cpu, struct sim_rv64_vcpu *vcpu);
/* The loaded vCPU goes off: nothing that core does not keep is left for its next life (X23). */
void sim_rv64_clear(struct sim_rv64_cpu *cpu);
/* Its interrupts, at the next entry. */
void sim_rv64_irq_set(struct sim_rv64_cpu *cpu, struct rv64_hvip hvip);
/* Runs it until something happens, but not beyond `deadline` (ns). core's regs are current then. */
enum sim_rv64_exit sim_rv64_run(struct sim_rv64_cpu *cpu, uint64_t deadline);

/* A register in engine.now. */
static inline uint64_t sim_rv64_reg(const struct sim_rv64_cpu *cpu, enum sim_rv64_at at)
{
	return sim_rv64_get(&cpu->engine, cpu->engine.now, at);
}

static inline void sim_rv64_reg_set(struct sim_rv64_cpu *cpu, enum sim_rv64_at at, uint64_t value)
{
	sim_rv64_set(&cpu->engine, cpu->engine.now, at, value);
}

/* The guest's CSRs in engine.now. */
void sim_rv64_vs_get(const struct sim_rv64_cpu *cpu, struct rv64_vs *vs);
/* Interrupts that are pending and enabled in engine.now, by the hypervisor's numbers. */
uint64_t sim_rv64_pending(const struct sim_rv64_cpu *cpu);
/* The guest's time. */
uint64_t sim_rv64_time(const struct sim_rv64_cpu *cpu);

#endif
