/* SPDX-License-Identifier: MIT */
/*
 * The loop: enter, exit, a64_trap_handle(), verdict. The hot path is exit_sync(): what it must look
 * at before it enters again is little, and everything else is behind settle().
 */
#include "caps.h"
#include "debug.h"
#include "el2.h"
#include "host_gic.h"
#include "irq.h"

#include <common/clock.h>
#include <hv/bits.h>

#define ESR_EC(esr) hv_bits(esr, 31, 26)
#define EC_HVC      0x16u
#define EC_SYSREG   0x18u

/* A data abort of a 32-bit instruction with a valid syndrome: EC 0x24, IL, ISV. */
#define ESR_HEAD(esr)   hv_bits(esr, 31, 24)
#define HEAD_DATA_ABORT 0x93u

#define MDCR_HPMN HV_MASK(4, 0)

/* ---- into the guest again, or out of guest_run() ---- */

static struct a64_regs *leave(struct el2_cpu *cpu, enum hv_verdict verdict)
{
	cpu->verdict = verdict;
	return NULL;
}

/* What was brought here may change in the CPU again; what core changed here is in the CPU by now.
 */
static inline struct a64_regs *go(struct a64_vcpu *vcpu)
{
	vcpu->el1_here = false;
	vcpu->gic.lr_here = false;
	return &vcpu->regs;
}

static __attribute__((noinline)) struct a64_regs *go_lr(struct a64_vcpu *vcpu)
{
	if (vcpu->gic.iface == GIC_IFACE_V2_SOFT) {
		vcpu->hcr = SYSREG_READ(hcr_el2);
		a64_lines_update(vcpu);
		SYSREG_WRITE(hcr_el2, vcpu->hcr);
	} else {
		host_gic_lr_flush(&vcpu->gic);
	}
	return go(vcpu);
}

/* The way in when there is more to do than to enter. */
static __attribute__((noinline)) struct a64_regs *settle(
	struct a64_vcpu *vcpu, enum hv_verdict verdict)
{
	struct el2_cpu *cpu = el2_this_cpu();
	uint32_t todo = atomic_load_explicit(&vcpu->hv.todo, memory_order_acquire);

	if (verdict != HV_RESUME) {
		return leave(cpu, verdict);
	}
	if (todo & HV_TODO_LEAVE) {
		return leave(cpu, HV_YIELD);
	}
	if (todo & HV_TODO_TIME) {
		deadline_set(cpu);
	}
	if (todo & HV_TODO_IRQ) {
		a64_entry_prepare(vcpu);
	}
	if (vcpu->el1_dirty) {
		el1_store(&vcpu->el1);
		vcpu->el1_dirty = false;
	}
	return vcpu->gic.lr_dirty ? go_lr(vcpu) : go(vcpu);
}

/* What must be looked at on every way in, and no more. */
static inline struct a64_regs *resume(struct a64_vcpu *vcpu, enum hv_verdict verdict)
{
	uint32_t todo = atomic_load_explicit(&vcpu->hv.todo, memory_order_relaxed);

	if (__builtin_expect((unsigned)verdict | todo | vcpu->el1_dirty, 0)) {
		return settle(vcpu, verdict);
	}
	return vcpu->gic.lr_dirty ? go_lr(vcpu) : go(vcpu);
}

/* The same after an access to a device, for which nothing of EL1 was brought here. */
static inline struct a64_regs *resume_device(struct a64_vcpu *vcpu)
{
	if (__builtin_expect(atomic_load_explicit(&vcpu->hv.todo, memory_order_relaxed) != 0, 0)) {
		return settle(vcpu, HV_RESUME);
	}
	if (vcpu->gic.lr_dirty) {
		return go_lr(vcpu);
	}
	vcpu->gic.lr_here = false;
	return &vcpu->regs;
}

/*
 * One function for each frequent class, with all of core's hot path in it: none pays for the stack
 * frame of another, or for calls that only tell files apart.
 */
#define HOT_PATH __attribute__((noinline, flatten))

static HOT_PATH struct a64_regs *exit_hvc(struct a64_vcpu *vcpu, uint64_t esr)
{
	return resume(vcpu, a64_trap_hvc(vcpu, esr));
}

