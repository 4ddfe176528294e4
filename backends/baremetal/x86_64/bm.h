/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the image share: the records of a physical CPU, and the assembly's doors. While
 * C runs, GS's base is the CPU's record; host interrupts are held back by GIF or IF, and let in
 * only where irq.h says so.
 */
#ifndef BM_H
#define BM_H

#include "asm.h"
#include "insn.h"

#include <arch/x86_64/svm/svm.h>
#include <common/machine.h>

#define BM_CPUS 8u /* physical CPUs that we use, at most */

/* Our own fault: what vectors.S pushed on the CPU's fault stack, the CPU's own frame at the end. */
struct bm_fault {
	uint64_t r[X86_GPRS]; /* without rsp, which is below */
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* APM2 12.2.5; aligned so that the fields, which are not, come in pairs. */
struct tss {
	uint32_t reserved, rsp[6], reserved1[2], ist[14], reserved2[2];
	uint16_t reserved3, iopb;
};

#define GDT_ENTRIES 5u /* null, code, data, and the TSS, which takes two */

struct bm_cpu {
	struct bm_cpu *self; /* first: GS's base is the record's address */
	uint16_t index;
	uint32_t apic_id;
	uint64_t fault_depth;    /* how many of our own faults are being dumped */
	enum hv_verdict verdict; /* why guest_run() returned */
	/* What runs here, or NULL. Others read it, to see whether it may have translations. */
	struct x86_vcpu *_Atomic vcpu;
	_Atomic bool flush; /* somebody waits until this CPU will use no translation of before */
	bool flush_due;     /* the next VMRUN must forget them */
	uint64_t timed;     /* bit n: region n of its VM's bus has deadlines */
	uint64_t timed_pio; /* the same of its ports */
	uint64_t deadline;  /* our timer as last set, in TSC ticks; HV_NEVER_DUE: off */
	struct machine_times times;
	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
};

/* The guard pages are left out of our translation, so that an overflow faults. */
struct bm_cpu_slot {
	uint8_t guard[4096];
	uint8_t stack[BM_STACK_SIZE];
	uint8_t fault_guard[4096];
	uint8_t fault_stack[BM_FAULT_STACK_SIZE];
	uint8_t host_save[4096];    /* the CPU's own, between VMRUN and #VMEXIT */
	struct svm_vmcb host_vmcb;  /* for VMLOAD: what is ours */
	struct svm_vmcb guest_vmcb; /* of vCPU n, which runs on CPU n */
	struct bm_cpu cpu __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

extern struct bm_cpu_slot cpu_slots[BM_CPUS];

static inline struct bm_cpu *bm_this_cpu(void)
{
	struct bm_cpu *cpu;

	/* Not volatile: a CPU keeps its record for life, so the compiler may keep the pointer. */
	__asm__("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static inline struct bm_cpu *bm_cpu(uint16_t index)
{
	return &cpu_slots[index].cpu;
}

/* boot.S */
void boot_secondary(void);                           /* where the trampoline goes */
extern const uint8_t trampoline[], trampoline_end[]; /* copied below 1 MiB */
extern const uint8_t trampoline_cr3[];               /* in it: for whoever makes the copy */
extern struct bm_cpu *_Atomic boot_cpu;              /* of the CPU that starts; it sets NULL */

/*
 * start.c, called by boot.S: BOOT_PVH or BOOT_MULTIBOOT, and the loader's information. Runs once:
 * it, and all that only it calls, is made small, not fast.
 */
HV_COLD _Noreturn void bm_boot(uint32_t way, uint32_t info);
/* The same on a CPU that machine_start_cpus() started. */
_Noreturn void bm_secondary(struct bm_cpu *cpu);

/*
 * guest.S: runs a guest. Whatever made it leave, exit() is told; when that says HV_RESUME and the
 * vCPU's todo is 0 it goes on, else settle() decides. context_enable() was called, and host_vmcb is
 * what VMSAVE left.
 */
void guest_run(struct x86_vcpu *vcpu, struct svm_vmcb *vmcb, struct svm_vmcb *host_vmcb,
	enum hv_verdict (*exit)(struct x86_vcpu *vcpu));
/* run.c: whether to enter; else the CPU's record has the verdict. */
bool settle(struct x86_vcpu *vcpu, enum hv_verdict verdict);

/* port_bm.c: whoever waits for this CPU's promise to flush has it. Cheap. */
void flush_serve(struct bm_cpu *cpu);

/* fault.c, called by vectors.S. */
_Noreturn void bm_fault(const struct bm_fault *fault);

#endif
