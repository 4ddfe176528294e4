/* SPDX-License-Identifier: MIT */
/* x86_64 guests: core's pc-x86_64 machine on an emulated CPU with SVM. */
#include "uc_sim.h"

#include <hv/port.h>

/* ---- the emulated CPU ---- */

static const char *open_cpu(struct sim *sim)
{
	const char *wrong = sim_x86_open(&sim->x86.cpu, &sim->clock);

	if (wrong) {
		return wrong;
	}
	sim->uc = sim->x86.cpu.engine.uc;
	sim->x86.caps = sim_x86_caps();
	return NULL;
}

static void close_cpu(struct sim *sim)
{
	for (unsigned i = 0; i < HV_VCPUS; i++) {
		sim_x86_drop(&sim->x86.vcpu[i]);
	}
	sim_x86_close(&sim->x86.cpu);
}

/* ---- the machine ---- */

static struct pc_x86_cfg pc_cfg(const struct sim *sim, const struct board_cfg *cfg)
{
	return (struct pc_x86_cfg){.board = *cfg, .caps = &sim->x86.caps};
}

static uint32_t page_count(struct sim *sim, const struct board_cfg *cfg)
{
	struct pc_x86_cfg pc = pc_cfg(sim, cfg);

	return pc_x86_page_count(&pc);
}

static size_t arena_size(struct sim *sim, const struct board_cfg *cfg)
{
	struct pc_x86_cfg pc = pc_cfg(sim, cfg);

	return pc_x86_arena_size(&pc);
}

static const char *build(struct sim *sim, const struct board_cfg *cfg, struct hv_arena *arena)
{
	struct pc_x86_cfg pc = pc_cfg(sim, cfg);

	if (pc_x86_create(&sim->x86.pc, &pc, arena) != HV_OK) {
		return "the machine cannot be built like that";
	}
	if (!sim_x86_code_open(&sim->x86.cpu, sim->arch->ram_hpa, sim->memory.ram_size)) {
		return "the guest's code cannot be watched";
	}
	sim->board = &sim->x86.pc->board;
	for (uint16_t i = 0; i < sim->board->vm->vcpu_count; i++) {
		sim->x86.vcpu[i].x86 = sim->x86.pc->vcpu[i];
		if (!sim_x86_add(&sim->x86.cpu, &sim->x86.vcpu[i])) {
			return "no memory for the registers of a vCPU";
		}
	}
	return NULL;
}

static const char *loaded(struct sim *sim, const struct hv_load_plan *plan)
{
	pc_x86_boot(sim->x86.pc, plan);
	return NULL;
}

/* ---- a vCPU runs ---- */

static void load(struct sim *sim, uint16_t vcpu)
{
	sim_x86_load(&sim->x86.cpu, &sim->x86.vcpu[vcpu]);
}

static void clear(struct sim *sim)
{
	sim_x86_clear(&sim->x86.cpu);
}

static uint64_t timers_update(struct sim *sim, uint16_t vcpu)
{
	return x86_timer_update(sim->x86.pc->vcpu[vcpu], port_now());
}

static enum hv_verdict irq_prepare(struct sim *sim, uint16_t vcpu)
{
	return svm_entry_prepare(sim->x86.pc->vcpu[vcpu]);
}

static enum hv_verdict run(struct sim *sim, uint16_t index, uint64_t deadline)
{
	struct x86_vcpu *vcpu = sim->x86.pc->vcpu[index];
	struct sim_x86_cpu *cpu = &sim->x86.cpu;

	switch (sim_x86_run(cpu, deadline)) {
	case SIM_X86_EXIT: return svm_exit_handle(vcpu);
	case SIM_X86_BROKEN: return hv_vm_crash(&vcpu->hv, cpu->broken, vcpu->sys->rip, 0);
	default: return HV_RESUME;
	}
}

static void nested_changed(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)pt;
	(void)from;
	(void)len;
	(void)uc_ctl_flush_tlb(sim->uc);
}

const struct sim_arch sim_arch_x86 = {
	.loader = &hv_load_x86_64,
	.ram = PC_X86_RAM,
	.flash_max = PC_X86_FLASH_MAX,
	.ram_hpa = 0x100000000ull,
	.walks_nested = true,
	.hears_stores = true,
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
	.dump = x86_dump_crash,
};

/* ---- what core asks of the port for x86 guests only ---- */

uint64_t port_x86_tsc(void)
{
	return sim_clock_now(&sim_now->clock);
}

struct x86_cpuid port_x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
	return sim_x86_cpuid(&sim_now->x86.cpu, leaf, subleaf);
}

/* RDTSCP is answered from core's own record. */
void port_x86_tsc_aux_set(uint32_t value)
{
	(void)value;
}
