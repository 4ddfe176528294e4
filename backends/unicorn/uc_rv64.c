/* SPDX-License-Identifier: MIT */
/* Registers to and fro, and turns. RISC-V Privileged Architecture 20211203 ("priv"). */
#include "uc_rv64.h"

#include "uc_rv64_hooks.h"

#include <hv/bits.h>
#include <string.h>

/* mstatus (priv 3.1.6): what sstatus shows of it, and what is the hypervisor's. */
#define SSTATUS_FIELDS                                                                             \
	(HV_BIT(1) | HV_BIT(5) | HV_BIT(8) | HV_MASK(14, 13) | HV_MASK(16, 15) | HV_BIT(18) |      \
		HV_BIT(19))
#define STATUS_FS   HV_MASK(14, 13)
#define STATUS_XLEN HV_BIT(33) /* UXL 64 bits, which this hart does not show */
#define STATUS_SD   HV_BIT(63)
#define STATUS_SUM  HV_BIT(18)
#define STATUS_MXR  HV_BIT(19)
/* WFI traps. Unicorn 2.1.1 has this bit at 29, where the specification has nothing. */
#define MSTATUS_TW (HV_BIT(21) | HV_BIT(29))

/* SSI, STI, SEI; the hypervisor's numbers for a guest's are each one more. */
#define S_INTERRUPTS (HV_BIT(1) | HV_BIT(5) | HV_BIT(9))

/*
 * Unicorn looks for interrupts only while it believes that one is pending, which it decides when
 * mip is written by an instruction or by its API, not when a context is restored. MSIP, which is
 * never enabled here and which a guest cannot see, keeps it believing.
 */
#define MIP_MSIP HV_BIT(3)

/* ---- the guest's CSRs ---- */

struct csr_row {
	enum sim_rv64_at at;
	uint16_t offset;
};

/* Those that are the same for both. */
static const struct csr_row csr_rows[] = {
	{AT_STVEC, offsetof(struct rv64_vs, vstvec)},
	{AT_SSCRATCH, offsetof(struct rv64_vs, vsscratch)},
	{AT_SEPC, offsetof(struct rv64_vs, vsepc)},
	{AT_SCAUSE, offsetof(struct rv64_vs, vscause)},
	{AT_STVAL, offsetof(struct rv64_vs, vstval)},
	{AT_SATP, offsetof(struct rv64_vs, vsatp)},
	{AT_SCOUNTEREN, offsetof(struct rv64_vs, scounteren)},
};

static uint64_t with_sd(uint64_t status)
{
	return (status & STATUS_FS) == STATUS_FS ? status | STATUS_SD : status;
}

void sim_rv64_vs_get(const struct sim_rv64_cpu *cpu, struct rv64_vs *vs)
{
	for (size_t i = 0; i < HV_ARRAY_COUNT(csr_rows); i++) {
		uint64_t value = sim_rv64_reg(cpu, csr_rows[i].at);

		memcpy((uint8_t *)vs + csr_rows[i].offset, &value, sizeof(value));
	}
	vs->vsstatus = with_sd((sim_rv64_reg(cpu, AT_MSTATUS) & SSTATUS_FIELDS) | STATUS_XLEN);
	vs->vsie = sim_rv64_reg(cpu, AT_MIE) & S_INTERRUPTS;
	vs->user = sim_rv64_reg(cpu, AT_PRIV) == PRIV_U;
	vs->senvcfg = 0; /* this hart has none */
}

/* True: translations may be stale. */
static bool vs_set(struct sim_rv64_cpu *cpu, const struct rv64_vs *vs)
{
	uint64_t status = sim_rv64_reg(cpu, AT_MSTATUS), satp = sim_rv64_reg(cpu, AT_SATP), value;

	for (size_t i = 0; i < HV_ARRAY_COUNT(csr_rows); i++) {
		memcpy(&value, (const uint8_t *)vs + csr_rows[i].offset, sizeof(value));
		sim_rv64_reg_set(cpu, csr_rows[i].at, value);
	}
	sim_rv64_reg_set(cpu, AT_MSTATUS, with_sd((vs->vsstatus & SSTATUS_FIELDS) | MSTATUS_TW));
	sim_rv64_reg_set(cpu, AT_MIE, vs->vsie & S_INTERRUPTS);
	sim_rv64_reg_set(cpu, AT_PRIV, vs->user ? PRIV_U : PRIV_S);
	return satp != vs->vsatp || ((status ^ vs->vsstatus) & (STATUS_SUM | STATUS_MXR));
}

