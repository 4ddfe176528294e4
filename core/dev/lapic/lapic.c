/* SPDX-License-Identifier: MIT */
/*
 * Registers, priorities, and what becomes of an interrupt: IRR, ISR, EOI. Sending is in
 * lapic_ipi.c, the timer in lapic_timer.c.
 */
#include "lapic_int.h"

#define VERSION        (0x14u | (LAPIC_LVTS - 1) << 16)
#define WORD_BITS      64u
#define REG_STEP       16u /* registers are this far apart, and 4 bytes wide */
#define REGS           (LAPIC_MSR_END - LAPIC_MSR)
#define DFR_MODEL      0xf0000000u
#define DFR_RESERVED   0x0fffffffu
#define DEST_8         0xff000000u /* ICR high, LDR of xAPIC mode */
#define SVR_BITS       0x3ffu
#define SVR_RESET      0xffu
#define LVT_PENDING    0x1000u /* delivery status: here always 0 */
#define LVT_REMOTE_IRR 0x4000u

/* ---- vectors ---- */

static uint64_t bit_of(uint32_t vector)
{
	return HV_BIT(vector % WORD_BITS);
}

/* 32 vectors from `first` on, as the registers show them. */
static HV_HOT uint32_t half(uint64_t word, uint32_t first)
{
	return (uint32_t)(word >> first % WORD_BITS);
}

static HV_HOT int highest_requested(const struct lapic *lapic)
{
	for (uint32_t i = LAPIC_WORDS; i-- > 0;) {
		uint64_t word = LAPIC_GET(lapic->irr[i]);

		if (word) {
			return (int)(i * WORD_BITS + hv_highest_bit(word));
		}
	}
	return LAPIC_NOTHING;
}

/* 0: none. No vector above `below` is in service. */
static uint32_t highest_in_service(const struct lapic *lapic, uint32_t below)
{
	for (uint32_t i = below / WORD_BITS + 1; i-- > 0;) {
		if (lapic->isr[i]) {
			return i * WORD_BITS + hv_highest_bit(lapic->isr[i]);
		}
	}
	return 0;
}

/* Whether the vector's last interrupt was level-triggered. */
static bool is_level(const struct lapic *lapic, uint32_t vector)
{
	return (LAPIC_GET(lapic->tmr[vector / WORD_BITS]) & bit_of(vector)) != 0;
}

static void level_set(struct lapic *lapic, uint32_t vector, bool level)
{
	_Atomic uint64_t *word = &lapic->tmr[vector / WORD_BITS];

	if (level == is_level(lapic, vector)) {
		return; /* as nearly always */
	}
	if (level) {
		atomic_fetch_or(word, bit_of(vector));
	} else {
		atomic_fetch_and(word, ~bit_of(vector));
	}
}

/* ---- what is delivered ---- */

static uint32_t lvt(const struct lapic *lapic, enum lapic_lvt which)
{
	return LAPIC_GET(lapic->lvt[which]);
}

/* A disabled APIC is not there: LINT0 is then the CPU's INTR pin (SDM3 10.4.3). */
static HV_HOT bool takes_external(const struct lapic *lapic)
{
	uint32_t pin = lvt(lapic, LAPIC_LINT0);

	return !lapic_is_enabled(lapic) ||
	       (!(pin & LAPIC_MASKED) && lapic_mode_of(pin) == LAPIC_EXTINT);
}

int lapic_pending(const struct lapic *lapic)
{
	int vector;

	if (LAPIC_GET(lapic->pin[0]) && takes_external(lapic)) {
		return LAPIC_EXTERNAL;
	}
	vector = highest_requested(lapic);
	if (vector == LAPIC_NOTHING || !lapic_is_enabled(lapic)) {
		return LAPIC_NOTHING;
	}
	return vector > (int)(lapic_ppr(lapic) | 15) ? vector : LAPIC_NOTHING;
}

uint8_t lapic_accept(struct lapic *lapic, int pending)
{
	uint8_t vector = (uint8_t)pending;

	if (pending == LAPIC_EXTERNAL) {
		return lapic->lapics->cfg.intack(lapic->lapics->cfg.pic);
	}
	atomic_fetch_and(&lapic->irr[vector / WORD_BITS], ~bit_of(vector));
	lapic->isr[vector / WORD_BITS] |= bit_of(vector);
	LAPIC_SET(lapic->in_service, vector); /* the highest: it was above PPR */
	return vector;
}

