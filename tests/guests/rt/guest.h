/* SPDX-License-Identifier: MIT */
/*
 * What an aarch64 test guest is written with. It runs at EL1 with the MMU off, unless it says
 * otherwise, and judges itself. The same guests run on every backend.
 */
#ifndef GUEST_H
#define GUEST_H

#include "say.h"

#define GUEST_UART 0x09000000u
#define GUEST_RTC  0x09010000u
#define GUEST_GICD 0x08000000u
#define GUEST_GICR 0x080a0000u /* GICv3 */
#define GUEST_GICC 0x08010000u /* GICv2 */
#define GUEST_HOLE 0x0b000000u /* no memory and no device is here */

/* The guest's own code, with the device tree's address in x0 at entry. Returning is finish(). */
void guest_main(uint64_t dtb);

/* ---- exceptions ---- */
struct guest_frame {
	uint64_t x[31], elr, spsr, esr, far;
	uint64_t vector; /* 0..15: the entry of the vector table */
};

enum { /* vector / 4 */
	GUEST_FROM_SP0,
	GUEST_FROM_SPX,
	GUEST_FROM_EL0,
};

#define ESR_EC(esr)  ((unsigned)((esr) >> 26) & 0x3f)
#define ESR_ISS(esr) ((uint32_t)(esr)&0x1ffffff)

/*
 * The next synchronous exception is noted and stepped over, instead of ending the run:
 *     expect_trap();
 *     …one instruction that traps…
 *     check("…", trap_taken() && ESR_EC(trap.esr) == …);
 */
extern volatile struct guest_frame trap;
void expect_trap(void);
bool trap_taken(void);

/* Called at IRQ and FIQ; NULL: such an exception is unexpected. */
extern void (*volatile on_irq)(struct guest_frame *frame);
extern void (*volatile on_fiq)(struct guest_frame *frame);
/* Called for each synchronous exception while set; it moves frame->elr itself. */
extern void (*volatile on_sync)(struct guest_frame *frame);

/* Runs code at EL0 until it does LEAVE_EL0(). */
void run_at_el0(void (*code)(void), uint64_t stack);
#define LEAVE_EL0() __asm__ volatile("svc #0xe10")

/* ---- the CPU ---- */
#define SYSREG_GET(name)                                                                           \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                       \
		value_;                                                                            \
	})
#define SYSREG_SET(name, value)                                                                    \
	__asm__ volatile("msr " #name ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

static inline void irq_unmask(void)
{
	__asm__ volatile("msr daifclr, #3\n\tisb" ::: "memory");
}

static inline void irq_mask(void)
{
	__asm__ volatile("msr daifset, #3\n\tisb" ::: "memory");
}

static inline void wait_for_interrupt(void)
{
	__asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

/* Which CPU this is; a guest has 8 at most, and they differ in Aff0. */
static inline unsigned guest_cpu(void)
{
	return SYSREG_GET(mpidr_el1) & 0xff;
}

/* Exactly one plain load or store each. */
#define MMIO_ACCESS(bits, type, suffix, reg)                                                       \
	static inline type read##bits(uint64_t at)                                                 \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("ldr" suffix " %" reg "0, [%1]"                                   \
				 : "=r"(value)                                                     \
				 : "r"(at)                                                         \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
	static inline void write##bits(uint64_t at, type value)                                    \
	{                                                                                          \
		__asm__ volatile("str" suffix " %" reg "0, [%1]" ::"r"(value), "r"(at)             \
				 : "memory");                                                      \
	}
MMIO_ACCESS(8, uint8_t, "b", "w")
MMIO_ACCESS(16, uint16_t, "h", "w")
MMIO_ACCESS(32, uint32_t, "", "w")
MMIO_ACCESS(64, uint64_t, "", "x")

/* ---- firmware calls ---- */
struct call_result {
	uint64_t x[4];
};
struct call_result call_hvc(uint64_t fn, uint64_t arg1, uint64_t arg2, uint64_t arg3);
struct call_result call_smc(uint64_t fn, uint64_t arg1, uint64_t arg2, uint64_t arg3);

#define PSCI_VERSION       0x84000000u
#define PSCI_CPU_SUSPEND   0xc4000001u
#define PSCI_CPU_OFF       0x84000002u
#define PSCI_CPU_ON        0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF    0x84000008u
#define PSCI_SYSTEM_RESET  0x84000009u
#define PSCI_FEATURES      0x8400000au

/* The hypervisor's own (docs/virtual-cpu-aarch64.md). */
#define DRYDOCK_FEATURES 0x86000000u
#define DRYDOCK_PUTCHAR  0x86000001u
#define DRYDOCK_WRITE    0xc6000002u
#define DRYDOCK_EXIT     0x86000003u

/* ---- the GIC, of whatever version the machine has, and time ---- */
#define GIC_SPURIOUS 1023u

/* Each CPU for itself, as gic_enable() of a private interrupt. */
void gic_init(void);
/* Interrupt `intid` at `priority` to this CPU; GICv3: group 1, GICv2: group 0. */
void gic_enable(unsigned intid, uint8_t priority);
void gic_disable(unsigned intid);
void gic_set_pending(unsigned intid);
void gic_set_inactive(unsigned intid);
void gic_set_edge(unsigned intid, bool edge);
/* What gic_ack() gave goes to gic_eoi() and gic_deactivate() as it is: a GICv2 SGI has its source
 * too. */
unsigned gic_ack(void);
void gic_eoi(unsigned intid);
void gic_sgi_to_self(unsigned intid);
/* To the CPUs of a mask; what was written before is seen by them. */
void gic_sgi(unsigned intid, unsigned cpus);
void gic_sgi_to_others(unsigned intid);
/* A shared interrupt to one CPU, as gic_enable() does with this one; or to any that takes it. */
void gic_route(unsigned intid, unsigned cpu);
bool gic_route_any(unsigned intid); /* false: this GIC cannot do that */
/* Only what is more urgent than `priority` is taken. */
void gic_mask(uint8_t priority);
uint8_t gic_running(void);
/* With `split`, gic_eoi() only drops the priority, and gic_deactivate() does the rest. */
void gic_split_eoi(bool split);
void gic_deactivate(unsigned intid);

static inline uint64_t counter(void)
{
	__asm__ volatile("isb" ::: "memory");
	return SYSREG_GET(cntvct_el0);
}

static inline uint64_t counter_of_us(uint64_t us)
{
	return SYSREG_GET(cntfrq_el0) * us / 1000000;
}

/* Sleeps until *count is at least `least`; an interrupt handler counts it up. */
void sleep_until(volatile unsigned *count, unsigned least);
/* Waits until *flag is not 0, or `us` microseconds have passed; whether it is not 0. */
bool wait_for_flag(volatile unsigned *flag, uint64_t us);

#endif
