/* SPDX-License-Identifier: MIT */
/*
 * What the first hypervisors of this kind showed, one after the other, in a guest without a driver
 * of its own: it talks by hypervisor calls and ends by one. Its flash begins with "pfld".
 */
#include "guest.h"

#define FLASH      0x04000000u
#define VTIMER     27u
#define SGI        1u
#define ENABLE     1u
#define SOON       500u
#define FOR_EVER   2000000u
#define GICD_TYPER (GUEST_GICD + 0x004)
#define UART_ID0   (GUEST_UART + 0xfe0)

static volatile unsigned taken, last;

static void say(const char *text)
{
	while (*text) {
		if (call_hvc(DRYDOCK_PUTCHAR, (uint8_t)*text, 0, 0).x[0] == 1) {
			text++;
		}
	}
}

static void say_number(uint64_t value)
{
	char text[19] = "0x", *to = text + 2;

	for (int shift = 60; shift >= 0; shift -= 4) {
		if (to != text + 2 || shift == 0 || value >> shift) {
			*to++ = "0123456789abcdef"[value >> shift & 15];
		}
	}
	*to = '\0';
	say(text);
}

static _Noreturn void leave(uint32_t code)
{
	call_hvc(DRYDOCK_EXIT, code, 0, 0);
	for (;;) {
	}
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

static void count(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		return;
	}
	if (intid == VTIMER) {
		SYSREG_SET(cntv_ctl_el0, 0);
	}
	gic_eoi(intid);
	last = intid & 0x3ff;
	taken++;
}

static void calls(void)
{
	static const char text[] = "Hello by hypercall\n";
	uint64_t done = 0;

	show("a hypervisor that says what it can", call_hvc(DRYDOCK_FEATURES, 0, 0, 0).x[0] == 0xf);
	while (done < sizeof(text) - 1) {
		done += call_hvc(DRYDOCK_WRITE, (uint64_t)text + done, sizeof(text) - 1 - done, 0)
				.x[0];
	}
	show("a text by one call", done == sizeof(text) - 1);
}

static void devices(void)
{
	show("PL011 by trap and emulate", read32(UART_ID0) == 0x11);
	show("GICD by trap and emulate", (read32(GICD_TYPER) & 0x1f) != 0);
}

/* One more than the last time, each taken before the next is asked for. */
static void three_in_a_row(void)
{
	gic_enable(SGI, 0xa0);
	for (unsigned i = 1; i <= 3; i++) {
		gic_sgi_to_self(SGI);
		show("a virtual interrupt",
			wait_for_flag(&taken, FOR_EVER) && taken == 1 && last == SGI);
		taken = 0;
	}
}

static void timer(void)
{
	gic_enable(VTIMER, 0x80);
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE);
	show("the virtual timer", wait_for_flag(&taken, FOR_EVER) && last == VTIMER);
	taken = 0;
	SYSREG_SET(cntv_tval_el0, counter_of_us(SOON));
	SYSREG_SET(cntv_ctl_el0, ENABLE);
	sleep_until(&taken, 1);
	show("WFI, ended by it", taken == 1 && last == VTIMER);
}

static void flash(void)
{
	uint32_t magic = read32(FLASH);
	char text[5] = {0};

	for (unsigned i = 0; i < 4; i++) {
		text[i] = (char)(magic >> 8 * i);
	}
	say("got ");
	say_number(magic);
	say("\nGot pflash magic: ");
	say(text);
	say("\n");
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	calls();
	devices();
	gic_init();
	on_irq = count;
	irq_unmask();
	three_in_a_row();
	timer();
	flash();
	say("Shutdown vm normally!\n");
	leave(0);
}
