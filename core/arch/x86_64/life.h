/* SPDX-License-Identifier: MIT */
/* What INIT, SIPI and NMI do to the vCPU that they are for: what the door does not show. */
#ifndef X86_LIFE_H
#define X86_LIFE_H

#include "x86.h"

/* Takes what others have sent: registers of a vCPU that begins anew, nmi_pending. Here only. */
void x86_signals_take(struct x86_vcpu *vcpu);

#endif
