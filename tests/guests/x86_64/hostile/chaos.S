/* SPDX-License-Identifier: MIT */
/* chaos_run(): see chaos.c. What it must find again is in memory, as no register is its own. */

	.text
	/* void chaos_run(const uint8_t *code, const uint64_t regs[16], uint64_t cs, uint64_t ss, uint64_t flags) */
	.global	chaos_run
chaos_run:
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	mov	%rsp, chaos_stack
	push	%rcx
	push	56(%rsi)		/* rsp */
	push	%r8
	push	%rdx
	push	%rdi
	mov	%rsi, %rax
	.set	at, 8
	.irp	reg, rcx, rdx, rbx, rbp, rsi, rdi
	mov	at(%rax), %\reg
	.set	at, at + 8
	.endr
	.set	at, 64
	.irp	reg, r8, r9, r10, r11, r12, r13, r14, r15
	mov	at(%rax), %\reg
	.set	at, at + 8
	.endr
	mov	(%rax), %rax
	iretq

	/* The exception handler sends what must stop here, at CPL 0 with interrupts masked. */
	.global	chaos_left
chaos_left:
	mov	chaos_stack, %rsp
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	cld
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	ret

	.bss
	.balign	8
chaos_stack:
	.quad	0
