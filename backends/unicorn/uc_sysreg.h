/* SPDX-License-Identifier: MIT */
/* Names of system registers in the sim, and of those that it knows itself. DDI 0487, D17. */
#ifndef UC_SYSREG_H
#define UC_SYSREG_H

#include <stdint.h>

/* A system register's name as one number, for MRS and MSR. */
#define UC_SYSREG(op0, op1, crn, crm, op2)                                                         \
	((uint32_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))
#define UC_SYSREG_OP0(reg) ((reg) >> 14 & 3)
#define UC_SYSREG_OP1(reg) ((reg) >> 11 & 7)
#define UC_SYSREG_CRN(reg) ((reg) >> 7 & 15)
#define UC_SYSREG_CRM(reg) ((reg) >> 3 & 15)
#define UC_SYSREG_OP2(reg) ((reg)&7)

#define UC_HCR_EL2     UC_SYSREG(3, 4, 1, 1, 0)
#define UC_MDCR_EL2    UC_SYSREG(3, 4, 1, 1, 1)
#define UC_CPTR_EL2    UC_SYSREG(3, 4, 1, 1, 2)
#define UC_VPIDR_EL2   UC_SYSREG(3, 4, 0, 0, 0)
#define UC_VMPIDR_EL2  UC_SYSREG(3, 4, 0, 0, 5)
#define UC_VTTBR_EL2   UC_SYSREG(3, 4, 2, 1, 0)
#define UC_VTCR_EL2    UC_SYSREG(3, 4, 2, 1, 2)
#define UC_HPFAR_EL2   UC_SYSREG(3, 4, 6, 0, 4)
#define UC_CNTHCTL_EL2 UC_SYSREG(3, 4, 14, 1, 0)
#define UC_SCR_EL3     UC_SYSREG(3, 6, 1, 1, 0)

#define UC_SCTLR_EL1   UC_SYSREG(3, 0, 1, 0, 0)
#define UC_CPACR_EL1   UC_SYSREG(3, 0, 1, 0, 2)
#define UC_TTBR0_EL1   UC_SYSREG(3, 0, 2, 0, 0)
#define UC_TTBR1_EL1   UC_SYSREG(3, 0, 2, 0, 1)
#define UC_TCR_EL1     UC_SYSREG(3, 0, 2, 0, 2)
#define UC_SPSR_EL1    UC_SYSREG(3, 0, 4, 0, 0)
#define UC_CNTKCTL_EL1 UC_SYSREG(3, 0, 14, 1, 0)
#define UC_CNTVCT_EL0  UC_SYSREG(3, 3, 14, 0, 2)
#define UC_IC_IALLUIS  UC_SYSREG(1, 0, 7, 1, 0)
#define UC_IC_IALLU    UC_SYSREG(1, 0, 7, 5, 0)
#define UC_IC_IVAU     UC_SYSREG(1, 3, 7, 5, 1)
#define UC_CNTV_TVAL   UC_SYSREG(3, 3, 14, 3, 0)
#define UC_CNTV_CTL    UC_SYSREG(3, 3, 14, 3, 1)
#define UC_CNTV_CVAL   UC_SYSREG(3, 3, 14, 3, 2)

#define UC_HCR_VM  (1ull << 0)
#define UC_HCR_VF  (1ull << 6)
#define UC_HCR_VI  (1ull << 7)
#define UC_HCR_VSE (1ull << 8)
#define UC_HCR_TWI (1ull << 13)
#define UC_HCR_RW  (1ull << 31)

#endif
