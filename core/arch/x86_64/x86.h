/* SPDX-License-Identifier: MIT */
/*
 * The door of the x86_64 guest architecture: what backends, the board and the sim fill in, call and
 * obey. What is AMD's own is in svm/svm.h. The virtual CPU is described in
 * docs/virtual-cpu-x86_64.md. Sources: AMD64 Architecture Programmer's Manual, volumes 2 and 3
 * ("APM2", "APM3"); Intel SDM, volume 3 ("SDM3").
 */
#ifndef X86_H
#define X86_H

#include <hv/pt.h>
#include <hv/status.h>
#include <hv/vm.h>

/* ---- nested tables, and a hypervisor's own ---- */

extern const struct hv_pt_fmt x86_npt_fmt; /* AMD SVM: the long-mode format, 4 levels */
extern const struct hv_pt_fmt x86_ept_fmt; /* Intel VMX, page-walk length 4 */
/* The long-mode format for supervisor code; nothing both writable and executable. */
extern const struct hv_pt_fmt x86_stage1_fmt;

struct lapic; /* dev/lapic/lapic.h, like: */
struct lapic_ops;

/* ---- the state of a vCPU ---- */

/* General registers as instructions number them. */
enum x86_gpr {
	X86_RAX,
	X86_RCX,
	X86_RDX,
	X86_RBX,
	X86_RSP,
	X86_RBP,
	X86_RSI,
	X86_RDI,
	X86_R8,
	X86_R9,
	X86_R10,
	X86_R11,
	X86_R12,
	X86_R13,
	X86_R14,
	X86_R15,
	X86_GPRS,
};

/* Segments as instructions number them, then the tables; so they stand in struct x86_sys. */
enum x86_seg_id {
	X86_ES,
	X86_CS,
	X86_SS,
	X86_DS,
	X86_FS,
	X86_GS,
	X86_GDTR,
	X86_LDTR,
	X86_IDTR,
	X86_TR,
	X86_SEGS,
};

/* Bits 0-7: descriptor bits 40-47; bits 8-11: descriptor bits 52-55 (AVL, L, D/B, G). */
#define X86_SEG_TYPE 0x00f
#define X86_SEG_S    0x010
#define X86_SEG_DPL  0x060
#define X86_SEG_P    0x080
#define X86_SEG_AVL  0x100
#define X86_SEG_L    0x200
#define X86_SEG_D    0x400
#define X86_SEG_G    0x800

struct x86_seg {
	uint16_t selector, attrib;
	uint32_t limit; /* in bytes */
	uint64_t base;
};

/*
 * The guest's system state, laid out as the VMCB's state save area (APM2 table B-2), so that under
 * SVM it is the CPU's own record and nothing is copied. rax is the backend's: core reads and writes
 * general registers in struct x86_regs alone.
 */
struct x86_sys {
	struct x86_seg seg[X86_SEGS];
	uint8_t reserved_0a0[0x2b];
	uint8_t cpl;
	uint8_t reserved_0cc[4];
	uint64_t efer;
	uint8_t reserved_0d8[0x70];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_180[0x58];
	uint64_t rsp; /* the backend's, like rax */
	uint8_t reserved_1e0[0x18];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_248[0x20];
	uint64_t pat, debugctl, br_from, br_to, excp_from, excp_to;
	uint8_t reserved_298[0x968];
};

_Static_assert(offsetof(struct x86_sys, cpl) == 0xcb, "B-2");
_Static_assert(offsetof(struct x86_sys, efer) == 0xd0, "B-2");
_Static_assert(offsetof(struct x86_sys, cr4) == 0x148, "B-2");
_Static_assert(offsetof(struct x86_sys, rip) == 0x178, "B-2");
_Static_assert(offsetof(struct x86_sys, rsp) == 0x1d8, "B-2");
_Static_assert(offsetof(struct x86_sys, rax) == 0x1f8, "B-2");
_Static_assert(offsetof(struct x86_sys, star) == 0x200, "B-2");
_Static_assert(offsetof(struct x86_sys, cr2) == 0x240, "B-2");
_Static_assert(offsetof(struct x86_sys, pat) == 0x268, "B-2");
_Static_assert(offsetof(struct x86_sys, excp_to) == 0x290, "B-2");

/* General registers; a backend's assembly knows these offsets. */
struct x86_regs {
	uint64_t r[X86_GPRS]; /* enum x86_gpr */
	uint64_t host;        /* the backend's own */
};

/* Vectors of exceptions (APM2 8.2). */
enum x86_vector {
	X86_DE = 0,
	X86_DB = 1,
	X86_NMI = 2,
	X86_BP = 3,
	X86_OF = 4,
	X86_BR = 5,
	X86_UD = 6,
	X86_NM = 7,
	X86_DF = 8,
	X86_TS = 10,
	X86_NP = 11,
	X86_SS_FAULT = 12,
	X86_GP = 13,
	X86_PF = 14,
	X86_MF = 16,
	X86_AC = 17,
	X86_MC = 18,
	X86_XF = 19,
};

/* What is delivered at the next entry; the numbers are EVENTINJ's (APM2 15.20). */
enum x86_event_type {
	X86_EVENT_INTR = 0,
	X86_EVENT_NMI = 2,
	X86_EVENT_EXCEPTION = 3,
	X86_EVENT_SOFT = 4, /* INT n */
};
struct x86_event {
	bool valid;
	uint8_t type; /* enum x86_event_type */
	uint8_t vector;
	bool has_error;
	uint32_t error;
};

