/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to main_boot(): an arm64 Image (Linux, Documentation/arm64/booting.rst) that
 * runs wherever it was loaded. Entered at EL2 with MMU and caches off, x0 = the host's device tree.
 *
 * C code runs with the MMU on from its first instruction: the boot map below is one level of 1 GiB
 * blocks that holds this image and the device tree, nothing else; stage1.c replaces it soon.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

#define BOOT_TCR    (TCR_RES1 | TCR_WALK_WB | TCR_T0SZ(39))
#define BOOT_SCTLR  (SCTLR_RES1 | SCTLR_I | SCTLR_SA | SCTLR_C | SCTLR_M)
/* Block, inner shareable, accessed; RW for EL2, which ignores AP[1], and for EL1 only. */
#define BLOCK_RAM   (0x1 | 3 << 8 | 1 << 10)
#define BLOCK_XN    (1 << 54)
/* As at EL2, but for where the output size is, and with nothing in the upper half. */
#define BOOT_TCR_EL1      (TCR_WALK_WB | TCR_T0SZ(39) | 1 << 23)
#define TCR_EL1_IPS_SHIFT 32
#define BOOT_SCTLR_EL1    (0x30d00800 | SCTLR_I | SCTLR_C | SCTLR_M)
#define PARANGE_48        5 /* the most without 52-bit addresses */
#define EL2               (2 << 2)
#define EL3               (3 << 2)
#define HCR_RW      (1 << 31)
#define R_RELATIVE  1027
#define GIB_SHIFT   30

	.section .head, "ax"
	.globl	image_head
image_head:
	b	boot
	.word	0
	.quad	0			/* text_offset */
					/* image_size: by link.ld */
	.section .head.rest, "ax"
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0

	.text
boot:
	msr	daifset, #0xf
	mov	x19, x0
	mrs	x22, CurrentEL
	cmp	x22, #EL3
	b.eq	park
	cmp	x22, #EL2
	b.ne	1f
	mov	x0, #HCR_RW
	msr	hcr_el2, x0
	ldr	x0, =SCTLR_RES1
	msr	sctlr_el2, x0
	isb

	/* .bss */
1:	adr_l	x0, bss_start
	adr_l	x1, bss_end
6:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	6b

	/* Relocations: R_AARCH64_RELATIVE ones, and empty entries. */
2:	adr_l	x20, image_start
	adr_l	x0, rela_start
	adr_l	x1, rela_end
3:	cmp	x0, x1
	b.hs	4f
	ldp	x2, x3, [x0], #16
	ldr	x4, [x0], #8
	cmp	w3, #R_RELATIVE
	b.ne	3b
	add	x4, x4, x20
	str	x4, [x20, x2]
	b	3b

	/* The boot map: the GiB of the device tree first, so that the image's wins when they agree. */
4:	adr_l	x21, boot_table
	mov	x0, x21
	add	x1, x21, #4096
5:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	5b
	ldr	x2, =BLOCK_RAM
	ldr	x3, =(BLOCK_RAM | BLOCK_XN)
	lsr	x0, x19, #GIB_SHIFT
	and	x1, x0, #511
	orr	x3, x3, x0, lsl #GIB_SHIFT
	str	x3, [x21, x1, lsl #3]
	lsr	x0, x20, #GIB_SHIFT
	and	x1, x0, #511
	orr	x2, x2, x0, lsl #GIB_SHIFT
	str	x2, [x21, x1, lsl #3]

	/* What was written around the caches must not be hidden by a stale line. */
	adr_l	x0, text_end
	adr_l	x1, bss_end
	bl	invalidate
	mov	x0, x21
	add	x1, x21, #4096
	bl	invalidate

	mrs	x4, id_aa64mmfr0_el1
	and	x4, x4, #0xf
	mov	x5, #PARANGE_48
	cmp	x4, x5
	csel	x4, x4, x5, lo
	adr_l	x0, cpu_slots
	add	x1, x0, #CPU_SLOT_CPU
	add	x2, x0, #CPU_SLOT_STACK_END
	mov	sp, x2
	cmp	x22, #EL2
	b.ne	enter_el1
	msr	tpidr_el2, x1
	adr_l	x2, vectors
	msr	vbar_el2, x2
	add	x2, x0, #CPU_SLOT_FAULT_STACK_END
	str	x2, [x1, #CPU_FAULT_STACK]
	str	xzr, [x1, #CPU_FAULT_DEPTH]

	ldr	x1, =BOOT_TCR
	orr	x1, x1, x4, lsl #TCR_PS_SHIFT
	ldr	x0, =MAIR_VALUE
	mov	x2, x21
	ldr	x3, =BOOT_SCTLR
	bl	stage1_switch
	mov	x0, x19
	bl	main_boot
	b	.

/*
 * A CPU that PSCI started for us, x0 = its record. Until the MMU is on it reads nothing but what
 * start_cpus() cleaned to memory.
 */
func boot_secondary
	msr	daifset, #0xf
	mov	x19, x0
	mov	x0, #HCR_RW
	msr	hcr_el2, x0
	ldr	x0, =SCTLR_RES1
	msr	sctlr_el2, x0
	isb
	msr	tpidr_el2, x19
	sub	x0, x19, #CPU_SLOT_CPU
	add	x0, x0, #CPU_SLOT_STACK_END
	mov	sp, x0
	adr_l	x0, vectors
	msr	vbar_el2, x0
	adr_l	x4, boot_stage1
	ldr	x0, =MAIR_VALUE
	ldp	x1, x2, [x4]
	ldr	x3, [x4, #16]
	bl	stage1_switch
	mov	x0, x19
	bl	el2_secondary
	b	.
endfunc boot_secondary

/* At EL1 there is nothing for us to do but to say so. No vectors: a fault here ends in silence. */
enter_el1:
	ldr	x0, =MAIR_VALUE
	msr	mair_el1, x0
	ldr	x0, =BOOT_TCR_EL1
	orr	x0, x0, x4, lsl #TCR_EL1_IPS_SHIFT
	msr	tcr_el1, x0
	msr	ttbr0_el1, x21
	ic	iallu
	tlbi	vmalle1
	dsb	sy
	isb
	ldr	x0, =BOOT_SCTLR_EL1
	msr	sctlr_el1, x0
	isb
	mov	x0, x19
	bl	el1_main

/* EL3: the loader broke the boot protocol, and firmware is not there to turn the machine off. */
park:
	wfe
	b	park

/* Drops the cache lines of [x0, x1). */
invalidate:
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
	sub	x2, x3, #1
	bic	x0, x0, x2
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/*
 * stage1_switch(mair, tcr, ttbr, sctlr): another translation, through a moment without any, because
 * two tables may map one address with different block sizes. All of them map this code 1:1.
 */
func stage1_switch
	mrs	x4, sctlr_el2
	mov	x5, #SCTLR_M
	bic	x4, x4, x5
	dsb	sy
	msr	sctlr_el2, x4
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	msr	mair_el2, x0
	msr	tcr_el2, x1
	msr	ttbr0_el2, x2
	isb
	msr	sctlr_el2, x3
	isb
	ret
endfunc stage1_switch

	.section .noinit, "aw", %nobits
	.balign	4096
	.globl	boot_table
boot_table:
	.skip	4096
	.globl	boot_stage1
boot_stage1:
	.skip	24
