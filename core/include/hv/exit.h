/* SPDX-License-Identifier: MIT */
/*
 * What happened, in guest-neutral words: plain data, printable, comparable, recordable, replayable.
 * System registers, CSRs, MSRs and CPUID never get here: the arch folder answers those itself.
 */
#ifndef HV_EXIT_H
#define HV_EXIT_H

#include <hv/dev.h>
#include <hv/status.h>
#include <hv/types.h>

struct hv_vcpu;

enum hv_exit_kind {
	HV_EXIT_MMIO,     /* a load or store that memory does not back */
	HV_EXIT_PIO,      /* x86 port I/O */
	HV_EXIT_CALL,     /* firmware or hypervisor call: PSCI, SBI, Drydock's own */
	HV_EXIT_MEM,      /* guest memory that is not mapped yet, or not for this access */
	HV_EXIT_WAIT,     /* WFI, WFE, HLT */
	HV_EXIT_SYSREG,   /* answered by the arch folder; here for the counters */
	HV_EXIT_HOST_IRQ, /* the host's business; nothing of the guest's */
	HV_EXIT_GUEST,    /* an exception that goes back to the guest */
	HV_EXIT_BAD,      /* nothing that core knows */
	HV_EXIT_KINDS,
};

struct hv_exit {
	enum hv_exit_kind kind;
	uint8_t insn_len; /* bytes to step over once handled; 0: the CPU already did */
	union {
		struct {
			uint64_t addr; /* PIO: the port */
			/* data, size, write are the exit's; the rest is for the bus to fill in. */
			struct hv_access access;
		} io;
		struct {
			uint64_t fn, arg[6], ret[4];
		} call;
		struct {
			gpa_t addr;
			uint8_t want; /* HV_PROT_* of the access */
		} mem;
	};
};

/*
 * Counts the exit, and handles MMIO, PIO, MEM and WAIT; any other kind is a crash of the VM.
 * HV_FAULT: nobody backs the address, or not for this access; the arch folder injects. A read comes
 * with data 0, and goes with data that is zero above its size. No lock held by the caller; runs on
 * the vCPU's own physical CPU.
 */
HV_WARN_UNUSED enum hv_verdict hv_exit_handle(struct hv_vcpu *vcpu, struct hv_exit *exit);

/*
 * The same of an MMIO exit alone, the most frequent one, without a record: `access` is as in struct
 * hv_exit.
 */
HV_WARN_UNUSED enum hv_verdict hv_exit_mmio(
	struct hv_vcpu *vcpu, uint64_t addr, struct hv_access *access);

/* The same of a PIO exit alone. */
HV_WARN_UNUSED enum hv_verdict hv_exit_pio(
	struct hv_vcpu *vcpu, uint64_t port, struct hv_access *access);

/* Short lower-case name of a kind, for people and for the statistics' JSON keys. */
const char *hv_exit_kind_name(enum hv_exit_kind kind);

#endif
