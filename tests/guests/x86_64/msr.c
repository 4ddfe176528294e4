/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers: those that kernels use keep what is written or do what they should;
 * what there is not is #GP. QEMU itself answers for many that there are not, and checks few values.
 */
#include "guest.h"

#define MSR_TSC          0x10u
#define MSR_MTRR_CAP     0xfeu
#define MSR_MISC_ENABLE  0x1a0u
#define MSR_SYSENTER_CS  0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_MTRR_BASE0   0x200u
#define MSR_MTRR_MASK0   0x201u
#define MSR_MTRR_FIX64K  0x250u
#define MSR_PAT          0x277u
#define MSR_MTRR_DEF     0x2ffu
#define MSR_STAR         0xc0000081u
#define MSR_LSTAR        0xc0000082u
#define MSR_CSTAR        0xc0000083u
#define MSR_SFMASK       0xc0000084u
#define MSR_FS_BASE      0xc0000100u
#define MSR_GS_BASE      0xc0000101u
#define MSR_KERNEL_GS    0xc0000102u
#define MSR_TSC_AUX      0xc0000103u
#define EFER_LME         (1ull << 8)
#define EFER_LMA         (1ull << 10)
#define EFER_NXE         (1ull << 11)

static bool ours;

static void keeps(const char *name, uint32_t msr, uint64_t value)
{
	uint64_t was = rdmsr(msr);

	wrmsr(msr, value);
	check_eq(name, rdmsr(msr), value);
	wrmsr(msr, was);
	check_eq(name, rdmsr(msr), was);
}

static void refuses(const char *name, uint32_t msr, uint64_t value)
{
	uint64_t was, now;

	if (!ours) {
		return;
	}
	was = rdmsr(msr);
	check(name, !wrmsr_try(msr, value) && trap.vector == VECTOR_GP && trap.error == 0);
	check(name, rdmsr_try(msr, &now) && now == was);
}

static void none(const char *name, uint32_t msr)
{
	uint64_t value = 0x5555;

	if (!ours) {
		return;
	}
	check(name, !rdmsr_try(msr, &value) && trap.vector == VECTOR_GP && value == 0x5555);
	check(name, !wrmsr_try(msr, 0) && trap.vector == VECTOR_GP);
}

static void kept(void)
{
	keeps("STAR", MSR_STAR, 0x0023001000000000);
	keeps("LSTAR", MSR_LSTAR, 0xffffffff81000000);
	keeps("CSTAR", MSR_CSTAR, 0xffffffff81001000);
	keeps("SFMASK", MSR_SFMASK, 0x47700);
	keeps("KERNEL_GS_BASE", MSR_KERNEL_GS, 0xffff888000000000);
	keeps("FS_BASE", MSR_FS_BASE, 0x7f0012345678);
	keeps("GS_BASE", MSR_GS_BASE, 0xffff888012345000);
	keeps("SYSENTER_CS", MSR_SYSENTER_CS, 0x10);
	keeps("SYSENTER_ESP", MSR_SYSENTER_ESP, 0xfffffe0000003000);
	keeps("SYSENTER_EIP", MSR_SYSENTER_EIP, 0xffffffff81001800);
	keeps("PAT", MSR_PAT, 0x0407050600070106);
	keeps("a fixed MTRR", MSR_MTRR_FIX64K, 0x0606060606060606);
	keeps("a variable MTRR", MSR_MTRR_BASE0, 0x80000006);
	keeps("its mask", MSR_MTRR_MASK0, 0xff80000800);
	keeps("MTRRs' default", MSR_MTRR_DEF, 0xc06);
	if (cpuid(0x80000001, 0).edx >> 27 & 1) {
		uint32_t aux;

		wrmsr(MSR_TSC_AUX, 77);
		__asm__ volatile("rdtscp" : "=c"(aux)::"rax", "rdx");
		check_eq("TSC_AUX is what RDTSCP says", aux, 77);
		wrmsr(MSR_TSC_AUX, 0);
	}
}

