/* SPDX-License-Identifier: MIT */
/* Asks for a reset by the reset control register. */
#include "guest.h"

#define RST_CNT      0xcf9u
#define RST_CNT_HARD 0x06u

void guest_main(uint64_t start_info)
{
	(void)start_info;
	print("REBOOTING\n");
	out8(RST_CNT, 0x02);
	out8(RST_CNT, RST_CNT_HARD);
	for (volatile unsigned i = 0; i < 100000000; i++) {
	}
	check("reset returned", false);
}
