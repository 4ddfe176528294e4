/* SPDX-License-Identifier: MIT */
/* SBI 2.0, chapters 10 and 13: reset and suspend of the whole machine. */
#include "sbi.h"

#include <hv/check.h>
#include <hv/power.h>

enum reset_type { RESET_SHUTDOWN, RESET_COLD, RESET_WARM };
enum reset_reason { REASON_NONE, REASON_FAILURE };

#define SUSPEND_TO_RAM 0u

enum hv_verdict rv64_sbi_srst(struct rv64_vcpu *vcpu, uint32_t fn)
{
	uint32_t type = (uint32_t)rv64_sbi_arg(vcpu, 0), reason = (uint32_t)rv64_sbi_arg(vcpu, 1);

	if (fn != 0) {
		return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
	if (type > RESET_WARM || reason > REASON_FAILURE) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	return hv_power_system(vcpu->hv.vm, type != RESET_SHUTDOWN);
}

/* Once it is true it stays so, as nobody is left who could start one. */
static bool others_are_stopped(const struct rv64_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->hv.vm;
	enum hv_power_state state;

	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		enum hv_status status = hv_power_state(vm, vm->arch->hw_id(vm->vcpu[i]), &state);

		if (HV_NEVER(status != HV_OK) || (i != vcpu->hv.index && state != HV_POWER_OFF)) {
			return false;
		}
	}
	return true;
}

enum hv_verdict rv64_sbi_susp(struct rv64_vcpu *vcpu, uint32_t fn)
{
	uint64_t pc = rv64_sbi_arg(vcpu, 1);

	if (fn != 0) {
		return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
	if ((uint32_t)rv64_sbi_arg(vcpu, 0) != SUSPEND_TO_RAM) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	if (!rv64_sbi_can_start(vcpu, pc)) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_ADDRESS, 0);
	}
	if (!others_are_stopped(vcpu)) {
		return rv64_sbi_return(vcpu, SBI_ERR_DENIED, 0);
	}
	return rv64_sbi_suspend_to(vcpu, pc, rv64_sbi_arg(vcpu, 2));
}
