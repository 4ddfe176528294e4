/* SPDX-License-Identifier: MIT */
/*
 * Exception syndromes: the fields of ESR_ELx, and what each exception class means to us when a
 * guest's exception is taken to EL2. Pure. Source: Arm ARM DDI 0487, "ESR_EL2" and the ISS
 * encodings below it.
 */
#ifndef A64_ESR_H
#define A64_ESR_H

#include <hv/bits.h>
#include <hv/types.h>

#define A64_EC_COUNT 64u

enum a64_ec {
	A64_EC_UNKNOWN = 0x00,
	A64_EC_WFX = 0x01,
	A64_EC_CP15_MCR = 0x03,  /* AArch32 MCR, MRC */
	A64_EC_CP15_MCRR = 0x04, /* AArch32 MCRR, MRRC */
	A64_EC_SVC64 = 0x15,
	A64_EC_HVC64 = 0x16,
	A64_EC_SMC64 = 0x17,
	A64_EC_SYSREG = 0x18,
	A64_EC_IABT_LOWER = 0x20,
	A64_EC_IABT_SAME = 0x21,
	A64_EC_DABT_LOWER = 0x24,
	A64_EC_DABT_SAME = 0x25,
	A64_EC_SERROR = 0x2f,
};

/* What trap.c does with an exception class that it does not name itself. */
enum a64_cause {
	A64_CAUSE_BAD,   /* cannot come from a guest under a64_hcr(): stops the VM */
	A64_CAUSE_UNDEF, /* an instruction that the virtual CPU does not have */
	A64_CAUSE_GUEST, /* the guest's own exception: goes to its EL1 with this syndrome */
	A64_CAUSE_WFX,
	A64_CAUSE_COPROC, /* AArch32 system registers, from EL0 */
	A64_CAUSE_SMC,
	A64_CAUSE_IABT,
	A64_CAUSE_SERROR,
};

/* ESR_ELx */
#define A64_ESR_EC_SHIFT 26u
#define A64_ESR_IL       HV_BIT(25) /* the instruction has 32 bits */
#define A64_ESR_ISS      HV_MASK(24, 0)

/* ISS of instruction and data aborts */
#define A64_ISS_ISV       HV_BIT(24) /* the access is described: SAS, SSE, SRT, SF */
#define A64_ISS_SAS_SHIFT 22u
#define A64_ISS_SSE       HV_BIT(21)
#define A64_ISS_SRT_SHIFT 16u
#define A64_ISS_SF        HV_BIT(15)
#define A64_ISS_FNV       HV_BIT(10) /* FAR is not valid */
#define A64_ISS_CM        HV_BIT(8)  /* cache maintenance or address translation instruction */
#define A64_ISS_S1PTW     HV_BIT(7)  /* on the guest's own page walk */
#define A64_ISS_WNR       HV_BIT(6)
#define A64_ISS_FSC       HV_MASK(5, 0)

/* Fault status codes; those of the first five kinds carry a level in their low two bits. */
enum a64_fsc {
	A64_FSC_ADDRESS_SIZE = 0x00,
	A64_FSC_TRANSLATION = 0x04,
	A64_FSC_ACCESS_FLAG = 0x08,
	A64_FSC_PERMISSION = 0x0c,
	A64_FSC_EXTERNAL = 0x10,
	A64_FSC_EXTERNAL_WALK = 0x14,
	A64_FSC_ALIGNMENT = 0x21,
	A64_FSC_EXCLUSIVE = 0x35, /* unsupported exclusive or atomic */
};

static inline unsigned a64_esr_ec(uint64_t esr)
{
	return (unsigned)(esr >> A64_ESR_EC_SHIFT) & (A64_EC_COUNT - 1);
}

/* Bytes of the instruction that trapped (X8). */
static inline uint8_t a64_esr_insn_len(uint64_t esr)
{
	return (esr & A64_ESR_IL) ? 4 : 2;
}

/* A data or instruction abort's status without the level. */
static inline unsigned a64_iss_fault_kind(uint64_t esr)
{
	return (unsigned)(esr & A64_ISS_FSC) & ~3u;
}

/* With ISV: bytes of the access, and its general register (31: the zero register). */
static inline uint8_t a64_iss_size(uint64_t esr)
{
	return (uint8_t)(1u << (esr >> A64_ISS_SAS_SHIFT & 3));
}

static inline uint64_t a64_iss_reg(uint64_t esr)
{
	return (unsigned)(esr >> A64_ISS_SRT_SHIFT) & 31;
}

enum a64_cause a64_esr_cause(uint64_t esr);

#endif
