/* SPDX-License-Identifier: MIT */
/*
 * The port of unit tests: one recorder that a test scripts and inspects. It asserts lock ranks,
 * keeps an event log, and turns port_panic() into a test failure (or into fake_port.panicked where
 * a test expects one). Call fake_port_reset() in each test's set-up.
 *
 * A test may play several physical CPUs: `cpu` says whose turn it is, and each has its own held
 * locks. fake_race.h builds on that to try every interleaving of two of them.
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include <hv/port.h>
#include <setjmp.h>

#define FAKE_CPUS 4u

struct fake_port {
	uint64_t now;
	unsigned cpu;        /* the physical CPU that the test plays now */
	unsigned locks_held; /* by all CPUs; 0 again after every handler (R7) */
	unsigned lock_count; /* port_lock calls so far */
	unsigned kicks;
	uint16_t kicked_pcpu; /* the last one */
	unsigned tlb_flushes;
	uint64_t flushed_from, flushed_len; /* of the last flush */
	/* Called inside each port_tlb_flush; fake_tlb hooks in here. */
	void (*tlb_hook)(void *ctx, uint64_t from, uint64_t len);
	void *tlb_ctx;
	unsigned syncs;
	const void *synced; /* by the last sync */
	size_t synced_size;
	unsigned logs;
	char last_log[256];
	jmp_buf *panic_to; /* set by a test that expects a panic */
	const char *panic_why;
	/* Where another CPU may come in between: before a lock is taken, after one was given up. */
	void (*window)(void);
	/* Lets the CPU that holds the lock go on; NULL: waiting for it would be for ever. */
	void (*wait)(const struct hv_lock *lock);
};

extern struct fake_port fake_port;
void fake_port_reset(void);

#endif
