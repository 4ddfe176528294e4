/* SPDX-License-Identifier: MIT */
/*
 * The life of one vCPU. Whoever changes todo or state holds the vCPU's lock, and every change ends
 * in settle(): so a wake-up either finds the vCPU blocked, or is found by the vCPU when it wants to
 * block. There is no third place where it could get lost (S4).
 */
#include "life.h"

#include <hv/check.h>

/* Where a vCPU comes to rest that would rest in `state`, given what it has to do. */
static enum hv_vcpu_state settle(enum hv_vcpu_state state, uint32_t todo)
{
	bool waits = state == HV_VCPU_READY || state == HV_VCPU_BLOCKED;

	if (waits && (todo & HV_TODO_STOP)) {
		return HV_VCPU_OFF;
	}
	if (state == HV_VCPU_BLOCKED && (todo & ~(uint32_t)(HV_TODO_PAUSE | HV_TODO_TIME))) {
		return HV_VCPU_READY;
	}
	return state;
}

/* A move that the caller knows to be legal. */
static void move(struct hv_vcpu_held held, enum hv_vcpu_state to)
{
	enum hv_status status = hv_vcpu_move(held, to);

	HV_CHECK(status == HV_OK);
}

struct hv_vcpu_held hv_vcpu_hold(struct hv_vcpu *vcpu)
{
	port_lock(&vcpu->lock);
	return (struct hv_vcpu_held){.vcpu = vcpu};
}

void hv_vcpu_drop(struct hv_vcpu_held held)
{
	port_unlock(&held.vcpu->lock);
}

enum hv_status hv_vcpu_move(struct hv_vcpu_held held, enum hv_vcpu_state to)
{
	if (!hv_vcpu_has_edge(held.vcpu->state, to)) {
		return HV_ERR_STATE;
	}
	held.vcpu->state = to;
	return HV_OK;
}

enum hv_status hv_vcpu_enter(struct hv_vcpu *vcpu, uint16_t pcpu)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);
	uint32_t todo = atomic_load(&vcpu->todo);
	gpa_t pc = vcpu->on_pc;
	uint64_t arg = vcpu->on_arg;
	enum hv_status status = HV_ERR_STATE;

	if (!(todo & HV_TODO_LEAVE)) {
		status = hv_vcpu_move(held, HV_VCPU_RUNNING);
	}
	if (status == HV_OK) {
		vcpu->pcpu = pcpu;
		atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_RESET);
	}
	hv_vcpu_drop(held);
	/* RUNNING: the registers are ours now. The arch may take locks of a lower rank. */
	if (status == HV_OK && (todo & HV_TODO_RESET)) {
		vcpu->vm->arch->reset(vcpu, pc, arg);
	}
	return status;
}

void hv_vcpu_leave(struct hv_vcpu *vcpu, enum hv_verdict verdict)
{
	static const enum hv_vcpu_state after[] = {
		[HV_RESUME] = HV_VCPU_READY,
		[HV_YIELD] = HV_VCPU_READY,
		[HV_BLOCK] = HV_VCPU_BLOCKED,
		[HV_FAULT] = HV_VCPU_DEAD, /* never leaves core */
		[HV_OFF] = HV_VCPU_OFF,
		[HV_CRASH] = HV_VCPU_DEAD,
	};
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);

	HV_CHECK(vcpu->state == HV_VCPU_RUNNING);
	move(held, settle(after[verdict], atomic_load(&vcpu->todo)));
	hv_vcpu_drop(held);
}

/*
 * What was to do before has been kicked for, or will be seen before entry. A vCPU that is off has
 * nothing to do at a stop, but its physical CPU waits for it.
 */
static bool needs_kick(enum hv_vcpu_state state, uint32_t news)
{
	return (state == HV_VCPU_RUNNING && news) || (news & HV_TODO_STOP);
}

/*
 * The kick comes after the lock, which is the first thing that the kicked CPU takes. Should the
 * vCPU be elsewhere by then, it has seen on its way what it is to do.
 */
void hv_vcpu_wake(struct hv_vcpu *vcpu, uint32_t todo)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);
	uint32_t before = atomic_fetch_or(&vcpu->todo, todo);
	enum hv_vcpu_state to = settle(vcpu->state, before | todo);
	uint32_t news = todo & ~before;
	uint16_t pcpu = vcpu->pcpu;
	bool kick = to != vcpu->state || needs_kick(to, news);

	vcpu->stats.irqs += (news & HV_TODO_IRQ) != 0;
	if (to != vcpu->state) {
		move(held, to);
	}
	hv_vcpu_drop(held);
	if (kick) {
		port_kick(pcpu);
	}
}

enum hv_status hv_vcpu_on(struct hv_vcpu *vcpu, gpa_t pc, uint64_t arg)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);
	enum hv_status status = HV_ERR_STATE;

	if (vcpu->state == HV_VCPU_OFF) {
		status = HV_OK;
		vcpu->on_pc = pc;
		vcpu->on_arg = arg;
		atomic_fetch_or(&vcpu->todo, HV_TODO_RESET);
		move(held, HV_VCPU_READY);
		port_kick(vcpu->pcpu);
	}
	hv_vcpu_drop(held);
	return status;
}

void hv_vcpu_unpause(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);

	atomic_fetch_and(&vcpu->todo, ~(uint32_t)HV_TODO_PAUSE);
	if (vcpu->state == HV_VCPU_READY) {
		port_kick(vcpu->pcpu);
	}
	hv_vcpu_drop(held);
}

void hv_vcpu_clear(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);

	if (vcpu->state != HV_VCPU_OFF) {
		move(held, HV_VCPU_OFF);
	}
	atomic_store(&vcpu->todo, 0);
	hv_vcpu_drop(held);
}

bool hv_vcpu_is_running(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_held held = hv_vcpu_hold(vcpu);
	bool running = vcpu->state == HV_VCPU_RUNNING;

	hv_vcpu_drop(held);
	return running;
}
