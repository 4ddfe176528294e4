/* SPDX-License-Identifier: MIT */
/*
 * The guest's own Stage-1 translation, done in software where core needs an address the CPU did not
 * give: VMSAv8-64, EL1&0 regime, ARMv8.0 (DDI 0487, D8). At most four descriptors, each read once
 * (P13, P14); guest memory is the only thing it ever reads.
 */
#ifndef A64_WALK_H
#define A64_WALK_H

#include <arch/aarch64/a64.h>
#include <hv/gmem.h>

enum a64_walk_access { A64_WALK_READ, A64_WALK_WRITE, A64_WALK_FETCH };

struct a64_walk {
	const struct a64_el1 *el1;
	const struct hv_gmem *gmem;
	uint8_t pa_bits; /* the virtual CPU's: a64_pa_bits() */
	bool el0;        /* with EL0's permissions */
	enum a64_walk_access access;
	/* Results: the address, or the fault status code (with its level) to inject. */
	uint64_t gpa;
	unsigned fsc;
	unsigned
		span_bits; /* log2 of what the descriptor that ended the walk spans; 64: none did */
};

/* False: the guest's tables do not allow it; fsc says how. */
HV_WARN_UNUSED bool a64_walk(struct a64_walk *walk, uint64_t va);

/* The same for what the vCPU could do right now, or with EL0's permissions (`unprivileged`). */
HV_WARN_UNUSED bool a64_translate(struct a64_vcpu *vcpu, uint64_t va, enum a64_walk_access access,
	bool unprivileged, struct a64_walk *walk);

/* ID_AA64MMFR0_EL1.PARange in bits, and the field itself. */
uint8_t a64_pa_bits(const struct a64_vcpu *vcpu);
uint32_t a64_pa_range(const struct a64_vcpu *vcpu);

#endif
