/* SPDX-License-Identifier: MIT */
/* The host's own power, by the firmware that its device tree names (PSCI, DEN 0022). */
#ifndef POWER_H
#define POWER_H

/* "smc" or "hvc", /psci method; NULL: there is no firmware, power_off() just stops. */
void power_init(const char *method);
_Noreturn void power_off(void);

#endif
