/* SPDX-License-Identifier: MIT */
/*
 * The port of unit tests: one recorder that a test scripts and inspects. It asserts lock ranks,
 * keeps an event log, and turns port_panic() into a test failure (or into fake_port.panicked where
 * a test expects one). Call fake_port_reset() in each test's set-up.
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include <hv/port.h>
#include <setjmp.h>

struct fake_port {
	uint64_t now;
	unsigned locks_held; /* 0 again after every handler (R7) */
	unsigned lock_count; /* port_lock calls so far */
	unsigned kicks;
	uint16_t kicked_pcpu;
	unsigned tlb_flushes;
	uint64_t flushed_from, flushed_len; /* of the last flush */
	unsigned syncs;
	unsigned logs;
	char last_log[256];
	jmp_buf *panic_to; /* set by a test that expects a panic */
	const char *panic_why;
};

extern struct fake_port fake_port;
void fake_port_reset(void);

#endif
