/* SPDX-License-Identifier: MIT */
/*
 * Unicorn's hooks. An exception to EL2 ends the run and becomes a trap record. What real hardware
 * does without leaving the guest is done here without ending the run: exceptions to EL1, the
 * virtual timer's registers, the GIC's CPU interface.
 *
 * A run may be stopped from these places only: Unicorn checks for a stop after every guest access
 * to memory too, and there it goes back to the start of the block, which then runs twice. So a stop
 * comes at a block's start (on_block), at an exception, or at an MSR, which ends its block; never
 * from an MRS, another thread or a signal.
 */
#include "uc_hooks.h"

#include "uc_icache.h"

#include <hv/bits.h>

#define EC_WFX         0x01u
#define EC_UNKNOWN     0x00u
#define EC_IABT_LOWER  0x20u
#define EC_PC_ALIGN    0x22u
#define EC_DABT_LOWER  0x24u
#define EC_DABT_SAME   0x25u
#define EC_WATCH_LOWER 0x34u
#define EC_WATCH_SAME  0x35u

#define ESR_IL          HV_BIT(25)
#define ESR_EC_SYSREG   (0x18ull << 26)
#define ESR_SYSREG_READ 1u

#define ISS_ISV       HV_BIT(24)
#define ISS_ISV_TO_AR HV_MASK(24, 14)

#define TCR_A1         22
#define TLBI_ALL_ASIDS 2u /* of op2: VAA… */

#define CNTKCTL_EL0VCTEN HV_BIT(1)
#define CNTKCTL_EL0VTEN  HV_BIT(8)

static unsigned ec_of(uint64_t esr)
{
	return (unsigned)(esr >> 26) & 0x3f;
}

bool sim_cpu_is_el0(const struct sim_cpu *cpu)
{
	return (sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PSTATE) & 0xc) == 0;
}

static void step(struct sim_cpu *cpu)
{
	sim_reg_set(
		cpu->engine.uc, UC_ARM64_REG_PC, sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC) + 4);
}

/* ---- interrupt lines ---- */

void sim_cpu_lines_update(struct sim_cpu *cpu)
{
	struct sim_vcpu *vcpu = cpu->vcpu;
	uint64_t hcr = vcpu->a64->hcr;

	hcr |= uc_gicv_irq(&vcpu->gicv) ? UC_HCR_VI : 0;
	hcr |= uc_gicv_fiq(&vcpu->gicv) ? UC_HCR_VF : 0;
	if (hcr != vcpu->held_hcr) {
		vcpu->held_hcr = hcr;
		sim_sysreg_set(cpu->engine.uc, UC_HCR_EL2, hcr);
	}
}

/* ---- traps to EL2 ---- */

static void trap(struct sim_cpu *cpu, uint64_t esr, uint64_t far)
{
	cpu->trap = (struct a64_trap){.esr = esr, .far = far};
	cpu->trapped = true;
	(void)uc_emu_stop(cpu->engine.uc);
}

/* Load or store of one register with a 9-bit offset: post-indexed (01) or pre-indexed (11). */
static bool has_writeback(uint32_t insn)
{
	return (insn & 0x3b200400u) == 0x38000400u;
}

void sim_cpu_stage1_load(struct sim_cpu *cpu)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	uc_engine *uc = cpu->engine.uc;

	vcpu->regs.pstate = sim_reg_get(uc, UC_ARM64_REG_PSTATE);
	vcpu->el1.sctlr = sim_sysreg_get(uc, UC_SCTLR_EL1);
	vcpu->el1.tcr = sim_sysreg_get(uc, UC_TCR_EL1);
	vcpu->el1.ttbr0 = sim_reg_get(uc, UC_ARM64_REG_TTBR0_EL1);
	vcpu->el1.ttbr1 = sim_reg_get(uc, UC_ARM64_REG_TTBR1_EL1);
	vcpu->el1_here = true;
}

