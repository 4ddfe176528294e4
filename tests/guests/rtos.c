/* SPDX-License-Identifier: MIT */
/*
 * A small pre-emptive RTOS, which does to its machine what Zephyr does on qemu_cortex_a53: threads
 * on SP_EL0 at EL1t, caches cleaned by set/way before the MMU is on, PSCI by HVC before the console
 * is up, a tick of CNTV at 62.5 MHz by its compare value, an SGI to reschedule, RWP and WAKER
 * handshakes, priorities written byte by byte, and a shell on the UART's receive interrupt.
 */
#include "guest.h"

#define COUNTER_HZ 62500000u
#define TICK_HZ    500u
#define PERIOD     (COUNTER_HZ / TICK_HZ)
#define THREADS    6u
#define ROUNDS     200u
#define LINE       64u

#define SGI_RESCHEDULE 0u
#define VTIMER         27u
#define UART           33u
#define PRIORITY       0xa0u

#define EL1T      0x304u /* M: EL1 with SP_EL0; D and A masked, I and F not */
#define SVC_YIELD 1u
#define EC_SVC    0x15u

/* ---- threads: a frame of the exception that interrupted it, and its stack pointer ---- */

enum state {
	FREE,
	READY,
	WAITING,
};

struct thread {
	struct guest_frame frame;
	uint64_t sp;
	unsigned priority; /* 0 is the most urgent */
	enum state state;
	uint64_t wake_at; /* a tick, or 0 */
	const volatile unsigned *semaphore;
	uint64_t ran;   /* how often it was switched to */
	uint64_t since; /* which of all switches the last one was: round robin */
};

static struct thread threads[THREADS];
static struct thread *volatile current;
static uint64_t stacks[THREADS][512] __attribute__((aligned(16)));
static volatile uint64_t ticks;
static volatile unsigned switches, sgi_count, from_thread, from_handler, idle_count;

static bool goes_before(const struct thread *a, const struct thread *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->since < b->since;
}

static void pick(struct guest_frame *frame)
{
	struct thread *best = NULL;

	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *next = &threads[i];

		if (next->state == READY && (!best || goes_before(next, best))) {
			best = next;
		}
	}
	if (best != current) {
		current->frame = *frame;
		current->sp = SYSREG_GET(sp_el0);
		current = best;
		*frame = best->frame;
		SYSREG_SET(sp_el0, best->sp);
		best->ran++;
		best->since = ++switches;
	}
}

static void create(unsigned n, void (*entry)(void), unsigned priority)
{
	threads[n] = (struct thread){.priority = priority, .sp = (uint64_t)&stacks[n + 1]};
	threads[n].frame.elr = (uint64_t)entry;
	threads[n].frame.spsr = EL1T;
	threads[n].state = READY;
}

static void yield(void)
{
	__asm__ volatile("svc #1" ::: "memory");
}

/* Interrupts are masked. */
static void wake(struct thread *thread)
{
	thread->state = READY;
	thread->wake_at = 0;
	thread->semaphore = NULL;
	gic_sgi_to_self(SGI_RESCHEDULE);
}

static void sleep_ticks(unsigned count)
{
	irq_mask();
	current->wake_at = ticks + count;
	current->state = WAITING;
	yield();
	irq_unmask();
}

/* Interrupts are masked. */
static void give_masked(volatile unsigned *semaphore)
{
	++*semaphore;
	for (unsigned i = 0; i < THREADS; i++) {
		if (threads[i].state == WAITING && threads[i].semaphore == semaphore) {
			wake(&threads[i]);
			break;
		}
	}
}

static void give(volatile unsigned *semaphore)
{
	irq_mask();
	give_masked(semaphore);
	irq_unmask();
}

static void take(volatile unsigned *semaphore)
{
	irq_mask();
	while (*semaphore == 0) {
		current->semaphore = semaphore;
		current->state = WAITING;
		yield();
	}
	--*semaphore;
	irq_unmask();
}

