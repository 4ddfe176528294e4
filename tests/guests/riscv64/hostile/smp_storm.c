/* SPDX-License-Identifier: MIT */
/*
 * H3, H5, S4 with several harts that mean no good: all start the same hart at once, which stops
 * itself again; all send IPIs and fences to all, ask for everybody's status and set timers, at
 * once; and in the end the power goes off while they spin.
 */
#include "guest.h"

#define LIVES  60u
#define ROUNDS 300u

enum order { REST, RACE, STORM, SPIN };

static unsigned hart_count, boss, victim;
static volatile enum order order[GUEST_HARTS];
static volatile unsigned softs[GUEST_HARTS], timers[GUEST_HARTS], storms[GUEST_HARTS];
static unsigned done[GUEST_HARTS], started, victim_lives;
static volatile int64_t answers;

static void count(struct guest_frame *frame, unsigned irq)
{
	unsigned self = guest_hart();

	(void)frame;
	if (irq == IRQ_SOFT) {
		CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
		softs[self]++;
	} else {
		timer_set(UINT64_MAX);
		timers[self]++;
	}
}

static void relax(void)
{
	__asm__ volatile(".4byte 0x0100000f" ::: "memory"); /* PAUSE */
}

static void wake(unsigned hart)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	SBI(SBI_IPI, 0, 1, hart);
}

static void interrupts_on(void)
{
	irq_enable(IRQ_SOFT);
	irq_enable(IRQ_TIMER);
	irq_unmask();
}

/* ---- all start one ---- */

static void live_shortly(void)
{
	__atomic_add_fetch(&victim_lives, 1, __ATOMIC_SEQ_CST);
	SBI(SBI_HSM, 1, 0);
}

static void race(void)
{
	int64_t error = hart_start(victim, live_shortly).error;

	if (error == 0) {
		__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	} else if (error != SBI_ALREADY_AVAILABLE && on_drydock()) { /* OpenSBI 1.1: -1, too */
		answers = error;
	}
}

/* ---- all at all ---- */

/* Until the next interrupt, and a timer is one even if nobody sends another IPI. */
static void nap(void)
{
	irq_mask();
	timer_set(counter() + counter_of_us(20));
	wait_for_interrupt();
	irq_unmask();
}

/* In the storm each was set anew, maybe before it came. This one comes. */
static void await_timer(unsigned self)
{
	unsigned before = timers[self];

	timer_set(counter() + counter_of_us(20));
	while (timers[self] == before) {
		relax();
	}
}

static void storm(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned before = softs[self];
		uint64_t all = (1u << hart_count) - 1;

		timer_set(counter() + i % 50);
		SBI(SBI_IPI, 0, all, 0);
		SBI(SBI_RFENCE, i % 3, all, 0, (uint64_t)GUEST_RAM + 0x1000ul * i,
			0x1000ul << i % 20, i);
		for (unsigned hart = 0; hart < hart_count + 2; hart++) {
			(void)hart_status(hart);
		}
		SBI(SBI_HSM, 3, 0x12345678, 0, 0); /* no such suspension */
		while (softs[self] == before) {
			relax();
		}
		if (i % 16 == 15) {
			nap();
		}
	}
	await_timer(self);
	storms[self]++;
}

/* ---- how they are told ---- */

static void obey(void)
{
	unsigned self = guest_hart();

	interrupts_on();
	__atomic_store_n(&done[self], 1, __ATOMIC_RELEASE);
	for (;;) {
		enum order mine;

		irq_mask();
		while ((mine = order[self]) == REST) {
			wait_for_interrupt();
			irq_unmask();
			irq_mask();
		}
		irq_unmask();
		if (mine == SPIN) {
			timer_set(0);
			for (;;) {
			}
		}
		if (mine == RACE) {
			race();
		} else {
			storm(self);
		}
		order[self] = REST;
		__atomic_add_fetch(&done[self], 1, __ATOMIC_SEQ_CST);
	}
}

static bool obeys(unsigned hart)
{
	return hart != boss && hart != victim;
}

static void together(enum order what)
{
	unsigned before[GUEST_HARTS];

	for (unsigned hart = 0; hart < hart_count; hart++) {
		if (obeys(hart)) {
			before[hart] = done[hart];
			order[hart] = what;
			wake(hart);
		}
	}
	if (what == RACE) {
		race();
	} else {
		storm(boss);
	}
	for (unsigned hart = 0; hart < hart_count; hart++) {
		while (obeys(hart) &&
			__atomic_load_n(&done[hart], __ATOMIC_ACQUIRE) == before[hart]) {
			relax();
		}
	}
}

static void races(void)
{
	bool once = true;

	for (unsigned life = 1; life <= LIVES; life++) {
		started = 0;
		together(RACE);
		while (hart_status(victim) != HART_STOPPED) {
			relax();
		}
		/* It may have stopped before another came: then it lives twice, and so on. */
		once = once && started >= 1 && victim_lives >= life && answers == 0;
	}
	check("all start one, which runs", once);
}

static unsigned count_harts(void)
{
	unsigned found = 0;

	while (found < GUEST_HARTS && hart_status(found) >= 0) {
		found++;
	}
	return found;
}

static void recruit(unsigned hart)
{
	hart_start(hart, obey);
	while (!__atomic_load_n(&done[hart], __ATOMIC_ACQUIRE)) {
		relax();
	}
}

static void storms_of_all(void)
{
	bool each = true;

	together(STORM);
	for (unsigned hart = 0; hart < hart_count; hart++) {
		each = each && storms[hart] == 1 && timers[hart] > 0;
	}
	check("all send to all", each);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	boss = (unsigned)boot_hart;
	hart_count = count_harts();
	if (hart_count == 1) {
		return; /* nobody to harm */
	}
	on_irq = count;
	interrupts_on();
	victim = boss == hart_count - 1 ? 0 : hart_count - 1;
	for (unsigned hart = 0; hart < hart_count; hart++) {
		if (obeys(hart)) {
			recruit(hart);
		}
	}
	races();
	recruit(victim);
	victim = GUEST_HARTS; /* nobody any more */
	storms_of_all();
	for (unsigned hart = 0; hart < hart_count; hart++) {
		order[hart] = SPIN; /* and the power goes off (H5) */
		wake(hart);
	}
}
