/* SPDX-License-Identifier: MIT */
/*
 * What a riscv64 test guest is written with. It runs in S-mode with translation off, unless it says
 * otherwise, on the hart that the firmware chose, and judges itself. The same guests run on every
 * backend, and on QEMU itself (-M virt -cpu rv64,h=false) over OpenSBI.
 */
#ifndef GUEST_H
#define GUEST_H

#include "say.h"

#define GUEST_RTC   0x00101000u
#define GUEST_PLIC  0x0c000000u
#define GUEST_UART  0x10000000u
#define GUEST_FLASH 0x22000000u
#define GUEST_RAM   0x80000000u
#define GUEST_HOLE  0x18000000u /* no memory and no device is here */
#define GUEST_HARTS 8u          /* the most */

#define UART_IRQ 10u

/* The guest's own code, with the device tree's address. Returning is finish(). */
void guest_main(uint64_t dtb);
/* What a0 and a1 held at entry; the first is the hart that guest_main() runs on. */
extern uint64_t boot_hart, boot_dtb;
/* A property of that name somewhere in the device tree; NULL: none. */
const char *dtb_string(const char *name);
/* The device tree's riscv,isa says that harts have this: a letter, or a name such as "sstc". */
bool isa_has(const char *extension);

/* ---- exceptions and interrupts ---- */
struct guest_frame {
	uint64_t x[32]; /* x[0] is the pc */
	uint64_t status, cause, tval;
};

#define CAUSE_FETCH_ACCESS     1u
#define CAUSE_ILLEGAL          2u
#define CAUSE_BREAKPOINT       3u
#define CAUSE_LOAD_MISALIGNED  4u
#define CAUSE_LOAD_ACCESS      5u
#define CAUSE_STORE_MISALIGNED 6u
#define CAUSE_STORE_ACCESS     7u
#define CAUSE_ECALL_U          8u
#define CAUSE_FETCH_PAGE       12u
#define CAUSE_LOAD_PAGE        13u
#define CAUSE_STORE_PAGE       15u

#define IRQ_SOFT  1u
#define IRQ_TIMER 5u
#define IRQ_EXT   9u

/*
 * The next exception is noted and stepped over, instead of ending the run:
 *     expect_trap();
 *     …one instruction that traps…
 *     check("…", trap_taken() && trap.cause == …);
 * After a fetch that failed it goes on where the call would have returned to. One hart at a time.
 */
extern volatile struct guest_frame trap;
void expect_trap(void);
bool trap_taken(void);

/* Called at an interrupt, with its number; NULL: interrupts are unexpected. */
extern void (*volatile on_irq)(struct guest_frame *frame, unsigned irq);
/* Called for each exception while set; it moves frame->x[0] itself. */
extern void (*volatile on_sync)(struct guest_frame *frame);
/* Steps over the instruction that the frame is at; notes the frame, as after expect_trap(). */
void step_over(struct guest_frame *frame);
void note_trap(struct guest_frame *frame);

/* Runs code in U-mode until it does LEAVE_USER(), or a handler of traps does leave_user(). */
void run_at_user(void (*code)(void), uint64_t stack);
void leave_user(struct guest_frame *frame);
extern volatile uint64_t user_result; /* U-mode's a0 when it left */
#define USER_LEAVE   0xe10
#define LEAVE_USER() __asm__ volatile("li a7, 0xe10\n\tecall" ::: "a7", "memory")

/* ---- the hart ---- */
#define CSR_GET(name)                                                                              \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");                      \
		value_;                                                                            \
	})
