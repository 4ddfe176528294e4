/* SPDX-License-Identifier: MIT */
/*
 * Registers to and fro. DDI 0487 names the registers; that a change of PSTATE needs any write of a
 * system register behind it to take effect is Unicorn's habit.
 */
#include "uc_a64.h"

#include "uc_hooks.h"
#include "uc_icache.h"

#include <hv/bits.h>
#include <string.h>

#define PSTATE_SP 1u

/* ---- EL1 system registers ---- */

struct el1_row {
	uint32_t sysreg;
	uint16_t offset; /* in struct a64_el1 */
	bool translates; /* a change makes translations stale */
};

#define ROW(op0, op1, crn, crm, op2, field, translates)                                            \
	{                                                                                          \
		UC_SYSREG(op0, op1, crn, crm, op2), offsetof(struct a64_el1, field), translates    \
	}

/*
 * Without the stack pointers, which Unicorn banks, and without what this CPU has as constants:
 * ACTLR (trapped), AFSR0, AFSR1, AMAIR.
 */
static const struct el1_row el1_rows[] = {
	ROW(3, 0, 4, 0, 1, elr, false),
	ROW(3, 0, 4, 0, 0, spsr, false),
	ROW(3, 0, 5, 2, 0, esr, false),
	ROW(3, 0, 6, 0, 0, far, false),
	ROW(3, 0, 12, 0, 0, vbar, false),
	ROW(3, 0, 1, 0, 0, sctlr, true),
	ROW(3, 0, 2, 0, 2, tcr, true),
	ROW(3, 0, 2, 0, 0, ttbr0, true),
	ROW(3, 0, 2, 0, 1, ttbr1, true),
	ROW(3, 0, 10, 2, 0, mair, true),
	ROW(3, 0, 13, 0, 1, contextidr, true),
	ROW(3, 0, 1, 0, 2, cpacr, false),
	ROW(3, 3, 13, 0, 2, tpidr_el0, false),
	ROW(3, 3, 13, 0, 3, tpidrro_el0, false),
	ROW(3, 0, 13, 0, 4, tpidr_el1, false),
	ROW(3, 0, 7, 4, 0, par, false),
	ROW(3, 0, 14, 1, 0, cntkctl, false),
	ROW(3, 2, 0, 0, 0, csselr, false),
	ROW(2, 0, 0, 2, 2, mdscr, false),
};

static uint64_t *field(struct a64_el1 *el1, const struct el1_row *row)
{
	return (uint64_t *)(void *)((uint8_t *)el1 + row->offset);
}

/* Unicorn keeps the stack pointer in use apart from its bank. */
static bool uses_sp_el1(uint64_t pstate)
{
	return (pstate & 0xc) != 0 && (pstate & PSTATE_SP);
}

static void stack_pointers_get(uc_engine *uc, struct a64_el1 *el1)
{
	uint64_t pstate = sim_reg_get(uc, UC_ARM64_REG_PSTATE);
	uint64_t sp = sim_reg_get(uc, UC_ARM64_REG_SP);

	el1->sp_el0 = uses_sp_el1(pstate) ? sim_reg_get(uc, UC_ARM64_REG_SP_EL0) : sp;
	el1->sp_el1 = uses_sp_el1(pstate) ? sp : sim_reg_get(uc, UC_ARM64_REG_SP_EL1);
}

static void stack_pointers_set(uc_engine *uc, const struct a64_el1 *el1, uint64_t pstate)
{
	sim_reg_set(uc, UC_ARM64_REG_SP_EL0, el1->sp_el0);
	sim_reg_set(uc, UC_ARM64_REG_SP_EL1, el1->sp_el1);
	sim_reg_set(uc, UC_ARM64_REG_SP, uses_sp_el1(pstate) ? el1->sp_el1 : el1->sp_el0);
}

void sim_cpu_el1_load(struct sim_cpu *cpu, struct a64_el1 *el1)
{
	uc_engine *uc = cpu->engine.uc;

	stack_pointers_get(uc, el1);
	for (size_t i = 0; i < HV_ARRAY_COUNT(el1_rows); i++) {
		*field(el1, &el1_rows[i]) = sim_sysreg_get(uc, el1_rows[i].sysreg);
	}
	cpu->vcpu->held_el1 = *el1;
	cpu->vcpu->held_el1_here = true;
}