/* The host's CPUs, as the backend found them. */
struct x86_caps {
	uint8_t pa_bits; /* MAXPHYADDR */
	bool has_1g;     /* 1 GiB pages */
	bool has_npt;    /* nested paging */
	bool has_flush_by_asid;
	uint32_t asids; /* how many there are, the host's 0 among them */
	uint64_t tsc_hz;
};

/*
 * How a vCPU's life begins. After INIT it is REAL at SIPI's vector; what a loader asks for is of
 * the first vCPU's first life.
 */
enum x86_start {
	X86_START_REAL, /* 16-bit segments; below 1 MiB CS begins at rip */
	X86_START_PROT, /* flat 32-bit segments, paging off */
	X86_START_LONG, /* flat 64-bit code segment, paging by cr3 */
};
struct x86_boot {
	enum x86_start start;
	uint64_t rip;
	uint64_t cr3; /* X86_START_LONG */
	uint64_t gdt; /* GPA of the table whose segments 0x10 (code), 0x18 (data) are loaded */
	uint16_t gdt_limit;
	uint64_t rax, rbx, rsi; /* the protocol's own; all others are 0 */
};

/*
 * Where the guest's code was found last: how its tables led there, so that the same page need not
 * be walked to again while they say the same.
 */
#define X86_CODE_LEVELS 4u
struct x86_code {
	uint64_t page; /* linear; not canonical: none */
	uint64_t cr3;
	const uint8_t *host;
	const _Atomic uint64_t *entry[X86_CODE_LEVELS];
	uint64_t was[X86_CODE_LEVELS];
};

/* MTRRs: eight variable ranges. */
#define X86_MTRR_FIXED    11u
#define X86_MTRR_VARIABLE 16u

struct x86_vcpu {
	struct hv_vcpu hv;    /* first */
	struct x86_regs regs; /* the backend saves on exit and restores on entry */
	struct x86_sys *sys;  /* valid from an exit to the next entry */
	void *vendor;         /* struct svm_vmcb, or VMX's record */
	struct lapic *lapic;
	const struct x86_caps *caps; /* of the CPU it runs on */
	struct x86_event event;      /* to be delivered by the next entry */
	struct x86_event held;       /* an interrupt whose delivery met an exception: after that */
	bool fresh;                  /* after INIT: forget what was under way */
	uint8_t nmi_pending; /* how many: the first is taken as the second comes, so two at most */
	bool nmi_blocked;
	bool nmi_step, nmi_step_tf; /* a single step to where an NMI may come; TF was the guest's */
	bool halted;                /* by HLT, until an interrupt is taken */
	bool wait_sipi;             /* after INIT */
	_Atomic uint32_t signals; /* enum x86_signal, from other CPUs; SIPI's vector in bits 15:8 */
	uint64_t tsc_offset;      /* guest's TSC = the CPU's + tsc_offset */
	uint64_t tsc_adjust;
	uint32_t tsc_aux; /* the backend loads it when the vCPU comes to a CPU */
	/* MSRs that only have to be remembered */
	uint64_t misc_enable, mtrr_def, mtrr_fixed[X86_MTRR_FIXED], mtrr[X86_MTRR_VARIABLE];
	struct x86_boot boot; /* vCPU 0 */
	struct x86_code code;
};

enum x86_signal {
	X86_SIGNAL_INIT = 1,
	X86_SIGNAL_SIPI = 2,
	X86_SIGNAL_NMI = 4,
	X86_SIGNAL_NMI_AGAIN = 8, /* in `signals` only */
};

/*
 * Reset leaves sys (the pointer), vendor, lapic, caps, boot and tsc_offset as they are. vCPU 0
 * begins as x86_boot_set() says, any other in real mode at pc. What core does not keep (x87, SSE,
 * XCR0, DR0 to DR3) is the backend's to clear. Firmware's calls and the ACPI tables know vCPU n by
 * its APIC id, which is n.
 */
extern const struct hv_arch x86_arch;

/* Before the VM starts: how vCPU 0's life begins, whatever hv_vm_start() is told then. */
void x86_boot_set(struct x86_vcpu *vcpu, const struct x86_boot *boot);

/* ---- interrupts and time ---- */

/*
 * From other CPUs' local APICs, any thread: INIT, SIPI, NMI. Takes HV_LOCK_VCPU.
 */
void x86_signal_send(struct x86_vcpu *vcpu, enum x86_signal signal, uint8_t vector);
/* How local APICs tell their CPUs; a CPU's ctx is its struct x86_vcpu. */
extern const struct lapic_ops x86_lapic_ops;
/* The local APIC's timer at `now` (ns). Returns when it must be asked again (ns), or HV_NEVER_DUE.
 */
uint64_t x86_timer_update(struct x86_vcpu *vcpu, uint64_t now);

/* Why the VM crashed and its vCPU's registers, line by line. */
void x86_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx);

/* ---- the host's CPU ---- */

/* NULL when this core can run its guests on such a CPU; else what is missing. */
const char *x86_caps_missing(const struct x86_caps *caps);
void x86_vcpu_caps_set(struct x86_vcpu *vcpu, const struct x86_caps *caps);

/* ---- what core asks of the port for x86 guests only; the vCPU runs on this CPU ---- */

uint64_t port_x86_tsc(void);
/* CPUID as the host's CPU says it now: leaf 0xd follows the guest's XCR0, which is in the CPU. */
struct x86_cpuid {
	uint32_t eax, ebx, ecx, edx;
};
struct x86_cpuid port_x86_cpuid(uint32_t leaf, uint32_t subleaf);
/* The guest's TSC_AUX, which RDTSCP reads without an exit. */
void port_x86_tsc_aux_set(uint32_t value);

#endif
