/* SPDX-License-Identifier: MIT */
/* The CPU's control and status registers (priv), fences and hints. */
#ifndef CSR_H
#define CSR_H

#include "asm.h"

#include <hv/types.h>

#define CSR_STR2(x) #x
#define CSR_STR(x)  CSR_STR2(x)

#define CSR_READ(name)                                                                             \
	({                                                                                         \
		uint64_t csr_value;                                                                \
		__asm__ volatile("csrr %0, " CSR_STR(name) : "=r"(csr_value));                     \
		csr_value;                                                                         \
	})
#define CSR_WRITE(name, value)                                                                     \
	__asm__ volatile("csrw " CSR_STR(name) ", %0" : : "rK"((uint64_t)(value)) : "memory")
#define CSR_SET(name, bits)                                                                        \
	__asm__ volatile("csrs " CSR_STR(name) ", %0" : : "rK"((uint64_t)(bits)) : "memory")
#define CSR_CLEAR(name, bits)                                                                      \
	__asm__ volatile("csrc " CSR_STR(name) ", %0" : : "rK"((uint64_t)(bits)) : "memory")

#define CSR_SENVCFG 0x10a /* by its number: binutils 2.40 does not take the name */

/* An instruction of the H extension, which the compiler knows nothing of. */
#define INSN_H(text) ".option push\n.option arch, +h\n" text "\n.option pop\n"

#define WFI()     __asm__ volatile("wfi" : : : "memory")
#define FENCE()   __asm__ volatile("fence" : : : "memory")
#define FENCE_I() __asm__ volatile("fence.i" : : : "memory")

/* Supervisor's interrupts, in sip and sie (priv 4.1.3). */
#define SIP_SSI (1u << 1)
#define SIP_STI (1u << 5)
#define SIP_SEI (1u << 9)

/*
 * Another CPU is waited for: PAUSE (Zihintpause), elsewhere a fence of nothing; then a WFI that our
 * own interrupt ends at once, by which QEMU gives the next CPU its turn under --deterministic. The
 * interrupt stays pending, so none from elsewhere is lost; the next look at interrupts clears it.
 */
#define RELAX()                                                                                    \
	__asm__ volatile(".4byte 0x0100000f\n\tcsrs sip, %0\n\twfi" : : "r"(SIP_SSI) : "memory")

#define SSTATUS_SPP (1u << 8)
#define SSTATUS_VS  (3u << 9)
#define SSTATUS_FS  (3u << 13)

#define HSTATUS_SPVP (1u << 8)

#define ATP_MODE_SHIFT 60
#define HGATP_VMID     (((uint64_t)1 << 14) - 1)
#define HGATP_VMID_AT  44

/* The host's `time`. */
static inline uint64_t clock_count(void)
{
	return CSR_READ(time);
}

#endif
