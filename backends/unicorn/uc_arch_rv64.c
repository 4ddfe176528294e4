/* SPDX-License-Identifier: MIT */
/* RV64 guests: core's virt-riscv64 machine on an emulated hart. */
#include "uc_sim.h"

#include <hv/port.h>

/* ---- the emulated hart ---- */

static const char *open_cpu(struct sim *sim)
{
	const char *wrong = sim_rv64_open(&sim->rv64.cpu, &sim->clock);

	if (wrong) {
		return wrong;
	}
	sim->uc = sim->rv64.cpu.engine.uc;
	sim->rv64.caps = sim_rv64_caps();
	return NULL;
}

static void close_cpu(struct sim *sim)
{
	for (unsigned i = 0; i < HV_VCPUS; i++) {
		sim_rv64_drop(&sim->rv64.vcpu[i]);
	}
	sim_rv64_close(&sim->rv64.cpu);
}

/* ---- the machine ---- */

static struct virt_rv64_cfg virt_cfg(const struct sim *sim, const struct board_cfg *cfg)
{
	return (struct virt_rv64_cfg){
		.board = *cfg, .caps = &sim->rv64.caps, .aplic = sim->cfg->guest->aplic};
}

static uint32_t page_count(struct sim *sim, const struct board_cfg *cfg)
{
	struct virt_rv64_cfg virt = virt_cfg(sim, cfg);

	return virt_rv64_page_count(&virt);
}

static size_t arena_size(struct sim *sim, const struct board_cfg *cfg)
{
	struct virt_rv64_cfg virt = virt_cfg(sim, cfg);

	return virt_rv64_arena_size(&virt);
}

/* What is not here is no memory of the guest's, and every access to it a guest-page fault. */
static const char *begin(struct sim *sim)
{
	const struct sim_rv64_range range[SIM_RV64_RANGES] = {
		{VIRT_RV64_RAM, sim->memory.ram_size, true},
		{VIRT_RV64_FLASH, sim->memory.flash_size, false},
	};

	return sim_rv64_begin(&sim->rv64.cpu, range);
}

static const char *tie_vcpus(struct sim_rv64 *rv64)
{
	for (uint16_t i = 0; i < rv64->virt->board.vm->vcpu_count; i++) {
		rv64->vcpu[i].rv64 = rv64->virt->vcpu[i];
		if (!sim_rv64_add(&rv64->cpu, &rv64->vcpu[i])) {
			return "no memory for the registers of a vCPU";
		}
	}
	return NULL;
}

static const char *build(struct sim *sim, const struct board_cfg *cfg, struct hv_arena *arena)
{
	struct virt_rv64_cfg virt = virt_cfg(sim, cfg);
	const char *wrong = begin(sim);

	if (wrong) {
		return wrong;
	}
	if (!sim_rv64_code_open(&sim->rv64.cpu, sim->memory.ram, sim->memory.ram_size)) {
		return "the guest's code cannot be watched";
	}
	if (virt_rv64_create(&sim->rv64.virt, &virt, arena) != HV_OK) {
		return "the machine cannot be built like that";
	}
	sim->board = &sim->rv64.virt->board;
	return tie_vcpus(&sim->rv64);
}

static const char *loaded(struct sim *sim, const struct hv_load_plan *plan)
{
	uint8_t *tree;

	if (plan->dtb.v == 0) {
		return NULL;
	}
	tree = sim->memory.ram + (plan->dtb.v - VIRT_RV64_RAM);
	if (rv64_dtb_narrow(tree, sim->cfg->guest->dtb.size, &sim->rv64.caps,
		    &sim->report->load_error) != HV_OK) {
		sim->report->load_error.input = "dtb";
		return "the guest's images cannot be loaded";
	}
	return NULL;
}

/* ---- a vCPU runs ---- */

static void load(struct sim *sim, uint16_t vcpu)
{
	sim_rv64_load(&sim->rv64.cpu, &sim->rv64.vcpu[vcpu]);
}

static void clear(struct sim *sim)
{
	sim_rv64_clear(&sim->rv64.cpu);
}

static uint64_t timers_update(struct sim *sim, uint16_t vcpu)
{
	uint64_t due = rv64_timer_update(sim->rv64.virt->vcpu[vcpu], port_rv64_time());

	return due > UINT64_MAX / SIM_RV64_TICK_NS ? HV_NEVER_DUE : due * SIM_RV64_TICK_NS;
}

static enum hv_verdict irq_prepare(struct sim *sim, uint16_t vcpu)
{
	sim_rv64_irq_set(&sim->rv64.cpu, rv64_entry_prepare(sim->rv64.virt->vcpu[vcpu]));
	return HV_RESUME;
}

static enum hv_verdict run(struct sim *sim, uint16_t index, uint64_t deadline)
{
	struct rv64_vcpu *vcpu = sim->rv64.virt->vcpu[index];
	struct sim_rv64_cpu *cpu = &sim->rv64.cpu;

	switch (sim_rv64_run(cpu, deadline)) {
	case SIM_RV64_TRAP: return rv64_trap_handle(vcpu, &cpu->trap);
	case SIM_RV64_BROKEN: return hv_vm_crash(&vcpu->hv, cpu->broken, vcpu->regs.pc, 0);
	default: return HV_RESUME;
	}
}

static void nested_changed(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	if (!sim_rv64_gstage_changed(sim, pt, from, len)) {
		port_panic("the emulated hart's memory is not what the tables say");
	}
}

const struct sim_arch sim_arch_rv64 = {
	.loader = &hv_load_riscv64,
	.ram = VIRT_RV64_RAM,
	.flash_max = VIRT_RV64_FLASH_MAX,
	.ram_hpa = 0x100000000ull,
	.walks_nested = false,
	.open = open_cpu,
	.close = close_cpu,
	.page_count = page_count,
	.arena_size = arena_size,
	.build = build,
	.loaded = loaded,
	.load = load,
	.clear = clear,
	.timers_update = timers_update,
	.irq_prepare = irq_prepare,
	.run = run,
	.nested_changed = nested_changed,
	.dump = rv64_dump_crash,
};
