/* SPDX-License-Identifier: MIT */
/*
 * uint64_t x20_run(const uint32_t *code, uint64_t value): runs one instruction on a0, which is
 * `value` before, and returns a0. What it may have changed of the guest's own state is put back.
 */
	.text
	.global	x20_run
x20_run:
	csrr	t0, stvec
	csrr	t1, sscratch
	csrr	t2, sie
	csrr	t3, sstatus
	mv	t4, ra
	mv	t5, a0
	mv	a0, a1
	jalr	t5
	csrw	sstatus, t3
	csrw	stvec, t0
	csrw	sscratch, t1
	csrw	sie, t2
	csrw	satp, zero
	csrw	sip, zero
	mv	ra, t4
	ret
