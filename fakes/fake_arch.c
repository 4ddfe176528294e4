/* SPDX-License-Identifier: MIT */
#include "fake_arch.h"

#include <arch/aarch64/a64.h>

static void reset(struct hv_vcpu *hv, gpa_t pc, uint64_t arg)
{
	/* An interrupt controller's lock: power-on must not hold the vCPU's (rank order). */
	struct hv_lock irqc = HV_LOCK_INIT(HV_LOCK_IRQC);
	struct fake_vcpu *vcpu = fake_vcpu(hv);

	port_lock(&irqc);
	vcpu->resets++;
	vcpu->pc = pc;
	vcpu->arg = arg;
	port_unlock(&irqc);
}

static uint64_t hw_id(const struct hv_vcpu *vcpu)
{
	return FAKE_HW_ID(vcpu->index);
}

const struct hv_arch fake_arch = {
	.name = "fake",
	.vcpu_size = sizeof(struct fake_vcpu),
	.pt_fmt = &a64_stage2_fmt,
	.reset = reset,
	.hw_id = hw_id,
};
