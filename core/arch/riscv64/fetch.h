/* SPDX-License-Identifier: MIT */
/* The guest's instruction, for exits that must know it. */
#ifndef RV64_FETCH_H
#define RV64_FETCH_H

#include "rv64.h"

/* At the PC. False: the guest cannot fetch it now, either, and meets that by itself (X11). */
HV_WARN_UNUSED bool rv64_insn_fetch(struct rv64_vcpu *vcpu, uint32_t *insn);

#endif
