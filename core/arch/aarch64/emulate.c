/* SPDX-License-Identifier: MIT */
#include "emulate.h"
#include "decode.h"
#include "esr.h"
#include "inject.h"
#include "pstate.h"
#include "walk.h"

#include <hv/check.h>

#define MOST_PARTS 4u /* a pair of 128-bit registers by 64 bits */

/* One bus access or copy: an element of the instruction, or half of a 128-bit one. */
struct part {
	uint64_t va, gpa, data;
	bool memory; /* guest memory, not a device */
};

struct plan {
	struct a64_ldst op;
	uint64_t base; /* what the base register becomes, with writeback */
	uint8_t part_size;
	unsigned part_count;
	struct part part[MOST_PARTS];
};

static enum hv_verdict refuse(
	struct a64_vcpu *vcpu, const struct a64_trap *trap, uint64_t va, unsigned fsc)
{
	struct a64_trap at = *trap;

	at.far = va;
	a64_inject_data_abort(vcpu, &at, fsc);
	return HV_FAULT;
}

/* The stack pointer in use. */
static uint64_t *sp(struct a64_vcpu *vcpu)
{
	struct a64_el1 *el1 = a64_el1_get(vcpu);
	bool own = !a64_is_el0(vcpu) && (vcpu->regs.pstate & A64_PSTATE_SP);

	return own ? &el1->sp_el1 : &el1->sp_el0;
}

static uint64_t extended(const struct a64_vcpu *vcpu, const struct a64_ldst *op)
{
	uint64_t value = a64_x(vcpu, op->rm);

	switch (op->extend) {
	case A64_UXTW: value = (uint32_t)value; break;
	case A64_SXTW: value = hv_sign_extend(value, 32); break;
	default: break; /* LSL and SXTX take all 64 bits */
	}
	return value << op->shift;
}

/* Where the access is, and what the base becomes. */
static uint64_t address(struct a64_vcpu *vcpu, struct plan *plan)
{
	const struct a64_ldst *op = &plan->op;
	uint64_t base = op->rn == 31 ? *sp(vcpu) : vcpu->regs.x[op->rn];

	plan->base = base + (uint64_t)op->imm;
	switch (op->mode) {
	case A64_LDST_POST: return base;
	case A64_LDST_INDEX: return base + extended(vcpu, op);
	case A64_LDST_PC: return vcpu->regs.pc + (uint64_t)op->imm;
	default: return plan->base;
	}
}

/*
 * Whether this is the instruction that trapped: the same direction, and the fault inside what it
 * accesses. The address tag plays no part.
 */
static bool matches(const struct plan *plan, const struct a64_trap *trap, uint64_t va)
{
	uint64_t offset = (trap->far - va) & HV_MASK(55, 0);

	return plan->op.load == !(trap->esr & A64_ISS_WNR) &&
	       offset < (uint64_t)plan->part_size * plan->part_count;
}

/* The instruction word at the PC, or the abort that the guest gets for not having it any more. */
/* Instructions are little-endian whatever the data is. */
static bool insn_read(const struct a64_walk *walk, uint32_t *insn)
{
	uint8_t bytes[4];

	if (hv_gmem_copy_in(walk->gmem, bytes, GPA(walk->gpa), sizeof(bytes)) != HV_OK) {
		return false;
	}
	*insn = hv_le32(bytes);
	return true;
}

bool a64_insn_peek(struct a64_vcpu *vcpu, uint32_t *insn)
{
	struct a64_walk walk;

	return a64_translate(vcpu, vcpu->regs.pc, A64_WALK_FETCH, false, &walk) &&
	       insn_read(&walk, insn);
}

bool a64_host_address(struct a64_vcpu *vcpu, uint64_t va, hpa_t *hpa)
{
	struct a64_walk walk;
	struct hv_pte pte;
	uint8_t level;

	if (!a64_translate(vcpu, va, A64_WALK_READ, false, &walk) ||
		hv_pt_lookup(&vcpu->hv.vm->pt, GPA(walk.gpa), &pte, &level) != HV_OK) {
		return false;
	}
	*hpa = HPA(pte.pa);
	return true;
}

