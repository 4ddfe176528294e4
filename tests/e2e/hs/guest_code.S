/* SPDX-License-Identifier: MIT */
/* What runs in VS-mode in the tests of entry, exit and the TLB: position-independent, one page. */
	.section .rodata
	.option	norvc
	.balign	4096
	.globl	cpu_guest_code
cpu_guest_code:
	ecall				/* 0x00: nothing but an exit */
	j	cpu_guest_code
	ld	a0, (a1)		/* 0x08: load */
	ecall
	j	.
	sd	a0, (a1)		/* 0x14: store */
	ecall
	j	.
	fence.i				/* 0x20: fetch */
	jalr	ra, (a1)
	ecall
	j	.
	.balign	4096

	.text
	.option	arch, +d
	.globl	fregs_get, fregs_set
/* fregs_get(uint64_t f[32]), fregs_set(const uint64_t f[32]) */
fregs_get:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	fsd	f\n, 8 * \n(a0)
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fsd	f\n, 8 * \n(a0)
	.endr
	ret
fregs_set:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	fld	f\n, 8 * \n(a0)
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fld	f\n, 8 * \n(a0)
	.endr
	ret
