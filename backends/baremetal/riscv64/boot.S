/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to C: a RISC-V Image (Linux, Documentation/riscv/boot-image-header.rst) that
 * runs wherever it was loaded. Entered in HS-mode without translation, on one hart; a0 = its
 * number, a1 = the host's device tree. The others are started here, too: OpenSBI before 1.3 lets a
 * hart go before it has written where to, and then it goes to where it would have booted.
 *
 * Without translation memory is cached and coherent already, so C runs like that until stage1.c has
 * made ours.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

#define SSTATUS_SIE 2
#define R_RELATIVE  3

	.section .head, "ax"
	.option	norvc
	.globl	image_head
image_head:
	j	boot
	.word	0
	.quad	0x200000		/* text_offset: any 2 MiB; this one is behind firmware */
					/* image_size: by link.ld */
	.section .head.rest, "ax"
	.quad	0			/* little-endian */
	.word	2			/* version 0.2 of the header */
	.word	0
	.quad	0
	.ascii	"RISCV\0\0\0RSC\x05"
	.word	0
	.option	rvc

/* This CPU's record (a register), its stack, and where its exceptions go. Uses t0. */
	.macro	cpu_use cpu
	not	t0, \cpu
	csrw	sscratch, t0
	li	t0, CPU_SLOT_CPU - CPU_SLOT_STACK_END
	sub	sp, \cpu, t0
	lla	t0, vector
	csrw	stvec, t0
	.endm

	.text
boot:
	csrw	sie, zero
	csrci	sstatus, SSTATUS_SIE
	lla	t0, boot_stage
	li	t1, BOOT_FIRST
	amomax.w.aqrl	t0, t1, (t0)
	bnez	t0, boot_secondary

	lla	t0, bss_start
	lla	t1, bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, (t0)
	sd	zero, 8(t0)
	addi	t0, t0, 16
	j	1b

	/* Relocations: R_RISCV_RELATIVE ones, and empty entries. */
2:	lla	t0, rela_start
	lla	t1, rela_end
	lla	t2, image_start
	li	t3, R_RELATIVE
3:	bgeu	t0, t1, 5f
	lw	t4, 8(t0)
	bne	t4, t3, 4f
	ld	t4, (t0)
	ld	t5, 16(t0)
	add	t4, t4, t2
	add	t5, t5, t2
	sd	t5, (t4)
4:	addi	t0, t0, 24
	j	3b

5:	fence.i
	lla	t1, cpu_slots
	li	t0, CPU_SLOT_CPU
	add	t1, t1, t0
	sd	zero, CPU_FAULT_DEPTH(t1)
	cpu_use	t1
	call	hs_boot

/* Not the first, t0 = boot_stage. Its record is the one with its number. Uncalled it stays here. */
boot_secondary:
	li	t1, BOOT_OTHERS
	bne	t0, t1, 2f
	lla	t1, cpu_slots
	li	t0, CPU_SLOT_CPU
	add	t1, t1, t0
	li	t2, CPU_SLOT_SIZE
	li	t3, CPU_SLOTS
1:	ld	t0, CPU_HART(t1)
	beq	t0, a0, 3f
	add	t1, t1, t2
	addi	t3, t3, -1
	bnez	t3, 1b
2:	wfi
	j	2b

3:	cpu_use	t1
	ld	t0, boot_satp
	sfence.vma
	csrw	satp, t0
	sfence.vma
	fence.i
	call	hs_secondary

	/* Not among what boot clears. */
	.data
	.balign	4
	.globl	boot_stage
boot_stage:
	.word	0

	.section .noinit, "aw", %nobits
	.balign	8
	.globl	boot_satp
boot_satp:
	.skip	8
