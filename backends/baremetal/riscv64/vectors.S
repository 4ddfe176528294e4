/* SPDX-License-Identifier: MIT */
/*
 * Where exceptions come in: the way into a guest and out of it, and the way to our own dump.
 *
 * While a guest runs, sscratch points to its struct rv64_regs, whose `host` is the stack pointer of
 * guest_run(). An exit saves the guest's registers there and calls C on this very stack; C returns
 * the registers to enter with, or NULL to make guest_run() return. C keeps s0-s11 as they are and
 * is compiled to leave gp and tp alone, so on the ways that nobody looks at those, calls, interrupts
 * and plain accesses to devices, they stay the guest's in the CPU all along. C's own s0-s11 are
 * saved once per guest_run(), not once per exit.
 */
#include "asm_offsets.h"
#include "asm.h"
#include "macros.inc"

#define FRAME_REGS 0
#define FRAME_SELF 8 /* sscratch of the time that is ours */
#define FRAME_SAVE 16
#define FRAME_SIZE 128

/* By their numbers: ra, sp, t0-t2, a1-a7, t3-t6. a0 is x10; the others are KEPT. */
#define FLEETING 1, 2, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31

/* Back to the guest, a0 = its registers. */
	.macro	guest_enter
	ld	t0, REGS_PC(a0)
	csrw	sscratch, a0
	csrw	sepc, t0
	each	ld, a0, FLEETING
	ld	a0, 8 * 10(a0)
	sret
	.endm

	.macro	vector_entry name, suffix
	.text
	.balign	4
	.globl	\name
\name:
	csrrw	a0, sscratch, a0
	bltz	a0, own_trap
	each	sd, a0, FLEETING
	ld	sp, REGS_HOST(a0)
	csrr	a1, scause
	csrr	t1, sepc
	ld	t0, FRAME_SELF(sp)
	sd	t1, REGS_PC(a0)
	csrrw	t0, sscratch, t0
	sd	t0, 8 * 10(a0)
	.ifb	\suffix
	li	t1, CAUSE_LOAD_GUEST
	bne	a1, t1, 1f
	call	exit_load
	beqz	a0, device_again
	guest_enter
	.endif
1:	li	t1, CAUSE_VS_ECALL
	bne	a1, t1, 2f
	call	exit_call\suffix
	beqz	a0, guest_leave
	guest_enter
2:	bgez	a1, 3f
	call	exit_irq\suffix
	beqz	a0, guest_leave
	guest_enter
3:	.ifb	\suffix
	li	t1, CAUSE_STORE_GUEST
	bne	a1, t1, 4f
	call	exit_store
	beqz	a0, device_again
	guest_enter
	.endif
4:	each	sd, a0, KEPT
	call	exit_trap\suffix
	bnez	a0, guest_enter_all
	j	guest_leave_saved
	.endm

	vector_entry vector
	/* The same with the time spent on either side counted. */
	vector_entry vector_timed, _timed

/* More than a plain access to a device, or a reason to leave: with all registers there. */
func device_again
	ld	a0, FRAME_REGS(sp)
	each	sd, a0, KEPT
	call	exit_again
	bnez	a0, guest_enter_all
	j	guest_leave_saved
endfunc device_again

/* guest_run(regs): enters the guest; returns when a handler returned NULL. */
func guest_run
	addi	sp, sp, -FRAME_SIZE
	sd	ra, FRAME_SAVE(sp)
	sd	s0, FRAME_SAVE + 8(sp)
	sd	s1, FRAME_SAVE + 16(sp)
	sd	s2, FRAME_SAVE + 24(sp)
	sd	s3, FRAME_SAVE + 32(sp)
	sd	s4, FRAME_SAVE + 40(sp)
	sd	s5, FRAME_SAVE + 48(sp)
	sd	s6, FRAME_SAVE + 56(sp)
	sd	s7, FRAME_SAVE + 64(sp)
	sd	s8, FRAME_SAVE + 72(sp)
	sd	s9, FRAME_SAVE + 80(sp)
	sd	s10, FRAME_SAVE + 88(sp)
	sd	s11, FRAME_SAVE + 96(sp)
	csrr	t0, sscratch
	sd	a0, FRAME_REGS(sp)
	sd	t0, FRAME_SELF(sp)
	sd	sp, REGS_HOST(a0)
