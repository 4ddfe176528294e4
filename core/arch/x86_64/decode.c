/* SPDX-License-Identifier: MIT */
#include "maps.h"
#include "x86.h"

#include <hv/bits.h>

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u
#define REX_W 8u

struct decoder {
	struct x86_insn *insn;
	const uint8_t *bytes;
	size_t size, at;
	size_t wanted; /* how many bytes it would have taken; 0: there were enough so far */
	enum x86_mode mode;
	uint8_t opcode, modrm, rex;
	bool operand_prefix, address_prefix;
	uint8_t segment;      /* of a prefix; X86_SEGS: none */
	uint8_t operand_size; /* by the prefixes, before a row says otherwise */
};

/* ---- bytes: beyond the end all are 0, and the decoder knows that it went there ---- */

static bool has(struct decoder *d, size_t count)
{
	if (d->at + count <= d->size) {
		return true;
	}
	d->wanted = d->wanted ? d->wanted : d->at + count;
	return false;
}

static uint8_t peek(struct decoder *d)
{
	return has(d, 1) ? d->bytes[d->at] : 0;
}

static uint8_t take(struct decoder *d)
{
	uint8_t byte = peek(d);

	d->at++;
	return byte;
}

/* Zero-extended; count is 0 to 8. */
static uint64_t take_many(struct decoder *d, size_t count)
{
	const uint8_t *at = d->bytes + d->at;
	uint64_t value = 0;

	if (!has(d, count)) {
		return 0;
	}
	d->at += count;
	switch (count) {
	case 1: return at[0];
	case 2: return hv_le16(at);
	case 4: return hv_le32(at);
	case 8: return hv_le64(at);
	default: break;
	}
	for (size_t i = 0; i < count; i++) { /* 3: ENTER, 6: far pointers */
		value |= (uint64_t)at[i] << 8 * i;
	}
	return value;
}

static uint64_t take_signed(struct decoder *d, size_t count)
{
	return hv_sign_extend(take_many(d, count), 8 * (unsigned)count);
}

/* ---- prefixes: APM3 1.2 ---- */

/* In 64-bit mode ES, CS, SS and DS are no prefixes but in name: what stood before them stays. */
static void segment_prefix(struct decoder *d, enum x86_seg_id segment)
{
	if (d->mode != X86_MODE_64 || segment >= X86_FS) {
		d->segment = (uint8_t)segment;
	}
}

static bool prefix(struct decoder *d, uint8_t byte)
{
	switch (byte) {
	case 0x26: segment_prefix(d, X86_ES); break;
	case 0x2e: segment_prefix(d, X86_CS); break;
	case 0x36: segment_prefix(d, X86_SS); break;
	case 0x3e: segment_prefix(d, X86_DS); break;
	case 0x64: segment_prefix(d, X86_FS); break;
	case 0x65: segment_prefix(d, X86_GS); break;
	case 0x66: d->operand_prefix = true; break;
	case 0x67: d->address_prefix = true; break;
	case 0xf0: d->insn->lock = true; break;
	case 0xf2: d->insn->rep = X86_REPNE; break;
	case 0xf3: d->insn->rep = X86_REP; break;
	default: return false;
	}
	return true;
}

/* REX counts right before the opcode only (D6). No more than X86_INSN_MAX times around. */
static void prefixes(struct decoder *d)
{
	for (;;) {
		uint8_t byte = peek(d);

		if (d->mode == X86_MODE_64 && (byte & 0xf0) == 0x40) {
			d->rex = byte;
		} else if (prefix(d, byte)) {
			d->rex = 0;
		} else {
			return;
		}
		d->at++;
	}
}

static uint8_t rex_reg(const struct decoder *d, unsigned low, unsigned bit)
{
	return (uint8_t)((low & 7) | ((d->rex & bit) ? 8 : 0));
}

/* ---- the opcode ---- */

static const struct x86_row none = {0};
static const struct x86_row other = {.op = X86_OP_OTHER};
static const struct x86_row other_modrm = {.op = X86_OP_OTHER, .flags = F_MODRM};
static const struct x86_row other_modrm_b = {.op = X86_OP_OTHER, .imm = I_UB, .flags = F_MODRM};
static const struct x86_row other_modrm_d = {.op = X86_OP_OTHER, .imm = I_D, .flags = F_MODRM};
static const struct x86_row system_op = {.op = X86_OP_OTHER, .flags = F_MODRM}; /* 0F 01 */

