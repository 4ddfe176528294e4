/* SPDX-License-Identifier: MIT */
/* The smallest guest: says hello by SBI and by the 16550, and that it got a device tree. */
#include "guest.h"

#define FDT_MAGIC_BYTES 0xedfe0dd0u /* big-endian d00dfeed as a little-endian word */

void guest_main(uint64_t dtb)
{
	for (const char *text = "Hello by SBI\n"; *text; text++) {
		sbi_legacy(SBI_LEGACY_PUTCHAR, (uint8_t)*text);
	}
	print("Hello from S-mode\n");
	check("device tree in a1", *(volatile uint32_t *)dtb == FDT_MAGIC_BYTES);
	check("hart in a0", boot_hart < GUEST_HARTS && guest_hart() == boot_hart);
	check("ISA string", isa_has("i") && !isa_has("qqq"));
}
