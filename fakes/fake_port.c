/* SPDX-License-Identifier: MIT */
#include "fake_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOCKS 8

struct fake_port fake_port;
static struct hv_lock *held[MOST_LOCKS];

void fake_port_reset(void)
{
	fake_port = (struct fake_port){0};
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fake_port: %s\n", what);
	abort();
}

void port_lock(struct hv_lock *lock)
{
	if (lock->rank < HV_LOCK_VM || lock->rank > HV_LOCK_PORT) {
		fail("a lock without a rank: HV_LOCK_INIT is missing");
	}
	if (lock->word) {
		fail("lock taken twice");
	}
	if (fake_port.locks_held == MOST_LOCKS) {
		fail("too many locks held");
	}
	if (fake_port.locks_held && held[fake_port.locks_held - 1]->rank >= lock->rank) {
		fail("lock order: the rank must rise");
	}
	lock->word = 1;
	held[fake_port.locks_held++] = lock;
	fake_port.lock_count++;
}

void port_unlock(struct hv_lock *lock)
{
	if (!lock->word || !fake_port.locks_held || held[fake_port.locks_held - 1] != lock) {
		fail("unlock of a lock that is not the last one taken");
	}
	lock->word = 0;
	fake_port.locks_held--;
}

uint64_t port_now(void)
{
	return fake_port.now;
}

void port_kick(uint16_t pcpu)
{
	fake_port.kicks++;
	fake_port.kicked_pcpu = pcpu;
}

void port_tlb_flush(const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)pt;
	fake_port.tlb_flushes++;
	fake_port.flushed_from = from.v;
	fake_port.flushed_len = len;
}

void port_guest_sync(const void *host, size_t size)
{
	(void)host;
	(void)size;
	fake_port.syncs++;
}

void port_log(const char *line, size_t size)
{
	fake_port.logs++;
	snprintf(fake_port.last_log, sizeof(fake_port.last_log), "%.*s", (int)size, line);
}

_Noreturn void port_panic(const char *why)
{
	fake_port.panic_why = why;
	if (fake_port.panic_to) {
		longjmp(*fake_port.panic_to, 1);
	}
	fail(why);
}
