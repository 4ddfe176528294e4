/* SPDX-License-Identifier: MIT */
/* The guest's timer: vstimecmp where the CPU has it (Sstc), else a deadline that raises VSTI. */
#include "entry.h"

#include <hv/bits.h>

void rv64_timer_set(struct rv64_vcpu *vcpu, uint64_t when)
{
	uint32_t todo = HV_TODO_TIME;

	if (vcpu->sstc) {
		port_rv64_timer_set(when);
		return;
	}
	vcpu->timer_due = when;
	if (hv_bit(atomic_load(&vcpu->lines), RV64_VSTI)) {
		atomic_fetch_and(&vcpu->lines, ~HV_BIT(RV64_VSTI));
		todo |= HV_TODO_IRQ;
	}
	/* The vCPU's own exit: it looks before it goes on, so nobody is to be kicked. */
	atomic_fetch_or(&vcpu->hv.todo, todo);
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