/* ---- interrupts ---- */

static void uart_interrupt(void);

static void tick(void)
{
	uint64_t due = SYSREG_GET(cntv_cval_el0);

	while (due <= counter()) {
		due += PERIOD;
		ticks++;
	}
	SYSREG_SET(cntv_cval_el0, due);
	for (unsigned i = 0; i < THREADS; i++) {
		if (threads[i].state == WAITING && threads[i].wake_at &&
			threads[i].wake_at <= ticks) {
			wake(&threads[i]);
		}
	}
}

static void interrupt(struct guest_frame *frame)
{
	unsigned intid = gic_ack();

	if (frame->vector / 4 == GUEST_FROM_SP0) {
		from_thread++;
	} else {
		from_handler++;
	}
	switch (intid & 0x3ff) {
	case GIC_SPURIOUS: return;
	case SGI_RESCHEDULE: sgi_count++; break;
	case VTIMER: tick(); break;
	case UART: uart_interrupt(); break;
	default: check("only these interrupts", false); break;
	}
	gic_eoi(intid);
	pick(frame);
}

static void call_of_thread(struct guest_frame *frame)
{
	if (ESR_EC(frame->esr) != EC_SVC || (ESR_ISS(frame->esr) & 0xffff) != SVC_YIELD) {
		on_sync = NULL; /* not ours: the runtime says what it was */
		__asm__ volatile("brk #0");
	}
	pick(frame);
}

/* ---- the console ---- */

#define UART_DR       (GUEST_UART + 0x00)
#define UART_FR       (GUEST_UART + 0x18)
#define UART_IBRD     (GUEST_UART + 0x24)
#define UART_FBRD     (GUEST_UART + 0x28)
#define UART_LCR_H    (GUEST_UART + 0x2c)
#define UART_CR       (GUEST_UART + 0x30)
#define UART_IMSC     (GUEST_UART + 0x38)
#define UART_ICR      (GUEST_UART + 0x44)
#define FR_RXFE       0x10u
#define RX_OR_TIMEOUT 0x50u

static volatile unsigned received;
static volatile char input[256];
static volatile unsigned input_put, input_get;

static void uart_interrupt(void)
{
	while (!(read32(UART_FR) & FR_RXFE)) {
		input[input_put++ % sizeof(input)] = (char)read32(UART_DR);
		give_masked(&received);
	}
	write32(UART_ICR, RX_OR_TIMEOUT);
}

static void uart_init(void)
{
	write32(UART_CR, 0);
	write32(UART_IBRD, 13);
	write32(UART_FBRD, 1);
	write32(UART_LCR_H, 0x60); /* 8 bits, no FIFOs */
	write32(UART_ICR, 0x7ff);
	write32(UART_CR, 0x301);
	gic_enable(UART, PRIORITY);
	write32(UART_IMSC, RX_OR_TIMEOUT);
}

static char read_char(void)
{
	take(&received);
	return input[input_get++ % sizeof(input)];
}

static bool starts_with(const char *line, const char *word)
{
	while (*word && *line == *word) {
		line++;
		word++;
	}
	return !*word;
}

static void read_line(char *line)
{
	unsigned length = 0;

	print("rtos:~$ ");
	for (;;) {
		char byte = read_char();

		if (byte == '\r' || byte == '\n') {
			break;
		}
		put_char(byte); /* the terminal's echo */
		if (length < LINE - 1) {
			line[length++] = byte;
		}
	}
	line[length] = '\0';
	print("\n");
}

static void shell(void)
{
	char line[LINE];

	for (;;) {
		read_line(line);
		if (starts_with(line, "echo ")) {
			print(line + 5);
			print("\n");
		} else if (starts_with(line, "uptime")) {
			print(ticks ? "some ticks\n" : "none\n");
		} else if (starts_with(line, "exit")) {
			return;
		} else if (line[0]) {
			print("no such command\n");
		}
	}
}

/* ---- the processor and its interrupt controller, before there are threads ---- */

