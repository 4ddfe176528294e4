/* SPDX-License-Identifier: MIT */
/*
 * Where our own exceptions and interrupts come in. Exceptions are the end: they are dumped, on a
 * stack of their own (IST). Interrupts are let in only where C expects them, so they run on its
 * stack, and save what C does not.
 */
#include "asm.h"
#include "macros.inc"

#define EXCEPTIONS 32
/* Those for which the CPU pushes an error code (APM2 8.2): 8, 10-14, 17, 21, 29, 30. */
#define WITH_ERROR 0x60227d00

	.text
	/* One after the other, EXCEPTION_STRIDE bytes each; idt.c knows them by their number. */
	.balign	16
	.globl	exception_stubs
exception_stubs:
	.set	n, 0
	.rept	EXCEPTIONS
	.balign	16
	.if	((WITH_ERROR >> n) & 1) == 0
	push	$0
	.endif
	push	$n
	jmp	exception
	.set	n, n + 1
	.endr

/* The whole record, last word first. */
exception:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	$0
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	cld
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	bm_fault

	/* An interrupt of ours, and the function that handles it. */
	.macro	interrupt name, handler
func \name
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	cld
	call	\handler
	mov	%rbp, %rsp
	pop	%rbp
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq
endfunc \name
	.endm

	interrupt irq_uart_entry, irq_uart
	interrupt irq_timer_entry, irq_timer
	interrupt irq_kick_entry, irq_kick

func irq_spurious_entry
	iretq
endfunc irq_spurious_entry

	.section .note.GNU-stack, "", %progbits
