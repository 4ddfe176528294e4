/* SPDX-License-Identifier: MIT */
/*
 * X22: strings of ports and of devices with counts that never end, down, around the end of the
 * ports and of the address space. A timer comes in between, as each goes on where it was.
 */
#include "guest.h"

#define LATER   2000000u /* ns */
#define FOREVER 0xffffffffull

static uint8_t buffer[8192] __attribute__((aligned(4096)));
static volatile unsigned fired;

/* Away from the instruction, if it has begun. */
static void take(struct guest_frame *frame, unsigned vector)
{
	(void)vector;
	lapic_eoi();
	if (frame->r[RCX] == FOREVER) {
		lapic_timer(VECTOR_TIMER, LATER);
		return;
	}
	fired++;
	frame->rip += 2;
	frame->rflags &= ~(RFLAGS_IF | RFLAGS_DF);
}

#define ENDLESS(name, code, to, from, port)                                                        \
	do {                                                                                       \
		uint64_t di_ = (to), si_ = (from), cx_ = FOREVER;                                  \
		fired = 0;                                                                         \
		lapic_timer(VECTOR_TIMER, LATER);                                                  \
		(void)TRY("sti\n\tnop\n\t" code "\n\tcld\n\tcli",                                  \
			  : "+D"(di_), "+S"(si_), "+c"(cx_)                                        \
			  : "d"(port), "a"(0)                                                      \
			  : "memory", "cc");                                                       \
		__asm__ volatile("cli\n\tcld");                                                    \
		lapic_timer(VECTOR_TIMER, 0);                                                      \
		check(name, fired || trap_taken);                                                  \
	} while (0)

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take;
	ENDLESS("rep insb to one page and beyond", "rep insb", (uint64_t)GUEST_HOLE, 0, 0x5000);
	ENDLESS("rep outsb", "rep outsb", 0, (uint64_t)GUEST_HOLE, 0x80);
	ENDLESS("rep outsl from memory", "rep outsl", 0, (uint64_t)buffer, 0xffff);
	ENDLESS("rep insl around the ports' end", "rep insl", (uint64_t)GUEST_HOLE, 0, 0xfffe);
	ENDLESS("rep stosb into nothing", "rep stosb", (uint64_t)GUEST_HOLE, 0, 0);
	ENDLESS("rep movsb of nothing", "rep movsb", (uint64_t)GUEST_HOLE,
		(uint64_t)GUEST_HOLE + 64, 0);
	ENDLESS("rep lodsb", "rep lodsb", 0, (uint64_t)GUEST_HOLE, 0);
	ENDLESS("down", "std\n\trep stosb", (uint64_t)GUEST_HOLE + 0x8000000, 0, 0);
	ENDLESS("to the end of what is mapped", "rep stosb", 0xffffff00, 0, 0);
	ENDLESS("not canonical", "rep insb", 1ull << 63, 0, 0x80);
	ENDLESS("around the end of all", "rep outsb", 0, ~0ull - 2, 0x80);
	check("the guest is well", in8(PORT_UART + 5) & 0x20);
}
