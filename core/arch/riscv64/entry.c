/* SPDX-License-Identifier: MIT */
/* How a virtual hart starts, what traps, and what is prepared before each entry. */
#include "entry.h"
#include "priv.h"

#include <hv/bits.h>

/* hstatus (priv 8.2.1). VTVM, VTSR and HU are 0: satp, SFENCE.VMA and SRET are the guest's own. */
enum hstatus_bit {
	HSTATUS_SPV = 7,   /* the next SRET enters the guest */
	HSTATUS_SPVP = 8,  /* in VS-mode, not VU-mode */
	HSTATUS_VTW = 21,  /* WFI traps */
	HSTATUS_VSXL = 32, /* 33:32; 2 is 64 bits */
};

/*
 * Exceptions that the guest takes without us (priv 8.2.2): its access and page faults, which are
 * not those of the G-stage; breakpoints, as it debugs itself; its system calls. Not illegal
 * instructions: CSRs that we answer raise them.
 */
#define HEDELEG                                                                                    \
	(HV_BIT(RV64_FETCH_MISALIGNED) | HV_BIT(RV64_FETCH_FAULT) | HV_BIT(RV64_BREAKPOINT) |      \
		HV_BIT(RV64_LOAD_MISALIGNED) | HV_BIT(RV64_LOAD_FAULT) |                           \
		HV_BIT(RV64_STORE_MISALIGNED) | HV_BIT(RV64_STORE_FAULT) | HV_BIT(RV64_ECALL_VU) | \
		HV_BIT(RV64_FETCH_PAGE) | HV_BIT(RV64_LOAD_PAGE) | HV_BIT(RV64_STORE_PAGE))

/* All that a guest has. */
#define HIDELEG (HV_BIT(RV64_VSSI) | HV_BIT(RV64_VSTI) | HV_BIT(RV64_VSEI))

/* hcounteren: cycle and instret are the host's; time only where reading it does not trap anyway. */
#define COUNTER_CY HV_BIT(0)
#define COUNTER_TM HV_BIT(1)
#define COUNTER_IR HV_BIT(2)

/* henvcfg (priv 8.2.5; Sstc 1.0; CMO 1.0). FIOM is 0: the guest's fences mean what they say. */
#define HENVCFG_STCE       HV_BIT(63) /* stimecmp is the guest's */
#define HENVCFG_PBMTE      HV_BIT(62) /* Svpbmt in its page tables */
#define HENVCFG_CBZE       HV_BIT(7)  /* cbo.zero */
#define HENVCFG_CBCFE      HV_BIT(6)  /* cbo.clean, cbo.flush */
#define HENVCFG_CBIE_FLUSH HV_BIT(4)  /* cbo.inval flushes: what was there before stays hidden */

/* vsstatus as OpenSBI leaves sstatus: interrupts off, FP and vectors on where they exist. */
#define VSSTATUS_VS  HV_MASK(10, 9)
#define VSSTATUS_FS  HV_MASK(14, 13)
#define VSSTATUS_UXL HV_BIT(33) /* 2: 64 bits */
#define SCOUNTEREN   (COUNTER_CY | COUNTER_TM | COUNTER_IR)

/*
 * In `lines`, where nothing else uses it (it is VSSI's number for the guest): vsip.SSIP is to be
 * cleared, before it is set when that is asked for, too.
 */
#define CLEAR_VSSI HV_BIT(1)

static bool has(const struct rv64_caps *caps, unsigned ext)
{
	return hv_bit(caps->exts, ext);
}

static uint64_t henvcfg(const struct rv64_vcpu *vcpu)
{
	const struct rv64_caps *caps = &vcpu->caps;
	uint64_t bits = 0;

	bits |= vcpu->sstc ? HENVCFG_STCE : 0;
	bits |= has(caps, RV64_EXT_SVPBMT) ? HENVCFG_PBMTE : 0;
	bits |= has(caps, RV64_EXT_ZICBOZ) ? HENVCFG_CBZE : 0;
	bits |= has(caps, RV64_EXT_ZICBOM) ? HENVCFG_CBCFE | HENVCFG_CBIE_FLUSH : 0;
	return bits;
}

struct rv64_hcsrs rv64_hcsrs(const struct rv64_vcpu *vcpu)
{
	return (struct rv64_hcsrs){
		.hstatus = (uint64_t)2 << HSTATUS_VSXL | HV_BIT(HSTATUS_VTW) | HV_BIT(HSTATUS_SPV) |
			   (vcpu->vs.user ? 0 : HV_BIT(HSTATUS_SPVP)),
		.hedeleg = HEDELEG,
		.hideleg = HIDELEG,
		.hcounteren = COUNTER_CY | COUNTER_IR | (vcpu->caps.time ? COUNTER_TM : 0),
		.henvcfg = henvcfg(vcpu),
		.htimedelta = vcpu->htimedelta,
	};
}