unsigned sim_cpu_peek(struct sim_cpu *cpu, uint64_t pc, uint32_t *insn, unsigned count)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	unsigned n = 0;

	sim_cpu_stage1_load(cpu);
	do {
		vcpu->regs.pc = pc + n * sizeof(*insn);
	} while (n < count && a64_insn_peek(vcpu, &insn[n]) && ++n);
	vcpu->el1_here = false;
	return n;
}

/*
 * Unicorn describes a load with writeback as if there were none, where hardware leaves it to be
 * decoded (DDI 0487, ISS for data aborts: ISV).
 */
static uint64_t described_as_hardware_would(struct sim_cpu *cpu, uint64_t esr)
{
	uint32_t insn;

	if (!(esr & ISS_ISV)) {
		return esr;
	}
	if (sim_cpu_peek(cpu, sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC), &insn, 1) != 1) {
		return esr;
	}
	return has_writeback(insn) ? esr & ~ISS_ISV_TO_AR : esr;
}

static void trap_to_el2(struct sim_cpu *cpu, const struct sim_fault *fault)
{
	unsigned ec = ec_of(fault->esr);

	if (ec == EC_DABT_LOWER) {
		trap(cpu, described_as_hardware_would(cpu, fault->esr), fault->far);
	} else {
		trap(cpu, fault->esr, fault->far);
	}
	if (ec == EC_DABT_LOWER || ec == EC_IABT_LOWER) {
		cpu->trap.hpfar = sim_sysreg_get(cpu->engine.uc, UC_HPFAR_EL2);
	}
}

/* ---- the GIC's CPU interface ---- */

/* ICC_PMR_EL1, and all of S3_0_C12_C8.. to C12: the interface, and VBAR's neighbours, which exist.
 */
static bool is_gic(uint32_t sysreg)
{
	uint32_t crn = UC_SYSREG_CRN(sysreg);

	if (UC_SYSREG_OP0(sysreg) != 3 || UC_SYSREG_OP1(sysreg) != 0) {
		return false;
	}
	return sysreg == UC_SYSREG(3, 0, 4, 6, 0) || (crn == 12 && UC_SYSREG_CRM(sysreg) >= 8);
}

static unsigned rt_of(int reg)
{
	for (unsigned n = 0; n < 31; n++) {
		if (sim_reg_x(n) == reg) {
			return n;
		}
	}
	return 31; /* XZR */
}

/* As the CPU would report an access that its hypervisor traps. */
static uint64_t esr_of(const struct sim_access *access)
{
	uint32_t reg = access->sysreg;

	return ESR_EC_SYSREG | ESR_IL | UC_SYSREG_OP0(reg) << 20 | UC_SYSREG_OP2(reg) << 17 |
	       UC_SYSREG_OP1(reg) << 14 | UC_SYSREG_CRN(reg) << 10 | rt_of(access->reg) << 5 |
	       UC_SYSREG_CRM(reg) << 1 | (access->write ? 0 : ESR_SYSREG_READ);
}

static bool gic_access(struct sim_cpu *cpu, const struct sim_access *access)
{
	struct uc_gicv *gicv = &cpu->vcpu->gicv;
	uint64_t value = 0;

	if (access->write) {
		value = rt_of(access->reg) == 31 ? 0 : sim_reg_get(cpu->engine.uc, access->reg);
		return uc_gicv_write(gicv, access->sysreg, value);
	}
	if (!uc_gicv_read(gicv, access->sysreg, &value)) {
		return false;
	}
	if (rt_of(access->reg) != 31) {
		sim_reg_set(cpu->engine.uc, access->reg, value);
	}
	return true;
}