/* Every line of every level of data cache, by its number (DDI 0487, D4.4.8). */
static void clean_caches(const char *what)
{
	uint64_t clidr = SYSREG_GET(clidr_el1);

	for (unsigned level = 0; level < 7; level++) {
		uint64_t ccsidr, ways, sets;
		unsigned line, shift = 32;

		if ((clidr >> 3 * level & 7) < 2) {
			continue;
		}
		SYSREG_SET(csselr_el1, level << 1);
		ccsidr = SYSREG_GET(ccsidr_el1);
		line = (unsigned)(ccsidr & 7) + 4;
		ways = (ccsidr >> 3 & 0x3ff) + 1;
		sets = (ccsidr >> 13 & 0x7fff) + 1;
		for (uint64_t n = ways - 1; n; n >>= 1) {
			shift--;
		}
		/* A few of each: that it does no harm shows with the first. */
		for (uint64_t set = 0; set < sets && set < 8; set++) {
			for (uint64_t way = 0; way < ways; way++) {
				uint64_t name = way << shift | set << line | level << 1;

				__asm__ volatile("dc isw, %0\n\tdc cisw, %0" ::"r"(name)
						 : "memory");
			}
		}
	}
	__asm__ volatile("dsb sy\n\tisb" ::: "memory");
	check(what, true);
}

static void mmu_on(void)
{
	static uint64_t root[512] __attribute__((aligned(4096)));

	root[0] = 0x0ull | 1ull | 1ull << 10 | 1ull << 2 | 3ull << 53; /* devices */
	root[1] = 0x40000000ull | 1ull | 1ull << 10 | 3ull << 8;       /* RAM */
	SYSREG_SET(mair_el1, 0x00ff);
	SYSREG_SET(tcr_el1, 25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 2ull << 32);
	SYSREG_SET(ttbr0_el1, (uint64_t)root);
	__asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
	SYSREG_SET(sctlr_el1, SYSREG_GET(sctlr_el1) | 0x1005u);
	check("the MMU is on", SYSREG_GET(sctlr_el1) & 1);
}

#define GICD_CTLR  (GUEST_GICD + 0x000)
#define GICD_TYPER (GUEST_GICD + 0x004)
#define GICR_CTLR  (GUEST_GICR + 0x000)
#define GICR_WAKER (GUEST_GICR + 0x014)
#define GICR_SGI   (GUEST_GICR + 0x10000)

static void distributor_wait(void)
{
	while (read32(GICD_CTLR) >> 31 & 1) {
	}
}

static void redistributor_wait(void)
{
	while (read32(GICR_CTLR) >> 3 & 1) {
	}
}

static void gicv3_init(void)
{
	unsigned lines = 32 * ((read32(GICD_TYPER) & 0x1f) + 1);

	write32(GICR_WAKER, read32(GICR_WAKER) & ~2u);
	while (read32(GICR_WAKER) & 4) {
	}
	write32(GICR_SGI + 0x180, ~0u); /* ICENABLER0 */
	redistributor_wait();
	write32(GICR_SGI + 0x080, ~0u); /* IGROUPR0 */
	write32(GICR_SGI + 0xd00, ~0u); /* IGRPMODR0 */
	for (unsigned n = 0; n < 32; n++) {
		write8(GICR_SGI + 0x400 + n, PRIORITY);
	}
	write32(GICD_CTLR, 0);
	distributor_wait();
	for (unsigned n = 32; n < lines; n += 32) {
		write32(GUEST_GICD + 0x180 + n / 8, ~0u);
		write32(GUEST_GICD + 0x080 + n / 8, ~0u);
		write32(GUEST_GICD + 0xd00 + n / 8, ~0u);
	}
	for (unsigned n = 32; n < lines; n++) {
		write8(GUEST_GICD + 0x400 + n, PRIORITY);
	}
	distributor_wait();
	write32(GICD_CTLR, 0x22);
	distributor_wait();
	check_eq("a priority byte is kept", read8(GUEST_GICD + 0x400 + UART), PRIORITY);
}

