/* SPDX-License-Identifier: MIT */
/*
 * Entry in S-mode with translation off, a0 = hart, a1 = address of the device tree; the entry of
 * harts that hart_start() starts; and the trap vector. tp is always the hart, and sscratch the top
 * of the stack that its traps go to, where the hart is written once more: guest code may have any
 * sp and tp when a trap comes.
 */

#define STACK_SHIFT 14 /* rt.c and guest.ld know them too */
#define TRAP_SHIFT 13
#define HARTS_MASK 7
#define FRAME 288

	.section .text.start, "ax"
	.global _start
_start:
	rdtime	s2
	mv	s0, a0
	mv	s1, a1
	la	t0, bss_start
	la	t1, bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, (t0)
	addi	t0, t0, 8
	j	1b
2:	jal	hart_init
	la	t0, boot_hart
	sd	s0, (t0)
	la	t0, boot_dtb
	sd	s1, (t0)
	la	t0, entry_count
	sd	s2, (t0)
	mv	a0, s1
	call	guest_main
	call	finish
3:	wfi
	j	3b

	/* a0 = hart, a1 = code. */
	.global	hart_entry
hart_entry:
	mv	s0, a0
	mv	s1, a1
	jal	hart_init
	jalr	s1
3:	wfi
	j	3b

	/* s0 = hart: sets tp, sp, sscratch and stvec. */
hart_init:
	mv	tp, s0
	andi	t0, s0, HARTS_MASK
	addi	t0, t0, 1
	slli	t1, t0, STACK_SHIFT
	la	sp, stacks
	add	sp, sp, t1
	slli	t1, t0, TRAP_SHIFT
	la	t2, trap_stacks
	add	t2, t2, t1
	addi	t2, t2, -16
	sd	tp, (t2)
	csrw	sscratch, t2
	la	t0, vector
	csrw	stvec, t0
	ret

	.macro	all_but_sp op
	.irp	n, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	x\n, 8 * \n(sp)
	.endr
	.endm

	/* Saves a struct guest_frame, calls guest_exception(frame), goes back to where the frame says. */
	.balign	4
	.global	vector
vector:
	csrrw	sp, sscratch, sp
	addi	sp, sp, -FRAME
	all_but_sp sd
	csrr	t0, sepc
	sd	t0, (sp)
	csrr	t0, sscratch
	sd	t0, 16(sp)
	csrr	t0, sstatus
	sd	t0, 256(sp)
	csrr	t0, scause
	sd	t0, 264(sp)
	csrr	t0, stval
	sd	t0, 272(sp)
	ld	tp, FRAME(sp)
	/* A trap within: it is a failure, and has half of the stack to say so. */
	li	t1, 1 << (TRAP_SHIFT - 1)
	sub	t0, sp, t1
	sd	tp, (t0)
	csrw	sscratch, t0
	mv	a0, sp
	call	guest_exception

	ld	t0, (sp)
	csrw	sepc, t0
	ld	t0, 256(sp)
	csrw	sstatus, t0
	addi	t0, sp, FRAME
	csrw	sscratch, t0
	all_but_sp ld
	ld	sp, 16(sp)
	sret

	/* void run_at_user(void (*code)(void), uint64_t stack): comes back at LEAVE_USER(). */
	.global	run_at_user
run_at_user:
	addi	sp, sp, -112
	.set	at, -8
	.irp	n, 1, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	.set	at, at + 8
	sd	x\n, at(sp)
	.endr
	la	t0, user_return_sp
	sd	sp, (t0)
	csrw	sepc, a0
	li	t0, 1 << 8
	csrc	sstatus, t0
	mv	sp, a1
	sret

	/* guest_exception() sends the return from U-mode here. */
	.global	user_returned
user_returned:
	la	t0, user_return_sp
	ld	sp, (t0)
	.set	at, -8
	.irp	n, 1, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	.set	at, at + 8
	ld	x\n, at(sp)
	.endr
	addi	sp, sp, 112
	ret

	.bss
	.balign 16
user_return_sp:
	.quad	0
	.global	boot_hart, boot_dtb, entry_count
boot_hart:
	.quad	0
boot_dtb:
	.quad	0
entry_count:
	.quad	0
