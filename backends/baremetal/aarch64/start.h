/* SPDX-License-Identifier: MIT */
/*
 * The first steps, the same for the hypervisor and for images that test its parts: this CPU's
 * record, the machine, our own translation. What cannot be is said on the console, and the machine
 * goes off.
 */
#ifndef START_H
#define START_H

#include "host.h"

/* Fills in *host and prepares console, power, clock and capabilities. Uses the boot map. */
void start_learn(struct host *host, uintptr_t dtb);
/* Makes stage1 and maps us, the devices and the initrd; the caller maps what else it needs. */
void start_map(const struct host *host);
/* From the boot map to stage1; then the GIC is ready. */
void start_settle(const struct host *host);

/*
 * Starts the host's CPUs 1 to count - 1 by its firmware; each enters el2_secondary() with the
 * record that start_learn() made for it. Not before all that they read is written.
 */
void start_cpus(const struct host *host, uint32_t count);
/* What a secondary CPU does of start_settle(). */
void start_secondary(void);

/* "end" record, and off. */
_Noreturn void start_end(const char *how);
/* What is wrong with which input, and where; then the end. */
_Noreturn void start_refuse(const struct hv_load_error *error);
/* Goes on only when all is fine. */
void start_need(bool fine, const char *why);

#endif