/* True: the undefined instruction was an access to the GIC, and is dealt with. */
static bool take_gic_access(struct sim_cpu *cpu)
{
	const struct sim_access access = cpu->access;

	cpu->access.valid = false;
	if (!access.valid || access.pc != sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC) ||
		!is_gic(access.sysreg) || sim_cpu_is_el0(cpu) ||
		cpu->vcpu->a64->gic.iface != GIC_IFACE_V3) {
		return false;
	}
	if (!gic_access(cpu, &access)) {
		trap(cpu, esr_of(&access), 0);
		return true;
	}
	step(cpu);
	sim_cpu_lines_update(cpu);
	if (uc_gicv_maintenance(&cpu->vcpu->gicv)) {
		(void)uc_emu_stop(cpu->engine.uc);
	}
	return true;
}

/* ---- exceptions to EL1 ---- */

static bool sets_far(unsigned ec)
{
	return (ec >= EC_IABT_LOWER && ec <= EC_PC_ALIGN) || ec == EC_DABT_LOWER ||
	       ec == EC_DABT_SAME || ec == EC_WATCH_LOWER || ec == EC_WATCH_SAME;
}

/*
 * Core knows how an exception is entered. It gets the few registers that it needs for that, and
 * what it changed is taken over, without the way of a whole exit: this is what system calls and
 * page faults inside the guest cost.
 */
void sim_cpu_exception(struct sim_cpu *cpu, const struct sim_fault *fault)
{
	struct a64_vcpu *vcpu = cpu->vcpu->a64;
	uc_engine *uc = cpu->engine.uc;
	uint64_t pstate = sim_reg_get(uc, UC_ARM64_REG_PSTATE);
	bool on_sp_el1 = (pstate & 0xc) && (pstate & 1);
	struct a64_el1 *el1 = &vcpu->el1;

	vcpu->regs.pc = sim_reg_get(uc, UC_ARM64_REG_PC);
	vcpu->regs.pstate = pstate;
	el1->vbar = sim_reg_get(uc, UC_ARM64_REG_VBAR_EL1);
	el1->sctlr = sim_sysreg_get(uc, UC_SCTLR_EL1);
	vcpu->el1_here = true;
	a64_exception_take(vcpu, A64_VECTOR_SYNC, fault->esr);
	vcpu->el1_here = false;
	vcpu->el1_dirty = false;

	if (!on_sp_el1) {
		sim_reg_set(uc, UC_ARM64_REG_SP_EL0, sim_reg_get(uc, UC_ARM64_REG_SP));
		sim_reg_set(uc, UC_ARM64_REG_SP, sim_reg_get(uc, UC_ARM64_REG_SP_EL1));
	}
	sim_reg_set(uc, UC_ARM64_REG_ELR_EL1, el1->elr);
	sim_reg_set(uc, UC_ARM64_REG_ESR_EL1, el1->esr);
	if (sets_far(ec_of(fault->esr))) {
		sim_reg_set(uc, UC_ARM64_REG_FAR_EL1, fault->far);
	}
	sim_reg_set(uc, UC_ARM64_REG_PSTATE, vcpu->regs.pstate);
	sim_sysreg_set(uc, UC_SPSR_EL1, el1->spsr);
	sim_reg_set(uc, UC_ARM64_REG_PC, vcpu->regs.pc);
}

/*
 * Classes of AArch32 only. In that state Unicorn keeps PC, PSTATE and general registers where its
 * API for aarch64 does not reach, so that no exception can be entered.
 */
static bool is_aarch32(unsigned ec)
{
	return (ec >= 0x03 && ec <= 0x06) || ec == 0x08 || ec == 0x0c ||
	       (ec >= 0x11 && ec <= 0x13) || ec == 0x38 || ec == 0x3a;
}

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	struct sim_cpu *cpu = data;
	struct sim_fault fault = sim_engine_fault(&cpu->engine);

	(void)number;
	if (is_aarch32(ec_of(fault.esr))) {
		cpu->broken = "it went to AArch32, which the sim lacks";
		(void)uc_emu_stop(uc);
	} else if (ec_of(fault.esr) == EC_WFX && sim_fp_at_end(cpu)) {
		(void)uc_emu_stop(uc);
	} else if (fault.target_el == 2) {
		trap_to_el2(cpu, &fault);
	} else if (ec_of(fault.esr) != EC_UNKNOWN || !take_gic_access(cpu)) {
		sim_cpu_exception(cpu, &fault);
		if (sim_clock_exception(cpu->clock)) {
			(void)uc_emu_stop(uc);
		}
	}
}

