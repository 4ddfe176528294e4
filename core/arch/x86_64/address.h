/* SPDX-License-Identifier: MIT */
/* From an instruction's memory operand to a linear address. Pure. APM2 4.5 and 4.12, APM3 1.4. */
#ifndef X86_ADDRESS_H
#define X86_ADDRESS_H

#include "decode.h"
#include "x86.h"

/* The offset in its segment, cut to the address size. RIP: sys' is the instruction's own. */
uint64_t x86_effective(
	const struct x86_insn *insn, const struct x86_regs *regs, const struct x86_sys *sys);

/*
 * The linear address of [offset, offset + size) in a segment; size is 1 to 8. False: the segment is
 * not for such an access, its limit is exceeded, or the address is not canonical: #SS(0) in the
 * stack's segment, else #GP(0).
 */
HV_WARN_UNUSED bool x86_linear(const struct x86_sys *sys, enum x86_seg_id segment, uint64_t offset,
	uint8_t size, bool write, uint64_t *linear);

#endif
