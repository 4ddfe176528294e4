/* SPDX-License-Identifier: MIT */
/* The guest's code at RIP: for CPUs that do not say how long an instruction is. */
#ifndef X86_CODE_H
#define X86_CODE_H

#include "decode.h"
#include "priv.h"

/*
 * The instruction that the CPU has just left for. False: it cannot be fetched any more, or is none
 * (D9); then `verdict` is what to return, the exception being on its way.
 */
HV_WARN_UNUSED bool x86_code_decode(
	struct x86_vcpu *vcpu, struct x86_insn *insn, enum hv_verdict *verdict);
/* The byte at RIP can be fetched, and is this one. */
HV_WARN_UNUSED bool x86_code_is(struct x86_vcpu *vcpu, uint8_t byte);

/* ---- a part of its callers, as it is hot ---- */

#define X86_CODE_NONE HV_BIT(63) /* x86_code.page: not canonical, so that no code is there */

#define X86_CODE_ROOM 16u

/*
 * The bytes at RIP, if they are where the last ones were: the same page by the same tables, which
 * still say the same. X86_CODE_ROOM of them can be read; others may write them, so read once.
 * NULL: they must be asked for the long way.
 */
static HV_HOT const uint8_t *x86_code_at(const struct x86_vcpu *vcpu)
{
	const struct x86_code *code = &vcpu->code;
	const struct x86_sys *sys = vcpu->sys;
	uint64_t offset = sys->rip - code->page;
	uint64_t changed;

	if (offset > HV_PAGE_SIZE - X86_CODE_ROOM || sys->cr3 != code->cr3 ||
		!(sys->seg[X86_CS].attrib & X86_SEG_L)) {
		return NULL;
	}
	changed = atomic_load_explicit(code->entry[0], memory_order_relaxed) ^ code->was[0];
	changed |= atomic_load_explicit(code->entry[1], memory_order_relaxed) ^ code->was[1];
	changed |= atomic_load_explicit(code->entry[2], memory_order_relaxed) ^ code->was[2];
	changed |= atomic_load_explicit(code->entry[3], memory_order_relaxed) ^ code->was[3];
	return changed ? NULL : code->host + offset;
}

/* Paging is another now. */
static inline void x86_code_forget(struct x86_vcpu *vcpu)
{
	vcpu->code.page = X86_CODE_NONE;
}

#endif
