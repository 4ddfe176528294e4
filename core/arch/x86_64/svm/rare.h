/* SPDX-License-Identifier: MIT */
/* The exits that are not hot: control registers, exceptions, what guests do not have. */
#ifndef SVM_RARE_H
#define SVM_RARE_H

#include "svm.h"

HV_WARN_UNUSED enum hv_verdict svm_rare_handle(struct x86_vcpu *vcpu);
/* What was being delivered when the guest was left is to be delivered again (X15). */
void svm_event_take_back(struct x86_vcpu *vcpu);

/* An IRET that exits is about to be done; NMIs may come behind it (entry.c). */
void svm_iret_begins(struct x86_vcpu *vcpu);

#endif
