/* SPDX-License-Identifier: MIT */
/* Constants that assembly and C share. AMD64 Architecture Programmer's Manual, volume 2 ("APM2").
 */
#ifndef ASM_H
#define ASM_H

#define BM_STACK_SIZE       0x4000
#define BM_FAULT_STACK_SIZE 0x2000

/* Selectors of our segments; those of boot.S's first table, too. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

/* How we were started, in bm_boot()'s first argument. */
#define BOOT_PVH       1
#define BOOT_MULTIBOOT 2

/* Vectors of our own interrupts. */
#define VECTOR_UART     0x30
#define VECTOR_TIMER    0x40
#define VECTOR_KICK     0x50
#define VECTOR_SPURIOUS 0xff

/* Where core's struct x86_vcpu has the guest's registers. */
#define R_RAX (VCPU_REGS + 8 * 0)
#define R_RCX (VCPU_REGS + 8 * 1)
#define R_RDX (VCPU_REGS + 8 * 2)
#define R_RBX (VCPU_REGS + 8 * 3)
#define R_RSP (VCPU_REGS + 8 * 4)
#define R_RBP (VCPU_REGS + 8 * 5)
#define R_RSI (VCPU_REGS + 8 * 6)
#define R_RDI (VCPU_REGS + 8 * 7)
#define R_R8  (VCPU_REGS + 8 * 8)
#define R_R9  (VCPU_REGS + 8 * 9)
#define R_R10 (VCPU_REGS + 8 * 10)
#define R_R11 (VCPU_REGS + 8 * 11)
#define R_R12 (VCPU_REGS + 8 * 12)
#define R_R13 (VCPU_REGS + 8 * 13)
#define R_R14 (VCPU_REGS + 8 * 14)
#define R_R15 (VCPU_REGS + 8 * 15)

/* CR0: paging, write protection also for us, numeric errors, ET, MP, protection. */
#define CR0_OURS 0x80010033
/* CR4: PAE, OSFXSR, OSXMMEXCPT. */
#define CR4_OURS 0x620

#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

#endif
