/* SPDX-License-Identifier: MIT */
/*
 * A2: timers with counts of 0, 1 and all ones, every divide and mode, periods of a nanosecond,
 * modes that change as it runs, deadlines long past, the 8254 with counts of 0 and 1 and its modes
 * 6 and
 * 7. The guest gets on in all of it.
 */
#include "guest.h"

#define ROUNDS 2000u

static volatile unsigned fired;

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	(void)vector;
	lapic_eoi();
	fired++;
}

static bool gets_on(void)
{
	volatile unsigned steps = 0;

	irq_unmask();
	while (steps < 1000) {
		steps++;
	}
	irq_mask();
	return true;
}

static void counts(void)
{
	static const uint32_t values[] = {0, 1, 2, 3, 100, 0x7fffffff, 0x80000000, 0xffffffff};
	static const uint32_t modes[] = {
		0, LVT_PERIODIC, LVT_DEADLINE, LVT_PERIODIC | LVT_DEADLINE, LVT_MASKED};
	unsigned n = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | modes[i % 5]);
		lapic_write(LAPIC_TIMER_DIVIDE, i);
		lapic_write(LAPIC_TIMER_INIT, values[i / 5 % 8]);
		(void)lapic_read(LAPIC_TIMER_COUNT);
		lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | modes[i / 40 % 5]);
		(void)lapic_read(LAPIC_TIMER_COUNT);
		if (i % 50 == 0) {
			n += gets_on();
		}
	}
	lapic_timer(LVT_MASKED | VECTOR_TIMER, 0);
	check_eq("every count, divide and mode", n, ROUNDS / 50);
}

static void shortest(void)
{
	lapic_timer(LVT_PERIODIC | VECTOR_TIMER, 1);
	check("a period of a nanosecond", gets_on());
	lapic_timer(LVT_MASKED | VECTOR_TIMER, 0);
	check("fired, and ended", fired > 0);
	if (cpuid(1, 0).ecx >> 24 & 1) {
		lapic_timer(LVT_DEADLINE | VECTOR_TIMER, 0);
		for (unsigned i = 0; i < ROUNDS; i++) {
			wrmsr(MSR_TSC_DEADLINE, i % 3 == 0 ? 1 : i % 3 == 1 ? ~0ull : rdtsc());
		}
		check("deadlines long past", gets_on());
		lapic_timer(LVT_MASKED | VECTOR_TIMER, 0);
	}
}

static void pit(void)
{
	ioapic_route(PIT_PIN, VECTOR_TIMER, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		out8(0x43, (uint8_t)(i * 2));
		out8((uint16_t)(0x40 + i % 3), (uint8_t)(i % 5));
		(void)in8((uint16_t)(0x40 + i % 4));
		if (i % 7 == 0) {
			out8(0x61, (uint8_t)i);
		}
	}
	pit_set(0x34, 1);
	check("the 8254's period of 1", gets_on());
	pit_set(0x36, 0);
	check("of 0, which is 65536", gets_on());
	pit_set(0x3e, 1);
	check("mode 7", gets_on());
	ioapic_route(PIT_PIN, RTE_MASKED, 0);
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take;
	counts();
	shortest();
	pit();
	(void)gets_on();
	check("the guest is well", true);
}