static const struct x86_row *map_0f38(struct decoder *d)
{
	static const struct x86_row movbe[] = {
		{X86_OP_MOVBE, S_V, P_G, P_E, I_NONE, F_MODRM | F_MEM},
		{X86_OP_MOVBE, S_V, P_E, P_G, I_NONE, F_MODRM | F_MEM},
	};
	static const struct x86_row invpcid = {
		X86_OP_INVPCID, S_V, P_NONE, P_NONE, I_NONE, F_MODRM | F_MEM};
	uint8_t opcode = d->opcode;

	if ((opcode & 0xfe) == 0xf0 && d->insn->rep != X86_REPNE) { /* with it: CRC32 */
		return d->insn->rep == X86_REP_NONE ? &movbe[opcode & 1] : &none;
	}
	if (opcode == 0x82 && d->operand_prefix && d->insn->rep == X86_REP_NONE) {
		return &invpcid;
	}
	return hv_bit(x86_map_0f38[opcode >> 5], opcode & 31) ? &other_modrm : &none;
}

static const struct x86_row *map_0f(struct decoder *d)
{
	static const struct x86_row extrq = {.op = X86_OP_OTHER, .imm = I_BB, .flags = F_MODRM};
	bool prefixed;

	d->opcode = take(d);
	prefixed = d->operand_prefix || d->insn->rep != X86_REP_NONE;
	switch (d->opcode) {
	case 0x38: d->opcode = take(d); return map_0f38(d);
	case 0x3a:
		d->opcode = take(d);
		return hv_bit(x86_map_0f3a[d->opcode >> 5], d->opcode & 31) ? &other_modrm_b
									    : &none;
	case 0x78: /* VMREAD */ return prefixed && d->insn->rep != X86_REP ? &extrq : &other_modrm;
	case 0xc3: /* MOVNTI */ return prefixed ? &none : &x86_two_byte[0xc3];
	default: return &x86_two_byte[d->opcode];
	}
}

/* Outside 64-bit mode these are other opcodes where what follows would be a ModRM with memory. */
static bool is_vex(struct decoder *d)
{
	return d->mode == X86_MODE_64 || peek(d) >= 0xc0;
}

static bool is_xop(struct decoder *d)
{
	return (peek(d) & 0x1f) >= 8;
}

/* The number of the opcode's map; 0: none. One to three bytes, which say much more (ignored). */
static unsigned vector_map(struct decoder *d)
{
	uint8_t first = take(d);
	unsigned map = first & 0x1f;

	switch (d->opcode) {
	case 0xc5: return 1;
	case 0xc4: (void)take(d); return map <= 3 ? map : 0;
	case 0x8f: (void)take(d); return map;
	default: (void)take_many(d, 2); return (first & 0x0f) <= 6 ? first & 0x0fu : 0;
	}
}

static bool vector_has_byte(uint8_t opcode)
{
	return (opcode & 0xfc) == 0x70 || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6);
}

/* VEX, EVEX and XOP take the place of other prefixes, and do not go with any of these. */
static const struct x86_row *vector(struct decoder *d)
{
	bool prefixed = d->operand_prefix || d->insn->rep || d->insn->lock || d->rex;
	unsigned map = vector_map(d);

	d->opcode = take(d);
	switch (prefixed ? 0 : map) {
	case 1:
		if (d->opcode == 0x77) { /* VZEROALL, VZEROUPPER */
			return &other;
		}
		return vector_has_byte(d->opcode) ? &other_modrm_b : &other_modrm;
	case 2:
	case 5:
	case 6:
	case 9: return &other_modrm;
	case 3:
	case 8: return &other_modrm_b;
	case 10: return &other_modrm_d;
	default: return &none;
	}
}

