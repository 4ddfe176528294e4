/* SPDX-License-Identifier: MIT */
/* Where an RV64 guest is met while Unicorn runs it. */
#ifndef UC_RV64_HOOKS_H
#define UC_RV64_HOOKS_H

#include "uc_rv64.h"

/* False: Unicorn refused one. */
bool sim_rv64_hook(struct sim_rv64_cpu *cpu);
/* A run ended with `error`. True: it was an EBREAK, which is the guest's own and is taken now. */
bool sim_rv64_breakpoint(struct sim_rv64_cpu *cpu, uc_err error);

#endif
