/* SPDX-License-Identifier: MIT */
/* How a virtual hart starts, and its timer and interrupts: what the door does not show. */
#ifndef RV64_ENTRY_H
#define RV64_ENTRY_H

#include "rv64.h"

/* All are about the vCPU that runs here. The guest wants VSTI when its time is `when`; what it
 * wanted before is forgotten. */
void rv64_timer_set(struct rv64_vcpu *vcpu, uint64_t when);
/* Clears vsip.SSIP; whether it was set, as far as can be seen. */
bool rv64_ipi_clear(struct rv64_vcpu *vcpu);
/* It goes on at pc as a hart that starts does; its lines stay. */
void rv64_resume_at(struct rv64_vcpu *vcpu, uint64_t pc, uint64_t arg);

#endif
