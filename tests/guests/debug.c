/* SPDX-License-Identifier: MIT */
/* A guest that debugs itself: breakpoints, watchpoints, software step, the OS lock. */
#include "guest.h"

#define EC_BREAK_EL0 0x30u
#define EC_BREAK     0x31u
#define EC_STEP      0x33u
#define EC_WATCH     0x35u

#define MDSCR_SS  0x1u
#define MDSCR_KDE 0x2000u /* also at EL1 */
#define MDSCR_MDE 0x8000u /* break- and watchpoints */
#define SPSR_SS   ((uint64_t)1 << 21)
#define OSLSR_LK  0x2u

#define BCR_EL1  0x1e3u  /* E, PMC EL1, BAS 0xf */
#define BCR_EL0  0x1e5u  /* E, PMC EL0, BAS 0xf */
#define WCR_EL1  0x1ffbu /* E, PAC EL1, LSC both, BAS 0xff */
#define WCR_LOAD 0x1febu /* the same, loads only */
/* E, LSC both, BAS 0xff, HMC 1, SSC 3: EL2 alone; MASK 31: two GiB. */
#define WCR_EL2 0x1f00fff9u

#define STEPS 5u

static volatile unsigned hits, ec;
static volatile uint64_t at, where, wrote;
static volatile uint64_t stepped[STEPS];
static uint64_t watched, stack[64];

static void d_unmask(void)
{
	__asm__ volatile("msr daifclr, #8\n\tisb" ::: "memory");
}

static void d_mask(void)
{
	__asm__ volatile("msr daifset, #8\n\tisb" ::: "memory");
}

/* The instruction runs once more, with nothing that matches. */
static void note(struct guest_frame *frame)
{
	hits++;
	ec = ESR_EC(frame->esr);
	at = frame->elr;
	where = frame->far;
	wrote = frame->esr >> 6 & 1;
	SYSREG_SET(mdscr_el1, 0);
}

static void expect_debug(void)
{
	hits = 0;
	ec = 0;
	on_sync = note;
	SYSREG_SET(mdscr_el1, MDSCR_MDE | MDSCR_KDE);
	d_unmask();
}

static bool debugged(unsigned want)
{
	d_mask();
	SYSREG_SET(mdscr_el1, 0);
	on_sync = NULL;
	return hits == 1 && ec == want;
}

/* Two places to stop at. */
void places(void);
extern const char place_1[], place_2[];
__asm__(".text\n.balign 4\nplaces:\n\tnop\nplace_1:\n\tnop\nplace_2:\n\tnop\n\tret\n");

static void at_reset(void)
{
	check("the OS lock is closed at reset", (SYSREG_GET(oslsr_el1) & OSLSR_LK) != 0);
	check("nothing is on at reset",
		((SYSREG_GET(dbgbcr0_el1) | SYSREG_GET(dbgwcr0_el1)) & 1) == 0 &&
			(SYSREG_GET(mdscr_el1) & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE)) == 0);
}

static void breakpoints(void)
{
	SYSREG_SET(dbgbvr0_el1, place_1);
	SYSREG_SET(dbgbcr0_el1, BCR_EL1);
	check_eq("a breakpoint reads as written", SYSREG_GET(dbgbvr0_el1), (uint64_t)place_1);
	SYSREG_SET(oslar_el1, 0);
	check("the OS lock opens", (SYSREG_GET(oslsr_el1) & OSLSR_LK) == 0);
	expect_debug();
	places();
	check("first breakpoint", debugged(EC_BREAK));
	check_eq("its place", at, (uint64_t)place_1);
	SYSREG_SET(dbgbcr0_el1, 0);
	SYSREG_SET(dbgbvr1_el1, place_2);
	SYSREG_SET(dbgbcr1_el1, BCR_EL1);
	expect_debug();
	places();
	check("second breakpoint", debugged(EC_BREAK));
	check_eq("its place", at, (uint64_t)place_2);
	expect_debug();
	d_mask();
	places();
	check("masked by PSTATE.D", !debugged(EC_BREAK) && hits == 0);
	SYSREG_SET(dbgbcr1_el1, 0);
}

