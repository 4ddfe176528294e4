/* SPDX-License-Identifier: MIT */
/* Takes an exception to a vector that is not in memory: nothing can save it. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("CRASHING\n");
	SYSREG_SET(vbar_el1, GUEST_HOLE);
	__asm__ volatile("mov x19, #0x1919\n\tbrk #0" ::: "x19");
}
