/* SPDX-License-Identifier: MIT */
/*
 * Several harts: HSM from one to another, IPIs to every set of them, locks that all want, wake-ups
 * by the thousand, timers, the PLIC's contexts, fences that must reach the others. Runs on 1 to 8
 * harts; the one that the firmware chose judges, and the others do what it asks them to.
 */
#include "guest.h"

#define LIVES      50u
#define LOCKED     2000u
#define PINGS      3000u /* two wake-ups each */
#define LAPS       100u
#define STORM      40u
#define NAPS       20u
#define ROUTES     50u
#define REMAPS     50u
#define PATIENCE_S 100u /* then somebody sleeps for ever */

#define HSM_START    0u
#define HSM_STOP     1u
#define HSM_SUSPEND  3u
#define KEEP_ALL     0x00000000u
#define KEEP_NOTHING 0x80000000u

struct hart {
	uint64_t id, dirt; /* smp.S: what it found when it came */
	unsigned lives, asked, answered;
	void (*job)(unsigned self);
	volatile unsigned soft, timers, external, claims; /* interrupts that it took */
	unsigned ball;                                    /* the last one thrown at it */
	uint64_t seen;                                    /* a job's answer */
} __attribute__((aligned(64)));

/* smp.S */
void smp_start(void), smp_resume(void);
void smp_main(void), smp_resumed(void);

static struct hart harts[GUEST_HARTS];
static unsigned hart_count, boss;

