/* SPDX-License-Identifier: MIT */
/* Nested page faults. */
#ifndef SVM_FAULT_H
#define SVM_FAULT_H

#include "svm.h"

/* What was being delivered is in vcpu->event by now. */
HV_WARN_UNUSED enum hv_verdict svm_nested_fault(struct x86_vcpu *vcpu);

#endif
