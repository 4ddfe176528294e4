/* SPDX-License-Identifier: MIT */
/*
 * The hot path: a plain load or store on a device. What is not plain changes nothing here, and is
 * fault.c's.
 */
#include "device.h"
#include "decode.h"
#include "htinst.h"
#include "priv.h"

#define PAGE_OFFSET (HV_PAGE_SIZE - 1)

static HV_HOT void x_set(struct rv64_vcpu *vcpu, size_t reg, uint64_t value)
{
	if (reg != 0) {
		vcpu->regs.x[reg] = value;
	}
}

/*
 * Whether this is an aligned access that the guest's own tables led to gpa: the CPU's walk of these
 * tables is at another offset, nearly always.
 */
static HV_HOT bool is_simple(const struct rv64_trap *trap, size_t size)
{
	uint64_t other_offset = (rv64_fault_gpa(trap) ^ trap->stval) & PAGE_OFFSET;

	return !other_offset && !(trap->stval & (size - 1));
}

static HV_COLD uint64_t sign_extend(uint64_t data, size_t size)
{
	return hv_sign_extend(data, 8 * (unsigned)size);
}

/* Nearly always it is LW, or one that has no sign. */
static HV_HOT uint64_t word_extend(uint32_t bits, uint64_t data)
{
	switch (bits & 0x7000) {
	case 0x2000: return (uint64_t)(int64_t)(int32_t)data;
	case 0x0000: return sign_extend(data, 1);
	case 0x1000: return sign_extend(data, 2);
	default: return data;
	}
}

static HV_HOT bool load_word(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t size = rv64_word_size(bits);
	uint64_t data;

	if (!rv64_word_is_load(bits) || !is_simple(trap, size) ||
		!rv64_device_read(vcpu, rv64_fault_gpa(trap), size, &data)) {
		return false;
	}
	x_set(vcpu, rv64_word_rd(bits), word_extend(bits, data));
	return true;
}

static HV_HOT bool load_half(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t size = rv64_half_size(bits);
	uint64_t data;

	if (!rv64_half_is_load(bits) || !is_simple(trap, size) ||
		!rv64_device_read(vcpu, rv64_fault_gpa(trap), size, &data)) {
		return false;
	}
	vcpu->regs.x[rv64_half_reg(bits)] = bits & 0x2000 ? data : (uint64_t)(int64_t)(int32_t)data;
	return true;
}

static HV_HOT bool store_word(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t size = rv64_word_size(bits);

	return rv64_word_is_store(bits) && is_simple(trap, size) &&
	       rv64_device_write(
		       vcpu, rv64_fault_gpa(trap), size, vcpu->regs.x[rv64_word_rs2(bits)]);
}

static HV_HOT bool store_half(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t size = rv64_half_size(bits);

	return rv64_half_is_store(bits) && is_simple(trap, size) &&
	       rv64_device_write(
		       vcpu, rv64_fault_gpa(trap), size, vcpu->regs.x[rv64_half_reg(bits)]);
}

/* What the instruction is must agree with the direction that the CPU checked: another hart may have
 * written a new one meanwhile (D9). */
static HV_HOT bool word(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	return trap->scause == RV64_STORE_GUEST ? store_word(vcpu, trap, bits)
						: load_word(vcpu, trap, bits);
}

static HV_HOT bool half(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	return trap->scause == RV64_STORE_GUEST ? store_half(vcpu, trap, bits)
						: load_half(vcpu, trap, bits);
}

static HV_HOT bool fetched(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	bool is_word = rv64_insn_length(bits) == 4;

	if (is_word ? !word(vcpu, trap, bits) : !half(vcpu, trap, bits)) {
		return false;
	}
	vcpu->regs.pc += is_word ? 4 : 2;
	return true;
}

/* An access to the start of a page may have begun in the one before. */
static bool begins_there(const struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	struct rv64_insn insn = rv64_insn_decode(bits);

	return insn.size == 1 ||
	       vcpu->regs.x[insn.base] + (uint64_t)(int64_t)insn.imm == trap->stval;
}

static HV_COLD bool page_start(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	uint32_t bits;

	return port_rv64_insn_fetch(vcpu->regs.pc, &bits) && begins_there(vcpu, trap, bits) &&
	       fetched(vcpu, trap, bits);
}

static HV_COLD bool transformed(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	if (!rv64_htinst_is_insn(trap->htinst) || rv64_htinst_offset(trap->htinst) != 0 ||
		!word(vcpu, trap, rv64_htinst_insn(trap->htinst))) {
		return false;
	}
	vcpu->regs.pc += rv64_htinst_length(trap->htinst);
	return true;
}

/*
 * Devices are asked before memory: this is the hot path, and memory that is not mapped yet faults
 * once per block. Memory that is a device too (flash) may thus be read through the device. What is
 * not here is given copies, so that the record need not be in memory.
 */
inline bool rv64_trap_device(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	struct rv64_trap copy;
	uint32_t bits;

	if (trap->htinst == 0 && (trap->stval & PAGE_OFFSET)) {
		return port_rv64_insn_fetch(vcpu->regs.pc, &bits) && fetched(vcpu, trap, bits);
	}
	copy = *trap;
	return copy.htinst ? transformed(vcpu, &copy) : page_start(vcpu, &copy);
}
