/* SPDX-License-Identifier: MIT */
/* Reads the machine's flash, which begins with "pfld", and may not write it. */
#include "guest.h"

#define FLASH   0x04000000u
#define MAGIC   0x646c6670u
#define EC_DABT 0x25u

void guest_main(uint64_t dtb)
{
	(void)dtb;
	check_eq("flash magic", read32(FLASH), MAGIC);
	check_eq("by bytes", read8(FLASH + 3), 'd');
	expect_trap();
	write32(FLASH, 0);
	if (trap_taken()) {
		check_eq("a write is refused as an abort", ESR_EC(trap.esr), EC_DABT);
	}
	check_eq("flash unchanged", read32(FLASH), MAGIC);
}
