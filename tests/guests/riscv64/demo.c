/* SPDX-License-Identifier: MIT */
/*
 * What the first hypervisors of this kind showed: a kernel that takes turns between two workers by
 * the timer, whoever of them is running, and a flash that begins with "pfld". It talks by SBI and
 * ends by SRST. The workers share a queue of numbers, and each says which it took.
 */
#include "guest.h"

#define SLICE   2000u /* microseconds */
#define NUMBERS 257u
#define STACK   4096u
#define WORKERS 2u

struct worker {
	uint8_t stack[STACK];
	struct guest_frame frame;
	unsigned taken;
};

static struct worker workers[WORKERS] __attribute__((aligned(16)));
static struct guest_frame boss; /* guest_main(), while workers run */
static unsigned running;        /* WORKERS: guest_main() */
static volatile unsigned switches, next_number, ended;

static void say_char(char byte)
{
	sbi_legacy(SBI_LEGACY_PUTCHAR, (uint8_t)byte);
}

static void say(const char *text)
{
	while (*text) {
		say_char(*text++);
	}
}

static void say_number(uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count) {
		say_char(digits[--count]);
	}
}

static struct guest_frame *frame_of(unsigned worker)
{
	return worker == WORKERS ? &boss : &workers[worker].frame;
}

/* Out of whoever runs, into the next. */
static void take_turns(struct guest_frame *frame, unsigned irq)
{
	if (irq != IRQ_TIMER) {
		return;
	}
	timer_set(ended == WORKERS ? UINT64_MAX : counter() + counter_of_us(SLICE));
	*frame_of(running) = *frame;
	running = ended == WORKERS ? WORKERS : running == WORKERS ? 0 : (running + 1) % WORKERS;
	*frame = *frame_of(running);
	switches++;
}

/* The second worker has the last word. */
static bool may_take(unsigned self)
{
	return next_number < (self == 0 ? NUMBERS - 1 : NUMBERS);
}

/* A number that nobody else gets, and its line in one piece: nobody takes the turn away. */
static void work(unsigned self)
{
	while (may_take(self)) {
		say("worker");
		say_number(self + 1, 10);
		say(" [");
		say_number(next_number++, 10);
		say("]\n");
		workers[self].taken++;
		irq_unmask();
		for (volatile unsigned i = 0; i < 20000; i++) {
		}
		irq_mask();
	}
	ended++;
	irq_unmask();
	for (;;) {
		wait_for_interrupt();
	}
}

static void make(unsigned self)
{
	struct worker *worker = &workers[self];

	worker->frame = (struct guest_frame){
		.status = (CSR_GET(sstatus) | SSTATUS_SPP) & ~SSTATUS_SPIE, /* masked, as yet */
	};
	worker->frame.x[0] = (uint64_t)work;
	worker->frame.x[2] = (uint64_t)(worker->stack + STACK);
	worker->frame.x[4] = boot_hart;
	worker->frame.x[10] = self;
}

static void multitask(void)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		make(i);
	}
	running = WORKERS;
	on_irq = take_turns;
	irq_enable(IRQ_TIMER);
	timer_set(0);
	irq_unmask();
	while (ended < WORKERS || running != WORKERS) {
	}
	irq_mask();
	if (workers[0].taken && workers[1].taken && switches > 2) {
		say("Multi-task(Preemptible) ok!\n");
	}
}

static void flash(void)
{
	uint32_t magic = read32(GUEST_FLASH);

	say("got 0x");
	say_number(magic, 16);
	say("\nGot pflash magic: ");
	for (unsigned i = 0; i < 4; i++) {
		say_char((char)(magic >> 8 * i));
	}
	say("\n");
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	multitask();
	flash();
	say("Shutdown vm normally!\n");
	power_off();
}
