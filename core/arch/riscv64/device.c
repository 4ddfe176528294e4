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

/* ---- any width, from any register ---- */

/* Whether it is an aligned one of the direction that the CPU checked: code may be new by now (D9).
 */
static bool is_plain(const struct rv64_trap *trap, const struct rv64_insn *insn)
{
	return insn->kind == RV64_INSN_LDST && insn->write == (trap->scause == RV64_STORE_GUEST) &&
	       hv_is_aligned(trap->stval, insn->size);
}

/* The CPU's walk of the guest's tables is at another offset than the access, nearly always. */
static bool is_there(const struct rv64_trap *trap, uint64_t va)
{
	return va == trap->stval && !((rv64_fault_gpa(trap) ^ va) & PAGE_OFFSET) &&
	       !rv64_htinst_is_walk(trap->htinst);
}

static bool load(struct rv64_vcpu *vcpu, const struct rv64_insn *insn, uint64_t gpa)
{
	uint64_t data;

	if (!rv64_device_read(vcpu, gpa, insn->size, &data)) {
		return false;
	}
	if (insn->reg != 0) {
		vcpu->regs.x[insn->reg] = insn->sext ? hv_sign_extend(data, 8u * insn->size) : data;
	}
	return true;
}

bool rv64_device_access(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	const struct rv64_insn *insn, uint64_t va)
{
	uint64_t gpa = rv64_fault_gpa(trap);

	return is_plain(trap, insn) && is_there(trap, va) &&
	       (insn->write ? rv64_device_write(vcpu, gpa, insn->size, vcpu->regs.x[insn->reg])
			    : load(vcpu, insn, gpa));
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

static HV_HOT bool is_saved(uint32_t absent, size_t reg)
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

	if (!is_saved(absent, rd) || !is_simple_word(trap)) {
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
	if (!is_saved(absent, rs2) || !is_simple_word(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_write(vcpu, trap->htval << 2, 4, vcpu->regs.x[rs2])) {
		return RV64_DEVICE_NONE;
	}
	return done(vcpu, length);
}

static HV_HOT enum rv64_device load_byte(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rd, bool sext, uint32_t length)
{
	uint64_t data;

	if (!is_saved(absent, rd) || !is_simple_byte(trap)) {
		return RV64_DEVICE_OTHER;
	}
	if (!rv64_device_read(vcpu, rv64_fault_gpa(trap), 1, &data)) {
		return RV64_DEVICE_NONE;
	}
	vcpu->regs.x[rd] = sext ? (uint64_t)(int64_t)(int8_t)data : data;
	return done(vcpu, length);
}

/* What drivers of Linux read bytes with. */
static HV_HOT enum rv64_device lb(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rd, uint32_t length)
{
	return load_byte(vcpu, trap, absent, rd, true, length);
}

static HV_HOT enum rv64_device lbu(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rd, uint32_t length)
{
	return load_byte(vcpu, trap, absent, rd, false, length);
}

static HV_HOT enum rv64_device sb(struct rv64_vcpu *vcpu, const struct rv64_trap *trap,
	uint32_t absent, size_t rs2, uint32_t length)
{
	if (!is_saved(absent, rs2) || !is_simple_byte(trap)) {
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
	case RV64_FORM_LB: return lb(vcpu, trap, absent | X0, rv64_word_rd(bits), length);
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
