/* SPDX-License-Identifier: MIT */
/* Source: priv 8.6.2 (htval), 8.6.3 (htinst). */
#include "fault.h"
#include "decode.h"
#include "device.h"
#include "fetch.h"
#include "htinst.h"
#include "priv.h"

static enum rv64_access access_of(const struct rv64_trap *trap)
{
	switch (trap->scause) {
	case RV64_FETCH_GUEST: return RV64_FETCH;
	case RV64_LOAD_GUEST: return RV64_LOAD;
	default: return RV64_STORE;
	}
}

/*
 * The guest gets an exception for its access. A fetch that faults at the vector that its own fault
 * goes to would fault there for ever, with no exit but these: such a guest is dead.
 */
static enum hv_verdict refuse(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint64_t cause)
{
	uint64_t pc = vcpu->regs.pc;

	vcpu->hv.stats.exits[HV_EXIT_GUEST]++;
	rv64_exception_take(vcpu, cause, trap->stval);
	if (cause == RV64_FETCH_FAULT && vcpu->regs.pc == pc) {
		return hv_vm_crash(
			&vcpu->hv, "its exception vector is not in memory", trap->scause, pc);
	}
	return HV_RESUME;
}

static enum hv_verdict refuse_access(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	return refuse(vcpu, trap, rv64_access_fault(access_of(trap)));
}

/* Maps guest memory that is not mapped yet. HV_FAULT: no memory, or not for this access. */
static enum hv_verdict map(struct rv64_vcpu *vcpu, uint64_t gpa, uint8_t want)
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

/*
 * Whose access a walk was for. Some CPUs say that each is a load's (QEMU up to 7.2): then it is the
 * fetch's that cannot be done, or what the instruction says.
 */
static enum rv64_access access_of_walk(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	uint32_t bits;

	if (trap->scause != RV64_LOAD_GUEST) {
		return access_of(trap);
	}
	if (!rv64_insn_fetch(vcpu, &bits)) {
		return RV64_FETCH;
	}
	return rv64_insn_decode(bits).write ? RV64_STORE : RV64_LOAD;
}

static struct rv64_walk walk_again(struct rv64_vcpu *vcpu, uint64_t va, enum rv64_access access)
{
	return rv64_walk(rv64_vs_get(vcpu), &vcpu->hv.vm->gmem, va, access);
}

/*
 * Whether the CPU met gpa as it read the guest's tables. Some CPUs leave htinst 0 where they should
 * say so (QEMU up to 7.2); then the tables are asked, as they are now.
 */
static bool is_walk(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint64_t gpa)
{
	struct rv64_walk walk;

	if (trap->htinst != 0) {
		return rv64_htinst_is_walk(trap->htinst);
	}
	walk = walk_again(vcpu, trap->stval, access_of(trap));
	return walk.cause != 0 || walk.gpa.v != gpa;
}

/*
 * The guest's tables are in something that is no mapped memory: map it, or give the guest what such
 * an access takes (P13). If its tables can be read by now, the access is tried again.
 */
static enum hv_verdict walk_fault(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint64_t gpa)
{
	enum hv_verdict verdict = map(vcpu, gpa, HV_PROT_R);
	uint64_t cause;

	if (verdict != HV_FAULT) {
		return verdict;
	}
	cause = walk_again(vcpu, trap->stval, access_of_walk(vcpu, trap)).cause;
	return cause ? refuse(vcpu, trap, cause) : HV_RESUME;
}

enum hv_verdict rv64_fetch_fault(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	uint64_t gpa = rv64_fault_gpa(trap);
	enum hv_verdict verdict;

	if (is_walk(vcpu, trap, gpa)) {
		return walk_fault(vcpu, trap, gpa);
	}
	verdict = map(vcpu, gpa, HV_PROT_X);
	return verdict == HV_FAULT ? refuse_access(vcpu, trap) : verdict;
}

/* What trapped, and where its access begins. False: it cannot be fetched any more. */
static bool find_insn(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, struct rv64_insn *insn, uint64_t *va)
{
	uint32_t bits;

	if (rv64_htinst_is_insn(trap->htinst)) {
		*insn = rv64_insn_decode(rv64_htinst_insn(trap->htinst));
		insn->length = rv64_htinst_length(trap->htinst);
		*va = trap->stval - rv64_htinst_offset(trap->htinst);
		return true;
	}
	if (!rv64_insn_fetch(vcpu, &bits)) {
		return false;
	}
	*insn = rv64_insn_decode(bits);
	*va = vcpu->regs.x[insn->base] + (uint64_t)(int64_t)insn->imm;
	return true;
}

/*
 * Memory that is not mapped yet, or the guest's tables. Anything else has no business there:
 * floating-point and vector accesses to devices, AMO, LR and SC, cache operations, misaligned
 * accesses and those that cross pages (D4, D5), other code that is there by now.
 */
static HV_COLD enum hv_verdict odd_fault(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, bool is_known)
{
	bool write = trap->scause == RV64_STORE_GUEST;
	uint64_t gpa = rv64_fault_gpa(trap);
	enum hv_verdict verdict;

	if (is_walk(vcpu, trap, gpa)) {
		return walk_fault(vcpu, trap, gpa);
	}
	verdict = map(vcpu, gpa, write ? HV_PROT_W : HV_PROT_R);
	if (verdict != HV_FAULT) {
		return verdict;
	}
	/* X11: what cannot be fetched, the guest meets by itself. */
	return is_known ? refuse_access(vcpu, trap) : HV_RESUME;
}

enum hv_verdict rv64_data_fault(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	struct rv64_insn insn;
	uint64_t va;
	bool is_known = find_insn(vcpu, trap, &insn, &va);

	if (!is_known || !rv64_device_access(vcpu, trap, &insn, va)) {
		return odd_fault(vcpu, trap, is_known);
	}
	vcpu->regs.pc += insn.length;
	return HV_RESUME;
}
