/* SPDX-License-Identifier: MIT */
/* chaos_run(): see chaos.c. What it must find again is in memory, as no register is its own. */

	.text
	.macro	kept op
	.set	at, 0
	.irp	n, 1, 2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	\op	x\n, at(t0)
	.set	at, at + 8
	.endr
	.endm

	.global	chaos_run
chaos_run:
	la	t0, chaos_kept
	kept	sd
	csrr	t1, stvec
	sd	t1, 128(t0)
	csrr	t1, sscratch
	sd	t1, 136(t0)
	csrw	sepc, a0
	csrw	sstatus, a2
	mv	x31, a1
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ld	x\n, 8 * \n(x31)
	.endr
	sret

	/* The exception handler sends what must stop here, in S-mode with interrupts masked. */
	.global	chaos_left
chaos_left:
	csrw	satp, zero
	sfence.vma
	la	t0, chaos_kept
	ld	t1, 128(t0)
	csrw	stvec, t1
	ld	t1, 136(t0)
	csrw	sscratch, t1
	kept	ld
	ret

	.bss
	.balign 16
chaos_kept:
	.space	144
