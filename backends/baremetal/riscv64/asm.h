/* SPDX-License-Identifier: MIT */
/* Constants that assembly and C share. RISC-V Privileged Architecture 20211203 ("priv"). */
#ifndef ASM_H
#define ASM_H

#define HS_STACK_SIZE       0x4000
#define HS_FAULT_STACK_SIZE 0x2000

#define CAUSE_VS_ECALL 10 /* environment call from VS-mode; priv 8.2.8 */

#define HSTATUS_SPV (1 << 7)

/* HLV, HLVX and HSV are the SYSTEM instructions with this funct3; it is in their first half. */
#define INSN_HLS_MASK 0x707f
#define INSN_HLS      0x4073

#endif
