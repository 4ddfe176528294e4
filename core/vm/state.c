/* SPDX-License-Identifier: MIT */
/* The two state diagrams as tables: one row per state, one bit per state it may move to. */
#include <hv/bits.h>
#include <hv/vm.h>

static const uint8_t vm_edges[HV_VM_STATES] = {
	[HV_VM_CREATING] = HV_BIT(HV_VM_STOPPED) | HV_BIT(HV_VM_DESTROYING),
	[HV_VM_STOPPED] = HV_BIT(HV_VM_RUNNING) | HV_BIT(HV_VM_DESTROYING),
	[HV_VM_RUNNING] = HV_BIT(HV_VM_STOPPED) | HV_BIT(HV_VM_PAUSED),
	[HV_VM_PAUSED] = HV_BIT(HV_VM_STOPPED) | HV_BIT(HV_VM_RUNNING) | HV_BIT(HV_VM_DESTROYING),
	[HV_VM_DESTROYING] = 0,
};

static const uint8_t vcpu_edges[HV_VCPU_STATES] = {
	[HV_VCPU_OFF] = HV_BIT(HV_VCPU_READY),
	[HV_VCPU_READY] = HV_BIT(HV_VCPU_RUNNING) | HV_BIT(HV_VCPU_OFF),
	[HV_VCPU_RUNNING] = HV_BIT(HV_VCPU_READY) | HV_BIT(HV_VCPU_BLOCKED) | HV_BIT(HV_VCPU_OFF) |
			    HV_BIT(HV_VCPU_DEAD),
	[HV_VCPU_BLOCKED] = HV_BIT(HV_VCPU_READY) | HV_BIT(HV_VCPU_OFF),
	[HV_VCPU_DEAD] = HV_BIT(HV_VCPU_OFF),
};

static const char *const vm_names[HV_VM_STATES] = {
	[HV_VM_CREATING] = "creating",
	[HV_VM_STOPPED] = "stopped",
	[HV_VM_RUNNING] = "running",
	[HV_VM_PAUSED] = "paused",
	[HV_VM_DESTROYING] = "destroying",
};

static const char *const vcpu_names[HV_VCPU_STATES] = {
	[HV_VCPU_OFF] = "off",
	[HV_VCPU_READY] = "ready",
	[HV_VCPU_RUNNING] = "running",
	[HV_VCPU_BLOCKED] = "blocked",
	[HV_VCPU_DEAD] = "dead",
};

bool hv_vm_has_edge(enum hv_vm_state from, enum hv_vm_state to)
{
	return hv_bit(vm_edges[from], to);
}

bool hv_vcpu_has_edge(enum hv_vcpu_state from, enum hv_vcpu_state to)
{
	return hv_bit(vcpu_edges[from], to);
}

const char *hv_vm_state_name(enum hv_vm_state state)
{
	return state < HV_VM_STATES ? vm_names[state] : "?";
}

const char *hv_vcpu_state_name(enum hv_vcpu_state state)
{
	return state < HV_VCPU_STATES ? vcpu_names[state] : "?";
}
