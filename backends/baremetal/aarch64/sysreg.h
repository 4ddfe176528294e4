/* SPDX-License-Identifier: MIT */
/*
 * System registers and barriers of the physical CPU. A register is named as the assembler knows it;
 * the GIC's are spelt S3_… so that no -march option is needed. The SYSREG_… names below are those.
 */
#ifndef SYSREG_H
#define SYSREG_H

#include <stdint.h>

#define SYSREG_STR2(x) #x
#define SYSREG_STR(x)  SYSREG_STR2(x)

#define SYSREG_READ(name)                                                                          \
	({                                                                                         \
		uint64_t sysreg_value;                                                             \
		__asm__ volatile("mrs %0, " SYSREG_STR(name) : "=r"(sysreg_value));                \
		sysreg_value;                                                                      \
	})
#define SYSREG_WRITE(name, value)                                                                  \
	__asm__ volatile("msr " SYSREG_STR(name) ", %x0" : : "rZ"((uint64_t)(value)) : "memory")

#define ISB()             __asm__ volatile("isb" : : : "memory")
#define DSB(kind)         __asm__ volatile("dsb " #kind : : : "memory")
#define RELAX()           __asm__ volatile("yield" : : : "memory") /* another CPU is waited for */
#define WFI()             __asm__ volatile("wfi" : : : "memory")
#define TLBI(op)          __asm__ volatile("tlbi " #op : : : "memory")
#define TLBI_ARG(op, arg) __asm__ volatile("tlbi " #op ", %0" : : "r"((uint64_t)(arg)) : "memory")
#define DC(op, at)        __asm__ volatile("dc " #op ", %0" : : "r"((uint64_t)(at)) : "memory")
#define IC(op, at)        __asm__ volatile("ic " #op ", %0" : : "r"((uint64_t)(at)) : "memory")

/* FEAT_HCX, FEAT_FGT. */
#define HCRX_EL2    S3_4_C1_C2_2
#define HFGRTR_EL2  S3_4_C1_C1_4
#define HFGWTR_EL2  S3_4_C1_C1_5
#define HFGITR_EL2  S3_4_C1_C1_6
#define HDFGRTR_EL2 S3_4_C3_C1_4
#define HDFGWTR_EL2 S3_4_C3_C1_5

/* GICv3 CPU interface, IHI 0069H 12.2 and 12.4. */
#define ICC_PMR_EL1     S3_0_C4_C6_0
#define ICC_DIR_EL1     S3_0_C12_C11_1
#define ICC_SGI1R_EL1   S3_0_C12_C11_5
#define ICC_IAR1_EL1    S3_0_C12_C12_0
#define ICC_EOIR1_EL1   S3_0_C12_C12_1
#define ICC_BPR1_EL1    S3_0_C12_C12_3
#define ICC_CTLR_EL1    S3_0_C12_C12_4
#define ICC_SRE_EL1     S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_SRE_EL2     S3_4_C12_C9_5
#define ICH_AP0R0_EL2   S3_4_C12_C8_0
#define ICH_AP0R1_EL2   S3_4_C12_C8_1
#define ICH_AP0R2_EL2   S3_4_C12_C8_2
#define ICH_AP0R3_EL2   S3_4_C12_C8_3
#define ICH_AP1R0_EL2   S3_4_C12_C9_0
#define ICH_AP1R1_EL2   S3_4_C12_C9_1
#define ICH_AP1R2_EL2   S3_4_C12_C9_2
#define ICH_AP1R3_EL2   S3_4_C12_C9_3
#define ICH_HCR_EL2     S3_4_C12_C11_0
#define ICH_VTR_EL2     S3_4_C12_C11_1
#define ICH_VMCR_EL2    S3_4_C12_C11_7

/* CNTPCT_EL0; may be read early, so it costs no barrier. */
static inline uint64_t clock_count(void)
{
	return SYSREG_READ(cntpct_el0);
}

#endif
