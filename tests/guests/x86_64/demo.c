/* SPDX-License-Identifier: MIT */
/*
 * What the first hypervisors of this kind showed, one after the other, in a guest without a driver
 * of its own: it talks by hypervisor calls and ends by one. Its flash begins with "pfld". Without a
 * hypervisor it talks by COM1.
 */
#include "guest.h"

#define SOON     500000u /* ns */
#define FOR_EVER 2000000u

static bool has_calls;
static volatile unsigned taken, last;

static void say_char(char byte)
{
	if (!has_calls) {
		put_char(byte);
		return;
	}
	while (vmmcall(CALL_PUTCHAR, (uint8_t)byte, 0) != 1) {
	}
}

static void say(const char *text)
{
	while (*text) {
		say_char(*text++);
	}
}

static void say_hex(uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4) {
		say_char("0123456789abcdef"[value >> shift & 15]);
	}
}

static _Noreturn void leave(uint32_t code)
{
	if (has_calls) {
		vmmcall(CALL_EXIT, code, 0);
	}
	power_off();
}

static void show(const char *what, bool ok)
{
	say(ok ? "shown: " : "not shown: ");
	say(what);
	say("\n");
	if (!ok) {
		leave(1);
	}
}

static void count(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	last = vector;
	lapic_eoi();
	taken++;
}

static bool comes(void)
{
	bool came;

	taken = 0;
	irq_unmask();
	came = wait_for_flag(&taken, FOR_EVER);
	irq_mask();
	return came && last == VECTOR_TIMER;
}

static void interrupts(void)
{
	bool all = true;

	on_irq = count;
	for (unsigned i = 0; i < 3; i++) {
		lapic_timer(VECTOR_TIMER, SOON);
		all = comes() && all;
	}
	show("the local APIC's timer, three times", all);
	lapic_send(ICR_SELF | VECTOR_TIMER, 0);
	show("an interrupt to itself", comes());
	lapic_timer(VECTOR_TIMER, SOON);
	taken = 0;
	sleep_until(&taken, 1);
	show("HLT, until the timer is due", true);
}

static void ports(void)
{
	uint8_t was = in8(PORT_UART + 7);

	out8(PORT_UART + 7, 0x5a);
	show("a port", in8(PORT_UART + 7) == 0x5a);
	out8(PORT_UART + 7, was);
	show("one that nobody has", in32(0x5000) == 0xffffffff);
}

static void flash(void)
{
	uint32_t magic = read32(GUEST_FLASH);

	say("got 0x");
	say_hex(magic);
	say("\nGot pflash magic: ");
	for (unsigned i = 0; i < 4; i++) {
		say_char((char)(magic >> 8 * i));
	}
	say("\n");
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	has_calls = !TRY("vmmcall", ::"a"(CALL_FEATURES) : "memory");
	interrupts();
	ports();
	flash();
	say("Shutdown vm normally!\n");
	leave(0);
}
