/* SPDX-License-Identifier: MIT */
/*
 * Firmware calls by HVC #0 and SMC #0: Arm SMC Calling Convention 1.2 (DEN 0028) and PSCI 1.1 (DEN
 * 0022). Arguments and results are the vCPU's x0..; nothing but documented results changes.
 */
#ifndef A64_SMCCC_H
#define A64_SMCCC_H

#include <arch/aarch64/a64.h>

#define SMCCC_VERSION       0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_HYP_UID       0x8600ff01u
#define SMCCC_HYP_REVISION  0x8600ff03u

/*
 * Our own calls, in the range of vendor-specific hypervisor services; what they do is in
 * docs/virtual-cpu-aarch64.md. Bit n of DRYDOCK_FEATURES' answer: there is call n.
 */
#define DRYDOCK_FEATURES 0x86000000u
#define DRYDOCK_PUTCHAR  0x86000001u
#define DRYDOCK_WRITE    0xc6000002u
#define DRYDOCK_EXIT     0x86000003u

#define SMCCC_NOT_SUPPORTED     (-1)
#define SMCCC_INVALID_PARAMETER (-3)

/* The low five bits of a PSCI function id; its other bits are those of PSCI_BASE and PSCI_SMC64. */
enum psci_fn {
	PSCI_VERSION = 0x00,
	PSCI_CPU_SUSPEND = 0x01,
	PSCI_CPU_OFF = 0x02,
	PSCI_CPU_ON = 0x03,
	PSCI_AFFINITY_INFO = 0x04,
	PSCI_MIGRATE = 0x05,
	PSCI_MIGRATE_INFO_TYPE = 0x06,
	PSCI_SYSTEM_OFF = 0x08,
	PSCI_SYSTEM_RESET = 0x09,
	PSCI_FEATURES = 0x0a,
	PSCI_SYSTEM_RESET2 = 0x12,
};

#define PSCI_BASE  0x84000000u
#define PSCI_SMC64 0x40000000u
#define PSCI_FN    0x1fu

enum psci_result {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_INVALID_ADDRESS = -9,
};

/* The call in x0..; the PC is already behind the HVC or SMC. Never HV_FAULT. */
HV_WARN_UNUSED enum hv_verdict a64_smccc_call(struct a64_vcpu *vcpu);

/* fn is in PSCI's range. */
HV_WARN_UNUSED enum hv_verdict a64_psci_call(struct a64_vcpu *vcpu, uint32_t fn);

/* A WFI: resumes at once when something is pending, else waits. */
HV_WARN_UNUSED enum hv_verdict a64_wait(struct a64_vcpu *vcpu);

/*
 * A signed result. It is -1 and so on in W0 as in X0, whichever width the caller looks at: DEN
 * 0028 leaves the upper half of X0 open for 32-bit calls, and guests have been seen to test it.
 */
static inline enum hv_verdict a64_smccc_return(struct a64_vcpu *vcpu, int64_t result)
{
	vcpu->regs.x[0] = (uint64_t)result;
	return HV_RESUME;
}

#endif
