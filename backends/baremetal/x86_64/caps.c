/* SPDX-License-Identifier: MIT */
/* APM3 appendix E, E.4.9 (8000_000Ah). */
#include "caps.h"

#include "insn.h"

#include <hv/bits.h>

#define LEAF_EXTENDED 0x80000000u
#define LEAF_FEATURES 0x80000001u
#define LEAF_SIZES    0x80000008u
#define LEAF_SVM      0x8000000au

#define FEATURE_SVM HV_BIT(2)  /* ecx */
#define FEATURE_1G  HV_BIT(26) /* edx */

#define SVM_NPT           HV_BIT(0) /* edx */
#define SVM_FLUSH_BY_ASID HV_BIT(6)

#define VM_CR_SVMDIS HV_BIT(4)

static struct x86_caps caps;

const char *caps_read(uint64_t tsc_hz)
{
	struct x86_cpuid features, svm;

	if (cpuid(LEAF_EXTENDED, 0).eax < LEAF_SVM) {
		return "the CPU has no SVM, which a hypervisor needs (with QEMU: -cpu max,+svm)";
	}
	features = cpuid(LEAF_FEATURES, 0);
	if (!(features.ecx & FEATURE_SVM)) {
		return "the CPU has no SVM, which a hypervisor needs (with QEMU: -cpu max,+svm)";
	}
	if (msr_read(MSR_VM_CR) & VM_CR_SVMDIS) {
		return "SVM is switched off by the firmware";
	}
	svm = cpuid(LEAF_SVM, 0);
	caps = (struct x86_caps){
		.pa_bits = (uint8_t)cpuid(LEAF_SIZES, 0).eax,
		.has_1g = (features.edx & FEATURE_1G) != 0,
		.has_npt = (svm.edx & SVM_NPT) != 0,
		.has_flush_by_asid = (svm.edx & SVM_FLUSH_BY_ASID) != 0,
		.asids = svm.ebx,
		.tsc_hz = tsc_hz,
	};
	return x86_caps_missing(&caps);
}

const struct x86_caps *caps_get(void)
{
	return &caps;
}
