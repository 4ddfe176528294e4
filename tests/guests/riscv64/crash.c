/* SPDX-License-Identifier: MIT */
/*
 * Takes an exception to a vector where there is no memory, which is an exception to a vector where
 * there is no memory: nothing can save it.
 */
#include "guest.h"

void guest_main(uint64_t dtb)
{
	(void)dtb;
	print("CRASHING\n");
	CSR_SET(stvec, GUEST_HOLE);
	__asm__ volatile("li s3, 0x1919\n\tebreak" ::: "s3");
}
