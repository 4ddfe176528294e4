/* SPDX-License-Identifier: MIT */
/* X16: an exception whose vector is that very exception, for ever, without leaving the guest. */
#include "guest.h"

static uint32_t vectors[512] __attribute__((aligned(2048))); /* zero: undefined */

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("FAULTING\n");
	SYSREG_SET(vbar_el1, (uint64_t)vectors);
	__asm__ volatile(".inst 0");
}
