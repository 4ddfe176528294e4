/* SPDX-License-Identifier: MIT */
/* What a host's harts can do, and what virtual harts get of it. Pure. */
#include "rv64.h"

#include <hv/bits.h>

#define LETTER(c) HV_BIT((c) - 'a')

const char *rv64_caps_missing(const struct rv64_caps *caps)
{
	const uint64_t base = LETTER('i') | LETTER('m') | LETTER('a');

	if (!(caps->exts & LETTER('h'))) {
		return "the H extension";
	}
	if ((caps->exts & base) != base) {
		return "one of the extensions I, M and A, which every guest is promised";
	}
	if (caps->gstage_levels < rv64_gstage_fmt.min_levels) {
		return "two-stage translation with Sv39x4";
	}
	return NULL;
}

/* The CPU's own state in the guest's hands; H is not, as nothing here virtualizes it twice. */
uint64_t rv64_guest_exts(const struct rv64_caps *caps)
{
	const uint64_t letters = LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') |
				 LETTER('d') | LETTER('c') | LETTER('v');

	return caps->exts & (letters | HV_MASK(RV64_EXTS - 1, RV64_EXT_ZICSR));
}

void rv64_vcpu_caps_set(struct rv64_vcpu *vcpu, const struct rv64_caps *caps)
{
	vcpu->caps = *caps;
	vcpu->sstc = hv_bit(caps->exts, RV64_EXT_SSTC);
}
