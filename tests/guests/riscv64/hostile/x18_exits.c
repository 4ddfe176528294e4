/* SPDX-License-Identifier: MIT */
/* X18: a million exits in a tight loop, by reads of a device that answers and of one that does not.
 */
#include "guest.h"

#define ANSWERED 700000u
#define ABORTED  100000u
#define CALLS    200000u

static volatile unsigned faults;

static void count_and_step(struct guest_frame *frame)
{
	faults++;
	step_over(frame);
}

void guest_main(uint64_t dtb)
{
	uint64_t wrong = 0;

	(void)dtb;
	plic_priority(UART_IRQ, 5);
	for (unsigned i = 0; i < ANSWERED; i++) {
		wrong |= read32(GUEST_PLIC + 4 * UART_IRQ) ^ 5;
	}
	check_eq("a register, over and over", wrong, 0);
	on_sync = count_and_step;
	for (unsigned i = 0; i < ABORTED; i++) {
		(void)read32(GUEST_HOLE);
	}
	check_eq("nothing, over and over", faults, ABORTED);
	on_sync = NULL;
	for (unsigned i = 0; i < CALLS; i++) {
		wrong |= SBI(0x7777777, i, i, i).error != SBI_NOT_SUPPORTED;
	}
	check_eq("a call that there is not", wrong, 0);
}
