/* SPDX-License-Identifier: MIT */
#include "emulate.h"
#include "address.h"
#include "alu.h"
#include "priv.h"

/* What an operation does to its operands. */
#define DST_READ  1u
#define DST_WRITE 2u
#define SRC_READ  4u
#define SRC_WRITE 8u

/* In this order: strings, what rSI points to; what rDI points to. */
#define RSI_READ  1u
#define RDI_READ  4u
#define RDI_WRITE 8u

static const uint8_t uses[X86_OPS] = {
	[X86_OP_ADD] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_OR] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_ADC] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_SBB] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_AND] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_SUB] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_XOR] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_CMP] = DST_READ | SRC_READ,
	[X86_OP_TEST] = DST_READ | SRC_READ,
	[X86_OP_NOT] = DST_READ | DST_WRITE,
	[X86_OP_NEG] = DST_READ | DST_WRITE,
	[X86_OP_INC] = DST_READ | DST_WRITE,
	[X86_OP_DEC] = DST_READ | DST_WRITE,
	[X86_OP_BT] = DST_READ | SRC_READ,
	[X86_OP_BTS] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_BTR] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_BTC] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_MOV] = DST_WRITE | SRC_READ,
	[X86_OP_MOVZX] = DST_WRITE | SRC_READ,
	[X86_OP_MOVSX] = DST_WRITE | SRC_READ,
	[X86_OP_MOVBE] = DST_WRITE | SRC_READ,
	[X86_OP_XCHG] = DST_READ | DST_WRITE | SRC_READ | SRC_WRITE,
	[X86_OP_XADD] = DST_READ | DST_WRITE | SRC_READ | SRC_WRITE,
	[X86_OP_CMPXCHG] = DST_READ | DST_WRITE | SRC_READ,
	[X86_OP_STOS] = RDI_WRITE,
	[X86_OP_LODS] = RSI_READ,
	[X86_OP_SCAS] = RDI_READ,
	[X86_OP_MOVS] = RSI_READ | RDI_WRITE,
	[X86_OP_CMPS] = RSI_READ | RDI_READ,
	[X86_OP_INS] = RDI_WRITE,
	[X86_OP_OUTS] = RSI_READ,
};

static const char *why_not(enum x86_op op)
{
	switch (op) {
	case X86_OP_PUSH:
	case X86_OP_POP: return "a push or a pop with a device";
	case X86_OP_CALL:
	case X86_OP_JMP: return "a call or a jump by a device";
	case X86_OP_CMPXCHG8B: return "CMPXCHG8B or CMPXCHG16B of a device";
	default: return "an instruction that is not for devices";
	}
}

static bool is_string(const struct x86_insn *insn)
{
	return insn->op >= X86_OP_STOS && insn->op <= X86_OP_OUTS;
}

enum x86_mode x86_mode(const struct x86_sys *sys)
{
	if (x86_is_long(sys)) {
		return X86_MODE_64;
	}
	return (sys->seg[X86_CS].attrib & X86_SEG_D) ? X86_MODE_32 : X86_MODE_16;
}

void x86_step(struct x86_sys *sys, uint8_t length)
{
	uint64_t next = sys->rip + length;

	sys->rip = x86_mode(sys) == X86_MODE_64 ? next : (uint32_t)next;
	sys->rflags &= ~X86_FLAG_RF;
}

/* ---- registers ---- */

static uint64_t cut(uint64_t value, uint8_t size)
{
	return value & HV_MASK(8u * size - 1, 0);
}

uint64_t x86_operand_get(const struct x86_regs *regs, const struct x86_operand *operand)
{
	uint64_t value = regs->r[operand->reg];

	return cut(operand->kind == X86_OPERAND_HIGH ? value >> 8 : value, operand->size);
}

void x86_operand_set(struct x86_regs *regs, const struct x86_operand *operand, uint64_t value)
{
	uint64_t *reg = &regs->r[operand->reg];
	uint64_t mask = HV_MASK(8u * operand->size - 1, 0);

	if (operand->kind == X86_OPERAND_HIGH) {
		*reg = (*reg & ~(uint64_t)0xff00) | (value & 0xff) << 8;
	} else if (operand->size == 4) {
		*reg = (uint32_t)value;
	} else {
		*reg = (*reg & ~mask) | (value & mask);
	}
}

static struct x86_operand low(enum x86_gpr reg, uint8_t size)
{
	return (struct x86_operand){X86_OPERAND_REG, (uint8_t)reg, size};
}

static uint64_t reg_get(const struct x86_regs *regs, enum x86_gpr reg, uint8_t size)
{
	return cut(regs->r[reg], size);
}

