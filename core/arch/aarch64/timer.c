/* SPDX-License-Identifier: MIT */
#include "a64.h"

#include <hv/bits.h>

#define CTL_ENABLE  HV_BIT(0)
#define CTL_IMASK   HV_BIT(1)
#define CTL_ISTATUS HV_BIT(2) /* read only */

/* Unsigned on purpose: a compare value near 2^64 never fires (DDI 0487, D11.2.4). */
static bool condition_met(const struct a64_timer *timer, uint64_t count)
{
	return (timer->ctl & CTL_ENABLE) && count >= timer->cval;
}

bool a64_timer_level(const struct a64_timer *timer, uint64_t count)
{
	return condition_met(timer, count) && !(timer->ctl & CTL_IMASK);
}

uint64_t a64_timer_due(const struct a64_timer *timer, uint64_t offset)
{
	uint64_t due;

	if ((timer->ctl & (CTL_ENABLE | CTL_IMASK)) != CTL_ENABLE) {
		return HV_NEVER_DUE;
	}
	return hv_add_ok(timer->cval, offset, &due) ? due : HV_NEVER_DUE;
}

uint64_t a64_timer_read(const struct a64_timer *timer, enum a64_timer_reg reg, uint64_t count)
{
	switch (reg) {
	case A64_TIMER_TVAL: return (uint32_t)(timer->cval - count);
	case A64_TIMER_CTL:
		return (timer->ctl & (CTL_ENABLE | CTL_IMASK)) |
		       (condition_met(timer, count) ? CTL_ISTATUS : 0);
	default: return timer->cval;
	}
}

void a64_timer_write(
	struct a64_timer *timer, enum a64_timer_reg reg, uint64_t value, uint64_t count)
{
	switch (reg) {
	case A64_TIMER_TVAL: timer->cval = count + hv_sign_extend(value, 32); break;
	case A64_TIMER_CTL: timer->ctl = value & (CTL_ENABLE | CTL_IMASK); break;
	default: timer->cval = value; break;
	}
}

/* Tells the GIC a change only; returns when the line may rise next. */
static uint64_t update(struct a64_vcpu *vcpu, struct a64_timer *timer, uint32_t intid,
	uint64_t offset, uint64_t now)
{
	bool level = a64_timer_level(timer, now - offset);
	enum a64_line line = level ? A64_LINE_HIGH : A64_LINE_LOW;

	if (timer->line != line) {
		timer->line = line;
		vgic_ppi_set(&vcpu->gic, intid, level);
	}
	return level ? HV_NEVER_DUE : a64_timer_due(timer, offset);
}

uint64_t a64_timers_update(struct a64_vcpu *vcpu, uint64_t count)
{
	uint64_t v = update(vcpu, &vcpu->vtimer, A64_PPI_VTIMER, vcpu->cntvoff, count);
	uint64_t p = update(vcpu, &vcpu->ptimer, A64_PPI_PTIMER, 0, count);

	return v < p ? v : p;
}