/* ---- MRS and MSR ---- */

static uint64_t virtual_count(const struct sim_cpu *cpu)
{
	return sim_clock_count(cpu->clock) - cpu->vcpu->a64->cntvoff;
}

/* EL0 may not, by the guest's own rule: Unicorn raises the exception. */
static bool is_forbidden(const struct sim_cpu *cpu, uint64_t enable)
{
	return sim_cpu_is_el0(cpu) && !(sim_sysreg_get(cpu->engine.uc, UC_CNTKCTL_EL1) & enable);
}

static bool timer_reg(uint32_t sysreg, enum a64_timer_reg *reg)
{
	switch (sysreg) {
	case UC_CNTV_TVAL: *reg = A64_TIMER_TVAL; return true;
	case UC_CNTV_CTL: *reg = A64_TIMER_CTL; return true;
	case UC_CNTV_CVAL: *reg = A64_TIMER_CVAL; return true;
	default: return false;
	}
}

static void note_access(struct sim_cpu *cpu, uint32_t sysreg, int reg, bool write)
{
	cpu->access = (struct sim_access){
		.valid = true,
		.write = write,
		.sysreg = sysreg,
		.reg = reg,
		.pc = sim_reg_get(cpu->engine.uc, UC_ARM64_REG_PC),
	};
}

static bool may_matter(const uc_arm64_cp_reg *cp)
{
	return cp->crn == 14 || cp->crn == 12 || cp->crn == 4;
}

static uint32_t name_of(const uc_arm64_cp_reg *cp)
{
	return UC_SYSREG(cp->op0, cp->op1, cp->crn, cp->crm, cp->op2);
}

/* Both return whether the access is done; else Unicorn does it. */
static uint32_t on_mrs(uc_engine *uc, uc_arm64_reg reg, const uc_arm64_cp_reg *cp, void *data)
{
	struct sim_cpu *cpu = data;
	enum a64_timer_reg timer;
	uint32_t sysreg;

	if (!may_matter(cp)) {
		return false;
	}
	sysreg = name_of(cp);
	if (sysreg == UC_CNTVCT_EL0 && !is_forbidden(cpu, CNTKCTL_EL0VCTEN)) {
		sim_reg_set(uc, (int)reg, virtual_count(cpu));
		return true;
	}
	if (timer_reg(sysreg, &timer) && !is_forbidden(cpu, CNTKCTL_EL0VTEN)) {
		sim_reg_set(uc, (int)reg,
			a64_timer_read(&cpu->vcpu->a64->vtimer, timer, virtual_count(cpu)));
		return true;
	}
	note_access(cpu, sysreg, (int)reg, false);
	return false;
}

static uint32_t on_msr(uc_engine *uc, uc_arm64_reg reg, const uc_arm64_cp_reg *cp, void *data)
{
	struct sim_cpu *cpu = data;
	enum a64_timer_reg timer;
	uint32_t sysreg;

	if (!may_matter(cp) && cp->crn != 1) {
		return false;
	}
	sysreg = name_of(cp);
	if (timer_reg(sysreg, &timer) && !is_forbidden(cpu, CNTKCTL_EL0VTEN)) {
		a64_timer_write(&cpu->vcpu->a64->vtimer, timer, cp->val, virtual_count(cpu));
		(void)uc_emu_stop(uc); /* the deadline is another one now */
		return true;
	}
	if (sysreg == UC_CPACR_EL1 && !sim_cpu_is_el0(cpu)) {
		sim_fp_set(cpu, cp->val);
	}
	note_access(cpu, sysreg, (int)reg, true);
	return false;
}

