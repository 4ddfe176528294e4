/* SPDX-License-Identifier: MIT */
/*
 * Runs random instructions at EL1 and at EL0: one at a time with random registers, exceptions
 * caught and stepped over, a timer against those that never come back. The seed is in the flash, as
 * the second word. What it does to itself is its own affair: it may end well, run for ever or
 * crash, but its host has nothing to do with that.
 */
#include "guest.h"

#define FLASH   0x04000000u
#define ROUNDS  400u
#define WORDS   64u
#define VTIMER  27u
#define TIMEOUT 300u /* us that a round may take */

/* chaos.S: sets x0..x30 from `regs` and goes to `code`; comes back by chaos_leave(). */
void chaos_run(const uint32_t *code, const uint64_t *regs, uint64_t pstate);
void chaos_left(void);

static uint32_t code[WORDS + 1] __attribute__((aligned(4096)));
static uint64_t regs[32];
static uint8_t scratch[8192] __attribute__((aligned(4096)));
static uint64_t state;
static volatile unsigned caught, timed_out;

static uint64_t random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void leave(struct guest_frame *frame)
{
	frame->elr = (uint64_t)chaos_left;
	frame->spsr = 0x3c5;
}

static bool is_inside(uint64_t pc)
{
	return pc >= (uint64_t)code && pc < (uint64_t)&code[WORDS] && pc % 4 == 0;
}

static void on_exception(struct guest_frame *frame)
{
	unsigned ec = ESR_EC(frame->esr);
	bool behind = ec >= 0x11 && ec <= 0x17; /* SVC, HVC, SMC return behind themselves */
	uint64_t next = frame->elr + (behind && ec != 0x17 ? 0 : 4);

	caught++;
	if (is_inside(next) && is_inside(frame->elr - (behind ? 4 : 0))) {
		frame->elr = next;
		frame->spsr = (frame->spsr & 0xf000000cull) | 0x340; /* D, A, F masked; on SP_EL0 */
	} else {
		leave(frame);
	}
}

static void on_timer(struct guest_frame *frame)
{
	unsigned raw = gic_ack();

	SYSREG_SET(cntv_ctl_el0, 0);
	if ((raw & 0x3ff) != GIC_SPURIOUS) {
		gic_eoi(raw);
	}
	timed_out++;
	leave(frame);
}

static uint32_t load_store(void)
{
	/* Bits 27 and 25 of the class are 1 and 0. */
	return ((uint32_t)random() & ~0x0a000000u) | 0x08000000u;
}

static uint32_t system_word(void)
{
	return 0xd5000000u | ((uint32_t)random() & 0x003fffffu);
}

static uint32_t exception_or_branch(void)
{
	return ((uint32_t)random() & ~0x1c000000u) | 0x14000000u;
}

static uint32_t simd(void)
{
	return ((uint32_t)random() & ~0x0e000000u) | 0x0e000000u;
}

/* HVC #0 and SMC #0, with whatever is in x0. */
static uint32_t call(void)
{
	return random() & 1 ? 0xd4000002u : 0xd4000003u;
}

static uint32_t random_word(void)
{
	switch (random() % 12) {
	case 0:
	case 1:
	case 2: return load_store();
	case 3:
	case 4: return system_word();
	case 5: return exception_or_branch();
	case 6: return simd();
	case 7: return random() % 8 ? (uint32_t)random() : call();
	default: return (uint32_t)random();
	}
}

/* What an address register may hold: memory, devices, nothing, and what is none. */
static uint64_t random_register(void)
{
	switch (random() % 10) {
	case 0: return (uint64_t)scratch + random() % 4096;
	case 1: return ((uint64_t)scratch + random() % 4096) & ~15ull;
	case 2: return GUEST_GICD + (random() & 0xfffc);
	case 3: return GUEST_GICR + (random() & 0x1fffc);
	case 4: return GUEST_UART + 4 + (random() & 0xff8);
	case 5: return FLASH + (random() & 0x1fff);
	case 6: return GUEST_HOLE + (random() & 0xffff);
	case 7: return (uint64_t)code + random() % 256;
	case 8: return random() & 0xffff;
	default: return random();
	}
}

static void publish(void)
{
	for (uint64_t at = (uint64_t)code; at < (uint64_t)&code[WORDS + 1]; at += 64) {
		__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0" ::"r"(at) : "memory");
	}
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

static void round(bool at_el0)
{
	for (unsigned i = 0; i < WORDS; i++) {
		code[i] = random_word();
	}
	code[WORDS] = 0xd4200000u; /* brk */
	for (unsigned i = 0; i < 32; i++) {
		regs[i] = random_register();
	}
	publish();
	gic_init();
	gic_enable(VTIMER, 0);
	SYSREG_SET(cntv_cval_el0, counter() + counter_of_us(TIMEOUT));
	SYSREG_SET(cntv_ctl_el0, 1);
	on_sync = on_exception;
	on_irq = on_timer;
	on_fiq = on_timer;
	chaos_run(code, regs,
		at_el0 ? 0x340 : 0x344); /* EL0t, or EL1t: the handlers' stack is SP_EL1 */
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	state = read32(FLASH + 4);
	state = state * 0x9e3779b97f4a7c15ull + 1;
	for (unsigned i = 0; i < ROUNDS; i++) {
		round(i % 2);
		if (i % 20 == 19) {
			put_char('.');
		}
	}
	on_sync = NULL;
	check("chaos, caught", caught > ROUNDS);
	check("and not all of it for ever", timed_out < ROUNDS);
}
