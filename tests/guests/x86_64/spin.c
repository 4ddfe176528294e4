/* SPDX-License-Identifier: MIT */
/* Never ends, and never leaves the guest: for --timeout. */
#include "guest.h"

void guest_main(uint64_t start_info)
{
	(void)start_info;
	print("SPINNING\n");
	irq_mask();
	for (;;) {
	}
}
