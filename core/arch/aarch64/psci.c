/* SPDX-License-Identifier: MIT */
/* PSCI 1.1 (DEN 0022D). What a function does to the machine is in hv/power.h. */
#include "smccc.h"

#include <hv/bits.h>
#include <hv/check.h>
#include <hv/power.h>

#define VERSION_1_1           0x10001
#define MIGRATE_NOT_NEEDED    2 /* there is no trusted OS that would have to move */
#define AFFINITY_MASK         0xff00ffffffu
#define POWER_STATE_RESERVED  0xfcfe0000u
#define POWER_STATE_POWERDOWN 0x00010000u
#define POWER_STATE_LEVEL     0x03000000u

/* Argument n of a call, cut to the width of its convention (H2). */
static uint64_t arg(const struct a64_vcpu *vcpu, uint32_t fn, unsigned n)
{
	uint64_t value = vcpu->regs.x[n];

	return (fn & PSCI_SMC64) ? value : (uint32_t)value;
}

/*
 * One power level, that of the CPU itself. Power-down is answered as a power-down that a wake-up
 * event cut short: the call returns as a standby's does, which DEN 0022D 5.4 allows.
 */
static enum hv_verdict cpu_suspend(struct a64_vcpu *vcpu, uint32_t fn)
{
	uint32_t state = (uint32_t)vcpu->regs.x[1];
	uint64_t entry = arg(vcpu, fn, 2);

	if (state & (POWER_STATE_RESERVED | POWER_STATE_LEVEL)) {
		return a64_smccc_return(vcpu, PSCI_INVALID_PARAMETERS);
	}
	if ((state & POWER_STATE_POWERDOWN) &&
		!(hv_is_aligned(entry, 4) &&
			hv_gmem_has(&vcpu->hv.vm->gmem, GPA(entry), 4, HV_PROT_X))) {
		return a64_smccc_return(vcpu, PSCI_INVALID_ADDRESS);
	}
	vcpu->regs.x[0] = PSCI_SUCCESS;
	return a64_wait(vcpu);
}

static int cpu_on(struct a64_vcpu *vcpu, uint32_t fn)
{
	struct hv_vm *vm = vcpu->hv.vm;
	uint64_t target = arg(vcpu, fn, 1), entry = arg(vcpu, fn, 2);
	enum hv_power_state state;
	enum hv_status status;

	if (!hv_is_aligned(entry, 4)) {
		return PSCI_INVALID_ADDRESS;
	}
	switch (hv_power_cpu_on(vm, target, GPA(entry), arg(vcpu, fn, 3))) {
	case HV_OK: return PSCI_SUCCESS;
	case HV_ERR_NOT_FOUND: return PSCI_INVALID_PARAMETERS;
	case HV_ERR_RANGE: return PSCI_INVALID_ADDRESS;
	default: break;
	}
	status = hv_power_state(vm, target, &state);
	if (HV_NEVER(status != HV_OK)) {
		return PSCI_INTERNAL_FAILURE;
	}
	return state == HV_POWER_PENDING ? PSCI_ON_PENDING : PSCI_ALREADY_ON;
}

/* Levels above 0 ask about all CPUs that share the upper affinity fields: on if one of them is. */
static int affinity_info(struct a64_vcpu *vcpu, uint32_t fn)
{
	static const uint64_t mask[] = {AFFINITY_MASK, 0xff00ffff00u, 0xff00ff0000u, 0xff00000000u};
	static const int answer[] = {[HV_POWER_ON] = 0, [HV_POWER_OFF] = 1, [HV_POWER_PENDING] = 2};
	struct hv_vm *vm = vcpu->hv.vm;
	uint64_t target = arg(vcpu, fn, 1), level = arg(vcpu, fn, 2);
	enum hv_power_state state;
	enum hv_status status;
	int result = PSCI_INVALID_PARAMETERS;

	if ((target & ~AFFINITY_MASK) || level >= HV_ARRAY_COUNT(mask)) {
		return PSCI_INVALID_PARAMETERS;
	}
	for (unsigned i = 0; i < vm->vcpu_count; i++) {
		uint64_t id = vm->arch->hw_id(vm->vcpu[i]);

		if ((id ^ target) & mask[level]) {
			continue;
		}
		status = hv_power_state(vm, id, &state);
		if (HV_NEVER(status != HV_OK)) {
			return PSCI_INTERNAL_FAILURE;
		}
		if (state == HV_POWER_ON) {
			return answer[state];
		}
		if (result != answer[HV_POWER_PENDING]) {
			result = answer[state];
		}
	}
	return result;
}