static unsigned load(const unsigned *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void store(unsigned *to, unsigned value)
{
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
}

/* In a loop that waits for another hart: PAUSE, a hint. */
static void relax(void)
{
	__asm__ volatile(".4byte 0x0100000f" ::: "memory");
}

static void ipi(unsigned to)
{
	__asm__ volatile("fence rw, rw" ::: "memory");
	SBI(SBI_IPI, 0, 1, to);
}

/* ---- what interrupts a hart ---- */

static void take_external(struct hart *self)
{
	unsigned source = plic_claim();

	self->external++;
	if (source == UART_IRQ) {
		write8(GUEST_UART + 1, 0);
		self->claims++;
		plic_complete(source);
	}
}

static void count(struct guest_frame *frame, unsigned irq)
{
	unsigned number = guest_hart();
	struct hart *self = &harts[number];

	(void)frame;
	if (irq == IRQ_SOFT) {
		CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
		self->soft++;
	} else if (irq == IRQ_EXT) {
		take_external(self);
	} else if (number == boss) {
		check("nobody sleeps for ever", false);
		finish();
	} else {
		timer_set(UINT64_MAX);
		self->timers++;
	}
}

static void interrupts_on(void)
{
	irq_enable(IRQ_SOFT);
	irq_enable(IRQ_TIMER);
	irq_enable(IRQ_EXT);
	irq_unmask();
}

/* ---- how they work together ---- */

static void serve(struct hart *self)
{
	for (unsigned done = load(&self->answered);;) {
		irq_mask();
		while (load(&self->asked) == done) {
			wait_for_interrupt();
			irq_unmask();
			irq_mask();
		}
		irq_unmask();
		self->job(guest_hart());
		store(&self->answered, ++done);
	}
}

void smp_main(void)
{
	struct hart *self = &harts[guest_hart()];

	interrupts_on();
	store(&self->lives, self->lives + 1);
	serve(self);
}

static void ask(unsigned hart, void (*job)(unsigned self))
{
	harts[hart].job = job;
	store(&harts[hart].asked, harts[hart].asked + 1);
	ipi(hart);
}

static void wait_answer(unsigned hart)
{
	while (load(&harts[hart].answered) != harts[hart].asked) {
		relax();
	}
}

static void ask_all(void (*job)(unsigned self))
{
	for (unsigned i = 0; i < hart_count; i++) {
		if (i != boss) {
			ask(i, job);
		}
	}
}

static void wait_all(void)
{
	for (unsigned i = 0; i < hart_count; i++) {
		wait_answer(i);
	}
}

/* All of them at the same thing, this one too. */
static void together(void (*job)(unsigned self))
{
	ask_all(job);
	job(boss);
	wait_all();
}

static unsigned other(void)
{
	return boss == 0 ? 1 : 0;
}

/* ---- HSM ---- */

static int64_t turn_on(unsigned hart)
{
	return SBI(SBI_HSM, HSM_START, hart, (uint64_t)smp_start, (uint64_t)&harts[hart]).error;
}

static void wait_life(unsigned hart, unsigned life)
{
	while (load(&harts[hart].lives) != life) {
		relax();
	}
}

static void wait_status(unsigned hart, int64_t status)
{
	while (hart_status(hart) != status) {
		relax();
	}
}

static unsigned count_harts(void)
{
	unsigned found = 0;

	while (found < GUEST_HARTS && hart_status(found) >= 0) {
		found++;
	}
	return found;
}

static void first_life(void)
{
	unsigned one = other();
	int64_t status;

	check_eq("this hart is started", hart_status(boss), HART_STARTED);
	check_eq("no such hart", hart_status(hart_count), SBI_INVALID_PARAM);
	check_eq("it cannot be started", turn_on(GUEST_HARTS - 1 + 100), SBI_INVALID_PARAM);
	check_eq("this hart is started already",
		SBI(SBI_HSM, HSM_START, boss, (uint64_t)smp_start, 0).error, SBI_ALREADY_AVAILABLE);
	check_eq("another is stopped", hart_status(one), HART_STOPPED);
	check_eq("hart_start", turn_on(one), 0);
	status = hart_status(one);
	check("started, or soon", status == HART_STARTED || status == HART_START_PENDING);
	wait_life(one, 1);
	check_eq("it came", hart_status(one), HART_STARTED);
	check_eq("hart_start of one that runs", turn_on(one), SBI_ALREADY_AVAILABLE);
	check_eq("with its number", harts[one].id, one);
	check_eq("translation off, interrupts masked", harts[one].dirt, 0);
}

/* With an interrupt pending, which the next life shall not see before it wants to. */
static void die(unsigned self)
{
	irq_mask();
	timer_set(0);
	ipi(self);
	SBI(SBI_HSM, HSM_STOP, 0);
	harts[self].dirt = 0xdead;
}

static void lives(void)
{
	unsigned one = other();
	uint64_t dirt = 0;

	for (unsigned life = 2; life <= LIVES; life++) {
		ask(one, die);
		wait_status(one, HART_STOPPED);
		harts[one].asked = harts[one].answered; /* there was no answer */
		if (turn_on(one) != 0) {
			dirt |= 1;
			break;
		}
		wait_life(one, life);
		dirt |= harts[one].dirt;
	}
	check_eq("fifty lives", dirt, 0);
}

static void suspend_keeping_all(unsigned self)
{
	irq_mask();
	harts[self].seen = (uint64_t)SBI(SBI_HSM, HSM_SUSPEND, KEEP_ALL, 0, 0).error;
	irq_unmask();
}

static void suspend_keeping_nothing(unsigned self)
{
	harts[self].id = 99;
	irq_mask();
	SBI(SBI_HSM, HSM_SUSPEND, KEEP_NOTHING, (uint64_t)smp_resume, (uint64_t)&harts[self]);
	harts[self].seen = 99;
	irq_unmask();
}

/* What called it is gone: so it says that the job is done. */
void smp_resumed(void)
{
	struct hart *self = &harts[guest_hart()];

	interrupts_on();
	store(&self->answered, self->answered + 1);
	serve(self);
}

static void suspends(void)
{
	unsigned one = other();

	harts[one].seen = 1;
	ask(one, suspend_keeping_all);
	wait_status(one, HART_SUSPENDED);
	check("a hart is suspended", load(&harts[one].answered) != harts[one].asked);
	ipi(one);
	wait_answer(one);
	check_eq("and goes on at an IPI", harts[one].seen, 0);
	check_eq("started again", hart_status(one), HART_STARTED);
	harts[one].seen = 0;
	ask(one, suspend_keeping_nothing);
	wait_status(one, HART_SUSPENDED);
	ipi(one);
	wait_answer(one);
	check("and one that keeps nothing comes back",
		harts[one].seen == 0 && harts[one].id == one);
	check_eq("as after a start", harts[one].dirt, 0);
}

/* ---- one thing each ---- */

static unsigned lock_word;
static uint64_t guarded, reserved;

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

static void work_reserved(unsigned self)
{
	uint64_t old, failed;

	(void)self;
	for (unsigned i = 0; i < LOCKED; i++) {
		__asm__ volatile("1:\tlr.d %0, (%2)\n\taddi %0, %0, 1\n\t"
				 "sc.d %1, %0, (%2)\n\tbnez %1, 1b"
				 : "=&r"(old), "=&r"(failed)
				 : "r"(&reserved)
				 : "memory");
	}
}

static void throw_ball(unsigned to, unsigned ball)
{
	store(&harts[to].ball, ball);
	ipi(to);
}

static void catch_ball(unsigned self, unsigned ball)
{
	irq_mask();
	while (load(&harts[self].ball) < ball) {
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
		throw_ball(boss, i);
	}
}

static void new_game(void)
{
	for (unsigned i = 0; i < hart_count; i++) {
		harts[i].ball = 0;
	}
}

static void ping(void)
{
	new_game();
	ask(other(), pong);
	for (unsigned i = 1; i <= PINGS; i++) {
		throw_ball(other(), i);
		catch_ball(boss, i);
	}
	wait_answer(other());
	check("two harts wake each other", true);
}

/* Once around: each gets it from the one before. */
static void run_laps(unsigned self)
{
	for (unsigned lap = 1; lap <= LAPS; lap++) {
		if (self != boss) {
			catch_ball(self, lap);
		}
		throw_ball((self + 1) % hart_count, lap);
		if (self == boss) {
			catch_ball(self, lap);
		}
	}
}

/* Harts of a set, and no others; by a mask from each base that can name them. */
static void sets(void)
{
	bool exact = true;

	for (unsigned set = 1; set < 1u << hart_count; set++) {
		unsigned before[GUEST_HARTS], base = 0;

		while (!(set >> base & 1)) {
			base++;
		}
		for (unsigned i = 0; i < hart_count; i++) {
			before[i] = harts[i].soft;
		}
		SBI(SBI_IPI, 0, set >> base, base);
		for (unsigned i = 0; i < hart_count; i++) {
			while (set >> i & 1 && harts[i].soft == before[i]) {
				relax();
			}
		}
		for (unsigned i = 0; i < hart_count; i++) {
			exact = exact && harts[i].soft - before[i] == (set >> i & 1);
		}
	}
	check("an IPI to every set of harts, and to no other", exact);
}

static void everybody(void)
{
	bool exact = true;

	for (unsigned k = 0; k < 50; k++) {
		unsigned before[GUEST_HARTS];

		for (unsigned i = 0; i < hart_count; i++) {
			before[i] = harts[i].soft;
		}
		SBI(SBI_IPI, 0, 0, UINT64_MAX);
		for (unsigned i = 0; i < hart_count; i++) {
			while (harts[i].soft == before[i]) {
				relax();
			}
			exact = exact && harts[i].soft == before[i] + 1;
		}
	}
	check("and to all", exact);
}

/* From all to all; none gets lost. */
static void storm(unsigned self)
{
	(void)self;
	for (unsigned i = 1; i <= STORM; i++) {
		for (unsigned to = 0; to < hart_count; to++) {
			unsigned before = harts[to].soft;

			ipi(to);
			while (harts[to].soft == before) {
				relax();
			}
		}
	}
}

/* Every other time by suspension instead of WFI. */
static void nap(unsigned self)
{
	for (unsigned i = 1; i <= NAPS; i++) {
		irq_mask();
		timer_set(counter() + counter_of_us(200 + 100 * self));
		while (harts[self].timers < i) {
			if (i % 2) {
				SBI(SBI_HSM, HSM_SUSPEND, KEEP_ALL, 0, 0);
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

	for (unsigned i = 0; i < hart_count; i++) {
		harts[i].timers = 0;
	}
	ask_all(nap);
	wait_all();
	for (unsigned i = 0; i < hart_count; i++) {
		all = all && (i == boss || harts[i].timers == NAPS);
	}
	check("each has a timer of its own", all);
}

/* ---- the PLIC's contexts ---- */

static void let_in(unsigned self)
{
	(void)self;
	plic_init();
	plic_enable(UART_IRQ, true);
}

static void let_out(unsigned self)
{
	(void)self;
	plic_enable(UART_IRQ, false);
}

static void raise_uart(void)
{
	while (!(read8(GUEST_UART + 5) & 0x40)) {
	}
	write8(GUEST_UART + 1, 0);
	write8(GUEST_UART + 1, 2); /* it can send, and may say so */
}

static unsigned claim_sum(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < hart_count; i++) {
		sum += harts[i].claims;
	}
	return sum;
}

static void on(unsigned hart, void (*job)(unsigned self))
{
	if (hart == boss) {
		job(hart);
	} else {
		ask(hart, job);
		wait_answer(hart);
	}
}

static void routes(void)
{
	bool right = true;

	plic_priority(UART_IRQ, 1);
	for (unsigned i = 0; i < hart_count; i++) {
		on(i, let_out);
	}
	for (unsigned k = 0; k < ROUTES; k++) {
		unsigned to = k % hart_count, before = harts[to].claims, sum = claim_sum();

		on(to, let_in);
		raise_uart();
		while (claim_sum() == sum) {
			relax();
		}
		right = right && harts[to].claims == before + 1;
		on(to, let_out);
	}
	check("a device's interrupt to each in turn", right);
	together(let_in);
	for (unsigned k = 0; k < ROUTES; k++) {
		unsigned sum = claim_sum();

		raise_uart();
		while (claim_sum() == sum) {
			relax();
		}
		right = right && claim_sum() == sum + 1;
	}
	check("or to all, of whom one gets it", right);
	together(let_out);
}

/* ---- fences ---- */

#define PTE_RAM    0xcfull /* V R W X A D */
#define PTE_WINDOW 0xc7ull
#define WINDOW     0x40000000ull
#define BLOCK      0x200000ull
#define PLACE(n)   (GUEST_RAM + (2 + (n)) * BLOCK + 0x400000)

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t window[512] __attribute__((aligned(4096)));
static uint32_t code[4] __attribute__((aligned(64)));

static void translate(unsigned self)
{
	(void)self;
	CSR_SET(satp, 8ull << 60 | (uint64_t)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void translate_no_more(unsigned self)
{
	(void)self;
	CSR_SET(satp, 0);
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void look(unsigned self)
{
	harts[self].seen = *(volatile uint64_t *)WINDOW;
}

static void run_code(unsigned self)
{
	harts[self].seen = ((uint64_t(*)(void))(uintptr_t)code)();
}

static bool all_saw(uint64_t value)
{
	bool all = true;

	for (unsigned i = 0; i < hart_count; i++) {
		all = all && harts[i].seen == value;
	}
	return all;
}

/* What is out of the tables, no hart sees after a remote fence, of whichever kind. */
static void remap(const char *name, unsigned fn, uint64_t start, uint64_t size, bool by_mask)
{
	uint64_t mask = by_mask ? (1u << hart_count) - 1 : 0, base = by_mask ? 0 : UINT64_MAX;
	bool fresh = true;

	for (uint64_t k = 0; k < REMAPS; k++) {
		window[0] = PLACE(k % 2) >> 12 << 10 | PTE_WINDOW;
		fresh = fresh && SBI(SBI_RFENCE, fn, mask, base, start, size, 0).error == 0;
		together(look);
		fresh = fresh && all_saw(k % 2);
	}
	check(name, fresh);
}

static void fences(void)
{
	bool fresh = true;

	root[0] = PTE_WINDOW; /* devices */
	root[1] = (uint64_t)window >> 12 << 10 | 1;
	root[2] = (uint64_t)GUEST_RAM >> 12 << 10 | PTE_RAM;
	write64(PLACE(0), 0);
	write64(PLACE(1), 1);
	window[0] = PLACE(0) >> 12 << 10 | PTE_WINDOW;
	together(translate);
	remap("remote SFENCE.VMA of all", 1, 0, UINT64_MAX, false);
	remap("of a page", 1, WINDOW, 4096, true);
	remap("of much", 1, WINDOW, BLOCK, true);
	remap("by ASID", 2, 0, UINT64_MAX, true);
	remap("of size 0 and start 0, which is all", 1, 0, 0, false);
	together(translate_no_more);
	for (uint32_t k = 0; k < REMAPS; k++) {
		code[0] = 0x00000513u | k << 20; /* li a0, k */
		code[1] = 0x00008067u;           /* ret */
		__asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
		fresh = fresh && SBI(SBI_RFENCE, 0, 0, UINT64_MAX).error == 0;
		together(run_code);
		fresh = fresh && all_saw(k);
	}
	check("remote FENCE.I", fresh);
}

static void several(void)
{
	first_life();
	lives();
	for (unsigned i = 0; i < hart_count; i++) {
		if (i != boss && i != other()) {
			check_eq("one more", (uint64_t)turn_on(i), 0);
			wait_life(i, 1);
		}
	}
	suspends();
	together(work_locked);
	check_eq("a lock that all want", guarded, hart_count * LOCKED);
	together(work_reserved);
	check_eq("LR and SC of all", reserved, hart_count * LOCKED);
	ping();
	new_game();
	together(run_laps);
	check("once around, many times", true);
	sets();
	everybody();
	together(storm);
	check("IPIs from all to all", true);
	naps();
	routes();
	fences();
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	boss = (unsigned)boot_hart;
	hart_count = count_harts();
	print("CPUs: ");
	print_hex(hart_count);
	print("\n");
	on_irq = count;
	plic_init();
	interrupts_on();
	timer_set(counter() + (uint64_t)TIMEBASE * PATIENCE_S);
	if (hart_count > 1) {
		several();
	} else {
		check_eq("a machine with one hart", (uint64_t)hart_status(boss), HART_STARTED);
	}
	timer_set(UINT64_MAX);
}
