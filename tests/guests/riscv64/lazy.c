/* SPDX-License-Identifier: MIT */
/*
 * Touches each 64 KiB of 8 MiB that nobody has touched before: by loads and stores of each kind, by
 * a fetch, by atomics, and by an access across the border of two blocks. With --lazy-ram each first
 * touch of a block is an exit; without, none is. What it finds there is the same.
 */
#include "guest.h"

#define FIRST 0x80800000ul
#define SIZE  0x00800000ul
#define STEP  0x00010000ul
#define BLOCK 0x00200000ul
#define RET   0x8082u

static void across_the_border(void)
{
	uint64_t at = FIRST + BLOCK - 4;

	write64(at, 0x1111222233334444);
	check_eq("an access across two blocks", read64(at), 0x1111222233334444);
}

static volatile uint64_t fetch_cause;

static void return_from_fetch(struct guest_frame *frame)
{
	fetch_cause = frame->cause;
	frame->x[0] = frame->x[1];
	on_sync = NULL;
}

static void fetch(void)
{
	uint64_t at = FIRST + 2 * BLOCK + STEP;

	write16(at, RET);
	__asm__ volatile("fence.i" ::: "memory");
	((void (*)(void))(uintptr_t)at)();
	check("code runs there", true);
	on_sync = return_from_fetch;
	((void (*)(void))(uintptr_t)(at + STEP))();
	check_eq("and where nobody wrote any, it is zero", fetch_cause, CAUSE_ILLEGAL);
}

static void atomics(void)
{
	uint64_t at = FIRST + 3 * BLOCK, old, failed;

	__asm__ volatile("amoadd.d %0, %2, (%1)" : "=&r"(old) : "r"(at), "r"(5ul) : "memory");
	check("an atomic finds zero", old == 0 && read64(at) == 5);
	at += STEP;
	__asm__ volatile("1:\tlr.d %0, (%2)\n\tsc.d %1, %3, (%2)\n\tbnez %1, 1b"
			 : "=&r"(old), "=&r"(failed)
			 : "r"(at), "r"(7ul)
			 : "memory");
	check("so does a reservation", old == 0 && read64(at) == 7);
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
	atomics();
	every_step();
}
