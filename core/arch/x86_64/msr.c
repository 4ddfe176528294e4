/* SPDX-License-Identifier: MIT */
/*
 * Numbers: APM2 appendix A, SDM4. Most that a kernel touches as it starts have no meaning in a
 * virtual machine: they read as what they say on a quiet CPU and swallow writes, or are remembered.
 */
#include "msr.h"
#include "cpuid.h"
#include "cr.h"
#include "priv.h"

#include <dev/lapic/lapic.h>

#define MSR_TSC            0x10u
#define MSR_PLATFORM_ID    0x17u
#define MSR_APIC_BASE      0x1bu
#define MSR_TSC_ADJUST     0x3bu
#define MSR_PATCH_LEVEL    0x8bu
#define MSR_PLATFORM_INFO  0xceu
#define MSR_MTRR_CAP       0xfeu
#define MSR_SYSENTER_ESP   0x175u
#define MSR_SYSENTER_EIP   0x176u
#define MSR_MCG_CAP        0x179u
#define MSR_MCG_STATUS     0x17au
#define MSR_MISC_ENABLE    0x1a0u
#define MSR_DEBUGCTL       0x1d9u
#define MSR_MTRR_RANGE     0x200u /* pairs of base and mask */
#define MSR_MTRR_64K       0x250u
#define MSR_MTRR_16K_LOW   0x258u
#define MSR_MTRR_16K_HIGH  0x259u
#define MSR_MTRR_4K        0x268u /* eight of them */
#define MSR_PAT            0x277u
#define MSR_MTRR_DEF       0x2ffu
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_EFER           0xc0000080u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u
#define MSR_PERF           0xc0010000u /* four selectors, four counters */
#define MSR_SYSCFG         0xc0010010u
#define MSR_HWCR           0xc0010015u
#define MSR_TOP_MEM        0xc001001au
#define MSR_TOP_MEM2       0xc001001du
#define MSR_NB_CFG         0xc001001fu
#define MSR_INT_PENDING    0xc0010055u
#define MSR_PSTATE_LIMIT   0xc0010061u
#define MSR_LS_CFG         0xc0011020u
#define MSR_DE_CFG         0xc0011029u
#define MSR_BU_CFG2        0xc001102au

#define CPUID_7_ECX_LA57 16u
#define MTRR_CAP         (X86_MTRR_VARIABLE / 2 | HV_BIT(8) | HV_BIT(10)) /* fixed ranges, WC */
#define MTRR_DEF_MASK    (MTRR_ENABLE | 0xff)
#define MISC_ENABLE      HV_BIT(0) /* fast strings, as power-on leaves it */
#define PAT_RESET        0x0007040600070406u
#define MTRR_WRITE_BACK  6u
#define MTRR_ENABLE      (HV_BIT(11) | HV_BIT(10)) /* all, and the fixed ones */
#define HWCR_TSC_FREQ    HV_BIT(24)                /* the TSC does not change its frequency */
#define DE_CFG_LFENCE    HV_BIT(1)                 /* LFENCE serializes */

/* ---- memory types: remembered; the nested tables say write-back ---- */

static bool is_type(uint64_t type)
{
	return type <= 6 && type != 2 && type != 3;
}

static bool are_types(uint64_t types)
{
	for (unsigned i = 0; i < 8; i++) {
		if (!is_type(types >> 8 * i & 0xff)) {
			return false;
		}
	}
	return true;
}

/* PAT also has UC-. */
static bool is_pat(uint64_t pat)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t type = pat >> 8 * i & 0xff;

		if (!is_type(type) && type != 7) {
			return false;
		}
	}
	return true;
}

static bool pat_set(struct x86_vcpu *vcpu, uint64_t value)
{
	if (!is_pat(value)) {
		return false;
	}
	vcpu->sys->pat = value;
	return true;
}

