/* SPDX-License-Identifier: MIT */
/* Source: DDI 0487, D8.15 (faults), ISS encodings for data and instruction aborts, HPFAR_EL2. */
#include "abort.h"
#include "emulate.h"
#include "esr.h"
#include "inject.h"
#include "pstate.h"
#include "walk.h"

static bool is_mmu_fault(uint64_t esr)
{
	return a64_iss_fault_kind(esr) <= A64_FSC_PERMISSION;
}

static HV_HOT uint64_t page_of(uint64_t hpfar)
{
	return hv_align_down(hpfar << 8, HV_PAGE_SIZE);
}

static uint64_t fault_page(const struct a64_trap *trap)
{
	return page_of(trap->hpfar);
}

/* Maps guest memory that is not mapped yet. HV_FAULT: no memory, or not for this access. */
static enum hv_verdict map(struct a64_vcpu *vcpu, uint64_t gpa, uint8_t want)
{
	struct hv_exit exit;

	if (!hv_gmem_find(&vcpu->hv.vm->gmem, GPA(gpa))) {
		return HV_FAULT;
	}
	exit.kind = HV_EXIT_MEM;
	exit.insn_len = 0;
	exit.mem.addr = GPA(gpa);
	exit.mem.want = want;
	return hv_exit_handle(&vcpu->hv, &exit);
}

static enum hv_verdict data_fault(struct a64_vcpu *vcpu, const struct a64_trap *trap, unsigned fsc)
{
	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	a64_inject_data_abort(vcpu, trap, fsc);
	return HV_RESUME;
}

/*
 * A fetch that faults at the vector that its own fault goes to would fault there for ever, with no
 * exit but these: such a guest is dead.
 */
static enum hv_verdict insn_fault(struct a64_vcpu *vcpu, const struct a64_trap *trap, unsigned fsc)
{
	uint64_t pc = vcpu->regs.pc;

	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	a64_inject_insn_abort(vcpu, trap->far, !(trap->esr & A64_ISS_FNV), fsc);
	if (vcpu->regs.pc == pc) {
		return hv_vm_crash(
			&vcpu->hv, "its exception vector is not in memory", trap->esr, pc);
	}
	return HV_RESUME;
}

/* The guest's register as an access of this size writes it. */
static HV_HOT uint64_t stored(const struct a64_vcpu *vcpu, uint64_t esr, uint8_t size)
{
	return a64_x(vcpu, a64_iss_reg(esr)) & (~(uint64_t)0 >> (64 - 8 * size));
}

static HV_COLD uint64_t sign_extend(uint64_t esr, uint64_t data)
{
	data = hv_sign_extend(data, 8u * a64_iss_size(esr));
	return (esr & A64_ISS_SF) ? data : (uint32_t)data;
}

/* What an access of this size loads. The data is zero above it, so only a sign has to be spread. */
static HV_HOT void load(struct a64_vcpu *vcpu, uint64_t esr, uint64_t data)
{
	if (esr & A64_ISS_SSE) {
		data = sign_extend(esr, data);
	}
	a64_x_set(vcpu, a64_iss_reg(esr), data);
}

static HV_HOT uint64_t ordered(uint64_t data, uint8_t size, bool swap)
{
	return swap ? a64_swap(data, size) : data;
}

static HV_HOT enum hv_verdict ask(struct a64_vcpu *vcpu, uint64_t gpa, struct hv_access *access)
{
	enum hv_verdict verdict = hv_exit_mmio(&vcpu->hv, gpa, access);

	if (verdict == HV_FAULT) {
		vcpu->hv.stats.exits[HV_EXIT_MMIO]--; /* it was an exit of another kind */
	}
	return verdict;
}

/*
 * A load or store that the syndrome describes, on a device. `plain` is known where it is inlined:
 * AArch64, little-endian. HV_FAULT: nobody answered, and nothing has changed. Each direction has a
 * way of its own through the bus: none asks twice which it is.
 */
