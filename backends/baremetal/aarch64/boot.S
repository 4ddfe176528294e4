/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to el2_main(): an arm64 Image (Linux, Documentation/arm64/booting.rst) that
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
#define BLOCK_RAM   (0x1 | 1 << 6 | 3 << 8 | 1 << 10) /* block, RW, inner shareable, accessed */
#define BLOCK_XN    (1 << 54)
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
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	wrong_el
	mov	x19, x0
	mov	x0, #HCR_RW
	msr	hcr_el2, x0
	ldr	x0, =SCTLR_RES1
	msr	sctlr_el2, x0
	isb

	/* .bss */
	adr_l	x0, bss_start
	adr_l	x1, bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b

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

	adr_l	x0, cpu_slots
	add	x1, x0, #CPU_SLOT_CPU
	msr	tpidr_el2, x1
	add	x2, x0, #CPU_SLOT_STACK_END
	mov	sp, x2
	adr_l	x2, vectors
	msr	vbar_el2, x2
	add	x2, x0, #CPU_SLOT_FAULT_STACK_END
	str	x2, [x1, #CPU_FAULT_STACK]
	str	xzr, [x1, #CPU_FAULT_DEPTH]

	mrs	x0, id_aa64mmfr0_el1
	and	x0, x0, #0xf
	ldr	x1, =BOOT_TCR
	orr	x1, x1, x0, lsl #TCR_PS_SHIFT
	ldr	x0, =MAIR_VALUE
	mov	x2, x21
	ldr	x3, =BOOT_SCTLR
	bl	stage1_switch
	mov	x0, x19
	bl	el2_main
	b	.

/* The loader broke the boot protocol, and there is no console to say so before the tree is read. */
wrong_el:
	wfe
	b	wrong_el

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
