/* SPDX-License-Identifier: MIT */
/* Source: priv 8.6.2 (htval), 8.6.3 (htinst). */
#include "fault.h"
#include "decode.h"
#include "htinst.h"
#include "priv.h"

#define PAGE_OFFSET (HV_PAGE_SIZE - 1)

/* htval lacks the two lowest bits, which no translation changes. */
static HV_HOT uint64_t fault_gpa(const struct rv64_trap *trap)
{
	return trap->htval << 2 | (trap->stval & 3);
}

/* ---- the way to a device ---- */

static HV_HOT enum hv_verdict ask(struct rv64_vcpu *vcpu, uint64_t gpa, struct hv_access *access)
{
	enum hv_verdict verdict = hv_exit_mmio(&vcpu->hv, gpa, access);

	if (verdict == HV_FAULT) {
		vcpu->hv.stats.exits[HV_EXIT_MMIO]--; /* it was an exit of another kind */
	}
	return verdict;
}

/* The data is zero above its size, so only a sign has to be spread. */
static HV_HOT uint64_t sign_extend(uint64_t data, uint8_t size)
{
	unsigned unused = 64u - 8u * size;

	return (uint64_t)((int64_t)(data << unused) >> unused);
}

/* HV_FAULT: nobody answered, and nothing has changed. */
static HV_HOT enum hv_verdict device_load(
	struct rv64_vcpu *vcpu, uint64_t gpa, const struct rv64_ldst *op)
{
	struct hv_access access;
	enum hv_verdict verdict;

	access.size = op->size;
	access.write = false;
	access.data = 0;
	verdict = ask(vcpu, gpa, &access);
	if (verdict != HV_FAULT && op->reg != 0) {
		vcpu->regs.x[op->reg] = op->sext ? sign_extend(access.data, op->size) : access.data;
	}
	return verdict;
}

static HV_HOT enum hv_verdict device_store(
	struct rv64_vcpu *vcpu, uint64_t gpa, const struct rv64_ldst *op)
{
	struct hv_access access;

	access.size = op->size;
	access.write = true;
	access.data = vcpu->regs.x[op->reg] & (~(uint64_t)0 >> (64 - 8 * op->size));
	return ask(vcpu, gpa, &access);
}

/* Whether the access begins where its fault is, by its base register and offset. */
static HV_COLD bool begins_there(
	const struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	struct rv64_insn insn = rv64_insn_decode(bits);

	return vcpu->regs.x[insn.base] + (uint64_t)(int64_t)insn.imm == trap->stval;
}

/*
 * Whether this is an aligned access that the guest's own tables led to gpa: the CPU's walk of these
 * tables is at another offset, nearly always.
 */
static HV_HOT bool is_simple(const struct rv64_trap *trap, const struct rv64_ldst *op)
{
	bool aligned = !(trap->stval & (op->size - 1u));
	bool same_offset = !((trap->htval << 2 ^ trap->stval) & PAGE_OFFSET & ~(uint64_t)3);

	return aligned && same_offset;
}

static HV_HOT bool simple_load(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	const struct rv64_ldst *op, uint8_t length)
{
	if (device_load(vcpu, fault_gpa(trap), op) == HV_FAULT) {
		return false;
	}
	vcpu->regs.pc += length;
	return true;
}

static HV_HOT bool simple_store(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	const struct rv64_ldst *op, uint8_t length)
{
	if (device_store(vcpu, fault_gpa(trap), op) == HV_FAULT) {
		return false;
	}
	vcpu->regs.pc += length;
	return true;
}

/* The instruction at the PC, both halves of which are in `bits`. */
static HV_HOT bool simple_insn(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits, bool write)
{
	uint8_t length = rv64_insn_length(bits);
	struct rv64_ldst op;
	bool known;

	if (length == 4) {
		known = write ? rv64_store_word(bits, &op) : rv64_load_word(bits, &op);
	} else {
		known = write ? rv64_store_half(bits, &op) : rv64_load_half(bits, &op);
	}
	/* A part of an access that crosses into this page starts with the page. */
	if (!known || !is_simple(trap, &op) ||
		((trap->stval & PAGE_OFFSET) == 0 && !begins_there(vcpu, trap, bits))) {
		return false;
	}
	return write ? simple_store(vcpu, trap, &op, length) : simple_load(vcpu, trap, &op, length);
}