#define CSR_SET(name, value)                                                                       \
	__asm__ volatile("csrw " #name ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define CSR_SET_BITS(name, value)                                                                  \
	__asm__ volatile("csrs " #name ", %0" ::"rK"((uint64_t)(value)) : "memory")
#define CSR_CLEAR_BITS(name, value)                                                                \
	__asm__ volatile("csrc " #name ", %0" ::"rK"((uint64_t)(value)) : "memory")
/* By number, as the assembler may not know the name. */
#define CSR_STIMECMP 0x14d

#define SSTATUS_SIE  (1ull << 1)
#define SSTATUS_SPIE (1ull << 5)
#define SSTATUS_SPP  (1ull << 8)
#define SSTATUS_FS   (3ull << 13)
#define SSTATUS_SUM  (1ull << 18)
#define SSTATUS_MXR  (1ull << 19)

static inline void irq_unmask(void)
{
	CSR_SET_BITS(sstatus, SSTATUS_SIE);
}

static inline void irq_mask(void)
{
	CSR_CLEAR_BITS(sstatus, SSTATUS_SIE);
}

static inline void irq_enable(unsigned irq)
{
	CSR_SET_BITS(sie, 1ull << irq);
}

static inline void irq_disable(unsigned irq)
{
	CSR_CLEAR_BITS(sie, 1ull << irq);
}

/*
 * Whether it comes as soon as it may, which it does here for a moment. sip says the same, but QEMU
 * 7.2 shows the guest of a hypervisor no more of it than SSIP. Of one hart at a time.
 */
bool irq_pending(unsigned irq);

/* A hart of Unicorn's says nothing in UXL, and differs in what docs/sim.md says. */
static inline bool hart_is_unicorns(void)
{
	return (CSR_GET(sstatus) >> 32 & 3) == 0;
}

static inline void wait_for_interrupt(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

/* Which hart this is: tp, which nothing else uses. */
static inline unsigned guest_hart(void)
{
	uint64_t hart;

	__asm__("mv %0, tp" : "=r"(hart));
	return (unsigned)hart;
}

/* Exactly one plain load or store each, of 32 bits' length. */
#define MMIO_ACCESS(bits, type, load, store)                                                       \
	static inline type read##bits(uint64_t at)                                                 \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile(".option push\n\t.option norvc\n\t" load " %0, 0(%1)\n\t"         \
				 ".option pop"                                                     \
				 : "=r"(value)                                                     \
				 : "r"(at)                                                         \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void write##bits(uint64_t at, type value)                                    \
	{                                                                                          \
		__asm__ volatile(".option push\n\t.option norvc\n\t" store " %0, 0(%1)\n\t"        \
				 ".option pop" ::"r"(value),                                       \
				 "r"(at)                                                           \
				 : "memory");                                                      \
	}
MMIO_ACCESS(8, uint8_t, "lbu", "sb")
MMIO_ACCESS(16, uint16_t, "lhu", "sh")
MMIO_ACCESS(32, uint32_t, "lw", "sw")
MMIO_ACCESS(64, uint64_t, "ld", "sd")

/* ---- SBI 2.0 ---- */
struct sbi_ret {
	int64_t error;
	uint64_t value;
};
struct sbi_ret sbi6(uint64_t ext, uint64_t fn, const uint64_t arg[6]);
/* Up to six arguments; those that are left out are 0. */
#define SBI(ext, fn, ...) sbi6(ext, fn, (const uint64_t[6]){__VA_ARGS__})
/* One of the first version's, which answer in a0 alone. */
int64_t sbi_legacy(uint64_t fn, uint64_t arg);
bool sbi_has(uint64_t ext);

#define SBI_LEGACY_TIMER    0u
#define SBI_LEGACY_PUTCHAR  1u
#define SBI_LEGACY_GETCHAR  2u
#define SBI_LEGACY_SHUTDOWN 8u
#define SBI_BASE            0x10u
#define SBI_TIME            0x54494d45u
#define SBI_IPI             0x735049u
#define SBI_RFENCE          0x52464e43u
#define SBI_HSM             0x48534du
#define SBI_SRST            0x53525354u
#define SBI_DBCN            0x4442434eu
#define SBI_PMU             0x504d55u
#define SBI_SUSP            0x53555350u

/* Base function 1: the implementation, of which this is Drydock's number. */
#define SBI_IMPL_DRYDOCK 0x647279u
static inline bool on_drydock(void)
{
	return SBI(SBI_BASE, 1).value == SBI_IMPL_DRYDOCK;
}

#define SBI_NOT_SUPPORTED     -2
#define SBI_INVALID_PARAM     -3
#define SBI_DENIED            -4
#define SBI_INVALID_ADDRESS   -5
#define SBI_ALREADY_AVAILABLE -6

enum { HART_STARTED, HART_STOPPED, HART_START_PENDING, HART_STOP_PENDING, HART_SUSPENDED };

/* Starts code on another hart, with tp, a stack and the trap vector; interrupts are masked. */
struct sbi_ret hart_start(unsigned hart, void (*code)(void));
static inline int64_t hart_status(unsigned hart)
{
	struct sbi_ret ret = SBI(SBI_HSM, 2, hart);

	return ret.error ? ret.error : (int64_t)ret.value;
}

/* ---- the PLIC, for this hart's S-mode ---- */
void plic_init(void); /* lets every priority through, and enables nothing */
void plic_priority(unsigned source, uint32_t priority);
void plic_enable(unsigned source, bool enabled);
void plic_threshold(uint32_t priority);
unsigned plic_claim(void);
void plic_complete(unsigned source);
bool plic_pending(unsigned source);

/* ---- time ---- */
static inline uint64_t counter(void)
{
	return CSR_GET(time);
}

#define TIMEBASE 10000000u
static inline uint64_t counter_of_us(uint64_t us)
{
	return TIMEBASE / 1000000u * us;
}

/* By SBI. */
static inline void timer_set(uint64_t when)
{
	SBI(SBI_TIME, 0, when);
}

/* Sleeps until *count is at least `least`; an interrupt handler counts it up. */
void sleep_until(volatile unsigned *count, unsigned least);
/* Waits until *flag is not 0, or `us` microseconds have passed; whether it is not 0. */
bool wait_for_flag(volatile unsigned *flag, uint64_t us);

#endif
