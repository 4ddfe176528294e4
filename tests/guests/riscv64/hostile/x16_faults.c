/* SPDX-License-Identifier: MIT */
/* X16: an exception whose vector is that very exception, for ever, without leaving the guest. */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("FAULTING\n");
	__asm__ volatile("la t0, 1f\n\tcsrw stvec, t0\n\t.balign 4\n1:\t.4byte 0xffffffff" ::
				 : "t0");
}