/* ---- interrupts and time ---- */

void sim_rv64_irq_set(struct sim_rv64_cpu *cpu, struct rv64_hvip hvip)
{
	uint64_t mip = sim_rv64_reg(cpu, AT_MIP);

	mip = (mip & ~(hvip.clear >> 1)) | hvip.set >> 1 | MIP_MSIP;
	sim_rv64_reg_set(cpu, AT_MIP, mip);
	sim_rv64_put(&cpu->engine);
}

uint64_t sim_rv64_pending(const struct sim_rv64_cpu *cpu)
{
	return (sim_rv64_reg(cpu, AT_MIP) & sim_rv64_reg(cpu, AT_MIE) & S_INTERRUPTS) << 1;
}

uint64_t sim_rv64_time(const struct sim_rv64_cpu *cpu)
{
	return sim_clock_now(cpu->clock) / SIM_RV64_TICK_NS + cpu->vcpu->rv64->htimedelta;
}

/* ---- into the guest and out of it ---- */

static uint8_t *general(struct sim_rv64_cpu *cpu)
{
	return (uint8_t *)cpu->engine.now + cpu->engine.at[AT_X1];
}

#define GENERAL_SIZE (31 * sizeof(uint64_t))

static void store(struct sim_rv64_cpu *cpu)
{
	struct rv64_vcpu *vcpu = cpu->vcpu->rv64;
	bool stale = false;

	memcpy(general(cpu), &vcpu->regs.x[1], GENERAL_SIZE);
	sim_rv64_reg_set(cpu, AT_PC, vcpu->regs.pc);
	if (vcpu->vs_dirty) {
		stale = vs_set(cpu, &vcpu->vs);
	}
	vcpu->vs_dirty = false;
	vcpu->vs_here = false;
	sim_rv64_put(&cpu->engine);
	if (stale) {
		(void)uc_ctl_flush_tlb(cpu->engine.uc);
	}
}

static void save(struct sim_rv64_cpu *cpu)
{
	struct rv64_vcpu *vcpu = cpu->vcpu->rv64;

	sim_rv64_look(&cpu->engine);
	memcpy(&vcpu->regs.x[1], general(cpu), GENERAL_SIZE);
	vcpu->regs.pc = sim_rv64_reg(cpu, AT_PC);
}

enum sim_rv64_exit sim_rv64_run(struct sim_rv64_cpu *cpu, uint64_t deadline)
{
	uint64_t start;
	uc_err error;

	store(cpu);
	cpu->trapped = false;
	cpu->broken = NULL;
	start = sim_host_now();
	sim_clock_arm(cpu->clock, deadline);
	error = uc_emu_start(cpu->engine.uc, cpu->vcpu->rv64->regs.pc, 0, 0, 0);
	cpu->clock->guest_ns += sim_host_now() - start;
	save(cpu);
	sim_rv64_code_run_ended(cpu);
	if (error != UC_ERR_OK && !cpu->broken && !sim_rv64_breakpoint(cpu, error)) {
		cpu->broken = uc_strerror(error);
	}
	if (cpu->broken) {
		return SIM_RV64_BROKEN;
	}
	return cpu->trapped ? SIM_RV64_TRAP : SIM_RV64_TIME;
}

/* ---- vCPUs take turns ---- */

/* FCSR is out of reach while FP is off; what the context says of that is restored by the caller. */
static void fp_on(struct sim_rv64_cpu *cpu)
{
	sim_rv64_reg_set(cpu, AT_MSTATUS, sim_rv64_reg(cpu, AT_MSTATUS) | STATUS_FS);
	sim_rv64_put(&cpu->engine);
}

/* What its next turn needs. Somebody may write what LR reserved, so that reservation is gone. */
static void put_aside(struct sim_rv64_cpu *cpu)
{
	struct sim_rv64_vcpu *vcpu = cpu->vcpu;

	sim_rv64_look(&cpu->engine);
	(void)uc_context_save(cpu->engine.uc, vcpu->context);
	sim_rv64_set(&cpu->engine, vcpu->context, AT_RESERVED, ~(uint64_t)0);
	fp_on(cpu);
	(void)uc_reg_read(cpu->engine.uc, UC_RISCV_REG_FCSR, &vcpu->fcsr);
}

