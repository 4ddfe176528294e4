/* SPDX-License-Identifier: MIT */
/*
 * The loop: enter, exit, core's door, verdict. What must be looked at before the guest is entered
 * again is little; everything else is behind settle().
 */
#include "caps.h"
#include "hs.h"
#include "irq.h"

#include <hv/bits.h>

/* ---- into the guest again, or out of guest_run() ---- */

static struct rv64_regs *leave(struct hs_cpu *cpu, enum hv_verdict verdict)
{
	cpu->verdict = verdict;
	return NULL;
}

/* What was brought here may change in the CPU again; what core changed here is in the CPU by now.
 */
static inline struct rv64_regs *go(struct rv64_vcpu *vcpu)
{
	vcpu->vs_here = false;
	return &vcpu->regs;
}

/* The way in when there is more to do than to enter. A deadline that is due raises an interrupt. */
static __attribute__((noinline)) struct rv64_regs *settle(
	struct rv64_vcpu *vcpu, enum hv_verdict verdict)
{
	struct hs_cpu *cpu = hs_this_cpu();

	if (verdict != HV_RESUME) {
		return leave(cpu, verdict);
	}
	if (atomic_load_explicit(&vcpu->hv.todo, memory_order_acquire) & HV_TODO_TIME) {
		deadline_set(cpu);
	}
	if (atomic_load_explicit(&vcpu->hv.todo, memory_order_acquire) & HV_TODO_LEAVE) {
		return leave(cpu, HV_YIELD);
	}
	if (atomic_load_explicit(&vcpu->hv.todo, memory_order_acquire) & HV_TODO_IRQ) {
		struct rv64_hvip hvip = rv64_entry_prepare(vcpu);

		CSR_CLEAR(hvip, hvip.clear);
		CSR_SET(hvip, hvip.set);
	}
	if (vcpu->vs_dirty) {
		vs_store(&vcpu->vs);
		vcpu->vs_dirty = false;
	}
	return go(vcpu);
}

/* What must be looked at on every way in, and no more. */
static inline struct rv64_regs *resume(struct rv64_vcpu *vcpu, enum hv_verdict verdict)
{
	uint32_t todo = atomic_load_explicit(&vcpu->hv.todo, memory_order_relaxed);

	if (__builtin_expect((unsigned)verdict | todo | vcpu->vs_dirty, 0)) {
		return settle(vcpu, verdict);
	}
	return go(vcpu);
}

/* The same after an access to a device, for which nothing of vs was brought here. */
static inline struct rv64_regs *resume_device(struct rv64_vcpu *vcpu)
{
	if (__builtin_expect(atomic_load_explicit(&vcpu->hv.todo, memory_order_relaxed) != 0, 0)) {
		return settle(vcpu, HV_RESUME);
	}
	return &vcpu->regs;
}

static inline struct rv64_trap trap_read(uint64_t scause)
{
	return (struct rv64_trap){.scause = scause,
		.stval = CSR_READ(stval),
		.htval = CSR_READ(htval),
		.htinst = CSR_READ(htinst)};
}

/*
 * One function for each frequent class, with all of core's hot path in it: none pays for the stack
 * frame of another, or for calls that only tell files apart.
 */
#define HOT_PATH __attribute__((noinline, flatten))

static __attribute__((noinline)) struct rv64_regs *exit_other(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	return resume(vcpu, rv64_trap_handle(vcpu, trap));
}

/* Hidden from the compiler, which would keep both pointers. */
static inline struct rv64_vcpu *vcpu_of(struct rv64_regs *regs)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct rv64_vcpu, regs);

	__asm__("" : "+r"(vcpu));
	return vcpu;
}

static __attribute__((noinline)) struct rv64_regs *do_again(const struct rv64_trap *trap)
{
	hs_this_cpu()->again = *trap;
	return NULL;
}

/*
 * The CSRs are the guest's exit's until something faults here, which a fetch of its instruction
 * may: what must be kept across the device's own code is little.
 */
static inline struct rv64_regs *exit_device(struct rv64_regs *regs, uint64_t scause)
{
	struct rv64_vcpu *vcpu = vcpu_of(regs);
	struct rv64_trap trap = trap_read(scause), copy;
	enum rv64_device device = rv64_trap_device(vcpu, &trap, KEPT_BITS);

	if (__builtin_expect(device == RV64_DEVICE_DONE, 1)) {
		return resume_device(vcpu);
	}
	copy = device == RV64_DEVICE_NONE ? trap_read(scause) : trap;
	return do_again(&copy);
}

HOT_PATH struct rv64_regs *exit_load(struct rv64_regs *regs)
{
	return exit_device(regs, CAUSE_LOAD_GUEST);
}

HOT_PATH struct rv64_regs *exit_store(struct rv64_regs *regs)
{
	return exit_device(regs, CAUSE_STORE_GUEST);
}

struct rv64_regs *exit_again(struct rv64_regs *regs)
{
	struct hs_cpu *cpu = hs_this_cpu();
	struct rv64_trap trap = cpu->again;

	cpu->again.scause = 0;
	if (trap.scause == 0) {
		return NULL; /* the access was done, and settle() said to leave */
	}
	return exit_other(HV_CONTAINER_OF(regs, struct rv64_vcpu, regs), &trap);
}

HOT_PATH struct rv64_regs *exit_call(struct rv64_regs *regs)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct rv64_vcpu, regs);

	return resume(vcpu, rv64_trap_ecall(vcpu));
}

