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

/* What the GIC was told last about a timer's line. */
enum a64_line { A64_LINE_UNKNOWN, A64_LINE_LOW, A64_LINE_HIGH };

/* One timer of the vCPU: CNTx_CTL, CNTx_CVAL in counter ticks. */
struct a64_timer {
	uint64_t ctl, cval;
	enum a64_line line; /* kept by a64_timers_update() */
};

struct a64_vcpu {
	struct hv_vcpu hv;    /* first */
	struct a64_regs regs; /* the backend saves on exit and restores on entry */
	struct a64_el1 el1;   /* valid while el1_here */
	bool el1_here;        /* el1 holds the current values; cleared by the backend at entry */
	bool el1_dirty;       /* the backend must write el1 back before entry */
	bool os_lock;         /* what OSLSR_EL1 says; the CPU's own is always open */
	struct a64_timer vtimer, ptimer;
	uint64_t cntvoff; /* virtual count = physical count - cntvoff; the same in all of a VM */
	struct gicv3_cpu gic;
	/*
	 * HCR_EL2 for this vCPU: a64_hcr(), a pending SError (VSE), and VI and VF where the GIC's
	 * CPU interface is in software (a64_lines_update()). The CPU clears VSE when the
	 * guest takes it, so the backend reads the register back after an exit.
	 */
	uint64_t hcr;
	/* Of the CPU it runs on, by a64_vcpu_caps_set(); 0: ARMv8.0, and as little as can be. */
	uint64_t pstate_bits, debug_fields;
};

/*
 * Reset leaves cntvoff, pstate_bits and debug_fields as they are (zero unless somebody set them),
 * and the SIMD&FP and debug registers, which are the backend's to clear.
 */
extern const struct hv_arch a64_arch;

/*
 * Handles one synchronous exception from the guest that was taken to EL2: decode, emulate or
 * inject, step the PC. Never HV_FAULT. The vCPU is RUNNING on this physical CPU; no lock held.
 */
HV_WARN_UNUSED enum hv_verdict a64_trap_handle(struct a64_vcpu *vcpu, const struct a64_trap *trap);
/*
 * The same for one class, for a backend that tells the frequent ones apart itself: HVC from AArch64
 * (0x16), system registers (0x18).
 */
HV_WARN_UNUSED enum hv_verdict a64_trap_hvc(struct a64_vcpu *vcpu, uint64_t esr);
HV_WARN_UNUSED enum hv_verdict a64_trap_sysreg(struct a64_vcpu *vcpu, uint64_t esr);
/*
 * The same for a data abort (0x24) with a valid syndrome (ISV) that is a plain access to a device,
 * with ESR_EL2, FAR_EL2 and HPFAR_EL2; neither el1 nor the list registers are here yet, and el1
 * does not come here. False: it is none, nothing has
 * changed, and a64_trap_no_device() does the rest.
 */
HV_WARN_UNUSED bool a64_trap_device(
	struct a64_vcpu *vcpu, uint64_t esr, uint64_t far, uint64_t hpfar);
HV_WARN_UNUSED enum hv_verdict a64_trap_no_device(
	struct a64_vcpu *vcpu, const struct a64_trap *trap);

/* A guest's SError that was taken to EL2 goes back to that guest (X7). */
void a64_serror(struct a64_vcpu *vcpu);

/*
 * Takes an exception to the guest's EL1 (AArch64.TakeException): for core's own injections, and for
 * a backend whose CPU leaves guest-internal exceptions to it. regs.pc is the preferred return
 * address. `esr` counts for SYNC and SERROR only; FAR_EL1, where it applies, is set in el1.far
 * after a64_el1_get().
 */
enum a64_vector {
	A64_VECTOR_SYNC = 0x000,
	A64_VECTOR_IRQ = 0x080,
	A64_VECTOR_FIQ = 0x100,
	A64_VECTOR_SERROR = 0x180,
};
void a64_exception_take(struct a64_vcpu *vcpu, enum a64_vector vector, uint64_t esr);

/*
 * log2 of the bytes that one descriptor spans where the guest's Stage-1 walk of va ends, as its
 * tables are now, be it in a leaf or a fault; 64 when there is no walk. For a backend whose TLB
 * must be told what one TLBI by address covers. Of el1, only SCTLR, TCR, TTBR0 and TTBR1 count.
 */
unsigned a64_walk_span(const struct a64_el1 *el1, const struct hv_gmem *gmem, uint64_t va);

/* Makes vcpu->el1 current and returns it; who changes it sets el1_dirty. */
struct a64_el1 *a64_el1_get(struct a64_vcpu *vcpu);

/*
 * The instruction at the vCPU's PC, through the guest's own translation. False: it cannot be
 * fetched. For a backend that must know more than the syndrome says. Of el1 it reads sctlr, tcr and
 * ttbr<n>.
 */
HV_WARN_UNUSED bool a64_insn_peek(struct a64_vcpu *vcpu, uint32_t *insn);
/*
 * Where in the host's memory the byte is that the vCPU could read at va now, through both stages.
 * False: nowhere, or not mapped yet. Of el1 it reads the same.
 */
HV_WARN_UNUSED bool a64_host_address(struct a64_vcpu *vcpu, uint64_t va, hpa_t *hpa);

/*
 * Why the VM crashed and its vCPU's registers, line by line without line ends. Call it where the
 * vCPU that crashed ran last, before it runs again.
 */
