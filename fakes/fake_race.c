/* SPDX-License-Identifier: MIT */
/* CPU 1 is a coroutine: it has a stack of its own and is resumed in the windows of CPU 0. */
#include "fake_race.h"
#include "fake_port.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK_SIZE (256 * 1024)

static struct {
	unsigned windows_left;
	enum { NOT_YET, WAITING, DONE } second;
	void (*run)(void *ctx);
	void *ctx;
	ucontext_t cpu0, cpu1;
	char stack[STACK_SIZE];
} race;

static void cpu1_main(void)
{
	race.run(race.ctx);
	race.second = DONE;
}

/* Lets CPU 1 run until it is done or waits for a lock. */
static void resume(void)
{
	fake_port.cpu = 1;
	if (swapcontext(&race.cpu0, &race.cpu1) != 0) {
		abort();
	}
	fake_port.cpu = 0;
}

static void window(void)
{
	if (fake_port.cpu != 0 || race.second == DONE) {
		return;
	}
	if (race.second == NOT_YET && race.windows_left > 0) {
		race.windows_left--;
		return;
	}
	resume();
}

static void wait_for_other(void)
{
	if (fake_port.cpu == 0) {
		fprintf(stderr, "fake_race: deadlock\n");
		abort();
	}
	race.second = WAITING;
	if (swapcontext(&race.cpu1, &race.cpu0) != 0) {
		abort();
	}
}

bool fake_race(unsigned at, void (*first)(void *ctx), void (*second)(void *ctx), void *ctx)
{
	bool came_between;

	race.windows_left = at;
	race.second = NOT_YET;
	race.run = second;
	race.ctx = ctx;
	if (getcontext(&race.cpu1) != 0) {
		abort();
	}
	race.cpu1.uc_stack.ss_sp = race.stack;
	race.cpu1.uc_stack.ss_size = sizeof(race.stack);
	race.cpu1.uc_link = &race.cpu0;
	makecontext(&race.cpu1, cpu1_main, 0);
	fake_port.window = window;
	fake_port.wait = wait_for_other;
	first(ctx);
	came_between = race.second != NOT_YET;
	while (race.second != DONE) {
		resume();
	}
	fake_port.window = NULL;
	fake_port.wait = NULL;
	return came_between;
}
