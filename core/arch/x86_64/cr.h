/* SPDX-License-Identifier: MIT */
/* Control registers and EFER, as the guest writes them: kept such that the CPU takes them. */
#ifndef X86_CR_H
#define X86_CR_H

#include "x86.h"

/* False: #GP, and nothing has changed. Translations must be flushed after the first two. */
HV_WARN_UNUSED bool x86_cr0_write(struct x86_vcpu *vcpu, uint64_t value);
HV_WARN_UNUSED bool x86_cr4_write(struct x86_vcpu *vcpu, uint64_t value);
HV_WARN_UNUSED bool x86_cr8_write(struct x86_vcpu *vcpu, uint64_t value);
uint64_t x86_cr8(const struct x86_vcpu *vcpu);
HV_WARN_UNUSED bool x86_efer_write(struct x86_vcpu *vcpu, uint64_t value);
uint64_t x86_efer(const struct x86_sys *sys);

#endif
