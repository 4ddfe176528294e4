/* SPDX-License-Identifier: MIT */
/*
 * The door of the riscv64 guest architecture: what a backend that runs virtual harts fills in,
 * calls and obeys. The virtual hart is described in docs/virtual-hart-riscv64.md. Sources: RISC-V
 * Privileged Architecture 20211203 ("priv"), RISC-V SBI 2.0 ("SBI").
 */
#ifndef RV64_H
#define RV64_H

#include <hv/load.h>
#include <hv/status.h>
#include <hv/vm.h>

/* General registers; a backend's assembly knows these offsets. x[0] is 0 and stays so. */
struct rv64_regs {
	uint64_t x[32];
	uint64_t pc;
	uint64_t host; /* the backend's own, e.g. its stack pointer while the guest runs */
};

/*
 * The guest's supervisor CSRs, which live in the CPU while the vCPU runs there. Core brings them
 * here by rv64_vs_get() when it must look, and says with vs_dirty that it changed one.
 */
struct rv64_vs {
	uint64_t vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp;
	uint64_t scounteren, senvcfg; /* not banked: the guest's own while it runs */
	bool user;                    /* regs.pc is in VU-mode: sstatus.SPP is 0 */
};

/* The raw trap record, exactly as the CPU left it. */
struct rv64_trap {
	uint64_t scause, stval, htval, htinst;
};

/* Virtual interrupts, as hvip and vsip's machine-level view number them (priv 8.2.3). */
#define RV64_VSSI 2u
#define RV64_VSTI 6u
#define RV64_VSEI 10u

/* Extensions that a virtual hart may have: letters are their own bits 0..25. */
enum rv64_ext {
	RV64_EXT_ZICSR = 26,
	RV64_EXT_ZIFENCEI,
	RV64_EXT_ZICNTR,
	RV64_EXT_ZIHINTPAUSE,
	RV64_EXT_ZICBOM,
	RV64_EXT_ZICBOP,
	RV64_EXT_ZICBOZ,
	RV64_EXT_ZICOND,
	RV64_EXT_ZAWRS,
	RV64_EXT_ZFA,
	RV64_EXT_ZFH,
	RV64_EXT_ZFHMIN,
	RV64_EXT_ZBA,
	RV64_EXT_ZBB,
	RV64_EXT_ZBC,
	RV64_EXT_ZBS,
	RV64_EXT_ZBKB,
	RV64_EXT_ZBKC,
	RV64_EXT_ZBKX,
	RV64_EXT_ZKND,
	RV64_EXT_ZKNE,
	RV64_EXT_ZKNH,
	RV64_EXT_ZKSED,
	RV64_EXT_ZKSH,
	RV64_EXT_ZKT,
	RV64_EXT_SSTC,
	RV64_EXT_SVINVAL,
	RV64_EXT_SVNAPOT,
	RV64_EXT_SVPBMT,
	RV64_EXTS,
};

/* The host's harts, as the backend found them. */
struct rv64_caps {
	uint64_t exts;         /* bit n: letter n, or enum rv64_ext; H says that guests can run */
	uint8_t gstage_levels; /* most levels of hgatp: 3 (Sv39x4), 4, 5; 0: none */
	uint8_t satp_levels;   /* most levels of vsatp */
	uint8_t vmid_bits;
	uint8_t pa_bits;
	bool time;         /* the guest can read `time` without a trap */
	uint32_t timebase; /* Hz */
};

struct rv64_vcpu {
	struct hv_vcpu hv;      /* first */
	struct rv64_regs regs;  /* the backend saves on exit and restores on entry */
	struct rv64_vs vs;      /* valid while vs_here */
	bool vs_here;           /* vs holds the current values; cleared by the backend at entry */
	bool vs_dirty;          /* the backend must write vs back before entry */
	bool sstc;              /* the timer is vstimecmp in the CPU; else it is timer_due */
	_Atomic bool suspended; /* by SBI HSM or SUSP, until the next rv64_entry_prepare() */
	uint64_t hart_id;       /* the board says it, before the VM starts */
	uint64_t htimedelta;    /* guest's time = time + htimedelta; the same in all of a VM */
	uint64_t timer_due;     /* guest's time at which VSTI rises; UINT64_MAX: never */
	_Atomic uint64_t lines; /* VSEI, VSTI: levels; VSSI: to be set once. By entry.c alone. */
	struct rv64_caps caps;  /* of the CPU it runs on, by rv64_vcpu_caps_set() */
};

