/* SPDX-License-Identifier: MIT */
/* Reads the machine's flash, which begins with "pfld", and may not write it. */
#include "guest.h"

#define MAGIC 0x646c6670u

void guest_main(uint64_t dtb)
{
	(void)dtb;
	check_eq("flash magic", read32(GUEST_FLASH), MAGIC);
	check_eq("by bytes", read8(GUEST_FLASH + 3), 'd');
	expect_trap();
	write32(GUEST_FLASH, 0);
	if (trap_taken()) {
		check("a write is refused as an access fault",
			trap.cause == CAUSE_STORE_ACCESS && trap.tval == GUEST_FLASH);
	}
	check_eq("flash unchanged", read32(GUEST_FLASH), MAGIC);
}
