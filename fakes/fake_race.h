/* SPDX-License-Identifier: MIT */
/*
 * Tries every interleaving of up to three physical CPUs, deterministically and on the real code. A
 * CPU can be interrupted by the others in its windows: before each lock it takes, after each it
 * gives up, and where the test says so. A CPU that wants a lock which another holds waits until it
 * is free; when nobody can go on, that is a deadlock and ends the process.
 */
#ifndef FAKE_RACE_H
#define FAKE_RACE_H

#define FAKE_RACERS 3u

struct fake_race {
	void (*setup)(void *ctx); /* before each interleaving */
	/* What each CPU does; NULL: there are fewer. They must not fail an assertion themselves. */
	void (*cpu[FAKE_RACERS])(void *ctx);
	void (*check)(void *ctx); /* after each interleaving */
	void *ctx;
};

/* Returns how many interleavings there were. */
unsigned fake_race(const struct fake_race *race);

/* A window of the test's own, e.g. between two accesses to something atomic. */
void fake_race_window(void);

#endif
