/* SPDX-License-Identifier: MIT */
/* How a vCPU starts, what traps, and what is prepared before each entry. */
#include "pstate.h"
#include "sysreg.h"

#include <dev/gic/gic.h>

/* HCR_EL2 (DDI 0487, D17.2.48). WFE stays native: with one vCPU per CPU nothing is gained. */
enum hcr_bit {
	HCR_VM = 0,
	HCR_SWIO = 1, /* invalidate by set/way also cleans */
	HCR_PTW = 2,  /* a page walk that hits device memory faults */
	HCR_FMO = 3,
	HCR_IMO = 4,
	HCR_AMO = 5,
	HCR_VF = 6,
	HCR_VI = 7,
	HCR_FB = 9, /* TLB and cache maintenance reaches the other CPUs */
	HCR_BSU_IS = 10,
	HCR_TWI = 13,
	HCR_TID1 = 16,
	HCR_TID3 = 18,
	HCR_TSC = 19,
	HCR_TIDCP = 20,
	HCR_TACR = 21,
	HCR_TSW = 22,
	HCR_RW = 31,
};

uint64_t a64_hcr(void)
{
	return HV_BIT(HCR_VM) | HV_BIT(HCR_SWIO) | HV_BIT(HCR_PTW) | HV_BIT(HCR_FMO) |
	       HV_BIT(HCR_IMO) | HV_BIT(HCR_AMO) | HV_BIT(HCR_FB) | HV_BIT(HCR_BSU_IS) |
	       HV_BIT(HCR_TWI) | HV_BIT(HCR_TID1) | HV_BIT(HCR_TID3) | HV_BIT(HCR_TSC) |
	       HV_BIT(HCR_TIDCP) | HV_BIT(HCR_TACR) | HV_BIT(HCR_TSW) | HV_BIT(HCR_RW);
}

/*
 * TPMCR, TPM, TDRA: performance monitors are hidden, and so is where an outer debugger would look.
 * TDOSA: behind a closed OS lock MDSCR_EL1.HDE can be written, which lets breakpoints halt the CPU.
 * TDA and TDE are 0: the guest debugs itself, and what it sets there ends at EL1 (D2.4.1).
 */
uint64_t a64_mdcr(void)
{
	return HV_BIT(5) | HV_BIT(6) | HV_BIT(10) | HV_BIT(11);
}

/* RES1 bits, with TZ and TSM among them: no SVE, no SME; FP and SIMD are the guest's. */
uint64_t a64_cptr(void)
{
	return 0x33ff;
}

/* EL1PCTEN and EL1PCEN 0: the physical counter and timer trap. */
uint64_t a64_cnthctl(void)
{
	return 0;
}

uint64_t a64_vpidr(void)
{
	return A64_MIDR;
}

uint64_t a64_vmpidr(const struct a64_vcpu *vcpu)
{
	return HV_BIT(31) | vcpu->gic.affinity;
}

void a64_entry_prepare(struct a64_vcpu *vcpu)
{
	/* First the flag, then the look: what comes in between is looked at twice, never lost. */
	atomic_fetch_and(&vcpu->hv.todo, ~(uint32_t)HV_TODO_IRQ);
	vgic_sync(&vcpu->gic);
}

void a64_lines_update(struct a64_vcpu *vcpu)
{
	enum gic_line line = gicv2_line(&vcpu->gic);

	vcpu->hcr &= ~(HV_BIT(HCR_VI) | HV_BIT(HCR_VF));
	vcpu->hcr |= line == GIC_LINE_IRQ ? HV_BIT(HCR_VI) : 0;
	vcpu->hcr |= line == GIC_LINE_FIQ ? HV_BIT(HCR_VF) : 0;
	vcpu->gic.lr_dirty = 0;
}

#define SCTLR_RESET 0x30d00800u /* the RES1 bits of ARMv8.0; MMU and caches off */

static void reset(struct hv_vcpu *hv, gpa_t pc, uint64_t arg)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(hv, struct a64_vcpu, hv);

	vcpu->regs = (struct a64_regs){.pc = pc.v, .pstate = A64_PSTATE_DAIF | A64_PSTATE_EL1H};
	vcpu->regs.x[0] = arg;
	vcpu->el1 = (struct a64_el1){.sctlr = SCTLR_RESET};
	vcpu->el1_here = true;
	vcpu->el1_dirty = true;
	vcpu->os_lock = true;
	vcpu->vtimer = (struct a64_timer){.line = A64_LINE_UNKNOWN};
	vcpu->ptimer = (struct a64_timer){.line = A64_LINE_UNKNOWN};
	vcpu->hcr = a64_hcr();
	vgic_cpu_reset(&vcpu->gic);
}

/* Up to 16 CPUs share one affinity-1 group, which one SGI register write can address. */
static uint64_t hw_id(const struct hv_vcpu *hv)
{
	return (uint64_t)(hv->index / 16u) << 8 | hv->index % 16u;
}

const struct hv_arch a64_arch = {
	.name = "aarch64",
	.vcpu_size = sizeof(struct a64_vcpu),
	.pt_fmt = &a64_stage2_fmt,
	.reset = reset,
	.hw_id = hw_id,
};