static __attribute__((noinline)) struct a64_regs *exit_sysreg(struct a64_vcpu *vcpu, uint64_t esr)
{
	return resume(vcpu, a64_trap_sysreg(vcpu, esr));
}

static inline struct a64_trap trap_read(uint64_t esr)
{
	return (struct a64_trap){
		.esr = esr, .far = SYSREG_READ(far_el2), .hpfar = SYSREG_READ(hpfar_el2)};
}

static __attribute__((noinline)) struct a64_regs *exit_other(struct a64_vcpu *vcpu, uint64_t esr)
{
	struct a64_trap trap = trap_read(esr);

	return resume(vcpu, a64_trap_handle(vcpu, &trap));
}

static __attribute__((noinline)) struct a64_regs *exit_no_device(
	struct a64_vcpu *vcpu, uint64_t esr)
{
	struct a64_trap trap = trap_read(esr);

	return resume(vcpu, a64_trap_no_device(vcpu, &trap));
}

static HOT_PATH struct a64_regs *exit_data_abort(struct a64_vcpu *vcpu, uint64_t esr)
{
	bool done = a64_trap_device(vcpu, esr, SYSREG_READ(far_el2), SYSREG_READ(hpfar_el2));

	return __builtin_expect(done, 1) ? resume_device(vcpu) : exit_no_device(vcpu, esr);
}

/* Nearly all exits are devices' registers, by far. */
struct a64_regs *exit_sync(struct a64_regs *regs, uint64_t esr)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct a64_vcpu, regs);

	if (__builtin_expect(ESR_HEAD(esr) == HEAD_DATA_ABORT, 1)) {
		return exit_data_abort(vcpu, esr);
	}
	if (ESR_EC(esr) == EC_HVC) {
		return exit_hvc(vcpu, esr);
	}
	return ESR_EC(esr) == EC_SYSREG ? exit_sysreg(vcpu, esr) : exit_other(vcpu, esr);
}

struct a64_regs *exit_irq(struct a64_regs *regs)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct a64_vcpu, regs);

	vcpu->hv.stats.exits[HV_EXIT_HOST_IRQ]++;
	irq_handle(el2_this_cpu(), true);
	return resume(vcpu, HV_RESUME);
}

struct a64_regs *exit_serror(struct a64_regs *regs)
{
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct a64_vcpu, regs);

	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	vcpu->hcr = SYSREG_READ(hcr_el2);
	a64_serror(vcpu);
	SYSREG_WRITE(hcr_el2, vcpu->hcr);
	return resume(vcpu, HV_RESUME);
}

/* ---- the same with time counted ---- */

static void mark(struct el2_cpu *cpu, uint64_t *ticks)
{
	uint64_t now = clock_count();

	*ticks += now - cpu->times.mark;
	cpu->times.mark = now;
}