static void reg_set(struct x86_regs *regs, enum x86_gpr reg, uint8_t size, uint64_t value)
{
	struct x86_operand operand = low(reg, size);

	x86_operand_set(regs, &operand, value);
}

/* ---- begin ---- */

static bool access_add(struct x86_emu *emu, const struct x86_sys *sys, enum x86_seg_id segment,
	uint64_t offset, struct x86_access access)
{
	if (!x86_linear(sys, segment, offset, access.size, access.write, &access.linear)) {
		emu->vector = segment == X86_SS ? X86_SS_FAULT : X86_GP;
		return false;
	}
	emu->access[emu->count++] = access;
	return true;
}

static bool begin_string(struct x86_emu *emu, const struct x86_insn *insn,
	const struct x86_regs *regs, const struct x86_sys *sys)
{
	struct x86_access from = {.size = insn->size, .read = true};
	struct x86_access to = {.size = insn->size,
		.read = uses[insn->op] & RDI_READ,
		.write = uses[insn->op] & RDI_WRITE};
	uint8_t width = insn->addr_size;

	if (insn->rep != X86_REP_NONE && reg_get(regs, X86_RCX, width) == 0) {
		return true;
	}
	if (uses[insn->op] & RSI_READ && !access_add(emu, sys, (enum x86_seg_id)insn->mem.segment,
						 reg_get(regs, X86_RSI, width), from)) {
		return false;
	}
	return !(to.read || to.write) ||
	       access_add(emu, sys, X86_ES, reg_get(regs, X86_RDI, width), to);
}

/* A bit number in a register reaches beyond the operand, both ways: APM3, BT. */
static uint64_t bit_displacement(const struct x86_insn *insn, const struct x86_regs *regs)
{
	uint64_t bit;

	if (insn->op < X86_OP_BT || insn->op > X86_OP_BTC || insn->src.kind != X86_OPERAND_REG) {
		return 0;
	}
	bit = hv_sign_extend(x86_operand_get(regs, &insn->src), 8u * insn->size);
	return (uint64_t)((int64_t)bit >> 3) & ~(uint64_t)(insn->size - 1);
}

static bool begin_plain(struct x86_emu *emu, const struct x86_insn *insn,
	const struct x86_regs *regs, const struct x86_sys *sys)
{
	bool is_dst = insn->dst.kind == X86_OPERAND_MEM;
	struct x86_access access = {
		.size = is_dst ? insn->dst.size : insn->src.size,
		.read = uses[insn->op] & (is_dst ? DST_READ : SRC_READ),
		.write = uses[insn->op] & (is_dst ? DST_WRITE : SRC_WRITE),
	};
	uint64_t offset;

	if (!is_dst && insn->src.kind != X86_OPERAND_MEM) {
		return true;
	}
	offset =
		cut(x86_effective(insn, regs, sys) + bit_displacement(insn, regs), insn->addr_size);
	return access_add(emu, sys, (enum x86_seg_id)insn->mem.segment, offset, access);
}

enum x86_emulated x86_emulate_begin(struct x86_emu *emu, const struct x86_insn *insn,
	const struct x86_regs *regs, const struct x86_sys *sys)
{
	bool fine;

	*emu = (struct x86_emu){0};
	if (uses[insn->op] == 0) {
		emu->why = why_not((enum x86_op)insn->op);
		return X86_EMU_REFUSED;
	}
	fine = is_string(insn) ? begin_string(emu, insn, regs, sys)
			       : begin_plain(emu, insn, regs, sys);
	return fine ? X86_EMU_ACCESS : X86_EMU_FAULT;
}

/* ---- end ---- */

static uint64_t get(const struct x86_emu *emu, const struct x86_insn *insn,
	const struct x86_regs *regs, const struct x86_operand *operand)
{
	switch (operand->kind) {
	case X86_OPERAND_NONE: return 0;
	case X86_OPERAND_MEM: return emu->access[0].data;
	case X86_OPERAND_IMM: return cut(insn->imm, operand->size);
	default: return x86_operand_get(regs, operand);
	}
}

static void set(struct x86_emu *emu, struct x86_regs *regs, const struct x86_operand *operand,
	uint64_t value)
{
	if (operand->kind == X86_OPERAND_MEM) {
		emu->access[0].data = value;
	} else {
		x86_operand_set(regs, operand, value);
	}
}

static uint64_t swapped(uint64_t value, uint8_t size)
{
	return __builtin_bswap64(value) >> (64 - 8u * size);
}

