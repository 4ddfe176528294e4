/* SPDX-License-Identifier: MIT */
/* Where the guest is met while Unicorn runs it. */
#ifndef UC_HOOKS_H
#define UC_HOOKS_H

#include "uc_a64.h"

/* False: Unicorn refused one. */
bool sim_cpu_hook(struct sim_cpu *cpu);
/* An exception of the guest's own, taken to EL1 from the CPU's PC. */
void sim_cpu_exception(struct sim_cpu *cpu, const struct sim_fault *fault);
bool sim_cpu_is_el0(const struct sim_cpu *cpu);
/* Shows core the few registers that the guest's Stage-1 depends on; el1_here is for the caller to
 * take back. */
void sim_cpu_stage1_load(struct sim_cpu *cpu);
/*
 * Instructions from `pc` on, as the guest would fetch them: core reads through the guest's
 * translation, of which it is shown the few registers that count. Returns how many can be fetched.
 */
unsigned sim_cpu_peek(struct sim_cpu *cpu, uint64_t pc, uint32_t *insn, unsigned count);
/* HCR_EL2.VI and VF follow the model of the GIC's CPU interface. */
void sim_cpu_lines_update(struct sim_cpu *cpu);

#endif