static const struct x86_row *map_one(struct decoder *d)
{
	static const struct x86_row pause = {.op = X86_OP_PAUSE};

	switch (d->opcode) {
	case 0x0f: return map_0f(d);
	case 0x62:
	case 0xc4:
	case 0xc5:
		if (is_vex(d)) {
			return vector(d);
		}
		break;
	case 0x8f:
		if (is_xop(d)) {
			return vector(d);
		}
		break;
	case 0x63:
		if (d->mode != X86_MODE_64) { /* ARPL */
			return &other_modrm;
		}
		break;
	case 0x90:
		if (d->insn->rep == X86_REP) {
			return &pause;
		}
		if (!(d->rex & REX_B)) { /* an exchange of rAX with itself is none, not of R8 */
			return &other;
		}
		break;
	default: break;
	}
	return &x86_one_byte[d->opcode];
}

static bool is_register(const struct decoder *d)
{
	return d->modrm >= 0xc0;
}

/* What ModRM says of the opcode. */
static const struct x86_row *by_modrm(struct decoder *d, const struct x86_row *row)
{
	unsigned reg = d->modrm >> 3 & 7;

	if (row == &x86_two_byte[0x01] && is_register(d) && reg != 4 && reg != 6) {
		return x86_system_ops[d->modrm & 0x3f] != X86_OP_NONE ? &system_op : &none;
	}
	if (row->flags & F_GROUP) {
		return &x86_groups[row->dst][reg];
	}
	return row;
}

/* ---- ModRM and what follows it: APM3 1.4 ---- */

static void memory_16(struct decoder *d)
{
	static const uint8_t base[8] = {
		X86_RBX, X86_RBX, X86_RBP, X86_RBP, X86_RSI, X86_RDI, X86_RBP, X86_RBX};
	static const uint8_t index[8] = {X86_RSI, X86_RDI, X86_RSI, X86_RDI, X86_REG_NONE,
		X86_REG_NONE, X86_REG_NONE, X86_REG_NONE};
	struct x86_mem *mem = &d->insn->mem;
	unsigned mod = d->modrm >> 6, rm = d->modrm & 7;

	mem->base = base[rm];
	mem->index = index[rm];
	if (mod == 0 && rm == 6) {
		mem->base = X86_REG_NONE;
		mod = 2;
	}
	mem->disp = mod == 0 ? 0 : (int64_t)take_signed(d, mod);
}

static void memory_sib(struct decoder *d, unsigned *rm)
{
	struct x86_mem *mem = &d->insn->mem;
	uint8_t sib = take(d);
	uint8_t index = rex_reg(d, sib >> 3, REX_X);

	mem->shift = sib >> 6;
	mem->index = index == X86_RSP ? X86_REG_NONE : index;
	*rm = sib & 7;
}

static void memory_32(struct decoder *d)
{
	struct x86_mem *mem = &d->insn->mem;
	unsigned mod = d->modrm >> 6, rm = d->modrm & 7;
	bool sib = rm == X86_RSP;

	mem->index = X86_REG_NONE;
	if (sib) {
		memory_sib(d, &rm);
	}
	mem->base = rex_reg(d, rm, REX_B);
	if (mod == 0 && rm == X86_RBP) {
		mem->base = d->mode == X86_MODE_64 && !sib ? X86_REG_RIP : X86_REG_NONE;
		mod = 2;
	}
	mem->disp = mod == 0 ? 0 : (int64_t)take_signed(d, mod == 1 ? 1 : 4);
}

static void memory(struct decoder *d)
{
	struct x86_mem *mem = &d->insn->mem;
	bool on_stack;

	if (d->insn->addr_size == 2) {
		memory_16(d);
	} else {
		memory_32(d);
	}
	on_stack = mem->base == X86_RBP || mem->base == X86_RSP;
	if (on_stack && d->segment == X86_SEGS) {
		mem->segment = X86_SS;
	}
}

/* ---- sizes, immediates, operands ---- */

/* 66 is nothing beside REX.W. Near branches obey it in 64-bit mode, as AMD has it (D7). */
static uint8_t operand_size(const struct decoder *d, const struct x86_row *row)
{
	if (d->mode == X86_MODE_64) {
		if (d->rex & REX_W) {
			return 8;
		}
		return d->operand_prefix ? 2 : (row->flags & F_D64) ? 8 : 4;
	}
	return (d->mode == X86_MODE_32) != d->operand_prefix ? 4 : 2;
}

