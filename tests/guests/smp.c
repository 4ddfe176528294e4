/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs: PSCI from one to another, SGIs among all of them, a lock that all want, wake-ups by
 * the ten thousand, timers, routed interrupts, TLB maintenance that must reach the others. Runs on
 * 1 to 8 CPUs; CPU 0 judges, and the others do what it asks them to.
 *
 * QEMU itself (7.2, no hypervisor) passes all but "on, or soon": CPU_ON is asynchronous there. It
 * needs die() without the timer, as its GIC interrupts for nothing after a reset with a PPI
 * pending.
 */
#include "guest.h"

#define CPUS_MOST  8u
#define STACK_SIZE 8192u /* smp.S knows it too */

/* SGI 0 to 7 mean the CPU that sent them. */
#define SGI_ASK    8u
#define SGI_BALL   9u
#define SGI_ALL    10u
#define SGIS       16u
#define VTIMER     27u
#define SPI        72u
#define PRIORITY   0xa0u
#define TIMER_ON   1u
#define PATIENCE_S 100u /* then somebody sleeps for ever */

#define LIVES    100u
#define LOCKED   2000u
#define PINGS    5000u /* two wake-ups each */
#define LAPS     100u
#define STORM    40u
#define NAPS     20u
#define SPIS     50u
#define REMAPS   50u
#define ALL_SGIS 50u

#define PSCI_OK                0
#define PSCI_INVALID_PARAMETER -2
#define PSCI_ALREADY_ON        -4
#define PSCI_ON_PENDING        -5
enum { AFFINITY_ON, AFFINITY_OFF, AFFINITY_PENDING };

struct cpu {
	uint8_t stack[STACK_SIZE];
	uint64_t dirt; /* what was in its registers when it came */
	unsigned lives, asked, answered;
	void (*job)(unsigned self);
	volatile unsigned got[SGIS];      /* SGIs that it took */
	volatile unsigned timers, shared; /* and others */
	unsigned ball;                    /* the last one thrown at it */
	uint64_t seen;                    /* a job's answer */
} __attribute__((aligned(64)));

/* smp.S */
void smp_start(void);
void smp_mmu_on(void);
_Noreturn void smp_die(void);
_Noreturn void smp_main(struct cpu *self);

static struct cpu cpus[CPUS_MOST];
static unsigned cpu_count;
static volatile bool die_in_handler;

