/* SPDX-License-Identifier: MIT */
/* FP registers that come back only when they are used, as kernels with lazy switching have it. */
#include "guest.h"

#define EC_FP  0x07u
#define FPEN   ((uint64_t)3 << 20)
#define ROUNDS 2000u
#define SGI    5u
#define ONE    0x3ff0000000000000u
#define POISON 0xfffbadbadbadbad0u

static struct {
	uint64_t sum, one;
} saved;
static volatile unsigned switches, restores, others;

/* Another thread came: its values are in the registers, and FP is off. */
static void switch_away(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (SYSREG_GET(cpacr_el1) & FPEN) {
		__asm__ volatile(".arch_extension fp\n\t"
				 "str d8, [%0]\n\tstr d9, [%0, #8]\n\t"
				 "fmov d8, %1\n\tfmov d9, %1" ::"r"(&saved),
				 "r"(POISON)
				 : "memory");
		SYSREG_SET(cpacr_el1, 0);
		switches++;
	}
	gic_eoi(intid);
}

static void restore(struct guest_frame *frame)
{
	if (ESR_EC(frame->esr) != EC_FP) {
		others++;
		frame->elr += 4;
		return;
	}
	restores++;
	SYSREG_SET(cpacr_el1, FPEN);
	__asm__ volatile(".arch_extension fp\n\t"
			 "ldr d8, [%0]\n\tldr d9, [%0, #8]" ::"r"(&saved)
			 : "memory");
}

static void add_one(void)
{
	__asm__ volatile(".arch_extension fp\n\tfadd d8, d8, d9" ::: "memory");
}

static bool fp_trap(void)
{
	return trap_taken() && trap.esr == 0x1fe00000;
}

/* Each kind of instruction, at the end of plain ones, which are done once. */
#define CHECK_TRAPS(name, insn)                                                                    \
	do {                                                                                       \
		uint64_t count_ = 0;                                                               \
		expect_trap();                                                                     \
		__asm__ volatile(".arch_extension fp\n\t.arch_extension simd\n\t"                  \
				 "add %0, %0, #1\n\tadd %0, %0, #1\n\t" insn                       \
				 : "+r"(count_)                                                    \
				 : "r"(&saved)                                                     \
				 : "x9", "memory");                                                \
		check(name, fp_trap() && count_ == 2);                                             \
	} while (0)

static void check_kinds(void)
{
	SYSREG_SET(cpacr_el1, 0);
	CHECK_TRAPS("scalar traps", "fmul d0, d1, d2");
	CHECK_TRAPS("vector traps", "add v0.4s, v1.4s, v2.4s");
	CHECK_TRAPS("move traps", "fmov x9, d0");
	CHECK_TRAPS("load traps", "ldr q0, [%1]");
	CHECK_TRAPS("pair traps", "ldp d0, d1, [%1]");
	CHECK_TRAPS("structure store traps", "st1 {v0.16b}, [%1]");
	CHECK_TRAPS("FPCR traps", "mrs x9, fpcr");
	CHECK_TRAPS("FPSR traps", "msr fpsr, xzr");
	SYSREG_SET(cpacr_el1, (uint64_t)1 << 20);
	expect_trap();
	__asm__ volatile(".arch_extension fp\n\tfmov d0, xzr");
	check("EL0's trap is not EL1's", !trap_taken());
}

void guest_main(uint64_t dtb)
{
	uint64_t sum;

	(void)dtb;
	check_kinds();
	gic_init();
	gic_enable(SGI, 0x80);
	on_irq = switch_away;
	on_sync = restore;
	saved.one = ONE;
	SYSREG_SET(cpacr_el1, 0);
	irq_unmask();
	for (unsigned i = 0; i < ROUNDS; i++) {
		add_one();
		if (i % 3 == 0) {
			gic_sgi_to_self(SGI);
		}
		add_one();
	}
	__asm__ volatile(".arch_extension fp\n\tfmov %0, d8" : "=r"(sum)::"memory");
	irq_mask();
	check("threads were switched", switches > ROUNDS / 4);
	check("a use traps once per switch", restores == switches + 1 && others == 0);
	check_eq("nothing was lost", sum, 0x40af400000000000u); /* 4000.0 */
}