/* SWAPGS and what the MSRs say of it. */
static void swap_gs(void)
{
	uint64_t gs;

	wrmsr(MSR_GS_BASE, 0x1000);
	wrmsr(MSR_KERNEL_GS, 0x2000);
	__asm__ volatile("swapgs" ::: "memory");
	gs = rdmsr(MSR_GS_BASE);
	check("SWAPGS", gs == 0x2000 && rdmsr(MSR_KERNEL_GS) == 0x1000);
	wrmsr(MSR_GS_BASE, 0);
	wrmsr(MSR_KERNEL_GS, 0);
}

static void efer(void)
{
	uint64_t was = rdmsr(MSR_EFER);

	check_eq(
		"EFER", was & (EFER_LME | EFER_LMA | EFER_NXE | 1), EFER_LME | EFER_LMA | EFER_NXE);
	if (ours) {
		check("no SVME", !(was >> 12 & 1));
	}
	refuses("SVME cannot be set", MSR_EFER, was | 1ull << 12);
	refuses("nor can reserved bits", MSR_EFER, was | 1ull << 40);
	refuses("LME does not change while paging is on", MSR_EFER, was & ~EFER_LME);
	wrmsr(MSR_EFER, was | 1);
	check_eq("SCE can", rdmsr(MSR_EFER), was | 1);
	wrmsr(MSR_EFER, was & ~EFER_NXE);
	check_eq("and NXE", rdmsr(MSR_EFER), was & ~EFER_NXE);
	wrmsr(MSR_EFER, was);
}

static void apic_base(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	check_eq("APIC_BASE: on, and of the first CPU", base & 0xfffff900, GUEST_LAPIC | 0x900);
	refuses("x2APIC without the APIC", MSR_APIC_BASE, (base & ~0x800ull) | 0x400);
	refuses("reserved bits", MSR_APIC_BASE, base | 1);
	refuses("an address that is too large", MSR_APIC_BASE, base | 1ull << 60);
}

static void tsc(void)
{
	uint64_t before = rdtsc(), adjust;

	if (!ours) {
		return; /* and RDMSR of it reads 0 */
	}
	check("RDMSR and RDTSC agree", rdmsr(MSR_TSC) >= before && rdmsr(MSR_TSC) <= rdtsc());
	wrmsr(MSR_TSC, 1ull << 40);
	check("the TSC can be set", rdtsc() >> 40 == 1);
	adjust = rdmsr(MSR_TSC_ADJUST);
	check("which TSC_ADJUST tells", adjust != 0);
	wrmsr(MSR_TSC_ADJUST, 0);
	check("and takes back", rdtsc() >> 40 == 0 && rdtsc() >= before);
	check("by name it goes on, too", rdmsr(MSR_TSC) >= before);
}

static void values(void)
{
	refuses("PAT of a type that there is not", MSR_PAT, 2);
	refuses("an MTRR of one", MSR_MTRR_FIX64K, 3);
	refuses("reserved bits of MTRRs' default", MSR_MTRR_DEF, 1ull << 63);
	if (ours) {
		uint64_t value;

		check("MTRRcap is not written", !wrmsr_try(MSR_MTRR_CAP, 0));
		check("it says how many there are",
			rdmsr_try(MSR_MTRR_CAP, &value) && (value & 0xff) == 8);
		check("and no more", !rdmsr_try(MSR_MTRR_BASE0 + 16, &value));
	}
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	ours = on_drydock();
	kept();
	swap_gs();
	efer();
	apic_base();
	tsc();
	values();
	none("an MSR that nobody has", 0x7fffffff);
	none("SVM's VM_CR", 0xc0010114);
	none("SVM's VM_HSAVE_PA", 0xc0010117);
	none("VMX's first", 0x480);
	none("FEATURE_CONTROL", 0x3a);
	none("Hyper-V's", 0x40000000);
	none("KVM's", 0x4b564d00);
	none("Xen's", 0x40000200);
	none("the end of the second range", 0xc0001fff);
	none("the last", ~0u);
}