static uint8_t address_size(const struct decoder *d)
{
	if (d->mode == X86_MODE_64) {
		return d->address_prefix ? 4 : 8;
	}
	return (d->mode == X86_MODE_32) != d->address_prefix ? 4 : 2;
}

static uint8_t size_of(const struct decoder *d, const struct x86_row *row)
{
	switch ((enum x86_size)row->size) {
	case S_B: return 1;
	case S_W: return 2;
	case S_Y: return (d->rex & REX_W) ? 8 : 4;
	case S_Z: return d->operand_size == 8 ? 4 : d->operand_size;
	default: return d->operand_size;
	}
}

static void immediate(struct decoder *d, const struct x86_row *row)
{
	struct x86_insn *insn = d->insn;
	uint8_t z = d->operand_size == 8 ? 4 : d->operand_size;

	switch ((enum x86_imm)row->imm) {
	case I_NONE: break;
	case I_B: insn->imm = take_signed(d, 1); break;
	case I_UB: insn->imm = take(d); break;
	case I_W:
	case I_BB: insn->imm = take_many(d, 2); break;
	case I_ENTER: insn->imm = take_many(d, 3); break;
	case I_D: insn->imm = take_many(d, 4); break;
	case I_Z: insn->imm = take_signed(d, z); break;
	case I_V: insn->imm = take_many(d, d->operand_size); break;
	case I_FAR: insn->imm = take_many(d, z + 2u); break;
	case I_O:
		insn->mem.base = insn->mem.index = X86_REG_NONE;
		insn->mem.disp = (int64_t)take_many(d, insn->addr_size);
		break;
	}
}

/* Without any REX the byte registers 4 to 7 are AH to BH. */
static struct x86_operand reg_operand(const struct decoder *d, uint8_t reg, uint8_t size)
{
	if (size == 1 && d->rex == 0 && reg >= 4) {
		return (struct x86_operand){X86_OPERAND_HIGH, reg - 4, 1};
	}
	return (struct x86_operand){X86_OPERAND_REG, reg, size};
}

static struct x86_operand rm_operand(const struct decoder *d, uint8_t size)
{
	if (is_register(d)) {
		return reg_operand(d, rex_reg(d, d->modrm, REX_B), size);
	}
	return (struct x86_operand){X86_OPERAND_MEM, 0, size};
}

/* LOCK before a move of CR0 is how AMD names CR8 outside 64-bit mode (APM3, MOV CRn). */
static struct x86_operand cr_operand(const struct decoder *d)
{
	uint8_t reg = rex_reg(d, d->modrm >> 3, REX_R);

	return (struct x86_operand){X86_OPERAND_CR, d->insn->lock && reg == 0 ? 8 : reg, 8};
}

static struct x86_operand operand(const struct decoder *d, enum x86_letter place)
{
	uint8_t size = d->insn->size;

	switch (place) {
	case P_E: return rm_operand(d, size);
	case P_EB: return rm_operand(d, 1);
	case P_EW: return rm_operand(d, 2);
	case P_ED: return rm_operand(d, 4);
	case P_EM: return rm_operand(d, is_register(d) ? size : 2);
	case P_G: return reg_operand(d, rex_reg(d, d->modrm >> 3, REX_R), size);
	case P_I: return (struct x86_operand){X86_OPERAND_IMM, 0, size};
	case P_A: return (struct x86_operand){X86_OPERAND_REG, X86_RAX, size};
	case P_O: return (struct x86_operand){X86_OPERAND_MEM, 0, size};
	case P_Z: return reg_operand(d, rex_reg(d, d->opcode, REX_B), size);
	case P_DX: return (struct x86_operand){X86_OPERAND_REG, X86_RDX, 2};
	case P_R:
		return (struct x86_operand){X86_OPERAND_REG, rex_reg(d, d->modrm, REX_B),
			d->mode == X86_MODE_64 ? 8 : 4};
	case P_C: return cr_operand(d);
	case P_D: return (struct x86_operand){X86_OPERAND_DR, rex_reg(d, d->modrm >> 3, REX_R), 8};
	default: return (struct x86_operand){0};
	}
}

