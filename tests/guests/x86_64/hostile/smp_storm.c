/* SPDX-License-Identifier: MIT */
/*
 * H3, H5, S4, A3 with several CPUs that mean no good: all send INIT and SIPI to the same one at
 * once, whatever it is at; all send IPIs and NMIs to all and set timers, at once; and in the end
 * the power goes off while they spin.
 */
#include "guest.h"

#define RACES  30u
#define ROUNDS 200u
#define LONG   2000000u /* us */
#define VECTOR 0x60u

enum order { REST, RACE, STORM, SPIN };

static unsigned cpu_count;
static uint8_t ids[GUEST_CPUS];
static volatile enum order order[GUEST_CPUS];
static volatile unsigned softs[GUEST_CPUS], timers[GUEST_CPUS], nmis[GUEST_CPUS], done[GUEST_CPUS];
static unsigned victim_lives;

static void send(uint32_t command, uint8_t to)
{
	uint64_t flags = rflags();

	irq_mask();
	lapic_send(command, to);
	if (flags & RFLAGS_IF) {
		irq_unmask();
	}
}

static void count(struct guest_frame *frame, unsigned vector)
{
	unsigned self = guest_cpu();

	(void)frame;
	if (vector == VECTOR_NMI) {
		nmis[self]++;
		return;
	}
	lapic_eoi();
	if (vector == VECTOR) {
		softs[self]++;
	} else {
		timers[self]++;
	}
}

/* ---- all start one ---- */

static void race(unsigned victim)
{
	for (unsigned i = 0; i < RACES; i++) {
		send(ICR_INIT | ICR_ASSERT, ids[victim]);
		cpus_started = victim;
		send(ICR_SIPI | ICR_ASSERT | sipi_vector(), ids[victim]);
		if (i % 3 == 0) {
			send(ICR_SIPI | ICR_ASSERT | sipi_vector(), ids[victim]);
		}
	}
}

/* ---- all at all ---- */

static void storm(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned before = softs[self];

		lapic_timer(VECTOR_TIMER, i * 100 % 5000 + 1);
		send(ICR_ALL | VECTOR, 0);
		if (i % 8 == 0) {
			send(ICR_OTHERS | ICR_NMI | ICR_ASSERT, 0);
		}
		send(VECTOR, 77); /* to nobody */
		while (softs[self] == before) {
			relax();
		}
		if (i % 16 == 15) {
			unsigned was = timers[self];

			irq_mask();
			lapic_timer(VECTOR_TIMER, 20000);
			while (timers[self] == was) {
				wait_for_interrupt();
			}
			irq_unmask();
		}
	}
}

/* ---- how they are told ---- */

static void obey(void)
{
	unsigned self = guest_cpu();
	enum order last = REST;

	if (self == cpu_count - 1) {
		__atomic_add_fetch(&victim_lives, 1, __ATOMIC_SEQ_CST);
	}
	irq_unmask();
	for (;;) {
		enum order now = order[self];

		if (now == last) {
			relax();
			continue;
		}
		last = now;
		if (now == RACE) {
			race(cpu_count - 1);
		} else if (now == STORM) {
			storm(self);
		}
		if (now != REST) {
			done[self] = now;
		}
	}
}

static bool wait_done(unsigned cpu, enum order what)
{
	uint64_t until = rdtsc() + counter_of_us(10 * LONG);

	while (done[cpu] != what && rdtsc() < until) {
		relax();
	}
	return done[cpu] == what;
}

static bool all_do(enum order what, unsigned count_of)
{
	bool all = true;

	for (unsigned i = 1; i < count_of; i++) {
		order[i] = what;
	}
	if (what == RACE) {
		race(cpu_count - 1);
	} else {
		storm(0);
	}
	for (unsigned i = 1; i < count_of; i++) {
		all = wait_done(i, what) && all;
	}
	return all;
}

static bool start(unsigned cpu)
{
	uint64_t until = rdtsc() + counter_of_us(LONG);
	unsigned before = victim_lives;

	send(ICR_INIT | ICR_ASSERT, ids[cpu]);
	cpus_started = cpu;
	send(ICR_SIPI | ICR_ASSERT | sipi_vector(), ids[cpu]);
	while (rdtsc() < until &&
		(cpus_started == cpu || (cpu == cpu_count - 1 && victim_lives == before))) {
		relax();
	}
	return cpus_started == cpu + 1;
}

void guest_main(uint64_t start_info)
{
	bool all = true;

	(void)start_info;
	cpu_count = cpu_ids(ids);
	(void)tsc_hz();
	on_irq = count;
	cpu_code = obey;
	irq_unmask();
	for (unsigned i = 1; i < cpu_count; i++) {
		all = start(i) && all;
	}
	check("all come", all);
	if (cpu_count > 1) {
		check("all start one, whatever it is at", all_do(RACE, cpu_count - 1));
		order[cpu_count - 1] = REST;
		check("which comes in the end", start(cpu_count - 1));
	}
	check("all at all", all_do(STORM, cpu_count));
	for (unsigned i = 1; i < cpu_count; i++) {
		all = all && nmis[i] && timers[i];
		order[i] = SPIN; /* and the power goes off (H5) */
	}
	check("none without an NMI and a timer", all);
	irq_mask();
}
