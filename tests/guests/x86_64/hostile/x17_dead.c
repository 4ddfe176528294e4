/* SPDX-License-Identifier: MIT */
/* X17: waits for an interrupt that nothing can raise, masked. For --timeout. */
#include "guest.h"

void guest_main(uint64_t start_info)
{
	(void)start_info;
	print("WAITING\n");
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}
