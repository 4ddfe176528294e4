/* SPDX-License-Identifier: MIT */
/*
 * H3, H5, S4, G4, G7 with as many CPUs as the machine has: CPUs that go off and on in a hurry, two
 * that turn on the same third, wake-ups across CPUs in each window around WFI, all of them sending
 * SGIs to all at once while SPIs change their targets, and a power-off in the midst of it. With one
 * CPU there is nothing to do. GICv3 only.
 */
#include "guest.h"

#define CPUS      8u
#define LIVES     50u
#define RACES     50u
#define ROUNDS    500u
#define STORM     1000u
#define SGI_PING  1u
#define SGI_STORM 2u
#define SPI_FIRST 64u
#define SPIS      64u
#define LONG      10000000u /* us */

#define ALREADY_ON ((uint64_t)-4)
#define ON_PENDING ((uint64_t)-5)

struct start {
	uint64_t stack, vbar;
};

enum order {
	WAIT,
	GO_OFF,
	TURN_ON,
	PONG,
	SEND,
	SPIN,
};

static uint64_t stacks[CPUS][512] __attribute__((aligned(16)));
static struct start starts[CPUS];
static volatile unsigned alive[CPUS], pings[CPUS], storms[CPUS], orders[CPUS], done[CPUS];
static volatile unsigned spi_count[SPIS][CPUS];
static volatile unsigned race_wins[CPUS], race;
static unsigned cpus;

void smp_entry(void);
void smp_main(void);

static unsigned this_cpu(void)
{
	return SYSREG_GET(mpidr_el1) & 0xff;
}

static uint64_t turn_on(unsigned cpu)
{
	return call_hvc(PSCI_CPU_ON, cpu, (uint64_t)smp_entry, (uint64_t)&starts[cpu]).x[0];
}

static void nap(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static bool reached(const volatile unsigned *what, unsigned least)
{
	uint64_t until = counter() + counter_of_us(LONG);

	while (*what < least && (int64_t)(until - counter()) > 0) {
		nap();
	}
	return *what >= least;
}

/* ---- interrupts ---- */

static void interrupt(struct guest_frame *frame)
{
	unsigned intid = gic_ack(), me = this_cpu();

	(void)frame;
	if (intid == GIC_SPURIOUS) {
		return;
	}
	if (intid == SGI_PING) {
		pings[me]++;
	} else if (intid == SGI_STORM) {
		storms[me]++;
	} else if (intid - SPI_FIRST < SPIS) {
		spi_count[intid - SPI_FIRST][me]++;
	}
	gic_eoi(intid);
}

/* This CPU's redistributor and interface. */
static void join_gic(void)
{
	uint64_t frame = GUEST_GICR + this_cpu() * 0x20000ul;

	write32(frame + 0x14, 0);
	while (read32(frame + 0x14) & 4) {
	}
	write32(frame + 0x10080, ~0u);
	for (unsigned n = 0; n < 16; n++) {
		write8(frame + 0x10400 + n, 0xa0);
	}
	write32(frame + 0x10100, 0xffff);
	SYSREG_SET(S3_0_C12_C12_5, 7);
	SYSREG_SET(S3_0_C4_C6_0, 0xff);
	SYSREG_SET(S3_0_C12_C12_7, 1);
}

static void send(unsigned cpu, unsigned intid)
{
	SYSREG_SET(S3_0_C12_C11_5, (uint64_t)intid << 24 | 1u << cpu);
}

static void send_to_others(unsigned intid)
{
	SYSREG_SET(S3_0_C12_C11_5, 1ul << 40 | (uint64_t)intid << 24);
}

/* ---- what the others do ---- */

static void pong(unsigned me)
{
	for (unsigned i = 1; i <= ROUNDS; i++) {
		irq_mask();
		while (pings[me] < i) {
			wait_for_interrupt();
			irq_unmask();
			irq_mask();
		}
		irq_unmask();
		send(0, SGI_PING);
	}
}

static void storm(void)
{
	for (unsigned i = 0; i < STORM; i++) {
		send_to_others(SGI_STORM);
		send((i + 1) % cpus, SGI_STORM);
	}
}

/* Both race to turn the last CPU on, once for each number that `race` reaches. */
static void race_on(unsigned me)
{
	for (unsigned i = 1; i <= RACES; i++) {
		uint64_t result;

		while (race < i) {
			nap();
		}
		result = turn_on(cpus - 1);
		if (result == 0) {
			race_wins[me]++;
		}
		done[me] = i;
	}
}

static void obey(unsigned me)
{
	unsigned order = orders[me];

	if (order == WAIT) {
		return;
	}
	orders[me] = WAIT;
	switch (order) {
	case TURN_ON: race_on(me); break;
	case PONG: pong(me); break;
	case SEND: storm(); break;
	case SPIN:
		irq_mask();
		for (;;) {
			send_to_others(SGI_STORM);
		}
	default: break;
	}
	done[me] = ~0u;
}

void smp_main(void)
{
	unsigned me = this_cpu();

	alive[me]++;
	if (orders[me] == GO_OFF) {
		call_hvc(PSCI_CPU_OFF, 0, 0, 0);
		check("CPU_OFF came back", false);
	}
	join_gic();
	irq_unmask();
	for (;;) {
		obey(me);
		nap();
	}
}

/* ---- what the first asks of them ---- */

static bool is_off(unsigned cpu)
{
	uint64_t until = counter() + counter_of_us(LONG);

	while (call_hvc(PSCI_AFFINITY_INFO, cpu, 0, 0).x[0] != 1) {
		if ((int64_t)(until - counter()) <= 0) {
			return false;
		}
	}
	return true;
}

static void lives(void)
{
	bool each = true;

	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		orders[cpu] = GO_OFF;
	}
	for (unsigned i = 1; i <= LIVES && each; i++) {
		for (unsigned cpu = 1; cpu < cpus; cpu++) {
			each = each && turn_on(cpu) == 0;
		}
		for (unsigned cpu = 1; cpu < cpus; cpu++) {
			each = each && reached(&alive[cpu], i) && is_off(cpu);
		}
	}
	check("off and on in a hurry", each);
}