static void el1_store(struct sim_cpu *cpu, struct a64_el1 *el1, uint64_t pstate)
{
	struct a64_el1 *held = &cpu->vcpu->held_el1;
	bool stale = false;

	stack_pointers_set(cpu->engine.uc, el1, pstate);
	for (size_t i = 0; i < HV_ARRAY_COUNT(el1_rows); i++) {
		const struct el1_row *row = &el1_rows[i];

		if (!cpu->vcpu->held_el1_here || *field(el1, row) != *field(held, row)) {
			sim_sysreg_set(cpu->engine.uc, row->sysreg, *field(el1, row));
			stale = stale || row->translates;
		}
	}
	if (stale) {
		(void)uc_ctl_flush_tlb(cpu->engine.uc);
	}
}

/* ---- general registers ---- */

void sim_cpu_pstate_set(struct sim_cpu *cpu, uint64_t pstate)
{
	sim_reg_set(cpu->engine.uc, UC_ARM64_REG_PSTATE, pstate);
	sim_sysreg_set(cpu->engine.uc, UC_HCR_EL2, cpu->vcpu->held_hcr);
}

static void regs_store(struct sim_cpu *cpu)
{
	struct a64_regs *regs = &cpu->vcpu->a64->regs, *held = &cpu->vcpu->held;

	for (unsigned n = 0; n < 31; n++) {
		if (regs->x[n] != held->x[n]) {
			sim_reg_set(cpu->engine.uc, sim_reg_x(n), regs->x[n]);
			held->x[n] = regs->x[n];
		}
	}
}

void sim_cpu_save(struct sim_cpu *cpu)
{
	struct sim_vcpu *vcpu = cpu->vcpu;
	uc_engine *uc = cpu->engine.uc;
	void *value[31];
	int reg[31];

	for (unsigned n = 0; n < 31; n++) {
		reg[n] = sim_reg_x(n);
		value[n] = &vcpu->held.x[n];
	}
	(void)uc_reg_read_batch(uc, reg, value, 31);
	vcpu->held.pc = sim_reg_get(uc, UC_ARM64_REG_PC);
	vcpu->held.pstate = sim_reg_get(uc, UC_ARM64_REG_PSTATE);
	vcpu->a64->regs = vcpu->held;
}

/* ---- into the guest and out of it ---- */

/* Writes what core changed since the last exit. */
static void store(struct sim_cpu *cpu)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;

	if (vcpu->gic.iface == GIC_IFACE_V3) {
		uc_gicv_enter(&cpu->vcpu->gicv, &vcpu->gic);
	} else if (vcpu->gic.lr_dirty) {
		a64_lines_update(vcpu);
	}
	sim_cpu_lines_update(cpu);
	regs_store(cpu);
	if (vcpu->el1_dirty) {
		el1_store(cpu, &vcpu->el1, vcpu->regs.pstate);
		sim_fp_set(cpu, vcpu->el1.cpacr);
	}
	if (vcpu->el1_dirty || vcpu->regs.pstate != cpu->vcpu->held.pstate) {
		sim_cpu_pstate_set(cpu, vcpu->regs.pstate);
		cpu->vcpu->held.pstate = vcpu->regs.pstate;
	}
	vcpu->el1_dirty = false;
	vcpu->el1_here = false;
	cpu->vcpu->held_el1_here = false;
	vcpu->gic.lr_here = false;
}

enum sim_exit sim_cpu_run(struct sim_cpu *cpu, uint64_t deadline)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	uint64_t start;
	uc_err error;

	sim_icache_settle(cpu);
	store(cpu);
	cpu->trapped = false;
	cpu->broken = NULL;
	start = sim_host_now();
	sim_clock_arm(cpu->clock, deadline);
	error = uc_emu_start(cpu->engine.uc, vcpu->regs.pc, 0, 0, 0);
	while (error == UC_ERR_OK && sim_fp_continue(cpu)) {
		sim_clock_arm(cpu->clock, deadline);
		error = uc_emu_start(
			cpu->engine.uc, sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC), 0, 0, 0);
	}
	cpu->clock->guest_ns += sim_host_now() - start;
	if (error != UC_ERR_OK) {
		cpu->broken = uc_strerror(error);
	}
	if (cpu->broken) {
		sim_cpu_save(cpu);
		return SIM_EXIT_BROKEN;
	}
	if (cpu->trapped) {
		sim_cpu_save(cpu);
		return SIM_EXIT_TRAP;
	}
	/* Core looks at nothing else, and what was not read is not written back. */
	vcpu->regs.pc = sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC);
	vcpu->regs.pstate = sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PSTATE);
	cpu->vcpu->held.pstate = vcpu->regs.pstate;
	return SIM_EXIT_TIME;
}

