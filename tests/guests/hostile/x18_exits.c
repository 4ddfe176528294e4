/* SPDX-License-Identifier: MIT */
/* X18: a million exits in a tight loop, by reads of a device that answers and of one that does not.
 */
#include "guest.h"

#define ANSWERED 700000u
#define ABORTED  100000u
#define CALLS    200000u

static volatile unsigned aborts;

static void step_over(struct guest_frame *frame)
{
	aborts++;
	frame->elr += 4;
}

void guest_main(uint64_t dtb)
{
	uint32_t all = 0;

	(void)dtb;
	for (unsigned i = 0; i < ANSWERED; i++) {
		all |= read32(GUEST_UART + 0xfe0);
	}
	check_eq("a register, over and over", all, 0x11);
	on_sync = step_over;
	for (unsigned i = 0; i < ABORTED; i++) {
		(void)read32(GUEST_HOLE);
	}
	check_eq("nothing, over and over", aborts, ABORTED);
	on_sync = NULL;
	for (unsigned i = 0; i < CALLS; i++) {
		(void)call_hvc(0x84007777u, i, i, i);
	}
	check("a call that there is not", true);
}
