/* SPDX-License-Identifier: MIT */
/* X17: waits for an interrupt that nothing can raise, masked. For --timeout. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	irq_mask();
	CSR_SET(sie, 0);
	print("WAITING\n");
	for (;;) {
		wait_for_interrupt();
	}
}
