/* SPDX-License-Identifier: MIT */
/*
 * poison_NAME(): fill x1-x31 and f0-f31 with values of their own, do one thing that exits to the
 * hypervisor, and note in poison_x and poison_f what came back. Interrupts are masked.
 */
	.option	arch, +d
	.option	norvc

	.macro	general op, base
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	\op	x\n, 8 * \n(\base)
	.endr
	.endm

	.macro	floating op, base
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	f\n, 8 * \n(\base)
	.endr
	.endm

	.text
	.macro	poison name, prepare
	.global	\name
\name:
	la	t0, kept
	general	sd, t0
	la	x31, poison_fill_f
	floating fld, x31
	la	x31, poison_fill_x
	general	ld, x31
	ld	x31, 248(x31)
	\prepare
	j	note
	.endm

	poison	poison_ecall,	"li a6, 0; li a7, 0x10; ecall"
	poison	poison_putchar,	"li a0, 0x2e; li a7, 1; ecall"
	poison	poison_unknown,	"li a6, 0x77; li a7, 0x7654321; ecall"
	poison	poison_timer,	"li a0, -1; li a6, 0; li a7, 0x54494d45; ecall"
	poison	poison_load,	"li a1, 0x10001000; lw a0, (a1)"
	poison	poison_byte,	"li a1, 0x10000007; lb a0, (a1)"
	poison	poison_store,	"li a1, 0x0010100c; sw a2, (a1)"
	poison	poison_time,	"rdtime a0"
	poison	poison_illegal,	".4byte 0xffffffff"
	poison	poison_fault,	"li a1, 0x18000000; lw a0, (a1)"
	poison	poison_fence,	"li a0, 1; li a1, 0; li a2, 0; li a3, -1; li a6, 1; li a7, 0x52464e43; ecall"
	poison	poison_ipi,	"li a0, 0; li a1, 0; li a6, 0; li a7, 0x735049; ecall"
	poison	poison_wfi,	"wfi"

note:	csrw	sepc, x31		/* no register is free, and sepc is */
	la	x31, poison_x
	general	sd, x31
	csrr	x30, sepc
	sd	x30, 248(x31)
	la	x31, poison_f
	floating fsd, x31
	la	t0, kept
	general	ld, t0
	ret

	.bss
	.balign	8
kept:	.space	256
