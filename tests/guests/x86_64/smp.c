/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs: INIT and SIPI from one to another, to all at once and again; IPIs to every set of
 * them, locks that all want, wake-ups by the thousand, timers, the I/O APIC's destinations, pages
 * that are mapped anew. Runs on 1 to 8 CPUs; the first one judges, and the others do what it asks
 * them to.
 */
#include "guest.h"

#define LIVES      50u
#define LOCKED     2000u
#define PINGS      2000u /* two wake-ups each */
#define LAPS       100u
#define STORM      40u
#define NAPS       20u
#define ROUTES     50u
#define REMAPS     50u
#define PATIENCE   100000000000ull /* ns; then somebody sleeps for ever */
#define SETTLE     20000u          /* us */
#define LONG       1000000u
#define BOSS       0u
#define VECTOR_IPI 0x60u
#define LINE       0x50u /* the UART's */

struct cpu {
	unsigned lives, asked, answered;
	void (*job)(unsigned self);
	volatile unsigned soft, timers, lines, nmis; /* interrupts that it took */
	unsigned ball;                               /* the last one thrown at it */
	uint64_t seen;                               /* a job's answer */
	uint64_t cr0;
	uint8_t id; /* of its APIC */
} __attribute__((aligned(64)));

static struct cpu cpus[GUEST_CPUS];
static uint8_t ids[GUEST_CPUS]; /* as ACPI has them */
static unsigned cpu_count;

static unsigned load(const unsigned *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store(unsigned *to, unsigned value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* An interrupt between the two halves of ICR would send to somebody else. */
static void send(uint32_t command, uint8_t to)
{
	uint64_t flags = rflags();

	irq_mask();
	lapic_send(command, to);
	if (flags & RFLAGS_IF) {
		irq_unmask();
	}
}

static void ipi(unsigned to)
{
	send(VECTOR_IPI, cpus[to].id);
}

static void pause_us(unsigned us)
{
	static volatile unsigned never;

	(void)wait_for_flag(&never, us);
}

/* ---- what interrupts a CPU ---- */

static void count(struct guest_frame *frame, unsigned vector)
{
	unsigned number = guest_cpu();
	struct cpu *self = &cpus[number];

	(void)frame;
	if (vector == VECTOR_NMI) {
		self->nmis++;
		return;
	}
	lapic_eoi();
	if (vector == VECTOR_IPI) {
		self->soft++;
	} else if (vector == LINE) {
		self->lines++;
	} else if (number == BOSS) {
		check("nobody sleeps for ever", false);
		finish();
	} else {
		self->timers++;
	}
}

/* ---- how they work together ---- */

static void serve(struct cpu *self)
{
	for (unsigned done = load(&self->answered);;) {
		irq_mask();
		while (load(&self->asked) == done) {
			wait_for_interrupt();
		}
		irq_unmask();
		self->job(guest_cpu());
		store(&self->answered, ++done);
	}
}

static void begin_life(void)
{
	struct cpu *self = &cpus[guest_cpu()];

	self->id = (uint8_t)(lapic_read(LAPIC_ID) >> 24);
	self->cr0 = REG_GET(cr0);
	store(&self->lives, self->lives + 1);
	serve(self);
}

static void ask(unsigned cpu, void (*job)(unsigned self))
{
	cpus[cpu].job = job;
	store(&cpus[cpu].asked, cpus[cpu].asked + 1);
	ipi(cpu);
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
	job(BOSS);
	wait_all();
}

/* ---- INIT and SIPI ---- */

static bool wait_life(unsigned cpu, unsigned life)
{
	uint64_t until = rdtsc() + counter_of_us(LONG);

	while (load(&cpus[cpu].lives) != life && rdtsc() < until) {
		relax();
	}
	return load(&cpus[cpu].lives) == life;
}

/* SIPI twice, as the manuals have it: only the first one counts. */
static void first_lives(void)
{
	bool all = true;

	send(ICR_OTHERS | ICR_INIT | ICR_ASSERT, 0);
	pause_us(SETTLE);
	check_eq("INIT alone starts nobody", cpus_started, 1);
	send(ICR_OTHERS | ICR_SIPI | ICR_ASSERT | sipi_vector(), 0);
	send(ICR_OTHERS | ICR_SIPI | ICR_ASSERT | sipi_vector(), 0);
	for (unsigned i = 1; i < cpu_count; i++) {
		all = wait_life(i, 1) && all;
	}
	check("all come", all);
	pause_us(SETTLE);
	check_eq("and no more", cpus_started, cpu_count);
	for (unsigned i = 1; i < cpu_count; i++) {
		all = all && cpus[i].lives == 1;
	}
	check("once", all);
}

static void identities(void)
{
	unsigned seen = 0, wanted = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		seen |= 1u << cpus[i].id;
		wanted |= 1u << ids[i];
	}
	check_eq("they are the ones that ACPI tells of", seen, wanted);
}

/* One that waits for its end, with interrupts masked, and an IPI and an NMI on the way. */
static void die(unsigned self)
{
	irq_mask();
	ipi(self);
	lapic_timer(VECTOR_TIMER, 1);
	cpus[self].seen = 0xdead;
	for (;;) {
		if (cpus[self].lives % 2) {
			__asm__ volatile("hlt");
		}
	}
}

static void nothing(unsigned self)
{
	(void)self;
}

static void lives(void)
{
	unsigned soft;
	bool right = true;

	for (unsigned life = 2; life <= LIVES && right; life++) {
		cpus[1].seen = 0;
		ask(1, die);
		while (*(volatile uint64_t *)&cpus[1].seen != 0xdead) {
			relax();
		}
		soft = cpus[1].soft; /* what asked it to */
		send(ICR_INIT | ICR_ASSERT, cpus[1].id);
		send(ICR_INIT | ICR_ASSERT, cpus[1].id);
		cpus[1].asked = cpus[1].answered; /* there was no answer */
		cpus_started = 1;
		send(ICR_SIPI | ICR_ASSERT | sipi_vector(), cpus[1].id);
		right = wait_life(1, life);
		ask(1, nothing);
		wait_answer(1);
		right = right && cpus[1].soft == soft + 1;
	}
	cpus_started = cpu_count;
	check("fifty lives, none with the last one's interrupts", right);
}

/* SIPI to one that runs is nothing; INIT to one that waits for SIPI, neither. */
static void not_now(void)
{
	unsigned before = cpus[1].lives;

	send(ICR_SIPI | ICR_ASSERT | sipi_vector(), cpus[1].id);
	pause_us(SETTLE);
	ask(1, nothing);
	wait_answer(1);
	check_eq("SIPI to one that runs", cpus[1].lives, before);
}

static void nmis(void)
{
	unsigned before = cpus[1].nmis;

	send(ICR_NMI | ICR_ASSERT, cpus[1].id);
	while (cpus[1].nmis == before) {
		relax();
	}
	check("an NMI to another", true);
	before = cpus[1].nmis;
	send(ICR_OTHERS | ICR_NMI | ICR_ASSERT, 0);
	for (unsigned i = 1; i < cpu_count; i++) {
		while (cpus[i].nmis == (i == 1 ? before : 0)) {
			relax();
		}
	}
	check("and to all others", cpus[BOSS].nmis == 0);
}

/* ---- one thing each ---- */

static unsigned lock_word;
static uint64_t guarded, exchanged;

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

static void work_exchanged(unsigned self)
{
	(void)self;
	for (unsigned i = 0; i < LOCKED; i++) {
		uint64_t old = exchanged;

		while (!__atomic_compare_exchange_n(
			&exchanged, &old, old + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		}
	}
}

static void throw_ball(unsigned to, unsigned ball)
{
	store(&cpus[to].ball, ball);
	ipi(to);
}

static void catch_ball(unsigned self, unsigned ball)
{
	irq_mask();
	while (load(&cpus[self].ball) < ball) {
		wait_for_interrupt();
	}
	irq_unmask();
}

static void pong(unsigned self)
{
	for (unsigned i = 1; i <= PINGS; i++) {
		catch_ball(self, i);
		throw_ball(BOSS, i);
	}
}

static void new_game(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].ball = 0;
	}
}

