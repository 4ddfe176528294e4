/* SPDX-License-Identifier: MIT */
/* Takes an exception without a table of vectors, which is a triple fault: nothing can save it. */
#include "guest.h"

void guest_main(uint64_t start_info)
{
	static const uint8_t no_table[10];

	(void)start_info;
	print("CRASHING\n");
	__asm__ volatile("mov $0x1212, %%r12d\n\tlidt %0\n\tint3" ::"m"(no_table) : "r12");
}
