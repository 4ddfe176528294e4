/* SPDX-License-Identifier: MIT */
#include "smccc.h"

#include <hv/power.h>

#define VERSION_1_2 0x10002

/* Our UUID, 8b5a2c61-93d4-4f0e-a1b7-447279646f63, its bytes from the low end of each word. */
static const uint32_t uid[4] = {0x612c5a8b, 0x0e4fd493, 0x7244b7a1, 0x636f6479};

static enum hv_verdict hyp_uid(struct a64_vcpu *vcpu)
{
	for (unsigned i = 0; i < HV_ARRAY_COUNT(uid); i++) {
		vcpu->regs.x[i] = uid[i];
	}
	return HV_RESUME;
}

static enum hv_verdict arch_features(struct a64_vcpu *vcpu)
{
	uint32_t fn = (uint32_t)vcpu->regs.x[1];
	bool has = fn == SMCCC_VERSION || fn == SMCCC_ARCH_FEATURES;

	return a64_smccc_return(vcpu, has ? 0 : SMCCC_NOT_SUPPORTED);
}

/* ---- Drydock's own ---- */

/* How many bytes were taken: fewer than were offered when the console has no more room. */
static HV_COLD enum hv_verdict put_char(struct a64_vcpu *vcpu)
{
	uint8_t byte = (uint8_t)vcpu->regs.x[1];

	return a64_smccc_return(vcpu, hv_vm_write(vcpu->hv.vm, &byte, 1));
}

static HV_COLD enum hv_verdict write_text(struct a64_vcpu *vcpu)
{
	uint64_t size = vcpu->regs.x[2];
	uint8_t bytes[HV_CALL_WRITE];

	if (size > sizeof(bytes) ||
		hv_gmem_copy_in(&vcpu->hv.vm->gmem, bytes, GPA(vcpu->regs.x[1]), size) != HV_OK) {
		return a64_smccc_return(vcpu, SMCCC_INVALID_PARAMETER);
	}
	return a64_smccc_return(vcpu, hv_vm_write(vcpu->hv.vm, bytes, (uint32_t)size));
}

static HV_COLD enum hv_verdict exit_vm(struct a64_vcpu *vcpu)
{
	uint32_t code = (uint32_t)vcpu->regs.x[1];

	if (code == 0) {
		return hv_power_system(vcpu->hv.vm, false);
	}
	return hv_vm_crash(&vcpu->hv, "it said that it failed", code, vcpu->regs.pc);
}

enum hv_verdict a64_smccc_call(struct a64_vcpu *vcpu)
{
	uint32_t fn = (uint32_t)vcpu->regs.x[0]; /* H2: the upper half is not part of the id */

	if ((fn & ~(PSCI_SMC64 | PSCI_FN)) == PSCI_BASE) {
		return a64_psci_call(vcpu, fn);
	}
	switch (fn) {
	case SMCCC_VERSION: return a64_smccc_return(vcpu, VERSION_1_2);
	case SMCCC_ARCH_FEATURES: return arch_features(vcpu);
	case SMCCC_HYP_UID: return hyp_uid(vcpu);
	case SMCCC_HYP_REVISION: vcpu->regs.x[1] = 1; return a64_smccc_return(vcpu, 0);
	case DRYDOCK_FEATURES: return a64_smccc_return(vcpu, 0xf);
	case DRYDOCK_PUTCHAR: return put_char(vcpu);
	case DRYDOCK_WRITE: return write_text(vcpu);
	case DRYDOCK_EXIT: return exit_vm(vcpu);
	default: return a64_smccc_return(vcpu, SMCCC_NOT_SUPPORTED);
	}
}
