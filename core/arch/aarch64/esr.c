/* SPDX-License-Identifier: MIT */
/* The 64 exception classes: DDI 0487, table of ESR_EL2.EC. */
#include "esr.h"

#include <arch/aarch64/a64.h>

/*
 * A class that is not listed is unallocated, belongs to EL2's own exceptions, or is one of the
 * three that trap.c names: BAD.
 */
static const uint8_t cause[A64_EC_COUNT] = {
	[A64_EC_UNKNOWN] = A64_CAUSE_UNDEF,
	[A64_EC_WFX] = A64_CAUSE_WFX,
	[A64_EC_CP15_MCR] = A64_CAUSE_COPROC,
	[A64_EC_CP15_MCRR] = A64_CAUSE_COPROC,
	[0x05] = A64_CAUSE_COPROC, /* the debug registers' coprocessor 14 */
	[0x06] = A64_CAUSE_COPROC,
	[0x07] = A64_CAUSE_UNDEF, /* SVE and more: the virtual CPU has FP and SIMD, never trapped */
	[0x08] = A64_CAUSE_COPROC,
	[0x09] = A64_CAUSE_UNDEF, /* pointer authentication */
	[0x0a] = A64_CAUSE_UNDEF, /* LD64B, ST64B */
	[0x0c] = A64_CAUSE_COPROC,
	[0x0d] = A64_CAUSE_GUEST, /* branch target */
	[0x0e] = A64_CAUSE_GUEST, /* illegal execution state */
	[0x11] = A64_CAUSE_GUEST, /* SVC */
	[0x14] = A64_CAUSE_UNDEF, /* 128-bit system instructions */
	[A64_EC_SVC64] = A64_CAUSE_GUEST,
	[A64_EC_SMC64] = A64_CAUSE_SMC,
	[0x19] = A64_CAUSE_UNDEF, /* SVE */
	[0x1a] = A64_CAUSE_UNDEF, /* ERET under nested virtualization */
	[0x1b] = A64_CAUSE_UNDEF, /* TSTART */
	[0x1c] = A64_CAUSE_GUEST, /* pointer authentication failed */
	[0x1d] = A64_CAUSE_UNDEF, /* SME */
	[A64_EC_IABT_LOWER] = A64_CAUSE_IABT,
	[0x22] = A64_CAUSE_GUEST, /* PC alignment */
	[0x26] = A64_CAUSE_GUEST, /* SP alignment */
	[0x27] = A64_CAUSE_UNDEF, /* memory copy and set */
	[0x28] = A64_CAUSE_GUEST, /* floating point, AArch32 */
	[0x2c] = A64_CAUSE_GUEST, /* floating point */
	[A64_EC_SERROR] = A64_CAUSE_SERROR,
	[0x30] = A64_CAUSE_GUEST, /* breakpoint, software step, watchpoint */
	[0x32] = A64_CAUSE_GUEST,
	[0x34] = A64_CAUSE_GUEST,
	[0x38] = A64_CAUSE_GUEST, /* BKPT */
	[0x3c] = A64_CAUSE_GUEST, /* BRK */
};

enum a64_cause a64_esr_cause(uint64_t esr)
{
	return (enum a64_cause)cause[a64_esr_ec(esr)];
}

static const char *const name[A64_EC_COUNT] = {
	[0x00] = "unknown reason",
	[0x01] = "WFI or WFE",
	[0x03] = "MCR or MRC, cp15",
	[0x04] = "MCRR or MRRC, cp15",
	[0x05] = "MCR or MRC, cp14",
	[0x06] = "LDC or STC",
	[0x07] = "SVE, SIMD or floating point",
	[0x08] = "VMRS",
	[0x09] = "pointer authentication",
	[0x0a] = "LD64B or ST64B",
	[0x0c] = "MRRC, cp14",
	[0x0d] = "branch target",
	[0x0e] = "illegal execution state",
	[0x11] = "SVC, AArch32",
	[0x12] = "HVC, AArch32",
	[0x13] = "SMC, AArch32",
	[0x14] = "MSRR, MRRS or SYSP",
	[0x15] = "SVC",
	[0x16] = "HVC",
	[0x17] = "SMC",
	[0x18] = "MSR, MRS or system instruction",
	[0x19] = "SVE",
	[0x1a] = "ERET",
	[0x1b] = "TSTART",
	[0x1c] = "pointer authentication failure",
	[0x1d] = "SME",
	[0x1e] = "granule protection check",
	[0x20] = "instruction abort, lower level",
	[0x21] = "instruction abort, same level",
	[0x22] = "PC alignment",
	[0x24] = "data abort, lower level",
	[0x25] = "data abort, same level",
	[0x26] = "SP alignment",
	[0x27] = "memory copy or set",
	[0x28] = "floating point, AArch32",
	[0x2c] = "floating point",
	[0x2d] = "guarded control stack",
	[0x2f] = "SError",
	[0x30] = "breakpoint, lower level",
	[0x31] = "breakpoint, same level",
	[0x32] = "software step, lower level",
	[0x33] = "software step, same level",
	[0x34] = "watchpoint, lower level",
	[0x35] = "watchpoint, same level",
	[0x38] = "BKPT",
	[0x3a] = "vector catch",
	[0x3c] = "BRK",
	[0x3d] = "profiling",
};

const char *a64_esr_name(uint64_t esr)
{
	const char *text = name[a64_esr_ec(esr)];

	return text ? text : "unallocated exception class";
}
