/* SPDX-License-Identifier: MIT */
/*
 * AMD's SVM: the VMCB, and from a #VMEXIT to a verdict. Source: AMD64 Architecture Programmer's
 * Manual, volume 2 (24593 rev. 3.40, "APM2"), chapter 15 and appendices B and C.
 *
 * What a backend does:
 *
 *	loop:	todo has HV_TODO_LEAVE: leave
 *		todo has HV_TODO_IRQ: svm_entry_prepare(); HV_BLOCK: leave so
 *		rax, rsp to the VMCB; CLGI, VMLOAD guest, VMRUN, VMSAVE guest, VMLOAD host, STGI
 *		rax, rsp from the VMCB
 *		svm_exit_handle(), and obey the verdict
 */
#ifndef SVM_H
#define SVM_H

#include <arch/x86_64/x86.h>

/* ---- the VMCB (APM2 tables B-1, B-2) ---- */

struct svm_control {
	uint16_t intercept_cr_read, intercept_cr_write;
	uint16_t intercept_dr_read, intercept_dr_write;
	uint32_t intercept_exceptions;
	uint32_t intercept[3]; /* enum svm_intercept */
	uint8_t reserved_018[0x24];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm, msrpm; /* host-physical */
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control; /* enum svm_tlb; 0 again after each exit */
	uint8_t reserved_05d[3];
	uint64_t vintr;  /* SVM_VINTR_* */
	uint64_t shadow; /* bit 0: the next instruction is behind STI or MOV SS */
	uint64_t exit_code, exit_info1, exit_info2;
	uint64_t exit_int_info; /* SVM_EVENT_*: what was being delivered */
	uint64_t nested;        /* SVM_NESTED_* */
	uint8_t reserved_098[0x10];
	uint64_t event_inject; /* SVM_EVENT_*: what the next VMRUN delivers */
	uint64_t nested_cr3;
	uint64_t virt_ext;
	uint32_t clean; /* 0: the CPU keeps nothing of an earlier VMRUN */
	uint32_t reserved_0c4;
	uint64_t next_rip;
	uint8_t fetched;
	uint8_t bytes[15];
	uint8_t reserved_0e0[0x320];
};

struct svm_vmcb {
	struct svm_control control;
	struct x86_sys save;
};

_Static_assert(offsetof(struct svm_control, iopm) == 0x40, "B-1");
_Static_assert(offsetof(struct svm_control, asid) == 0x58, "B-1");
_Static_assert(offsetof(struct svm_control, exit_code) == 0x70, "B-1");
_Static_assert(offsetof(struct svm_control, event_inject) == 0xa8, "B-1");
_Static_assert(offsetof(struct svm_control, clean) == 0xc0, "B-1");
_Static_assert(offsetof(struct svm_control, bytes) == 0xd1, "B-1");
_Static_assert(offsetof(struct svm_vmcb, save) == 0x400, "B-2");
_Static_assert(sizeof(struct svm_vmcb) == HV_PAGE_SIZE, "a page");

/* Intercepts by their number in `intercept`: word n / 32, bit n % 32. */
enum svm_intercept {
	SVM_INTERCEPT_INTR,
	SVM_INTERCEPT_NMI,
	SVM_INTERCEPT_SMI,
	SVM_INTERCEPT_INIT,
	SVM_INTERCEPT_VINTR,
	SVM_INTERCEPT_CR0_SELECTIVE, /* changes of more than TS and MP */
	SVM_INTERCEPT_RDTSC = 14,
	SVM_INTERCEPT_RDPMC,
	SVM_INTERCEPT_CPUID = 18,
	SVM_INTERCEPT_RSM,
	SVM_INTERCEPT_IRET,
	SVM_INTERCEPT_INT,
	SVM_INTERCEPT_INVD,
	SVM_INTERCEPT_PAUSE,
	SVM_INTERCEPT_HLT,
	SVM_INTERCEPT_INVLPG,
	SVM_INTERCEPT_INVLPGA,
	SVM_INTERCEPT_IOIO,
	SVM_INTERCEPT_MSR,
	SVM_INTERCEPT_TASK_SWITCH,
	SVM_INTERCEPT_FERR,
	SVM_INTERCEPT_SHUTDOWN,
	SVM_INTERCEPT_VMRUN,
	SVM_INTERCEPT_VMMCALL,
	SVM_INTERCEPT_VMLOAD,
	SVM_INTERCEPT_VMSAVE,
	SVM_INTERCEPT_STGI,
	SVM_INTERCEPT_CLGI,
	SVM_INTERCEPT_SKINIT,
	SVM_INTERCEPT_RDTSCP,
	SVM_INTERCEPT_ICEBP,
	SVM_INTERCEPT_WBINVD,
	SVM_INTERCEPT_MONITOR,
	SVM_INTERCEPT_MWAIT,
	SVM_INTERCEPT_MWAIT_ARMED,
	SVM_INTERCEPT_XSETBV,
	SVM_INTERCEPT_RDPRU,
	SVM_INTERCEPT_INVLPGB = 64,
	SVM_INTERCEPT_INVLPGB_ILLEGAL,
	SVM_INTERCEPT_INVPCID,
	SVM_INTERCEPT_MCOMMIT,
	SVM_INTERCEPT_TLBSYNC,
};

