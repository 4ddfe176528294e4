/* SPDX-License-Identifier: MIT */
/*
 * Touches each 64 KiB of 8 MiB that nobody has touched before: by loads and stores of each kind, by
 * a fetch, by atomics, by a walk of tables, and by an access across the border of two blocks. With
 * --lazy-ram each first touch of a block is an exit; without, none is. What it finds there is the
 * same.
 */
#include "guest.h"

#define FIRST 0x00600000ul
#define SIZE  0x00800000ul
#define STEP  0x00010000ul
#define BLOCK 0x00200000ul
#define RET   0xc3u

static void across_the_border(void)
{
	uint64_t at = FIRST + BLOCK - 4;

	write64(at, 0x1111222233334444);
	check_eq("an access across two blocks", read64(at), 0x1111222233334444);
}

static void fetch(void)
{
	uint64_t at = FIRST + 2 * BLOCK + STEP;

	write8(at, RET);
	((void (*)(void))(uintptr_t)at)();
	check("code runs there", true);
}

static void atomics(void)
{
	uint64_t at = FIRST + 3 * BLOCK, old = 5;

	__asm__ volatile("lock xaddq %0, (%1)" : "+r"(old) : "r"(at) : "memory");
	check("an atomic finds zero", old == 0 && read64(at) == 5);
	at += STEP;
	__asm__ volatile("lock btsq $3, (%0)" ::"r"(at) : "memory", "cc");
	check("so does another", read64(at) == 8);
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

void guest_main(uint64_t start_info)
{
	(void)start_info;
	across_the_border();
	fetch();
	atomics();
	every_step();
}
