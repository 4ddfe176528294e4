/* SPDX-License-Identifier: MIT */
/*
 * What exits cost, in counter ticks per thousand rounds. Under `-icount shift=0` one instruction is
 * one nanosecond, so that with a 62.5 MHz counter a tick is 16 instructions. The same guest on
 * plain QEMU says what the rounds cost without a hypervisor.
 */
#include "guest.h"

#define ROUNDS 1000u

#define GICD_TYPER (GUEST_GICD + 0x004)
#define UART_FR    (GUEST_UART + 0x018)
#define SGI        5u

static volatile unsigned taken;

static void print_dec(uint64_t value)
{
	if (value >= 10) {
		print_dec(value / 10);
	}
	put_char((char)('0' + value % 10));
}

static void sgi_irq(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	(void)frame;
	if (intid != GIC_SPURIOUS) {
		gic_eoi(intid);
		taken++;
	}
}

static void empty(void)
{
	__asm__ volatile("" ::: "memory");
}

static void hvc_version(void)
{
	call_hvc(PSCI_VERSION, 0, 0, 0);
}

static void mmio_typer(void)
{
	read32(GICD_TYPER);
}

static void mmio_uart(void)
{
	read32(UART_FR);
}

static void sgi_self(void)
{
	unsigned before = taken;

	__asm__ volatile("msr S3_0_C12_C11_5, %0\n\tisb" ::"r"((uint64_t)SGI << 24 | 1) : "memory");
	while (taken == before) {
	}
}

static void measure(const char *name, void (*what)(void))
{
	uint64_t from, ticks;

	what();
	from = counter();
	for (unsigned i = 0; i < ROUNDS; i++) {
		what();
	}
	ticks = counter() - from;
	print("COST ");
	print(name);
	print(" ");
	print_dec(ticks * 1000000000u / SYSREG_GET(cntfrq_el0) / ROUNDS);
	print(" ns\n");
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	measure("nothing", empty);
	measure("hvc PSCI_VERSION", hvc_version);
	measure("read GICD_TYPER", mmio_typer);
	measure("read UARTFR", mmio_uart);
	gic_init();
	on_irq = sgi_irq;
	gic_enable(SGI, 0xa0);
	irq_unmask();
	measure("SGI to itself", sgi_self);
	irq_mask();
	check("all SGIs came", taken == ROUNDS + 1);
}
