/* SPDX-License-Identifier: MIT */
/* With a vector of their own, to which the access's fault goes: a0 is the answer. */
#include "macros.inc"

	.macro	look name, op:vararg
func \name
	lla	t0, 1f
	csrrw	t0, stvec, t0
	mv	t1, a0
	li	a0, 0
	\op
	li	a0, 1
	.balign	4
1:	csrw	stvec, t0
	ret
endfunc \name
	.endm

	look	look_read, lbu zero, (t1)
	look	look_write, amoor.d zero, zero, (t1)