/* ---- what has no meaning: #UD ---- */

static bool is_move_of_system_register(const struct x86_row *row)
{
	return row->op == X86_OP_MOV_CR || row->op == X86_OP_MOV_DR;
}

static bool x87_has(const struct decoder *d)
{
	unsigned escape = d->opcode & 7;

	return is_register(d) ? hv_bit(x86_x87_register[escape], d->modrm & 0x3f)
			      : hv_bit(x86_x87_memory[escape], d->modrm >> 3 & 7);
}

/* CR0, 2, 3, 4, 8; DR0 to 7. */
static bool system_register_exists(const struct x86_insn *insn)
{
	bool is_source = insn->src.kind >= X86_OPERAND_CR;
	const struct x86_operand *reg = is_source ? &insn->src : &insn->dst;

	return hv_bit(reg->kind == X86_OPERAND_CR ? 0x11d : 0xff, reg->reg);
}

static bool is_x87(const struct x86_row *row)
{
	return row >= &x86_one_byte[0xd8] && row <= &x86_one_byte[0xdf];
}

/* It has to change memory. AMD's other way to name CR8 is a locked move of CR0. */
static bool lock_fits(const struct decoder *d, const struct x86_row *row)
{
	if (row->op == X86_OP_MOV_CR) {
		return rex_reg(d, d->modrm >> 3, REX_R) == 0;
	}
	return row->flags & F_LOCK && d->insn->dst.kind == X86_OPERAND_MEM;
}

static bool form_fits(const struct decoder *d, const struct x86_row *row)
{
	return !(row->flags & F_NO64 && d->mode == X86_MODE_64) &&
	       !(row->flags & F_MEM && is_register(d)) &&
	       !(row->flags & F_REG && !is_register(d)) &&
	       !(row->flags & F_RM0 && (d->modrm & 7) != 0);
}

static bool is_valid(const struct decoder *d, const struct x86_row *row)
{
	if (row->op == X86_OP_NONE || !form_fits(d, row)) {
		return false;
	}
	if (d->insn->lock && !lock_fits(d, row)) {
		return false;
	}
	if (is_move_of_system_register(row)) {
		return system_register_exists(d->insn);
	}
	return !is_x87(row) || x87_has(d);
}

/* ---- all of it ---- */

static const struct x86_row *modrm(struct decoder *d, const struct x86_row *row)
{
	d->modrm = take(d);
	if (is_move_of_system_register(row)) {
		d->modrm |= 0xc0; /* for two registers, whatever it says */
	}
	if (!is_register(d)) {
		memory(d);
	}
	return by_modrm(d, row);
}

static const struct x86_row *parse(struct decoder *d)
{
	struct x86_insn *insn = d->insn;
	const struct x86_row *row;

	prefixes(d);
	insn->addr_size = address_size(d);
	insn->mem.segment = d->segment != X86_SEGS ? d->segment : X86_DS;
	d->opcode = take(d);
	row = map_one(d);
	if (row->flags & F_MODRM) {
		row = modrm(d, row);
	}
	insn->op = row == &system_op ? x86_system_ops[d->modrm & 0x3f] : row->op;
	d->operand_size = operand_size(d, row);
	insn->size = size_of(d, row);
	immediate(d, row);
	insn->dst = operand(d, (enum x86_letter)row->dst);
	insn->src = operand(d, (enum x86_letter)row->src);
	return row;
}

enum x86_decoded x86_decode(
	struct x86_insn *insn, const uint8_t *bytes, size_t size, enum x86_mode mode)
{
	struct decoder d = {
		.insn = insn,
		.bytes = bytes,
		.size = size < X86_INSN_MAX ? size : X86_INSN_MAX,
		.mode = mode,
		.segment = X86_SEGS,
	};
	const struct x86_row *row;

	*insn = (struct x86_insn){.mode = (uint8_t)mode};
	row = parse(&d);
	if (d.wanted > X86_INSN_MAX) {
		return X86_DECODE_TOO_LONG;
	}
	if (d.wanted) {
		return X86_DECODE_MORE;
	}
	insn->length = (uint8_t)d.at;
	return is_valid(&d, row) ? X86_DECODED : X86_DECODE_INVALID;
}
