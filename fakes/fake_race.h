/* SPDX-License-Identifier: MIT */
/*
 * Plays a race of two physical CPUs, deterministically. CPU 0 runs first(); in its window number
 * `at` (before each lock it takes and after each it gives up) CPU 1 comes in and runs second(),
 * until its end, or until it wants a lock that CPU 0 holds: then it goes on when CPU 0 gives one
 * up. Calling it for at = 0, 1, 2, … until it returns false tries every place where one CPU can
 * come in between; the call that returns false has run one after the other.
 */
#ifndef FAKE_RACE_H
#define FAKE_RACE_H

#include <stdbool.h>

/* first() and second() must not fail an assertion of the test: check when they are over. */
bool fake_race(unsigned at, void (*first)(void *ctx), void (*second)(void *ctx), void *ctx);

#endif
