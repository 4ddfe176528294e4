/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the HS image share: the records of a physical CPU, and the assembly's doors.
 * sscratch says whose registers an exception finds: while a guest runs it points to the guest's
 * struct rv64_regs; else it is the complement of the address of the CPU's own record, so negative.
 */
#ifndef HS_H
#define HS_H

#include "asm.h"
#include "csr.h"

#include <arch/riscv64/rv64.h>
#include <common/machine.h>

#define HS_CPUS 8u /* physical CPUs that we use, at most */

/* Our own fault as the vector saved it. */
struct hs_fault {
	uint64_t x[32], pc, sstatus, scause, stval;
};

struct hs_cpu {
	uint16_t index;
	uint64_t hart;        /* firmware's number of it */
	uint64_t fault_depth; /* how many of our own faults are being dumped */
	struct hs_fault fault;
	struct rv64_vcpu *vcpu;  /* that runs here, or NULL */
	enum hv_verdict verdict; /* why guest_run() returned */
	struct rv64_trap again; /* what exit_load() or exit_store() left to do; scause 0: nothing */
	uint64_t timed;         /* bit n: region n of its VM's bus has deadlines */
	uint64_t deadline;      /* our timer as last set; HV_NEVER_DUE: off */
	struct machine_times times;
};

/* The guard pages are left out of our translation, so that an overflow faults. */
struct hs_cpu_slot {
	uint8_t guard[4096];
	uint8_t stack[HS_STACK_SIZE];
	uint8_t fault_guard[4096];
	uint8_t fault_stack[HS_FAULT_STACK_SIZE];
	struct hs_cpu cpu __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

extern struct hs_cpu_slot cpu_slots[HS_CPUS];

static inline struct hs_cpu *hs_this_cpu(void)
{
	uintptr_t other;

	/* Not volatile: a CPU keeps its record for life, so the compiler may keep the pointer. */
	__asm__("csrr %0, sscratch" : "=r"(other));
	return (struct hs_cpu *)~other;
}

static inline struct hs_cpu *hs_cpu(uint16_t index)
{
	return &cpu_slots[index].cpu;
}

/* start.c: the CPUs that run by now; bit n: hs_cpu(n). */
uint32_t hs_started(void);

/* boot.S */
extern _Atomic uint32_t boot_stage; /* BOOT_OTHERS: whom firmware starts at image_start may go on */
extern uint64_t boot_satp;          /* what they load */

/* vectors.S */
extern const uint8_t vector[], vector_timed[];
void guest_run(struct rv64_regs *regs);
void fp_clear(void);     /* F and D registers, fcsr; sstatus.FS is not Off */
void vector_clear(void); /* V registers and their CSRs; sstatus.VS is not Off */

/* port_bm.c */
void vs_store(const struct rv64_vs *vs);

/*
 * Called by vectors.S: one exit each; the registers to enter with, or NULL to leave guest_run(). Of
 * the guest's registers only exit_trap() and exit_again() find, and may change, gp, tp and s0-s11;
 * the latter is called after a NULL of exit_load() and exit_store().
 */
struct rv64_regs *exit_load(struct rv64_regs *regs);
struct rv64_regs *exit_store(struct rv64_regs *regs);
struct rv64_regs *exit_again(struct rv64_regs *regs);
struct rv64_regs *exit_call(struct rv64_regs *regs);
struct rv64_regs *exit_irq(struct rv64_regs *regs);
struct rv64_regs *exit_trap(struct rv64_regs *regs, uint64_t scause);
struct rv64_regs *exit_call_timed(struct rv64_regs *regs);
struct rv64_regs *exit_irq_timed(struct rv64_regs *regs);
struct rv64_regs *exit_trap_timed(struct rv64_regs *regs, uint64_t scause);
_Noreturn void hs_fault(struct hs_fault *fault);

/* start.c, called by boot.S: by which number firmware knows this CPU, and the tree's address. */
_Noreturn void hs_boot(uint64_t hart, uintptr_t dtb);
/* The same on a CPU that machine_start_cpus() started. */
_Noreturn void hs_secondary(void);

#endif
