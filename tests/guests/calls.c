/* SPDX-License-Identifier: MIT */
/* Firmware calls by both conduits: PSCI, SMCCC discovery, and that an unknown one is answered. */
#include "guest.h"

#define SMCCC_VERSION       0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define UNKNOWN_YIELD       0x84007777u /* a standard service that nobody has */
#define UNKNOWN_VENDOR      0xc600ffffu
#define NOT_SUPPORTED       UINT64_MAX

static void check_version(const char *name, struct call_result result)
{
	uint64_t major = result.x[0] >> 16;

	check(name, major == 1 && result.x[0] >> 32 == 0);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	check_version("hvc PSCI_VERSION", call_hvc(PSCI_VERSION, 0, 0, 0));
	check_version("smc PSCI_VERSION", call_smc(PSCI_VERSION, 0, 0, 0));
	check_version("hvc SMCCC_VERSION", call_hvc(SMCCC_VERSION, 0, 0, 0));
	check_eq("PSCI_FEATURES of SMCCC_VERSION",
		call_hvc(PSCI_FEATURES, SMCCC_VERSION, 0, 0).x[0], 0);
	check_eq("PSCI_FEATURES of SYSTEM_OFF", call_hvc(PSCI_FEATURES, PSCI_SYSTEM_OFF, 0, 0).x[0],
		0);
	check("PSCI_FEATURES of nonsense",
		(int32_t)call_hvc(PSCI_FEATURES, UNKNOWN_YIELD, 0, 0).x[0] == -1);
	check_eq("AFFINITY_INFO of this CPU", call_hvc(PSCI_AFFINITY_INFO, 0, 0, 0).x[0], 0);
	check("CPU_ON of this CPU", (int32_t)call_hvc(PSCI_CPU_ON, 0, 0x40080000, 0).x[0] == -4);
	check("CPU_ON of no CPU", (int32_t)call_hvc(PSCI_CPU_ON, 0x700, 0x40080000, 0).x[0] == -2);
	check("hvc unknown service", (int32_t)call_hvc(UNKNOWN_YIELD, 1, 2, 3).x[0] == -1);
	check("smc unknown service", (int32_t)call_smc(UNKNOWN_YIELD, 1, 2, 3).x[0] == -1);
	check("hvc unknown vendor call", call_hvc(UNKNOWN_VENDOR, 1, 2, 3).x[0] == NOT_SUPPORTED);
}
