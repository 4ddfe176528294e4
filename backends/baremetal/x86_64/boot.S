/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to C. Two ways in, both in 32-bit protected mode without paging: PVH (an ELF
 * note says where; Xen's x86/HVM direct boot ABI: ebx = its start info), and multiboot 1 (eax = its
 * magic number, ebx = its information), whose header stands near the image's start. There we turn long
 * mode on with boot tables: the first 4 GiB, each address to itself. C never runs without.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003	/* modules on pages, memory map, addresses below */

#define CPUID_EXTENDED 0x80000001
#define CPUID_LM       (1 << 29)
#define CPUID_NX       (1 << 20)

#define PTE_TABLE 0x003			/* present, writable */
#define PTE_2M    0x083			/* a leaf of 2 MiB */

#define COM1      0x3f8
#define COM1_LSR  0x3fd
#define LSR_THRE  0x20

	.section .head, "ax"
	.code32
	.globl	boot_pvh
boot_pvh:
	mov	$BOOT_PVH, %ebp
	jmp	boot
	.balign	4
multiboot_header:
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.long	multiboot_header
	.long	image_start
	.long	file_end
	.long	image_end
	.long	boot_multiboot

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 8, 18		/* sizes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	boot_pvh

	.section .rodata.boot, "a"
	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SEL_CODE: 64-bit, "accessed" so that nobody writes it */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
boot_gdt_end:
boot_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt
no_long_mode:
	.asciz	"drydock: log the CPU has no long mode with NX\n"

	.section .bss.boot, "aw", %nobits
	.balign	4096
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096

	.code32
	.text
boot_multiboot:
	mov	$BOOT_MULTIBOOT, %ebp
boot:	cli
	cld
	mov	$bss_start, %edi
	mov	$bss_end, %ecx
	sub	%edi, %ecx
	shr	$2, %ecx
	xor	%eax, %eax
	rep stosl

	mov	%ebx, %esi		/* CPUID wants ebx */
	mov	$CPUID_EXTENDED, %eax
	cpuid
	and	$(CPUID_LM | CPUID_NX), %edx
	cmp	$(CPUID_LM | CPUID_NX), %edx
	jne	boot_refuse

	movl	$(boot_pdpt + PTE_TABLE), boot_pml4
	mov	$(boot_pd + PTE_TABLE), %eax
	mov	$boot_pdpt, %edi
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$4096, %eax
	add	$8, %edi
	loop	1b
	mov	$PTE_2M, %eax
	mov	$boot_pd, %edi
	mov	$(4 * 512 / 8), %ecx
2:	.set	entry, 0
	.rept	8
	mov	%eax, entry(%edi)
	add	$0x200000, %eax
	.set	entry, entry + 8
	.endr
	add	$64, %edi
	loop	2b

	mov	$CR4_OURS, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	$CR0_OURS, %eax
	mov	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$SEL_CODE, $boot_long

/* Nobody else can say it. */
boot_refuse:
	mov	$no_long_mode, %esi
3:	lodsb
	test	%al, %al
	jz	5f
	mov	%al, %ah
	mov	$COM1_LSR, %dx
4:	in	%dx, %al
	test	$LSR_THRE, %al
	jz	4b
	mov	%ah, %al
	mov	$COM1, %dx
	out	%al, %dx
	jmp	3b
5:	hlt
	jmp	5b

	.code64
	/* Data segments, none of the old ones. */
	.macro	segments_load
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	lldt	%ax
	.endm

boot_long:
	segments_load
	mov	$(cpu_slots + CPU_SLOT_STACK_END), %rsp
	mov	%ebp, %edi
	mov	%esi, %esi
	xor	%ebp, %ebp
	call	bm_boot

/*
 * A CPU that we started: trampoline.S brought it here in long mode on our final translation. One
 * starts at a time.
 */
func boot_secondary
	segments_load
	mov	boot_cpu, %rdi
	mov	$(CPU_SLOT_CPU - CPU_SLOT_STACK_END), %eax
	mov	%rdi, %rsp
	sub	%rax, %rsp
	xor	%ebp, %ebp
	call	bm_secondary
endfunc boot_secondary

/*
 * Where the CPU starts after INIT and SIPI: in real mode, on a page below 1 MiB to which this is
 * copied. From there right into long mode.
 */
	.section .rodata.trampoline, "a"
	.code16
	.globl	trampoline, trampoline_cr3, trampoline_end
trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	(trampoline_gdtr - trampoline)
	mov	$CR4_OURS, %eax
	mov	%eax, %cr4
	mov	(trampoline_cr3 - trampoline), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov	$CR0_OURS, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE, $boot_secondary
	.balign	4
trampoline_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt
	.balign	4
trampoline_cr3:
	.long	0
trampoline_end:

	.section .note.GNU-stack, "", %progbits
