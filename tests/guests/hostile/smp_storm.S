/* SPDX-License-Identifier: MIT */
/* Where CPU_ON sends a CPU, with its struct start in x0: see smp_storm.c. */

	.text
	.global	smp_entry
smp_entry:
	ldp	x1, x2, [x0]
	mov	x3, #(3 << 20)
	msr	cpacr_el1, x3
	msr	vbar_el1, x2
	msr	spsel, #1
	isb
	mov	sp, x1
	bl	smp_main
1:	wfi
	b	1b
