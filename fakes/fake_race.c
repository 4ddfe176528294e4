/* SPDX-License-Identifier: MIT */
/*
 * Each CPU is a coroutine that comes back to the scheduler in its windows. The scheduler walks the
 * tree of its own decisions depth first: it repeats the last path up to its last decision that has
 * an untried branch, takes that branch, and from there always the first one.
 */
#include "fake_race.h"
#include "fake_port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK_SIZE     (128 * 1024)
#define MOST_DECISIONS 128u

struct racer {
	bool done;
	const struct hv_lock *wants; /* waits until this is free */
	ucontext_t context;
	char stack[STACK_SIZE];
};

static struct racer racers[FAKE_RACERS];
static unsigned racer_count;
static ucontext_t scheduler;
static const struct fake_race *race;

/* The path: which of the CPUs that could go on went on, and how many could. */
static struct {
	unsigned taken, branches;
} path[MOST_DECISIONS];
static unsigned path_length;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fake_race: %s\n", what);
	abort();
}

static void swap(ucontext_t *from, const ucontext_t *to)
{
	if (swapcontext(from, to) != 0) {
		fail("swapcontext");
	}
}

static void racer_main(void)
{
	race->cpu[fake_port.cpu](race->ctx);
	racers[fake_port.cpu].done = true;
}

void fake_race_window(void)
{
	swap(&racers[fake_port.cpu].context, &scheduler);
}

static void wait_for(const struct hv_lock *lock)
{
	struct racer *racer = &racers[fake_port.cpu];

	racer->wants = lock;
	swap(&racer->context, &scheduler);
	racer->wants = NULL;
}

static void racer_init(unsigned n)
{
	struct racer *racer = &racers[n];

	racer->done = false;
	racer->wants = NULL;
	if (getcontext(&racer->context) != 0) {
		fail("getcontext");
	}
	racer->context.uc_stack.ss_sp = racer->stack;
	racer->context.uc_stack.ss_size = sizeof(racer->stack);
	racer->context.uc_link = &scheduler;
	makecontext(&racer->context, racer_main, 0);
}

static bool can_go_on(const struct racer *racer)
{
	return !racer->done && !(racer->wants && racer->wants->word);
}

/* The CPU to go on at decision number `at`; FAKE_RACERS when all are done. */
static unsigned decide(unsigned at)
{
	unsigned able[FAKE_RACERS], count = 0, done = 0;

	for (unsigned n = 0; n < racer_count; n++) {
		done += racers[n].done;
		if (can_go_on(&racers[n])) {
			able[count++] = n;
		}
	}
	if (done == racer_count) {
		return FAKE_RACERS;
	}
	if (count == 0) {
		fail("deadlock: each CPU waits for a lock");
	}
	if (at == MOST_DECISIONS) {
		fail("too many windows");
	}
	if (at == path_length) {
		path[path_length++].taken = 0;
	}
	path[at].branches = count;
	return able[path[at].taken];
}

static void run_path(void)
{
	unsigned at = 0, n;

	for (n = 0; n < racer_count; n++) {
		racer_init(n);
	}
	fake_port.window = fake_race_window;
	fake_port.wait = wait_for;
	while ((n = decide(at++)) != FAKE_RACERS) {
		fake_port.cpu = n;
		swap(&scheduler, &racers[n].context);
	}
	fake_port.cpu = 0;
	fake_port.window = NULL;
	fake_port.wait = NULL;
}

/* Cuts the path back to its last untried branch, and takes that; false when there is none. */
static bool next_path(void)
{
	while (path_length > 0) {
		unsigned last = path_length - 1;

		path[last].taken++;
		if (path[last].taken < path[last].branches) {
			return true;
		}
		path_length--;
	}
	return false;
}

unsigned fake_race(const struct fake_race *this_race)
{
	unsigned count = 0;

	race = this_race;
	racer_count = 0;
	while (racer_count < FAKE_RACERS && race->cpu[racer_count]) {
		racer_count++;
	}
	path_length = 0;
	do {
		race->setup(race->ctx);
		run_path();
		race->check(race->ctx);
		count++;
	} while (next_path());
	return count;
}
