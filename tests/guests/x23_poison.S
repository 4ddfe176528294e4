/* SPDX-License-Identifier: MIT */
/*
 * poison_hvc(), poison_load(), poison_store(), poison_sysreg(): fill x0-x30 and v0-v31 with values of their
 * own, do one thing that exits to the hypervisor, and note in poison_x and poison_v what came back.
 */
	.arch	armv8-a+fp

#define FRAME 352 /* x19-x30 at 0, then x0-x30 at 96; a multiple of 16 */

	.macro	fill
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movz	x0, #0x5600 + \n
	movk	x0, #0xf9f9, lsl #48
	stp	x0, x0, [sp, #96]
	ldr	q\n, [sp, #96]
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	movz	x\n, #0x1200 + \n
	movk	x\n, #0xa5a5, lsl #48
	.endr
	.endm

	.macro	poison name, prepare, insn
	.globl	\name
\name:
	sub	sp, sp, #FRAME
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	fill
	\prepare
	\insn
	stp	x0, x1, [sp, #96]
	stp	x2, x3, [sp, #112]
	stp	x4, x5, [sp, #128]
	stp	x6, x7, [sp, #144]
	stp	x8, x9, [sp, #160]
	stp	x10, x11, [sp, #176]
	stp	x12, x13, [sp, #192]
	stp	x14, x15, [sp, #208]
	stp	x16, x17, [sp, #224]
	stp	x18, x19, [sp, #240]
	stp	x20, x21, [sp, #256]
	stp	x22, x23, [sp, #272]
	stp	x24, x25, [sp, #288]
	stp	x26, x27, [sp, #304]
	stp	x28, x29, [sp, #320]
	str	x30, [sp, #336]
	b	note
	.endm

	.macro	call_version
	movz	x0, #0x8400, lsl #16 /* PSCI_VERSION */
	.endm
	.macro	uart_address
	movz	x1, #0x0900, lsl #16
	add	x1, x1, #0x18 /* PL011 flags: no side effect */
	.endm
	.macro	rtc_address
	movz	x1, #0x0901, lsl #16
	add	x1, x1, #0x04 /* PL031 match register */
	.endm
	.macro	nothing
	.endm

	.text
	poison	poison_hvc, call_version, "hvc #0"
	poison	poison_load, uart_address, "ldr w0, [x1]"
	poison	poison_store, rtc_address, "str w0, [x1]"
	poison	poison_sysreg, nothing, "mrs x0, id_aa64pfr0_el1"

note:	adrp	x0, poison_x
	add	x0, x0, :lo12:poison_x
	mov	x1, #0
1:	add	x2, sp, x1, lsl #3
	ldr	x3, [x2, #96]
	str	x3, [x0, x1, lsl #3]
	add	x1, x1, #1
	cmp	x1, #31
	b.ne	1b
	adrp	x0, poison_v
	add	x0, x0, :lo12:poison_v
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x0, #16 * \n]
	.endr
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	add	sp, sp, #FRAME
	ret
