/* SPDX-License-Identifier: MIT */
/* Constants that assembly and C share. RISC-V Privileged Architecture 20211203 ("priv"). */
#ifndef ASM_H
#define ASM_H

#define HS_STACK_SIZE       0x4000
#define HS_FAULT_STACK_SIZE 0x2000

/* scause: environment call from VS-mode, load and store guest-page fault; priv 8.2.8 */
#define CAUSE_VS_ECALL    10
#define CAUSE_LOAD_GUEST  21
#define CAUSE_STORE_GUEST 23

/* gp, tp, s0-s11, which C keeps as they are: registers by their numbers, and the same by bits. */
#define KEPT      3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
#define KEPT_BITS 0x0ffc0318

#define HSTATUS_SPV (1 << 7)

/* boot_stage; it only grows */
#define BOOT_FIRST  1 /* one CPU is on its way */
#define BOOT_OTHERS 2 /* others have records, and are started */

/* HLV, HLVX and HSV are the SYSTEM instructions with this funct3; it is in their first half. */
#define INSN_HLS_MASK 0x707f
#define INSN_HLS      0x4073

#endif