void lapic_look(struct lapic *lapic)
{
	if (lapic_pending(lapic) != LAPIC_NOTHING) {
		lapic->lapics->cfg.ops->look(lapic->ctx);
	}
}

static void tell(struct lapic *lapic, bool here)
{
	if (here) {
		lapic_look(lapic);
	} else {
		lapic->lapics->cfg.ops->notify(lapic->ctx);
	}
}

/* TMR first: who sees the interrupt must know of what kind it is. */
static bool request(struct lapic *lapic, uint8_t vector, bool level, bool here)
{
	uint64_t bit = bit_of(vector);

	if (!lapic_takes_interrupts(lapic)) {
		return false;
	}
	level_set(lapic, vector, level);
	if (!(atomic_fetch_or(&lapic->irr[vector / WORD_BITS], bit) & bit)) {
		tell(lapic, here);
	}
	return true;
}

/* An error interrupt whose own vector is bad is one more error, and no more than that (A3). */
void lapic_error(struct lapic *lapic, uint32_t errors, bool here)
{
	uint32_t entry = lvt(lapic, LAPIC_ERROR);

	atomic_fetch_or(&lapic->errors, errors);
	if (entry & LAPIC_MASKED) {
		return;
	}
	if ((entry & LAPIC_VECTOR) < LAPIC_VECTOR_MIN) {
		atomic_fetch_or(&lapic->errors, LAPIC_ERROR_RECEIVE_VECTOR);
	} else {
		(void)request(lapic, (uint8_t)(entry & LAPIC_VECTOR), false, here);
	}
}

bool lapic_raise_by(struct lapic *lapic, uint8_t vector, bool level, bool here)
{
	if (vector < LAPIC_VECTOR_MIN) {
		lapic_error(lapic, LAPIC_ERROR_RECEIVE_VECTOR, here);
		return false;
	}
	return request(lapic, vector, level, here);
}

void lapic_raise(struct lapic *lapic, uint8_t vector, bool level)
{
	(void)lapic_raise_by(lapic, vector, level, false);
}

/* ---- LINT0 and LINT1 ---- */

static void signal(struct lapic *lapic, enum lapic_signal what)
{
	lapic->lapics->cfg.ops->signal(lapic->ctx, what, 0);
}

/* Only LINT0 can be level-triggered (SDM3 10.5.1). */
static bool pin_is_level(const struct lapic *lapic, uint32_t pin)
{
	uint32_t entry = lvt(lapic, (enum lapic_lvt)(LAPIC_LINT0 + pin));

	return pin == 0 && (entry & LAPIC_LEVEL) && lapic_mode_of(entry) == LAPIC_FIXED;
}

static void pin_interrupts(struct lapic *lapic, uint32_t pin, bool here)
{
	uint32_t entry = lvt(lapic, (enum lapic_lvt)(LAPIC_LINT0 + pin));

	if (entry & LAPIC_MASKED) {
		return;
	}
	switch (lapic_mode_of(entry)) {
	case LAPIC_FIXED:
		lapic_raise_by(
			lapic, (uint8_t)(entry & LAPIC_VECTOR), pin_is_level(lapic, pin), here);
		break;
	case LAPIC_NMI: signal(lapic, LAPIC_SIGNAL_NMI); break;
	case LAPIC_INIT: signal(lapic, LAPIC_SIGNAL_INIT); break;
	case LAPIC_EXTINT: tell(lapic, here); break;
	default: break;
	}
}

/* The pins of a CPU whose APIC is disabled are INTR and NMI. */
static void pin_rises(struct lapic *lapic, uint32_t pin)
{
	if (lapic_is_enabled(lapic)) {
		pin_interrupts(lapic, pin, false);
	} else if (pin == 0) {
		tell(lapic, false);
	} else {
		signal(lapic, LAPIC_SIGNAL_NMI);
	}
}

void lapic_pin_set(void *ctl, uint32_t pin, bool level)
{
	struct lapic *lapic = ctl;

	if (pin < LAPIC_PINS && !atomic_exchange(&lapic->pin[pin], level) && level) {
		pin_rises(lapic, pin);
	}
}

/* A level-triggered pin that is still high when its interrupt ends, or its LVT changes. */
static void pin_again(struct lapic *lapic)
{
	if (atomic_load(&lapic->pin[0]) && pin_is_level(lapic, 0)) {
		pin_interrupts(lapic, 0, true);
	}
}