/*
 * Reset leaves hart_id, htimedelta and caps as they are, and VSEI's level, which is the interrupt
 * controller's. Floating point, vectors, vstimecmp and what else core does not keep are the
 * backend's to clear.
 */
extern const struct hv_arch rv64_arch;

/*
 * Handles one exception from the guest that was taken to HS-mode: decode, emulate or inject, step
 * the PC. Never HV_FAULT. Interrupts are the backend's. The vCPU is RUNNING on this hart; no lock
 * held. regs.pc is sepc.
 */
HV_WARN_UNUSED enum hv_verdict rv64_trap_handle(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap);
/*
 * The same for one cause, for a backend that tells the frequent ones apart itself: an ecall from
 * VS-mode (10).
 */
HV_WARN_UNUSED enum hv_verdict rv64_trap_ecall(struct rv64_vcpu *vcpu);
/*
 * The same for the most frequent load and store guest-page faults (21, 23): plain accesses to
 * devices. vs does not come here. Of registers in `absent` (bit n: x<n>) regs says nothing, as the
 * backend has not saved them. Unless it is done nothing has changed, and rv64_trap_handle() does
 * it with all registers there.
 */
enum rv64_device {
	RV64_DEVICE_DONE,
	RV64_DEVICE_OTHER, /* it is none of these, or its instruction cannot be fetched */
	RV64_DEVICE_NONE,  /* nobody answered */
};
HV_WARN_UNUSED enum rv64_device rv64_trap_device(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t absent);

/*
 * Takes an exception to the guest's VS-mode (priv 8.6.1): for core's own injections, and for a
 * backend whose CPU leaves delegated exceptions and interrupts to it. `cause` is vscause: of an
 * interrupt with bit 63 and the supervisor's number. regs.pc goes to vsepc.
 */
void rv64_exception_take(struct rv64_vcpu *vcpu, uint64_t cause, uint64_t tval);

/* Makes vcpu->vs current and returns it; who changes it sets vs_dirty. */
struct rv64_vs *rv64_vs_get(struct rv64_vcpu *vcpu);

/*
 * The guest's own translation of va by vsatp, as its tables are now. Of vs, vsatp, vsstatus and
 * user count. cause 0: *gpa is the answer; else it is the exception that such an access takes (12,
 * 13, 15: page fault; 1, 5, 7: its tables are no memory).
 */
enum rv64_access { RV64_FETCH, RV64_LOAD, RV64_STORE };
struct rv64_walk {
	uint64_t cause;
	gpa_t gpa;
	uint8_t shift; /* log2 of the bytes that the leaf spans */
};
struct rv64_walk rv64_walk(
	const struct rv64_vs *vs, const struct hv_gmem *gmem, uint64_t va, enum rv64_access access);
/*
 * The instruction at va, 16 or 32 bits of it, through the guest's own translation. False: it cannot
 * be fetched. For a backend without HLVX.
 */
HV_WARN_UNUSED bool rv64_insn_peek(
	const struct rv64_vs *vs, const struct hv_gmem *gmem, uint64_t va, uint32_t *insn);

/* Why the VM crashed and its vCPU's registers, line by line; where it ran last, before it runs. */
void rv64_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx);
/* The specification's words for scause, for dumps; never NULL. */
const char *rv64_cause_name(uint64_t scause);

/* ---- interrupts and time ---- */

/* The level of RV64_VSEI (the board's interrupt controller) or RV64_VSTI. Any thread; takes
 * HV_LOCK_VCPU. */
void rv64_line_set(struct rv64_vcpu *vcpu, uint32_t line, bool level);
/* Sets vsip.SSIP once; the guest clears it. Any thread; takes HV_LOCK_VCPU. */
void rv64_ipi_send(struct rv64_vcpu *vcpu);

/*
 * What to write to hvip, first clear and then set, as VSSIP may stand in both; other bits stay as
 * they are, above all VSSIP, which is also the guest's.
 */
