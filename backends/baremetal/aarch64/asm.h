/* SPDX-License-Identifier: MIT */
/* Constants that assembly and C share. Arm ARM, DDI 0487: TCR_EL2, SCTLR_EL2, MAIR_EL2. */
#ifndef ASM_H
#define ASM_H

#define TCR_RES1       0x80800000
#define TCR_PS_SHIFT   16
#define TCR_WALK_WB    (1 << 8 | 1 << 10 | 3 << 12) /* inner, outer write-back; inner shareable */
#define TCR_T0SZ(bits) (64 - (bits))

#define SCTLR_RES1 0x30c50830
#define SCTLR_M    (1 << 0)
#define SCTLR_C    (1 << 2)
#define SCTLR_SA   (1 << 3)
#define SCTLR_I    (1 << 12)
#define SCTLR_WXN  (1 << 19)

/* Attribute 0: normal write-back; 1: Device-nGnRE. */
#define MAIR_VALUE  0x04ff
#define MAIR_NORMAL 0
#define MAIR_DEVICE 1

#define EL2_STACK_SIZE       0x4000
#define EL2_FAULT_STACK_SIZE 0x2000

/* Kinds of exception from EL2 itself, by place in the vector table. */
#define FAULT_SYNC   0
#define FAULT_IRQ    1
#define FAULT_FIQ    2
#define FAULT_SERROR 3

#endif
