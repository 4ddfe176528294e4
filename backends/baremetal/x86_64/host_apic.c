/* SPDX-License-Identifier: MIT */
#include "host_apic.h"

#include "insn.h"

#include <hv/bits.h>

/* Registers, APM2 table 16-2; as MSRs a sixteenth (16.11). */
#define LAPIC_ID       0x020u
#define LAPIC_TPR      0x080u
#define LAPIC_EOI      0x0b0u
#define LAPIC_SVR      0x0f0u
#define LAPIC_ICR      0x300u
#define LAPIC_ICR_HIGH 0x310u
#define LAPIC_TIMER    0x320u
#define LAPIC_LINT0    0x350u
#define LAPIC_LINT1    0x360u
#define LAPIC_ERROR    0x370u
#define LAPIC_INITIAL  0x380u
#define LAPIC_CURRENT  0x390u
#define LAPIC_DIVIDE   0x3e0u

#define SVR_ENABLE  0x100u
#define LVT_MASKED  0x10000u
#define LVT_NMI     0x400u
#define DIVIDE_BY_1 0xbu

#define ICR_BUSY   0x1000u
#define ICR_ASSERT 0x4000u
#define ICR_INIT   0x500u
#define ICR_START  0x600u

#define BASE_X2APIC HV_BIT(10) /* in MSR_APIC_BASE */

/* Intel 82093AA: an index and a window. */
#define IOAPIC_INDEX   0x00u
#define IOAPIC_WINDOW  0x10u
#define IOAPIC_VERSION 0x01u
#define IOAPIC_LINE(n) (0x10u + 2 * (n))
#define LINE_LOW       HV_BIT(13)
#define LINE_LEVEL     HV_BIT(15)
#define LINE_MASKED    HV_BIT(16)

/* MPS INTI flags. */
#define MODE_POLARITY(mode) ((mode)&3)
#define MODE_TRIGGER(mode)  ((mode) >> 2 & 3)
#define MODE_LOW            3u
#define MODE_LEVEL          3u

#define PIC1_MASK 0x21u
#define PIC2_MASK 0xa1u

static struct {
	uintptr_t base, ioapic;
	bool x2;
	const struct host_acpi *acpi;
} apic;

static uint32_t get(uint32_t reg)
{
	if (apic.x2) {
		return (uint32_t)msr_read(MSR_X2APIC + reg / 16);
	}
	return *(volatile uint32_t *)(apic.base + reg);
}

static void put(uint32_t reg, uint32_t value)
{
	if (apic.x2) {
		msr_write(MSR_X2APIC + reg / 16, value);
	} else {
		*(volatile uint32_t *)(apic.base + reg) = value;
	}
}

static uint32_t ioapic_get(uint32_t index)
{
	*(volatile uint32_t *)(apic.ioapic + IOAPIC_INDEX) = index;
	return *(volatile uint32_t *)(apic.ioapic + IOAPIC_WINDOW);
}

static void ioapic_put(uint32_t index, uint32_t value)
{
	*(volatile uint32_t *)(apic.ioapic + IOAPIC_INDEX) = index;
	*(volatile uint32_t *)(apic.ioapic + IOAPIC_WINDOW) = value;
}

void host_apic_init(const struct host_acpi *acpi)
{
	apic.acpi = acpi;
	apic.base = acpi->lapic;
	apic.ioapic = acpi->ioapic;
	apic.x2 = (msr_read(MSR_APIC_BASE) & BASE_X2APIC) != 0;
	out8(PIC1_MASK, 0xff);
	out8(PIC2_MASK, 0xff);
	if (apic.ioapic) {
		uint32_t last = ioapic_get(IOAPIC_VERSION) >> 16 & 0xff;

		for (uint32_t n = 0; n <= last; n++) {
			ioapic_put(IOAPIC_LINE(n), LINE_MASKED);
		}
	}
}

void host_apic_cpu_init(void)
{
	put(LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	put(LAPIC_TPR, 0);
	put(LAPIC_LINT0, LVT_MASKED);
	put(LAPIC_LINT1, LVT_NMI);
	put(LAPIC_ERROR, LVT_MASKED);
	put(LAPIC_DIVIDE, DIVIDE_BY_1);
	put(LAPIC_TIMER, VECTOR_TIMER);
	put(LAPIC_INITIAL, 0);
}

uint32_t host_apic_id(void)
{
	return apic.x2 ? get(LAPIC_ID) : get(LAPIC_ID) >> 24;
}

void host_apic_end(void)
{
	put(LAPIC_EOI, 0);
}

static void send(uint32_t id, uint32_t command)
{
	if (apic.x2) {
		msr_write(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)id << 32 | command);
		return;
	}
	while (get(LAPIC_ICR) & ICR_BUSY) {
		RELAX();
	}
	put(LAPIC_ICR_HIGH, id << 24);
	put(LAPIC_ICR, command);
}

/* What was written before is seen by who gets it: an MSR's write would not wait (APM2 16.11). */
void host_apic_send(uint32_t id, uint8_t vector)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	send(id, ICR_ASSERT | vector);
}

void host_apic_send_init(uint32_t id)
{
	send(id, ICR_ASSERT | ICR_INIT);
}

void host_apic_send_start(uint32_t id, uint8_t page)
{
	send(id, ICR_ASSERT | ICR_START | page);
}

void host_apic_timer_set(uint32_t ticks)
{
	put(LAPIC_INITIAL, ticks);
}

uint32_t host_apic_timer_left(void)
{
	return get(LAPIC_CURRENT);
}

void host_ioapic_enable(uint32_t isa, uint8_t vector, uint32_t id)
{
	uint32_t line = apic.acpi->gsi[isa], low = vector;
	uint16_t mode = apic.acpi->mode[isa];

	if (!apic.ioapic) {
		return;
	}
	low |= MODE_POLARITY(mode) == MODE_LOW ? (uint32_t)LINE_LOW : 0;
	low |= MODE_TRIGGER(mode) == MODE_LEVEL ? (uint32_t)LINE_LEVEL : 0;
	ioapic_put(IOAPIC_LINE(line) + 1, id << 24);
	ioapic_put(IOAPIC_LINE(line), low);
}
