/* SPDX-License-Identifier: MIT */
/*
 * Unicorn's hooks. What a hart with the H extension takes to HS-mode ends the run and becomes a
 * trap record. What it does without leaving the guest is done here without ending the run:
 * exceptions that are delegated, counters, memory that core has not mapped yet. Interrupts are the
 * emulated hart's own.
 *
 * A run may be stopped at an exception or at a block's start only (the head of uc_hooks.c says
 * why).
 */
#include "uc_rv64_hooks.h"

#include <hv/bits.h>
#include <hv/exit.h>
#include <hv/port.h>
#include <string.h>

/* Unicorn's numbers of exceptions are scause's; an ecall is 8, whatever the mode. */
#define FETCH_FAULT 1u
#define ILLEGAL     2u
#define BREAKPOINT  3u
#define LOAD_FAULT  5u
#define STORE_FAULT 7u
#define ECALL_U     8u
#define ECALL_VS    10u
#define FETCH_PAGE  12u
#define LOAD_PAGE   13u
#define STORE_PAGE  15u
#define FETCH_GUEST 20u
#define LOAD_GUEST  21u
#define STORE_GUEST 23u
#define CAUSES      24u

/* It adds this to the PC before its hook is asked. */
#define PC_AHEAD 4u

/* csrrs rd, counter, x0 */
#define COUNTER_READ      0xc0002073u
#define COUNTER_READ_MASK 0xff0ff07fu
#define COUNTER_CYCLE     0u
#define COUNTER_TIME      1u
#define COUNTER_INSTRET   2u

/* ---- where an exception goes ---- */

static void trap(struct sim_rv64_cpu *cpu, uint64_t cause, uint64_t stval, uint64_t gpa)
{
	cpu->trap = (struct rv64_trap){.scause = cause, .stval = stval, .htval = gpa >> 2};
	cpu->trapped = true;
	sim_rv64_put(&cpu->engine);
	(void)uc_emu_stop(cpu->engine.uc);
}

/* Core knows how an exception is entered. What it changed is taken over. */
static void take(struct sim_rv64_cpu *cpu, uint64_t cause, uint64_t tval)
{
	struct rv64_vcpu *vcpu = cpu->vcpu->rv64;
	uint64_t sstatus = HV_BIT(1) | HV_BIT(5) | HV_BIT(8),
		 mstatus = sim_rv64_reg(cpu, AT_MSTATUS);

	vcpu->regs.pc = sim_rv64_reg(cpu, AT_PC);
	vcpu->vs_here = false;
	rv64_exception_take(vcpu, cause, tval);
	sim_rv64_reg_set(cpu, AT_SEPC, vcpu->vs.vsepc);
	sim_rv64_reg_set(cpu, AT_SCAUSE, vcpu->vs.vscause);
	sim_rv64_reg_set(cpu, AT_STVAL, vcpu->vs.vstval);
	sim_rv64_reg_set(cpu, AT_MSTATUS, (mstatus & ~sstatus) | (vcpu->vs.vsstatus & sstatus));
	sim_rv64_reg_set(cpu, AT_PRIV, PRIV_S);
	sim_rv64_reg_set(cpu, AT_PC, vcpu->regs.pc);
	vcpu->vs_here = false;
	vcpu->vs_dirty = false;
	sim_rv64_put(&cpu->engine);
}

static void deliver(struct sim_rv64_cpu *cpu, uint64_t cause, uint64_t tval)
{
	if (cause < CAUSES && hv_bit(rv64_hcsrs(cpu->vcpu->rv64).hedeleg, (unsigned)cause)) {
		take(cpu, cause, tval);
	} else {
		trap(cpu, cause, tval, 0);
	}
}

/* ---- accesses to what is no memory ---- */

/*
 * The PMP refused it. Where the guest's own tables led, the G-stage has nothing: a guest-page
 * fault. If the tables themselves are nowhere, it is an access fault of the guest's.
 */
static void access_fault(
	struct sim_rv64_cpu *cpu, enum rv64_access access, uint64_t guest_cause, uint64_t va)
{
	struct rv64_walk walk;
	struct rv64_vs vs;

	sim_rv64_vs_get(cpu, &vs);
	walk = rv64_walk(&vs, &cpu->vcpu->rv64->hv.vm->gmem, va, access);
	if (walk.cause) {
		deliver(cpu, walk.cause, va);
	} else {
		trap(cpu, guest_cause, va, walk.gpa.v);
	}
}