static void ping(void)
{
	new_game();
	ask(1, pong);
	for (unsigned i = 1; i <= PINGS; i++) {
		throw_ball(1, i);
		catch_ball(BOSS, i);
	}
	wait_answer(1);
	check("two CPUs wake each other", true);
}

/* Once around: each gets it from the one before. */
static void run_laps(unsigned self)
{
	for (unsigned lap = 1; lap <= LAPS; lap++) {
		if (self != BOSS) {
			catch_ball(self, lap);
		}
		throw_ball((self + 1) % cpu_count, lap);
		if (self == BOSS) {
			catch_ball(self, lap);
		}
	}
}

/* ---- IPIs ---- */

static void set_logical(unsigned self)
{
	lapic_write(LAPIC_DFR, ~0u);
	lapic_write(LAPIC_LDR, 1u << 24 << self);
}

static bool exactly(unsigned set, const unsigned before[GUEST_CPUS])
{
	for (unsigned i = 0; i < cpu_count; i++) {
		while (set >> i & 1 && cpus[i].soft == before[i]) {
			relax();
		}
	}
	for (unsigned i = 0; i < cpu_count; i++) {
		if (cpus[i].soft - before[i] != (set >> i & 1)) {
			return false;
		}
	}
	return true;
}

static void note_soft(unsigned before[GUEST_CPUS])
{
	for (unsigned i = 0; i < cpu_count; i++) {
		before[i] = cpus[i].soft;
	}
}

