/* SPDX-License-Identifier: MIT */
/*
 * The guest of the tests, in long mode: each exit ends guest_run(). The VMCB is this file's own, of
 * the fewest fields that do. Guest addresses reach further than instructions can without paging, so
 * the guest has tables, too: three GiBs of its address space, each of which may mean any.
 */
#include <parts/check.h>
#include <parts/cpu.h>

#include <bm.h>
#include <caps.h>
#include <context.h>
#include <hv/bits.h>

/* Where guest_code.S has each piece. */
static const uint8_t place[] = {
	[CPU_EXIT] = 0x00, [CPU_LOAD] = 0x10, [CPU_STORE] = 0x20, [CPU_FETCH] = 0x30};

#define IA_BITS 40u
#define GIB     HV_GIB(1)

/* What we put into the guest's memory, where no test puts anything. */
#define GPA_OWN  HV_GIB(16)
#define GPA_CODE (GPA_OWN + sizeof(own))

enum slot { SLOT_CODE, SLOT_DATA, SLOT_OWN };
#define LINEAR(slot, gpa) (GIB * (slot) + (gpa) % GIB)

/* From here on the host has no memory. */
#define PA_NONE HV_GIB(64)

static struct {
	uint64_t pml4[512], pdpt[512];
	uint8_t stack[HV_PAGE_SIZE];
} own __attribute__((aligned(HV_PAGE_SIZE)));

static uint8_t maps[SVM_IOPM_SIZE] __attribute__((aligned(HV_PAGE_SIZE))); /* no bit is looked at */
static struct x86_vcpu vcpu;
static bool moved; /* the guest's own tables have changed */

#define PTE_TABLE 0x03u
#define PTE_GIB   0xe3u /* a leaf; accessed and dirty already */

static struct svm_vmcb *vmcb(void)
{
	return &cpu_slots[0].guest_vmcb;
}

static void slot_set(enum slot slot, uint64_t gpa)
{
	uint64_t leaf = hv_align_down(gpa, GIB) | PTE_GIB;

	moved = moved || own.pdpt[slot] != leaf;
	own.pdpt[slot] = leaf;
}

/* ---- the guest's record ---- */

#define EFER_LMA    (1u << 10)
#define CODE_64     (X86_SEG_P | X86_SEG_S | 0xb | X86_SEG_L | X86_SEG_G)
#define DATA        (X86_SEG_P | X86_SEG_S | 0x3 | X86_SEG_D | X86_SEG_G)
#define BUSY_TSS    (X86_SEG_P | 0xb)
#define RFLAGS_NONE 2u
#define DR7_NONE    0x400u
#define DR6_NONE    0xffff0ff0u
#define PAT_RESET   0x0007040600070406u

static void control_fill(struct svm_control *control, const struct hv_pt *pt)
{
	__builtin_memset(control, 0, sizeof(*control));
	control->intercept_exceptions = UINT32_MAX;
	control->intercept[0] = 1u << SVM_INTERCEPT_INTR | 1u << SVM_INTERCEPT_SHUTDOWN;
	control->intercept[1] =
		1u << (SVM_INTERCEPT_VMRUN - 32) | 1u << (SVM_INTERCEPT_VMMCALL - 32);
	control->iopm = control->msrpm = (uintptr_t)maps;
	control->asid = pt->vmid;
	control->vintr = SVM_VINTR_MASKING;
	control->nested = SVM_NESTED_PAGING;
	control->nested_cr3 = pt->root.v;
}

static void sys_fill(struct x86_sys *sys)
{
	__builtin_memset(sys, 0, sizeof(*sys));
	for (unsigned n = 0; n < X86_GDTR; n++) {
		sys->seg[n] = (struct x86_seg){
			.selector = 8, .attrib = n == X86_CS ? CODE_64 : DATA, .limit = UINT32_MAX};
	}
	sys->seg[X86_TR] = (struct x86_seg){.attrib = BUSY_TSS, .limit = 0x67};
	sys->efer = EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE;
	sys->cr0 = CR0_OURS;
	sys->cr4 = CR4_OURS;
	sys->cr3 = GPA_OWN;
	sys->rflags = RFLAGS_NONE;
	sys->dr6 = DR6_NONE;
	sys->dr7 = DR7_NONE;
	sys->pat = PAT_RESET;
}

static bool map(struct hv_pt *pt, uint64_t gpa, const void *at, uint64_t size, uint8_t prot)
{
	const struct hv_pt_map map = {
		.ia = GPA(gpa), .pa = HPA((uintptr_t)at), .size = size, .prot = prot};

	return hv_pt_map(pt, &map) == HV_OK;
}

struct cpu_guest cpu_guest(void)
{
	uint8_t most = caps_get()->pa_bits;

	return (struct cpu_guest){
		.fmt = &x86_npt_fmt, .ia_bits = most < IA_BITS ? most : IA_BITS, .pa_bits = most};
}

void cpu_guest_use(struct hv_pt *pt)
{
	struct bm_cpu *cpu = bm_this_cpu();

	check("own tables",
		map(pt, GPA_OWN, &own, sizeof(own), HV_PROT_R | HV_PROT_W) &&
			map(pt, GPA_CODE, cpu_guest_code, HV_PAGE_SIZE, HV_PROT_R | HV_PROT_X));
	context_enable(cpu);
	vcpu.vendor = vmcb();
	vcpu.sys = &vmcb()->save;
	cpu->vcpu = &vcpu;
	cpu->flush_due = true;
	own.pml4[0] = (GPA_OWN + offsetof(__typeof__(own), pdpt)) | PTE_TABLE;
	slot_set(SLOT_OWN, GPA_OWN);
	control_fill(&vmcb()->control, pt);
	sys_fill(&vmcb()->save);
}

