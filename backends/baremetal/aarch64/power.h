/* SPDX-License-Identifier: MIT */
/* The host's own power, by the firmware that its device tree names (PSCI, DEN 0022). */
#ifndef POWER_H
#define POWER_H

#include <stdbool.h>
#include <stdint.h>

/* "smc" or "hvc", /psci method; NULL: there is no firmware, power_off() just stops. */
void power_init(const char *method);
_Noreturn void power_off(void);
/* PSCI CPU_ON: `entry` is entered at EL2 with its MMU off and x0 = arg. False: firmware refuses. */
bool power_cpu_on(uint64_t mpidr, uintptr_t entry, uint64_t arg);

#endif
