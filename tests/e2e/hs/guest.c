/* SPDX-License-Identifier: MIT */
/*
 * The guest of the tests, in VS-mode. This image has exit handlers of its own in place of the run
 * loop's: each exit but an interrupt ends guest_run(). Whichever handler is told of it, all
 * registers are in the record then.
 */
#include <parts/check.h>
#include <parts/cpu.h>

#include <hs.h>
#include <hv/bits.h>

#define CAUSE_FETCH_GUEST 20u

/* Where guest_code.S has each piece. */
static const uint8_t place[] = {
	[CPU_EXIT] = 0x00, [CPU_LOAD] = 0x08, [CPU_STORE] = 0x14, [CPU_FETCH] = 0x20};

void fregs_get(uint64_t f[32]);
void fregs_set(const uint64_t f[32]);

static uint64_t last_cause;

struct rv64_regs *exit_load(struct rv64_regs *regs)
{
	(void)regs;
	last_cause = CAUSE_LOAD_GUEST;
	return NULL;
}

struct rv64_regs *exit_store(struct rv64_regs *regs)
{
	(void)regs;
	last_cause = CAUSE_STORE_GUEST;
	return NULL;
}

struct rv64_regs *exit_again(struct rv64_regs *regs)
{
	(void)regs;
	return NULL;
}

struct rv64_regs *exit_call(struct rv64_regs *regs)
{
	(void)regs;
	last_cause = CAUSE_VS_ECALL;
	return NULL;
}

struct rv64_regs *exit_trap(struct rv64_regs *regs, uint64_t scause)
{
	(void)regs;
	last_cause = scause;
	return NULL;
}

struct rv64_regs *exit_irq(struct rv64_regs *regs)
{
	return regs;
}

struct rv64_regs *exit_call_timed(struct rv64_regs *regs)
{
	return exit_call(regs);
}

struct rv64_regs *exit_trap_timed(struct rv64_regs *regs, uint64_t scause)
{
	return exit_trap(regs, scause);
}

struct rv64_regs *exit_irq_timed(struct rv64_regs *regs)
{
	return regs;
}

uint64_t cpu_guest_exit(void)
{
	return last_cause;
}

static enum cpu_answer answer(void)
{
	switch (last_cause) {
	case CAUSE_VS_ECALL: return CPU_FINE;
	case CAUSE_FETCH_GUEST:
	case CAUSE_LOAD_GUEST:
	case CAUSE_STORE_GUEST: return CPU_REFUSED;
	default: return CPU_OTHER;
	}
}

struct cpu_run cpu_guest_run(uint64_t code, enum cpu_code what, uint64_t data, uint64_t value)
{
	struct rv64_regs regs = {.pc = code + place[what]};

	regs.x[10] = value;
	regs.x[11] = data;
	guest_run(&regs);
	return (struct cpu_run){.answer = answer(), .value = regs.x[10]};
}

/* Through an ecall, whose way leaves s0-s11, gp and tp in the CPU as long as it can. */
void cpu_guest_keeps(uint64_t code, uint64_t *random)
{
	struct rv64_regs in = {.pc = code + place[CPU_EXIT]}, out;
	uint64_t f[32], want[32], vsscratch = cpu_draw(random);
	bool same = true;

	for (unsigned n = 1; n < 32; n++) {
		in.x[n] = cpu_draw(random);
		want[n] = cpu_draw(random);
	}
	want[0] = cpu_draw(random);
	fregs_set(want);
	CSR_WRITE(vsscratch, vsscratch);
	out = in;
	guest_run(&out);
	for (unsigned n = 0; n < 32; n++) {
		same = same && out.x[n] == in.x[n];
	}
	check("general registers", same);
	fregs_get(f);
	for (unsigned n = 0; n < 32; n++) {
		same = same && f[n] == want[n];
	}
	check("floating-point registers", same);
	check("PC of the ecall", out.pc == in.pc);
	check("vsscratch", CSR_READ(vsscratch) == vsscratch);
	check("VS-mode", (CSR_READ(sstatus) & SSTATUS_SPP) != 0);
	check("ecall", last_cause == CAUSE_VS_ECALL);
}
