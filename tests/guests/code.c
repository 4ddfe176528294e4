/* SPDX-License-Identifier: MIT */
/* Code that the guest writes, runs, and writes anew: the CPU runs what was written last. */
#include "guest.h"

#define RET 0xd65f03c0u

static unsigned rounds = 200;

/* Two pages that nothing else is in, and some words among data that is written all the time. */
static uint32_t alone[2048] __attribute__((aligned(4096)));
static struct {
	volatile uint64_t before[32];
	uint32_t code[64];
	volatile uint64_t after[32];
} mixed;

static uint32_t mov_w0(unsigned value)
{
	return 0x52800000u | value << 5;
}

/* By the rules: clean to the point of unification, invalidate, wait. */
static void publish(const uint32_t *code)
{
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(code)
			 : "memory");
}

/* Whatever was written, all at once. */
static void publish_all(const uint32_t *code)
{
	(void)code;
	__asm__ volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" ::: "memory");
}

static void (*publish_by)(const uint32_t *code) = publish;

static unsigned run(const uint32_t *code)
{
	return ((unsigned (*)(void))(uintptr_t)code)();
}

static bool follows(uint32_t *code)
{
	for (unsigned i = 0; i < rounds; i++) {
		code[0] = mov_w0(i);
		code[1] = RET;
		publish_by(code);
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
		code[n] = mov_w0(0);
	}
	code[12] = RET;
	publish_by(code);
	for (unsigned i = 1; i < rounds; i++) {
		code[i % 12] = 0xd503201fu; /* nop */
		code[11] = mov_w0(i);
		publish_by(code);
		if (run(code) != i) {
			return false;
		}
	}
	return true;
}

/* Many pieces of code in one page, written in turn. */
static bool follows_each(uint32_t *code, unsigned count)
{
	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned n = 0; n < count; n++) {
			code[8 * n] = mov_w0(i + n);
			code[8 * n + 1] = RET;
			publish_by(&code[8 * n]);
		}
		for (unsigned n = 0; n < count; n++) {
			if (run(&code[8 * n]) != i + n) {
				return false;
			}
		}
	}
	return true;
}

/* Where code is written and published, but cannot be run. */
#define ALIAS 0x80000000ull

static uint64_t root[512] __attribute__((aligned(4096)));

static void mmu_on(void)
{
	const uint64_t block = 1ull | 1ull << 10, inner = 3ull << 8, device = 1ull << 2;

	root[0] = block | device;
	root[1] = 0x40000000ull | block | inner;
	root[2] = 0x40000000ull | block | inner | 3ull << 53; /* PXN, UXN */
	SYSREG_SET(mair_el1, 0x00ff);
	SYSREG_SET(tcr_el1, 25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 2ull << 32);
	SYSREG_SET(ttbr0_el1, (uint64_t)root);
	__asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
	SYSREG_SET(sctlr_el1, SYSREG_GET(sctlr_el1) | 0x1005u);
}

/* As a kernel does with a page that it reads in for a process. */
static bool follows_the_alias(void)
{
	uint32_t *alias = (uint32_t *)((uint64_t)alone + ALIAS - 0x40000000ull);

	for (unsigned i = 0; i < rounds; i++) {
		for (unsigned n = 0; n < 32; n++) {
			alias[8 * n] = mov_w0(i + n);
			alias[8 * n + 1] = RET;
		}
		for (unsigned n = 0; n < 16; n++) {
			publish_by(&alias[16 * n]);
		}
		for (unsigned n = 0; n < 32; n++) {
			if (run(&alone[8 * n]) != i + n) {
				return false;
			}
		}
	}
	return true;
}

static void all_of_it(void)
{
	check("code in a page of its own", follows(alone));
	check("code at the end of a page", follows(&alone[1022]));
	check("code among data", follows(mixed.code));
	check("words in the middle of what ran", follows_in_the_middle(&alone[100]));
	check("the same among data", follows_in_the_middle(mixed.code));
	check("many pieces in one page", follows_each(&alone[256], 32));
	check("few pieces among data", follows_each(mixed.code, 4));
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	all_of_it();
	print("With the MMU on:\n");
	mmu_on();
	all_of_it();
	check("written through an alias", follows_the_alias());
	/* It is rare, and a simulated CPU may take long for it. */
	print("By IC IALLU:\n");
	publish_by = publish_all;
	rounds = 5;
	check("many pieces in one page", follows_each(&alone[256], 4));
	check("written through an alias", follows_the_alias());
}