static unsigned load(const unsigned *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store(unsigned *to, unsigned value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* In a loop that waits for another CPU: where CPUs take turns, it is the other's. */
static void relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* ---- translation: caches on, so that exclusives work on any machine ---- */

#define BLOCK_2M 0x200000ull
#define RAM      0x40000000ull
#define WINDOW   0x80000000ull
#define VALID    1ull
#define TABLE    3ull
#define DEVICE   (1ull << 2)
#define SHARED   (3ull << 8)
#define AF       (1ull << 10)

uint64_t smp_root[512] __attribute__((aligned(4096)));
static uint64_t window[512] __attribute__((aligned(4096)));

static void build_tables(void)
{
	smp_root[0] = VALID | AF | DEVICE;
	smp_root[1] = RAM | VALID | AF | SHARED;
	smp_root[2] = (uint64_t)window | TABLE;
	__asm__ volatile("dsb ishst" ::: "memory");
}

static void flush_window(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(WINDOW >> 12)
			 : "memory");
}

/* ---- what interrupts a CPU ---- */

static void count(struct guest_frame *frame)
{
	struct cpu *self = &cpus[guest_cpu()];
	unsigned taken = gic_ack(), intid = taken & 0x3ff;

	(void)frame;
	if (intid == VTIMER) {
		SYSREG_SET(cntv_ctl_el0, 0);
		if (guest_cpu() == 0) {
			check("nobody sleeps for ever", false);
			finish();
		}
		if (die_in_handler) {
			smp_die(); /* with the interrupt active */
		}
		self->timers++;
	} else if (intid < SGIS) {
		self->got[intid]++;
	} else if (intid == SPI) {
		self->shared++;
	}
	if (intid != GIC_SPURIOUS) {
		gic_eoi(taken);
	}
}

static void interrupts_on(void)
{
	gic_init();
	for (unsigned i = 0; i <= SGI_ALL; i++) {
		gic_enable(i, PRIORITY);
	}
	gic_set_inactive(VTIMER); /* CPU_OFF need not end it */
	gic_enable(VTIMER, PRIORITY);
	irq_unmask();
}

/* ---- how they work together ---- */

void smp_main(struct cpu *self)
{
	unsigned done = load(&self->answered);

	interrupts_on();
	store(&self->lives, self->lives + 1);
	for (;;) {
		irq_mask();
		while (load(&self->asked) == done) {
			wait_for_interrupt();
			irq_unmask();
			irq_mask();
		}
		irq_unmask();
		self->job((unsigned)(self - cpus));
		store(&self->answered, ++done);
	}
}

static void ask(unsigned cpu, void (*job)(unsigned self))
{
	cpus[cpu].job = job;
	store(&cpus[cpu].asked, cpus[cpu].asked + 1);
	gic_sgi(SGI_ASK, 1u << cpu);
}

static void wait_answer(unsigned cpu)
{
	while (load(&cpus[cpu].answered) != cpus[cpu].asked) {
		relax();
	}
}

static void ask_all(void (*job)(unsigned self))
{
	for (unsigned i = 1; i < cpu_count; i++) {
		ask(i, job);
	}
}

static void wait_all(void)
{
	for (unsigned i = 1; i < cpu_count; i++) {
		wait_answer(i);
	}
}

/* All of them at the same thing, this one too. */
static void together(void (*job)(unsigned self))
{
	ask_all(job);
	job(0);
	wait_all();
}

/* ---- power ---- */

static int affinity(uint64_t target)
{
	return (int)call_hvc(PSCI_AFFINITY_INFO, target, 0, 0).x[0];
}

static int turn_on(unsigned cpu)
{
	return (int)call_hvc(PSCI_CPU_ON, cpu, (uint64_t)smp_start, (uint64_t)&cpus[cpu]).x[0];
}

static void wait_life(unsigned cpu, unsigned life)
{
	while (load(&cpus[cpu].lives) != life) {
		relax();
	}
}

static void wait_off(unsigned cpu)
{
	while (affinity(cpu) != AFFINITY_OFF) {
		relax();
	}
}

static unsigned count_cpus(void)
{
	unsigned found = 1;

	while (found < CPUS_MOST && affinity(found) == AFFINITY_OFF) {
		found++;
	}
	return found;
}

static void first_life(void)
{
	int again, state;

	check_eq("this CPU is on", affinity(0), AFFINITY_ON);
	check_eq("no such CPU", affinity(cpu_count), PSCI_INVALID_PARAMETER);
	check_eq("it cannot be turned on", (int)call_hvc(PSCI_CPU_ON, cpu_count, RAM, 0).x[0],
		PSCI_INVALID_PARAMETER);
	check_eq("this CPU is on already", turn_on(0), PSCI_ALREADY_ON);
	check_eq("CPU 1 is off", affinity(1), AFFINITY_OFF);
	check_eq("CPU_ON", turn_on(1), PSCI_OK);
	again = turn_on(1);
	state = affinity(1);
	check("CPU_ON twice", again == PSCI_ALREADY_ON || again == PSCI_ON_PENDING);
	check("on, or soon", state == AFFINITY_ON || state == AFFINITY_PENDING);
	wait_life(1, 1);
	check_eq("it came", affinity(1), AFFINITY_ON);
	check_eq("CPU_ON of one that runs", turn_on(1), PSCI_ALREADY_ON);
	check_eq("its registers were clean", cpus[1].dirt, 0);
}

static void die(unsigned self)
{
	(void)self;
	irq_mask();
	SYSREG_SET(cntv_tval_el0, 0);
	SYSREG_SET(cntv_ctl_el0, TIMER_ON);
	if (!die_in_handler) {
		smp_die();
	}
	irq_unmask();
	for (;;) {
		wait_for_interrupt();
	}
}

/* Off and on again and again; every other time with the timer's interrupt active. */
static void lives(void)
{
	uint64_t dirt = 0;

	for (unsigned life = 2; life <= LIVES; life++) {
		die_in_handler = life % 2;
		ask(1, die);
		wait_off(1);
		die_in_handler = false;
		cpus[1].asked = cpus[1].answered; /* there was no answer */
		if (turn_on(1) != PSCI_OK) {
			dirt |= 1;
			break;
		}
		wait_life(1, life);
		dirt |= cpus[1].dirt;
	}
	check_eq("nothing is left of a former life", dirt, 0);
}

/* ---- one thing each ---- */

static unsigned lock_word;
static unsigned guarded;

static void work_locked(unsigned self)
{
	(void)self;
	for (unsigned i = 0; i < LOCKED; i++) {
		while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE)) {
			relax();
		}
		guarded++;
		__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
	}
}

static void throw_ball(unsigned to, unsigned ball)
{
	store(&cpus[to].ball, ball);
	gic_sgi(SGI_BALL, 1u << to);
}

static void catch_ball(unsigned self, unsigned ball)
{
	irq_mask();
	while (load(&cpus[self].ball) < ball) {
		wait_for_interrupt();
		irq_unmask();
		irq_mask();
	}
	irq_unmask();
}

static void pong(unsigned self)
{
	for (unsigned i = 1; i <= PINGS; i++) {
		catch_ball(self, i);
		throw_ball(0, i);
	}
}

static void ping(void)
{
	ask(1, pong);
	for (unsigned i = 1; i <= PINGS; i++) {
		throw_ball(1, i);
		catch_ball(0, i);
	}
	wait_answer(1);
	check("two CPUs wake each other", true);
}

static void new_game(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].ball = 0;
	}
}

/* Once around: each gets it from the one before. CPU 0 begins, and ends. */
static void run_laps(unsigned self)
{
	for (unsigned lap = 1; lap <= LAPS; lap++) {
		if (self != 0) {
			catch_ball(self, lap);
		}
		throw_ball((self + 1) % cpu_count, lap);
		if (self == 0) {
			catch_ball(0, lap);
		}
	}
}

