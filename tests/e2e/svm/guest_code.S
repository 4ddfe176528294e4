/* SPDX-License-Identifier: MIT */
/* What runs in the guest in the tests of entry, exit and the TLB: position-independent, one page. */
	.section .rodata
	.balign	4096
	.globl	cpu_guest_code
cpu_guest_code:
	vmmcall				/* 0x00: nothing but an exit */
	jmp	cpu_guest_code
	.balign	16
	mov	(%rbx), %rax		/* 0x10: load */
	vmmcall
	.balign	16
	mov	%rax, (%rbx)		/* 0x20: store */
	vmmcall
	.balign	16
	call	*%rbx			/* 0x30: fetch; its stack is behind this page's code */
	vmmcall
	.balign	4096

	.section .note.GNU-stack, "", %progbits