static enum hv_verdict fetch(struct a64_vcpu *vcpu, uint32_t *insn)
{
	uint64_t pc = vcpu->regs.pc;
	struct a64_walk walk;

	if (!a64_translate(vcpu, pc, A64_WALK_FETCH, false, &walk)) {
		a64_inject_insn_abort(vcpu, pc, true, walk.fsc);
		return HV_FAULT;
	}
	if (!insn_read(&walk, insn)) {
		a64_inject_insn_abort(vcpu, pc, true, A64_FSC_EXTERNAL);
		return HV_FAULT;
	}
	return HV_RESUME;
}

/* Translates one part and sees that something is there, so that no half of a pair is done alone. */
static enum hv_verdict locate(struct a64_vcpu *vcpu, const struct a64_trap *trap,
	const struct plan *plan, struct part *part)
{
	enum a64_walk_access access = plan->op.load ? A64_WALK_READ : A64_WALK_WRITE;
	struct hv_vm *vm = vcpu->hv.vm;
	uint8_t size = plan->part_size;
	struct a64_walk walk;

	if (!hv_is_aligned(part->va, size)) {
		return refuse(vcpu, trap, part->va, A64_FSC_ALIGNMENT);
	}
	if (!a64_translate(vcpu, part->va, access, plan->op.unprivileged, &walk)) {
		return refuse(vcpu, trap, part->va, walk.fsc);
	}
	part->gpa = walk.gpa;
	part->memory =
		hv_gmem_has(&vm->gmem, GPA(part->gpa), size, plan->op.load ? HV_PROT_R : HV_PROT_W);
	if (!part->memory && !hv_bus_find(&vm->bus, part->gpa, size)) {
		return refuse(vcpu, trap, part->va, A64_FSC_EXTERNAL);
	}
	return HV_RESUME;
}

/* Guest memory that shares an instruction with a device. */
static enum hv_verdict copy(struct a64_vcpu *vcpu, const struct plan *plan, struct part *part)
{
	const struct hv_gmem *gmem = &vcpu->hv.vm->gmem;
	uint8_t bytes[8] = {0};
	enum hv_status status;

	if (plan->op.load) {
		status = hv_gmem_copy_in(gmem, bytes, GPA(part->gpa), plan->part_size);
		part->data = hv_le64(bytes);
	} else {
		for (unsigned i = 0; i < plan->part_size; i++) {
			bytes[i] = (uint8_t)(part->data >> 8 * i);
		}
		status = hv_gmem_copy_out(gmem, GPA(part->gpa), bytes, plan->part_size);
	}
	return HV_NEVER(status != HV_OK) ? HV_FAULT : HV_RESUME; /* locate() saw it */
}

static enum hv_verdict access(struct a64_vcpu *vcpu, const struct plan *plan, struct part *part)
{
	struct hv_exit exit;
	enum hv_verdict verdict;

	if (part->memory) {
		return copy(vcpu, plan, part);
	}
	exit.kind = HV_EXIT_MMIO;
	exit.insn_len = 4;
	exit.io.addr = part->gpa;
	exit.io.access = (struct hv_access){
		.data = plan->op.load ? 0 : part->data,
		.size = plan->part_size,
		.write = !plan->op.load,
	};
	verdict = hv_exit_handle(&vcpu->hv, &exit);
	part->data = exit.io.access.data;
	return verdict;
}

/* Element n lies in one part, or in two of which the first is the lower half unless big-endian. */
static void element_get(struct plan *plan, unsigned n, bool big, uint64_t value[2])
{
	const struct part *part = &plan->part[plan->op.size == 16 ? 2 * n : n];
	unsigned low = big ? 1 : 0, high = 1 - low;

	value[1] = 0;
	if (plan->op.size == 16) {
		value[0] = big ? a64_swap(part[low].data, 8) : part[low].data;
		value[1] = big ? a64_swap(part[high].data, 8) : part[!low].data;
	} else {
		value[0] = big ? a64_swap(part->data, plan->op.size) : part->data;
	}
}

