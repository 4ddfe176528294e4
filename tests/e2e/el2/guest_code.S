/* SPDX-License-Identifier: MIT */
/* What runs at EL1 in the tests of entry, exit and the TLB: position-independent, one page. */
	.section .rodata
	.balign	4096
	.globl	cpu_guest_code
cpu_guest_code:
	hvc	#0			/* 0x00: nothing but an exit */
	b	cpu_guest_code
	ldr	x0, [x1]		/* 0x08: load */
	hvc	#1
	b	.
	str	x0, [x1]		/* 0x14: store */
	hvc	#2
	b	.
	blr	x1			/* 0x20: fetch */
	hvc	#3
	b	.
	.balign	4096
