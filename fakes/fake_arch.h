/* SPDX-License-Identifier: MIT */
/*
 * A guest architecture that only keeps what core/vm asked of it. Its nested format is a real one:
 * a made-up format would test the fake.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

#include <hv/vm.h>

struct fake_vcpu {
	struct hv_vcpu hv; /* first */
	unsigned resets;
	gpa_t pc; /* of the last reset */
	uint64_t arg;
};

extern const struct hv_arch fake_arch;

/* What firmware calls vCPU n: not its index, so that mixing them up shows. */
#define FAKE_HW_ID(n) (0x8000000000000100u + 0x100u * (uint64_t)(n))

static inline struct fake_vcpu *fake_vcpu(struct hv_vcpu *vcpu)
{
	return HV_CONTAINER_OF(vcpu, struct fake_vcpu, hv);
}

#endif