/* TLBI VAE1, VAAE1, VALE1 and VAALE1, and the same for the Inner Shareable domain. */
static bool is_tlbi_by_address(const uc_arm64_cp_reg *cp)
{
	return cp->crn == 8 && cp->op1 == 0 && (cp->crm == 3 || cp->crm == 7) && (cp->op2 & 1);
}

static bool is_of_this_asid(const struct a64_el1 *el1, const uc_arm64_cp_reg *cp)
{
	uint64_t ttbr = hv_bit(el1->tcr, TCR_A1) ? el1->ttbr1 : el1->ttbr0;

	return (cp->op2 & TLBI_ALL_ASIDS) || cp->val >> 48 == ttbr >> 48;
}

/* Whether what this TLBI ends is one page of 4 KiB, by the tables as the guest has left them. */
static bool is_one_page(const struct sim_cpu *cpu, const uc_arm64_cp_reg *cp)
{
	uc_engine *uc = cpu->engine.uc;
	const struct a64_el1 el1 = {
		.sctlr = sim_sysreg_get(uc, UC_SCTLR_EL1),
		.tcr = sim_sysreg_get(uc, UC_TCR_EL1),
		.ttbr0 = sim_sysreg_get(uc, UC_TTBR0_EL1),
		.ttbr1 = sim_sysreg_get(uc, UC_TTBR1_EL1),
	};
	uint64_t va = hv_sign_extend(cp->val << HV_PAGE_SHIFT, 56);

	return is_of_this_asid(&el1, cp) &&
	       a64_walk_span(&el1, &cpu->vcpu->a64->hv.vm->gmem, va) == HV_PAGE_SHIFT;
}

static void maintain_icache(struct sim_cpu *cpu, const uc_arm64_cp_reg *cp)
{
	switch (UC_SYSREG(1, cp->op1, cp->crn, cp->crm, cp->op2)) {
	case UC_IC_IVAU: sim_icache_line(cpu, cp->val); break;
	case UC_IC_IALLU:
	case UC_IC_IALLUIS: sim_icache_all(cpu); break;
	default: break;
	}
}

/*
 * Unicorn keeps a translation in pieces of the nested mapping's size, which is one page, and a TLBI
 * by address takes one piece away. Architecturally it ends the whole of what the guest mapped
 * there: a block goes with all its pieces, and so does what may have been one. What is a table now
 * was no block since the last TLBI of it (break-before-make), so then the piece is all there is.
 */
static uint32_t on_sys(uc_engine *uc, uc_arm64_reg reg, const uc_arm64_cp_reg *cp, void *data)
{
	(void)reg;
	if (cp->crn == 7) {
		maintain_icache(data, cp);
	}
	if (is_tlbi_by_address(cp) && !is_one_page(data, cp)) {
		(void)uc_ctl_flush_tlb(uc);
	}
	return false;
}

static __attribute__((noinline)) void look(
	uc_engine *uc, struct sim_clock *clock, uint64_t address, uint32_t size)
{
	if (clock->every) {
		sim_fp_block(clock->every, address, size);
		if (sim_clock_pass(clock)) {
			return;
		}
	}
	if (sim_clock_look(clock)) {
		(void)uc_emu_stop(uc);
	}
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *data)
{
	if (sim_clock_block(data)) {
		look(uc, data, address, size);
	}
}

bool sim_cpu_hook(struct sim_cpu *cpu)
{
	uc_engine *uc = cpu->engine.uc;
	uc_hook hook;

	return uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, cpu, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_BLOCK, (void *)on_block, cpu->clock, 1, 0) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_mrs, cpu, 1, 0, UC_ARM64_INS_MRS) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_msr, cpu, 1, 0, UC_ARM64_INS_MSR) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_INSN, (void *)on_sys, cpu, 1, 0, UC_ARM64_INS_SYS) ==
		       UC_ERR_OK;
}
