/* SPDX-License-Identifier: MIT */
/*
 * The hot path: a plain load or store on a device. What is not plain changes nothing here, and is
 * fault.c's.
 */
#include "device.h"
#include "decode.h"
#include "htinst.h"
#include "priv.h"

#include <hv/bits.h>

#define PAGE_OFFSET (HV_PAGE_SIZE - 1)

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
	size_t rd = rv64_word_rd(bits), size = rv64_word_size(bits);
	uint64_t data;

	if (!rv64_word_is_load(bits) || !is_simple(trap, size) ||
		!rv64_device_read(vcpu, rv64_fault_gpa(trap), size, &data)) {
		return false;
	}
	if (rd != 0) {
		vcpu->regs.x[rd] = word_extend(bits, data);
	}
	return true;
}

static HV_HOT bool load_half(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t rd = rv64_half_reg(bits), size = rv64_half_size(bits);
	uint64_t data;

	if (!rv64_half_is_load(bits) || !is_simple(trap, size) ||
		!rv64_device_read(vcpu, rv64_fault_gpa(trap), size, &data)) {
		return false;
	}
	vcpu->regs.x[rd] = bits & 0x2000 ? data : (uint64_t)(int64_t)(int32_t)data;
	return true;
}

static HV_HOT bool store_word(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t rs2 = rv64_word_rs2(bits), size = rv64_word_size(bits);

	return rv64_word_is_store(bits) && is_simple(trap, size) &&
	       rv64_device_write(vcpu, rv64_fault_gpa(trap), size, vcpu->regs.x[rs2]);
}

static HV_HOT bool store_half(struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t bits)
{
	size_t rs2 = rv64_half_reg(bits), size = rv64_half_size(bits);

	return rv64_half_is_store(bits) && is_simple(trap, size) &&
	       rv64_device_write(vcpu, rv64_fault_gpa(trap), size, vcpu->regs.x[rs2]);
}

/*
 * What the instruction is must agree with the direction that the CPU checked: another hart may have
 * written a new one meanwhile (D9).
 */
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

static bool transformed(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	if (!rv64_htinst_is_insn(trap->htinst) || rv64_htinst_offset(trap->htinst) != 0 ||
		!word(vcpu, trap, rv64_htinst_insn(trap->htinst))) {
		return false;
	}
	vcpu->regs.pc += rv64_htinst_length(trap->htinst);
	return true;
}

bool rv64_device_try(struct rv64_vcpu *vcpu, const struct rv64_trap *trap)
{
	uint32_t bits;

	if (trap->htinst != 0) {
		return transformed(vcpu, trap);
	}
	if (!port_rv64_insn_fetch(vcpu->regs.pc, &bits)) {
		return false;
	}
	return ((trap->stval & PAGE_OFFSET) || begins_there(vcpu, trap, bits)) &&
	       fetched(vcpu, trap, bits);
}

/* ---- the hot path: those that drivers do most, LW, SW, C.LW, C.SW, LBU, SB ---- */

/* Aligned, and where the guest's tables led to: both, since htval lacks the two lowest bits. */
static HV_HOT bool is_simple_word(const struct rv64_trap *trap)
{
	uint64_t offset = trap->stval << (64 - HV_PAGE_SHIFT); /* two shifts cost less than masks */

	return offset == trap->htval << (66 - HV_PAGE_SHIFT) && offset != 0;
}

static HV_HOT bool is_simple_byte(const struct rv64_trap *trap)
{
	return ((trap->htval ^ trap->stval >> 2) & PAGE_OFFSET >> 2) == 0;
}

static HV_HOT bool is_there(uint32_t absent, size_t reg)
{
	return !(absent >> reg & 1);
}

static HV_HOT enum rv64_device done(struct rv64_vcpu *vcpu, uint32_t length)
{
	vcpu->regs.pc += length;
	return RV64_DEVICE_DONE;
}

