/* SPDX-License-Identifier: MIT */
/*
 * Runs A64 vCPUs of core's on the emulated CPU: registers to and fro, exits, and what the CPU
 * leaves to its owner (the guest's own exceptions, the virtual timer, the GIC's CPU interface).
 *
 * There is one emulated CPU, the sim's physical CPU 0, with one memory and one store of translated
 * code, on which the vCPUs take turns. Each turn begins with an empty TLB: so what one vCPU
 * invalidates, no other can have kept.
 */
#ifndef UC_A64_H
#define UC_A64_H

#include "uc_clock.h"
#include "uc_engine.h"
#include "uc_fp.h"
#include "uc_gicv.h"

#include <arch/aarch64/a64.h>

/* What the sim keeps of one vCPU. */
struct sim_vcpu {
	struct a64_vcpu *a64;
	uc_context *context; /* all of the CPU's registers, while another vCPU is loaded */
	struct uc_gicv gicv;
	/* What the emulated CPU holds. Only what differs from it is written at entry. */
	struct a64_regs held;
	struct a64_el1 held_el1; /* valid while held_el1_here */
	bool held_el1_here;
	uint64_t held_hcr;
};

enum sim_exit {
	SIM_EXIT_TIME,   /* the deadline has come, or a timer was set */
	SIM_EXIT_TRAP,   /* a trap to EL2: core's regs are current, sim_cpu.trap says what */
	SIM_EXIT_BROKEN, /* neither Unicorn nor the sim can go on: sim_cpu.broken says why */
};

/* The last MRS or MSR, by which an undefined instruction is known as an access to the GIC. */
struct sim_access {
	bool valid, write;
	uint32_t sysreg;
	int reg; /* Unicorn's number of the general register */
	uint64_t pc;
};

struct sim_cpu {
	struct sim_engine engine;
	struct sim_clock *clock;
	struct sim_vcpu *vcpu; /* whose state the CPU holds */
	struct sim_access access;
	struct sim_fp fp;
	struct a64_trap trap;
	bool trapped;
	bool code_is_stale; /* what was translated must not run again */
	const char *broken; /* NULL: nothing is */
};

/* NULL, or in words why not. The clock outlives the CPU. */
const char *sim_cpu_open(struct sim_cpu *cpu, struct sim_clock *clock);
void sim_cpu_close(struct sim_cpu *cpu);

/* The emulated CPU's identification registers, with those of the model of its GIC. */
struct a64_idregs sim_cpu_id(const struct sim_cpu *cpu);
/* How many list registers the model has. */
#define SIM_LIST_REGISTERS 4u

/*
 * Prepares a vCPU whose Stage-2 is `pt`: it is the loaded one then, in the CPU's power-on state. No
 * vCPU may have run before. False: no memory for its registers.
 */
bool sim_cpu_add(struct sim_cpu *cpu, struct sim_vcpu *vcpu, const struct hv_pt *pt);
void sim_cpu_drop(struct sim_vcpu *vcpu);
/* Makes `vcpu` the one that the CPU holds. */
void sim_cpu_load(struct sim_cpu *cpu, struct sim_vcpu *vcpu);
/* The loaded vCPU goes off: nothing that core does not keep is left for its next life (X23). */
void sim_cpu_clear(struct sim_cpu *cpu);
/* Runs it until something happens, but not beyond `deadline` (ns). */
enum sim_exit sim_cpu_run(struct sim_cpu *cpu, uint64_t deadline);
/* Brings all general registers and PSTATE to core's record, e.g. for a dump. */
void sim_cpu_save(struct sim_cpu *cpu);
/* The emulated CPU's PSTATE, in effect at once. */
void sim_cpu_pstate_set(struct sim_cpu *cpu, uint64_t pstate);
void sim_cpu_el1_load(struct sim_cpu *cpu, struct a64_el1 *el1);

#endif
