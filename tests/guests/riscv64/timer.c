/* SPDX-License-Identifier: MIT */
/* Time, the timer by SBI and, where harts have Sstc, by stimecmp; its interrupt, and WFI. */
#include "guest.h"

#define NEVER UINT64_MAX
#define FAR   1000000u /* microseconds that never pass here */
#define SOON  2000u

static volatile unsigned fired;
static volatile unsigned last_irq;

/* How the timer is set; the rest is the same by either way. */
static void (*set)(uint64_t when);

static void by_sbi(uint64_t when)
{
	timer_set(when);
}

static void by_legacy(uint64_t when)
{
	sbi_legacy(SBI_LEGACY_TIMER, when);
}

static void by_stimecmp(uint64_t when)
{
	CSR_SET(0x14d, when);
}

static void take(struct guest_frame *frame, unsigned irq)
{
	(void)frame;
	last_irq = irq;
	set(NEVER);
	fired++;
}

static bool pending_within(uint64_t us)
{
	uint64_t until = counter() + counter_of_us(us);

	while (!irq_pending(IRQ_TIMER) && (int64_t)(until - counter()) > 0) {
	}
	return irq_pending(IRQ_TIMER);
}

static void polled(void)
{
	uint64_t start = counter(), when = start + counter_of_us(SOON);

	set(NEVER);
	check("never is not now", !irq_pending(IRQ_TIMER));
	set(when);
	check("the deadline is not now", !irq_pending(IRQ_TIMER) || counter() >= when);
	check("pending comes without an interrupt", pending_within(FAR));
	check("not before time", counter() >= when);
	set(counter() + counter_of_us(FAR));
	check("a new deadline takes it back", !irq_pending(IRQ_TIMER));
	set(0);
	check("a deadline of 0 has passed", pending_within(FAR));
	set(counter() - 1);
	check("one just passed, too", pending_within(FAR));
	set(counter() + counter_of_us(FAR));
	set(counter() + counter_of_us(SOON));
	check("the last deadline is what counts", pending_within(FAR));
	set(1ull << 63);
	check("half of all time is far away", !pending_within(SOON));
	set(NEVER);
}

static void interrupts(void)
{
	on_irq = take;
	irq_unmask();
	fired = 0;
	irq_enable(IRQ_TIMER);
	set(counter() + counter_of_us(SOON));
	check("it fires while spinning", wait_for_flag(&fired, FAR));
	check_eq("as interrupt 5", last_irq, IRQ_TIMER);
	fired = 0;
	irq_disable(IRQ_TIMER);
	set(counter() + counter_of_us(SOON));
	check("disabled, it stays silent", !wait_for_flag(&fired, 2 * SOON));
	irq_enable(IRQ_TIMER);
	check("enabled, it fires", wait_for_flag(&fired, FAR));
	check("once", (fired = 0, !wait_for_flag(&fired, 2 * SOON)));
	irq_mask();
	set(0);
	check("masked, it stays silent", !wait_for_flag(&fired, SOON));
	irq_unmask();
	check("unmasked, it fires", wait_for_flag(&fired, FAR));
	irq_mask();
}

static void idle(void)
{
	uint64_t start = counter(), when = start + counter_of_us(SOON);

	fired = 0;
	set(when);
	while (!irq_pending(IRQ_TIMER)) {
		wait_for_interrupt();
	}
	check("WFI wakes for a masked interrupt", fired == 0);
	check("not before time", counter() >= when);
	irq_unmask();
	check("taken once unmasked", wait_for_flag(&fired, FAR));
	fired = 0;
	for (unsigned i = 0; i < 20; i++) {
		set(counter() + counter_of_us(100));
		sleep_until(&fired, i + 1);
	}
	check_eq("twenty ticks", fired, 20);
	irq_mask();
	irq_disable(IRQ_TIMER);
}

static void all_of(const char *name, void (*way)(uint64_t when))
{
	print(name);
	print(":\n");
	set = way;
	polled();
	interrupts();
	idle();
}

static void counters(void)
{
	uint64_t a = counter(), b = counter();

	check("time does not step back", b >= a);
	while (counter() == b) {
	}
	check("time moves", true);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	counters();
	all_of("by SBI TIME", by_sbi);
	all_of("by SBI 0.1", by_legacy);
	if (isa_has("sstc")) {
		all_of("by stimecmp", by_stimecmp);
		CSR_SET(0x14d, 0x123456789abcdef0);
		check_eq("stimecmp is read back", CSR_GET(0x14d), 0x123456789abcdef0);
		CSR_SET(0x14d, NEVER);
	} else {
		expect_trap();
		(void)CSR_GET(0x14d);
		check("no stimecmp", trap_taken() && trap.cause == CAUSE_ILLEGAL);
	}
}
