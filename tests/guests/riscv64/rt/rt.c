/* SPDX-License-Identifier: MIT */
/* What guest.h promises. */
#include "guest.h"

#define UART_THR 0x0
#define UART_LSR 0x5
#define LSR_THRE 0x20

#define CAUSE_IRQ (1ull << 63)

volatile struct guest_frame trap;
volatile uint64_t user_result;
void (*volatile on_irq)(struct guest_frame *frame, unsigned irq);
void (*volatile on_sync)(struct guest_frame *frame);

static volatile bool trap_expected, trap_seen;

void guest_exception(struct guest_frame *frame);
void user_returned(void);
void hart_entry(void);

void put_char(char byte)
{
	while (!(read8(GUEST_UART + UART_LSR) & LSR_THRE)) {
	}
	write8(GUEST_UART + UART_THR, (uint8_t)byte);
}

_Noreturn void power_off(void)
{
	SBI(SBI_SRST, 0, 0, 0);
	sbi_legacy(SBI_LEGACY_SHUTDOWN, 0);
	for (;;) {
		wait_for_interrupt();
	}
}

/* ---- exceptions ---- */

void expect_trap(void)
{
	trap_seen = false;
	trap_expected = true;
}

bool trap_taken(void)
{
	trap_expected = false;
	return trap_seen;
}

static bool is_fetch(const struct guest_frame *frame)
{
	return frame->cause == CAUSE_FETCH_ACCESS || frame->cause == CAUSE_FETCH_PAGE ||
	       (frame->cause == CAUSE_LOAD_ACCESS && frame->tval == frame->x[0]);
}

void step_over(struct guest_frame *frame)
{
	if (is_fetch(frame)) {
		frame->x[0] = frame->x[1];
	} else {
		frame->x[0] += (*(const uint16_t *)frame->x[0] & 3) == 3 ? 4 : 2;
	}
}

void note_trap(struct guest_frame *frame)
{
	trap_expected = false;
	trap_seen = true;
	trap = *frame;
}

static _Noreturn void unexpected(const struct guest_frame *frame)
{
	static const char *const names[] = {"cause ", " tval ", " pc ", " status ", " ra ", " sp "};
	const uint64_t values[] = {
		frame->cause, frame->tval, frame->x[0], frame->status, frame->x[1], frame->x[2]};

	check("unexpected exception:", false);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		print(names[i]);
		print_hex(values[i]);
	}
	print("\n");
	finish();
}

static bool is_leave(const struct guest_frame *frame)
{
	return frame->cause == CAUSE_ECALL_U && frame->x[17] == USER_LEAVE;
}

void leave_user(struct guest_frame *frame)
{
	user_result = frame->x[10];
	frame->x[0] = (uint64_t)user_returned;
	frame->status |= SSTATUS_SPP;
}

static void synchronous(struct guest_frame *frame)
{
	if (is_leave(frame)) {
		leave_user(frame);
	} else if (on_sync) {
		on_sync(frame);
	} else if (trap_expected) {
		note_trap(frame);
		step_over(frame);
	} else {
		unexpected(frame);
	}
}

void guest_exception(struct guest_frame *frame)
{
	if (!(frame->cause & CAUSE_IRQ)) {
		synchronous(frame);
	} else if (on_irq) {
		on_irq(frame, (unsigned)(frame->cause & 63));
	} else {
		unexpected(frame);
	}
}

/* ---- interrupts ---- */

static volatile bool irq_seen;

static void see(struct guest_frame *frame, unsigned irq)
{
	(void)irq;
	irq_seen = true;
	frame->status &= ~SSTATUS_SPIE;
}

bool irq_pending(unsigned irq)
{
	void (*handler)(struct guest_frame *, unsigned) = on_irq;
	uint64_t sie = CSR_GET(sie), status = CSR_GET(sstatus);

	irq_mask();
	irq_seen = false;
	on_irq = see;
	CSR_SET(sie, 1ull << irq);
	irq_unmask();
	irq_mask();
	on_irq = handler;
	CSR_SET(sie, sie);
	CSR_SET_BITS(sstatus, status & SSTATUS_SIE);
	return irq_seen;
}

/* ---- SBI ---- */

struct sbi_ret sbi6(uint64_t ext, uint64_t fn, const uint64_t arg[6])
{
	register uint64_t a0 __asm__("a0") = arg[0];
	register uint64_t a1 __asm__("a1") = arg[1];
	register uint64_t a2 __asm__("a2") = arg[2];
	register uint64_t a3 __asm__("a3") = arg[3];
	register uint64_t a4 __asm__("a4") = arg[4];
	register uint64_t a5 __asm__("a5") = arg[5];
	register uint64_t a6 __asm__("a6") = fn;
	register uint64_t a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_ret){.error = (int64_t)a0, .value = a1};
}

int64_t sbi_legacy(uint64_t fn, uint64_t arg)
{
	return SBI(fn, 0, arg).error;
}

bool sbi_has(uint64_t ext)
{
	return SBI(SBI_BASE, 3, ext).value != 0;
}

struct sbi_ret hart_start(unsigned hart, void (*code)(void))
{
	return SBI(SBI_HSM, 0, hart, (uint64_t)hart_entry, (uint64_t)code);
}

/* ---- time ---- */

bool wait_for_flag(volatile unsigned *flag, uint64_t us)
{
	uint64_t until = counter() + counter_of_us(us);

	while (!*flag && (int64_t)(until - counter()) > 0) {
	}
	return *flag != 0;
}

/* Masked while it looks, because an interrupt between the look and WFI would be slept through. */
void sleep_until(volatile unsigned *count, unsigned least)
{
	irq_mask();
	while (*count < least) {
		wait_for_interrupt();
		irq_unmask();
		irq_mask();
	}
	irq_unmask();
}
