/* SPDX-License-Identifier: MIT */
/* The accesses to devices in memory that drivers do most: MOVs of 32 bits, by 64-bit code. */
#ifndef X86_DEVICE_H
#define X86_DEVICE_H

#include "code.h"

/* How long opcode, ModRM, SIB and displacement are, by ModRM's mod and rm; 0: no memory operand. */
extern const uint8_t x86_modrm_length[32];

/* ---- parts of their callers, as these are hot ---- */

#define X86_MOV_LOAD  0x8bu
#define X86_MOV_STORE 0x89u
#define X86_MOV_IMM   0xc7u
#define X86_REX_R     4u
#define X86_REX_W     8u

struct x86_mov {
	uint8_t op;     /* X86_MOV_* */
	uint8_t reg;    /* of the first two */
	uint8_t rex;    /* bytes: 0, 1 */
	uint8_t length; /* up to the displacement's end, REX not counted; 0: it is none of these */
};

/* Eight bytes of code, which have all of it but an immediate. */
static HV_HOT struct x86_mov x86_mov_decode(uint64_t bits)
{
	unsigned rex = (bits & 0xf0) == 0x40 ? bits & 0xf : 0;
	struct x86_mov mov = {.rex = (bits & 0xf0) == 0x40};
	unsigned mod_rm;

	bits >>= mov.rex ? 8 : 0;
	mod_rm = (bits >> 11 & 0x18) | (bits >> 8 & 7);
	mov.op = (uint8_t)bits;
	mov.reg = (uint8_t)((bits >> 11 & 7) | (rex & X86_REX_R) << 1);
	mov.length = x86_modrm_length[mod_rm];
	if (mod_rm == 4 && (bits >> 16 & 7) == 5) { /* no base but a displacement */
		mov.length = 7;
	}
	return rex & X86_REX_W ? (struct x86_mov){.length = 0} : mov;
}

/* Aligned, and not where the page begins: there, the access may have begun in the page before. */
static HV_HOT bool x86_device_is_plain(uint64_t gpa)
{
	return (gpa & 3) == 0 && (gpa & (HV_PAGE_SIZE - 1)) != 0;
}

static HV_HOT bool x86_device_ask(struct x86_vcpu *vcpu, uint64_t gpa, struct hv_access *access)
{
	if (hv_exit_mmio(&vcpu->hv, gpa, access) == HV_FAULT) {
		vcpu->hv.stats.exits[HV_EXIT_MMIO]--; /* it was an exit of another kind */
		return false;
	}
	return true;
}

static HV_HOT bool x86_device_load(struct x86_vcpu *vcpu, uint64_t gpa, unsigned reg)
{
	struct hv_access access;

	access.size = 4;
	access.write = false;
	access.data = 0;
	if (!x86_device_ask(vcpu, gpa, &access)) {
		return false;
	}
	vcpu->regs.r[reg] = access.data;
	return true;
}

static HV_HOT bool x86_device_store(struct x86_vcpu *vcpu, uint64_t gpa, uint32_t value)
{
	struct hv_access access;

	access.size = 4;
	access.write = true;
	access.data = value;
	return x86_device_ask(vcpu, gpa, &access);
}

/*
 * Does the load or store (`write`) at RIP that met no memory at gpa; how long it is. 0: it is none
 * of these, or nobody is there; nothing has changed. The direction is what the CPU has checked.
 */
static HV_HOT uint64_t x86_device_mov(struct x86_vcpu *vcpu, uint64_t gpa, bool write)
{
	const uint8_t *code = x86_code_at(vcpu);
	unsigned immediate = 0;
	struct x86_mov mov;
	bool done = false;

	if (!code || !x86_device_is_plain(gpa)) {
		return 0;
	}
	mov = x86_mov_decode(hv_le64(code));
	if (mov.length == 0) {
		return 0;
	}
	if (!write) {
		done = mov.op == X86_MOV_LOAD && x86_device_load(vcpu, gpa, mov.reg);
	} else if (mov.op == X86_MOV_STORE) {
		done = x86_device_store(vcpu, gpa, (uint32_t)vcpu->regs.r[mov.reg]);
	} else if (mov.op == X86_MOV_IMM && mov.reg % 8 == 0) {
		immediate = 4;
		done = x86_device_store(vcpu, gpa, hv_le32(code + mov.rex + mov.length));
	}
	return done ? (uint64_t)mov.rex + mov.length + immediate : 0;
}

#endif
