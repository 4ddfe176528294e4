/* SPDX-License-Identifier: MIT */
/*
 * The life of one VM. vm->lock is held over each change of its state together with what that change
 * means for its vCPUs, so nobody sees a stopped VM with a vCPU that could still be turned on.
 */
#include "life.h"

#include <hv/check.h>

/* A cache line, so that vCPUs on two physical CPUs do not share one. */
#define RECORD_ALIGN 64u

static enum hv_status move(struct hv_vm *vm, enum hv_vm_state to)
{
	if (!hv_vm_has_edge(vm->state, to)) {
		return HV_ERR_STATE;
	}
	vm->state = to;
	return HV_OK;
}

static bool is_valid(const struct hv_vm_cfg *cfg)
{
	return cfg->vcpu_count >= 1 && cfg->vcpu_count <= HV_VCPUS && cfg->arch &&
	       cfg->arch->vcpu_size >= sizeof(struct hv_vcpu) && cfg->pages;
}

static struct hv_vcpu *take_vcpu(struct hv_vm *vm, uint16_t index, struct hv_arena *arena)
{
	struct hv_vcpu *vcpu = hv_arena_take(arena, vm->arch->vcpu_size, RECORD_ALIGN);

	if (vcpu) {
		vcpu->vm = vm;
		vcpu->index = index;
		vcpu->lock = HV_LOCK_INIT(HV_LOCK_VCPU);
	}
	return vcpu;
}

/* Takes the records from the arena; NULL when they do not fit. */
static struct hv_vm *take_vm(const struct hv_vm_cfg *cfg, struct hv_arena *arena)
{
	struct hv_vm *vm = hv_arena_take(arena, sizeof(*vm), RECORD_ALIGN);

	if (!vm) {
		return NULL;
	}
	vm->id = cfg->id;
	vm->vcpu_count = cfg->vcpu_count;
	vm->arch = cfg->arch;
	vm->lock = HV_LOCK_INIT(HV_LOCK_VM);
	for (uint16_t i = 0; i < cfg->vcpu_count; i++) {
		vm->vcpu[i] = take_vcpu(vm, i, arena);
		if (!vm->vcpu[i]) {
			return NULL;
		}
	}
	return vm;
}

enum hv_status hv_vm_create(struct hv_vm **vm, const struct hv_vm_cfg *cfg, struct hv_arena *arena)
{
	size_t mark = arena->used;
	enum hv_status status = HV_ERR_NO_MEMORY;
	struct hv_vm *taken;

	*vm = NULL;
	if (!is_valid(cfg)) {
		return HV_ERR_INVALID;
	}
	taken = take_vm(cfg, arena);
	if (taken) {
		status = hv_pt_init(&taken->pt, cfg->arch->pt_fmt, cfg->pages, cfg->ia_bits,
			cfg->pa_bits, cfg->id);
	}
	if (status != HV_OK) {
		arena->used = mark;
		return status;
	}
	*vm = taken;
	return HV_OK;
}

size_t hv_vm_arena_size(const struct hv_vm_cfg *cfg)
{
	return sizeof(struct hv_vm) + RECORD_ALIGN +
	       cfg->vcpu_count * (cfg->arch->vcpu_size + RECORD_ALIGN);
}

enum hv_status hv_vm_seal(struct hv_vm *vm)
{
	enum hv_status status = HV_ERR_STATE;

	port_lock(&vm->lock);
	if (vm->state == HV_VM_CREATING) {
		status = hv_gmem_map(&vm->gmem, &vm->pt);
	}
	if (status == HV_OK) {
		status = move(vm, HV_VM_STOPPED);
	}
	port_unlock(&vm->lock);
	return status;
}

/* vm->lock is held. */
static enum hv_status power_on(struct hv_vm *vm, gpa_t pc, uint64_t arg)
{
	enum hv_status status = vm->stop == HV_STOP_NONE ? move(vm, HV_VM_RUNNING) : HV_ERR_STATE;

	if (status == HV_OK) {
		vm->on_count = 1;
		status = hv_vcpu_on(vm->vcpu[0], pc, arg);
	}
	return status;
}