/* Set from when the level-triggered interrupt is accepted until its end. */
static bool has_remote_irr(const struct lapic *lapic, uint32_t entry)
{
	uint32_t vector = entry & LAPIC_VECTOR, word = vector / WORD_BITS;

	return ((LAPIC_GET(lapic->irr[word]) | lapic->isr[word]) & LAPIC_GET(lapic->tmr[word]) &
		       bit_of(vector)) != 0;
}

/* ---- end of interrupt ---- */

/* Without anything in service it means nothing (A5). */
static void end_of_interrupt(struct lapic *lapic)
{
	const struct lapics_cfg *cfg = &lapic->lapics->cfg;
	uint32_t vector = LAPIC_GET(lapic->in_service);

	if (vector == 0) {
		return;
	}
	lapic->isr[vector / WORD_BITS] &= ~bit_of(vector);
	LAPIC_SET(lapic->in_service, highest_in_service(lapic, vector));
	if (is_level(lapic, vector)) {
		pin_again(lapic);
		cfg->eoi(cfg->ioapic, (uint8_t)vector);
	}
	lapic_look(lapic);
}

/* ---- registers ---- */

static void tpr_set(struct lapic *lapic, uint32_t tpr)
{
	LAPIC_SET(lapic->tpr, tpr);
	lapic_look(lapic);
}

uint8_t lapic_cr8(const struct lapic *lapic)
{
	return (uint8_t)(LAPIC_GET(lapic->tpr) >> 4);
}

void lapic_cr8_set(struct lapic *lapic, uint8_t cr8)
{
	tpr_set(lapic, (uint32_t)(cr8 & 15) << 4);
}

static const uint32_t lvt_bits[LAPIC_LVTS] = {
	[LAPIC_TIMER] = LAPIC_VECTOR | LAPIC_MASKED | 3u << LAPIC_TIMER_SHIFT,
	[LAPIC_THERMAL] = LAPIC_VECTOR | LAPIC_MASKED | 7u << LAPIC_MODE_SHIFT,
	[LAPIC_PERF] = LAPIC_VECTOR | LAPIC_MASKED | 7u << LAPIC_MODE_SHIFT,
	[LAPIC_LINT0] = LAPIC_VECTOR | LAPIC_MASKED | 7u << LAPIC_MODE_SHIFT | 0xa000,
	[LAPIC_LINT1] = LAPIC_VECTOR | LAPIC_MASKED | 7u << LAPIC_MODE_SHIFT | 0xa000,
	[LAPIC_ERROR] = LAPIC_VECTOR | LAPIC_MASKED,
};

static void lvt_write(struct lapic *lapic, enum lapic_lvt which, uint32_t value)
{
	value &= lvt_bits[which];
	value |= LAPIC_GET(lapic->svr) & LAPIC_SVR_ENABLE ? 0 : LAPIC_MASKED; /* SDM3 10.4.7.2 */
	if (which == LAPIC_TIMER) {
		lapic_timer_lvt_set(lapic, value);
		return;
	}
	LAPIC_SET(lapic->lvt[which], value);
	if (which == LAPIC_LINT0) {
		pin_again(lapic);
		lapic_look(lapic);
	}
}

static uint32_t lvt_read(const struct lapic *lapic, enum lapic_lvt which)
{
	uint32_t entry = lvt(lapic, which);

	if (which == LAPIC_LINT0 && pin_is_level(lapic, 0) && has_remote_irr(lapic, entry)) {
		entry |= LVT_REMOTE_IRR;
	}
	return entry;
}

static void svr_write(struct lapic *lapic, uint32_t value)
{
	LAPIC_SET(lapic->svr, value & SVR_BITS);
	if (value & LAPIC_SVR_ENABLE) {
		return;
	}
	for (uint32_t i = 0; i < LAPIC_LVTS; i++) { /* masks them */
		lvt_write(lapic, (enum lapic_lvt)i, lvt(lapic, (enum lapic_lvt)i));
	}
}

/* What happened since the last write becomes what is read (SDM3 10.5.3). */
static void esr_write(struct lapic *lapic)
{
	lapic->esr = atomic_exchange(&lapic->errors, 0);
}

static uint32_t icr_read(const struct lapic *lapic)
{
	return (uint32_t)lapic->icr;
}

