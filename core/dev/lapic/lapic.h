/* SPDX-License-Identifier: MIT */
/*
 * The door of the emulated local APICs: all of one VM, CPU n's with APIC id n. Sources: Intel SDM
 * volume 3 chapter 10 ("SDM3"), AMD64 APM volume 2 chapter 16 ("APM2"). What these leave open is in
 * README.md.
 *
 * There is no lock. "Anyone" below may be any thread; it only sets bits of IRR and TMR, latches an
 * error, or drives a pin, and then calls notify. "Here" means: the caller runs this CPU, or acts
 * for it while nobody does; two never do so at once. All else is changed here only: a register, an
 * interrupt that moves from IRR to ISR, the timer.
 *
 * The timer counts nanoseconds of port_now(), that is, its base clock is 1 GHz. As the registers
 * must be quick to read the region has no `expire`: what needs the time asks for it.
 */
#ifndef LAPIC_H
#define LAPIC_H

#include <hv/dev.h>
#include <hv/types.h>
#include <stdatomic.h>

#define LAPIC_CPUS 8u /* the same as HV_VCPUS */
#define LAPIC_BASE 0xfee00000u
#define LAPIC_SIZE 0x1000u

/* Offsets in the region; as an MSR of x2APIC: LAPIC_MSR + offset / 16 (SDM3 table 10-6). */
enum lapic_reg {
	LAPIC_ID = 0x020,
	LAPIC_VERSION = 0x030,
	LAPIC_TPR = 0x080,
	LAPIC_APR = 0x090,
	LAPIC_PPR = 0x0a0,
	LAPIC_EOI = 0x0b0,
	LAPIC_LDR = 0x0d0,
	LAPIC_DFR = 0x0e0,
	LAPIC_SVR = 0x0f0,
	LAPIC_ISR = 0x100, /* + 0x10 * (vector / 32); the next two likewise */
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PERF = 0x340,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
	LAPIC_SELF_IPI = 0x3f0, /* x2APIC only */
};
#define LAPIC_MSR     0x800u
#define LAPIC_MSR_END 0x900u /* first one above */

/* IA32_APIC_BASE, MSR 0x1b. */
#define LAPIC_BASE_BSP    (1u << 8)
#define LAPIC_BASE_X2APIC (1u << 10)
#define LAPIC_BASE_ENABLE (1u << 11)

#define LAPIC_SVR_ENABLE (1u << 8)

/* Fields that LVTs, the low half of ICR, and an interrupt message's data have alike. */
#define LAPIC_VECTOR     0x000000ffu
#define LAPIC_MODE_SHIFT 8u
#define LAPIC_LOGICAL    0x00000800u /* ICR */
#define LAPIC_ASSERT     0x00004000u
#define LAPIC_LEVEL      0x00008000u /* trigger mode */
#define LAPIC_MASKED     0x00010000u /* LVT */
enum lapic_mode {
	LAPIC_FIXED = 0,
	LAPIC_LOWEST = 1,
	LAPIC_SMI = 2,
	LAPIC_NMI = 4,
	LAPIC_INIT = 5,
	LAPIC_SIPI = 6, /* ICR only */
	LAPIC_EXTINT = 7,
};
#define LAPIC_SHORTHAND_SHIFT 18u
enum lapic_shorthand {
	LAPIC_TO_DEST,
	LAPIC_TO_SELF,
	LAPIC_TO_ALL,
	LAPIC_TO_OTHERS,
};
#define LAPIC_TIMER_SHIFT 17u /* LVT of the timer */
enum lapic_timer_mode { LAPIC_ONE_SHOT, LAPIC_PERIODIC, LAPIC_DEADLINE };

/* ESR (APM2 16.4.6). */
enum lapic_error {
	LAPIC_ERROR_SEND_ACCEPT = 1u << 2,
	LAPIC_ERROR_SEND_VECTOR = 1u << 5,
	LAPIC_ERROR_RECEIVE_VECTOR = 1u << 6,
	LAPIC_ERROR_REGISTER = 1u << 7,
};

enum lapic_signal { LAPIC_SIGNAL_INIT, LAPIC_SIGNAL_SIPI, LAPIC_SIGNAL_NMI };

/* How a CPU is told; each gets the CPU's ctx. All but `signal` must be there. */
struct lapic_ops {
	/* Anyone, any rank below HV_LOCK_VCPU held: lapic_pending() may have changed. */
	void (*notify)(void *ctx);
	/* Here, by an access of the CPU's own: lapic_pending() says something. No wake-up, no kick.
	 */
	void (*look)(void *ctx);
	/* Here, by an access of the CPU's own: ask lapic_timer_expire() again. */
	void (*rearm)(void *ctx);
	/* Anyone; vector: SIPI's. */
	void (*signal)(void *ctx, enum lapic_signal signal, uint8_t vector);
};

struct lapics_cfg {
	uint16_t cpus;   /* 1..LAPIC_CPUS */
	uint8_t pa_bits; /* MAXPHYADDR that the guest sees */
	uint64_t tsc_hz; /* of the guest's TSC; 1..LAPIC_TSC_HZ_MAX */
	const struct lapic_ops *ops;
	void *ctx[LAPIC_CPUS]; /* each CPU's */
	/* A level-triggered interrupt has ended: the I/O APIC's. Here, no lock held. */
	void (*eoi)(void *ioapic, uint8_t vector);
	void *ioapic;
	/* The vector of an external interrupt: the 8259's. Here, no lock held. */
	uint8_t (*intack)(void *pic);
	void *pic;
};
#define LAPIC_TSC_HZ_MAX 18000000000u