enum svm_tlb { SVM_TLB_KEEP = 0, SVM_TLB_FLUSH_ALL = 1, SVM_TLB_FLUSH_GUEST = 3 };

#define SVM_VINTR_TPR        0xffu
#define SVM_VINTR_IRQ        ((uint64_t)1 << 8)
#define SVM_VINTR_PRIO_SHIFT 16u
#define SVM_VINTR_IGNORE_TPR ((uint64_t)1 << 20)
#define SVM_VINTR_MASKING    ((uint64_t)1 << 24) /* guest's IF does not mask the host's INTR */
#define SVM_NESTED_PAGING    ((uint64_t)1 << 0)
#define SVM_SHADOW           ((uint64_t)1 << 0)

/* EVENTINJ and EXITINTINFO (APM2 15.20): vector 7:0, enum x86_event_type 10:8. */
#define SVM_EVENT_TYPE_SHIFT  8u
#define SVM_EVENT_HAS_ERROR   ((uint64_t)1 << 11)
#define SVM_EVENT_VALID       ((uint64_t)1 << 31)
#define SVM_EVENT_ERROR_SHIFT 32u

/* Why the guest was left (APM2 appendix C). Of an intercept: SVM_EXIT(CPUID), its name in the enum.
 */
#define SVM_EXIT_INTERCEPT 0x060u
#define SVM_EXIT(name)     (SVM_EXIT_INTERCEPT + (unsigned)SVM_INTERCEPT_##name)
enum svm_exit {
	SVM_EXIT_CR_READ = 0x000,   /* and n: CRn */
	SVM_EXIT_CR_WRITE = 0x010,  /* and n */
	SVM_EXIT_DR_READ = 0x020,   /* and n */
	SVM_EXIT_DR_WRITE = 0x030,  /* and n */
	SVM_EXIT_EXCEPTION = 0x040, /* and its vector */
	SVM_EXIT_NPF = 0x400,
};
/* VMRUN refused the VMCB: -1, in 64 or in 32 bits (QEMU up to 7.2); -2: its state is busy. */
#define SVM_EXIT_INVALID   UINT64_MAX
#define SVM_EXIT_INVALID32 ((uint64_t)UINT32_MAX)
#define SVM_EXIT_BUSY      (UINT64_MAX - 1)

/* Of a port: EXITINFO1 (APM2 15.10.2); EXITINFO2 is the next RIP. */
#define SVM_IO_IN         ((uint64_t)1 << 0)
#define SVM_IO_STRING     ((uint64_t)1 << 2)
#define SVM_IO_SIZE_SHIFT 4u /* 3 bits, one set: 1, 2 or 4 bytes */
#define SVM_IO_PORT_SHIFT 16u

/* Of a nested page fault: EXITINFO1 (APM2 15.25.6); EXITINFO2 is the address. */
#define SVM_NPF_PRESENT  ((uint64_t)1 << 0)
#define SVM_NPF_WRITE    ((uint64_t)1 << 1)
#define SVM_NPF_RESERVED ((uint64_t)1 << 3)
#define SVM_NPF_FETCH    ((uint64_t)1 << 4)
#define SVM_NPF_FINAL    ((uint64_t)1 << 32) /* of the guest's access itself */
#define SVM_NPF_WALK     ((uint64_t)1 << 33) /* as the guest's tables were read */

/* ---- making one ---- */

/* Permission maps: bit n of the first is port n, set: exits; all of them do. */
#define SVM_IOPM_SIZE  0x3000u /* page-aligned, like the other */
#define SVM_MSRPM_SIZE 0x2000u
/* Both maps are the same for all vCPUs of all VMs. */
void svm_maps_init(uint8_t iopm[SVM_IOPM_SIZE], uint8_t msrpm[SVM_MSRPM_SIZE]);

struct svm_cfg {
	uint64_t iopm, msrpm; /* host-physical */
	uint32_t asid;        /* not 0 */
};
/*
 * Makes `vmcb` (a page, zeroed or not) this vCPU's, before its VM starts: vcpu->vendor and
 * vcpu->sys point into it. Its VM's nested tables and its caps are there by now. Registers come
 * with x86_arch's reset.
 */
void svm_vmcb_init(struct x86_vcpu *vcpu, struct svm_vmcb *vmcb, const struct svm_cfg *cfg);

/* ---- running ---- */

static inline struct svm_vmcb *svm_vmcb(const struct x86_vcpu *vcpu)
{
	return vcpu->vendor;
}

/*
 * Handles one #VMEXIT; the host's own reasons (INTR, NMI, SMI) too, of which nothing is left to do
 * but what the host does when it takes them. Never HV_FAULT. The vCPU is RUNNING on this CPU; no
 * lock held.
 */
HV_WARN_UNUSED enum hv_verdict svm_exit_handle(struct x86_vcpu *vcpu);
/*
 * Before an entry, when vcpu->hv.todo has HV_TODO_IRQ, which it consumes: what the next VMRUN
 * delivers, and when it is to come back for more. HV_RESUME: enter. HV_BLOCK: it is halted or waits
 * for a SIPI; leave with that.
 */
HV_WARN_UNUSED enum hv_verdict svm_entry_prepare(struct x86_vcpu *vcpu);
/* The next VMRUN forgets the translations of this guest. Between an exit's handling and VMRUN. */
void svm_tlb_flush(struct x86_vcpu *vcpu);

#endif
