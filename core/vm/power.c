/* SPDX-License-Identifier: MIT */
/* The verbs behind PSCI and SBI HSM/SRST. Who counts as on is decided under vm->lock. */
#include "life.h"

#include <hv/power.h>

static struct hv_vcpu *find(struct hv_vm *vm, uint64_t hw_id)
{
	for (uint16_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->arch->hw_id(vm->vcpu[i]) == hw_id) {
			return vm->vcpu[i];
		}
	}
	return NULL;
}

enum hv_status hv_power_cpu_on(struct hv_vm *vm, uint64_t hw_id, gpa_t pc, uint64_t arg)
{
	struct hv_vcpu *vcpu = find(vm, hw_id);
	enum hv_status status = HV_ERR_STATE;

	if (!vcpu) {
		return HV_ERR_NOT_FOUND;
	}
	if (!hv_gmem_has(&vm->gmem, pc, 1, HV_PROT_X)) {
		return HV_ERR_RANGE;
	}
	port_lock(&vm->lock);
	/* PAUSED: the caller is on its way out, and its call still counts. */
	if (vm->state == HV_VM_RUNNING || vm->state == HV_VM_PAUSED) {
		status = hv_vcpu_on(vcpu, pc, arg);
	}
	if (status == HV_OK) {
		vm->on_count++;
	}
	port_unlock(&vm->lock);
	return status;
}

enum hv_verdict hv_power_cpu_off(struct hv_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->vm;

	port_lock(&vm->lock);
	vm->on_count--;
	if (vm->on_count == 0) {
		hv_vm_halt(vm, HV_STOP_OFF);
	}
	port_unlock(&vm->lock);
	return HV_OFF;
}

enum hv_verdict hv_power_system(struct hv_vm *vm, bool reboot)
{
	hv_vm_stop(vm, reboot ? HV_STOP_REBOOT : HV_STOP_OFF);
	return HV_OFF;
}

static enum hv_power_state power_of(const struct hv_vcpu *vcpu)
{
	if (vcpu->state == HV_VCPU_OFF || vcpu->state == HV_VCPU_DEAD) {
		return HV_POWER_OFF;
	}
	return atomic_load(&vcpu->todo) & HV_TODO_RESET ? HV_POWER_PENDING : HV_POWER_ON;
}

enum hv_status hv_power_state(struct hv_vm *vm, uint64_t hw_id, enum hv_power_state *state)
{
	struct hv_vcpu *vcpu = find(vm, hw_id);
	struct hv_vcpu_held held;

	if (!vcpu) {
		return HV_ERR_NOT_FOUND;
	}
	held = hv_vcpu_hold(vcpu);
	*state = power_of(vcpu);
	hv_vcpu_drop(held);
	return HV_OK;
}
