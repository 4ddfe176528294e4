/* SPDX-License-Identifier: MIT */
#include "fake_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOCKS 8

struct fake_port fake_port;

static struct held {
	struct hv_lock *lock[MOST_LOCKS]; /* in the order they were taken */
	unsigned count;
} held[FAKE_CPUS];

void fake_port_reset(void)
{
	fake_port = (struct fake_port){0};
	memset(held, 0, sizeof(held));
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fake_port: %s\n", what);
	abort();
}

static void window(void)
{
	if (fake_port.window) {
		fake_port.window();
	}
}

static void await(const struct hv_lock *lock)
{
	while (lock->word) {
		if (lock->word == fake_port.cpu + 1) {
			fail("lock taken twice");
		}
		if (!fake_port.wait) {
			fail("deadlock: another CPU holds the lock and cannot go on");
		}
		fake_port.wait(lock);
	}
}

void port_lock(struct hv_lock *lock)
{
	struct held *mine = &held[fake_port.cpu];

	window();
	if (lock->rank < HV_LOCK_VM || lock->rank > HV_LOCK_PORT) {
		fail("a lock without a rank: HV_LOCK_INIT is missing");
	}
	if (mine->count == MOST_LOCKS) {
		fail("too many locks held");
	}
	if (lock->word != fake_port.cpu + 1 && mine->count &&
		mine->lock[mine->count - 1]->rank >= lock->rank) {
		fail("lock order: the rank must rise");
	}
	await(lock);
	lock->word = fake_port.cpu + 1;
	mine->lock[mine->count++] = lock;
	fake_port.locks_held++;
	fake_port.lock_count++;
}

void port_unlock(struct hv_lock *lock)
{
	struct held *mine = &held[fake_port.cpu];

	if (!lock->word || !mine->count || mine->lock[mine->count - 1] != lock) {
		fail("unlock of a lock that is not the last one taken");
	}
	lock->word = 0;
	mine->count--;
	fake_port.locks_held--;
	window();
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
	if (fake_port.tlb_hook) {
		fake_port.tlb_hook(fake_port.tlb_ctx, from.v, len);
	}
}

void port_guest_sync(const void *host, size_t size)
{
	fake_port.synced = host;
	fake_port.synced_size = size;
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