/* CPUs of a set, and no others. */
static void sets(void)
{
	unsigned before[GUEST_CPUS];
	bool exact = true;

	together(set_logical);
	for (unsigned set = 1; set < 1u << cpu_count; set++) {
		note_soft(before);
		send(ICR_LOGICAL | VECTOR_IPI, (uint8_t)set);
		exact = exactly(set, before) && exact;
	}
	check("an IPI to every set of CPUs, and to no other", exact);
	for (unsigned k = 0; k < 50; k++) {
		note_soft(before);
		send(ICR_ALL | VECTOR_IPI, 0);
		exact = exactly((1u << cpu_count) - 1, before) && exact;
		note_soft(before);
		send(ICR_OTHERS | VECTOR_IPI, 0);
		exact = exactly((1u << cpu_count) - 2, before) && exact;
		note_soft(before);
		send(VECTOR_IPI, 0xff);
		exact = exactly((1u << cpu_count) - 1, before) && exact;
	}
	check("to all, to all others, and to id 255, which is all", exact);
}

/* From all to all; none gets lost. */
static void storm(unsigned self)
{
	(void)self;
	for (unsigned i = 1; i <= STORM; i++) {
		for (unsigned to = 0; to < cpu_count; to++) {
			unsigned before = cpus[to].soft;

			ipi(to);
			while (cpus[to].soft == before) {
				relax();
			}
		}
	}
}

static void nap(unsigned self)
{
	for (unsigned i = 1; i <= NAPS; i++) {
		irq_mask();
		lapic_timer(VECTOR_TIMER, 200000 + 100000 * self);
		while (cpus[self].timers < i) {
			wait_for_interrupt();
		}
		irq_unmask();
	}
}

static void naps(void)
{
	bool all = true;

	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].timers = 0;
	}
	ask_all(nap);
	wait_all();
	for (unsigned i = 1; i < cpu_count; i++) {
		all = all && cpus[i].timers == NAPS;
	}
	check("each has a timer of its own", all);
}

/* ---- a device's interrupt ---- */

static void raise_uart(void)
{
	while (!(in8(PORT_UART + 5) & 0x40)) {
	}
	out8(PORT_UART + 1, 0);
	out8(PORT_UART + 1, 2); /* it can send, and may say so */
}

static unsigned line_sum(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		sum += cpus[i].lines;
	}
	return sum;
}

static void routes(void)
{
	bool right = true;

	out8(PORT_UART + 4, 8);
	for (unsigned k = 0; k < ROUTES; k++) {
		unsigned to = k % cpu_count, before, sum;

		out8(PORT_UART + 1, 0);
		ioapic_route(UART_IRQ, LINE, cpus[to].id);
		before = cpus[to].lines;
		sum = line_sum();
		raise_uart();
		while (line_sum() == sum) {
			relax();
		}
		right = right && cpus[to].lines == before + 1;
	}
	out8(PORT_UART + 1, 0);
	ioapic_route(UART_IRQ, RTE_MASKED, 0);
	check("a device's interrupt to each in turn", right);
}

/* ---- pages ---- */

#define WINDOW   0x80000000ull
#define BLOCK    0x200000ull
#define PLACE(n) ((2 + (n)) * BLOCK)

static void look(unsigned self)
{
	REG_SET(cr3, REG_GET(cr3)); /* forgets what it knew */
	cpus[self].seen = *(volatile uint64_t *)WINDOW;
}

/* What is out of the tables no CPU sees that forgot. */
static void remaps(void)
{
	uint64_t *directory =
		(uint64_t *)(((uint64_t *)(tables[0] & ~0xfffull))[WINDOW >> 30] & ~0xfffull);
	uint64_t was = directory[0];
	bool fresh = true;

	write64(PLACE(0), 0);
	write64(PLACE(1), 1);
	for (uint64_t k = 0; k < REMAPS; k++) {
		directory[0] = PLACE(k % 2) | 0x83;
		together(look);
		for (unsigned i = 0; i < cpu_count; i++) {
			fresh = fresh && cpus[i].seen == k % 2;
		}
	}
	directory[0] = was;
	together(look);
	check("a page that is mapped anew", fresh);
}

static void several(void)
{
	first_lives();
	identities();
	lives();
	not_now();
	nmis();
	together(work_locked);
	check_eq("a lock that all want", guarded, cpu_count * LOCKED);
	together(work_exchanged);
	check_eq("CMPXCHG of all", exchanged, cpu_count * LOCKED);
	ping();
	new_game();
	together(run_laps);
	check("once around, many times", true);
	sets();
	together(storm);
	check("IPIs from all to all", true);
	naps();
	routes();
	remaps();
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	cpu_count = cpu_ids(ids);
	print("CPUs: ");
	print_hex(cpu_count);
	print("\n");
	(void)tsc_hz();
	on_irq = count;
	cpu_code = begin_life;
	cpus[BOSS].id = (uint8_t)(lapic_read(LAPIC_ID) >> 24);
	lapic_timer(VECTOR_TIMER, PATIENCE);
	irq_unmask();
	if (cpu_count > 1) {
		several();
	} else {
		check_eq("a machine with one CPU", cpus[BOSS].id, ids[0]);
	}
	irq_mask();
}