static HV_HOT uint32_t vectors_read(const struct lapic *lapic, uint32_t off)
{
	uint32_t first = (off - LAPIC_ISR) / REG_STEP * 32 % 256, word = first / WORD_BITS;

	if (off < LAPIC_TMR) {
		return half(lapic->isr[word], first);
	}
	return half(LAPIC_GET(*(off < LAPIC_IRR ? &lapic->tmr[word] : &lapic->irr[word])), first);
}

static bool is_vectors(uint32_t off)
{
	return off >= LAPIC_ISR && off < LAPIC_ESR;
}

/* off: a multiple of REG_STEP. What is write-only or not there reads as 0. */
static HV_HOT uint32_t reg_read(const struct lapic *lapic, uint32_t off)
{
	switch (off) {
	case LAPIC_ID: return lapic_is_x2apic(lapic) ? lapic->index : (uint32_t)lapic->index << 24;
	case LAPIC_VERSION: return VERSION;
	case LAPIC_TPR: return LAPIC_GET(lapic->tpr);
	case LAPIC_PPR: return lapic_ppr(lapic);
	case LAPIC_LDR: return lapic_ldr(lapic);
	case LAPIC_DFR: return LAPIC_GET(lapic->dfr);
	case LAPIC_SVR: return LAPIC_GET(lapic->svr);
	case LAPIC_ESR: return lapic->esr;
	case LAPIC_ICR: return icr_read(lapic);
	case LAPIC_ICR_HIGH: return (uint32_t)(lapic->icr >> 32);
	case LAPIC_LVT_TIMER:
	case LAPIC_LVT_THERMAL:
	case LAPIC_LVT_PERF:
	case LAPIC_LVT_LINT0:
	case LAPIC_LVT_LINT1:
	case LAPIC_LVT_ERROR:
		return lvt_read(lapic, (enum lapic_lvt)((off - LAPIC_LVT_TIMER) / REG_STEP));
	case LAPIC_TIMER_INITIAL: return lapic->timer.initial;
	case LAPIC_TIMER_CURRENT: return lapic_timer_current(lapic);
	case LAPIC_TIMER_DIVIDE: return lapic->timer.divide;
	default: return is_vectors(off) ? vectors_read(lapic, off) : 0;
	}
}

static void icr_write(struct lapic *lapic, uint64_t icr)
{
	lapic->icr = icr & ~(uint64_t)LVT_PENDING;
	lapic_icr_send(lapic);
}

/* Registers that both modes have; bits that do not exist are not written. False: no such one. */
static bool reg_write(struct lapic *lapic, uint32_t off, uint32_t value)
{
	switch (off) {
	case LAPIC_TPR: tpr_set(lapic, value & 0xff); break;
	case LAPIC_EOI: end_of_interrupt(lapic); break;
	case LAPIC_SVR: svr_write(lapic, value); break;
	case LAPIC_ESR: esr_write(lapic); break;
	case LAPIC_LVT_TIMER:
	case LAPIC_LVT_THERMAL:
	case LAPIC_LVT_PERF:
	case LAPIC_LVT_LINT0:
	case LAPIC_LVT_LINT1:
	case LAPIC_LVT_ERROR:
		lvt_write(lapic, (enum lapic_lvt)((off - LAPIC_LVT_TIMER) / REG_STEP), value);
		break;
	case LAPIC_TIMER_INITIAL: lapic_timer_initial_set(lapic, value); break;
	case LAPIC_TIMER_DIVIDE: lapic_timer_divide_set(lapic, value); break;
	default: return false;
	}
	return true;
}

/* ---- xAPIC mode: memory ---- */

static bool is_reserved(uint32_t off)
{
	return off < LAPIC_ID || (off > LAPIC_VERSION && off < LAPIC_TPR) || off == 0x0c0 ||
	       (off > LAPIC_ESR && off < LAPIC_ICR) ||
	       (off > LAPIC_TIMER_CURRENT && off < LAPIC_TIMER_DIVIDE) || off > LAPIC_TIMER_DIVIDE;
}

static void mmio_write(struct lapic *lapic, uint32_t off, uint32_t value)
{
	switch (off) {
	case LAPIC_LDR: LAPIC_SET(lapic->ldr, value & DEST_8); break;
	case LAPIC_DFR: LAPIC_SET(lapic->dfr, value | DFR_RESERVED); break;
	case LAPIC_ICR: icr_write(lapic, (lapic->icr >> 32 << 32) | value); break;
	case LAPIC_ICR_HIGH:
		lapic->icr = (uint64_t)(value & DEST_8) << 32 | (uint32_t)lapic->icr;
		break;
	default:
		if (!reg_write(lapic, off, value) && is_reserved(off)) {
			lapic_error(lapic, LAPIC_ERROR_REGISTER, true);
		}
		break;
	}
}

