/* SPDX-License-Identifier: MIT */
/*
 * G7, G8, G14, A1 and A3 to A6: storms its interrupt controllers. An IPI is sent again before it is
 * taken and from its own handler, every register of the local APIC, the I/O APIC and the 8259s is
 * filled with whatever, EOIs come without an interrupt, an entry's level comes back as often as it
 * is ended, as its own interrupt, too.
 */
#include "guest.h"

#define STORM    20000u
#define LONG     10000000u
#define UART_IER (PORT_UART + 1)
#define VECTOR   0x60u
#define LINE     0x50u

static volatile unsigned ipis, lines, others, own_left;

static void raise_line(void)
{
	out8(UART_IER, 0);
	out8(UART_IER, 2); /* it can send, and says so */
}

static void count(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	if (vector == LINE) {
		if (++lines < STORM) {
			raise_line();
		} else {
			out8(UART_IER, 0);
		}
	} else if (vector == VECTOR) {
		ipis++;
		if (own_left) {
			own_left--;
			lapic_send(ICR_SELF | VECTOR, 0); /* from its own handler */
		}
	} else {
		others++;
	}
	lapic_eoi();
	lapic_eoi(); /* and of what is not in service */
}

static bool wait_for_count(volatile unsigned *what, unsigned least)
{
	uint64_t until = counter() + counter_of_us(LONG);

	while (*what < least && (int64_t)(until - counter()) > 0) {
	}
	return *what >= least;
}

/* One that is not taken yet is one, however often it is sent. */
static void storm(void)
{
	irq_unmask();
	for (unsigned i = 0; i < STORM; i++) {
		lapic_send(ICR_SELF | VECTOR, 0);
	}
	check("a storm of IPIs", wait_for_count(&ipis, STORM / 2) && ipis <= STORM);
	irq_mask();
	ipis = 0;
	for (unsigned i = 0; i < STORM; i++) {
		lapic_send(ICR_SELF | VECTOR, 0);
	}
	irq_unmask();
	check("a masked storm is one", wait_for_count(&ipis, 1) && ipis == 1);
	ipis = 0;
	own_left = STORM;
	lapic_send(ICR_SELF | VECTOR, 0);
	check("one that sends itself again", wait_for_count(&ipis, STORM));
	irq_mask();
}

static void level(void)
{
	while (!(in8(PORT_UART + 5) & 0x40)) {
	}
	out8(PORT_UART + 4, 8);
	ioapic_route(UART_IRQ, RTE_LEVEL | LINE, 0);
	raise_line();
	irq_unmask();
	check("a line that comes back", wait_for_count(&lines, STORM));
	irq_mask();
	check_eq("comes as often as it is raised", lines, STORM);
	ioapic_route(UART_IRQ, RTE_MASKED, 0);
}

/* Of what would stop the machine there is nothing: INIT and SMI to itself only. */
static void fill(uint32_t with)
{
	for (unsigned reg = 0; reg < 0x1000; reg += 0x10) {
		if (reg != LAPIC_ICR) {
			lapic_write(reg, with);
		}
		(void)lapic_read(reg);
	}
	for (uint32_t index = 0; index < 0x100; index++) {
		ioapic_write(index, with | RTE_MASKED);
		(void)ioapic_read(index);
		ioapic_write(index, (with & ~0x700u) | RTE_MASKED);
	}
	for (unsigned i = 0; i < 256; i++) {
		out8(PIC_MASTER, (uint8_t)(i ^ with));
		out8(PIC_MASTER + 1, (uint8_t)(with >> 8));
		out8(PIC_SLAVE, (uint8_t)(i + with));
		out8(PIC_SLAVE + 1, (uint8_t)with);
		(void)(in8(PIC_MASTER) + in8(PIC_SLAVE) + in8(PIC_MASTER + 1));
		out8(PIC_ELCR, (uint8_t)i);
	}
}

/* No exception's, and not the one by which CPL 3 is left; QEMU delivers those below 16. */
static uint32_t some_vector(unsigned i)
{
	if (i % 5 == 0 && on_drydock()) {
		return i % 16;
	}
	return i * 37 % 0xe0 + 0x20 == VECTOR_LEAVE ? 0x81 : i * 37 % 0xe0 + 0x20;
}

static void everything(void)
{
	static const uint32_t modes[] = {0x000, 0x100, 0x300, 0x400, 0x700, 0x800, 0x900};

	irq_mask();
	fill(~0u);
	fill(0xa5a5a5a5);
	fill(0x21);
	fill(on_drydock() ? 0 : 0x5a5a5a5a);
	for (unsigned i = 0; i < 700; i++) {
		lapic_write(LAPIC_ICR_HIGH, i << 24);
		lapic_write(LAPIC_ICR, modes[i % 7] | some_vector(i) | (i & 3) << 18);
	}
	out8(PIC_ELCR, 0);
	out8(PIC_ELCR + 1, 0);
	pic_init();
	lapic_write(LAPIC_ID, 0); /* QEMU's can be changed */
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TPR, 0);
	for (unsigned i = 0; i < 300; i++) {
		lapic_eoi();
	}
	irq_unmask();
	for (volatile unsigned i = 0; i < 100000; i++) {
	}
	irq_mask();
	others = 0;
	irq_unmask();
	for (volatile unsigned i = 0; i < 100000; i++) {
	}
	irq_mask();
	check_eq("every register, and then it is quiet", others, 0);
	ipis = 0;
	lapic_send(ICR_SELF | VECTOR, 0);
	irq_unmask();
	check("and well", wait_for_count(&ipis, 1));
	irq_mask();
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	(void)tsc_hz();
	on_irq = count;
	storm();
	level();
	everything();
}