static void element_set(struct plan *plan, unsigned n, bool big, const uint64_t value[2])
{
	struct part *part = &plan->part[plan->op.size == 16 ? 2 * n : n];
	unsigned low = big ? 1 : 0, high = 1 - low;

	if (plan->op.size == 16) {
		part[low].data = big ? a64_swap(value[0], 8) : value[0];
		part[high].data = big ? a64_swap(value[1], 8) : value[1];
	} else {
		part->data = value[0] & HV_MASK(8u * plan->op.size - 1, 0);
		part->data = big ? a64_swap(part->data, plan->op.size) : part->data;
	}
}

static void gather(struct a64_vcpu *vcpu, struct plan *plan, bool big)
{
	for (unsigned n = 0; n < plan->op.count; n++) {
		unsigned reg = n ? plan->op.rt2 : plan->op.rt;
		uint64_t value[2] = {0};

		if (plan->op.vector) {
			port_a64_vreg_get(reg, value);
		} else {
			value[0] = a64_x(vcpu, reg);
		}
		element_set(plan, n, big, value);
	}
}

static void scatter(struct a64_vcpu *vcpu, struct plan *plan, bool big)
{
	const struct a64_ldst *op = &plan->op;

	for (unsigned n = 0; n < op->count; n++) {
		unsigned reg = n ? op->rt2 : op->rt;
		uint64_t value[2];

		element_get(plan, n, big, value);
		if (op->vector) {
			port_a64_vreg_set(reg, value);
			continue;
		}
		if (op->sext) {
			value[0] = hv_sign_extend(value[0], 8u * op->size);
		}
		a64_x_set(vcpu, reg, op->wide ? value[0] : (uint32_t)value[0]);
	}
}

static void write_back(struct a64_vcpu *vcpu, const struct plan *plan)
{
	if (plan->op.mode != A64_LDST_PRE && plan->op.mode != A64_LDST_POST) {
		return;
	}
	if (plan->op.rn == 31) {
		*sp(vcpu) = plan->base;
		vcpu->el1_dirty = true;
	} else {
		vcpu->regs.x[plan->op.rn] = plan->base;
	}
}

static enum hv_verdict perform(
	struct a64_vcpu *vcpu, const struct a64_trap *trap, struct plan *plan)
{
	bool big = a64_is_big_endian(vcpu);

	for (unsigned i = 0; i < plan->part_count; i++) {
		enum hv_verdict verdict = locate(vcpu, trap, plan, &plan->part[i]);

		if (verdict != HV_RESUME) {
			return verdict;
		}
	}
	if (!plan->op.load) {
		gather(vcpu, plan, big);
	}
	for (unsigned i = 0; i < plan->part_count; i++) {
		if (access(vcpu, plan, &plan->part[i]) == HV_FAULT) {
			return refuse(vcpu, trap, plan->part[i].va, A64_FSC_EXTERNAL);
		}
	}
	if (plan->op.load) {
		scatter(vcpu, plan, big);
	}
	write_back(vcpu, plan); /* D3: once, and only after all of the access succeeded */
	a64_step(vcpu, trap->esr);
	return HV_RESUME;
}

enum hv_verdict a64_emulate(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	struct plan plan = {0};
	uint32_t insn;
	uint64_t va;

	if (a64_is_aarch32(vcpu)) { /* multiple transfers of AArch32 are not for devices */
		return refuse(vcpu, trap, trap->far, A64_FSC_EXTERNAL);
	}
	if (fetch(vcpu, &insn) != HV_RESUME) {
		return HV_FAULT;
	}
	plan.op = a64_ldst_decode(insn);
	if (plan.op.kind != A64_LDST_PLAIN) {
		return refuse(vcpu, trap, trap->far, A64_FSC_EXTERNAL);
	}
	plan.part_size = plan.op.size < 8 ? plan.op.size : 8;
	plan.part_count = (unsigned)plan.op.count * plan.op.size / plan.part_size;
	va = address(vcpu, &plan);
	if (!matches(&plan, trap, va)) { /* other code is there by now */
		return refuse(vcpu, trap, trap->far, A64_FSC_EXTERNAL);
	}
	for (unsigned i = 0; i < plan.part_count; i++) {
		plan.part[i].va = va + (uint64_t)plan.part_size * i;
	}
	return perform(vcpu, trap, &plan);
}