/* The last CPU goes off as soon as it is on; two others race to turn it on. */
static void races(void)
{
	bool each = true;
	unsigned last = cpus - 1, before = alive[last];

	orders[last] = GO_OFF;
	orders[1] = WAIT;
	(void)turn_on(1);
	done[1] = 0;
	orders[1] = TURN_ON;
	for (unsigned i = 1; i <= RACES && each; i++) {
		uint64_t result;

		race = i;
		result = turn_on(last);
		each = result == 0 || result == ALREADY_ON || result == ON_PENDING;
		race_wins[0] += result == 0;
		each = each && reached(&done[1], i) && is_off(last);
	}
	check("two that turn on the same", each);
	check_eq("as many lives as wins", alive[last] - before, race_wins[0] + race_wins[1]);
	check("at least one a round", race_wins[0] + race_wins[1] >= RACES);
}

static void all_on(void)
{
	bool each = true;

	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		unsigned before = alive[cpu];

		orders[cpu] = WAIT;
		done[cpu] = 0;
		if (turn_on(cpu) == 0) {
			each = each && reached(&alive[cpu], before + 1);
		}
	}
	check("all are on", each);
}

static void wake_ups(void)
{
	unsigned i;

	orders[1] = PONG;
	for (i = 1; i <= ROUNDS; i++) {
		send(1, SGI_PING);
		/* By WFI and by looking, in turn, so that the answer finds each window. */
		if (i % 2) {
			irq_mask();
			while (pings[0] < i) {
				wait_for_interrupt();
				irq_unmask();
				irq_mask();
			}
			irq_unmask();
		} else if (!reached(&pings[0], i)) {
			break;
		}
	}
	check_eq("a wake-up across CPUs is never lost", pings[0], ROUNDS);
	check("and both ends agree", reached(&done[1], 1) && pings[1] == ROUNDS);
}

static void route_spis(unsigned round)
{
	for (unsigned n = 0; n < SPIS; n++) {
		/* To one, or to whoever is there (1 of N). */
		uint64_t to = (n + round) % 4 == 3 ? 1ul << 31 : (n + round) % cpus;

		write64(GUEST_GICD + 0x6000 + 8ul * (SPI_FIRST + n), to);
	}
}

static unsigned spis_taken(unsigned n)
{
	unsigned sum = 0;

	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		sum += spi_count[n][cpu];
	}
	return sum;
}

static void storm_of_all(void)
{
	bool each = true, once = true;

	for (unsigned n = 0; n < SPIS; n++) {
		gic_set_edge(SPI_FIRST + n, true);
		gic_enable(SPI_FIRST + n, 0x90);
	}
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		done[cpu] = 0;
		orders[cpu] = SEND;
	}
	for (unsigned n = 0; n < SPIS; n++) {
		gic_set_pending(SPI_FIRST + n);
		route_spis(n);
	}
	storm();
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		each = each && reached(&done[cpu], 1) && storms[cpu] > 0;
	}
	check("all send to all", each);
	for (unsigned n = 0; n < SPIS; n++) {
		uint64_t until = counter() + counter_of_us(LONG);

		while (spis_taken(n) < 1 && (int64_t)(until - counter()) > 0) {
		}
		once = once && spis_taken(n) == 1;
	}
	check("each SPI came once, wherever", once);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	for (cpus = 1; cpus < CPUS && call_hvc(PSCI_AFFINITY_INFO, cpus, 0, 0).x[0] == 1; cpus++) {
	}
	print_hex(cpus);
	print(" CPUs\n");
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		starts[cpu] = (struct start){
			.stack = (uint64_t)&stacks[cpu][512],
			.vbar = SYSREG_GET(vbar_el1),
		};
	}
	on_irq = interrupt;
	gic_init();
	join_gic();
	if (cpus == 1) {
		return;
	}
	lives();
	if (cpus > 2) {
		races();
	}
	irq_unmask();
	all_on();
	wake_ups();
	storm_of_all();
	for (unsigned cpu = 1; cpu < cpus; cpu++) {
		orders[cpu] = SPIN; /* and the power goes off (H5) */
	}
}
