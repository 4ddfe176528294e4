/* SPDX-License-Identifier: MIT */
/* The guest's timer: vstimecmp where the CPU has it (Sstc), else a deadline that raises VSTI. */
#include "entry.h"

#include <hv/bits.h>

/*
 * The vCPU's own exit: it looks at what there is to do before it goes on, so nobody is to be told,
 * and nothing is to be ordered.
 */
void rv64_timer_set(struct rv64_vcpu *vcpu, uint64_t when)
{
	uint32_t todo = HV_TODO_TIME;

	if (vcpu->sstc) {
		port_rv64_timer_set(when);
		return;
	}
	vcpu->timer_due = when;
	if (hv_bit(atomic_load_explicit(&vcpu->lines, memory_order_relaxed), RV64_VSTI)) {
		atomic_fetch_and_explicit(&vcpu->lines, ~HV_BIT(RV64_VSTI), memory_order_relaxed);
		todo |= HV_TODO_IRQ;
	}
	atomic_fetch_or_explicit(&vcpu->hv.todo, todo, memory_order_relaxed);
}

uint64_t rv64_timer_update(struct rv64_vcpu *vcpu, uint64_t time)
{
	uint64_t now = time + vcpu->htimedelta, due;
	bool armed = vcpu->timer_due != UINT64_MAX;
	bool level = armed && now >= vcpu->timer_due;

	if (vcpu->sstc) {
		return HV_NEVER_DUE;
	}
	rv64_line_set(vcpu, RV64_VSTI, level);
	if (!armed || level) {
		return HV_NEVER_DUE;
	}
	return hv_add_ok(time, vcpu->timer_due - now, &due) ? due : HV_NEVER_DUE;
}
