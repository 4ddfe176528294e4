/* SPDX-License-Identifier: MIT */
/*
 * The PC's clocks and timers: the TSC, ACPI's timer, the 8254, the local APIC's timer by one shot,
 * periods and, where CPUs have it, TSC deadlines. Each is late now and then, and none is early.
 */
#include "guest.h"

#define US       1000u /* ns */
#define SOON     2000u /* microseconds */
#define FAR      1000000u
#define PIT_SOON (PIT_HZ / 1000u * SOON / 1000u)

static volatile unsigned fired, last;

static void take(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	last = vector;
	fired++;
	lapic_eoi();
}

/* ---- how much time passed, by two clocks ---- */

static uint32_t pm_start;
static uint64_t tsc_start;

static void begin(void)
{
	fired = 0;
	pm_start = pm_timer();
	tsc_start = rdtsc();
}

/* Not less than so long ago. A tick of ACPI's timer may have just been over. */
static bool passed(uint64_t us)
{
	uint64_t pm = (pm_timer() - pm_start) % PM_TMR_TICKS, tsc = rdtsc() - tsc_start;

	return (pm + 2) * 1000000u / PM_TMR_HZ + 1 >= us && tsc * 101 / 100 >= counter_of_us(us);
}

/* An interrupt comes, not before time; and it was one. */
static bool comes_after(uint64_t us, unsigned vector)
{
	bool came;

	irq_unmask();
	came = wait_for_flag(&fired, FAR);
	irq_mask();
	return came && last == vector && passed(us);
}

static bool is_quiet(uint64_t us)
{
	irq_unmask();
	fired = 0;
	(void)wait_for_flag(&fired, us);
	irq_mask();
	return fired == 0;
}

/* ---- clocks ---- */

static void clocks(void)
{
	uint64_t tsc = rdtsc();
	uint32_t pm = pm_timer(), pit;
	bool forward = true;

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = rdtsc();

		forward = forward && (int64_t)(now - tsc) >= 0;
		tsc = now;
	}
	check("the TSC does not step back", forward);
	while (pm_timer() == pm) {
	}
	check("ACPI's timer moves", true);
	pit_set(0x34, 0); /* mode 2 */
	out8(0x43, 0);    /* latch */
	pit = in8(0x40) | (uint32_t)in8(0x40) << 8;
	begin();
	while (!passed(SOON)) {
	}
	out8(0x43, 0);
	pit = (pit - (in8(0x40) | (uint32_t)in8(0x40) << 8)) & 0xffff;
	check("the 8254 counted as long", pit >= PIT_SOON - 4);
}

/* ---- the 8254 ---- */

/* Channel 2, whose gate and output are at port 0x61. */
static void polled_pit(void)
{
	uint8_t gate = in8(0x61) & 0xfc;

	out8(0x61, gate | 1);
	out8(0x43, 0xb0); /* channel 2, mode 0 */
	begin();
	out8(0x42, (uint8_t)PIT_SOON);
	check("the output is low", !(in8(0x61) & 0x20));
	out8(0x42, (uint8_t)(PIT_SOON >> 8));
	while (!(in8(0x61) & 0x20)) {
	}
	check("and goes high in time", passed(SOON - 1));
	out8(0x61, gate);
}

static void pit_ticks(const char *name, unsigned vector)
{
	bool right = true;

	pit_set(0x34, PIT_SOON);
	for (unsigned i = 0; i < 20; i++) {
		begin();
		irq_unmask();
		right = wait_for_flag(&fired, FAR) && right;
		irq_mask();
		right = right && last == vector;
	}
	check(name, right);
	begin();
	irq_unmask();
	for (unsigned i = 0; i < 10; i++) {
		unsigned before = fired;

		while (fired == before) {
		}
	}
	irq_mask();
	/* The first may have been due at once. */
	check("as often as it should", passed(8 * (uint64_t)SOON));
}

static void take_pic(struct guest_frame *frame, unsigned vector)
{
	(void)frame;
	last = vector;
	fired++;
	pic_eoi(PIT_IRQ);
}

static void pit(void)
{
	polled_pit();
	on_irq = take_pic;
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT);
	pic_mask((uint16_t) ~(1u << PIT_IRQ));
	pit_ticks("twenty ticks by the 8259", VECTOR_IRQ + PIT_IRQ);
	pic_mask(0xffff);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	on_irq = take;
	ioapic_route(PIT_PIN, 0x50, 0);
	pit_ticks("twenty by the I/O APIC", 0x50);
	/* Mode 0: once. */
	pit_set(0x30, PIT_SOON);
	irq_unmask();
	fired = 0;
	begin();
	check("one shot", comes_after(SOON - 2, 0x50));
	check("is one", is_quiet(2 * SOON));
	ioapic_route(PIT_PIN, RTE_MASKED, 0);
}

/* ---- the local APIC's ---- */

