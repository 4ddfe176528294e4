/* SPDX-License-Identifier: MIT */
/*
 * smp_start: where CPU_ON goes, x0 = a struct cpu of smp.c. What else is in a register comes from a former
 * life; all of it together goes to the record. smp_mmu_on(): the tables of smp.c. smp_die(): fills the
 * registers, then CPU_OFF.
 */
	.arch	armv8-a+fp+simd

#define STACK_SIZE 8192 /* and what follows the stack in struct cpu is `dirt` */

#define MAIR    0x00ff
/* 39 bits by TTBR0, none by TTBR1, 4 KiB, cacheable and shareable walks, 40-bit output. */
#define TCR     (25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2 << 32)
#define SCTLR   (1 << 0 | 1 << 2 | 1 << 12)
#define FPEN    (3 << 20)

#define CPU_OFF 0x84000002

	.globl	smp_start
smp_start:
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	orr	x1, x1, x\n
	.endr
	.irp	name, tpidr_el0, tpidr_el1, tpidrro_el0, elr_el1, far_el1, cntv_ctl_el0
	mrs	x2, \name
	orr	x1, x1, x2
	.endr
	mov	x2, #FPEN
	msr	cpacr_el1, x2
	isb
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	orr	v0.16b, v0.16b, v\n\().16b
	.endr
	umov	x2, v0.d[0]
	umov	x3, v0.d[1]
	orr	x1, x1, x2
	orr	x1, x1, x3
	mov	x19, x0
	mov	x20, x1
	bl	smp_mmu_on
	adr	x2, vectors
	msr	vbar_el1, x2
	isb
	msr	spsel, #1
	add	x2, x19, #STACK_SIZE
	mov	sp, x2
	str	x20, [x2]
	mov	x0, x19
	bl	smp_main
	b	.

	.globl	smp_mmu_on
smp_mmu_on:
	mov	x2, #MAIR
	msr	mair_el1, x2
	ldr	x2, =TCR
	msr	tcr_el1, x2
	adrp	x2, smp_root
	add	x2, x2, :lo12:smp_root
	msr	ttbr0_el1, x2
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	mrs	x2, sctlr_el1
	mov	x3, #(SCTLR & 0xffff)
	orr	x2, x2, x3
	msr	sctlr_el1, x2
	isb
	ret

	.globl	smp_die
smp_die:
	mov	x1, #0x5a5a
	msr	tpidr_el0, x1
	msr	tpidr_el1, x1
	msr	tpidrro_el0, x1
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	v\n\().2d, x1
	.endr
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, x1
	.endr
	ldr	w0, =CPU_OFF
	hvc	#0
	b	.
