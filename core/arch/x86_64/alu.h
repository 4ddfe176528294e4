/* SPDX-License-Identifier: MIT */
/* What arithmetic gives: results and RFLAGS. Pure. APM3, chapter 3. */
#ifndef X86_ALU_H
#define X86_ALU_H

#include "decode.h"

#include <hv/bits.h>

#define X86_FLAG_CF HV_BIT(0)
#define X86_FLAG_PF HV_BIT(2)
#define X86_FLAG_AF HV_BIT(4)
#define X86_FLAG_ZF HV_BIT(6)
#define X86_FLAG_SF HV_BIT(7)
#define X86_FLAG_OF HV_BIT(11)

/*
 * X86_OP_ADD to X86_OP_BTC: what `a` (the left operand) becomes by `b`, and RFLAGS. Both are zero
 * above `size` bytes, and so is the result. CMP, TEST and BT give `a` itself. Flags that an
 * instruction leaves undefined are 0 after the logical ones, else as they were.
 */
uint64_t x86_alu(enum x86_op op, uint8_t size, uint64_t a, uint64_t b, uint64_t *rflags);

#endif