struct rv64_regs *exit_trap(struct rv64_regs *regs, uint64_t scause)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct rv64_vcpu, regs);
	struct rv64_trap trap = trap_read(scause);

	return exit_other(vcpu, &trap);
}

struct rv64_regs *exit_irq(struct rv64_regs *regs)
{
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(regs, struct rv64_vcpu, regs);

	vcpu->hv.stats.exits[HV_EXIT_HOST_IRQ]++;
	irq_handle(hs_this_cpu());
	return resume(vcpu, HV_RESUME);
}

/* ---- the same with time counted ---- */

static void mark(struct hs_cpu *cpu, uint64_t *ticks)
{
	uint64_t now = clock_count();

	*ticks += now - cpu->times.mark;
	cpu->times.mark = now;
}

struct rv64_regs *exit_call_timed(struct rv64_regs *regs)
{
	struct hs_cpu *cpu = hs_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_call(regs);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

struct rv64_regs *exit_trap_timed(struct rv64_regs *regs, uint64_t scause)
{
	struct hs_cpu *cpu = hs_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_trap(regs, scause);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

struct rv64_regs *exit_irq_timed(struct rv64_regs *regs)
{
	struct hs_cpu *cpu = hs_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_irq(regs);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

/* ---- the life of a run ---- */

/* What the CPU keeps for this vCPU while it is its only one. */
static void context_load(struct hs_cpu *cpu, struct rv64_vcpu *vcpu)
{
	const struct hv_pt *pt = &vcpu->hv.vm->pt;
	struct rv64_hcsrs hcsrs;

	cpu->vcpu = vcpu;
	rv64_vcpu_caps_set(vcpu, caps_get());
	hcsrs = rv64_hcsrs(vcpu);
	CSR_WRITE(hstatus, hcsrs.hstatus);
	CSR_WRITE(hedeleg, hcsrs.hedeleg);
	CSR_WRITE(hideleg, hcsrs.hideleg);
	CSR_WRITE(hcounteren, hcsrs.hcounteren);
	CSR_WRITE(henvcfg, hcsrs.henvcfg);
	CSR_WRITE(htimedelta, hcsrs.htimedelta);
	CSR_WRITE(hgeie, 0);
	CSR_WRITE(hgatp, rv64_hgatp(pt));
	__asm__ volatile(INSN_H("hfence.gvma") : : : "memory");
	__asm__ volatile(INSN_H("hfence.vvma") : : : "memory");
	deadline_init(cpu);
}

/*
 * What core does not keep of a vCPU: nothing of one life is left for the next, and a vCPU that is
 * off has nothing pending that would keep its CPU awake.
 */
static void context_clear(const struct rv64_vcpu *vcpu)
{
	CSR_SET(sstatus, SSTATUS_FS | SSTATUS_VS);
	if (hv_bit(vcpu->caps.exts, 'f' - 'a')) {
		fp_clear();
	}
	if (hv_bit(vcpu->caps.exts, 'v' - 'a')) {
		vector_clear();
	}
	CSR_WRITE(vsie, 0);
	CSR_WRITE(hvip, 0);
	if (vcpu->sstc) {
		CSR_WRITE(vstimecmp, UINT64_MAX);
	}
}

static bool vm_is_stopped(struct hv_vm *vm)
{
	bool stopped;

	port_lock(&vm->lock);
	stopped = vm->state != HV_VM_RUNNING && vm->state != HV_VM_PAUSED;
	port_unlock(&vm->lock);
	return stopped;
}

/*
 * An interrupt that is pending ends WFI although it is masked in HS-mode: ours, or one of the guest
 * that its vsie lets through.
 */
static void idle(struct hs_cpu *cpu, bool timed)
{
	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	WFI();
	if (timed) {
		mark(cpu, &cpu->times.idle);
	}
	irq_handle(cpu);
	if (port_rv64_pending()) {
		hv_vcpu_wake(&cpu->vcpu->hv, HV_TODO_IRQ);
	}
}

static void enter(struct hs_cpu *cpu, struct rv64_vcpu *vcpu, bool timed)
{
	struct rv64_regs *regs = settle(vcpu, HV_RESUME);

	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	if (regs) {
		guest_run(regs);
	}
	deadline_set(cpu);
	if (cpu->verdict == HV_OFF) {
		(void)rv64_vs_get(vcpu); /* for a dump */
		context_clear(vcpu);
	}
	hv_vcpu_leave(&vcpu->hv, cpu->verdict);
}

void machine_run(struct board *board, bool timed)
{
	struct hs_cpu *cpu = hs_this_cpu();
	struct rv64_vcpu *vcpu = HV_CONTAINER_OF(board->vm->vcpu[cpu->index], struct rv64_vcpu, hv);

	context_load(cpu, vcpu);
	context_clear(vcpu);
	CSR_WRITE(stvec, timed ? (uintptr_t)vector_timed : (uintptr_t)vector);
	cpu->times.mark = clock_count();
	while (!vm_is_stopped(board->vm)) {
		if (hv_vcpu_enter(&vcpu->hv, cpu->index) == HV_OK) {
			enter(cpu, vcpu, timed);
		} else {
			idle(cpu, timed);
		}
	}
	(void)rv64_vs_get(vcpu); /* for a dump, which another CPU may write */
}
