/* SPDX-License-Identifier: MIT */
/* x87, SSE and AVX: all from, and to, a struct state of fp.c's, which rdi points to. */

#define ST 512
#define MXCSR 520
#define FCW 524

	.macro	all op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	\n
	.endr
	.endm

	.macro	get_x n
	movups	32 * \n(%rdi), %xmm\n
	.endm
	.macro	put_x n
	movups	%xmm\n, 32 * \n(%rdi)
	.endm
	.macro	get_y n
	vmovups	32 * \n(%rdi), %ymm\n
	.endm
	.macro	put_y n
	vmovups	%ymm\n, 32 * \n(%rdi)
	.endm

	.text
	.global	fp_load, fp_load_sse, fp_store, fp_store_sse
fp_load:
	all	get_y
	jmp	1f
fp_load_sse:
	all	get_x
1:	fninit
	fldcw	FCW(%rdi)
	fldl	ST(%rdi)
	ldmxcsr	MXCSR(%rdi)
	ret

fp_store:
	all	put_y
	jmp	1f
fp_store_sse:
	all	put_x
1:	movl	$0, FCW(%rdi)
	fnstcw	FCW(%rdi)
	fstpl	ST(%rdi)
	stmxcsr	MXCSR(%rdi)
	ret
