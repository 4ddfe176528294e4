/* SPDX-License-Identifier: MIT */
/* A64 guests: core's virt-aarch64 machine on an emulated CPU at EL1 under Stage-2. */
#include "uc_sim.h"

#include <hv/port.h>

/*
 * Deliberately not the address at which guests see the same memory. RAM begins one page beyond a
 * block's border, so that core can map it by pages only: behind a Stage-2 block, Unicorn takes
 * every page of the guest for a large one, and empties its TLB when the guest invalidates one.
 */
#define RAM_HPA 0x100001000ull

/* ---- the emulated CPU ---- */

static const char *open_cpu(struct sim *sim)
{
	struct a64_idregs id;
	const char *wrong = sim_cpu_open(&sim->a64.cpu, &sim->clock);

	if (wrong) {
		return wrong;
	}
	sim->uc = sim->a64.cpu.engine.uc;
	id = sim_cpu_id(&sim->a64.cpu);
	sim->a64.caps = a64_caps_decode(&id);
	wrong = a64_caps_missing(&sim->a64.caps);
	if (wrong) {
		sim_cpu_close(&sim->a64.cpu);
	}
	return wrong;
}

static void close_cpu(struct sim *sim)
{
	for (unsigned i = 0; i < HV_VCPUS; i++) {
		sim_cpu_drop(&sim->a64.vcpu[i]);
	}
	sim_cpu_close(&sim->a64.cpu);
}

/* ---- the machine ---- */

static struct virt_a64_cfg virt_cfg(const struct sim *sim, const struct board_cfg *cfg)
{
	return (struct virt_a64_cfg){
		.board = *cfg,
		.gic = sim->cfg->guest->gic,
		.lr_count = sim->a64.caps.lr_count,
		.pa_bits = sim->a64.caps.pa_bits,
	};
}

static uint32_t page_count(struct sim *sim, const struct board_cfg *cfg)
{
	struct virt_a64_cfg virt = virt_cfg(sim, cfg);

	return virt_a64_page_count(&virt);
}

static size_t arena_size(struct sim *sim, const struct board_cfg *cfg)
{
	struct virt_a64_cfg virt = virt_cfg(sim, cfg);

	return virt_a64_arena_size(&virt);
}

static const char *tie_vcpus(struct sim_a64 *a64)
{
	for (uint16_t i = 0; i < a64->virt->board.vm->vcpu_count; i++) {
		a64->vcpu[i].a64 = a64->virt->vcpu[i];
		a64_vcpu_caps_set(a64->vcpu[i].a64, &a64->caps);
		uc_gicv_reset(&a64->vcpu[i].gicv, a64->caps.lr_count);
		if (!sim_cpu_add(&a64->cpu, &a64->vcpu[i], &a64->virt->board.vm->pt)) {
			return "no memory for the registers of a vCPU";
		}
	}
	return NULL;
}

static const char *build(struct sim *sim, const struct board_cfg *cfg, struct hv_arena *arena)
{
	struct virt_a64_cfg virt = virt_cfg(sim, cfg);

	if (virt_a64_create(&sim->a64.virt, &virt, arena) != HV_OK) {
		return "the machine cannot be built like that";
	}
	sim->board = &sim->a64.virt->board;
	return tie_vcpus(&sim->a64);
}

/* Such trees say nothing of a CPU that could be wrong. */
static const char *loaded(struct sim *sim, const struct hv_load_plan *plan)
{
	(void)sim;
	(void)plan;
	return NULL;
}

/* ---- a vCPU runs ---- */

static void load(struct sim *sim, uint16_t vcpu)
{
	sim_cpu_load(&sim->a64.cpu, &sim->a64.vcpu[vcpu]);
}

static void clear(struct sim *sim)
{
	sim_cpu_clear(&sim->a64.cpu);
}

static uint64_t timers_update(struct sim *sim, uint16_t vcpu)
{
	uint64_t due = a64_timers_update(sim->a64.virt->vcpu[vcpu], port_a64_count());

	return due > UINT64_MAX / SIM_TICK_NS ? HV_NEVER_DUE : due * SIM_TICK_NS;
}

static enum hv_verdict irq_prepare(struct sim *sim, uint16_t vcpu)
{
	a64_entry_prepare(sim->a64.virt->vcpu[vcpu]);
	return HV_RESUME;
}

static enum hv_verdict run(struct sim *sim, uint16_t index, uint64_t deadline)
{
	struct sim_vcpu *vcpu = &sim->a64.vcpu[index];
	struct sim_cpu *cpu = &sim->a64.cpu;
	enum hv_verdict verdict = HV_RESUME;

	switch (sim_cpu_run(cpu, deadline)) {
	case SIM_EXIT_TRAP: verdict = a64_trap_handle(vcpu->a64, &cpu->trap); break;
	case SIM_EXIT_BROKEN:
		verdict = hv_vm_crash(&vcpu->a64->hv, cpu->broken, vcpu->a64->regs.pc, 0);
		break;
	case SIM_EXIT_TIME: break;
	}
	/* What the interface asks for is one of the reasons why a run ends, and lasts over a turn.
	 */
	if ((verdict == HV_RESUME || verdict == HV_YIELD) && uc_gicv_maintenance(&vcpu->gicv)) {
		vgic_sync(&vcpu->a64->gic);
	}
	return verdict;
}

/* Which addresses a TLB entry is of is the CPU's secret. */
static void nested_changed(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	(void)pt;
	(void)from;
	(void)len;
	(void)uc_ctl_flush_tlb(sim->uc);
}

const struct sim_arch sim_arch_a64 = {
	.loader = &hv_load_aarch64,
	.ram = VIRT_A64_RAM,
	.flash_max = VIRT_A64_FLASH_MAX,
	.ram_hpa = RAM_HPA,
	.walks_nested = true,
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
	.dump = a64_dump_crash,
};