/* Type 0 is the architectural warm reset; vendors' types (bit 31) and the rest are not ours. */
static enum hv_verdict system_reset2(struct a64_vcpu *vcpu)
{
	if ((uint32_t)vcpu->regs.x[1] != 0) {
		return a64_smccc_return(vcpu, PSCI_INVALID_PARAMETERS);
	}
	return hv_power_system(vcpu->hv.vm, true);
}

/* Bit n: function n exists; by convention. */
#define FNS_32                                                                                     \
	(HV_BIT(PSCI_VERSION) | HV_BIT(PSCI_CPU_SUSPEND) | HV_BIT(PSCI_CPU_OFF) |                  \
		HV_BIT(PSCI_CPU_ON) | HV_BIT(PSCI_AFFINITY_INFO) |                                 \
		HV_BIT(PSCI_MIGRATE_INFO_TYPE) | HV_BIT(PSCI_SYSTEM_OFF) |                         \
		HV_BIT(PSCI_SYSTEM_RESET) | HV_BIT(PSCI_FEATURES) | HV_BIT(PSCI_SYSTEM_RESET2))
#define FNS_64                                                                                     \
	(HV_BIT(PSCI_CPU_SUSPEND) | HV_BIT(PSCI_CPU_ON) | HV_BIT(PSCI_AFFINITY_INFO) |             \
		HV_BIT(PSCI_SYSTEM_RESET2))

static bool has(uint32_t fn)
{
	return hv_bit((fn & PSCI_SMC64) ? FNS_64 : FNS_32, fn & PSCI_FN);
}

static int features(const struct a64_vcpu *vcpu)
{
	uint32_t fn = (uint32_t)vcpu->regs.x[1];
	bool psci = (fn & ~(PSCI_SMC64 | PSCI_FN)) == PSCI_BASE && has(fn);

	/* 0 also says of CPU_SUSPEND: original format, platform-coordinated. */
	return psci || fn == SMCCC_VERSION ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED;
}

static HV_COLD enum hv_verdict call(struct a64_vcpu *vcpu, uint32_t fn)
{
	if (!has(fn)) {
		return a64_smccc_return(vcpu, PSCI_NOT_SUPPORTED);
	}
	switch (fn & PSCI_FN) {
	case PSCI_CPU_SUSPEND: return cpu_suspend(vcpu, fn);
	case PSCI_CPU_OFF: return hv_power_cpu_off(&vcpu->hv);
	case PSCI_CPU_ON: return a64_smccc_return(vcpu, cpu_on(vcpu, fn));
	case PSCI_AFFINITY_INFO: return a64_smccc_return(vcpu, affinity_info(vcpu, fn));
	case PSCI_MIGRATE_INFO_TYPE: return a64_smccc_return(vcpu, MIGRATE_NOT_NEEDED);
	case PSCI_SYSTEM_OFF: return hv_power_system(vcpu->hv.vm, false);
	case PSCI_SYSTEM_RESET: return hv_power_system(vcpu->hv.vm, true);
	case PSCI_FEATURES: return a64_smccc_return(vcpu, features(vcpu));
	default: return system_reset2(vcpu);
	}
}

/* The version needs no stack frame, so that the cost of a call as such can be measured by it. */
enum hv_verdict a64_psci_call(struct a64_vcpu *vcpu, uint32_t fn)
{
	if (fn == (PSCI_BASE | PSCI_VERSION)) {
		return a64_smccc_return(vcpu, VERSION_1_1);
	}
	return call(vcpu, fn);
}
