/* SPDX-License-Identifier: MIT */
/* The smallest guest: says hello on COM1, and that it was told where it is. */
#include "guest.h"

#define START_INFO_MAGIC 0x336ec578u

void guest_main(uint64_t start_info)
{
	uint8_t ids[GUEST_CPUS];

	print("Hello from long mode\n");
	check_eq("boot information in rbx", read32(start_info), START_INFO_MAGIC);
	check("ACPI's tables say which CPUs there are", cpu_ids(ids) >= 1 && ids[0] == 0);
	check_eq("this is the first", guest_cpu(), 0);
}
