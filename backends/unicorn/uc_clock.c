/* SPDX-License-Identifier: MIT */
#include "uc_clock.h"

#include <time.h>

#define BLOCKS_BETWEEN_LOOKS 1024u /* about 30 us: how late an interrupt may be */
#define NS_PER_S             1000000000u

uint64_t sim_host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void sim_clock_start(struct sim_clock *clock, bool deterministic)
{
	*clock = (struct sim_clock){.deterministic = deterministic, .start = sim_host_now()};
}

uint64_t sim_clock_now(const struct sim_clock *clock)
{
	return clock->deterministic ? sim_clock_blocks(clock) * SIM_BLOCK_NS + clock->skipped
				    : sim_host_now() - clock->start;
}

uint64_t sim_clock_count(const struct sim_clock *clock)
{
	return sim_clock_now(clock) / SIM_TICK_NS;
}

/* `left` is 1 while each block is looked at; what it had more is held back. */
static void hold(struct sim_clock *clock)
{
	clock->held = clock->left - 1;
	clock->look_at -= clock->held;
	clock->left = 1;
}

static void let_go(struct sim_clock *clock)
{
	clock->left += clock->held;
	clock->look_at += clock->held;
	clock->held = 0;
}

void sim_clock_every_block(struct sim_clock *clock, void *every)
{
	let_go(clock);
	clock->every = every;
	if (every && clock->left) {
		hold(clock);
	}
}

bool sim_clock_pass(struct sim_clock *clock)
{
	if (clock->held == 0) {
		return false;
	}
	clock->held--;
	clock->look_at++;
	clock->left = 1;
	return true;
}

/* The first block is announced before it runs: to stop there would get nowhere, so two at least. */
static void look_after(struct sim_clock *clock, uint64_t blocks)
{
	clock->held = 0;
	clock->look_at = sim_clock_blocks(clock) + (blocks < 2 ? 2 : blocks);
	clock->left = blocks < 2 ? 2 : blocks;
	if (clock->every) {
		hold(clock);
	}
}

void sim_clock_arm(struct sim_clock *clock, uint64_t deadline)
{
	uint64_t now;

	clock->deadline = deadline;
	if (!clock->deterministic) {
		look_after(clock, BLOCKS_BETWEEN_LOOKS);
		return;
	}
	now = sim_clock_now(clock);
	look_after(clock, deadline > now ? (deadline - now - 1) / SIM_BLOCK_NS + 1 : 0);
}

void sim_clock_expire(struct sim_clock *clock)
{
	if (clock->left > 1) {
		clock->look_at -= clock->left - 1;
		clock->left = 1;
	}
	clock->held = 0;
	clock->deadline = 0;
}

bool sim_clock_look(struct sim_clock *clock)
{
	if (sim_clock_now(clock) >= clock->deadline) {
		return true;
	}
	look_after(clock, BLOCKS_BETWEEN_LOOKS);
	return false;
}

bool sim_clock_exception(struct sim_clock *clock)
{
	if (!sim_clock_block(clock) || (clock->every && sim_clock_pass(clock))) {
		return false;
	}
	return sim_clock_look(clock);
}

void sim_clock_skip(struct sim_clock *clock, uint64_t then)
{
	uint64_t now = sim_clock_now(clock);

	if (then > now) {
		clock->skipped += then - now;
	}
}
