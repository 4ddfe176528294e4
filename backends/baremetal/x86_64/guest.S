/* SPDX-License-Identifier: MIT */
/*
 * Into a guest and out of it. VMRUN keeps the host's stack pointer and rax, and loads and saves the
 * guest's rax and rsp by the VMCB; VMLOAD and VMSAVE switch FS, GS, TR, LDTR and the MSRs of system
 * calls; all other registers are ours to switch. GIF is clear all the time that this is ours, and IF
 * set, which is what lets an interrupt end the guest's turn.
 *
 * An exit calls C on this very stack: first exit(), core's door as a rule, and unless that says to go on
 * and there is nothing else to do, settle(). So C's own registers are saved once per guest_run(), not once
 * per exit.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

/* The frame. */
#define FRAME_VCPU      0
#define FRAME_VMCB      8
#define FRAME_HOST_VMCB 16
#define FRAME_EXIT      24
#define FRAME_SIZE      40

/* guest_run(vcpu, vmcb, host_vmcb, exit) */
func guest_run
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$FRAME_SIZE, %rsp
	mov	%rdi, FRAME_VCPU(%rsp)
	mov	%rsi, FRAME_VMCB(%rsp)
	mov	%rdx, FRAME_HOST_VMCB(%rsp)
	mov	%rcx, FRAME_EXIT(%rsp)

	/* rdi = the vCPU */
guest_enter:
	mov	FRAME_VMCB(%rsp), %rax
	mov	R_RAX(%rdi), %rcx
	mov	R_RSP(%rdi), %rdx
	mov	%rcx, VMCB_RAX(%rax)
	mov	%rdx, VMCB_RSP(%rax)
	mov	R_RCX(%rdi), %rcx
	mov	R_RDX(%rdi), %rdx
	mov	R_RBX(%rdi), %rbx
	mov	R_RBP(%rdi), %rbp
	mov	R_RSI(%rdi), %rsi
	mov	R_R8(%rdi), %r8
	mov	R_R9(%rdi), %r9
	mov	R_R10(%rdi), %r10
	mov	R_R11(%rdi), %r11
	mov	R_R12(%rdi), %r12
	mov	R_R13(%rdi), %r13
	mov	R_R14(%rdi), %r14
	mov	R_R15(%rdi), %r15
	mov	R_RDI(%rdi), %rdi
	vmload
	vmrun
guest_exit:
	vmsave
	push	%rdi
	mov	8 + FRAME_VCPU(%rsp), %rdi
	pop	R_RDI(%rdi)
	mov	%rcx, R_RCX(%rdi)
	mov	%rdx, R_RDX(%rdi)
	mov	%rbx, R_RBX(%rdi)
	mov	%rbp, R_RBP(%rdi)
	mov	%rsi, R_RSI(%rdi)
	mov	%r8, R_R8(%rdi)
	mov	%r9, R_R9(%rdi)
	mov	%r10, R_R10(%rdi)
	mov	%r11, R_R11(%rdi)
	mov	%r12, R_R12(%rdi)
	mov	%r13, R_R13(%rdi)
	mov	%r14, R_R14(%rdi)
	mov	%r15, R_R15(%rdi)
	mov	VMCB_RAX(%rax), %rcx
	mov	VMCB_RSP(%rax), %rdx
	mov	%rcx, R_RAX(%rdi)
	mov	%rdx, R_RSP(%rdi)
	mov	FRAME_HOST_VMCB(%rsp), %rax
	vmload
	call	*FRAME_EXIT(%rsp)
	mov	FRAME_VCPU(%rsp), %rdi
	mov	%eax, %esi
	or	VCPU_TODO(%rdi), %eax
	jz	guest_enter
	call	settle
	mov	FRAME_VCPU(%rsp), %rdi
	test	%al, %al
	jnz	guest_enter

	add	$FRAME_SIZE, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
endfunc guest_run

	.section .note.GNU-stack, "", %progbits
