/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <hv/bits.h>

static bool peek_half(
	const struct rv64_vs *vs, const struct hv_gmem *gmem, uint64_t va, uint16_t *half)
{
	struct rv64_walk walk = rv64_walk(vs, gmem, va, RV64_FETCH);
	uint8_t bytes[2];

	if (walk.cause || hv_gmem_copy_in(gmem, bytes, walk.gpa, sizeof(bytes)) != HV_OK) {
		return false;
	}
	*half = hv_le16(bytes);
	return true;
}

/* By halves: the second may be in another page, and is not there to be looked at if not needed. */
bool rv64_insn_peek(
	const struct rv64_vs *vs, const struct hv_gmem *gmem, uint64_t va, uint32_t *insn)
{
	uint16_t low, high = 0;

	if (!peek_half(vs, gmem, va, &low) ||
		((low & 3) == 3 && !peek_half(vs, gmem, va + 2, &high))) {
		return false;
	}
	*insn = (uint32_t)high << 16 | low;
	return true;
}

/*
 * By the CPU, as it sees what the guest sees; but some cannot read what may only be executed (HLVX
 * of QEMU up to 7.2), and then a guest that tried again would fail for ever.
 */
bool rv64_insn_fetch(struct rv64_vcpu *vcpu, uint32_t *insn)
{
	uint64_t pc = vcpu->regs.pc;

	return port_rv64_insn_fetch(pc, insn) ||
	       rv64_insn_peek(rv64_vs_get(vcpu), &vcpu->hv.vm->gmem, pc, insn);
}
