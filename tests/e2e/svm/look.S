/* SPDX-License-Identifier: MIT */
/* rdi is the address; al is the answer, which a page fault takes back. */
#include "macros.inc"

	.macro	look name, op:vararg
func \name
	mov	$1, %eax
	lea	1f(%rip), %rsi
	\op
1:	ret
endfunc \name
	.endm

	look	look_read, movb (%rdi), %cl
	look	look_write, lock orb $0, (%rdi)

/* On the stack: error code, and where to return. */
func look_fault
	xor	%eax, %eax
	add	$8, %rsp
	mov	%rsi, (%rsp)
	iretq
endfunc look_fault

	.section .note.GNU-stack, "", %progbits
