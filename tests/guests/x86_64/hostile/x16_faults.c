/* SPDX-License-Identifier: MIT */
/* X16: an exception whose vector is that very exception, for ever, without leaving the guest. */
#include "guest.h"

__asm__(".pushsection .text, \"ax\"\n"
	"again:\n"
	"	mov	$stacks + 0x2000, %esp\n"
	"	ud2\n"
	".popsection\n");
extern const uint8_t again[];

void guest_main(uint64_t start_info)
{
	(void)start_info;
	print("FAULTING\n");
	gate_set(VECTOR_UD, again);
	__asm__ volatile("ud2");
}
