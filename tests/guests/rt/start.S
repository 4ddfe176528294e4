/* SPDX-License-Identifier: MIT */
/* Entry at EL1 with the MMU off and x0 = address of the device tree; and the vector table. */

	.section .text.start, "ax"
	.global _start
_start:
	mrs	x20, cntvct_el0
	mov	x19, x0
	mov	x0, #(3 << 20)			// CPACR_EL1.FPEN: no trap of SIMD and FP
	msr	cpacr_el1, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	msr	spsel, #1
	adrp	x0, stack_top
	add	x0, x0, :lo12:stack_top
	mov	sp, x0

	adrp	x0, bss_start
	add	x0, x0, :lo12:bss_start
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b

2:	adrp	x0, entry_count
	str	x20, [x0, :lo12:entry_count]
	mov	x0, x19
	bl	guest_main
	bl	finish
3:	wfi
	b	3b

	/* Saves a struct guest_frame, calls guest_exception(frame), goes back to where the frame says. */
	.macro	vector number
	.balign 0x80
	sub	sp, sp, #304
	stp	x0, x1, [sp]
	mov	x0, #\number
	b	exception
	.endm

	.balign 0x800
	.global	vectors
vectors:
	.set	n, 0
	.rept	16
	vector	n
	.set	n, n + 1
	.endr

exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x1, elr_el1
	stp	x30, x1, [sp, #240]
	mrs	x1, spsr_el1
	mrs	x2, esr_el1
	stp	x1, x2, [sp, #256]
	mrs	x1, far_el1
	stp	x1, x0, [sp, #272]
	mov	x0, sp
	bl	guest_exception

	ldp	x0, x1, [sp, #248]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	ldp	x0, x1, [sp]
	add	sp, sp, #304
	eret

	/* void run_at_el0(void (*code)(void), uint64_t stack): comes back when EL0 does `svc #0xe10`. */
	.global	run_at_el0
run_at_el0:
	stp	x19, x20, [sp, #-112]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	adrp	x2, el0_return_sp
	mov	x3, sp
	str	x3, [x2, :lo12:el0_return_sp]
	msr	sp_el0, x1
	msr	elr_el1, x0
	mov	x0, #0x3c0			// EL0t, DAIF masked
	msr	spsr_el1, x0
	eret

	/* guest_exception() sends the return from EL0 here, at EL1h. */
	.global	el0_returned
el0_returned:
	adrp	x2, el0_return_sp
	ldr	x3, [x2, :lo12:el0_return_sp]
	mov	sp, x3
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #112
	ret

	.bss
	.balign 16
	.space	16384
stack_top:
el0_return_sp:
	.quad	0
	.global	entry_count
entry_count:
	.quad	0
