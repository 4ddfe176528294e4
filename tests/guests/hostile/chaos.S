/* SPDX-License-Identifier: MIT */
/* chaos_run(): see chaos.c. What it must find again is in memory, as no register is its own. */

	.text
	.global	chaos_run
chaos_run:
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	adrp	x3, chaos_sp
	mov	x4, sp
	str	x4, [x3, :lo12:chaos_sp]
	mrs	x4, sctlr_el1
	str	x4, [x3, :lo12:chaos_sctlr]
	mrs	x4, vbar_el1
	str	x4, [x3, :lo12:chaos_vbar]
	ldr	x4, [x1, #248]
	msr	sp_el0, x4
	msr	elr_el1, x0
	msr	spsr_el1, x2
	mov	x30, x1
	ldp	x0, x1, [x30]
	ldp	x2, x3, [x30, #16]
	ldp	x4, x5, [x30, #32]
	ldp	x6, x7, [x30, #48]
	ldp	x8, x9, [x30, #64]
	ldp	x10, x11, [x30, #80]
	ldp	x12, x13, [x30, #96]
	ldp	x14, x15, [x30, #112]
	ldp	x16, x17, [x30, #128]
	ldp	x18, x19, [x30, #144]
	ldp	x20, x21, [x30, #160]
	ldp	x22, x23, [x30, #176]
	ldp	x24, x25, [x30, #192]
	ldp	x26, x27, [x30, #208]
	ldp	x28, x29, [x30, #224]
	ldr	x30, [x30, #240]
	eret

	/* The exception handler sends what must stop here, at EL1h. */
	.global	chaos_left
chaos_left:
	adrp	x3, chaos_sp
	ldr	x4, [x3, :lo12:chaos_sp]
	mov	sp, x4
	ldr	x4, [x3, :lo12:chaos_sctlr]
	msr	sctlr_el1, x4
	ldr	x4, [x3, :lo12:chaos_vbar]
	msr	vbar_el1, x4
	mov	x4, #(3 << 20)
	msr	cpacr_el1, x4
	msr	mdscr_el1, xzr
	isb
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #96
	ret

	.bss
	.balign 16
chaos_sp:
	.quad	0
chaos_sctlr:
	.quad	0
chaos_vbar:
	.quad	0