/* ---- vCPUs take turns ---- */

bool sim_cpu_add(struct sim_cpu *cpu, struct sim_vcpu *vcpu, const struct hv_pt *pt)
{
	uc_engine *uc = cpu->engine.uc;

	if (uc_context_alloc(uc, &vcpu->context) != UC_ERR_OK) {
		vcpu->context = NULL;
		return false;
	}
	cpu->vcpu = vcpu;
	sim_sysreg_set(uc, UC_VTCR_EL2, a64_vtcr(pt));
	sim_sysreg_set(uc, UC_VTTBR_EL2, a64_vttbr(pt));
	sim_sysreg_set(
		uc, UC_MDCR_EL2, sim_sysreg_get(uc, UC_MDCR_EL2) | a64_mdcr() | A64_MDCR_DEBUG);
	sim_sysreg_set(uc, UC_CPTR_EL2, a64_cptr());
	sim_sysreg_set(uc, UC_CNTHCTL_EL2, a64_cnthctl());
	sim_sysreg_set(uc, UC_VPIDR_EL2, a64_vpidr());
	sim_sysreg_set(uc, UC_VMPIDR_EL2, a64_vmpidr(vcpu->a64));
	vcpu->held_hcr = a64_hcr();
	sim_sysreg_set(uc, UC_HCR_EL2, vcpu->held_hcr);
	sim_cpu_save(cpu);
	sim_cpu_el1_load(cpu, &vcpu->a64->el1);
	(void)uc_ctl_flush_tlb(uc);
	return uc_context_save(uc, vcpu->context) == UC_ERR_OK;
}

void sim_cpu_drop(struct sim_vcpu *vcpu)
{
	if (vcpu->context) {
		(void)uc_context_free(vcpu->context);
		vcpu->context = NULL;
	}
}

void sim_cpu_load(struct sim_cpu *cpu, struct sim_vcpu *vcpu)
{
	uc_engine *uc = cpu->engine.uc;

	if (cpu->vcpu == vcpu) {
		return;
	}
	sim_engine_put_aside(&cpu->engine, cpu->vcpu->context);
	(void)uc_context_restore(uc, vcpu->context);
	(void)uc_ctl_flush_tlb(uc);
	cpu->vcpu = vcpu;
	cpu->access.valid = false;
	/* A context has no interrupt lines: Unicorn derives them when HCR_EL2 is written. */
	sim_sysreg_set(uc, UC_HCR_EL2, vcpu->held_hcr);
	sim_fp_set(cpu, sim_sysreg_get(uc, UC_CPACR_EL1));
}

void sim_cpu_clear(struct sim_cpu *cpu)
{
	const uint64_t zero[2] = {0, 0};

	for (int n = 0; n < 32; n++) {
		(void)uc_reg_write(cpu->engine.uc, UC_ARM64_REG_Q0 + n, zero);
	}
	sim_reg_set(cpu->engine.uc, UC_ARM64_REG_FPCR, 0);
	sim_reg_set(cpu->engine.uc, UC_ARM64_REG_FPSR, 0);
}

/* ---- open and close ---- */

struct a64_idregs sim_cpu_id(const struct sim_cpu *cpu)
{
	uc_engine *uc = cpu->engine.uc;

	return (struct a64_idregs){
		/* The interface to the GIC is ours: GIC, bits 27:24, is 1. */
		.pfr0 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 4, 0)) | HV_BIT(24),
		.pfr1 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 4, 1)),
		.isar0 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 6, 0)),
		.mmfr0 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 7, 0)),
		.mmfr1 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 7, 1)),
		.mmfr2 = sim_sysreg_get(uc, UC_SYSREG(3, 0, 0, 7, 2)),
		.ich_vtr = 0x90380000u | (SIM_LIST_REGISTERS - 1), /* five bits of priority */
	};
}

const char *sim_cpu_open(struct sim_cpu *cpu, struct sim_clock *clock)
{
	const char *wrong;

	*cpu = (struct sim_cpu){.clock = clock};
	wrong = sim_engine_open(&cpu->engine);
	if (wrong) {
		return wrong;
	}
	if (!sim_cpu_hook(cpu)) {
		sim_engine_close(&cpu->engine);
		return "this Unicorn lacks a hook that the sim needs";
	}
	return NULL;
}

void sim_cpu_close(struct sim_cpu *cpu)
{
	sim_engine_close(&cpu->engine);
}
