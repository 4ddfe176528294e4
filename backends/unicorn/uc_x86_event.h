/* SPDX-License-Identifier: MIT */
/*
 * Enters an exception's or interrupt's handler through the guest's IDT, as a CPU does and Unicorn
 * does not: APM2 8.7 to 8.9 (protected, long mode), 14.1 (real mode). Works on core's records and
 * the guest's memory; knows nothing of Unicorn.
 */
#ifndef UC_X86_EVENT_H
#define UC_X86_EVENT_H

#include <arch/x86_64/x86.h>

enum sim_x86_entered {
	SIM_X86_ENTERED,
	SIM_X86_FAULTED, /* instead, `fault` is raised; with #PF, at `linear` */
	SIM_X86_NOWHERE, /* it needs `gpa`, which is no memory, or may not be written */
	SIM_X86_TASK,    /* by a task gate, which is not done here */
};

struct sim_x86_entry {
	struct x86_event fault;
	uint64_t linear, gpa;
	bool write;
};

/*
 * `event` is what is due; `back` is the RIP that its handler returns to. Whatever the outcome but
 * SIM_X86_ENTERED, registers are as they were; what was pushed below the stack pointer stays.
 */
enum sim_x86_entered sim_x86_enter(struct x86_vcpu *vcpu, const struct x86_event *event,
	uint64_t back, struct sim_x86_entry *entry);

/* Bytes at linear addresses, by the rights of CPL 0. */
bool sim_x86_peek(struct x86_vcpu *vcpu, uint64_t linear, void *to, size_t size);

/* The event that takes the place of both: a double fault, or the second. False: a shutdown. */
bool sim_x86_both(struct x86_event *first, const struct x86_event *second);

#endif
