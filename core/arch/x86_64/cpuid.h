/* SPDX-License-Identifier: MIT */
/* The virtual CPU as CPUID shows it; docs/virtual-cpu-x86_64.md says why. */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include "x86.h"

/* CPUID by EAX and ECX, to EAX, EBX, ECX, EDX. RIP is the caller's. */
void x86_cpuid(struct x86_vcpu *vcpu);
/* What it answers, for core's own questions: which features the guest has. */
struct x86_cpuid x86_cpuid_get(const struct x86_vcpu *vcpu, uint32_t leaf, uint32_t subleaf);

#endif
