/* SPDX-License-Identifier: MIT */
/* The smallest guest: says hello, and that it got a device tree. */
#include "guest.h"

#define FDT_MAGIC_BYTES 0xedfe0dd0u /* big-endian d00dfeed as a little-endian word */

void guest_main(uint64_t dtb)
{
	print("Hello from EL");
	put_char((char)('0' + (SYSREG_GET(CurrentEL) >> 2)));
	print("\n");
	check("device tree in x0", dtb == 0 || *(volatile uint32_t *)dtb == FDT_MAGIC_BYTES);
}
