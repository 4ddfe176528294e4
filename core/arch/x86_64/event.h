/* SPDX-License-Identifier: MIT */
/* Exceptions that core gives the guest, and what becomes of one that was being delivered. */
#ifndef X86_EVENT_H
#define X86_EVENT_H

#include "x86.h"

/*
 * Delivered by the next entry, with RIP where it is. A second one that comes before makes of both
 * what the CPU makes of them (APM2 8.2.9, table 8-6): a double fault; of a third, a triple fault.
 */
HV_WARN_UNUSED enum hv_verdict x86_raise(struct x86_vcpu *vcpu, enum x86_vector vector);
/* One of those with an error code. */
HV_WARN_UNUSED enum hv_verdict x86_raise_error(
	struct x86_vcpu *vcpu, enum x86_vector vector, uint32_t error);
/* #PF: CR2 too. */
HV_WARN_UNUSED enum hv_verdict x86_raise_page(
	struct x86_vcpu *vcpu, uint64_t linear, uint32_t error);

/*
 * The end of the step that an NMI waited for (svm/entry.c). False: there was none, or it was the
 * guest's own trap, too.
 */
bool x86_step_ends(struct x86_vcpu *vcpu);
/*
 * Behind an instruction that core did, with RFLAGS.TF set: #DB, unless the step was ours. Always
 * HV_RESUME, as it is benign.
 */
enum hv_verdict x86_raise_step(struct x86_vcpu *vcpu);

#endif