static void resume(struct hv_vm *vm)
{
	vm->state = HV_VM_RUNNING;
	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		hv_vcpu_unpause(vm->vcpu[i]);
	}
}

enum hv_status hv_vm_start(struct hv_vm *vm, gpa_t pc, uint64_t arg)
{
	enum hv_status status = HV_OK;

	port_lock(&vm->lock);
	if (vm->state == HV_VM_PAUSED) {
		resume(vm);
	} else {
		status = power_on(vm, pc, arg);
	}
	port_unlock(&vm->lock);
	return status;
}

static void wake_all(struct hv_vm *vm, uint32_t todo)
{
	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		hv_vcpu_wake(vm->vcpu[i], todo);
	}
}

enum hv_status hv_vm_pause(struct hv_vm *vm)
{
	enum hv_status status;

	port_lock(&vm->lock);
	status = move(vm, HV_VM_PAUSED);
	if (status == HV_OK) {
		wake_all(vm, HV_TODO_PAUSE);
	}
	port_unlock(&vm->lock);
	return status;
}

bool hv_vm_halt(struct hv_vm *vm, enum hv_stop why)
{
	if (vm->state != HV_VM_RUNNING && vm->state != HV_VM_PAUSED) {
		return false;
	}
	vm->state = HV_VM_STOPPED;
	vm->stop = why;
	wake_all(vm, HV_TODO_STOP);
	return true;
}

void hv_vm_stop(struct hv_vm *vm, enum hv_stop why)
{
	port_lock(&vm->lock);
	hv_vm_halt(vm, why);
	port_unlock(&vm->lock);
}

enum hv_verdict hv_vm_crash(
	struct hv_vcpu *vcpu, const char *reason, uint64_t info0, uint64_t info1)
{
	struct hv_vm *vm = vcpu->vm;

	port_lock(&vm->lock);
	if (hv_vm_halt(vm, HV_STOP_CRASH)) {
		vm->crash = (struct hv_crash){
			.reason = reason, .vcpu = vcpu->index, .info = {info0, info1}};
	}
	port_unlock(&vm->lock);
	return HV_CRASH;
}

/* vm->lock is held, so no vCPU goes on; the VM is not RUNNING, so none is entered again. */
static bool is_quiet(struct hv_vm *vm)
{
	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		if (hv_vcpu_is_running(vm->vcpu[i])) {
			return false;
		}
	}
	return true;
}

/* Devices first: as they lower their lines they may still tell the vCPUs something to do. */
static void clear(struct hv_vm *vm)
{
	hv_bus_reset(&vm->bus);
	hv_bus_reset(&vm->pio);
	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		hv_vcpu_clear(vm->vcpu[i]);
	}
	vm->stop = HV_STOP_NONE;
	vm->crash = (struct hv_crash){0};
	vm->on_count = 0;
}

uint64_t hv_vm_expire(struct hv_vm *vm, uint64_t now)
{
	uint64_t memory = hv_bus_expire(&vm->bus, now), ports = hv_bus_expire(&vm->pio, now);

	return memory < ports ? memory : ports;
}

void hv_vm_poll(struct hv_vm *vm)
{
	hv_bus_poll(&vm->bus);
	hv_bus_poll(&vm->pio);
}

enum hv_status hv_vm_reset(struct hv_vm *vm)
{
	enum hv_status status = HV_ERR_STATE;

	port_lock(&vm->lock);
	if (vm->state == HV_VM_STOPPED && is_quiet(vm)) {
		clear(vm);
		status = HV_OK;
	}
	port_unlock(&vm->lock);
	return status;
}

enum hv_status hv_vm_destroy(struct hv_vm *vm)
{
	enum hv_status status = HV_ERR_STATE;

	port_lock(&vm->lock);
	if (is_quiet(vm)) {
		status = move(vm, HV_VM_DESTROYING);
	}
	if (status == HV_OK) {
		wake_all(vm, HV_TODO_STOP);
	}
	port_unlock(&vm->lock);
	if (status == HV_OK) {
		hv_pt_destroy(&vm->pt);
	}
	return status;
}