/* Where the MTRR of this number is; NULL: none has it. */
static uint64_t *mtrr(struct x86_vcpu *vcpu, uint32_t msr)
{
	if (msr - MSR_MTRR_RANGE < X86_MTRR_VARIABLE) {
		return &vcpu->mtrr[msr - MSR_MTRR_RANGE];
	}
	if (msr - MSR_MTRR_4K < 8) {
		return &vcpu->mtrr_fixed[3 + msr - MSR_MTRR_4K];
	}
	switch (msr) {
	case MSR_MTRR_64K: return &vcpu->mtrr_fixed[0];
	case MSR_MTRR_16K_LOW: return &vcpu->mtrr_fixed[1];
	case MSR_MTRR_16K_HIGH: return &vcpu->mtrr_fixed[2];
	case MSR_MTRR_DEF: return &vcpu->mtrr_def;
	default: return NULL;
	}
}

static bool is_mtrr_value(const struct x86_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t address = HV_MASK(vcpu->caps->pa_bits - 1u, 12);

	if (msr == MSR_MTRR_DEF) {
		return !(value & ~MTRR_DEF_MASK) && is_type(value & 0xff);
	}
	if (msr >= MSR_MTRR_64K) {
		return are_types(value);
	}
	return msr & 1 ? !(value & ~(address | HV_BIT(11)))
		       : !(value & ~(address | 0xff)) && is_type(value & 0xff);
}

/* ---- time ---- */

static uint64_t tsc(const struct x86_vcpu *vcpu)
{
	return port_x86_tsc() + vcpu->tsc_offset;
}

/* The TSC goes on from elsewhere, and TSC_ADJUST follows, or the other way round (SDM3 18.17.3). */
static void tsc_move(struct x86_vcpu *vcpu, uint64_t delta)
{
	vcpu->tsc_offset += delta;
	vcpu->tsc_adjust += delta;
	x86_look(vcpu);
}

static bool tsc_aux_set(struct x86_vcpu *vcpu, uint64_t value)
{
	if (value >> 32) {
		return false;
	}
	vcpu->tsc_aux = (uint32_t)value;
	port_x86_tsc_aux_set(vcpu->tsc_aux);
	return true;
}

/* ---- those that hold an address of the guest's ---- */

static uint64_t *address_of(struct x86_vcpu *vcpu, uint32_t msr)
{
	struct x86_sys *sys = vcpu->sys;

	switch (msr) {
	case MSR_SYSENTER_ESP: return &sys->sysenter_esp;
	case MSR_SYSENTER_EIP: return &sys->sysenter_eip;
	case MSR_LSTAR: return &sys->lstar;
	case MSR_CSTAR: return &sys->cstar;
	case MSR_FS_BASE: return &sys->seg[X86_FS].base;
	case MSR_GS_BASE: return &sys->seg[X86_GS].base;
	case MSR_KERNEL_GS_BASE: return &sys->kernel_gs_base;
	default: return NULL;
	}
}

/* By what the CPU can translate, not by what it does now (SDM1 3.3.7.1). */
static bool is_canonical(const struct x86_vcpu *vcpu, uint64_t address)
{
	bool la57 = hv_bit(x86_cpuid_get(vcpu, 7, 0).ecx, CPUID_7_ECX_LA57);

	return hv_sign_extend(address, la57 ? 57 : 48) == address;
}

/* ---- those that mean nothing here ---- */

/* `count` of them from `first` on read as this, and swallow what is written. */
static const struct quiet {
	uint32_t first, count;
	uint64_t value;
} quiet[] = {
	{MSR_PLATFORM_ID, 1, 0},
	{MSR_PATCH_LEVEL, 1, 0},
	{MSR_PLATFORM_INFO, 1, 0},
	{MSR_MCG_CAP, 1, 0}, /* no banks */
	{MSR_MCG_STATUS, 1, 0},
	{MSR_DEBUGCTL, 1, 0},
	{MSR_PERF, 8, 0}, /* that every AMD has; they count nothing */
	{MSR_SYSCFG, 1, 0},
	{MSR_HWCR, 1, HWCR_TSC_FREQ},
	{MSR_TOP_MEM, 1, 0},
	{MSR_TOP_MEM2, 1, 0},
	{MSR_NB_CFG, 1, 0},
	{MSR_INT_PENDING, 1, 0},
	{MSR_PSTATE_LIMIT, 1, 0},
	{MSR_LS_CFG, 4, 0}, /* IC, DC and BU too */
	{MSR_DE_CFG, 1, DE_CFG_LFENCE},
	{MSR_BU_CFG2, 1, 0},
};

