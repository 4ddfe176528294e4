/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the EL2 image share: the records of a physical CPU, and the assembly's doors.
 * TPIDR_EL2 points to the CPU's own record; everything else of a CPU hangs off that.
 */
#ifndef EL2_H
#define EL2_H

#include "asm.h"
#include "sysreg.h"

#include <arch/aarch64/a64.h>
#include <common/machine.h>

#define EL2_CPUS 8u /* physical CPUs that we use, at most */

/* Our own fault as the vectors saved it. */
struct el2_fault {
	uint64_t x[31], sp, pc, pstate, esr, far;
};

struct el2_cpu {
	uint16_t index;
	uint64_t fault_stack; /* its end; the vectors switch to it for our own faults */
	uint64_t fault_depth; /* how many of our own faults are being dumped */
	struct el2_fault fault;
	uint64_t mpidr;          /* its affinity fields */
	uintptr_t gicr;          /* GICv3: its redistributor */
	uint8_t gic_target;      /* GICv2: its bit in GICD_ITARGETSR; 0 until it has looked */
	struct a64_vcpu *vcpu;   /* that runs here, or NULL */
	enum hv_verdict verdict; /* why guest_run() returned */
	uint64_t timed;          /* bit n: region n of its VM's bus has deadlines */
	uint64_t deadline;       /* CNTHP_CVAL_EL2 as last written; HV_NEVER_DUE: off */
	struct machine_times times;
};

/* The guard pages are left out of our translation, so that an overflow faults. */
struct el2_cpu_slot {
	uint8_t guard[4096];
	uint8_t stack[EL2_STACK_SIZE];
	uint8_t fault_guard[4096];
	uint8_t fault_stack[EL2_FAULT_STACK_SIZE];
	struct el2_cpu cpu __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

extern struct el2_cpu_slot cpu_slots[EL2_CPUS];

static inline struct el2_cpu *el2_this_cpu(void)
{
	struct el2_cpu *cpu;

	/* Not volatile: a CPU keeps its record for life, so the compiler may keep the pointer. */
	__asm__("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
}

static inline struct el2_cpu *el2_cpu(uint16_t index)
{
	return &cpu_slots[index].cpu;
}

/* boot.S */
void boot_secondary(void);      /* where PSCI CPU_ON goes, x0 = the CPU's record; the MMU is off */
extern uint64_t boot_stage1[3]; /* what it loads: TCR_EL2, TTBR0_EL2, SCTLR_EL2 */
void stage1_switch(uint64_t mair, uint64_t tcr, uint64_t ttbr, uint64_t sctlr);

/* vectors.S */
extern const uint8_t vectors[], vectors_timed[];
void guest_run(struct a64_regs *regs);
void vreg_get(unsigned n, uint64_t value[2]);
void vreg_set(unsigned n, const uint64_t value[2]);

/* port_bm.c */
void el1_store(const struct a64_el1 *el1);

/* Called by vectors.S: one exit each; the registers to enter with, or NULL to leave guest_run(). */
struct a64_regs *exit_sync(struct a64_regs *regs, uint64_t esr);
struct a64_regs *exit_irq(struct a64_regs *regs);
struct a64_regs *exit_serror(struct a64_regs *regs);
struct a64_regs *exit_sync_timed(struct a64_regs *regs, uint64_t esr);
struct a64_regs *exit_irq_timed(struct a64_regs *regs);
struct a64_regs *exit_serror_timed(struct a64_regs *regs);
_Noreturn void el2_fault(struct el2_fault *fault, unsigned kind);

/* start.c, called by boot.S on a CPU that power_cpu_on() started. */
_Noreturn void el2_secondary(void);
/* In main_boot()'s place when the boot loader entered us at EL1. */
_Noreturn void el1_main(uintptr_t dtb);

#endif
