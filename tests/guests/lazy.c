/* SPDX-License-Identifier: MIT */
/*
 * Touches each 64 KiB of 8 MiB that nobody has touched before: by loads and stores of each kind, by
 * a fetch, and by a pair across the border of two blocks. With --lazy-ram each first touch of a
 * block is an exit; without, none is. What it finds there is the same.
 */
#include "guest.h"

#define FIRST 0x40800000ul
#define SIZE  0x00800000ul
#define STEP  0x00010000ul
#define BLOCK 0x00200000ul
#define RET   0xd65f03c0u

static void across_the_border(void)
{
	uint64_t at = FIRST + BLOCK - 8, low = 0x1111, high = 0x2222;

	__asm__ volatile("stp %0, %1, [%2]" ::"r"(low), "r"(high), "r"(at) : "memory");
	check("a pair across two blocks", read64(at) == low && read64(at + 8) == high);
}

static void fetch(void)
{
	uint64_t at = FIRST + 2 * BLOCK + STEP;

	write32(at, RET);
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(at)
			 : "memory");
	((void (*)(void))(uintptr_t)at)();
	check("code runs there", true);
}

static void no_syndrome(void)
{
	uint64_t at = FIRST + 3 * BLOCK, value = 5, none;

	__asm__ volatile("ldr %0, [%1], #8" : "=&r"(none), "+r"(at)::"memory");
	check("a load with writeback finds zero", none == 0 && at == FIRST + 3 * BLOCK + 8);
	__asm__ volatile("str %0, [%1, #8]!" ::"r"(value), "r"(at) : "memory");
	check_eq("a store with writeback", read64(FIRST + 3 * BLOCK + 16), 5);
}

static void every_step(void)
{
	bool same = true;

	for (uint64_t at = FIRST + STEP / 2; at < FIRST + SIZE; at += STEP) {
		same = same && read64(at) == 0;
		write64(at, ~at);
	}
	for (uint64_t at = FIRST + STEP / 2; at < FIRST + SIZE; at += STEP) {
		same = same && read64(at) == ~at;
	}
	check("all of it is zero first, and keeps what is written", same);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	across_the_border();
	fetch();
	no_syndrome();
	every_step();
}