/* SGIs from all to all; none gets lost, and none comes twice. */
static void storm(unsigned self)
{
	for (unsigned i = 1; i <= STORM; i++) {
		for (unsigned to = 0; to < cpu_count; to++) {
			gic_sgi(self, 1u << to);
			while (cpus[to].got[self] != i) {
				relax();
			}
		}
	}
}

static void storms(void)
{
	bool exact = true;

	together(storm);
	for (unsigned to = 0; to < cpu_count; to++) {
		for (unsigned from = 0; from < cpu_count; from++) {
			exact = exact && cpus[to].got[from] == STORM;
		}
	}
	check("SGIs from all to all, each once", exact);
}

static void to_all_others(void)
{
	bool exact = true;

	for (unsigned k = 1; k <= ALL_SGIS; k++) {
		gic_sgi_to_others(SGI_ALL);
		for (unsigned i = 1; i < cpu_count; i++) {
			while (cpus[i].got[SGI_ALL] < k) {
				relax();
			}
			exact = exact && cpus[i].got[SGI_ALL] == k;
		}
	}
	check("an SGI to all others", exact && cpus[0].got[SGI_ALL] == 0);
}

/* Every other time by PSCI instead of WFI. */
static void nap(unsigned self)
{
	for (unsigned i = 1; i <= NAPS; i++) {
		irq_mask();
		SYSREG_SET(cntv_tval_el0, counter_of_us(200 + 100 * self));
		SYSREG_SET(cntv_ctl_el0, TIMER_ON);
		while (cpus[self].timers < i) {
			if (i % 2) {
				call_hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
			} else {
				wait_for_interrupt();
			}
			irq_unmask();
			irq_mask();
		}
		irq_unmask();
	}
}

static void naps(void)
{
	bool all = true;

	for (unsigned i = 1; i < cpu_count; i++) {
		cpus[i].timers = 0;
	}
	ask_all(nap);
	wait_all();
	for (unsigned i = 1; i < cpu_count; i++) {
		all = all && cpus[i].timers == NAPS;
	}
	check("each has a timer of its own", all);
}

static unsigned shared_sum(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		sum += cpus[i].shared;
	}
	return sum;
}

static void routes(void)
{
	bool right = true;

	gic_set_edge(SPI, true);
	gic_enable(SPI, PRIORITY);
	for (unsigned k = 0; k < SPIS; k++) {
		unsigned to = k % cpu_count, before = cpus[to].shared, sum = shared_sum();

		gic_route(SPI, to);
		gic_set_pending(SPI);
		while (shared_sum() == sum) {
			relax();
		}
		right = right && cpus[to].shared == before + 1;
	}
	check("a shared interrupt to each in turn", right);
	if (!gic_route_any(SPI)) {
		return;
	}
	for (unsigned k = 1, sum = shared_sum(); k <= SPIS; k++) {
		gic_set_pending(SPI);
		while (shared_sum() < sum + k) {
			relax();
		}
		right = right && shared_sum() == sum + k;
	}
	check("or to any of them, once", right);
}

static void look(unsigned self)
{
	cpus[self].seen = *(volatile uint64_t *)WINDOW;
}

/* What CPU 0 takes out of the tables and out of the TLBs, no CPU sees any more. */
static void remap(void)
{
	static const uint64_t place[] = {RAM + 4 * BLOCK_2M, RAM + 5 * BLOCK_2M};
	bool fresh = true;

	write64(place[0], 0);
	write64(place[1], 1);
	for (uint64_t k = 0; k < REMAPS; k++) {
		window[0] = 0;
		flush_window();
		window[0] = place[k % 2] | VALID | AF | SHARED;
		flush_window();
		together(look);
		for (unsigned i = 0; i < cpu_count; i++) {
			fresh = fresh && cpus[i].seen == k % 2;
		}
	}
	check("TLB maintenance reaches all", fresh);
}

static void several(void)
{
	first_life();
	lives();
	for (unsigned i = 2; i < cpu_count; i++) {
		check_eq("one more", turn_on(i), PSCI_OK);
		wait_life(i, 1);
	}
	together(work_locked);
	check_eq("a lock that all want", guarded, cpu_count * LOCKED);
	ping();
	new_game();
	together(run_laps);
	check("once around, many times", true);
	storms();
	to_all_others();
	naps();
	routes();
	remap();
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	cpu_count = count_cpus();
	print("CPUs: ");
	print_hex(cpu_count);
	print("\n");
	build_tables();
	smp_mmu_on();
	on_irq = count;
	interrupts_on();
	SYSREG_SET(cntv_cval_el0, counter() + SYSREG_GET(cntfrq_el0) * PATIENCE_S);
	SYSREG_SET(cntv_ctl_el0, TIMER_ON);
	if (cpu_count > 1) {
		several();
	} else {
		check_eq("a machine with one CPU", affinity(0), AFFINITY_ON);
	}
	SYSREG_SET(cntv_ctl_el0, 0);
}
