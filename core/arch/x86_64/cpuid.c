/* SPDX-License-Identifier: MIT */
/*
 * The virtual CPU is the host's, less what is not on the lists below: a feature that core does not
 * know stays hidden until somebody looked at it. Sources: APM3 appendix E; SDM2, CPUID.
 */
#include "cpuid.h"
#include "priv.h"

#include <dev/lapic/lapic.h>

#define LAST_BASIC    0x0du
#define LAST_EXTENDED 0x8000001eu
#define LAST_OURS     0x40000000u

/* ---- what may be seen of the host's features ---- */

#define F(n) (1u << (n))

/* SSE3, PCLMULQDQ, SSSE3, FMA, CX16, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, AVX, F16C, RDRAND
 */
#define LEAF1_ECX                                                                                  \
	(F(0) | F(1) | F(9) | F(12) | F(13) | F(19) | F(20) | F(22) | F(23) | F(25) | F(26) |      \
		F(28) | F(29) | F(30))
#define LEAF1_ECX_X2APIC       F(21) /* ours, always */
#define LEAF1_ECX_TSC_DEADLINE F(24) /* likewise */
#define LEAF1_ECX_OSXSAVE      F(27) /* as CR4 says */
#define LEAF1_ECX_HYPERVISOR   F(31)
/* FPU, VME, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, MTRR, PGE, MCA, CMOV, PAT, PSE36, CLFSH,
 * MMX, FXSR, SSE, SSE2 */
#define LEAF1_EDX      (HV_MASK(9, 0) | HV_MASK(17, 11) | F(19) | HV_MASK(26, 23))
#define LEAF1_EDX_APIC F(9)
#define LEAF1_EDX_HTT  F(28) /* more than one logical processor */

/* FSGSBASE, BMI1, AVX2, SMEP, BMI2, ERMS, AVX512F, AVX512DQ, RDSEED, ADX, SMAP, AVX512IFMA,
 * CLFLUSHOPT, CLWB, AVX512CD, SHA, AVX512BW, AVX512VL */
#define LEAF7_EBX                                                                                  \
	(F(0) | F(3) | F(5) | HV_MASK(9, 7) | HV_MASK(21, 16) | F(23) | F(24) | HV_MASK(31, 28))
#define LEAF7_EBX_TSC_ADJUST F(1) /* ours */
/* AVX512VBMI, UMIP, PKU, AVX512VBMI2, GFNI, VAES, VPCLMULQDQ, AVX512VNNI, AVX512BITALG,
 * AVX512VPOPCNTDQ, LA57, RDPID */
#define LEAF7_ECX       (F(1) | F(2) | F(3) | F(6) | HV_MASK(12, 8) | F(14) | F(16) | F(22))
#define LEAF7_ECX_OSPKE F(4)
#define LEAF7_EDX       (F(4) | F(8)) /* FSRM, AVX512VP2INTERSECT */

#define LEAF13_1_EAX (F(0) | F(1) | F(2)) /* XSAVEOPT, XSAVEC, XGETBV with ECX 1 */

/* LAHF, ABM, SSE4A, MISALIGNSSE, 3DNOWPREFETCH, XOP, FMA4, TBM */
#define EXT1_ECX         (F(0) | HV_MASK(8, 5) | F(11) | F(16) | F(21))
#define EXT1_ECX_TOPOEXT F(22)
/* As in leaf 1, and SYSCALL, NX, MMXEXT, FFXSR, 1 GiB pages, RDTSCP, LM, 3DNOW */
#define EXT1_EDX (HV_MASK(9, 0) | HV_MASK(17, 11) | F(20) | HV_MASK(27, 22) | HV_MASK(31, 29))
#define EXT7_EDX (F(8))               /* invariant TSC */
#define EXT8_EBX (F(0) | F(2) | F(9)) /* CLZERO, XSAVEERPTR, WBNOINVD */

#define ARAT F(2) /* leaf 6: the APIC's timer never stops */

/* ---- topology: one package of cores, one thread each; APIC ids are indices ---- */

static uint32_t cores(const struct x86_vcpu *vcpu)
{
	return vcpu->hv.vm->vcpu_count;
}

/* How many bits APIC ids have. */
static uint32_t id_bits(const struct x86_vcpu *vcpu)
{
	uint32_t last = cores(vcpu) - 1;

	return last ? hv_highest_bit(last) + 1 : 0;
}

/* Leaf 0xb: level 0 is threads, level 1 cores. */
static struct x86_cpuid topology(const struct x86_vcpu *vcpu, uint32_t level)
{
	enum { THREADS = 1, CORES = 2 };
	struct x86_cpuid id = {.ecx = level & 0xff, .edx = vcpu->hv.index};

	if (level == 0) {
		id.ebx = 1;
		id.ecx |= THREADS << 8;
	} else if (level == 1) {
		id.eax = id_bits(vcpu);
		id.ebx = cores(vcpu);
		id.ecx |= CORES << 8;
	}
	return id;
}

/* ---- leaves ---- */