static void timer_start(void)
{
	check_eq("the counter runs at 62.5 MHz", SYSREG_GET(cntfrq_el0), COUNTER_HZ);
	gic_enable(VTIMER, PRIORITY);
	SYSREG_SET(cntv_cval_el0, counter() + PERIOD);
	SYSREG_SET(cntv_ctl_el0, 1);
}

/* ---- what the threads do ---- */

static volatile uint64_t work[2];
static volatile unsigned ping, pong, pongs;
static volatile bool stop_work;

static void finish_thread(void)
{
	irq_mask();
	current->state = FREE;
	yield();
}

static void worker_0(void)
{
	while (!stop_work) {
		work[0]++;
	}
	finish_thread();
}

static void worker_1(void)
{
	while (!stop_work) {
		work[1]++;
	}
	finish_thread();
}

static void ponger(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		take(&ping);
		pongs++;
		give(&pong);
	}
	finish_thread();
}

static void idle(void)
{
	for (;;) {
		idle_count++;
		wait_for_interrupt();
	}
}

/* ---- the main thread ---- */

/* However slow the host is. */
static bool in_time(bool (*happened)(void))
{
	for (unsigned i = 0; i < 10 * TICK_HZ && !happened(); i++) {
		sleep_ticks(1);
	}
	return happened();
}

static bool both_ran(void)
{
	return work[0] && work[1] && threads[2].ran >= 5 && threads[3].ran >= 5;
}

static bool both_ended(void)
{
	return threads[2].state == FREE && threads[3].state == FREE;
}

static void preemption(void)
{
	uint64_t before;

	create(2, worker_0, 5);
	create(3, worker_1, 5);
	check("two that never wait share the CPU by its ticks", in_time(both_ran));
	check("interrupts enter from SP_EL0", from_thread && !from_handler);
	stop_work = true;
	check("they end", in_time(both_ended));
	before = work[0] + work[1];
	sleep_ticks(2);
	check("and stay so", work[0] + work[1] == before);
}

static void rescheduling(void)
{
	unsigned before = sgi_count;

	create(4, ponger, 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		give(&ping);
		take(&pong);
	}
	check_eq("each ping has its pong", pongs, ROUNDS);
	check("by an SGI", sgi_count - before >= ROUNDS);
}

static void sleeping(void)
{
	/* The next tick's time: it may be late, and those behind it come the faster. */
	uint64_t from = SYSREG_GET(cntv_cval_el0), tick_from = ticks;
	unsigned idled = idle_count;

	sleep_ticks(10);
	check("a sleep lasts", ticks - tick_from >= 10 && counter() - from >= 9 * PERIOD);
	check("and the CPU idles", idle_count > idled);
}

static void main_thread(void)
{
	check("a thread is at EL1t", SYSREG_GET(SPSel) == 0);
	preemption();
	rescheduling();
	sleeping();
	uart_init();
	shell();
	irq_mask();
	__asm__ volatile("msr spsel, #1" ::: "memory");
	finish();
}

void guest_main(uint64_t dtb)
{
	bool has_psci = call_hvc(PSCI_VERSION, 0, 0, 0).x[0] >= 0x10000;

	(void)dtb;
	print("*** Booting a small RTOS ***\n");
	check("PSCI by HVC", has_psci);
	clean_caches("caches by set and way, before the MMU");
	mmu_on();
	on_irq = interrupt;
	on_sync = call_of_thread;
	if (SYSREG_GET(id_aa64pfr0_el1) >> 24 & 0xf) {
		gicv3_init();
	}
	gic_init(); /* the CPU interface, and the handshakes once more */
	gic_enable(SGI_RESCHEDULE, PRIORITY);
	create(0, main_thread, 2);
	create(1, idle, 15);
	current = &threads[THREADS - 1]; /* this one, which nobody goes back to */
	timer_start();
	yield();
}
