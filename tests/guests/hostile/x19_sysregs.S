/* SPDX-License-Identifier: MIT */
/* x19_run() and x19_keep: see x19_sysregs.c. x19 to x25 are the run's own, as no encoding names them. */

	.text
	/* void x19_run(const uint32_t *code, uint64_t value, uint64_t *values) */
	.global	x19_run
x19_run:
	stp	x19, x20, [sp, #-80]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x30, [sp, #48]
	str	x29, [sp, #64]
	adr	x20, 1f
	mov	x21, x1
	mov	x22, x2
	mov	x23, sp
	mrs	x24, vbar_el1
	mrs	x25, cpacr_el1
	br	x0
1:	msr	mdscr_el1, xzr
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x30, [sp, #48]
	ldr	x29, [sp, #64]
	ldp	x19, x20, [sp], #80
	ret

	/* After a write: the guest's own state as it was. */
	.global	x19_keep
x19_keep:
	msr	spsel, #1
	msr	daifset, #15
	msr	vbar_el1, x24
	msr	cpacr_el1, x25
	mov	sp, x23
	isb
	mov	x1, x21
	ret