/* What dst holds after it; *rax is cut to the operation's size, and becomes what rAX holds. */
static uint64_t cmpxchg(const struct x86_insn *insn, struct x86_regs *regs, uint64_t *rflags,
	uint64_t dst, uint64_t src)
{
	uint64_t rax = reg_get(regs, X86_RAX, insn->size);

	(void)x86_alu(X86_OP_CMP, insn->size, rax, dst, rflags);
	if (rax == dst) {
		return src;
	}
	reg_set(regs, X86_RAX, insn->size, dst);
	return dst; /* which is written back all the same */
}

static void end_plain(
	struct x86_emu *emu, const struct x86_insn *insn, struct x86_regs *regs, uint64_t *rflags)
{
	uint64_t dst = get(emu, insn, regs, &insn->dst), src = get(emu, insn, regs, &insn->src);
	uint64_t result;

	switch (insn->op) {
	case X86_OP_MOV:
	case X86_OP_MOVZX:
	case X86_OP_XCHG: result = src; break;
	case X86_OP_MOVSX: result = hv_sign_extend(src, 8u * insn->src.size); break;
	case X86_OP_MOVBE: result = swapped(src, insn->size); break;
	case X86_OP_XADD: result = x86_alu(X86_OP_ADD, insn->size, dst, src, rflags); break;
	case X86_OP_CMPXCHG: result = cmpxchg(insn, regs, rflags, dst, src); break;
	default: result = x86_alu((enum x86_op)insn->op, insn->size, dst, src, rflags); break;
	}
	if (uses[insn->op] & SRC_WRITE) {
		set(emu, regs, &insn->src, dst);
	}
	if (uses[insn->op] & DST_WRITE) {
		set(emu, regs, &insn->dst, result);
	}
}

/* One element, without the registers that count. */
static void end_element(
	struct x86_emu *emu, const struct x86_insn *insn, struct x86_regs *regs, uint64_t *rflags)
{
	struct x86_access *access = emu->access;
	uint8_t size = insn->size;

	switch (insn->op) {
	case X86_OP_STOS: access[0].data = reg_get(regs, X86_RAX, size); break;
	case X86_OP_LODS: reg_set(regs, X86_RAX, size, access[0].data); break;
	case X86_OP_MOVS: access[1].data = access[0].data; break;
	case X86_OP_SCAS:
		(void)x86_alu(
			X86_OP_CMP, size, reg_get(regs, X86_RAX, size), access[0].data, rflags);
		break;
	case X86_OP_CMPS:
		(void)x86_alu(X86_OP_CMP, size, access[0].data, access[1].data, rflags);
		break;
	default: break; /* INS, OUTS: between the caller and the port */
	}
}

static void advance(const struct x86_insn *insn, struct x86_regs *regs, enum x86_gpr reg, bool down)
{
	uint64_t value = regs->r[reg];

	reg_set(regs, reg, insn->addr_size, down ? value - insn->size : value + insn->size);
}

/* Whether a repeat prefix asks for another element: CMPS and SCAS look at ZF. */
static bool goes_on(const struct x86_insn *insn, const struct x86_regs *regs, uint64_t rflags)
{
	bool looks = insn->op == X86_OP_CMPS || insn->op == X86_OP_SCAS;
	bool equal = rflags & X86_FLAG_ZF;

	if (insn->rep == X86_REP_NONE || reg_get(regs, X86_RCX, insn->addr_size) == 0) {
		return false;
	}
	return !looks || equal == (insn->rep == X86_REP);
}

/* Whether there is another element to do. */
static bool end_string(
	struct x86_emu *emu, const struct x86_insn *insn, struct x86_regs *regs, uint64_t *rflags)
{
	bool down = *rflags & X86_FLAG_DF;

	if (emu->count == 0) { /* rCX was 0 */
		return false;
	}
	end_element(emu, insn, regs, rflags);
	if (uses[insn->op] & RSI_READ) {
		advance(insn, regs, X86_RSI, down);
	}
	if (uses[insn->op] & (RDI_READ | RDI_WRITE)) {
		advance(insn, regs, X86_RDI, down);
	}
	if (insn->rep != X86_REP_NONE) {
		reg_set(regs, X86_RCX, insn->addr_size, regs->r[X86_RCX] - 1);
	}
	return goes_on(insn, regs, *rflags);
}

enum x86_emulated x86_emulate_end(struct x86_emu *emu, const struct x86_insn *insn,
	struct x86_regs *regs, struct x86_sys *sys)
{
	if (!is_string(insn)) {
		end_plain(emu, insn, regs, &sys->rflags);
	} else if (end_string(emu, insn, regs, &sys->rflags)) {
		return X86_EMU_AGAIN;
	}
	x86_step(sys, insn->length);
	return X86_EMU_DONE;
}