/* The same of htinst, which says where in its access the fault is. */
static HV_HOT bool simple_htinst(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits, bool write)
{
	uint8_t length = rv64_htinst_length(trap->htinst);
	struct rv64_ldst op;
	bool known = write ? rv64_store_word(bits, &op) : rv64_load_word(bits, &op);

	if (!known || !is_simple(trap, &op) || rv64_htinst_offset(trap->htinst) != 0) {
		return false;
	}
	return write ? simple_store(vcpu, trap, &op, length) : simple_load(vcpu, trap, &op, length);
}

/*
 * Devices are asked before memory: this is the hot path, and memory that is not mapped yet faults
 * once per block. Memory that is a device too (flash) may thus be read through the device. What the
 * instruction is must agree with the direction that the CPU checked: another hart may have written
 * a new one meanwhile.
 */
inline bool rv64_trap_device(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	bool write = trap->scause == RV64_STORE_GUEST;
	uint32_t bits;

	if (trap->htinst == 0) {
		return port_rv64_insn_fetch(vcpu->regs.pc, &bits) &&
		       simple_insn(vcpu, trap, bits, write);
	}
	return rv64_htinst_is_insn(trap->htinst) &&
	       simple_htinst(vcpu, trap, rv64_htinst_insn(trap->htinst), write);
}

/* ---- everything else ---- */

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
	if (trap->scause == RV64_FETCH_GUEST && vcpu->regs.pc == pc) {
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

static struct rv64_walk walk_again(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	return rv64_walk(rv64_vs_get(vcpu), &vcpu->hv.vm->gmem, trap->stval, access_of(trap));
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
	walk = walk_again(vcpu, trap);
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
	cause = walk_again(vcpu, trap).cause;
	return cause ? refuse(vcpu, trap, cause) : HV_RESUME;
}

enum hv_verdict rv64_fetch_fault(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	uint64_t gpa = fault_gpa(trap);
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
	if (!port_rv64_insn_fetch(vcpu->regs.pc, &bits)) {
		return false;
	}
	*insn = rv64_insn_decode(bits);
	*va = vcpu->regs.x[insn->base] + (uint64_t)(int64_t)insn->imm;
	return true;
}

/*
 * An access to what is not memory. A plain load or store of the direction and at the place of the
 * fault is done; anything else has no business there: floating-point and vector accesses, AMO, LR
 * and SC, cache operations, misaligned accesses and those that cross pages (D4, D5), other code
 * that is there by now.
 */
static enum hv_verdict emulate(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint64_t gpa)
{
	bool write = trap->scause == RV64_STORE_GUEST;
	struct rv64_insn insn;
	struct rv64_ldst op;
	enum hv_verdict verdict;
	uint64_t va;

	if (!find_insn(vcpu, trap, &insn, &va)) {
		return HV_RESUME; /* X11: the guest meets that by itself */
	}
	if (insn.kind != RV64_INSN_LDST || insn.write != write || va != trap->stval ||
		!hv_is_aligned(va, insn.size)) {
		return refuse_access(vcpu, trap);
	}
	op = (struct rv64_ldst){.size = insn.size, .sext = insn.sext, .reg = insn.reg};
	verdict = write ? device_store(vcpu, gpa, &op) : device_load(vcpu, gpa, &op);
	if (verdict == HV_FAULT) {
		return refuse_access(vcpu, trap);
	}
	vcpu->regs.pc += insn.length;
	return verdict;
}

static HV_COLD enum hv_verdict odd_fault(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	bool write = trap->scause == RV64_STORE_GUEST;
	uint64_t gpa = fault_gpa(trap);
	enum hv_verdict verdict;

	if (is_walk(vcpu, trap, gpa)) {
		return walk_fault(vcpu, trap, gpa);
	}
	verdict = map(vcpu, gpa, write ? HV_PROT_W : HV_PROT_R);
	return verdict == HV_FAULT ? emulate(vcpu, trap, gpa) : verdict;
}

enum hv_verdict rv64_data_fault(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	return rv64_trap_device(vcpu, trap) ? HV_RESUME : odd_fault(vcpu, trap);
}
