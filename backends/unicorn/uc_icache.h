/* SPDX-License-Identifier: MIT */
/*
 * The guest's maintenance of its instruction cache, which here is the translated code.
 *
 * Unicorn watches a page that it has translated code from, but only up to the first write: then the
 * code that this write hit is forgotten, and the page is not watched any more, although other code
 * of it is kept. So what the guest says must be heard.
 */
#ifndef UC_ICACHE_H
#define UC_ICACHE_H

#include "uc_a64.h"

/* IC IVAU: what was translated from the line at this address, by whatever address, is forgotten. */
void sim_icache_line(struct sim_cpu *cpu, uint64_t va);
/* IC IALLU, IALLUIS: all of it, from the next block on. */
void sim_icache_all(struct sim_cpu *cpu);
/* Before the guest goes on: does what sim_icache_all() left to do. */
void sim_icache_settle(struct sim_cpu *cpu);

#endif