/* Only words that are aligned to 16 bytes are registers (SDM3 10.4.1); the rest is RAZ/WI. */
static HV_HOT bool is_register(const struct hv_access *access)
{
	return access->size == 4 && access->off % REG_STEP == 0;
}

static __attribute__((noinline)) bool write_access(struct lapic *lapic, struct hv_access *access)
{
	if (is_register(access)) {
		mmio_write(lapic, (uint32_t)access->off, (uint32_t)access->data);
	}
	return true;
}

static HV_HOT bool mmio_access(struct lapic *lapic, struct hv_access *access)
{
	if (access->write) {
		return write_access(lapic, access);
	}
	access->data = is_register(access) ? reg_read(lapic, (uint32_t)access->off) : 0;
	return true;
}

static bool lapics_access(void *dev, struct hv_access *access)
{
	struct lapics *lapics = dev;
	struct lapic *lapic = &lapics->cpu[access->cpu % LAPIC_CPUS];

	/* Enabled, not x2APIC, at its place. */
	if ((LAPIC_GET(lapic->base) & ~(uint64_t)LAPIC_BASE_BSP) !=
		(LAPIC_BASE | LAPIC_BASE_ENABLE)) {
		return false;
	}
	return mmio_access(lapic, access);
}

bool lapic_access_moved(struct lapic *lapic, uint64_t gpa, struct hv_access *access)
{
	uint64_t base = LAPIC_GET(lapic->base), page = base & ~(uint64_t)(LAPIC_SIZE - 1);

	if ((base & (LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)) != LAPIC_BASE_ENABLE ||
		page == LAPIC_BASE || !hv_range_inside(gpa, access->size, page, LAPIC_SIZE)) {
		return false;
	}
	access->off = gpa - page;
	return mmio_access(lapic, access);
}

/* ---- x2APIC mode: MSRs (SDM3 10.12.1.2) ---- */

/* By offset / 16; `bits` that may be written, or that are read-only and ignored. */
static const struct msr_rule {
	bool read, write;
	uint32_t bits;
} msr_rules[REGS] = {
	[LAPIC_ID / REG_STEP] = {true, false, 0},
	[LAPIC_VERSION / REG_STEP] = {true, false, 0},
	[LAPIC_TPR / REG_STEP] = {true, true, 0xff},
	[LAPIC_PPR / REG_STEP] = {true, false, 0},
	[LAPIC_EOI / REG_STEP] = {false, true, 0},
	[LAPIC_LDR / REG_STEP] = {true, false, 0},
	[LAPIC_SVR / REG_STEP] = {true, true, SVR_BITS},
	[LAPIC_ESR / REG_STEP] = {true, true, 0},
	[LAPIC_ICR / REG_STEP] = {true, true, 0x000cdfff},
	[LAPIC_LVT_TIMER / REG_STEP] = {true, true, 0x710ff},
	[LAPIC_LVT_THERMAL / REG_STEP] = {true, true, 0x117ff},
	[LAPIC_LVT_PERF / REG_STEP] = {true, true, 0x117ff},
	[LAPIC_LVT_LINT0 / REG_STEP] = {true, true, 0x1f7ff},
	[LAPIC_LVT_LINT1 / REG_STEP] = {true, true, 0x1f7ff},
	[LAPIC_LVT_ERROR / REG_STEP] = {true, true, 0x110ff},
	[LAPIC_TIMER_INITIAL / REG_STEP] = {true, true, UINT32_MAX},
	[LAPIC_TIMER_CURRENT / REG_STEP] = {true, false, 0},
	[LAPIC_TIMER_DIVIDE / REG_STEP] = {true, true, 0xb},
	[LAPIC_SELF_IPI / REG_STEP] = {false, true, 0xff},
};

bool lapic_msr_read(struct lapic *lapic, uint32_t msr, uint64_t *value)
{
	uint32_t n = msr % REGS, off = n * REG_STEP;

	if (!lapic_is_x2apic(lapic) || (!msr_rules[n].read && !is_vectors(off))) {
		return false;
	}
	*value = off == LAPIC_ICR ? lapic->icr : reg_read(lapic, off);
	return true;
}