/* ---- memory that core maps at its first use ---- */

/* True: it was not mapped, and is now. */
static bool map(struct sim_rv64_cpu *cpu, uint64_t gpa, uint8_t want)
{
	struct hv_exit exit = {.kind = HV_EXIT_MEM, .mem = {.addr = GPA(gpa), .want = want}};
	struct hv_pt *pt = &cpu->vcpu->rv64->hv.vm->pt;
	enum hv_status status;
	struct hv_pte pte;
	uint8_t level;

	port_lock(&pt->lock);
	status = hv_pt_lookup(pt, GPA(gpa), &pte, &level);
	port_unlock(&pt->lock);
	return status != HV_OK && hv_exit_handle(&cpu->vcpu->rv64->hv, &exit) == HV_RESUME;
}

/* The guest's tables that lead to va, one at a time. True: one was not mapped, and is now. */
static bool map_tables(struct sim_rv64_cpu *cpu, const struct rv64_vs *vs, uint64_t va)
{
	const struct hv_gmem *gmem = &cpu->vcpu->rv64->hv.vm->gmem;
	uint64_t table = (vs->vsatp & HV_MASK(43, 0)) << HV_PAGE_SHIFT;

	for (unsigned level = (unsigned)(vs->vsatp >> 60) - 5; level-- > 0;) {
		uint64_t at = table + (va >> (HV_PAGE_SHIFT + 9 * level) & 511) * 8;
		uint8_t pte[8];

		if (map(cpu, at, HV_PROT_R)) {
			return true;
		}
		if (hv_gmem_copy_in(gmem, pte, GPA(at), sizeof(pte)) != HV_OK) {
			return false;
		}
		table = (hv_le64(pte) & HV_MASK(53, 10)) << 2;
	}
	return false;
}

/* To this hart a table that it cannot read is a page fault, too. */
static void page_fault(
	struct sim_rv64_cpu *cpu, enum rv64_access access, uint64_t cause, uint64_t va)
{
	struct rv64_vs vs;

	sim_rv64_vs_get(cpu, &vs);
	if (rv64_walk(&vs, &cpu->vcpu->rv64->hv.vm->gmem, va, access).cause == 0 &&
		map_tables(cpu, &vs, va)) {
		sim_rv64_put(&cpu->engine);
	} else {
		deliver(cpu, cause, va);
	}
}

static uint8_t wanted(uc_mem_type type)
{
	switch (type) {
	case UC_MEM_FETCH_UNMAPPED: return HV_PROT_X;
	case UC_MEM_WRITE_UNMAPPED: return HV_PROT_W;
	default: return HV_PROT_R;
	}
}

/* The PMP has let it through, so there is memory of the guest's. True: it is mapped now. */
static bool on_unmapped(
	uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	struct sim_rv64_cpu *cpu = data;

	(void)uc;
	(void)size;
	(void)value;
	if (!map(cpu, address, wanted(type))) {
		cpu->broken = "its memory cannot be mapped";
		return false;
	}
	return true;
}

/* ---- instructions that do not run ---- */

/* The three counters of a hart; all of them count time. */
static bool counter(struct sim_rv64_cpu *cpu, unsigned number, uint64_t *value)
{
	if (sim_rv64_reg(cpu, AT_PRIV) == PRIV_U &&
		!hv_bit(sim_rv64_reg(cpu, AT_SCOUNTEREN), number)) {
		return false;
	}
	switch (number) {
	case COUNTER_TIME: *value = sim_rv64_time(cpu); return true;
	case COUNTER_CYCLE:
	case COUNTER_INSTRET: *value = sim_clock_now(cpu->clock); return true;
	default: return false;
	}
}

static bool read_counter(struct sim_rv64_cpu *cpu, uint32_t insn)
{
	unsigned reg = insn >> 7 & 31;
	uint64_t value;

	if ((insn & COUNTER_READ_MASK) != COUNTER_READ ||
		!counter(cpu, (unsigned)(insn >> 20 & 0xff), &value)) {
		return false;
	}
	if (reg != 0) {
		memcpy((uint8_t *)cpu->engine.now + cpu->engine.at[AT_X1] +
				(reg - 1) * sizeof(value),
			&value, sizeof(value));
	}
	sim_rv64_reg_set(cpu, AT_PC, sim_rv64_reg(cpu, AT_PC) + 4);
	sim_rv64_put(&cpu->engine);
	return true;
}

