/* SPDX-License-Identifier: MIT */
/* What htinst says about the instruction that trapped: priv 8.6.3. Pure. */
#ifndef RV64_HTINST_H
#define RV64_HTINST_H

#include <hv/bits.h>

/*
 * Pseudoinstructions: the fault is not the instruction's own access, but the CPU's at the guest's
 * page tables: a read or, with bit 5, a write of 32 (0x2000) or 64 bits (0x3000).
 */
static inline bool rv64_htinst_is_walk(uint64_t htinst)
{
	return (htinst & ~(uint64_t)0x1020) == 0x2000;
}

/*
 * A transformed instruction, 32-bit even where the original has 16 bits, which bit 1 says. What is
 * neither, custom values among it, tells nothing that could be relied on (X10).
 */
static inline bool rv64_htinst_is_insn(uint64_t htinst)
{
	return (htinst & 1) && !(htinst >> 32);
}

/* As rv64_insn_decode() knows it. */
static inline uint32_t rv64_htinst_insn(uint64_t htinst)
{
	return (uint32_t)htinst | 2;
}

static inline uint8_t rv64_htinst_length(uint64_t htinst)
{
	return (uint8_t)((htinst & 2) + 2);
}

/* Where rs1 was: how far stval is behind the address of the access, if that is misaligned. */
static inline uint8_t rv64_htinst_offset(uint64_t htinst)
{
	return (uint8_t)(htinst >> 15 & 31);
}

#endif
