/* SPDX-License-Identifier: MIT */
/* SBI 2.0, chapter 9: harts. What a call does to the machine is in hv/power.h. */
#include "sbi.h"

#include <hv/bits.h>
#include <hv/check.h>
#include <hv/power.h>

enum hsm_state {
	HSM_STARTED = 0,
	HSM_STOPPED = 1,
	HSM_START_PENDING = 2,
	HSM_SUSPENDED = 4,
};

#define SUSPEND_RETENTIVE     0u
#define SUSPEND_NON_RETENTIVE 0x80000000u

bool rv64_sbi_can_start(const struct rv64_vcpu *vcpu, uint64_t pc)
{
	return hv_is_aligned(pc, 2) && hv_gmem_has(&vcpu->hv.vm->gmem, GPA(pc), 2, HV_PROT_X);
}

enum hv_verdict rv64_sbi_suspend(struct rv64_vcpu *vcpu)
{
	if (port_rv64_pending()) {
		return HV_RESUME;
	}
	/* Until the next rv64_entry_prepare(): what wakes it goes through there. */
	atomic_store(&vcpu->suspended, true);
	return HV_BLOCK;
}

enum hv_verdict rv64_sbi_suspend_to(struct rv64_vcpu *vcpu, uint64_t pc, uint64_t arg)
{
	rv64_resume_at(vcpu, pc, arg);
	return rv64_sbi_suspend(vcpu);
}

/* NULL: there is no such hart. */
static const struct rv64_vcpu *find(const struct rv64_vcpu *any, uint64_t hart)
{
	const struct hv_vm *vm = any->hv.vm;

	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		const struct rv64_vcpu *vcpu = HV_CONTAINER_OF(vm->vcpu[i], struct rv64_vcpu, hv);

		if (vcpu->hart_id == hart) {
			return vcpu;
		}
	}
	return NULL;
}

static enum rv64_sbi_error start(struct rv64_vcpu *vcpu)
{
	uint64_t hart = rv64_sbi_arg(vcpu, 0), pc = rv64_sbi_arg(vcpu, 1);

	if (!find(vcpu, hart)) {
		return SBI_ERR_INVALID_PARAM;
	}
	if (!rv64_sbi_can_start(vcpu, pc)) {
		return SBI_ERR_INVALID_ADDRESS;
	}
	return hv_power_cpu_on(vcpu->hv.vm, hart, GPA(pc), rv64_sbi_arg(vcpu, 2)) == HV_OK
		       ? SBI_SUCCESS
		       : SBI_ERR_ALREADY_AVAILABLE;
}

static enum hv_verdict status(struct rv64_vcpu *vcpu)
{
	static const enum hsm_state states[] = {
		[HV_POWER_ON] = HSM_STARTED,
		[HV_POWER_OFF] = HSM_STOPPED,
		[HV_POWER_PENDING] = HSM_START_PENDING,
	};
	const struct rv64_vcpu *target = find(vcpu, rv64_sbi_arg(vcpu, 0));
	enum hv_power_state power = HV_POWER_OFF;
	enum hv_status found;

	if (!target) {
		return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
	found = hv_power_state(vcpu->hv.vm, target->hart_id, &power);
	if (HV_NEVER(found != HV_OK)) {
		return rv64_sbi_return(vcpu, SBI_ERR_FAILED, 0);
	}
	if (power == HV_POWER_ON && atomic_load(&target->suspended)) {
		return rv64_sbi_return(vcpu, SBI_SUCCESS, HSM_SUSPENDED);
	}
	return rv64_sbi_return(vcpu, SBI_SUCCESS, states[power]);
}

static enum hv_verdict suspend(struct rv64_vcpu *vcpu)
{
	uint64_t pc = rv64_sbi_arg(vcpu, 1);

	switch ((uint32_t)rv64_sbi_arg(vcpu, 0)) {
	case SUSPEND_RETENTIVE:
		(void)rv64_sbi_return(vcpu, SBI_SUCCESS, 0);
		return rv64_sbi_suspend(vcpu);
	case SUSPEND_NON_RETENTIVE:
		if (!rv64_sbi_can_start(vcpu, pc)) {
			return rv64_sbi_return(vcpu, SBI_ERR_INVALID_ADDRESS, 0);
		}
		return rv64_sbi_suspend_to(vcpu, pc, rv64_sbi_arg(vcpu, 2));
	default: return rv64_sbi_return(vcpu, SBI_ERR_INVALID_PARAM, 0);
	}
}

enum hv_verdict rv64_sbi_hsm(struct rv64_vcpu *vcpu, uint32_t fn)
{
	switch (fn) {
	case SBI_HSM_START: return rv64_sbi_return(vcpu, start(vcpu), 0);
	case SBI_HSM_STOP: return hv_power_cpu_off(&vcpu->hv);
	case SBI_HSM_STATUS: return status(vcpu);
	case SBI_HSM_SUSPEND: return suspend(vcpu);
	default: return rv64_sbi_return(vcpu, SBI_ERR_NOT_SUPPORTED, 0);
	}
}
