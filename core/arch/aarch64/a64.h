/* SPDX-License-Identifier: MIT */
/*
 * The door of the aarch64 guest architecture: what a backend that runs A64 guests fills in, calls
 * and obeys. The virtual CPU is described in docs/virtual-cpu-aarch64.md. Source: Arm ARM, DDI
 * 0487.
 */
#ifndef A64_H
#define A64_H

#include <dev/gic/gic.h>
#include <hv/status.h>
#include <hv/vm.h>

/* Where the board's interrupt lines of the CPU are (INTIDs). */
#define A64_PPI_VTIMER 27u
#define A64_PPI_PTIMER 30u

/* General registers; a backend's assembly knows these offsets. */
struct a64_regs {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate; /* SPSR_EL2 format */
};

/*
 * The guest's EL1/EL0 system registers, which live in the CPU while the vCPU runs there. Core
 * brings them here by a64_el1_load() when it must look, and says with el1_dirty that it changed
 * one.
 */
struct a64_el1 {
	uint64_t sp_el0, sp_el1, elr, spsr, esr, far, vbar;
	uint64_t sctlr, tcr, ttbr0, ttbr1, mair, amair, contextidr;
	uint64_t cpacr, tpidr_el0, tpidrro_el0, tpidr_el1;
	uint64_t afsr0, afsr1, par, cntkctl, csselr, mdscr, actlr;
};

/* The raw trap record, exactly as the CPU left it. */
struct a64_trap {
	uint64_t esr, far, hpfar;
};

/* One timer of the vCPU: CNTx_CTL, CNTx_CVAL in counter ticks. */
struct a64_timer {
	uint64_t ctl, cval;
};

struct a64_vcpu {
	struct hv_vcpu hv;    /* first */
	struct a64_regs regs; /* the backend saves on exit and restores on entry */
	struct a64_el1 el1;   /* valid while el1_here */
	bool el1_here;        /* el1 holds the current values; cleared by the backend at entry */
	bool el1_dirty;       /* the backend must write el1 back before entry */
	struct a64_timer vtimer, ptimer;
	uint64_t cntvoff; /* virtual count = physical count - cntvoff */
	struct gicv3_cpu gic;
	uint64_t hcr; /* HCR_EL2 for this vCPU: a64_hcr() and injected state */
};

extern const struct hv_arch a64_arch;

/*
 * Handles one synchronous exception from the guest that was taken to EL2: decode, emulate or
 * inject, step the PC. Never HV_FAULT. The vCPU is RUNNING on this physical CPU; no lock held.
 */
HV_WARN_UNUSED enum hv_verdict a64_trap_handle(struct a64_vcpu *vcpu, const struct a64_trap *trap);

/* A guest's SError that was taken to EL2 goes back to that guest (X7). */
void a64_serror(struct a64_vcpu *vcpu);

/*
 * Prepares the entry: pending virtual interrupts -> list registers. Called when vcpu->hv.todo has
 * HV_TODO_IRQ, which it consumes.
 */
void a64_entry_prepare(struct a64_vcpu *vcpu);

/* Registers that decide what traps, the same on every backend. */
uint64_t a64_hcr(void);                    /* HCR_EL2 */
uint64_t a64_vtcr(const struct hv_pt *pt); /* VTCR_EL2 */
uint64_t a64_vttbr(const struct hv_pt *pt);

/* The nested format: VMSAv8-64 Stage-2, 4 KiB granule. */
extern const struct hv_pt_fmt a64_stage2_fmt;

/*
 * Timers, for a backend whose CPU does not have them (the sim), and for CNTP, which is always
 * trapped. `count` is the physical count. Core models CTL/CVAL/TVAL; the level goes to the PPI.
 */
bool a64_timer_level(const struct a64_timer *timer, uint64_t count);
/* Ticks of physical count at which the line rises; HV_NEVER_DUE when disabled or masked. */
uint64_t a64_timer_due(const struct a64_timer *timer, uint64_t offset);
/* Recomputes both lines and tells the GIC; returns the next deadline in physical count. */
uint64_t a64_timers_update(struct a64_vcpu *vcpu, uint64_t count);

/* What core asks of the port for A64 guests only. The vCPU is the one that runs on this CPU. */
void port_a64_el1_load(struct a64_el1 *el1);
void port_a64_vreg_get(unsigned n, uint64_t value[2]); /* V0..V31 as the guest has them */
void port_a64_vreg_set(unsigned n, const uint64_t value[2]);
uint64_t port_a64_count(void); /* CNTPCT_EL0 */

#endif