static struct x86_cpuid leaf_1(const struct x86_vcpu *vcpu, struct x86_cpuid id)
{
	id.ebx = (id.ebx & 0xff00) | cores(vcpu) << 16 | (uint32_t)vcpu->hv.index << 24;
	id.ecx &= LEAF1_ECX;
	id.ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_TSC_DEADLINE | LEAF1_ECX_HYPERVISOR;
	if ((id.ecx & F(26)) && (vcpu->sys->cr4 & X86_CR4_OSXSAVE)) {
		id.ecx |= LEAF1_ECX_OSXSAVE;
	}
	id.edx &= (uint32_t)LEAF1_EDX;
	id.edx |= cores(vcpu) > 1 ? LEAF1_EDX_HTT : 0;
	if (!(lapic_base_read(vcpu->lapic) & LAPIC_BASE_ENABLE)) {
		id.edx &= ~LEAF1_EDX_APIC;
	}
	return id;
}

/* Caches, as Intel's CPUs list them: private, in a package of so many cores. */
static struct x86_cpuid leaf_4(const struct x86_vcpu *vcpu, struct x86_cpuid id)
{
	if (id.eax & 0x1f) {
		id.eax = (id.eax & 0x3fff) | (cores(vcpu) - 1) << 26;
	}
	return id;
}

static struct x86_cpuid leaf_7(const struct x86_vcpu *vcpu, uint32_t subleaf, struct x86_cpuid id)
{
	if (subleaf != 0) {
		return (struct x86_cpuid){0};
	}
	id.eax = 0; /* no further subleaf */
	id.ebx = (id.ebx & (uint32_t)LEAF7_EBX) | LEAF7_EBX_TSC_ADJUST;
	id.ecx &= (uint32_t)LEAF7_ECX;
	if ((id.ecx & F(3)) && (vcpu->sys->cr4 & X86_CR4_PKE)) {
		id.ecx |= LEAF7_ECX_OSPKE;
	}
	id.edx &= LEAF7_EDX;
	return id;
}

/* XSAVE: components that an OS may not enable by XSETBV alone are not there. */
static struct x86_cpuid leaf_13(uint32_t subleaf, struct x86_cpuid id)
{
	if (subleaf == 1) {
		return (struct x86_cpuid){.eax = id.eax & LEAF13_1_EAX};
	}
	return id;
}

static struct x86_cpuid ours(void)
{
	return (struct x86_cpuid){LAST_OURS, 0x64797244, 0x446b636f, 0x6b647972}; /* DrydockDrydk */
}

static struct x86_cpuid ext_1(struct x86_cpuid id)
{
	id.ebx = 0;
	id.ecx = (id.ecx & EXT1_ECX) | EXT1_ECX_TOPOEXT;
	id.edx &= (uint32_t)EXT1_EDX;
	return id;
}

static struct x86_cpuid ext_8(const struct x86_vcpu *vcpu, struct x86_cpuid id)
{
	id.eax &= 0xffff; /* address widths */
	id.ebx &= EXT8_EBX;
	id.ecx = id_bits(vcpu) << 12 | (cores(vcpu) - 1);
	id.edx = 0;
	return id;
}

/* Caches, as AMD's CPUs list them: private. */
static struct x86_cpuid ext_1d(struct x86_cpuid id)
{
	id.eax &= 0x3fff;
	return id;
}

static struct x86_cpuid ext_1e(const struct x86_vcpu *vcpu)
{
	return (struct x86_cpuid){.eax = vcpu->hv.index, .ebx = vcpu->hv.index};
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

struct x86_cpuid x86_cpuid_get(const struct x86_vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
	struct x86_cpuid id = port_x86_cpuid(leaf, subleaf);

	switch (leaf) {
	case 0: id.eax = least(id.eax, LAST_BASIC); return id;
	case 1: return leaf_1(vcpu, id);
	case 2: return id;
	case 4: return leaf_4(vcpu, id);
	case 6: return (struct x86_cpuid){.eax = ARAT};
	case 7: return leaf_7(vcpu, subleaf, id);
	case 0xb: return topology(vcpu, subleaf);
	case 0xd: return leaf_13(subleaf, id);
	case 0x40000000: return ours();
	case 0x80000000: id.eax = least(id.eax, LAST_EXTENDED); return id;
	case 0x80000001: return ext_1(id);
	case 0x80000002: /* the name */
	case 0x80000003:
	case 0x80000004:
	case 0x80000005: /* caches and TLBs */
	case 0x80000006:
	case 0x80000019:
	case 0x8000001a: return id;
	case 0x80000007: return (struct x86_cpuid){.edx = id.edx & EXT7_EDX};
	case 0x80000008: return ext_8(vcpu, id);
	case 0x8000001d: return ext_1d(id);
	case 0x8000001e: return ext_1e(vcpu);
	default: return (struct x86_cpuid){0};
	}
}

void x86_cpuid(struct x86_vcpu *vcpu)
{
	uint64_t *r = vcpu->regs.r;
	struct x86_cpuid id = x86_cpuid_get(vcpu, (uint32_t)r[X86_RAX], (uint32_t)r[X86_RCX]);

	r[X86_RAX] = id.eax;
	r[X86_RBX] = id.ebx;
	r[X86_RCX] = id.ecx;
	r[X86_RDX] = id.edx;
}
