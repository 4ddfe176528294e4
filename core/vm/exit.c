/* SPDX-License-Identifier: MIT */
/* The hot path: from a neutral exit to the device or the memory map that answers it. */
#include <hv/vm.h>

/* The device may have a new deadline: whoever runs the vCPU looks before it goes on. */
static HV_COLD enum hv_verdict timed(struct hv_vcpu *vcpu)
{
	atomic_fetch_or(&vcpu->todo, HV_TODO_TIME);
	return HV_RESUME;
}

static HV_HOT enum hv_verdict verdict_of(struct hv_vcpu *vcpu, enum hv_answer answer)
{
	switch (answer) {
	case HV_ANSWER_DONE: return HV_RESUME;
	case HV_ANSWER_TIMED: return timed(vcpu);
	default: return HV_FAULT;
	}
}

inline enum hv_verdict hv_exit_mmio(struct hv_vcpu *vcpu, uint64_t addr, struct hv_access *access)
{
	vcpu->stats.exits[HV_EXIT_MMIO]++;
	access->cpu = vcpu->index;
	return verdict_of(vcpu, hv_bus_access(&vcpu->vm->bus, addr, access));
}

inline enum hv_verdict hv_exit_pio(struct hv_vcpu *vcpu, uint64_t port, struct hv_access *access)
{
	vcpu->stats.exits[HV_EXIT_PIO]++;
	access->cpu = vcpu->index;
	return verdict_of(vcpu, hv_bus_port(&vcpu->vm->pio, port, access));
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

enum hv_verdict hv_exit_handle(struct hv_vcpu *vcpu, struct hv_exit *exit)
{
	if (exit->kind == HV_EXIT_MMIO) {
		return hv_exit_mmio(vcpu, exit->io.addr, &exit->io.access);
	}
	if (exit->kind == HV_EXIT_PIO) {
		return hv_exit_pio(vcpu, exit->io.addr, &exit->io.access);
	}
	vcpu->stats.exits[exit->kind]++;
	switch (exit->kind) {
	case HV_EXIT_MEM: return fault(vcpu, exit);
	case HV_EXIT_WAIT: return HV_BLOCK;
	default: return hv_vm_crash(vcpu, "an exit that nobody handles", exit->kind, 0);
	}
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
