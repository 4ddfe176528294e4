/* SPDX-License-Identifier: MIT */
/*
 * poison_NAME(): fill all general registers but rsp, and xmm0-xmm15, with values of their own, do
 * one thing that exits to the hypervisor, and note in poison_x and poison_v what came back, with the
 * flags. Interrupts are masked.
 */

	.macro	general op
	.set	at, 0
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	\op	\reg
	.set	at, at + 8
	.endr
	.endm
	.macro	put reg
	mov	%\reg, poison_x + at
	.endm
	.macro	get reg
	mov	poison_fill_x + at, %\reg
	.endm
	.macro	vectors op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	\n
	.endr
	.endm
	.macro	put_v n
	movups	%xmm\n, poison_v + 16 * \n
	.endm
	.macro	get_v n
	movups	poison_fill_v + 16 * \n, %xmm\n
	.endm

	.text
	.macro	poison name, prepare, what
	.global	\name
\name:
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	vectors	get_v
	pushq	$0xad7			/* all flags that arithmetic sets, DF not */
	andl	$~0x200, (%rsp)
	popfq
	general	get
	\prepare
	\what
	jmp	note
	.endm

	poison	poison_call,	"mov $0, %eax", vmmcall
	poison	poison_unknown,	"mov $0x77777777, %eax", vmmcall
	poison	poison_cpuid,	"mov $0, %eax; mov $0, %ecx", cpuid
	poison	poison_rdmsr,	"mov $0x1b, %ecx", rdmsr
	poison	poison_wrmsr,	"mov $0x277, %ecx; mov $0x00070406, %eax; mov $0x00070406, %edx", wrmsr
	poison	poison_in,	"mov $0x3ff, %edx", "in %dx, %al"
	poison	poison_out,	"mov $0x3ff, %edx", "out %al, %dx"
	poison	poison_insb,	"mov $0x3ff, %edx; mov $poison_byte, %edi; mov $2, %ecx", "rep insb"
	poison	poison_load,	"mov $0xfee00030, %edi", "mov (%rdi), %eax"
	poison	poison_byte_load, "mov $0xd0000000, %edi", "movsbq (%rdi), %rax"
	poison	poison_store,	"mov $0xfee00380, %edi", "mov %r12d, (%rdi)"
	poison	poison_stos,	"mov $0xd0000000, %edi; mov $3, %ecx", "rep stosq"
	poison	poison_hlt,	"mov $0xfee00380, %edi; movl $20000, (%rdi)", "sti; hlt; cli"
	poison	poison_cr8,	"mov %cr8, %rsi", "mov %rsi, %cr8"
	poison	poison_undefined, nop, stgi
	poison	poison_fault,	"mov $0x7fffffff, %ecx", rdmsr

note:	general	put
	pushfq
	pop	%rax
	mov	%rax, poison_flags
	vectors	put_v
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	ret
