/* SPDX-License-Identifier: MIT */
/* Where harts begin: a0 = hart, a1 = its struct hart, whose first words say what was found. */

	.text
	.macro	note_state
	sd	a0, 0(a1)
	csrr	t0, satp
	csrr	t1, sstatus
	andi	t1, t1, 2		/* SIE */
	or	t0, t0, t1
	sd	t0, 8(a1)
	.endm

	.global	smp_start
smp_start:
	note_state
	la	a1, smp_main
	j	hart_entry

	/* A hart comes back from a suspension that kept nothing. */
	.global	smp_resume
smp_resume:
	note_state
	la	a1, smp_resumed
	j	hart_entry
