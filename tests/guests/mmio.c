/* SPDX-License-Identifier: MIT */
/*
 * Device accesses of every shape: those that the CPU describes to the hypervisor (ISV = 1), those
 * that it leaves to be decoded (pairs, writeback, SIMD registers), and those where nothing is.
 */
#include "guest.h"

#define UART_PERIPH_ID0 (GUEST_UART + 0xfe0)
#define UART_CELL_ID0   (GUEST_UART + 0xff0)
#define UART_IBRD       (GUEST_UART + 0x24)
#define UART_FBRD       (GUEST_UART + 0x28)
#define RTC_LR          (GUEST_RTC + 0x08)
#define RTC_MR          (GUEST_RTC + 0x04)

#define EC_DATA_ABORT  0x25u
#define EC_FETCH_ABORT 0x21u
#define FSC_EXTERNAL   0x10u
#define ISS_WNR        (1u << 6)

static void sizes(void)
{
	write32(RTC_MR, 0x11223344);
	check_eq("32-bit read back", read32(RTC_MR), 0x11223344);
	check_eq("id register, 32 bits", read32(UART_PERIPH_ID0), 0x11);
	check_eq("id register, 8 bits", read8(UART_PERIPH_ID0), 0x11);
	check_eq("id register, 16 bits", read16(UART_PERIPH_ID0), 0x11);
}

static void registers(void)
{
	uint64_t value;

	__asm__ volatile("mov %0, #-1\n\tldr %w0, [%1]"
			 : "=&r"(value)
			 : "r"(UART_PERIPH_ID0 + 0ul));
	check_eq("32-bit load clears the upper half", value, 0x11);
	__asm__ volatile("ldrsb %0, [%1]" : "=r"(value) : "r"(UART_CELL_ID0 + 12ul));
	check_eq("sign-extending load", value, 0xffffffffffffffb1);
	__asm__ volatile("str wzr, [%0]" ::"r"(RTC_MR + 0ul) : "memory");
	check_eq("store of wzr", read32(RTC_MR), 0);
	__asm__ volatile("ldr wzr, [%0]" ::"r"(RTC_MR + 0ul) : "memory");
	check("load to wzr", true);
}

static void undescribed(void)
{
	uint64_t at = UART_PERIPH_ID0, first, second;

	__asm__ volatile("ldr %w0, [%1], #4" : "=&r"(first), "+r"(at)::"memory");
	check("post-index load", first == 0x11 && at == UART_PERIPH_ID0 + 4);
	__asm__ volatile("ldr %w0, [%1, #4]!" : "=&r"(first), "+r"(at)::"memory");
	check("pre-index load", first == 0x14 && at == UART_PERIPH_ID0 + 8);
	at = UART_PERIPH_ID0;
	__asm__ volatile("ldp %w0, %w1, [%2]" : "=&r"(first), "=&r"(second) : "r"(at) : "memory");
	check("pair load", first == 0x11 && second == 0x10);
	at = UART_IBRD;
	__asm__ volatile("stp %w1, %w2, [%0], #8" : "+r"(at) : "r"(5), "r"(7) : "memory");
	check("pair store with writeback",
		read32(UART_IBRD) == 5 && read32(UART_FBRD) == 7 && at == UART_IBRD + 8);
	__asm__ volatile("ldr s5, [%1]\n\tfmov %w0, s5" : "=r"(first) : "r"(UART_PERIPH_ID0 + 0ul));
	check_eq("load to a SIMD register", first, 0x11);
	__asm__ volatile("fmov s7, %w0\n\tstr s7, [%1]" ::"r"(9), "r"(UART_IBRD + 0ul) : "memory");
	check_eq("store from a SIMD register", read32(UART_IBRD), 9);
	__asm__ volatile("ldar %w0, [%1]" : "=r"(first) : "r"(UART_PERIPH_ID0 + 0ul) : "memory");
	check_eq("load-acquire", first, 0x11);
	__asm__ volatile("stlr %w0, [%1]" ::"r"(3), "r"(UART_IBRD + 0ul) : "memory");
	check_eq("store-release", read32(UART_IBRD), 3);
}

static void check_abort(const char *name, uint64_t far, bool write)
{
	check(name, trap_taken() && ESR_EC(trap.esr) == EC_DATA_ABORT && trap.far == far &&
			    (ESR_ISS(trap.esr) & 0x3f) == FSC_EXTERNAL &&
			    !!(ESR_ISS(trap.esr) & ISS_WNR) == write);
}

static void nothing_there(void)
{
	expect_trap();
	(void)read32(GUEST_HOLE);
	check_abort("load from nowhere", GUEST_HOLE, false);
	expect_trap();
	write8(GUEST_HOLE + 0x123, 1);
	check_abort("store to nowhere", GUEST_HOLE + 0x123, true);
	expect_trap();
	(void)read32(0x20000000000ul);
	check("load above the address space", trap_taken());
	check("the machine goes on", read32(UART_PERIPH_ID0) == 0x11);
}

static void resume_after_fetch(struct guest_frame *frame)
{
	trap.esr = frame->esr;
	trap.far = frame->far;
	frame->elr = frame->x[30];
	on_sync = NULL;
}

static void fetch(void)
{
	on_sync = resume_after_fetch;
	((void (*)(void))(uintptr_t)GUEST_HOLE)();
	check("fetch from nowhere", ESR_EC(trap.esr) == EC_FETCH_ABORT && trap.far == GUEST_HOLE &&
					    (ESR_ISS(trap.esr) & 0x3f) == FSC_EXTERNAL);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	sizes();
	registers();
	undescribed();
	nothing_there();
	fetch();
}