static HV_HOT enum hv_verdict device(struct a64_vcpu *vcpu, uint64_t esr, uint64_t gpa, bool plain)
{
	uint8_t size = a64_iss_size(esr);
	bool swap = !plain && a64_is_big_endian(vcpu);
	struct hv_access access;
	enum hv_verdict verdict;

	access.size = size;
	if (esr & A64_ISS_WNR) {
		access.write = true;
		access.data = ordered(stored(vcpu, esr, size), size, swap);
		verdict = ask(vcpu, gpa, &access);
	} else {
		access.write = false;
		access.data = 0;
		verdict = ask(vcpu, gpa, &access);
		if (verdict != HV_FAULT) {
			load(vcpu, esr, ordered(access.data, size, swap));
		}
	}
	if (verdict == HV_FAULT) {
		return HV_FAULT;
	}
	if (plain) {
		a64_step_aarch64(vcpu);
	} else {
		a64_step(vcpu, esr);
	}
	return verdict;
}

static enum hv_verdict abort_fault(struct a64_vcpu *vcpu, const struct a64_trap *trap, unsigned fsc)
{
	bool data = a64_esr_ec(trap->esr) == A64_EC_DABT_LOWER;

	return data ? data_fault(vcpu, trap, fsc) : insn_fault(vcpu, trap, fsc);
}

static enum a64_walk_access access_of(const struct a64_trap *trap)
{
	if (a64_esr_ec(trap->esr) != A64_EC_DABT_LOWER) {
		return A64_WALK_FETCH;
	}
	return (trap->esr & A64_ISS_WNR) ? A64_WALK_WRITE : A64_WALK_READ;
}

/*
 * The guest's page walk met something that is no mapped memory: map it, or tell the guest at which
 * level its tables cannot be read (X5). If they can by now, the access is tried again.
 */
static enum hv_verdict walk_fault(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	enum hv_verdict verdict = map(vcpu, fault_page(trap), HV_PROT_R);
	struct a64_walk walk;

	if (verdict != HV_FAULT) {
		return verdict;
	}
	if (a64_translate(vcpu, trap->far, access_of(trap), false, &walk)) {
		return HV_RESUME;
	}
	return abort_fault(vcpu, trap, walk.fsc);
}

/*
 * The guest-physical page of a fault that is not a walk's; a permission fault leaves HPFAR_EL2
 * unknown. False: the guest gets an abort with this status instead.
 */
static bool find_page(
	struct a64_vcpu *vcpu, const struct a64_trap *trap, uint64_t *page, unsigned *fsc)
{
	struct a64_walk walk;

	if (a64_iss_fault_kind(trap->esr) != A64_FSC_PERMISSION) {
		*page = fault_page(trap);
		return true;
	}
	if (!a64_translate(vcpu, trap->far, access_of(trap), false, &walk)) {
		*fsc = walk.fsc;
		return false;
	}
	*page = hv_align_down(walk.gpa, HV_PAGE_SIZE);
	return true;
}

/* A cache operation on what is not memory has nothing to do; no device sees it (X5). */
static enum hv_verdict cache_op(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	enum hv_verdict verdict = HV_FAULT;

	if (a64_iss_fault_kind(trap->esr) != A64_FSC_PERMISSION) {
		verdict = map(vcpu, fault_page(trap), HV_PROT_R);
	}
	if (verdict != HV_FAULT) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_MMIO]++;
	a64_step(vcpu, trap->esr);
	return HV_RESUME;
}

/* Errors of the memory system itself go to the guest that met them; the rest is our bug's. */
static enum hv_verdict other_fault(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	unsigned fsc = (unsigned)(trap->esr & A64_ISS_FSC);
	bool data = a64_esr_ec(trap->esr) == A64_EC_DABT_LOWER;
	bool external = fsc == A64_FSC_EXTERNAL || (fsc & ~3u) == A64_FSC_EXTERNAL_WALK;

	if (external || (data && (fsc == A64_FSC_ALIGNMENT || fsc == A64_FSC_EXCLUSIVE))) {
		return abort_fault(vcpu, trap, fsc);
	}
	vcpu->hv.stats.exits[HV_EXIT_BAD]++;
	return hv_vm_crash(&vcpu->hv, a64_esr_name(trap->esr), trap->esr, vcpu->regs.pc);
}

/* An access without syndrome to what is not memory. */
static enum hv_verdict emulate(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	enum hv_verdict verdict = a64_emulate(vcpu, trap);

	if (verdict != HV_FAULT) {
		return verdict;
	}
	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	return HV_RESUME;
}