static void illegal(struct sim_rv64_cpu *cpu)
{
	uint32_t insn = 0;
	struct rv64_vs vs;

	sim_rv64_vs_get(cpu, &vs);
	if (!rv64_insn_peek(&vs, &cpu->vcpu->rv64->hv.vm->gmem, sim_rv64_reg(cpu, AT_PC), &insn) ||
		!read_counter(cpu, insn)) {
		deliver(cpu, ILLEGAL, insn);
	}
}

static void on_exception(uc_engine *uc, uint32_t number, void *data)
{
	struct sim_rv64_cpu *cpu = data;
	uint64_t va;

	sim_rv64_look(&cpu->engine);
	sim_rv64_reg_set(cpu, AT_PC, sim_rv64_reg(cpu, AT_PC) - PC_AHEAD);
	va = sim_rv64_reg(cpu, AT_BADADDR);
	switch (number) {
	case ECALL_U:
		deliver(cpu, sim_rv64_reg(cpu, AT_PRIV) == PRIV_U ? ECALL_U : ECALL_VS, 0);
		break;
	case ILLEGAL: illegal(cpu); break;
	case FETCH_FAULT: access_fault(cpu, RV64_FETCH, FETCH_GUEST, va); break;
	case LOAD_FAULT: access_fault(cpu, RV64_LOAD, LOAD_GUEST, va); break;
	case STORE_FAULT: access_fault(cpu, RV64_STORE, STORE_GUEST, va); break;
	case FETCH_PAGE: page_fault(cpu, RV64_FETCH, FETCH_PAGE, va); break;
	case LOAD_PAGE: page_fault(cpu, RV64_LOAD, LOAD_PAGE, va); break;
	case STORE_PAGE: page_fault(cpu, RV64_STORE, STORE_PAGE, va); break;
	default: deliver(cpu, number, va); break;
	}
	if (sim_clock_exception(cpu->clock)) {
		(void)uc_emu_stop(uc);
	}
}

/*
 * Unicorn ends a run at EBREAK without asking any hook that could go on. The PC is at it.
 */
bool sim_rv64_breakpoint(struct sim_rv64_cpu *cpu, uc_err error)
{
	struct rv64_vcpu *vcpu = cpu->vcpu->rv64;

	if (error != UC_ERR_INSN_INVALID && error != UC_ERR_EXCEPTION) {
		return false;
	}
	rv64_exception_take(vcpu, BREAKPOINT, 0);
	return true;
}

/*
 * The first store to a page since that came into the TLB. Flash is read-only, and Unicorn drops
 * what is stored to it, in a page that was loaded from: the PMP was asked then, and is not asked
 * again. Which instruction it is nobody knows here, so no exception is raised. The TLB must stay
 * as it is in here: Unicorn goes on with the entry that it found before.
 */
static bool on_store(
	uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *data)
{
	(void)uc;
	(void)type;
	(void)size;
	(void)value;
	sim_rv64_code_written(data, address);
	return true;
}

/* ---- the start of a block ---- */

static bool is_over(struct sim_clock *clock)
{
	return !(clock->every && sim_clock_pass(clock)) && sim_clock_look(clock);
}

static __attribute__((noinline)) void look(uc_engine *uc, struct sim_clock *clock, uint64_t address)
{
	if (is_over(clock)) {
		(void)uc_emu_stop(uc);
	} else if (clock->every) {
		sim_rv64_code_block(clock->every, address);
	}
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *data)
{
	(void)size;
	if (sim_clock_block(data)) {
		look(uc, data, address);
	}
}

bool sim_rv64_hook(struct sim_rv64_cpu *cpu)
{
	const int unmapped =
		UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED | UC_HOOK_MEM_FETCH_UNMAPPED;
	uc_engine *uc = cpu->engine.uc;
	uc_hook hook;

	return uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_exception, cpu, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, unmapped, (void *)on_unmapped, cpu, 1, 0) == UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_MEM_WRITE_PROT, (void *)on_store, cpu, 1, 0) ==
		       UC_ERR_OK &&
	       uc_hook_add(uc, &hook, UC_HOOK_BLOCK, (void *)on_block, cpu->clock, 1, 0) ==
		       UC_ERR_OK;
}
