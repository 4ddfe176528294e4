/* SPDX-License-Identifier: MIT */
/* Asks for a cold reboot. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("REBOOTING\n");
	SBI(SBI_SRST, 0, 1, 0);
	check("reset returned", false);
}
