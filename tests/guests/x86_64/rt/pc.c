/* SPDX-License-Identifier: MIT */
/* The PC's part of what guest.h promises. */
#include "guest.h"

#define ICW1      0x11u
#define ICW4_8086 0x01u
#define OCW2_EOI  0x20u

void pic_init(void)
{
	out8(PIC_MASTER, ICW1);
	out8(PIC_MASTER + 1, VECTOR_IRQ);
	out8(PIC_MASTER + 1, 1u << 2);
	out8(PIC_MASTER + 1, ICW4_8086);
	out8(PIC_SLAVE, ICW1);
	out8(PIC_SLAVE + 1, VECTOR_IRQ + 8);
	out8(PIC_SLAVE + 1, 2);
	out8(PIC_SLAVE + 1, ICW4_8086);
	pic_mask(0xffff);
}

void pic_mask(uint16_t masked)
{
	out8(PIC_MASTER + 1, (uint8_t)masked);
	out8(PIC_SLAVE + 1, (uint8_t)(masked >> 8));
}

void pic_eoi(unsigned irq)
{
	if (irq >= 8) {
		out8(PIC_SLAVE, OCW2_EOI);
	}
	out8(PIC_MASTER, OCW2_EOI);
}

uint16_t pic_read(uint8_t command)
{
	out8(PIC_MASTER, command);
	out8(PIC_SLAVE, command);
	return (uint16_t)(in8(PIC_MASTER) | in8(PIC_SLAVE) << 8);
}

void pit_set(uint8_t command, uint16_t count)
{
	out8(0x43, command);
	out8(0x40, (uint8_t)count);
	out8(0x40, (uint8_t)(count >> 8));
}

uint8_t cmos_read(uint8_t index)
{
	out8(0x70, index);
	return in8(0x71);
}

void cmos_write(uint8_t index, uint8_t value)
{
	out8(0x70, index);
	out8(0x71, value);
}

uint32_t ioapic_read(uint32_t index)
{
	write32(GUEST_IOAPIC, index);
	return read32(GUEST_IOAPIC + 0x10);
}

void ioapic_write(uint32_t index, uint32_t value)
{
	write32(GUEST_IOAPIC, index);
	write32(GUEST_IOAPIC + 0x10, value);
}

void ioapic_route(unsigned pin, uint32_t low, uint8_t to)
{
	ioapic_write(0x10 + 2 * pin, RTE_MASKED);
	ioapic_write(0x11 + 2 * pin, (uint32_t)to << 24);
	ioapic_write(0x10 + 2 * pin, low);
}

void lapic_send(uint32_t command, uint8_t to)
{
	while (lapic_read(LAPIC_ICR) & ICR_PENDING) {
	}
	lapic_write(LAPIC_ICR_HIGH, (uint32_t)to << 24);
	lapic_write(LAPIC_ICR, command);
}

#define DIVIDE_BY_1   0xbu
#define DIVIDE_BY_128 0xau

void lapic_timer(uint32_t lvt, uint64_t ns)
{
	bool many = ns >> 32;

	lapic_write(LAPIC_LVT_TIMER, lvt);
	lapic_write(LAPIC_TIMER_DIVIDE, many ? DIVIDE_BY_128 : DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER_INIT, (uint32_t)(many ? ns >> 7 : ns));
}
