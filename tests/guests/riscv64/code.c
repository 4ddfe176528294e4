/* SPDX-License-Identifier: MIT */
/* Code that the guest writes, runs, and writes anew: behind FENCE.I runs what was written last. */
#include "guest.h"

#define RET        0x00008067u
#define NOP        0x00000013u
#define FENCE_I    0x0000100fu
#define PAGE_WORDS 1024u
#define MANY       400u

static const unsigned rounds = 200;

/* Two pages that nothing else is in, and some words among data that is written all the time. */
static uint32_t alone[2 * PAGE_WORDS] __attribute__((aligned(4096)));
static uint32_t many[MANY][PAGE_WORDS] __attribute__((aligned(4096)));
static struct {
	volatile uint64_t before[32];
	uint32_t code[64];
	volatile uint64_t after[32];
} mixed;

static uint32_t li_a0(unsigned value)
{
	return 0x00000513u | (value & 0x7ff) << 20;
}

static void fence_here(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

/* Of all harts, this one among them. */
static void fence_by_sbi(void)
{
	SBI(SBI_RFENCE, 0, 0, ~0ull);
}

static void (*fence)(void) = fence_here;

static unsigned run(const uint32_t *code)
{
	return ((unsigned (*)(void))(uintptr_t)code)();
}

static bool follows(uint32_t *code)
{
	for (unsigned i = 0; i < rounds; i++) {
		code[0] = li_a0(i);
		code[1] = RET;
		fence();
		mixed.before[i % 32]++;
		mixed.after[i % 32]++;
		if (run(code) != i) {
			return false;
		}
	}
	return true;
}

/* The words behind one that was run already, one by one. */
static bool follows_in_the_middle(uint32_t *code)
{
	for (unsigned n = 0; n < 12; n++) {
		code[n] = li_a0(0);
	}
	code[12] = RET;
	fence();
	for (unsigned i = 1; i < rounds; i++) {
		code[i % 12] = NOP;
		code[11] = li_a0(i);
		fence();
		if (run(code) != i) {
			return false;
		}
	}
	return true;
}

static bool each_returns(const uint32_t *code, unsigned stride, unsigned count, unsigned first)
{
	for (unsigned n = 0; n < count; n++) {
		if (run(&code[stride * n]) != ((first + n) & 0x7ff)) {
			return false;
		}
	}
	return true;
}

/* Many pieces of code, all written, then all run. `where` is where they are written. */
static bool follows_each(
	uint32_t *where, const uint32_t *code, unsigned stride, unsigned count, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		for (unsigned n = 0; n < count; n++) {
			where[stride * n] = FENCE_I;
			where[stride * n + 1] = li_a0(i + n);
			where[stride * n + 2] = RET;
		}
		fence();
		if (!each_returns(code, stride, count, i)) {
			return false;
		}
	}
	return true;
}

/* The store, FENCE.I and what was stored, with no branch in between. */
static bool follows_straight_on(void)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t result;

		__asm__ volatile(".option push\n\t.option norvc\n\t"
				 "la %0, 1f\n\t"
				 "sw %1, (%0)\n\t"
				 "fence.i\n"
				 "1:\tli a0, 0\n\t"
				 "mv %0, a0\n\t"
				 ".option pop"
				 : "=&r"(result)
				 : "r"(li_a0(i))
				 : "a0", "memory");
		if (result != i) {
			return false;
		}
	}
	return true;
}

/* ---- where code is written, but cannot be run ---- */

#define ALIAS 0x180000000ull

static uint64_t root[512] __attribute__((aligned(4096)));

static void mmu_on(void)
{
	root[0] = 0xc7;                            /* devices: read and write */
	root[2] = GUEST_RAM >> 2 | 0xcf;           /* all */
	root[ALIAS >> 30] = GUEST_RAM >> 2 | 0xc7; /* read and write */
	CSR_SET(satp, 8ull << 60 | (uint64_t)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static uint32_t *alias_of(uint32_t *code)
{
	return (uint32_t *)((uint64_t)code + (ALIAS - GUEST_RAM));
}

static void all_of_it(void)
{
	check("code in a page of its own", follows(alone));
	check("code at the end of a page", follows(&alone[PAGE_WORDS - 2]));
	check("code across two pages", follows(&alone[PAGE_WORDS - 1]));
	check("code among data", follows(mixed.code));
	check("words in the middle of what ran", follows_in_the_middle(&alone[100]));
	check("the same among data", follows_in_the_middle(mixed.code));
	check("many pieces in one page", follows_each(&alone[256], &alone[256], 8, 32, rounds));
	check("few pieces among data", follows_each(mixed.code, mixed.code, 8, 4, rounds));
	check("a piece in each of many pages", follows_each(many[0], many[0], PAGE_WORDS, MANY, 4));
	check("straight on", follows_straight_on());
}

/* ---- by another hart ---- */

static volatile unsigned turn, result, other_runs;

static void other(void)
{
	other_runs = 1;
	for (;;) {
		if (turn & 1) {
			result = run(alone);
			turn++;
		}
	}
}

static bool other_follows(void)
{
	for (unsigned i = 0; i < rounds; i++) {
		alone[0] = li_a0(i);
		alone[1] = RET;
		alone[2] = li_a0(i); /* never run: just one write more */
		fence_by_sbi();
		turn++;
		while (turn & 1) {
			continue;
		}
		if (result != i) {
			return false;
		}
	}
	return true;
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	all_of_it();
	fence = fence_by_sbi;
	check("by SBI, code in a page of its own", follows(alone));
	check("by SBI, many pieces in one page",
		follows_each(&alone[256], &alone[256], 8, 32, rounds));
	if (hart_start(1, other).error == 0 && wait_for_flag(&other_runs, 1000000)) {
		check("another hart follows", other_follows());
	}
	fence = fence_here;
	print("With the MMU on:\n");
	mmu_on();
	all_of_it();
	check("written through an alias", follows_each(alias_of(alone), alone, 8, 32, rounds));
	check("many pages, through an alias",
		follows_each(alias_of(many[0]), many[0], PAGE_WORDS, MANY, 4));
}
