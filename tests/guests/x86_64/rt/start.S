/* SPDX-License-Identifier: MIT */
/*
 * The ways in: 64-bit code with paging on, flat; 32-bit code without, by PVH; and real mode, of CPUs
 * that cpu_start() starts. All come to long mode with our own tables, and from there to C. And the
 * gates of all 256 vectors.
 */

#define STACK_SHIFT 14 /* rt.c and guest.ld know them too */
#define CODE64 0x08
#define DATA 0x10
#define CODE32 0x28
#define TASKS 0x40 /* a task's descriptor has 16 bytes */
#define CR4_PAE 0x20
#define CR0_PG_MP_PE 0x80000013 /* and ET */
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900

	.section .text.start, "ax"
	.code64
	.global _start
_start:
	rdtsc
	mov	%eax, entry_count
	mov	%edx, entry_count + 4
	mov	%rbx, boot_info
	lgdt	gdt_pointer
	mov	$tables, %eax
	mov	%rax, %cr3
	mov	$stacks + (1 << STACK_SHIFT), %esp
	pushq	$CODE64
	pushq	$first_cpu
	lretq

	.code32
	.global	pvh_entry
pvh_entry:
	rdtsc
	mov	%eax, entry_count
	mov	%edx, entry_count + 4
	mov	%ebx, boot_info
	lgdt	gdt_pointer
	ljmp	$CODE32, $1f
1:	mov	$DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	$stacks + (1 << STACK_SHIFT), %esp
	mov	$first_cpu, %edi
	/* fall through */

	/* edi = where 64-bit code goes on. */
long_mode:
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$tables, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_LME_NXE, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_PG_MP_PE, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $1f
	.code64
1:	mov	%edi, %edi
	jmp	*%rdi

first_cpu:
	call	flat_segments
	mov	$bss_start, %edi
	mov	$bss_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	cld
	rep stosb
	xor	%edi, %edi
	call	cpu_init
	mov	boot_info, %rdi
	call	guest_main
	call	finish
1:	hlt
	jmp	1b

flat_segments:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	ret

/* ---- CPUs that are started: this is copied to low memory, where SIPI's vector points to ---- */

	.code16
	.global	sipi_start, sipi_end
sipi_start:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	sipi_gdt_pointer - sipi_start
	mov	$0x11, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32, $sipi_protected
	.balign	8
sipi_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
sipi_end:

	.code32
sipi_protected:
	mov	$DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	/* Its number: CPUs are started one after the other. */
	mov	$1, %esi
	lock xadd %esi, cpus_started
	mov	%esi, %esp
	inc	%esp
	shl	$STACK_SHIFT, %esp
	add	$stacks, %esp
	mov	$other_cpu, %edi
	jmp	long_mode

	.code64
other_cpu:
	call	flat_segments
	mov	%esi, %edi
	call	cpu_init
	call	cpu_main
1:	hlt
	jmp	1b

/* ---- gates ---- */

	/* Pushes what the CPU did not: an error code of 0, then the vector. */
	.balign	16
	.global	gates
gates:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	common
	.set	vector, vector + 1
	.endr

	.macro	all op, from, step
	.set	at, \from
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	\op	\reg
	.endr
	.endm

	/* The order of struct guest_frame: general registers as they are numbered, without rsp. */
common:
	.irp	reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	push	%\reg
	.endr
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	guest_exception
	mov	%rbx, %rsp
	.global	frame_return
frame_return:
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pop	%\reg
	.endr
	add	$16, %rsp
	iretq

	/* void run_at_user(void (*code)(void), uint64_t stack): comes back at LEAVE_USER(). */
	.global	run_at_user
run_at_user:
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	pushfq
	mov	%rsp, user_return
	pushq	$0x1b
	pushq	%rsi
	pushq	$0x2
	pushq	$0x23
	pushq	%rdi
	iretq

	/* guest_exception() sends the return from CPL 3 here. */
	.global	user_returned
user_returned:
	mov	user_return, %rsp
	popfq
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	ret

/* ---- what the CPU is told ---- */

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 8, 18		/* "Xen", XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	pvh_entry

	.data
	.balign	16
	.global	gdt
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x10: data */
	.quad	0x00cff3000000ffff	/* 0x18: data at CPL 3 */
	.quad	0x00affb000000ffff	/* 0x20: 64-bit code at CPL 3 */
	.quad	0x00cf9b000000ffff	/* 0x28: 32-bit code */
	.quad	0x00009b000000ffff	/* 0x30: 16-bit code, at 0 */
	.quad	0x000093000000ffff	/* 0x38: 16-bit data, at 0 */
	.skip	8 * 16			/* 0x40: a task for each CPU */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.global	boot_info, entry_count, cpus_started
	.balign	8
boot_info:
	.quad	0
entry_count:
	.quad	0
cpus_started:
	.long	1

	/* The first 4 GiB, one to one, for everybody. */
	.balign	4096
	.global	tables
tables:
	.quad	directories + 7
	.skip	4096 - 8
directories:
	.set	n, 0
	.rept	4
	.quad	blocks + 4096 * n + 7
	.set	n, n + 1
	.endr
	.skip	4096 - 32
blocks:
	.set	n, 0
	.rept	2048
	.quad	n << 21 | 0x87
	.set	n, n + 1
	.endr

	.bss
	.balign	8
user_return:
	.quad	0
