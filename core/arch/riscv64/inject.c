/* SPDX-License-Identifier: MIT */
/* Trap entry to the guest's VS-mode: priv 8.6.1; vstvec as stvec, 4.1.2. */
#include "priv.h"
#include "rv64.h"

/* With MODE 1 interrupts go each to a place of their own. */
static uint64_t vector(uint64_t vstvec, uint64_t cause)
{
	uint64_t base = vstvec & ~(uint64_t)3;
	bool vectored = (vstvec & 3) == 1 && (cause & RV64_INTERRUPT);

	return vectored ? base + 4 * (cause & ~RV64_INTERRUPT) : base;
}

static uint64_t status_after(uint64_t status, bool user)
{
	const uint64_t stack = RV64_STATUS_SPP | RV64_STATUS_SPIE | RV64_STATUS_SIE;
	uint64_t after = status & ~stack;

	after |= user ? 0 : RV64_STATUS_SPP;
	after |= status & RV64_STATUS_SIE ? RV64_STATUS_SPIE : 0;
	return after;
}

void rv64_exception_take(struct rv64_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	struct rv64_vs *vs = rv64_vs_get(vcpu);

	vs->vsepc = vcpu->regs.pc;
	vs->vscause = cause;
	vs->vstval = tval;
	vs->vsstatus = status_after(vs->vsstatus, vs->user);
	vs->user = false;
	vcpu->regs.pc = vector(vs->vstvec, cause);
	vcpu->vs_dirty = true;
}
