/* SPDX-License-Identifier: MIT */
/* APM2 15.5 (SVM); 11.5 (XSAVE) and 11.4.4 (FXSAVE), whose images begin alike. */
#include "context.h"

#include <hv/bits.h>

#define FEATURE_XSAVE HV_BIT(26) /* leaf 1, ecx */
#define LEAF_XSAVE    0xdu       /* eax, edx: all bits that XCR0 can have */
#define CR4_OSXSAVE   HV_BIT(18)
#define XCR0_X87      1u

/* No component is in it, so each goes to its initial state; but MXCSR is loaded always. */
static const struct __attribute__((aligned(64))) {
	uint16_t fcw;
	uint8_t rest[22];
	uint32_t mxcsr;
	uint8_t more[484];
	uint8_t header[64];
} initial = {.fcw = 0x37f, .mxcsr = 0x1f80};

static bool has_xsave(void)
{
	return (cpuid(1, 0).ecx & FEATURE_XSAVE) != 0;
}

static void xcr0_set(uint32_t high, uint32_t low)
{
	__asm__ volatile("xsetbv" : : "c"(0), "d"(high), "a"(low) : "memory");
}

static void fp_enable(void)
{
	if (has_xsave()) {
		CR_WRITE(cr4, CR_READ(cr4) | CR4_OSXSAVE);
	}
}

static void fp_clear(void)
{
	struct x86_cpuid all;

	if (!has_xsave()) {
		__asm__ volatile("fxrstor64 %0" : : "m"(initial));
		return;
	}
	all = cpuid(LEAF_XSAVE, 0);
	xcr0_set(all.edx, all.eax);
	__asm__ volatile("xrstor64 %0" : : "m"(initial), "d"(all.edx), "a"(all.eax) : "memory");
	xcr0_set(0, XCR0_X87);
}

void context_enable(struct bm_cpu *cpu)
{
	struct bm_cpu_slot *slot = HV_CONTAINER_OF(cpu, struct bm_cpu_slot, cpu);

	fp_enable();
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, (uintptr_t)slot->host_save);
	/* From here on STGI alone lets interrupts in. */
	__asm__ volatile("clgi\n\tsti" : : : "memory");
	__asm__ volatile("vmsave %0" : : "a"(&slot->host_vmcb) : "memory");
}

void context_clear(const struct x86_vcpu *vcpu)
{
	fp_clear();
	CR_WRITE(db0, 0);
	CR_WRITE(db1, 0);
	CR_WRITE(db2, 0);
	CR_WRITE(db3, 0);
	port_x86_tsc_aux_set(vcpu->tsc_aux);
}