bool lapic_msr_write(struct lapic *lapic, uint32_t msr, uint64_t value)
{
	uint32_t n = msr % REGS, off = n * REG_STEP;
	uint64_t bits = msr_rules[n].bits;

	bits |= off == LAPIC_ICR ? HV_MASK(63, 32) : 0;
	if (!lapic_is_x2apic(lapic) || !msr_rules[n].write || (value & ~bits)) {
		return false;
	}
	switch (off) {
	case LAPIC_ICR: icr_write(lapic, value); break;
	case LAPIC_SELF_IPI: lapic_self_ipi(lapic, (uint8_t)value); break;
	default: (void)reg_write(lapic, off, (uint32_t)value); break;
	}
	return true;
}

/* ---- IA32_APIC_BASE ---- */

#define BASE_MODE (LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)

/* SDM3 10.12.5: x2APIC mode is entered from xAPIC mode and left by disabling only. */
static bool has_mode_edge(uint64_t from, uint64_t to)
{
	switch (to & BASE_MODE) {
	case 0: return true;
	case LAPIC_BASE_ENABLE: return (from & BASE_MODE) != BASE_MODE;
	case BASE_MODE: return (from & BASE_MODE) != 0;
	default: return false;
	}
}

uint64_t lapic_base_read(const struct lapic *lapic)
{
	return LAPIC_GET(lapic->base);
}

bool lapic_base_write(struct lapic *lapic, uint64_t value)
{
	uint64_t bits = HV_MASK(lapic->lapics->cfg.pa_bits - 1, 12) | BASE_MODE | LAPIC_BASE_BSP;

	if ((value & ~bits) || !has_mode_edge(LAPIC_GET(lapic->base), value)) {
		return false;
	}
	if ((value ^ LAPIC_GET(lapic->base)) & LAPIC_BASE_X2APIC) {
		lapic->icr = (uint32_t)lapic->icr; /* its upper half has another format */
	}
	LAPIC_SET(lapic->base, value);
	lapic_look(lapic);
	return true;
}

/* ---- life ---- */

/* SDM3 10.4.7.1. */
void lapic_init_reset(struct lapic *lapic)
{
	for (uint32_t i = 0; i < LAPIC_WORDS; i++) {
		LAPIC_SET(lapic->irr[i], 0);
		LAPIC_SET(lapic->tmr[i], 0);
		lapic->isr[i] = 0;
	}
	LAPIC_SET(lapic->tpr, 0);
	LAPIC_SET(lapic->in_service, 0);
	LAPIC_SET(lapic->svr, SVR_RESET);
	LAPIC_SET(lapic->ldr, 0);
	LAPIC_SET(lapic->dfr, UINT32_MAX);
	LAPIC_SET(lapic->errors, 0);
	lapic->esr = 0;
	lapic->icr = 0;
	for (uint32_t i = 0; i < LAPIC_LVTS; i++) {
		LAPIC_SET(lapic->lvt[i], LAPIC_MASKED);
	}
	if (lapic->index == 0) {
		LAPIC_SET(lapic->lvt[LAPIC_LINT0], (uint32_t)LAPIC_EXTINT << LAPIC_MODE_SHIFT);
	}
	lapic_timer_reset(lapic);
}

static void lapics_reset(void *dev)
{
	struct lapics *lapics = dev;

	for (uint16_t i = 0; i < lapics->cfg.cpus; i++) {
		struct lapic *lapic = &lapics->cpu[i];

		LAPIC_SET(lapic->base,
			LAPIC_BASE | LAPIC_BASE_ENABLE | (i == 0 ? LAPIC_BASE_BSP : 0));
		lapic_init_reset(lapic);
	}
}

void lapics_init(struct lapics *lapics, const struct lapics_cfg *cfg)
{
	__builtin_memset(lapics, 0, sizeof(*lapics));
	lapics->cfg = *cfg;
	for (uint16_t i = 0; i < LAPIC_CPUS; i++) {
		lapics->cpu[i].index = i;
		lapics->cpu[i].ctx = cfg->ctx[i];
		lapics->cpu[i].lapics = lapics;
	}
	lapics_reset(lapics);
}

const struct hv_dev_ops lapics_ops = {
	.name = "lapics",
	.access = lapics_access,
	.reset = lapics_reset,
};
