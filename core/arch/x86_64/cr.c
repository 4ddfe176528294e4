/* SPDX-License-Identifier: MIT */
/* Source: APM2 3.1.1, 3.1.3, 3.1.7, 14.6 (into long mode and out of it). */
#include "cr.h"
#include "code.h"
#include "cpuid.h"
#include "priv.h"

#include <dev/lapic/lapic.h>

#define CR0_KNOWN                                                                                  \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE |             \
		X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

static bool is_cr0(const struct x86_sys *sys, uint64_t value)
{
	bool paging = (value & X86_CR0_PG) != 0;

	if (value >> 32 || (paging && !(value & X86_CR0_PE)) ||
		(value & (X86_CR0_NW | X86_CR0_CD)) == X86_CR0_NW) {
		return false;
	}
	/* Into long mode with PAE only, and not from 64-bit code. */
	return !paging || (sys->cr0 & X86_CR0_PG) || !(sys->efer & X86_EFER_LME) ||
	       ((sys->cr4 & X86_CR4_PAE) && !(sys->seg[X86_CS].attrib & X86_SEG_L));
}

/* 64-bit code cannot leave long mode by this. */
static bool leaves_long(const struct x86_sys *sys, uint64_t cr0)
{
	return x86_is_long(sys) && !(cr0 & X86_CR0_PG);
}

bool x86_cr0_write(struct x86_vcpu *vcpu, uint64_t value)
{
	struct x86_sys *sys = vcpu->sys;

	if (!is_cr0(sys, value) || leaves_long(sys, value)) {
		return false;
	}
	sys->cr0 = (value & CR0_KNOWN) | X86_CR0_ET;
	sys->efer &= ~X86_EFER_LMA;
	if ((value & X86_CR0_PG) && (sys->efer & X86_EFER_LME)) {
		sys->efer |= X86_EFER_LMA;
	}
	x86_code_forget(vcpu);
	return true;
}

/* ---- CR4 ---- */

struct feature {
	uint64_t bit;
	uint32_t leaf;
	uint8_t reg; /* 0: EAX … 3: EDX */
	uint8_t at;
};
enum { EBX = 1, ECX, EDX };

static const struct feature cr4_features[] = {
	{X86_CR4_UMIP, 7, ECX, 2},
	{X86_CR4_LA57, 7, ECX, 16},
	{X86_CR4_FSGSBASE, 7, EBX, 0},
	{X86_CR4_OSXSAVE, 1, ECX, 26},
	{X86_CR4_SMEP, 7, EBX, 7},
	{X86_CR4_SMAP, 7, EBX, 20},
	{X86_CR4_PKE, 7, ECX, 3},
};
#define CR4_ALWAYS HV_MASK(10, 0)

static bool has(const struct x86_vcpu *vcpu, const struct feature *feature)
{
	const struct x86_cpuid id = x86_cpuid_get(vcpu, feature->leaf, 0);
	const uint32_t reg[] = {id.eax, id.ebx, id.ecx, id.edx};

	return hv_bit(reg[feature->reg], feature->at);
}

/* Only what is newly set is asked for: what was, is there. */
static bool may_set(const struct x86_vcpu *vcpu, uint64_t bits)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(cr4_features); i++) {
		if ((bits & cr4_features[i].bit) && has(vcpu, &cr4_features[i])) {
			bits &= ~cr4_features[i].bit;
		}
	}
	return !(bits & ~CR4_ALWAYS);
}

bool x86_cr4_write(struct x86_vcpu *vcpu, uint64_t value)
{
	struct x86_sys *sys = vcpu->sys;
	uint64_t changed = sys->cr4 ^ value;

	if (!may_set(vcpu, value & changed)) {
		return false;
	}
	if ((sys->efer & X86_EFER_LMA) && (changed & (X86_CR4_PAE | X86_CR4_LA57))) {
		return false;
	}
	sys->cr4 = value;
	x86_code_forget(vcpu);
	return true;
}

/* ---- CR8: the local APIC's TPR, whose only home that is ---- */

bool x86_cr8_write(struct x86_vcpu *vcpu, uint64_t value)
{
	if (value > 15) {
		return false;
	}
	lapic_cr8_set(vcpu->lapic, (uint8_t)value);
	return true;
}

uint64_t x86_cr8(const struct x86_vcpu *vcpu)
{
	return lapic_cr8(vcpu->lapic);
}

/* ---- EFER ---- */

static const struct feature efer_features[] = {
	{X86_EFER_SCE, 0x80000001, EDX, 11},
	{X86_EFER_LME, 0x80000001, EDX, 29},
	{X86_EFER_NXE, 0x80000001, EDX, 20},
	{X86_EFER_FFXSR, 0x80000001, EDX, 25},
};

static bool is_efer(const struct x86_vcpu *vcpu, uint64_t value)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(efer_features); i++) {
		if ((value & efer_features[i].bit) && has(vcpu, &efer_features[i])) {
			value &= ~efer_features[i].bit;
		}
	}
	return value == 0;
}

uint64_t x86_efer(const struct x86_sys *sys)
{
	return sys->efer & ~X86_EFER_SVME;
}

/* LMA is the CPU's: what is written to it is not looked at. */
bool x86_efer_write(struct x86_vcpu *vcpu, uint64_t value)
{
	const uint64_t own = X86_EFER_LMA | X86_EFER_SVME;
	struct x86_sys *sys = vcpu->sys;

	value &= ~X86_EFER_LMA;
	if (!is_efer(vcpu, value) ||
		(((sys->efer ^ value) & X86_EFER_LME) && (sys->cr0 & X86_CR0_PG))) {
		return false;
	}
	sys->efer = value | (sys->efer & own);
	x86_code_forget(vcpu);
	return true;
}
