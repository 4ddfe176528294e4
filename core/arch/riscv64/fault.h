/* SPDX-License-Identifier: MIT */
/*
 * Guest-page faults: guest memory that is not mapped yet, devices by trap and emulate, and what is
 * neither. scause 20 (fetch), 21 (load), 23 (store and AMO).
 */
#ifndef RV64_FAULT_H
#define RV64_FAULT_H

#include "rv64.h"

HV_WARN_UNUSED enum hv_verdict rv64_fetch_fault(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap);
HV_WARN_UNUSED enum hv_verdict rv64_data_fault(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap);

#endif
