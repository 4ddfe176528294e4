/* SPDX-License-Identifier: MIT */
/*
 * Runs x86 vCPUs of core's on the emulated CPU, as one with SVM would: core's VMCB goes in, an exit
 * code and the guest's state come out.
 *
 * Unicorn's CPU stays in guest mode all the time, where its own MMU walks the guest's tables and
 * core's nested ones, and its own intercepts say what exits. VMRUN, of a VMCB of our own, brings in
 * what core changed beyond general registers, RIP and RFLAGS. What Unicorn does not do is done here
 * between two of its runs: an exception or EVENTINJ enters its handler (uc_x86_event.h), SYSCALL,
 * RDTSC by the guest's time, the interrupt window.
 *
 * There is one emulated CPU, on which the vCPUs take turns; each turn begins with an empty TLB.
 */
#ifndef UC_X86_H
#define UC_X86_H

#include "uc_clock.h"
#include "uc_x86_code.h"
#include "uc_x86_engine.h"

#define SIM_X86_TSC_HZ 1000000000u /* one tick is a nanosecond of the guest's time */

/* What the sim keeps of one vCPU. */
struct sim_x86_vcpu {
	struct x86_vcpu *x86;
	struct svm_vmcb *vmcb; /* core's */
	uc_context *context;   /* its registers, while another vCPU is loaded */
	struct x86_sys known;  /* what the emulated CPU holds of its system state */
	uint32_t intercept[3]; /* and of what exits, as core asked */
	bool is_known;
};

enum sim_x86_exit {
	SIM_X86_TIME,   /* the deadline has come */
	SIM_X86_EXIT,   /* an exit: core's VMCB says which */
	SIM_X86_BROKEN, /* neither Unicorn nor the sim can go on: sim_x86_cpu.broken says why */
};

struct sim_x86_cpu {
	struct sim_x86_engine engine;
	struct sim_clock *clock;
	struct sim_x86_code code;
	struct sim_x86_vcpu *vcpu; /* whose state the CPU holds */
	uint32_t left_by;          /* why a run of Unicorn's ended: an exit code, or LEFT_BY_* */
	uint32_t unwatched;        /* blocks until the interrupt window is looked at */
	const char *broken;        /* NULL: nothing is */
};
#define LEFT_BY_TIME    0xffff0000u /* or for the interrupt window */
#define LEFT_BY_SYSCALL 0xffff0001u

/* NULL, or in words why not. The clock outlives the CPU. */
const char *sim_x86_open(struct sim_x86_cpu *cpu, struct sim_clock *clock);
void sim_x86_close(struct sim_x86_cpu *cpu);

/* What guests can have of the emulated CPU. */
struct x86_caps sim_x86_caps(void);
struct x86_cpuid sim_x86_cpuid(const struct sim_x86_cpu *cpu, uint32_t leaf, uint32_t subleaf);

/* Prepares a vCPU, whose VM is made. False: no memory for its registers. */
bool sim_x86_add(struct sim_x86_cpu *cpu, struct sim_x86_vcpu *vcpu);
void sim_x86_drop(struct sim_x86_vcpu *vcpu);
/* Makes `vcpu` the one that the CPU holds. */
void sim_x86_load(struct sim_x86_cpu *cpu, struct sim_x86_vcpu *vcpu);
/* The loaded vCPU goes off: nothing that core does not keep is left for its next life (X23). */
void sim_x86_clear(struct sim_x86_cpu *cpu);
/* Runs it until something happens, but not beyond `deadline` (ns). core's records are current then.
 */
enum sim_x86_exit sim_x86_run(struct sim_x86_cpu *cpu, uint64_t deadline);

/* From inside a hook: what core's record says of paging is so now. */
void sim_x86_paging_get(struct sim_x86_cpu *cpu);
/* From inside a hook: IN or OUT, as an exit that core handles. Returns what IN reads. */
uint32_t sim_x86_port(
	struct sim_x86_cpu *cpu, bool in, uint16_t port, uint8_t size, uint32_t value);

/* False: this Unicorn lacks a hook. */
bool sim_x86_hook(struct sim_x86_cpu *cpu);

#endif