static void at_el0(void)
{
	places();
	LEAVE_EL0();
}

static void breakpoint_at_el0(void)
{
	SYSREG_SET(dbgbvr0_el1, place_1);
	SYSREG_SET(dbgbcr0_el1, BCR_EL0);
	expect_debug();
	places();
	check("a breakpoint of EL0 is not EL1's", !debugged(EC_BREAK) && hits == 0);
	expect_debug();
	run_at_el0(at_el0, (uint64_t)&stack[64]);
	check("a breakpoint at EL0", debugged(EC_BREAK_EL0));
	SYSREG_SET(dbgbcr0_el1, 0);
}

static void watchpoints(void)
{
	SYSREG_SET(dbgwvr0_el1, &watched);
	SYSREG_SET(dbgwcr0_el1, WCR_EL1);
	expect_debug();
	write64((uint64_t)&watched, 5);
	check("watchpoint, store", debugged(EC_WATCH) && wrote == 1);
	check_eq("its address", where, (uint64_t)&watched);
	check_eq("the store is done afterwards", watched, 5);
	expect_debug();
	(void)read32((uint64_t)&watched + 4);
	check("watchpoint, load of a part", debugged(EC_WATCH) && wrote == 0);
	SYSREG_SET(dbgwcr0_el1, WCR_LOAD);
	expect_debug();
	write64((uint64_t)&watched, 6);
	check("a store is no load", !debugged(EC_WATCH) && hits == 0);
	SYSREG_SET(dbgwcr0_el1, 0);
}

/* One that would match every access of whoever runs above us. */
static void nobody_above(void)
{
	struct call_result version;

	SYSREG_SET(dbgwvr0_el1, 0);
	SYSREG_SET(dbgwcr0_el1, WCR_EL2);
	SYSREG_SET(dbgwvr1_el1, 0x80000000u);
	SYSREG_SET(dbgwcr1_el1, WCR_EL2);
	expect_debug();
	version = call_hvc(PSCI_VERSION, 0, 0, 0);
	(void)read32(GUEST_RTC);
	check("the hypervisor is not watched", !debugged(EC_WATCH) && hits == 0);
	check_eq("it goes on", version.x[0], 0x10001);
	SYSREG_SET(dbgwcr0_el1, 0);
	SYSREG_SET(dbgwcr1_el1, 0);
}

static void count_step(struct guest_frame *frame)
{
	if (hits < STEPS) {
		stepped[hits] = frame->elr;
	}
	hits++;
	ec = ESR_EC(frame->esr);
	frame->spsr |= SPSR_SS;
	if (hits == STEPS) {
		SYSREG_SET(mdscr_el1, 0);
		frame->spsr &= ~SPSR_SS;
	}
}

/* An emulated load and a call are one step each, like any other instruction. */
static void steps(void)
{
	uint64_t first, fn = PSCI_VERSION;
	bool in_order = true;

	hits = 0;
	on_sync = count_step;
	d_unmask();
	__asm__ volatile("msr mdscr_el1, %3\n\t"
			 "isb\n\t"
			 "mrs x9, daif\n\t" /* one step with SS=0 brings the first exception */
			 "adr %0, 1f\n\t"
			 "mov x0, %2\n"
			 "1:\tnop\n\t"
			 "ldr w9, [%1]\n\t"
			 "hvc #0\n\t"
			 "nop\n\tnop\n\tnop\n\tnop\n\tnop"
			 : "=&r"(first)
			 : "r"((uint64_t)GUEST_RTC), "r"(fn), "r"((uint64_t)(MDSCR_SS | MDSCR_KDE))
			 : "x0", "x1", "x2", "x3", "x9", "memory");
	d_mask();
	on_sync = NULL;
	check("software step", hits == STEPS && ec == EC_STEP);
	for (unsigned i = 1; i < STEPS; i++) {
		in_order = in_order && stepped[i] == stepped[i - 1] + 4;
	}
	check("each instruction is one step", in_order);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	at_reset();
	breakpoints();
	breakpoint_at_el0();
	watchpoints();
	nobody_above();
	steps();
}