#define LAPIC_WORDS 4u /* of 64 vectors */
#define LAPIC_PINS  2u /* LINT0, LINT1 */

/* In the order of their offsets. */
enum lapic_lvt {
	LAPIC_TIMER,
	LAPIC_THERMAL,
	LAPIC_PERF,
	LAPIC_LINT0,
	LAPIC_LINT1,
	LAPIC_ERROR,
	LAPIC_LVTS,
};

struct lapic_timer {
	uint32_t initial;
	uint32_t count;    /* at `since` */
	uint64_t since;    /* ns */
	uint64_t due;      /* ns; HV_NEVER_DUE: it does not run */
	uint64_t deadline; /* in guest TSC; 0: disarmed */
	uint8_t divide;    /* as in the register */
};

/* Read by anyone where atomic; written here, but for irr, tmr, pin, errors. */
struct lapic {
	_Atomic uint64_t irr[LAPIC_WORDS];
	_Atomic uint64_t tmr[LAPIC_WORDS];
	uint64_t isr[LAPIC_WORDS];
	_Atomic uint32_t tpr;
	_Atomic uint32_t in_service; /* highest vector of ISR; 0: none */
	_Atomic uint64_t base;       /* IA32_APIC_BASE */
	_Atomic uint32_t svr, ldr, dfr;
	_Atomic uint32_t lvt[LAPIC_LVTS];
	_Atomic bool pin[LAPIC_PINS];
	_Atomic uint32_t errors; /* since ESR was last written */
	uint32_t esr;
	uint64_t icr;
	struct lapic_timer timer;
	uint16_t index;
	void *ctx;
	struct lapics *lapics;
};

struct lapics {
	struct lapics_cfg cfg;
	struct lapic cpu[LAPIC_CPUS];
};

/*
 * Power-on state, but for what a PC's firmware has done: CPU 0's LINT0 takes external interrupts
 * (virtual wire, as it is before a guest uses its APIC).
 */
void lapics_init(struct lapics *lapics, const struct lapics_cfg *cfg);
/* After INIT: as after power-on, but for IA32_APIC_BASE (SDM3 10.4.7.3). Pins keep their level.
 * Here. */
void lapic_init_reset(struct lapic *lapic);

/* ---- the way into the guest ---- */

#define LAPIC_NOTHING  (-1)
#define LAPIC_EXTERNAL 256
/*
 * What to deliver next: a vector above PPR, LAPIC_EXTERNAL (an external interrupt, whatever PPR
 * is), or LAPIC_NOTHING. Anyone; what it says can only be relied on here.
 */
int lapic_pending(const struct lapic *lapic);
/*
 * The CPU takes what lapic_pending() said; returns the vector that is delivered, which for an
 * external interrupt the 8259 gives. Here, no lock held.
 */
uint8_t lapic_accept(struct lapic *lapic, int pending);
/* TPR as CR8 has it (bits 7:4). Here; set calls `look` if something can now be delivered. */
uint8_t lapic_cr8(const struct lapic *lapic);
void lapic_cr8_set(struct lapic *lapic, uint8_t cr8);

/* ---- interrupts from elsewhere ---- */

/* Fixed interrupt `vector`; level: its end is told to the I/O APIC. Anyone. */
void lapic_raise(struct lapic *lapic, uint8_t vector, bool level);
/* LINT0, LINT1: the shape of hv_irq.set, ctl is the struct lapic. Anyone; one driver per pin. */
void lapic_pin_set(void *ctl, uint32_t pin, bool level);
/*
 * A message in the format of an MSI (SDM3 10.11), from a device or an I/O APIC; ctl is the struct
 * lapics. False: nobody took it. Anyone.
 */
bool lapics_msi(void *ctl, uint32_t address, uint32_t data);

/* ---- MSRs; all of them here. false: #GP, nothing has changed ---- */

HV_WARN_UNUSED bool lapic_base_write(struct lapic *lapic, uint64_t value);
uint64_t lapic_base_read(const struct lapic *lapic);
/* LAPIC_MSR..LAPIC_MSR_END - 1; #GP for all of them unless x2APIC mode is on (A4). */
HV_WARN_UNUSED bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value);
HV_WARN_UNUSED bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value);
/* IA32_TSC_DEADLINE, MSR 0x6e0. tsc: the guest's TSC now. */
uint64_t lapic_deadline_read(const struct lapic *lapic);
void lapic_deadline_write(struct lapic *lapic, uint64_t deadline, uint64_t tsc);

/*
 * Raises the timer's interrupt if it is due at `now` (ns); returns when to ask again, or
 * HV_NEVER_DUE. A periodic timer is never due more often than each LAPIC_PERIOD_MIN. Here.
 */
uint64_t lapic_timer_expire(struct lapic *lapic, uint64_t now);
#define LAPIC_PERIOD_MIN 100000u /* ns */

/*
 * The region's device is the struct lapics; access.cpu says whose registers. Refused (false) while
 * that APIC is disabled, in x2APIC mode, or has been moved: nothing is at this address then (A4).
 */
extern const struct hv_dev_ops lapics_ops;
/*
 * An access where no memory and no other device is: whether the guest has moved this APIC's
 * registers there. Here.
 */
HV_WARN_UNUSED bool lapic_access_moved(struct lapic *lapic, uint64_t gpa, struct hv_access *access);

#endif