static HV_HOT enum rv64_device lw(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rd, uint32_t length)
{
	uint64_t data;

	if (!is_there(absent, rd) || !is_simple_word(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_read(vcpu, trap->htval << 2, 4, &data)) {
		return RV64_DEVICE_NONE;
	}
	vcpu->regs.x[rd] = (uint64_t)(int64_t)(int32_t)data;
	return done(vcpu, length);
}

static HV_HOT enum rv64_device sw(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rs2, uint32_t length)
{
	if (!is_there(absent, rs2) || !is_simple_word(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_write(vcpu, trap->htval << 2, 4, vcpu->regs.x[rs2])) {
		return RV64_DEVICE_NONE;
	}
	return done(vcpu, length);
}

static HV_HOT enum rv64_device lbu(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rd, uint32_t length)
{
	uint64_t data;

	if (!is_there(absent, rd) || !is_simple_byte(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_read(vcpu, rv64_fault_gpa(trap), 1, &data)) {
		return RV64_DEVICE_NONE;
	}
	vcpu->regs.x[rd] = data;
	return done(vcpu, length);
}

static HV_HOT enum rv64_device sb(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rs2, uint32_t length)
{
	if (!is_there(absent, rs2) || !is_simple_byte(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_write(vcpu, rv64_fault_gpa(trap), 1, vcpu->regs.x[rs2])) {
		return RV64_DEVICE_NONE;
	}
	return done(vcpu, length);
}

#define X0 1u /* as absent: a load to it is none of these */

/* Instructions of 32 bits, and as htinst has them. */
static HV_HOT enum rv64_device simple_word(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, uint32_t bits, uint32_t length)
{
	if (trap->scause == RV64_STORE_GUEST) {
		switch (rv64_word_form(bits)) {
		case RV64_FORM_SW: return sw(vcpu, trap, absent, rv64_word_rs2(bits), length);
		case RV64_FORM_SB: return sb(vcpu, trap, absent, rv64_word_rs2(bits), length);
		default: return RV64_DEVICE_OTHER;
		}
	}
	switch (rv64_word_form(bits)) {
	case RV64_FORM_LW: return lw(vcpu, trap, absent | X0, rv64_word_rd(bits), length);
	case RV64_FORM_LBU: return lbu(vcpu, trap, absent | X0, rv64_word_rd(bits), length);
	default: return RV64_DEVICE_OTHER;
	}
}

static HV_HOT enum rv64_device simple_half(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t absent, uint32_t bits)
{
	size_t reg = rv64_half_reg(bits);

	if (trap->scause == RV64_STORE_GUEST) {
		return rv64_half_is_sw(bits) ? sw(vcpu, trap, absent, reg, 2) : RV64_DEVICE_OTHER;
	}
	return rv64_half_is_lw(bits) ? lw(vcpu, trap, absent, reg, 2) : RV64_DEVICE_OTHER;
}

/* With two lengths that the compiler knows, none has to be kept across the device's own code. */
static HV_HOT enum rv64_device simple_htinst(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t absent)
{
	uint32_t bits = rv64_htinst_insn(trap->htinst);

	if (!rv64_htinst_is_insn(trap->htinst) || rv64_htinst_offset(trap->htinst) != 0) {
		return RV64_DEVICE_OTHER;
	}
	return rv64_htinst_length(trap->htinst) == 4 ? simple_word(vcpu, trap, absent, bits, 4)
						     : simple_word(vcpu, trap, absent, bits, 2);
}

/*
 * Devices are asked before memory: memory that is not mapped yet faults once per block. Memory that
 * is a device too (flash) may thus be read through the device.
 */
inline enum rv64_device rv64_trap_device(
	struct rv64_vcpu *vcpu, const struct rv64_trap *trap, uint32_t absent)
{
	uint32_t bits;

	if (trap->htinst != 0) {
		return simple_htinst(vcpu, trap, absent);
	}
	if (!port_rv64_insn_fetch(vcpu->regs.pc, &bits)) {
		return RV64_DEVICE_OTHER;
	}
	return rv64_is_half_0(bits) ? simple_half(vcpu, trap, absent, bits)
				    : simple_word(vcpu, trap, absent, bits, 4);
}