static void take_up(struct sim_rv64_cpu *cpu, struct sim_rv64_vcpu *vcpu)
{
	memcpy(cpu->engine.now, vcpu->context, cpu->engine.context_size);
	fp_on(cpu);
	(void)uc_reg_write(cpu->engine.uc, UC_RISCV_REG_FCSR, &vcpu->fcsr);
	(void)uc_context_restore(cpu->engine.uc, vcpu->context);
	sim_rv64_look(&cpu->engine);
	(void)uc_ctl_flush_tlb(cpu->engine.uc);
	cpu->vcpu = vcpu;
}

void sim_rv64_load(struct sim_rv64_cpu *cpu, struct sim_rv64_vcpu *vcpu)
{
	if (cpu->vcpu != vcpu) {
		put_aside(cpu);
		take_up(cpu, vcpu);
	}
}

bool sim_rv64_add(struct sim_rv64_cpu *cpu, struct sim_rv64_vcpu *vcpu)
{
	const struct rv64_vs fresh = {0};

	if (uc_context_alloc(cpu->engine.uc, &vcpu->context) != UC_ERR_OK) {
		vcpu->context = NULL;
		return false;
	}
	cpu->vcpu = vcpu;
	sim_rv64_look(&cpu->engine);
	(void)vs_set(cpu, &fresh);
	sim_rv64_reg_set(cpu, AT_MIP, MIP_MSIP);
	sim_rv64_put(&cpu->engine);
	return uc_context_save(cpu->engine.uc, vcpu->context) == UC_ERR_OK;
}

void sim_rv64_drop(struct sim_rv64_vcpu *vcpu)
{
	if (vcpu->context) {
		(void)uc_context_free(vcpu->context);
		vcpu->context = NULL;
	}
}

void sim_rv64_clear(struct sim_rv64_cpu *cpu)
{
	const uint64_t zero = 0;

	fp_on(cpu);
	for (int n = 0; n < 32; n++) {
		(void)uc_reg_write(cpu->engine.uc, UC_RISCV_REG_F0 + n, &zero);
	}
	(void)uc_reg_write(cpu->engine.uc, UC_RISCV_REG_FCSR, &zero);
	sim_rv64_look(&cpu->engine);
}

/* ---- open and close ---- */

/*
 * As docs/sim.md tells: what a G-stage of this hart's can do, the memory map does. No Sstc, so the
 * timer is core's; `time` is answered without an exit.
 */
struct rv64_caps sim_rv64_caps(void)
{
	static const char letters[] = "imafdch";
	struct rv64_caps caps = {
		.exts = HV_BIT(RV64_EXT_ZICSR) | HV_BIT(RV64_EXT_ZIFENCEI),
		.gstage_levels = 3,
		.satp_levels = 5,
		.vmid_bits = 14,
		.pa_bits = 56,
		.time = true,
		.timebase = 1000000000u / SIM_RV64_TICK_NS,
	};

	for (const char *letter = letters; *letter; letter++) {
		caps.exts |= HV_BIT(*letter - 'a');
	}
	return caps;
}

static bool set_up(struct sim_rv64_cpu *cpu)
{
	const uint64_t delegated = S_INTERRUPTS, pending = HV_BIT(1), none = 0;
	uc_engine *uc = cpu->engine.uc;

	return uc_reg_write(uc, UC_RISCV_REG_MIDELEG, &delegated) == UC_ERR_OK &&
	       uc_reg_write(uc, UC_RISCV_REG_MCOUNTEREN, &none) == UC_ERR_OK &&
	       uc_reg_write(uc, UC_RISCV_REG_MIP, &pending) == UC_ERR_OK;
}

const char *sim_rv64_open(struct sim_rv64_cpu *cpu, struct sim_clock *clock)
{
	const char *wrong;

	*cpu = (struct sim_rv64_cpu){.clock = clock};
	wrong = sim_rv64_engine_open(&cpu->engine);
	if (wrong) {
		return wrong;
	}
	if (!set_up(cpu)) {
		sim_rv64_engine_close(&cpu->engine);
		return "this Unicorn lacks a register that the sim needs";
	}
	return NULL;
}

/* The hooks come last: what M-mode does is not the guest's. */
const char *sim_rv64_begin(
	struct sim_rv64_cpu *cpu, const struct sim_rv64_range range[SIM_RV64_RANGES])
{
	if (!sim_rv64_protect(&cpu->engine, range)) {
		return "the emulated hart's memory protection cannot be set";
	}
	return sim_rv64_hook(cpu) ? NULL : "this Unicorn lacks a hook that the sim needs";
}

void sim_rv64_close(struct sim_rv64_cpu *cpu)
{
	sim_rv64_code_close(cpu);
	sim_rv64_engine_close(&cpu->engine);
}
