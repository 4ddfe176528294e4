/* SPDX-License-Identifier: MIT */
/*
 * Calls by VMMCALL from CPL 0. EAX says which, arguments are RBX, RCX, the result is RAX; no other
 * register changes. What they do is in docs/virtual-cpu-x86_64.md.
 */
#ifndef X86_CALL_H
#define X86_CALL_H

#include "x86.h"

enum x86_call {
	X86_CALL_FEATURES, /* bit n of its answer: there is call n */
	X86_CALL_PUTCHAR,
	X86_CALL_WRITE,
	X86_CALL_EXIT,
	X86_CALLS,
};

#define X86_CALL_NOT_SUPPORTED (-1)
#define X86_CALL_INVALID       (-2)

/* RIP is behind the instruction already. */
HV_WARN_UNUSED enum hv_verdict x86_call(struct x86_vcpu *vcpu);

#endif
