/* SPDX-License-Identifier: MIT */
/*
 * The guest of the tests, at EL1. This image has exit handlers of its own in place of the run
 * loop's: each exit ends guest_run().
 */
#include <parts/check.h>
#include <parts/cpu.h>

#include <el2.h>
#include <hv/bits.h>

#define EC(esr)         ((unsigned)hv_bits(esr, 31, 26))
#define EC_HVC          0x16u
#define EC_INSN_LOW     0x20u
#define EC_DATA_LOW     0x24u
#define FSC_KIND(esr)   ((unsigned)hv_bits(esr, 5, 2))
#define FSC_TRANSLATION 1u
#define FSC_PERMISSION  3u

#define PSTATE_EL1H 0x3c5u
#define PSTATE_NZCV HV_MASK(31, 28)

/* Where guest_code.S has each piece. */
static const uint8_t place[] = {
	[CPU_EXIT] = 0x00, [CPU_LOAD] = 0x08, [CPU_STORE] = 0x14, [CPU_FETCH] = 0x20};

static uint64_t last_esr;

struct a64_regs *exit_sync(struct a64_regs *regs, uint64_t esr)
{
	(void)regs;
	last_esr = esr;
	return NULL;
}

struct a64_regs *exit_irq(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_serror(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_sync_timed(struct a64_regs *regs, uint64_t esr)
{
	return exit_sync(regs, esr);
}

struct a64_regs *exit_irq_timed(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_serror_timed(struct a64_regs *regs)
{
	return regs;
}

uint64_t cpu_guest_exit(void)
{
	return last_esr;
}

static enum cpu_answer answer(void)
{
	switch (EC(last_esr)) {
	case EC_HVC: return CPU_FINE;
	case EC_INSN_LOW:
	case EC_DATA_LOW: break;
	default: return CPU_OTHER;
	}
	switch (FSC_KIND(last_esr)) {
	case FSC_TRANSLATION: return CPU_ABSENT;
	case FSC_PERMISSION: return CPU_DENIED;
	default: return CPU_OTHER;
	}
}

struct cpu_run cpu_guest_run(uint64_t code, enum cpu_code what, uint64_t data, uint64_t value)
{
	struct a64_regs regs = {.pc = code + place[what], .pstate = PSTATE_EL1H};

	regs.x[0] = value;
	regs.x[1] = data;
	guest_run(&regs);
	return (struct cpu_run){.answer = answer(), .value = regs.x[0]};
}

void cpu_guest_keeps(uint64_t code, uint64_t *random)
{
	struct a64_regs in, out;
	uint64_t q[2], sp = cpu_draw(random);
	bool same = true;

	for (unsigned n = 0; n < 31; n++) {
		in.x[n] = cpu_draw(random);
	}
	in.pc = code + place[CPU_EXIT];
	in.pstate = PSTATE_EL1H | (cpu_draw(random) & PSTATE_NZCV);
	for (unsigned n = 0; n < 32; n++) {
		vreg_set(n, (const uint64_t[2]){in.x[n % 31], ~in.x[n % 31] + n});
	}
	SYSREG_WRITE(sp_el1, sp);
	out = in;
	guest_run(&out);
	for (unsigned n = 0; n < 31; n++) {
		same = same && out.x[n] == in.x[n];
	}
	check("general registers", same);
	for (unsigned n = 0; n < 32; n++) {
		vreg_get(n, q);
		same = same && q[0] == in.x[n % 31] && q[1] == ~in.x[n % 31] + n;
	}
	check("SIMD&FP registers", same);
	check("PC behind the HVC", out.pc == in.pc + 4);
	check("PSTATE", out.pstate == in.pstate);
	check("SP_EL1", SYSREG_READ(sp_el1) == sp);
	check("HVC", EC(last_esr) == EC_HVC);
}