void a64_dump_crash(
	struct hv_vm *vm, void (*line)(void *ctx, const char *text, size_t size), void *ctx);

/* The Arm ARM's words for ESR_ELx.EC, for dumps; never NULL. */
const char *a64_esr_name(uint64_t esr);

/*
 * Prepares the entry: pending virtual interrupts -> list registers. Called when vcpu->hv.todo has
 * HV_TODO_IRQ, which it consumes.
 */
void a64_entry_prepare(struct a64_vcpu *vcpu);

/*
 * With GIC_IFACE_V2_SOFT, what a backend does before it enters instead of writing list registers
 * when gic.lr_dirty is not 0, which this clears: VI and VF in hcr follow the GIC. Here.
 */
void a64_lines_update(struct a64_vcpu *vcpu);

/* Registers that decide what traps, the same on every backend. */
uint64_t a64_hcr(void); /* HCR_EL2 */
/*
 * MDCR_EL2 but HPMN, which stays at its reset value. Breakpoints and watchpoints are the guest's
 * own; a backend whose CPU has none that work, or that shares one CPU among vCPUs, adds
 * A64_MDCR_DEBUG, and then they never match.
 */
uint64_t a64_mdcr(void);
#define A64_MDCR_DEBUG ((uint64_t)0x200)          /* TDA */
uint64_t a64_cptr(void);                          /* CPTR_EL2 with HCR_EL2.E2H 0 */
uint64_t a64_cnthctl(void);                       /* CNTHCTL_EL2 with HCR_EL2.E2H 0 */
uint64_t a64_vpidr(void);                         /* VPIDR_EL2: the guest's MIDR_EL1 */
uint64_t a64_vmpidr(const struct a64_vcpu *vcpu); /* VMPIDR_EL2: its MPIDR_EL1 */
uint64_t a64_vtcr(const struct hv_pt *pt);        /* VTCR_EL2 */
uint64_t a64_vttbr(const struct hv_pt *pt);

/* The nested format: VMSAv8-64 Stage-2, 4 KiB granule. */
extern const struct hv_pt_fmt a64_stage2_fmt;

/* Host CPU: identification registers as read at EL2 (or at EL1 by a test), and what they say. */
struct a64_idregs {
	uint64_t pfr0, pfr1;          /* ID_AA64PFR<n>_EL1 */
	uint64_t dfr0, isar0;         /* ID_AA64DFR0_EL1, ID_AA64ISAR0_EL1 */
	uint64_t mmfr0, mmfr1, mmfr2; /* ID_AA64MMFR<n>_EL1 */
	uint64_t ich_vtr;             /* ICH_VTR_EL2; 0 without a GICv3 CPU interface */
};

struct a64_caps {
	uint8_t pa_bits, vmid_bits, asid_bits;
	uint8_t lr_count; /* list registers; 0 without a GICv3 CPU interface */
	bool el2, vhe, gicv3, aarch32_el0;
	bool stage2_4k;        /* the 4 KiB granule at Stage-2 */
	bool crypto;           /* AES, PMULL, SHA1, SHA2, CRC32: what the virtual CPU promises */
	uint64_t pstate_bits;  /* SPSR bits beyond ARMv8.0 that exist: PAN, UAO, DIT, TCO, SSBS */
	uint64_t debug_fields; /* BRPs, WRPs and CTX_CMPs as ID_AA64DFR0_EL1 has them */
};

struct a64_caps a64_caps_decode(const struct a64_idregs *id);
/* NULL when this core can run its guests on such a CPU, whatever its GIC; else what is missing. */
const char *a64_caps_missing(const struct a64_caps *caps);
/* Before it starts: what the vCPU has of its CPU. */
void a64_vcpu_caps_set(struct a64_vcpu *vcpu, const struct a64_caps *caps);

/*
 * Timers, for a backend whose CPU does not have them (the sim), and for CNTP, which is always
 * trapped. Core models CTL/CVAL/TVAL; the level goes to the PPI. The count of read, write and
 * level is the timer's own: for the virtual timer, physical minus cntvoff; else it is physical.
 */
enum a64_timer_reg { A64_TIMER_TVAL, A64_TIMER_CTL, A64_TIMER_CVAL };
uint64_t a64_timer_read(const struct a64_timer *timer, enum a64_timer_reg reg, uint64_t count);
void a64_timer_write(
	struct a64_timer *timer, enum a64_timer_reg reg, uint64_t value, uint64_t count);
bool a64_timer_level(const struct a64_timer *timer, uint64_t count);
/* Ticks of physical count at which the line rises; HV_NEVER_DUE when disabled or masked. */
uint64_t a64_timer_due(const struct a64_timer *timer, uint64_t offset);
/* Recomputes both lines and tells the GIC; returns the next deadline, HV_NEVER_DUE when none. */
uint64_t a64_timers_update(struct a64_vcpu *vcpu, uint64_t count);

/* What core asks of the port for A64 guests only. The vCPU is the one that runs on this CPU. */
void port_a64_el1_load(struct a64_el1 *el1);
uint64_t port_a64_sctlr(void); /* SCTLR_EL1 alone, for the data's byte order at each MMIO access */
void port_a64_vreg_get(unsigned n, uint64_t value[2]); /* V0..V31 as the guest has them */
void port_a64_vreg_set(unsigned n, const uint64_t value[2]);
uint64_t port_a64_count(void); /* CNTPCT_EL0 */

#endif
