/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores of a device through each register. tp and sp too: interrupts are masked, and the
 * trap vector has its own.
 */
	.option	norvc
	.text

	.macro	save
	addi	sp, sp, -128
	.set	at, -8
	.irp	n, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	.set	at, at + 8
	sd	x\n, at(sp)
	.endr
	la	t0, saved_sp
	sd	sp, (t0)
	.endm

	/* a0 = what to read; each register's value goes to mmio_loaded[]. */
	.global	mmio_load_all
mmio_load_all:
	save
	mv	t6, a0
	la	t5, mmio_loaded
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	lw	x\n, (t6)
	sd	x\n, 8 * \n(t5)
	.endr
	lw	t5, (t6)
	la	t4, mmio_loaded
	sd	t5, 240(t4)
	lw	t6, (t6)		/* base and destination at once */
	sd	t6, 248(t4)
	j	restore

	/* a0 = what to write and to read back: 0x100 + the register's number, through each register. */
	.global	mmio_store_all
mmio_store_all:
	save
	mv	t6, a0
	la	t5, mmio_loaded
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	li	x\n, 0x100 + \n
	sw	x\n, (t6)
	lw	x\n, (t6)
	sd	x\n, 8 * \n(t5)
	.endr
	li	t5, 0x100 + 30
	sw	t5, (t6)
	lw	t5, (t6)
	la	t4, mmio_loaded
	sd	t5, 240(t4)
	mv	t5, t6
	li	t6, 0x100 + 31
	sw	t6, (t5)
	lw	t6, (t5)
	sd	t6, 248(t4)

restore:
	la	t0, saved_sp
	ld	sp, (t0)
	.set	at, -8
	.irp	n, 1, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	.set	at, at + 8
	ld	x\n, at(sp)
	.endr
	addi	sp, sp, 128
	ret

	/* uint64_t mmio_load_at_border(uint64_t from): a load of 32 bits whose halves are in two pages. */
	.balign	4096
	.option	rvc
	.space	4096 - 4
	.global	mmio_load_at_border
mmio_load_at_border:
	c.nop
	.option	norvc
	lw	a0, (a0)
	ret

	.bss
	.balign	8
saved_sp:
	.quad	0
	.global	mmio_loaded
mmio_loaded:
	.space	32 * 8