struct rv64_hvip {
	uint64_t set, clear;
};
/*
 * Before an entry, when vcpu->hv.todo has HV_TODO_IRQ, which it consumes. Whatever ends a wait
 * (also a backend that finds an interrupt pending in the CPU) sets HV_TODO_IRQ.
 */
struct rv64_hvip rv64_entry_prepare(struct rv64_vcpu *vcpu);

/*
 * Without Sstc: VSTI follows timer_due at host's `time`. Returns the host's time at which it must
 * be asked again, HV_NEVER_DUE for never. With Sstc always that.
 */
uint64_t rv64_timer_update(struct rv64_vcpu *vcpu, uint64_t time);

/* ---- what decides what traps, the same on every backend ---- */

struct rv64_hcsrs {
	uint64_t hstatus; /* SPV set; SPVP is as vs.user says */
	uint64_t hedeleg, hideleg, hcounteren, henvcfg, htimedelta;
};
struct rv64_hcsrs rv64_hcsrs(const struct rv64_vcpu *vcpu);
uint64_t rv64_hgatp(const struct hv_pt *pt);

/* G-stage: Sv39x4 (41 address bits), Sv48x4 (50) or Sv57x4 (59); hv_pt.levels says which. */
extern const struct hv_pt_fmt rv64_gstage_fmt;
/* A hypervisor's own translation, Sv39 to Sv57: the same descriptors, none of them for user mode,
 * and nothing both writable and executable. */
extern const struct hv_pt_fmt rv64_stage1_fmt;

/* ---- the host's CPU ---- */

/* What an ISA string says, of what core knows. Never reads beyond size; stops at a NUL. */
uint64_t rv64_isa_parse(const char *isa, size_t size);
/* What a virtual hart has of such a host: never H, and nothing that core does not know. */
uint64_t rv64_guest_exts(const struct rv64_caps *caps);
/* The canonical ISA string with its NUL; its length without. RV64_ISA_MAX always has room. */
#define RV64_ISA_MAX 256u
size_t rv64_isa_write(uint64_t exts, char isa[RV64_ISA_MAX]);
/* NULL when this core can run its guests on such a CPU; else what is missing. */
const char *rv64_caps_missing(const struct rv64_caps *caps);
/* Before it starts: what the vCPU has of its CPU. */
void rv64_vcpu_caps_set(struct rv64_vcpu *vcpu, const struct rv64_caps *caps);

/*
 * Before the guest starts: makes what its device tree says of harts true of its vCPUs, in place.
 * riscv,isa, riscv,isa-extensions and mmu-type lose what the vCPU has not, and gain nothing;
 * timebase-frequency becomes the CPU's. The tree is in the guest's memory and need not be ours.
 * HV_ERR_INVALID with *error: it is no device tree, and nothing has changed.
 */
HV_WARN_UNUSED enum hv_status rv64_dtb_narrow(
	void *tree, uint64_t size, const struct rv64_caps *caps, struct hv_load_error *error);

/* ---- what core asks of the port for RV64 guests only; the vCPU runs on this hart ---- */

void port_rv64_vs_load(struct rv64_vs *vs);
uint64_t port_rv64_time(void); /* the host's `time` */
/* hip & hie, the bits of VSSI, VSTI and VSEI: what would end the guest's WFI. */
uint64_t port_rv64_pending(void);
/* With Sstc: vstimecmp, in guest's time. */
void port_rv64_timer_set(uint64_t when);
/* HLVX at regs.pc. False: it cannot be fetched now. */
HV_WARN_UNUSED bool port_rv64_insn_fetch(uint64_t va, uint32_t *insn);

/* A fence that the guest asks for on some of its harts; complete when the call returns. */
enum rv64_fence_op { RV64_FENCE_I, RV64_FENCE_VMA, RV64_FENCE_VMA_ASID };
struct rv64_fence {
	enum rv64_fence_op op;
	uint32_t vcpus;       /* bit n: the VM's vCPU n; only such as exist */
	uint64_t start, size; /* whole pages, at most 64; size UINT64_MAX: everything */
	uint64_t asid;        /* 16 bits */
};
void port_rv64_fence(const struct hv_vm *vm, const struct rv64_fence *fence);

#endif
