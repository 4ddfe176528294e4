/* SPDX-License-Identifier: MIT */
/* What guest.h promises. */
#include "guest.h"

#define UART_DR 0x00
#define UART_FR 0x18
#define FR_TXFF 0x20

#define ESR_EC_SVC64 0x15
#define SVC_LEAVE    0xe10

volatile struct guest_frame trap;
void (*volatile on_irq)(struct guest_frame *frame);
void (*volatile on_fiq)(struct guest_frame *frame);
void (*volatile on_sync)(struct guest_frame *frame);

static volatile bool trap_expected, trap_seen;

void guest_exception(struct guest_frame *frame);
void el0_returned(void);

/* ---- what it says ---- */

void put_char(char byte)
{
	while (read32(GUEST_UART + UART_FR) & FR_TXFF) {
	}
	write32(GUEST_UART + UART_DR, (uint8_t)byte);
}

_Noreturn void power_off(void)
{
	call_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
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

static void note_trap(struct guest_frame *frame)
{
	trap_expected = false;
	trap_seen = true;
	trap.elr = frame->elr;
	trap.spsr = frame->spsr;
	trap.esr = frame->esr;
	trap.far = frame->far;
	trap.vector = frame->vector;
	/* The return address of SVC and its kin is behind them already. */
	if (ESR_EC(frame->esr) < ESR_EC_SVC64 || ESR_EC(frame->esr) > 0x17) {
		frame->elr += 4;
	}
}

static _Noreturn void unexpected(const struct guest_frame *frame)
{
	static const char *const names[] = {"vector ", " esr ", " far ", " elr ", " spsr "};
	const uint64_t values[] = {frame->vector, frame->esr, frame->far, frame->elr, frame->spsr};

	check("unexpected exception:", false);
	for (unsigned i = 0; i < 5; i++) {
		print(names[i]);
		print_hex(values[i]);
	}
	print("\n");
	finish();
}

static void leave_el0(struct guest_frame *frame)
{
	frame->elr = (uint64_t)el0_returned;
	frame->spsr = 0x3c5; /* EL1h, DAIF masked */
}

static bool is_leave(const struct guest_frame *frame)
{
	return frame->vector / 4 == GUEST_FROM_EL0 && ESR_EC(frame->esr) == ESR_EC_SVC64 &&
	       (ESR_ISS(frame->esr) & 0xffff) == SVC_LEAVE;
}

static void synchronous(struct guest_frame *frame)
{
	if (is_leave(frame)) {
		leave_el0(frame);
	} else if (on_sync) {
		on_sync(frame);
	} else if (trap_expected) {
		note_trap(frame);
	} else {
		unexpected(frame);
	}
}

void guest_exception(struct guest_frame *frame)
{
	unsigned kind = frame->vector % 4;

	if (kind == 0) {
		synchronous(frame);
	} else if (kind == 1 && on_irq) {
		on_irq(frame);
	} else if (kind == 2 && on_fiq) {
		on_fiq(frame);
	} else {
		unexpected(frame);
	}
}

/* ---- firmware calls ---- */

#define CALL(conduit)                                                                              \
	register uint64_t x0 __asm__("x0") = fn;                                                   \
	register uint64_t x1 __asm__("x1") = arg1;                                                 \
	register uint64_t x2 __asm__("x2") = arg2;                                                 \
	register uint64_t x3 __asm__("x3") = arg3;                                                 \
	__asm__ volatile(conduit " #0"                                                             \
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "x8",   \
			 "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");  \
	return (struct call_result)                                                                \
	{                                                                                          \
		{                                                                                  \
			x0, x1, x2, x3                                                             \
		}                                                                                  \
	}

struct call_result call_hvc(uint64_t fn, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	CALL("hvc");
}

struct call_result call_smc(uint64_t fn, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	CALL("smc");
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
