/* SPDX-License-Identifier: MIT */
/* PSCI and SBI HSM/SRST are two spellings of these verbs. */
#ifndef HV_POWER_H
#define HV_POWER_H

#include <hv/vm.h>

/*
 * Turns the vCPU that firmware calls `hw_id` on at pc. HV_ERR_NOT_FOUND: no such vCPU;
 * HV_ERR_RANGE: pc is not in executable guest memory; HV_ERR_STATE: it is on or going on, which
 * hv_power_state() tells apart, or its VM stops. Of two callers at once exactly one succeeds (H3).
 */
HV_WARN_UNUSED enum hv_status hv_power_cpu_on(
	struct hv_vm *vm, uint64_t hw_id, gpa_t pc, uint64_t arg);
/*
 * The running vCPU's own wish. Always HV_OFF; the VM stops with HV_STOP_OFF when this was its last
 * vCPU (H4). The vCPU counts as on until hv_vcpu_leave(): only then may another turn it on again.
 */
HV_WARN_UNUSED enum hv_verdict hv_power_cpu_off(struct hv_vcpu *vcpu);
/* Stops the VM with HV_STOP_OFF or HV_STOP_REBOOT. Always HV_OFF. */
HV_WARN_UNUSED enum hv_verdict hv_power_system(struct hv_vm *vm, bool reboot);

enum hv_power_state {
	HV_POWER_ON,
	HV_POWER_OFF,
	HV_POWER_PENDING, /* turned on, but has not run yet */
};
/* HV_ERR_NOT_FOUND: no such vCPU. */
HV_WARN_UNUSED enum hv_status hv_power_state(
	struct hv_vm *vm, uint64_t hw_id, enum hv_power_state *state);

#endif
