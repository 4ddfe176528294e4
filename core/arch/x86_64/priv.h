/* SPDX-License-Identifier: MIT */
/* Names that the files of this folder share: bits of registers, numbers of MSRs (APM2 appendix A).
 */
#ifndef X86_PRIV_H
#define X86_PRIV_H

#include "x86.h"

#include <hv/bits.h>

#define X86_CR0_PE HV_BIT(0)
#define X86_CR0_MP HV_BIT(1)
#define X86_CR0_EM HV_BIT(2)
#define X86_CR0_TS HV_BIT(3)
#define X86_CR0_ET HV_BIT(4)
#define X86_CR0_NE HV_BIT(5)
#define X86_CR0_WP HV_BIT(16)
#define X86_CR0_AM HV_BIT(18)
#define X86_CR0_NW HV_BIT(29)
#define X86_CR0_CD HV_BIT(30)
#define X86_CR0_PG HV_BIT(31)

#define X86_CR4_VME        HV_BIT(0)
#define X86_CR4_PVI        HV_BIT(1)
#define X86_CR4_TSD        HV_BIT(2)
#define X86_CR4_DE         HV_BIT(3)
#define X86_CR4_PSE        HV_BIT(4)
#define X86_CR4_PAE        HV_BIT(5)
#define X86_CR4_MCE        HV_BIT(6)
#define X86_CR4_PGE        HV_BIT(7)
#define X86_CR4_PCE        HV_BIT(8)
#define X86_CR4_OSFXSR     HV_BIT(9)
#define X86_CR4_OSXMMEXCPT HV_BIT(10)
#define X86_CR4_UMIP       HV_BIT(11)
#define X86_CR4_LA57       HV_BIT(12)
#define X86_CR4_FSGSBASE   HV_BIT(16)
#define X86_CR4_OSXSAVE    HV_BIT(18)
#define X86_CR4_SMEP       HV_BIT(20)
#define X86_CR4_SMAP       HV_BIT(21)
#define X86_CR4_PKE        HV_BIT(22)

#define X86_EFER_SCE   HV_BIT(0)
#define X86_EFER_LME   HV_BIT(8)
#define X86_EFER_LMA   HV_BIT(10)
#define X86_EFER_NXE   HV_BIT(11)
#define X86_EFER_SVME  HV_BIT(12) /* always set for SVM, and never shown */
#define X86_EFER_FFXSR HV_BIT(14)

#define X86_FLAG_1    HV_BIT(1) /* always set */
#define X86_FLAG_TF   HV_BIT(8)
#define X86_FLAG_IF   HV_BIT(9)
#define X86_FLAG_DF   HV_BIT(10)
#define X86_FLAG_IOPL HV_MASK(13, 12)
#define X86_FLAG_RF   HV_BIT(16)
#define X86_FLAG_VM   HV_BIT(17)
#define X86_FLAG_AC   HV_BIT(18)

#define X86_DR6_INIT 0xffff0ff0u
#define X86_DR6_BS   HV_BIT(14)
#define X86_DR7_INIT 0x400u

/* Error code of a page fault. */
#define X86_PF_PRESENT HV_BIT(0)
#define X86_PF_WRITE   HV_BIT(1)
#define X86_PF_USER    HV_BIT(2)
#define X86_PF_RSVD    HV_BIT(3)
#define X86_PF_FETCH   HV_BIT(4)

/* 64-bit code, not its compatibility mode. */
static inline bool x86_is_long(const struct x86_sys *sys)
{
	return (sys->efer & X86_EFER_LMA) && (sys->seg[X86_CS].attrib & X86_SEG_L);
}

/* Something for the next entry to look at. By the vCPU's own CPU, which does so before it enters.
 */
static inline void x86_look(struct x86_vcpu *vcpu)
{
	atomic_fetch_or_explicit(&vcpu->hv.todo, HV_TODO_IRQ, memory_order_relaxed);
}

#endif