struct a64_regs *exit_sync_timed(struct a64_regs *regs, uint64_t esr)
{
	struct el2_cpu *cpu = el2_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_sync(regs, esr);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

struct a64_regs *exit_irq_timed(struct a64_regs *regs)
{
	struct el2_cpu *cpu = el2_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_irq(regs);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

struct a64_regs *exit_serror_timed(struct a64_regs *regs)
{
	struct el2_cpu *cpu = el2_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_serror(regs);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

/* ---- the life of a run ---- */

/* Traps that came after ARMv8.0, and that nobody has switched off yet: FEAT_HCX, FEAT_FGT. */
static void fine_traps_off(void)
{
	if (hv_bits(SYSREG_READ(id_aa64mmfr1_el1), 43, 40) != 0) {
		SYSREG_WRITE(HCRX_EL2, 0);
	}
	if (hv_bits(SYSREG_READ(id_aa64mmfr0_el1), 59, 56) != 0) {
		SYSREG_WRITE(HFGRTR_EL2, 0);
		SYSREG_WRITE(HFGWTR_EL2, 0);
		SYSREG_WRITE(HFGITR_EL2, 0);
		SYSREG_WRITE(HDFGRTR_EL2, 0);
		SYSREG_WRITE(HDFGWTR_EL2, 0);
	}
}

/* What the CPU keeps for this vCPU while it is its only one. */
static void context_load(struct el2_cpu *cpu, struct a64_vcpu *vcpu)
{
	const struct hv_pt *pt = &vcpu->hv.vm->pt;

	cpu->vcpu = vcpu;
	a64_vcpu_caps_set(vcpu, caps_get());
	deadline_init(cpu);
	SYSREG_WRITE(vtcr_el2, a64_vtcr(pt));
	SYSREG_WRITE(vttbr_el2, a64_vttbr(pt));
	SYSREG_WRITE(cptr_el2, a64_cptr());
	SYSREG_WRITE(mdcr_el2, a64_mdcr() | (SYSREG_READ(mdcr_el2) & MDCR_HPMN));
	SYSREG_WRITE(cnthctl_el2, a64_cnthctl());
	SYSREG_WRITE(hstr_el2, 0);
	fine_traps_off();
	SYSREG_WRITE(vpidr_el2, a64_vpidr());
	SYSREG_WRITE(vmpidr_el2, a64_vmpidr(vcpu));
	SYSREG_WRITE(cntvoff_el2, vcpu->cntvoff);
	ISB();
	TLBI(vmalls12e1is);
	DSB(ish);
	ISB();
}

/*
 * What core does not keep of a vCPU: nothing of one life is left for the next, and a vCPU that is
 * off has no timer that could fire. Nothing at EL2 changes these meanwhile.
 */
static void context_clear(void)
{
	SYSREG_WRITE(cntv_ctl_el0, 0);
	SYSREG_WRITE(cntv_cval_el0, 0);
	for (unsigned n = 0; n < 32; n++) {
		vreg_set(n, (const uint64_t[2]){0, 0});
	}
	debug_reset();
	ISB();
}

static bool vm_is_stopped(struct hv_vm *vm)
{
	bool stopped;

	port_lock(&vm->lock);
	stopped = vm->state != HV_VM_RUNNING && vm->state != HV_VM_PAUSED;
	port_unlock(&vm->lock);
	return stopped;
}

/* An interrupt that is pending wakes WFI although it is masked at EL2. */
static void idle(struct el2_cpu *cpu, bool timed)
{
	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	DSB(sy);
	WFI();
	if (timed) {
		mark(cpu, &cpu->times.idle);
	}
	irq_handle(cpu, false);
}

/* The CPU clears HCR_EL2.VSE when the guest takes its SError, so what it has is the truth. */
static void enter(struct el2_cpu *cpu, struct a64_vcpu *vcpu, bool timed)
{
	struct a64_regs *regs;

	SYSREG_WRITE(hcr_el2, vcpu->hcr);
	regs = settle(vcpu, HV_RESUME);
	ISB();
	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	if (regs) {
		guest_run(regs);
	}
	vcpu->hcr = SYSREG_READ(hcr_el2);
	deadline_set(cpu);
	if (cpu->verdict == HV_OFF) {
		context_clear();
		/* What is in the list registers yet would keep QEMU's WFI from waiting. */
		host_gic_lr_silence(&vcpu->gic);
	}
	hv_vcpu_leave(&vcpu->hv, cpu->verdict);
}

void machine_run(struct board *board, bool timed)
{
	struct el2_cpu *cpu = el2_this_cpu();
	struct a64_vcpu *vcpu = HV_CONTAINER_OF(board->vm->vcpu[cpu->index], struct a64_vcpu, hv);

	context_load(cpu, vcpu);
	context_clear();
	SYSREG_WRITE(vbar_el2, timed ? (uintptr_t)vectors_timed : (uintptr_t)vectors);
	ISB();
	cpu->times.mark = clock_count();
	while (!vm_is_stopped(board->vm)) {
		if (hv_vcpu_enter(&vcpu->hv, cpu->index) == HV_OK) {
			enter(cpu, vcpu, timed);
		} else {
			idle(cpu, timed);
		}
	}
	SYSREG_WRITE(vbar_el2, (uintptr_t)vectors);
	ISB();
	(void)a64_el1_get(vcpu); /* for a dump, which another CPU may write */
}