static void one_shot(void)
{
	uint32_t first;

	lapic_timer(VECTOR_TIMER, FAR * US);
	first = lapic_read(LAPIC_TIMER_COUNT);
	begin();
	while (!passed(10)) {
	}
	check("it counts down", lapic_read(LAPIC_TIMER_COUNT) < first && first <= FAR * US);
	check_eq("from a count that is read back", lapic_read(LAPIC_TIMER_INIT), FAR * US);
	lapic_write(LAPIC_TIMER_INIT, 0);
	check_eq("0 stops it", lapic_read(LAPIC_TIMER_COUNT), 0);
	begin();
	lapic_timer(VECTOR_TIMER, SOON * US);
	check("one shot comes, not before time", comes_after(SOON, VECTOR_TIMER));
	check("is one", is_quiet(2 * SOON));
	check_eq("and stands at 0", lapic_read(LAPIC_TIMER_COUNT), 0);
	lapic_timer(LVT_MASKED | VECTOR_TIMER, SOON * US);
	check("masked, it is silent", is_quiet(2 * SOON));
	check("and not pending", !lapic_bit(LAPIC_IRR, VECTOR_TIMER));
	begin();
	lapic_timer(VECTOR_TIMER, FAR * US);
	lapic_write(LAPIC_TIMER_INIT, SOON * US);
	check("the last count is what counts", comes_after(SOON, VECTOR_TIMER));
	lapic_timer(VECTOR_TIMER, 1);
	fired = 0;
	irq_unmask();
	check("a count of 1", wait_for_flag(&fired, FAR));
	irq_mask();
}

static void divides(void)
{
	/* Bits 3, 1 and 0 of the register: 2, 4, 8, 16, 32, 64, 128, 1. */
	static const uint8_t codes[] = {0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa};
	bool right = true;

	for (unsigned i = 0; i < 8; i++) {
		lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
		lapic_write(LAPIC_TIMER_DIVIDE, codes[i]);
		begin();
		lapic_write(LAPIC_TIMER_INIT, (SOON * US) >> i);
		right = comes_after(SOON - 1, VECTOR_TIMER) && right;
		right = right && lapic_read(LAPIC_TIMER_DIVIDE) == codes[i];
	}
	check("it is divided as it is told", right);
}

static void periodic(void)
{
	bool down = true;

	begin();
	lapic_timer(LVT_PERIODIC | VECTOR_TIMER, SOON * US);
	irq_unmask();
	for (unsigned i = 0; i < 20; i++) {
		while (fired <= i) {
			down = down && lapic_read(LAPIC_TIMER_COUNT) <= SOON * US;
		}
	}
	irq_mask();
	check("twenty periods", passed(20 * (uint64_t)SOON - 10));
	check("never above its count", down);
	fired = 0;
	for (unsigned i = 0; i < 5; i++) {
		sleep_until(&fired, i + 1);
	}
	check("HLT ends with each", fired >= 5);
	lapic_write(LAPIC_TIMER_INIT, 0);
	(void)is_quiet(0);
	check("0 ends them", is_quiet(2 * SOON));
}

static void set_deadline(uint64_t us)
{
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + counter_of_us(us));
}

static void deadlines(void)
{
	lapic_timer(LVT_DEADLINE | VECTOR_TIMER, 0);
	__asm__ volatile("mfence" ::: "memory");
	check_eq("no deadline", rdmsr(MSR_TSC_DEADLINE), 0);
	begin();
	set_deadline(SOON);
	check("is read back", rdmsr(MSR_TSC_DEADLINE) > tsc_start);
	check("a deadline comes, not before time", comes_after(SOON, VECTOR_TIMER));
	check_eq("and is over", rdmsr(MSR_TSC_DEADLINE), 0);
	check("once", is_quiet(2 * SOON));
	begin();
	wrmsr(MSR_TSC_DEADLINE, 1);
	check("one long past comes at once", comes_after(0, VECTOR_TIMER));
	set_deadline(SOON);
	wrmsr(MSR_TSC_DEADLINE, 0);
	check("0 takes it back", is_quiet(2 * SOON));
	wrmsr(MSR_TSC_DEADLINE, UINT64_MAX);
	check("the end of time does not come", is_quiet(SOON));
	lapic_write(LAPIC_TIMER_INIT, SOON * US);
	check_eq("a count means nothing", lapic_read(LAPIC_TIMER_COUNT), 0);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	check_eq("another mode disarms", rdmsr(MSR_TSC_DEADLINE), 0);
	wrmsr(MSR_TSC_DEADLINE, rdtsc());
	check("nor is there a deadline without the mode", is_quiet(SOON));
}

static void idle(void)
{
	begin();
	lapic_timer(VECTOR_TIMER, SOON * US);
	sleep_until(&fired, 1);
	check("HLT until a shot", passed(SOON));
	lapic_timer(VECTOR_TIMER, SOON * US);
	while (!lapic_bit(LAPIC_IRR, VECTOR_TIMER)) {
	}
	check("masked, it waits in IRR", fired == 1);
	sleep_until(&fired, 2);
	check("and ends the HLT behind STI", fired == 2);
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	on_irq = take;
	(void)tsc_hz();
	clocks();
	pit();
	one_shot();
	divides();
	periodic();
	idle();
	if (cpuid(1, 0).ecx >> 24 & 1) {
		deadlines();
	} else {
		print("no TSC deadline\n");
	}
}
