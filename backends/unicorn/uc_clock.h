/* SPDX-License-Identifier: MIT */
/*
 * The guest's time: nanoseconds since the run began. It follows the host's monotonic clock; or, in
 * a deterministic run, it is the count of executed blocks, and waiting costs nothing.
 */
#ifndef UC_CLOCK_H
#define UC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The counter of the guest runs at 62.5 MHz, as on QEMU's virt machine. */
#define SIM_TICK_NS  16u
#define SIM_BLOCK_NS SIM_TICK_NS

struct sim_clock {
	bool deterministic;
	uint64_t start;    /* host nanoseconds at the beginning */
	uint64_t left;     /* blocks until the next look at the clock; counts down */
	uint64_t look_at;  /* the count of all executed blocks by then */
	uint64_t skipped;  /* deterministic: nanoseconds that nobody waited for */
	uint64_t deadline; /* ns */
	void *every;       /* who looks at each block; NULL: nobody */
	uint64_t held;     /* blocks that `left` lacks because of that */
	uint64_t guest_ns; /* host time inside the guest */
};

uint64_t sim_host_now(void);
void sim_clock_start(struct sim_clock *clock, bool deterministic);
uint64_t sim_clock_now(const struct sim_clock *clock);
uint64_t sim_clock_count(const struct sim_clock *clock);

/* Executed translation blocks. */
static inline uint64_t sim_clock_blocks(const struct sim_clock *clock)
{
	return clock->look_at - clock->left;
}

/* The guest may run until `deadline`, at least one block. */
void sim_clock_arm(struct sim_clock *clock, uint64_t deadline);

/*
 * One block more; true when it is time for sim_clock_look(). This is called a hundred million times
 * while Linux boots, so there is one memory operand in it and no more.
 */
static inline bool sim_clock_block(struct sim_clock *clock)
{
	return --clock->left == 0;
}

/* The next block is not the guest's, and does not count. */
static inline void sim_clock_free(struct sim_clock *clock)
{
	clock->left++;
	clock->look_at++;
}

/* From now on sim_clock_block() is true each time if `every` is not NULL; see sim_clock_pass(). */
void sim_clock_every_block(struct sim_clock *clock, void *every);
/* After sim_clock_block() was true: whether that was not for time's sake. */
bool sim_clock_pass(struct sim_clock *clock);
/* Whether the deadline has passed; if not, the next look is arranged. */
bool sim_clock_look(struct sim_clock *clock);
/*
 * An exception counts as a block: one may be the cause of the next for ever, and no block ever run.
 * True: the deadline has passed.
 */
bool sim_clock_exception(struct sim_clock *clock);
/* The deadline is now: the run ends before the next block. */
void sim_clock_expire(struct sim_clock *clock);
/* Deterministic: it is `then` now. */
void sim_clock_skip(struct sim_clock *clock, uint64_t then);

#endif
