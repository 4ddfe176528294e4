/* SPDX-License-Identifier: MIT */
/* The hot path: from a neutral exit to the device or the memory map that answers it. */
#include <hv/vm.h>

static HV_HOT enum hv_verdict access(struct hv_vcpu *vcpu, struct hv_bus *bus, struct hv_exit *exit)
{
	struct hv_access access = {
		.data = exit->io.write ? exit->io.data : 0,
		.size = exit->io.size,
		.write = exit->io.write,
		.cpu = vcpu->index,
	};

	if (!hv_bus_access(bus, exit->io.addr, &access)) {
		return HV_FAULT;
	}
	if (!exit->io.write) {
		exit->io.data = access.data;
	}
	return HV_RESUME;
}

static enum hv_verdict fault(struct hv_vcpu *vcpu, const struct hv_exit *exit)
{
	struct hv_vm *vm = vcpu->vm;

	switch (hv_gmem_fault(&vm->gmem, &vm->pt, exit->mem.addr, exit->mem.want)) {
	case HV_OK: return HV_RESUME;
	case HV_ERR_NO_MEMORY:
		return hv_vm_crash(vcpu, "no page left for its nested tables", exit->mem.addr.v, 0);
	default: return HV_FAULT;
	}
}

static HV_COLD enum hv_verdict infrequent(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	switch (exit->kind) {
	case HV_EXIT_PIO: return access(vcpu, &vcpu->vm->pio, exit);
	case HV_EXIT_MEM: return fault(vcpu, exit);
	case HV_EXIT_WAIT: return HV_BLOCK;
	default: return hv_vm_crash(vcpu, "an exit that nobody handles", exit->kind, 0);
	}
}

enum hv_verdict hv_exit_handle(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	vcpu->stats.exits[exit->kind]++;
	if (exit->kind == HV_EXIT_MMIO) {
		return access(vcpu, &vcpu->vm->bus, exit);
	}
	return infrequent(vcpu, exit);
}

const char *hv_exit_kind_name(enum hv_exit_kind kind)
{
	static const char *const names[HV_EXIT_KINDS] = {
		[HV_EXIT_MMIO] = "mmio",
		[HV_EXIT_PIO] = "pio",
		[HV_EXIT_CALL] = "call",
		[HV_EXIT_MEM] = "mem",
		[HV_EXIT_WAIT] = "wait",
		[HV_EXIT_SYSREG] = "sysreg",
		[HV_EXIT_HOST_IRQ] = "host_irq",
		[HV_EXIT_GUEST] = "guest",
		[HV_EXIT_BAD] = "bad",
	};

	return kind < HV_EXIT_KINDS ? names[kind] : "?";
}
