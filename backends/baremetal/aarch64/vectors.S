/* SPDX-License-Identifier: MIT */
/*
 * The exception vectors of EL2, the way into a guest and out of it, and the way to our own dump.
 *
 * While a guest runs, SP_EL2 points to the frame of guest_run(), whose first word is the guest's
 * struct a64_regs. An exit saves the guest's registers there and calls C on this very stack; C
 * returns the registers to enter with, or NULL to make guest_run() return. C's own callee-saved
 * registers are therefore saved once per guest_run(), not once per exit.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

#define FRAME_REGS 0
#define FRAME_SAVE 16
#define FRAME_SIZE 112

/* Saves x0-x30, PC and PSTATE; x0 = the registers, x1 = ESR_EL2. */
	.macro	guest_save
	stp	x0, x1, [sp, #-16]
	ldr	x0, [sp, #FRAME_REGS]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	ldp	x2, x3, [sp, #-16]
	mrs	x4, elr_el2
	mrs	x5, spsr_el2
	stp	x2, x3, [x0]
	stp	x30, x4, [x0, #240]
	str	x5, [x0, #REGS_PSTATE]
	mrs	x1, esr_el2
	.endm

	.macro	guest_exit handler
	.balign	0x80
	guest_save
	bl	\handler
	b	guest_resume
	.endm

/* x0 stays in TPIDR_EL0 for a moment: the guest's value is lost, but so is the machine. */
	.macro	own_fault kind
	.balign	0x80
	msr	tpidr_el0, x0
	mov	x0, #\kind
	b	fault_save
	.endm

	.macro	vector_table name, sync, irq, serror
	.balign	0x800
	.globl	\name
\name:
	.rept	2			/* current EL, on SP_EL0 and on SP_EL2 */
	own_fault FAULT_SYNC
	own_fault FAULT_IRQ
	own_fault FAULT_FIQ
	own_fault FAULT_SERROR
	.endr
	.rept	2			/* lower EL, AArch64 and AArch32 */
	guest_exit \sync
	guest_exit \irq
	guest_exit \irq
	guest_exit \serror
	.endr
	.endm

	.section .vectors, "ax"
	vector_table vectors, exit_sync, exit_irq, exit_serror
	/* The same with the time spent on either side counted. */
	vector_table vectors_timed, exit_sync_timed, exit_irq_timed, exit_serror_timed

/* guest_run(regs): enters the guest; returns when a handler returned NULL. */
func guest_run
	sub	sp, sp, #FRAME_SIZE
	stp	x19, x20, [sp, #FRAME_SAVE]
	stp	x21, x22, [sp, #FRAME_SAVE + 16]
	stp	x23, x24, [sp, #FRAME_SAVE + 32]
	stp	x25, x26, [sp, #FRAME_SAVE + 48]
	stp	x27, x28, [sp, #FRAME_SAVE + 64]
	stp	x29, x30, [sp, #FRAME_SAVE + 80]
	str	x0, [sp, #FRAME_REGS]
guest_resume:
	cbz	x0, 1f
	ldp	x30, x1, [x0, #240]
	ldr	x2, [x0, #REGS_PSTATE]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh			/* never reached, not even by speculation */
	isb
1:	ldp	x19, x20, [sp, #FRAME_SAVE]
	ldp	x21, x22, [sp, #FRAME_SAVE + 16]
	ldp	x23, x24, [sp, #FRAME_SAVE + 32]
	ldp	x25, x26, [sp, #FRAME_SAVE + 48]
	ldp	x27, x28, [sp, #FRAME_SAVE + 64]
	ldp	x29, x30, [sp, #FRAME_SAVE + 80]
	add	sp, sp, #FRAME_SIZE
	ret
endfunc guest_run

/* Our own fault, x0 = its kind: everything into this CPU's record, then C on the fault stack. */
func fault_save
	msr	tpidrro_el0, x0
	mrs	x0, tpidr_el2
	add	x0, x0, #CPU_FAULT
	stp	x2, x3, [x0, #FAULT_X + 16]
	stp	x4, x5, [x0, #FAULT_X + 32]
	stp	x6, x7, [x0, #FAULT_X + 48]
	stp	x8, x9, [x0, #FAULT_X + 64]
	stp	x10, x11, [x0, #FAULT_X + 80]
	stp	x12, x13, [x0, #FAULT_X + 96]
	stp	x14, x15, [x0, #FAULT_X + 112]
	stp	x16, x17, [x0, #FAULT_X + 128]
	stp	x18, x19, [x0, #FAULT_X + 144]
	stp	x20, x21, [x0, #FAULT_X + 160]
	stp	x22, x23, [x0, #FAULT_X + 176]
	stp	x24, x25, [x0, #FAULT_X + 192]
	stp	x26, x27, [x0, #FAULT_X + 208]
	stp	x28, x29, [x0, #FAULT_X + 224]
	str	x30, [x0, #FAULT_X + 240]
	mrs	x2, tpidr_el0
	stp	x2, x1, [x0, #FAULT_X]
	mov	x2, sp
	str	x2, [x0, #FAULT_SP]
	mrs	x2, elr_el2
	str	x2, [x0, #FAULT_PC]
	mrs	x2, spsr_el2
	str	x2, [x0, #FAULT_PSTATE]
	mrs	x2, esr_el2
	str	x2, [x0, #FAULT_ESR]
	mrs	x2, far_el2
	str	x2, [x0, #FAULT_FAR]
	mrs	x1, tpidrro_el0
	mrs	x2, tpidr_el2
	ldr	x3, [x2, #CPU_FAULT_STACK]
	mov	sp, x3
	bl	el2_fault
	b	.
endfunc fault_save

/* vreg_get(n, value) and vreg_set(n, value): a jump into a row of load or store and return. */
	.arch	armv8-a+fp
	.macro	vreg_table name, op
func \name
	adr	x2, 1f
	add	x2, x2, w0, uxtw #3
	br	x2
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	q\n, [x1]
	ret
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	q\n, [x1]
	ret
	.endr
endfunc \name
	.endm

	vreg_table vreg_get, str
	vreg_table vreg_set, ldr