static const struct quiet *find_quiet(uint32_t msr)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(quiet); i++) {
		if (msr - quiet[i].first < quiet[i].count) {
			return &quiet[i];
		}
	}
	return NULL;
}

/* ---- all ---- */

static bool is_x2apic(uint32_t msr)
{
	return msr - LAPIC_MSR < LAPIC_MSR_END - LAPIC_MSR;
}

static HV_COLD bool other_read(struct x86_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct quiet *row = find_quiet(msr);
	const uint64_t *kept = mtrr(vcpu, msr);

	if (!kept) {
		kept = address_of(vcpu, msr);
	}
	if (!row && !kept) {
		return false;
	}
	*value = row ? row->value : *kept;
	return true;
}

static HV_COLD bool other_write(struct x86_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t *range = mtrr(vcpu, msr), *address = address_of(vcpu, msr);

	if (range && is_mtrr_value(vcpu, msr, value)) {
		*range = value;
		return true;
	}
	if (address && is_canonical(vcpu, value)) {
		*address = value;
		return true;
	}
	return find_quiet(msr) != NULL;
}

bool x86_msr_read(struct x86_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (is_x2apic(msr)) {
		return lapic_msr_read(vcpu->lapic, msr, value);
	}
	switch (msr) {
	case MSR_APIC_BASE: *value = lapic_base_read(vcpu->lapic); return true;
	case MSR_TSC: *value = tsc(vcpu); return true;
	case MSR_TSC_ADJUST: *value = vcpu->tsc_adjust; return true;
	case MSR_TSC_AUX: *value = vcpu->tsc_aux; return true;
	case MSR_TSC_DEADLINE: *value = lapic_deadline_read(vcpu->lapic); return true;
	case MSR_EFER: *value = x86_efer(vcpu->sys); return true;
	case MSR_PAT: *value = vcpu->sys->pat; return true;
	case MSR_MISC_ENABLE: *value = vcpu->misc_enable; return true;
	case MSR_MTRR_CAP: *value = MTRR_CAP; return true;
	default: return other_read(vcpu, msr, value);
	}
}

bool x86_msr_write(struct x86_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (is_x2apic(msr)) {
		return lapic_msr_write(vcpu->lapic, msr, value);
	}
	switch (msr) {
	case MSR_TSC_DEADLINE: lapic_deadline_write(vcpu->lapic, value, tsc(vcpu)); return true;
	case MSR_APIC_BASE: return lapic_base_write(vcpu->lapic, value);
	case MSR_TSC: tsc_move(vcpu, value - tsc(vcpu)); return true;
	case MSR_TSC_ADJUST: tsc_move(vcpu, value - vcpu->tsc_adjust); return true;
	case MSR_TSC_AUX: return tsc_aux_set(vcpu, value);
	case MSR_EFER: return x86_efer_write(vcpu, value);
	case MSR_PAT: return pat_set(vcpu, value);
	case MSR_MISC_ENABLE: vcpu->misc_enable = value; return true;
	default: return other_write(vcpu, msr, value);
	}
}

void x86_msr_reset(struct x86_vcpu *vcpu)
{
	vcpu->tsc_offset -= vcpu->tsc_adjust;
	vcpu->tsc_adjust = 0;
	vcpu->tsc_aux = 0;
	port_x86_tsc_aux_set(0);
	vcpu->misc_enable = MISC_ENABLE;
	vcpu->mtrr_def = HV_BIT(11) | MTRR_WRITE_BACK; /* as firmware leaves them: all memory is */
	__builtin_memset(vcpu->mtrr, 0, sizeof(vcpu->mtrr));
	__builtin_memset(vcpu->mtrr_fixed, 0, sizeof(vcpu->mtrr_fixed));
	vcpu->sys->pat = PAT_RESET;
}
