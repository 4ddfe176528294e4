/* SPDX-License-Identifier: MIT */
/* The MSRs that exit; docs/virtual-cpu-x86_64.md is the list. */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "x86.h"

/* False: #GP, and nothing has changed. */
HV_WARN_UNUSED bool x86_msr_read(struct x86_vcpu *vcpu, uint32_t msr, uint64_t *value);
HV_WARN_UNUSED bool x86_msr_write(struct x86_vcpu *vcpu, uint32_t msr, uint64_t value);

/* As after power-on (APM2 14.1.3). */
void x86_msr_reset(struct x86_vcpu *vcpu);

#endif
