/* SPDX-License-Identifier: MIT */
#include "power.h"

#include "sysreg.h"

#include <stddef.h>

#define PSCI_SYSTEM_OFF 0x84000008u

static enum { CONDUIT_NONE, CONDUIT_SMC, CONDUIT_HVC } conduit;

void power_init(const char *method)
{
	conduit = CONDUIT_NONE;
	if (method && method[0] == 's') {
		conduit = CONDUIT_SMC;
	} else if (method && method[0] == 'h') {
		conduit = CONDUIT_HVC;
	}
}

_Noreturn void power_off(void)
{
	register uint64_t x0 __asm__("x0") = PSCI_SYSTEM_OFF;

	if (conduit == CONDUIT_SMC) {
		__asm__ volatile("smc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
	} else if (conduit == CONDUIT_HVC) {
		__asm__ volatile("hvc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
	}
	for (;;) {
		WFI();
	}
}
