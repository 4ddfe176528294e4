/* SPDX-License-Identifier: MIT */
/* What of a CPU is a guest's: switched on once, and cleared for each vCPU's life. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "bm.h"

/* This CPU can run guests from now on. GIF is clear, and IF set. */
void context_enable(struct bm_cpu *cpu);
/*
 * What core does not keep of a vCPU: x87, SSE and all that comes with XSAVE, XCR0, debug addresses;
 * TSC_AUX is loaded. Nothing of one life is left for the next.
 */
void context_clear(const struct x86_vcpu *vcpu);

#endif