/* ---- runs ---- */

static enum hv_verdict on_exit(struct x86_vcpu *its)
{
	return svm_vmcb(its)->control.exit_code == SVM_EXIT(INTR) ? HV_RESUME : HV_YIELD;
}

static void run(void)
{
	struct bm_cpu *cpu = bm_this_cpu();

	vmcb()->control.tlb_control = cpu->flush_due || moved ? SVM_TLB_FLUSH_ALL : SVM_TLB_KEEP;
	cpu->flush_due = moved = false;
	atomic_store(&vcpu.hv.todo, 0);
	guest_run(&vcpu, vmcb(), &cpu_slots[0].host_vmcb, on_exit);
}

uint64_t cpu_guest_exit(void)
{
	return vmcb()->control.exit_code;
}

static enum cpu_answer answer(void)
{
	const struct svm_control *control = &vmcb()->control;

	switch (control->exit_code) {
	case SVM_EXIT(VMMCALL): return CPU_FINE;
	case SVM_EXIT_NPF:
		if (!(control->exit_info1 & SVM_NPF_FINAL)) {
			return CPU_OTHER;
		}
		return control->exit_info1 & SVM_NPF_PRESENT ? CPU_DENIED : CPU_ABSENT;
	default: return CPU_OTHER;
	}
}

struct cpu_run cpu_guest_run(uint64_t code, enum cpu_code what, uint64_t data, uint64_t value)
{
	slot_set(SLOT_CODE, code);
	slot_set(SLOT_DATA, data);
	vcpu.sys->rip = LINEAR(SLOT_CODE, code) + place[what];
	vcpu.regs.r[X86_RAX] = value;
	vcpu.regs.r[X86_RBX] = LINEAR(SLOT_DATA, data);
	vcpu.regs.r[X86_RSP] = LINEAR(SLOT_OWN, GPA_OWN) + sizeof(own);
	run();
	return (struct cpu_run){.answer = answer(), .value = vcpu.regs.r[X86_RAX]};
}

struct cpu_look cpu_guest_look(uint64_t gpa, bool write, uint64_t pa)
{
	struct cpu_run ran = cpu_guest_run(GPA_CODE, write ? CPU_STORE : CPU_LOAD, gpa, pa);
	bool told = !write && pa < PA_NONE;

	return (struct cpu_look){.answer = ran.answer, .pa = told ? ran.value : UINT64_MAX};
}

/* ---- X23 ---- */

struct fxsave {
	uint16_t control, status;
	uint8_t tag, reserved;
	uint16_t opcode;
	uint64_t ip, dp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t st[8][16];
	uint64_t xmm[16][2];
	uint8_t rest[96];
} __attribute__((aligned(16)));

#define X87_INITIAL 0x37fu
#define MXCSR_RESET 0x1f80u

/* Only VMLOAD and VMSAVE switch these; addresses are canonical. */
static uint64_t *switched(unsigned n)
{
	struct x86_sys *sys = vcpu.sys;
	uint64_t *const all[] = {&sys->seg[X86_FS].base, &sys->seg[X86_GS].base,
		&sys->kernel_gs_base, &sys->lstar, &sys->cstar, &sys->star, &sys->sysenter_esp,
		&sys->sysenter_eip};

	return n < HV_ARRAY_COUNT(all) ? all[n] : NULL;
}

static bool switched_same(uint64_t seed, bool set)
{
	bool same = true;

	for (unsigned n = 0; switched(n); n++) {
		uint64_t value = hv_bits(cpu_draw(&seed), 46, 0);

		if (set) {
			*switched(n) = value;
		}
		same = same && *switched(n) == value;
	}
	return same;
}

void cpu_guest_keeps(uint64_t code, uint64_t *random)
{
	struct fxsave want = {.control = X87_INITIAL, .mxcsr = MXCSR_RESET}, got;
	uint64_t seed = cpu_draw(random), rip = LINEAR(SLOT_CODE, code) + place[CPU_EXIT];
	struct x86_regs in;
	bool same = true;

	slot_set(SLOT_CODE, code);
	for (unsigned n = 0; n < X86_GPRS; n++) {
		in.r[n] = cpu_draw(random);
		want.xmm[n][0] = cpu_draw(random);
		want.xmm[n][1] = cpu_draw(random);
	}
	(void)switched_same(seed, true);
	vcpu.sys->rip = rip;
	vcpu.regs = in;
	__asm__ volatile("fxrstor64 %0" : : "m"(want));
	run();
	__asm__ volatile("fxsave64 %0" : "=m"(got));
	for (unsigned n = 0; n < X86_GPRS; n++) {
		same = same && vcpu.regs.r[n] == in.r[n];
	}
	check("general registers", same);
	check("SSE registers", __builtin_memcmp(got.xmm, want.xmm, sizeof(want.xmm)) == 0);
	check("what VMLOAD and VMSAVE switch", switched_same(seed, false));
	check("RIP of the call", vcpu.sys->rip == rip);
	check("our own GS", bm_this_cpu() == bm_cpu(0));
	check("call", answer() == CPU_FINE);
}
