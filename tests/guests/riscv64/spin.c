/* SPDX-License-Identifier: MIT */
/* Never ends, and never leaves the guest: for --timeout. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("SPINNING\n");
	irq_mask();
	for (;;) {
	}
}
