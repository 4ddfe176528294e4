/* SPDX-License-Identifier: MIT */
/*
 * Runs random instructions in S-mode and in U-mode: one at a time with random registers, exceptions
 * caught and stepped over, a timer against those that never come back. The seed is in the flash, as
 * the second word. What it does to itself is its own affair: it may end well, run for ever or
 * crash, but its host has nothing to do with that.
 */
#include "guest.h"

#define ROUNDS  400u
#define WORDS   64u
#define TIMEOUT 300u /* us that a round may take */

/* chaos.S: sets x1..x31 from `regs` and goes to `code`; chaos_left comes back from there. */
void chaos_run(const uint32_t *code, const uint64_t *regs, uint64_t status);
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
	frame->x[0] = (uint64_t)chaos_left;
	frame->status = (frame->status | SSTATUS_SPP) & ~SSTATUS_SPIE;
}

static bool is_inside(uint64_t pc)
{
	return pc >= (uint64_t)code && pc < (uint64_t)&code[WORDS] && pc % 2 == 0;
}

static uint64_t length_at(uint64_t pc)
{
	return (*(const uint16_t *)pc & 3) == 3 ? 4 : 2;
}

static void on_exception(struct guest_frame *frame)
{
	caught++;
	if (is_inside(frame->x[0]) && is_inside(frame->x[0] + length_at(frame->x[0]))) {
		frame->x[0] += length_at(frame->x[0]);
	} else {
		leave(frame);
	}
}

static void on_interrupt(struct guest_frame *frame, unsigned irq)
{
	if (irq == IRQ_TIMER) {
		timer_set(UINT64_MAX);
		timed_out++;
		leave(frame);
	} else {
		CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
		irq_disable(irq);
	}
}

static uint32_t load_store(void)
{
	static const uint32_t opcodes[] = {0x03, 0x23, 0x03, 0x23, 0x2f, 0x2f, 0x07, 0x27};

	return ((uint32_t)random() & ~0x7fu) | opcodes[random() % 8];
}

/* Not the three by which the guest itself would be lost: stvec, sscratch, satp. */
static uint32_t system_word(void)
{
	uint32_t word = ((uint32_t)random() & ~0x7fu) | 0x73;
	uint32_t csr = word >> 20;

	if (random() % 2) {
		word = (word & 0xfffff) | (uint32_t)(random() % 2 ? 0x100 : 0x600) << 20 |
		       (uint32_t)(random() & 0xff) << 20;
		csr = word >> 20;
	}
	return csr == 0x105 || csr == 0x140 || csr == 0x180 ? 0x13 : word;
}

static uint32_t branch(void)
{
	static const uint32_t opcodes[] = {0x63, 0x67, 0x6f, 0x0f};

	return ((uint32_t)random() & ~0x7fu) | opcodes[random() % 4];
}

/* Two compressed ones. */
static uint32_t compressed(void)
{
	uint32_t word = (uint32_t)random();

	word = (word & 3) == 3 ? word ^ 1 : word;
	return (word >> 16 & 3) == 3 ? word ^ 0x10000 : word;
}

static uint32_t random_word(void)
{
	switch (random() % 12) {
	case 0:
	case 1:
	case 2: return load_store();
	case 3:
	case 4: return system_word();
	case 5: return branch();
	case 6:
	case 7: return compressed();
	case 8: return random() % 4 ? (uint32_t)random() : 0x73; /* ecall */
	default: return (uint32_t)random() | 3;
	}
}

/* What an address register may hold: memory, devices, nothing, and what is none. */
static uint64_t random_register(void)
{
	switch (random() % 10) {
	case 0: return (uint64_t)scratch + random() % 4096;
	case 1: return ((uint64_t)scratch + random() % 4096) & ~15ull;
	case 2: return GUEST_PLIC + (random() & 0x3ffffc);
	case 3: return GUEST_RTC + (random() & 0xfc);
	case 4: return GUEST_UART + 2 + (random() & 0xfc);
	case 5: return GUEST_FLASH + (random() & 0x1fff);
	case 6: return GUEST_HOLE + (random() & 0xffff);
	case 7: return (uint64_t)code + random() % 256;
	case 8: return 0x10000 + (random() & 0xffff);
	default: return random();
	}
}

static void round(bool in_s)
{
	for (unsigned i = 0; i < WORDS; i++) {
		code[i] = random_word();
	}
	code[WORDS] = 0x00100073u; /* ebreak */
	for (unsigned i = 0; i < 32; i++) {
		regs[i] = random_register();
	}
	__asm__ volatile("fence.i\n\tsfence.vma" ::: "memory");
	irq_mask();
	CSR_SET(sie, 0);
	CSR_SET(sip, 0);
	irq_enable(IRQ_TIMER);
	timer_set(counter() + counter_of_us(TIMEOUT));
	on_sync = on_exception;
	on_irq = on_interrupt;
	chaos_run(code, regs, SSTATUS_SPIE | SSTATUS_FS | (in_s ? SSTATUS_SPP : 0));
	timer_set(UINT64_MAX);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	expect_trap();
	state = read32(GUEST_FLASH + 4); /* without flash, what is left in the register */
	(void)trap_taken();
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
