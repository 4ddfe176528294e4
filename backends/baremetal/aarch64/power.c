/* SPDX-License-Identifier: MIT */
#include "power.h"

#include "sysreg.h"

#include <stddef.h>

#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_CPU_ON_64  0xc4000003u

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

/* What firmware answers; -1 (PSCI's NOT_SUPPORTED) when there is none. */
static int32_t psci(uint64_t fn, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	register uint64_t x0 __asm__("x0") = fn;
	register uint64_t x1 __asm__("x1") = arg1;
	register uint64_t x2 __asm__("x2") = arg2;
	register uint64_t x3 __asm__("x3") = arg3;

	switch (conduit) {
	case CONDUIT_SMC:
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
		return (int32_t)x0;
	case CONDUIT_HVC:
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
		return (int32_t)x0;
	default: return -1;
	}
}

_Noreturn void power_off(void)
{
	(void)psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;) {
		WFI();
	}
}

bool power_cpu_on(uint64_t mpidr, uintptr_t entry, uint64_t arg)
{
	return psci(PSCI_CPU_ON_64, mpidr, entry, arg) == 0;
}
