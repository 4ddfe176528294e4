/* SPDX-License-Identifier: MIT */
/* Says a lot without a pause. */
#include "guest.h"

void guest_main(uint64_t start_info)
{
	(void)start_info;
	for (unsigned i = 0; i < 1000; i++) {
		print("0123456789abcdef\n");
	}
}
