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

static bool leave(struct bm_cpu *cpu, enum hv_verdict verdict)
{
	cpu->verdict = verdict;
	return false;
}

/* The way in when there is more to do than to enter. A deadline that is due raises an interrupt. */
bool settle(struct x86_vcpu *vcpu, enum hv_verdict verdict)
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
	return true;
}

/* An interrupt of ours is what ended the guest's turn. */
static __attribute__((noinline)) enum hv_verdict exit_irq(struct x86_vcpu *vcpu)
{
	enum hv_verdict verdict = svm_exit_handle(vcpu);

	irq_take();
	return verdict;
}

static enum hv_verdict exit_any(struct x86_vcpu *vcpu)
{
	if (__builtin_expect(svm_vmcb(vcpu)->control.exit_code == SVM_EXIT(INTR), 0)) {
		return exit_irq(vcpu);
	}
	return svm_exit_handle(vcpu);
}

/* ---- the same with time counted ---- */

static void mark(struct bm_cpu *cpu, uint64_t *ticks)
{
	uint64_t now = clock_count();

	*ticks += now - cpu->times.mark;
	cpu->times.mark = now;
}

static enum hv_verdict exit_timed(struct x86_vcpu *vcpu)
{
	struct bm_cpu *cpu = bm_this_cpu();
	enum hv_verdict verdict;

	mark(cpu, &cpu->times.guest);
	verdict = exit_any(vcpu);
	mark(cpu, &cpu->times.hypervisor);
	return verdict;
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
	bool enters = settle(vcpu, HV_RESUME);

	if (timed) {
		mark(cpu, &cpu->times.hypervisor);
	}
	if (enters) {
		guest_run(vcpu, vcpu->vendor, &slot->host_vmcb, timed ? exit_timed : exit_any);
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
