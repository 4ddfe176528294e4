/* SPDX-License-Identifier: MIT */
/*
 * From long mode down to real mode and back, and something to do in each mode on the way. The code
 * that runs in 16 bits is copied to REAL, as is what it finds there: real.c's struct results.
 */

#define REAL 0x9000
#define STACK 0x7000
#define CODE64 0x08
#define DATA 0x10
#define CODE32 0x28
#define CODE16 0x30
#define DATA16 0x38
#define MSR_EFER 0xc0000080
#define LAPIC_VERSION 0xfee00030
#define SCRATCH 0x3ff
#define AT(label) (REAL + label - real_start)
#define IN_SEGMENT(label) (label - real_start)

	/* void real_run(void): interrupts are masked; the 8254 ticks, through the 8259. */
	.text
	.code64
	.global	real_run
real_run:
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	sidt	long_idt
	mov	%rsp, long_stack
	mov	%cr0, %rax
	mov	%rax, long_cr0
	mov	%cr4, %rax
	mov	%rax, long_cr4
	mov	$REAL, %edi			/* the code, and what it finds */
	mov	$real_start, %esi
	mov	$real_end - real_start, %ecx
	rep movsb
	lcall	*compatible_pointer
	mov	%eax, AT(got_compatible)
	ljmpl	*protected_pointer

	.code32
compatible:
	mov	LAPIC_VERSION, %eax
	lret

protected:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$MSR_EFER, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	xor	%eax, %eax
	mov	%eax, %cr4
	mov	LAPIC_VERSION, %eax
	mov	%eax, AT(got_protected)
	ljmp	$CODE16, $AT(protected_16)

	/* As SIPI's code does it, but with a stack and registers to come back to. */
protected_again:
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	long_cr4, %eax
	mov	%eax, %cr4
	mov	$tables, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	long_cr0, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $1f
	.code64
1:	mov	long_stack, %rsp
	lidt	long_idt
	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	ret

	.balign	16
compatible_pointer:
	.long	compatible, CODE32
protected_pointer:
	.long	protected, CODE32

/* ---- 16 bits ---- */

	.code16
real_start:
protected_16:
	mov	$DATA, %ax			/* its limit stays, in real mode too */
	mov	%ax, %fs
	mov	$LAPIC_VERSION, %edi
	mov	%fs:(%edi), %eax		/* 16-bit code in protected mode */
	mov	$DATA16, %bx
	mov	%bx, %ds
	mov	%bx, %es
	mov	%bx, %ss
	mov	%eax, AT(got_protected_16)
	mov	%cr0, %ecx
	and	$~1, %cl
	mov	%ecx, %cr0
	ljmp	$REAL >> 4, $IN_SEGMENT(real)
real:	mov	%cs, %ax
	mov	%ax, %ds
	xor	%ax, %ax
	mov	%ax, %es
	mov	%ax, %ss
	mov	$STACK, %sp
	lidtl	IN_SEGMENT(real_idt)

	/* An interrupt, by its instruction and by an exception. */
	movw	$IN_SEGMENT(count_soft), %es:0x40 * 4
	movw	$REAL >> 4, %es:0x40 * 4 + 2
	movw	$IN_SEGMENT(count_undefined), %es:6 * 4
	movw	$REAL >> 4, %es:6 * 4 + 2
	movw	$IN_SEGMENT(count_tick), %es:0x20 * 4
	movw	$REAL >> 4, %es:0x20 * 4 + 2
	int	$0x40
	int	$0x40
	ud2

	/* What exits: CPUID, ports, strings of them, RDMSR. */
	xor	%eax, %eax
	cpuid
	mov	%ebx, IN_SEGMENT(got_vendor)
	mov	$SCRATCH, %dx
	mov	$0x5a, %al
	out	%al, %dx
	xor	%ax, %ax
	in	%dx, %al
	mov	%ax, IN_SEGMENT(got_port)
	mov	$IN_SEGMENT(bytes), %si
	mov	$3, %cx
	cld
	rep outsb
	in	%dx, %al
	mov	%ax, IN_SEGMENT(got_string)
	mov	%si, IN_SEGMENT(got_si)
	mov	$0x1b, %ecx
	rdmsr
	mov	%eax, IN_SEGMENT(got_msr)

	/* Devices: above 1 MiB by FS's limit, and where a PC has a screen. */
	mov	$LAPIC_VERSION, %edi
	mov	%fs:(%edi), %eax
	mov	%eax, IN_SEGMENT(got_big)
	movl	$0x30, %fs:0x50(%edi)		/* TPR */
	mov	%fs:0x50(%edi), %eax
	mov	%eax, IN_SEGMENT(got_stored)
	movl	$0, %fs:0x50(%edi)
	mov	$0xa000, %ax
	mov	%ax, %gs
	movw	$0x1234, %gs:0x10(%bx)
	mov	%gs:0x10, %ax
	mov	%ax, IN_SEGMENT(got_screen)
	mov	%cs:IN_SEGMENT(bytes), %al	/* memory in the code's segment */
	mov	%al, IN_SEGMENT(got_code)

	/* Ticks: by HLT, and in a loop. */
1:	sti
	hlt
	cli
	cmpw	$3, IN_SEGMENT(got_ticks)
	jb	1b
	sti
1:	cmpw	$6, IN_SEGMENT(got_ticks)
	jb	1b
	/* STI's shadow, and MOV SS's: in real mode stacks are switched like this. */
	mov	$2000, %cx
1:	mov	$0x600, %ax
	mov	%ax, %ss
	mov	$0x1000, %sp
	xor	%ax, %ax
	mov	%ax, %ss
	mov	$STACK, %sp
	loop	1b
	cli

	lgdtl	IN_SEGMENT(real_gdt)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CODE32, $protected_again

count_soft:
	incw	%cs:IN_SEGMENT(got_soft)
	iret
count_undefined:
	incw	%cs:IN_SEGMENT(got_undefined)
	push	%bp
	mov	%sp, %bp
	addw	$2, 2(%bp)
	pop	%bp
	iret
count_tick:
	push	%ax
	incw	%cs:IN_SEGMENT(got_ticks)
	mov	$0x20, %al
	out	%al, $0x20
	pop	%ax
	iret

bytes:	.byte	0x11, 0x22, 0x33
	.balign	8
real_idt:
	.word	0x3ff
	.long	0
	.balign	8
real_gdt:
	.word	0x3f
	.long	gdt

	.balign	8
results:
got_compatible:	.long	0
got_protected:	.long	0
got_protected_16: .long	0
got_vendor:	.long	0
got_msr:	.long	0
got_big:	.long	0
got_stored:	.long	0
got_port:	.word	0
got_string:	.word	0
got_si:		.word	0
got_screen:	.word	0
got_code:	.word	0
got_soft:	.word	0
got_undefined:	.word	0
got_ticks:	.word	0
real_end:

	.section .rodata
	.balign	4
	.global	real_results, real_bytes_end
real_results:
	.long	AT(results)
real_bytes_end:
	.long	IN_SEGMENT(bytes) + 3

	.bss
	.balign	8
long_stack:
	.quad	0
long_cr0:
	.quad	0
long_cr4:
	.quad	0
long_idt:
	.skip	10
