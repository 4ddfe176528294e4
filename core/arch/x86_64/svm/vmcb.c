/* SPDX-License-Identifier: MIT */
/* What a guest's VMCB says before it runs: which of its instructions exit, and which do not. */
#include "svm.h"

#include <arch/x86_64/priv.h>

#define I(name) HV_BIT(SVM_INTERCEPT_##name)
#define J(name) HV_BIT(SVM_INTERCEPT_##name - 32)
#define K(name) HV_BIT(SVM_INTERCEPT_##name - 64)

/*
 * Not here: RDTSC, RDTSCP, PAUSE, INVLPG, XSETBV, task switches, debug registers, CR2, CR3: the
 * guest's own. IRET and VINTR come and go (entry.c).
 */
static const uint32_t intercepts[3] = {
	(uint32_t)(I(INTR) | I(NMI) | I(SMI) | I(INIT) | I(CR0_SELECTIVE) | I(RDPMC) | I(CPUID) |
		   I(INVD) | I(HLT) | I(INVLPGA) | I(IOIO) | I(MSR) | I(SHUTDOWN)),
	(uint32_t)(J(VMRUN) | J(VMMCALL) | J(VMLOAD) | J(VMSAVE) | J(STGI) | J(CLGI) | J(SKINIT) |
		   J(WBINVD) | J(MONITOR) | J(MWAIT) | J(MWAIT_ARMED) | J(RDPRU)),
	(uint32_t)(K(INVLPGB) | K(INVLPGB_ILLEGAL) | K(INVPCID) | K(MCOMMIT) | K(TLBSYNC)),
};

/*
 * #DB and #AC: one whose delivery raises the next would hold the CPU for ever, with no interrupt of
 * the host's in between (X16). #MC: the host's.
 */
#define EXCEPTIONS (HV_BIT(X86_DB) | HV_BIT(X86_AC) | HV_BIT(X86_MC))

/* CR4: QEMU does not check it for the guest. CR8: the TPR is the local APIC's. */
#define CR4 HV_BIT(4)
#define CR8 HV_BIT(8)

static void control_init(struct x86_vcpu *vcpu, const struct svm_cfg *cfg)
{
	struct svm_control *control = &svm_vmcb(vcpu)->control;

	control->intercept_cr_read = CR8;
	control->intercept_cr_write = CR4 | CR8;
	control->intercept_exceptions = (uint32_t)EXCEPTIONS;
	__builtin_memcpy(control->intercept, intercepts, sizeof(intercepts));
	control->iopm = cfg->iopm;
	control->msrpm = cfg->msrpm;
	control->asid = cfg->asid;
	control->vintr = SVM_VINTR_MASKING | SVM_VINTR_IGNORE_TPR;
	control->nested = SVM_NESTED_PAGING;
	control->nested_cr3 = vcpu->hv.vm->pt.root.v;
}

void svm_vmcb_init(struct x86_vcpu *vcpu, struct svm_vmcb *vmcb, const struct svm_cfg *cfg)
{
	__builtin_memset(vmcb, 0, sizeof(*vmcb));
	vcpu->vendor = vmcb;
	vcpu->sys = &vmcb->save;
	vmcb->save.efer = X86_EFER_SVME;
	control_init(vcpu, cfg);
}

/* ---- permission maps ---- */

/* Two bits per MSR, read and write; a range of 8192 MSRs takes 2 KiB (APM2 15.11). */
#define RANGE_MSRS 0x2000u

static void allow(uint8_t *msrpm, uint32_t msr, unsigned rights)
{
	uint32_t range = msr < RANGE_MSRS ? 0 : 1; /* from 0; from 0xc0000000 */
	uint32_t bit = (range * RANGE_MSRS + msr % RANGE_MSRS) * 2;

	msrpm[bit / 8] &= (uint8_t) ~(rights << bit % 8);
}

/*
 * What VMLOAD and VMSAVE swap with the host's. Writes of those that hold an address exit, as QEMU
 * does not check that it is canonical, and the guest would not survive its own mistake.
 */
enum { READ = 1, WRITE = 2 };
static const struct {
	uint32_t msr;
	uint8_t rights;
} own[] = {
	{0x174, READ | WRITE},      /* SYSENTER_CS */
	{0x175, READ},              /* SYSENTER_ESP */
	{0x176, READ},              /* SYSENTER_EIP */
	{0xc0000081, READ | WRITE}, /* STAR */
	{0xc0000082, READ},         /* LSTAR */
	{0xc0000083, READ},         /* CSTAR */
	{0xc0000084, READ | WRITE}, /* SFMASK */
	{0xc0000100, READ},         /* FS_BASE */
	{0xc0000101, READ},         /* GS_BASE */
	{0xc0000102, READ},         /* KERNEL_GS_BASE */
};

void svm_maps_init(uint8_t iopm[SVM_IOPM_SIZE], uint8_t msrpm[SVM_MSRPM_SIZE])
{
	__builtin_memset(iopm, 0xff, SVM_IOPM_SIZE);
	__builtin_memset(msrpm, 0xff, SVM_MSRPM_SIZE);
	for (size_t i = 0; i < HV_ARRAY_COUNT(own); i++) {
		allow(msrpm, own[i].msr, own[i].rights);
	}
}

void svm_tlb_flush(struct x86_vcpu *vcpu)
{
	svm_vmcb(vcpu)->control.tlb_control =
		vcpu->caps->has_flush_by_asid ? SVM_TLB_FLUSH_GUEST : SVM_TLB_FLUSH_ALL;
}
