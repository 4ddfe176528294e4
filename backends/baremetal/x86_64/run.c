/* SPDX-License-Identifier: MIT */
/*
 * The loop: enter, exit, core's door, verdict. What must be looked at before the guest is entered
 * again is little; everything else is behind settle().
 */
#include "bm.h"
#include "context.h"
#include "irq.h"

#include <hv/bits.h>

/* ---- into the guest again, or out of guest_run() ---- */

static struct x86_regs *leave(struct bm_cpu *cpu, enum hv_verdict verdict)
{
	cpu->verdict = verdict;
	return NULL;
}

/* The way in when there is more to do than to enter. A deadline that is due raises an interrupt. */
static __attribute__((noinline)) struct x86_regs *settle(
	struct x86_vcpu *vcpu, enum hv_verdict verdict)
{
	struct bm_cpu *cpu = bm_this_cpu();

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
		verdict = svm_entry_prepare(vcpu);
		if (verdict != HV_RESUME) {
			return leave(cpu, verdict);
		}
	}
	if (cpu->flush_due) {
		cpu->flush_due = false;
		svm_tlb_flush(vcpu);
	}
	return &vcpu->regs;
}

/* What must be looked at on every way in, and no more. */
static inline struct x86_regs *resume(struct x86_vcpu *vcpu, enum hv_verdict verdict)
{
	uint32_t todo = atomic_load_explicit(&vcpu->hv.todo, memory_order_relaxed);

	if (__builtin_expect((unsigned)verdict | todo, 0)) {
		return settle(vcpu, verdict);
	}
	return &vcpu->regs;
}

/* An interrupt of ours is what ended the guest's turn. */
static __attribute__((noinline)) struct x86_regs *exit_irq(struct x86_vcpu *vcpu)
{
	enum hv_verdict verdict = svm_exit_handle(vcpu);

	irq_take();
	return resume(vcpu, verdict);
}

static struct x86_regs *exit_any(struct x86_regs *regs)
{
	struct x86_vcpu *vcpu = HV_CONTAINER_OF(regs, struct x86_vcpu, regs);

	if (__builtin_expect(svm_vmcb(vcpu)->control.exit_code == SVM_EXIT(INTR), 0)) {
		return exit_irq(vcpu);
	}
	return resume(vcpu, svm_exit_handle(vcpu));
}

/* ---- the same with time counted ---- */

static void mark(struct bm_cpu *cpu, uint64_t *ticks)
{
	uint64_t now = clock_count();

	*ticks += now - cpu->times.mark;
	cpu->times.mark = now;
}

static struct x86_regs *exit_timed(struct x86_regs *regs)
{
	struct bm_cpu *cpu = bm_this_cpu();

	mark(cpu, &cpu->times.guest);
	regs = exit_any(regs);
	mark(cpu, &cpu->times.hypervisor);
	return regs;
}

/* ---- the life of a run ---- */

static bool vm_is_stopped(struct hv_vm *vm)
{
	bool stopped;

	port_lock(&vm->lock);
	stopped = vm->state != HV_VM_RUNNING && vm->state != HV_VM_PAUSED;
	port_unlock(&vm->lock);
	return stopped;
}

/* An interrupt that came up since we looked is pending, and ends it at once. */
static void idle(struct bm_cpu *cpu, bool timed)
{
	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	irq_wait();
	if (timed) {
		mark(cpu, &cpu->times.idle);
	}
}

static void enter(struct bm_cpu *cpu, struct x86_vcpu *vcpu, bool timed)
{
	struct bm_cpu_slot *slot = HV_CONTAINER_OF(cpu, struct bm_cpu_slot, cpu);
	struct x86_regs *regs = settle(vcpu, HV_RESUME);

	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	if (regs) {
		guest_run(regs, vcpu->vendor, &slot->host_vmcb, timed ? exit_timed : exit_any);
	}
	deadline_set(cpu);
	if (cpu->verdict == HV_OFF) {
		context_clear(vcpu);
	}
	hv_vcpu_leave(&vcpu->hv, cpu->verdict);
}

void machine_run(struct board *board, bool timed)
{
	struct bm_cpu *cpu = bm_this_cpu();
	struct x86_vcpu *vcpu = HV_CONTAINER_OF(board->vm->vcpu[cpu->index], struct x86_vcpu, hv);

	cpu->flush_due = true;
	cpu->vcpu = vcpu;
	context_clear(vcpu);
	deadline_init(cpu);
	cpu->times.mark = clock_count();
	while (!vm_is_stopped(board->vm)) {
		if (hv_vcpu_enter(&vcpu->hv, cpu->index) == HV_OK) {
			enter(cpu, vcpu, timed);
		} else {
			idle(cpu, timed);
		}
	}
	cpu->vcpu = NULL;
}