/* MODE 63:60 is 8, 9, 10 for Sv39x4, Sv48x4, Sv57x4; VMID 57:44; PPN 43:0. */
uint64_t rv64_hgatp(const struct hv_pt *pt)
{
	return (uint64_t)(pt->levels + 5u) << 60 | (uint64_t)pt->vmid << 44 |
	       pt->root.v >> HV_PAGE_SHIFT;
}

/* ---- interrupts ---- */

void rv64_line_set(struct rv64_vcpu *vcpu, uint32_t line, bool level)
{
	uint64_t bit = HV_BIT(line), before;

	before = level ? atomic_fetch_or(&vcpu->lines, bit) : atomic_fetch_and(&vcpu->lines, ~bit);
	if (((before & bit) != 0) != level) {
		hv_vcpu_wake(&vcpu->hv, HV_TODO_IRQ);
	}
}

/* Where it waits to be set already, whoever said so wakes the vCPU. */
void rv64_ipi_send(struct rv64_vcpu *vcpu)
{
	rv64_line_set(vcpu, RV64_VSSI, true);
}

bool rv64_ipi_clear(struct rv64_vcpu *vcpu)
{
	uint64_t before = atomic_fetch_and(&vcpu->lines, ~HV_BIT(RV64_VSSI));

	atomic_fetch_or(&vcpu->lines, CLEAR_VSSI);
	atomic_fetch_or(&vcpu->hv.todo, HV_TODO_IRQ);
	return ((before | port_rv64_pending()) & HV_BIT(RV64_VSSI)) != 0;
}

struct rv64_hvip rv64_entry_prepare(struct rv64_vcpu *vcpu)
{
	const uint64_t levels = HV_BIT(RV64_VSEI) | HV_BIT(RV64_VSTI);
	uint64_t lines;

	/* First the flag, then the look: what comes in between is looked at twice, never lost. */
	atomic_fetch_and(&vcpu->hv.todo, ~(uint32_t)HV_TODO_IRQ);
	lines = atomic_fetch_and(&vcpu->lines, levels);
	atomic_store_explicit(&vcpu->suspended, false, memory_order_relaxed);
	return (struct rv64_hvip){
		.set = lines & (levels | HV_BIT(RV64_VSSI)),
		.clear = (~lines & levels) | (lines & CLEAR_VSSI ? HV_BIT(RV64_VSSI) : 0),
	};
}

/* ---- life ---- */

struct rv64_vs *rv64_vs_get(struct rv64_vcpu *vcpu)
{
	if (!vcpu->vs_here) {
		port_rv64_vs_load(&vcpu->vs);
		vcpu->vs_here = true;
	}
	return &vcpu->vs;
}

/* What a hart has when it starts or resumes (SBI, chapter 9); the rest is undefined. */
static void start_at(struct rv64_vcpu *vcpu, uint64_t pc, uint64_t arg)
{
	vcpu->regs.pc = pc;
	vcpu->regs.x[10] = vcpu->hart_id;
	vcpu->regs.x[11] = arg;
}

void rv64_resume_at(struct rv64_vcpu *vcpu, uint64_t pc, uint64_t arg)
{
	struct rv64_vs *vs = rv64_vs_get(vcpu);

	vs->vsatp = 0;
	vs->vsstatus &= ~RV64_STATUS_SIE;
	vcpu->vs_dirty = true;
	start_at(vcpu, pc, arg);
}

static void reset(struct hv_vcpu *hv, gpa_t pc, uint64_t arg)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(hv, struct rv64_vcpu, hv);
	const struct rv64_caps *caps = &vcpu->caps;

	vcpu->regs = (struct rv64_regs){0};
	start_at(vcpu, pc.v, arg);
	vcpu->vs = (struct rv64_vs){.vsstatus = VSSTATUS_UXL, .scounteren = SCOUNTEREN};
	vcpu->vs.vsstatus |= has(caps, 'f' - 'a') ? VSSTATUS_FS : 0;
	vcpu->vs.vsstatus |= has(caps, 'v' - 'a') ? VSSTATUS_VS : 0;
	vcpu->vs_here = true;
	vcpu->vs_dirty = true;
	vcpu->timer_due = UINT64_MAX;
	atomic_store(&vcpu->suspended, false);
	/* VSEI is the interrupt controller's, which tells changes only. */
	atomic_fetch_and(&vcpu->lines, HV_BIT(RV64_VSEI));
	atomic_fetch_or(&vcpu->lines, CLEAR_VSSI);
	atomic_fetch_or(&hv->todo, HV_TODO_IRQ | HV_TODO_TIME);
}

static uint64_t hw_id(const struct hv_vcpu *hv)
{
	return HV_CONTAINER_OF(hv, const struct rv64_vcpu, hv)->hart_id;
}

const struct hv_arch rv64_arch = {
	.name = "riscv64",
	.vcpu_size = sizeof(struct rv64_vcpu),
	.pt_fmt = &rv64_gstage_fmt,
	.reset = reset,
	.hw_id = hw_id,
};
