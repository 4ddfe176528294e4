/* SPDX-License-Identifier: MIT */
/* Where the guest is met while Unicorn runs it. */
#ifndef UC_HOOKS_H
#define UC_HOOKS_H

#include "uc_a64.h"

/* False: Unicorn refused one. */
bool sim_cpu_hook(struct sim_cpu *cpu);
/* HCR_EL2.VI and VF follow the model of the GIC's CPU interface. */
void sim_cpu_lines_update(struct sim_cpu *cpu);

#endif