/* Everything that is not a plain access to a device. */
static HV_COLD enum hv_verdict odd_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	uint64_t gpa, page;
	enum hv_verdict verdict;
	unsigned fsc;

	if (!is_mmu_fault(trap->esr)) {
		return other_fault(vcpu, trap);
	}
	if (trap->esr & (A64_ISS_S1PTW | A64_ISS_CM)) {
		return (trap->esr & A64_ISS_S1PTW) ? walk_fault(vcpu, trap) : cache_op(vcpu, trap);
	}
	if (trap->esr & A64_ISS_FNV) { /* X6: without FAR there is no offset, and nothing to walk */
		return data_fault(vcpu, trap, A64_FSC_EXTERNAL);
	}
	if (!find_page(vcpu, trap, &page, &fsc)) {
		return abort_fault(vcpu, trap, fsc);
	}
	verdict = map(vcpu, page, (trap->esr & A64_ISS_WNR) ? HV_PROT_W : HV_PROT_R);
	if (verdict != HV_FAULT) {
		return verdict;
	}
	if (!(trap->esr & A64_ISS_ISV)) {
		return emulate(vcpu, trap);
	}
	gpa = page | (trap->far & (HV_PAGE_SIZE - 1));
	if (!hv_is_aligned(gpa, a64_iss_size(trap->esr))) {
		return data_fault(vcpu, trap, A64_FSC_ALIGNMENT);
	}
	verdict = device(vcpu, trap->esr, gpa, false);
	return verdict == HV_FAULT ? data_fault(vcpu, trap, A64_FSC_EXTERNAL) : verdict;
}

/* The syndrome is valid, and of the access itself; with ISV the CPU leaves the other bits 0. */
static bool is_described(uint64_t esr)
{
	const uint64_t mask = A64_ISS_ISV | A64_ISS_FNV | A64_ISS_CM | A64_ISS_S1PTW;

	return (esr & mask) == A64_ISS_ISV;
}

/*
 * Of a described access: is it a translation fault; aligned; by AArch64 code of a guest that is
 * little-endian at every level? This is the first look, so SCTLR_EL1 is not here but in the CPU.
 */
static HV_HOT bool is_plain(const struct a64_vcpu *vcpu, uint64_t esr, uint64_t far)
{
	return (esr & A64_ISS_FSC & ~(uint64_t)3) == A64_FSC_TRANSLATION &&
	       !(far & (a64_iss_size(esr) - 1u)) && !a64_is_aarch32(vcpu) &&
	       !(port_a64_sctlr() & (A64_SCTLR_EE | A64_SCTLR_E0E));
}

/*
 * Devices are asked before memory: this is the hot path, and memory that is not mapped yet faults
 * once per block. Memory that is a device too (flash) may thus be read through the device.
 */
bool a64_trap_device(struct a64_vcpu *vcpu, uint64_t esr, uint64_t far, uint64_t hpfar)
{
	uint64_t gpa = page_of(hpfar) | (far & (HV_PAGE_SIZE - 1));

	return is_plain(vcpu, esr, far) && device(vcpu, esr, gpa, true) != HV_FAULT;
}

HV_COLD enum hv_verdict a64_trap_no_device(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	bool write = (trap->esr & A64_ISS_WNR) != 0;
	enum hv_verdict verdict;

	if (!is_described(trap->esr) || !is_plain(vcpu, trap->esr, trap->far)) {
		return odd_abort(vcpu, trap);
	}
	verdict = map(vcpu, fault_page(trap), write ? HV_PROT_W : HV_PROT_R);
	return verdict == HV_FAULT ? data_fault(vcpu, trap, A64_FSC_EXTERNAL) : verdict;
}

enum hv_verdict a64_data_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	bool done =
		is_described(trap->esr) && a64_trap_device(vcpu, trap->esr, trap->far, trap->hpfar);

	return done ? HV_RESUME : a64_trap_no_device(vcpu, trap);
}

enum hv_verdict a64_insn_abort(struct a64_vcpu *vcpu, const struct a64_trap *trap)
{
	enum hv_verdict verdict;
	uint64_t page;
	unsigned fsc;

	if (!is_mmu_fault(trap->esr)) {
		return other_fault(vcpu, trap);
	}
	if (trap->esr & A64_ISS_S1PTW) {
		return walk_fault(vcpu, trap);
	}
	if (!find_page(vcpu, trap, &page, &fsc)) {
		return abort_fault(vcpu, trap, fsc);
	}
	verdict = map(vcpu, page, HV_PROT_X);
	return verdict == HV_FAULT ? insn_fault(vcpu, trap, A64_FSC_EXTERNAL) : verdict;
}