guest_enter_all:
	each	ld, a0, KEPT
	guest_enter
guest_leave:
	ld	a0, FRAME_REGS(sp)
	each	sd, a0, KEPT
guest_leave_saved:
	ld	ra, FRAME_SAVE(sp)
	ld	s0, FRAME_SAVE + 8(sp)
	ld	s1, FRAME_SAVE + 16(sp)
	ld	s2, FRAME_SAVE + 24(sp)
	ld	s3, FRAME_SAVE + 32(sp)
	ld	s4, FRAME_SAVE + 40(sp)
	ld	s5, FRAME_SAVE + 48(sp)
	ld	s6, FRAME_SAVE + 56(sp)
	ld	s7, FRAME_SAVE + 64(sp)
	ld	s8, FRAME_SAVE + 72(sp)
	ld	s9, FRAME_SAVE + 80(sp)
	ld	s10, FRAME_SAVE + 88(sp)
	ld	s11, FRAME_SAVE + 96(sp)
	addi	sp, sp, FRAME_SIZE
	ret
endfunc guest_run

/*
 * An exception of our own, a0 = the complement of this CPU's record. A hypervisor load or store that
 * faults, which a guest can bring about, is skipped: its register stays as it was, and the CSRs say
 * why. All else is the end. sscratch is right again before the first access to memory.
 */
func own_trap
	not	a0, a0
	sd	t0, CPU_FAULT + 8 * 5(a0)
	not	t0, a0
	csrrw	t0, sscratch, t0
	sd	t0, CPU_FAULT + 8 * 10(a0)
	sd	t1, CPU_FAULT + 8 * 6(a0)
	csrr	t1, scause
	bltz	t1, fault_save
	csrr	t0, sepc
	lla	t1, image_start
	bltu	t0, t1, fault_save
	lla	t1, text_end
	bgeu	t0, t1, fault_save
	lhu	t0, (t0)
	li	t1, INSN_HLS_MASK
	and	t0, t0, t1
	li	t1, INSN_HLS
	bne	t0, t1, fault_save
	csrr	t0, sepc
	addi	t0, t0, 4
	csrw	sepc, t0
	li	t0, HSTATUS_SPV		/* OpenSBI 1.1 leaves it when it hands an access fault on */
	csrc	hstatus, t0
	ld	t0, CPU_FAULT + 8 * 5(a0)
	ld	t1, CPU_FAULT + 8 * 6(a0)
	ld	a0, CPU_FAULT + 8 * 10(a0)
	sret
endfunc own_trap

/* Our own fault, a0 = the CPU's record, which has t0, t1 and a0: the rest, then C on its stack. */
func fault_save
	mv	t0, a0
	addi	a0, a0, CPU_FAULT
	each	sd, a0, 1, 2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19
	each	sd, a0, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	csrr	t1, sepc
	sd	t1, FAULT_PC(a0)
	csrr	t1, sstatus
	sd	t1, FAULT_SSTATUS(a0)
	csrr	t1, scause
	sd	t1, FAULT_SCAUSE(a0)
	csrr	t1, stval
	sd	t1, FAULT_STVAL(a0)
	li	t1, CPU_SLOT_CPU - CPU_SLOT_FAULT_STACK_END
	sub	sp, t0, t1
	call	hs_fault
endfunc fault_save

/* Everything is overwritten; of D registers only that NaN-boxed zero is left. */
	.option	arch, +f
func fp_clear
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	fmv.w.x	f\n, zero
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fmv.w.x	f\n, zero
	.endr
	fscsr	zero
	ret
endfunc fp_clear

	.option	arch, +v
func vector_clear
	vsetvli	t0, zero, e8, m8, ta, ma
	vmv.v.i	v0, 0
	vmv.v.i	v8, 0
	vmv.v.i	v16, 0
	vmv.v.i	v24, 0
	csrw	vstart, zero
	csrw	vcsr, zero
	vsetvli	zero, zero, e8, m1, ta, ma
	ret
endfunc vector_clear
