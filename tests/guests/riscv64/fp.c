/* SPDX-License-Identifier: MIT */
/*
 * Floating point: its state in sstatus.FS and what it allows, registers that come back only when
 * they are used, as kernels with lazy switching have it, and exits between its instructions.
 */
#include "guest.h"

#define ROUNDS   2000u
#define ONE      0x3ff0000000000000u
#define POISON   0xfffbadbadbadbad0u
#define FS_OFF   0u
#define FS_INIT  1u
#define FS_CLEAN 2u
#define FS_DIRTY 3u
#define SD       (1ull << 63)

#define FP(insn) ".option push\n\t.option arch, +d\n\t" insn "\n\t.option pop"

static struct {
	uint64_t sum, one;
} saved;
static volatile unsigned switches, restores, others;

static unsigned fs(void)
{
	return CSR_GET(sstatus) >> 13 & 3;
}

static void set_fs(unsigned state)
{
	CSR_CLEAR_BITS(sstatus, SSTATUS_FS);
	CSR_SET_BITS(sstatus, (uint64_t)state << 13);
}

/* ---- what FS means ---- */

/* Each kind of instruction, after plain ones, which are done once. */
#define CHECK_TRAPS(name, insn)                                                                    \
	do {                                                                                       \
		uint64_t count_ = 0;                                                               \
		expect_trap();                                                                     \
		__asm__ volatile("addi %0, %0, 1\n\taddi %0, %0, 1\n\t" FP(insn)                   \
				 : "+r"(count_)                                                    \
				 : "r"(&saved)                                                     \
				 : "t0", "memory");                                                \
		check(name, trap_taken() && trap.cause == CAUSE_ILLEGAL && count_ == 2);           \
	} while (0)

static void off(void)
{
	set_fs(FS_OFF);
	CHECK_TRAPS("arithmetic traps", "fmul.d ft0, ft1, ft2");
	CHECK_TRAPS("a move traps", "fmv.x.d t0, ft0");
	CHECK_TRAPS("a load traps", "fld ft0, (%1)");
	if (!hart_is_unicorns()) { /* there it does not */
		CHECK_TRAPS("a compressed load traps", "mv a5, %1\n\tc.fld fa0, (a5)");
	}
	CHECK_TRAPS("a store traps", "fsd ft0, (%1)");
	CHECK_TRAPS("fcsr traps", "csrr t0, fcsr");
	CHECK_TRAPS("frm traps", "csrw frm, zero");
	check_eq("and it stays off", fs(), FS_OFF);
}

static void states(void)
{
	uint64_t value;

	set_fs(FS_INIT);
	check_eq("initial", fs(), FS_INIT);
	(void)sbi_has(SBI_BASE);
	(void)read32(GUEST_PLIC);
	check_eq("no exit makes it dirty", fs(), FS_INIT);
	__asm__ volatile(FP("fmv.d.x f8, %0")::"r"(ONE));
	check_eq("a write does", fs(), FS_DIRTY);
	check("and SD says so", CSR_GET(sstatus) & SD);
	set_fs(FS_CLEAN);
	check_eq("clean", fs(), FS_CLEAN);
	check("and SD says so", !(CSR_GET(sstatus) & SD));
	(void)sbi_has(SBI_BASE);
	__asm__ volatile(FP("fmv.x.d %0, f8") : "=r"(value));
	check("what was in the register still is", value == ONE);
	set_fs(FS_CLEAN);
	__asm__ volatile(FP("fld f8, (%0)")::"r"(&saved) : "memory");
	check_eq("a load makes it dirty", fs(), FS_DIRTY);
	set_fs(FS_CLEAN);
	CSR_SET(fcsr, 0x61);
	check_eq("so does fcsr", fs(), FS_DIRTY);
	(void)sbi_has(SBI_BASE);
	check_eq("fcsr is kept", CSR_GET(fcsr), 0x61);
	CSR_SET(fcsr, 0);
}

/* ---- lazy switching ---- */

/* Another thread came: its values are in the registers, and floating point is off. */
static void switch_away(struct guest_frame *frame, unsigned irq)
{
	(void)irq;
	CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
	if (frame->status & SSTATUS_FS) {
		__asm__ volatile(FP("fsd f8, (%0)\n\tfsd f9, 8(%0)\n\t"
				    "fmv.d.x f8, %1\n\tfmv.d.x f9, %1")::"r"(&saved),
				 "r"(POISON)
				 : "memory");
		frame->status &= ~SSTATUS_FS;
		switches++;
	}
}

static void restore(struct guest_frame *frame)
{
	if (frame->cause != CAUSE_ILLEGAL || frame->status & SSTATUS_FS) {
		others++;
		step_over(frame);
		return;
	}
	restores++;
	frame->status |= SSTATUS_FS;
	CSR_SET_BITS(sstatus, SSTATUS_FS);
	__asm__ volatile(FP("fld f8, (%0)\n\tfld f9, 8(%0)")::"r"(&saved) : "memory");
}

static void add_one(void)
{
	__asm__ volatile(FP("fadd.d f8, f8, f9")::: "memory");
}

static void lazy(void)
{
	uint64_t sum;

	on_irq = switch_away;
	on_sync = restore;
	irq_enable(IRQ_SOFT);
	saved.sum = 0;
	saved.one = ONE;
	set_fs(FS_OFF);
	irq_unmask();
	for (unsigned i = 0; i < ROUNDS; i++) {
		add_one();
		if (i % 3 == 0) {
			SBI(SBI_IPI, 0, 1, boot_hart);
		}
		add_one();
		(void)read32(GUEST_PLIC);
	}
	__asm__ volatile(FP("fmv.x.d %0, f8") : "=r"(sum)::"memory");
	irq_mask();
	on_sync = NULL;
	check("threads were switched", switches > ROUNDS / 4);
	check("a use traps once per switch", restores == switches + 1 && others == 0);
	check_eq("nothing was lost", sum, 0x40af400000000000u); /* 4000.0 */
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	off();
	states();
	lazy();
}
