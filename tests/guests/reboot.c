/* SPDX-License-Identifier: MIT */
/* Asks for a reset. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("REBOOTING\n");
	call_smc(PSCI_SYSTEM_RESET, 0, 0, 0);
	check("reset returned", false);
}
