/* SPDX-License-Identifier: MIT */
/*
 * D1: the x86 decoder against Zydis 4.0 and Capstone 4.0: a million random instructions, or 10^8
 * where DRYDOCK_SWEEP is set (some minutes). Zydis is asked for everything: what is accepted, the
 * length, operation, sizes and operands; Capstone for acceptance and length. All that we and they
 * differ in is listed, in zydis_explains() and capstone_explains(); nothing else may differ.
 */
#include <unit.h>

#define x86_insn capstone_x86_insn /* a tag of theirs, too */
#include <capstone/capstone.h>
#undef x86_insn
#include <Zydis/Zydis.h>
#include <stdio.h>

#include <arch/x86_64/decode.h>
#include <arch/x86_64/x86.h>
#include <hv/bits.h>

#define MODES 3u
#define BYTES 16u /* one more than an instruction has */

/* ---- what is asked ---- */

struct question {
	uint8_t bytes[BYTES];
	enum x86_mode mode;
	/* what the bytes are, as far as the lists below need it */
	size_t opcode_at;
	unsigned map; /* 0 for one-byte opcodes, 0x0f, 0x38, 0x3a; 0xc5 for VEX, EVEX and XOP */
	uint8_t opcode, modrm;
	bool rex, rex_w, rex_r, lock, operand, rep, ds;
};

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 16;
}

/* Prefixes, a REX and a map each as often as not; the rest is random. */
static void generate(struct question *q, uint64_t *seed)
{
	static const uint8_t prefix[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64,
		0x65, 0x48, 0x41, 0x44, 0x42, 0x40};
	uint64_t r = random_next(seed);
	size_t at = 0, prefixes = r & 4 ? r & 3 : 0;

	q->mode = (enum x86_mode)((r >> 20 & 0xff) % MODES);
	for (size_t i = 0; i < prefixes; i++) {
		q->bytes[at++] = prefix[random_next(seed) % sizeof(prefix)];
	}
	if ((r >> 8 & 3) == 0) {
		q->bytes[at++] = (uint8_t)(0x40 | (r >> 10 & 15));
	}
	switch (r >> 16 & 7) {
	case 0:
		q->bytes[at++] = 0x0f;
		q->bytes[at++] = r & 8 ? 0x38 : 0x3a;
		break;
	case 1:
	case 2:
	case 3: q->bytes[at++] = 0x0f; break;
	default: break;
	}
	while (at < BYTES) {
		uint64_t more = random_next(seed);

		for (size_t i = 0; i < 4 && at < BYTES; i++) {
			q->bytes[at++] = (uint8_t)(more >> 8 * i);
		}
	}
}

static bool is_prefix(const struct question *q, uint8_t byte)
{
	static const uint8_t prefix[] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};

	return memchr(prefix, byte, sizeof(prefix)) != NULL ||
	       (q->mode == X86_MODE_64 && (byte & 0xf0) == 0x40);
}

static void classify_prefixes(struct question *q)
{
	q->rex = q->rex_w = q->rex_r = q->lock = q->operand = q->rep = q->ds = false;
	for (q->opcode_at = 0; q->opcode_at < BYTES; q->opcode_at++) {
		uint8_t byte = q->bytes[q->opcode_at];

		if (!is_prefix(q, byte)) {
			return;
		}
		q->rex = q->mode == X86_MODE_64 && (byte & 0xf0) == 0x40;
		q->rex_w = q->rex && byte & 8;
		q->rex_r = q->rex && byte & 4;
		q->lock |= byte == 0xf0;
		q->operand |= byte == 0x66;
		q->ds |= byte == 0x3e;
		q->rep |= (byte & 0xfe) == 0xf2;
	}
}

static void classify(struct question *q)
{
	uint8_t byte[4] = {0};

	classify_prefixes(q);
	for (size_t i = 0; i < sizeof(byte) && q->opcode_at + i < BYTES; i++) {
		byte[i] = q->bytes[q->opcode_at + i];
	}
	q->map = 0;
	if (byte[0] == 0x0f) {
		q->map = byte[1] == 0x38 || byte[1] == 0x3a ? byte[1] : 0x0f;
	} else if (((byte[0] & 0xfe) == 0xc4 || byte[0] == 0x62) &&
		   (q->mode == X86_MODE_64 || byte[1] >= 0xc0)) {
		q->map = 0xc5;
	} else if (byte[0] == 0x8f && (byte[1] & 0x1f) >= 8) {
		q->map = 0xc5;
	}
	q->opcode = q->map == 0x0f ? byte[1] : q->map == 0x38 || q->map == 0x3a ? byte[2] : byte[0];
	q->modrm = q->map == 0x0f ? byte[2] : byte[1];
}

static void show(const struct question *q, char text[3 * BYTES + 1])
{
	for (size_t i = 0; i < BYTES; i++) {
		(void)snprintf(text + 3 * i, 4, "%02x ", q->bytes[i]);
	}
}

/* How many were taken, and how many differ by what is explained below. */
static uint64_t taken_count, zydis_differs, capstone_differs;

/* ---- what both leave open ---- */

/* #UD is what these are for; an oracle names them. */
static bool is_ud(const struct question *q)
{
	return q->map == 0x0f && (q->opcode == 0x0b || q->opcode == 0xb9 || q->opcode == 0xff);
}

/* VIA's PadLock. */
static bool is_padlock(const struct question *q)
{
	return q->map == 0x0f && (q->opcode == 0xa6 || q->opcode == 0xa7);
}

/*
 * Where a prefix is a part of the opcode: an instruction of which only the length counts, and
 * decode.h says that the prefix is not looked at. (0F 01 and AE: the form with registers.)
 */
static bool is_by_prefix(const struct question *q)
{
	static const uint32_t opcodes[8] = {0x0cff8002, 0x0080ff00, 0xffff0000, 0xffffffff, 0,
		0x01004000, 0xffff00f4, 0xffffffff};

	return q->map >= 0x38 ||
	       (q->map == 0x0f && hv_bit(opcodes[q->opcode >> 5], q->opcode & 31));
}

/* ---- Zydis ---- */

static ZydisDecoder zydis[MODES];

static const struct {
	ZydisMnemonic mnemonic;
	uint8_t op;
} names[] = {
	{ZYDIS_MNEMONIC_ADD, X86_OP_ADD},
	{ZYDIS_MNEMONIC_OR, X86_OP_OR},
	{ZYDIS_MNEMONIC_ADC, X86_OP_ADC},
	{ZYDIS_MNEMONIC_SBB, X86_OP_SBB},
	{ZYDIS_MNEMONIC_AND, X86_OP_AND},
	{ZYDIS_MNEMONIC_SUB, X86_OP_SUB},
	{ZYDIS_MNEMONIC_XOR, X86_OP_XOR},
	{ZYDIS_MNEMONIC_CMP, X86_OP_CMP},
	{ZYDIS_MNEMONIC_TEST, X86_OP_TEST},
	{ZYDIS_MNEMONIC_NOT, X86_OP_NOT},
	{ZYDIS_MNEMONIC_NEG, X86_OP_NEG},
	{ZYDIS_MNEMONIC_INC, X86_OP_INC},
	{ZYDIS_MNEMONIC_DEC, X86_OP_DEC},
	{ZYDIS_MNEMONIC_BT, X86_OP_BT},
	{ZYDIS_MNEMONIC_BTS, X86_OP_BTS},
	{ZYDIS_MNEMONIC_BTR, X86_OP_BTR},
	{ZYDIS_MNEMONIC_BTC, X86_OP_BTC},
	{ZYDIS_MNEMONIC_MOV, X86_OP_MOV},
	{ZYDIS_MNEMONIC_MOV, X86_OP_OTHER}, /* of segments */
	{ZYDIS_MNEMONIC_MOV, X86_OP_MOV_CR},
	{ZYDIS_MNEMONIC_MOV, X86_OP_MOV_DR},
	{ZYDIS_MNEMONIC_MOVNTI, X86_OP_MOV},
	{ZYDIS_MNEMONIC_MOVZX, X86_OP_MOVZX},
	{ZYDIS_MNEMONIC_MOVSX, X86_OP_MOVSX},
	{ZYDIS_MNEMONIC_MOVSXD, X86_OP_MOVSX},
	{ZYDIS_MNEMONIC_MOVBE, X86_OP_MOVBE},
	{ZYDIS_MNEMONIC_XCHG, X86_OP_XCHG},
	{ZYDIS_MNEMONIC_XADD, X86_OP_XADD},
	{ZYDIS_MNEMONIC_CMPXCHG, X86_OP_CMPXCHG},
	{ZYDIS_MNEMONIC_STOSB, X86_OP_STOS},
	{ZYDIS_MNEMONIC_STOSW, X86_OP_STOS},
	{ZYDIS_MNEMONIC_STOSD, X86_OP_STOS},
	{ZYDIS_MNEMONIC_STOSQ, X86_OP_STOS},
	{ZYDIS_MNEMONIC_LODSB, X86_OP_LODS},
	{ZYDIS_MNEMONIC_LODSW, X86_OP_LODS},
	{ZYDIS_MNEMONIC_LODSD, X86_OP_LODS},
	{ZYDIS_MNEMONIC_LODSQ, X86_OP_LODS},
	{ZYDIS_MNEMONIC_SCASB, X86_OP_SCAS},
	{ZYDIS_MNEMONIC_SCASW, X86_OP_SCAS},
	{ZYDIS_MNEMONIC_SCASD, X86_OP_SCAS},
	{ZYDIS_MNEMONIC_SCASQ, X86_OP_SCAS},
	{ZYDIS_MNEMONIC_MOVSB, X86_OP_MOVS},
	{ZYDIS_MNEMONIC_MOVSW, X86_OP_MOVS},
	{ZYDIS_MNEMONIC_MOVSD, X86_OP_MOVS},
	{ZYDIS_MNEMONIC_MOVSD, X86_OP_OTHER}, /* of SSE */
	{ZYDIS_MNEMONIC_MOVSQ, X86_OP_MOVS},
	{ZYDIS_MNEMONIC_CMPSB, X86_OP_CMPS},
	{ZYDIS_MNEMONIC_CMPSW, X86_OP_CMPS},
	{ZYDIS_MNEMONIC_CMPSD, X86_OP_CMPS},
	{ZYDIS_MNEMONIC_CMPSD, X86_OP_OTHER}, /* of SSE */
	{ZYDIS_MNEMONIC_CMPSQ, X86_OP_CMPS},
	{ZYDIS_MNEMONIC_INSB, X86_OP_INS},
	{ZYDIS_MNEMONIC_INSW, X86_OP_INS},
	{ZYDIS_MNEMONIC_INSD, X86_OP_INS},
	{ZYDIS_MNEMONIC_OUTSB, X86_OP_OUTS},
	{ZYDIS_MNEMONIC_OUTSW, X86_OP_OUTS},
	{ZYDIS_MNEMONIC_OUTSD, X86_OP_OUTS},
	{ZYDIS_MNEMONIC_PUSH, X86_OP_PUSH},
	{ZYDIS_MNEMONIC_PUSHA, X86_OP_PUSH},
	{ZYDIS_MNEMONIC_PUSHAD, X86_OP_PUSH},
	{ZYDIS_MNEMONIC_POP, X86_OP_POP},
	{ZYDIS_MNEMONIC_POPA, X86_OP_POP},
	{ZYDIS_MNEMONIC_POPAD, X86_OP_POP},
	{ZYDIS_MNEMONIC_CALL, X86_OP_CALL},
	{ZYDIS_MNEMONIC_JMP, X86_OP_JMP},
	{ZYDIS_MNEMONIC_CMPXCHG8B, X86_OP_CMPXCHG8B},
	{ZYDIS_MNEMONIC_CMPXCHG16B, X86_OP_CMPXCHG8B},
	{ZYDIS_MNEMONIC_IN, X86_OP_IN},
	{ZYDIS_MNEMONIC_OUT, X86_OP_OUT},
	{ZYDIS_MNEMONIC_CPUID, X86_OP_CPUID},
	{ZYDIS_MNEMONIC_RDMSR, X86_OP_RDMSR},
	{ZYDIS_MNEMONIC_WRMSR, X86_OP_WRMSR},
	{ZYDIS_MNEMONIC_RDTSC, X86_OP_RDTSC},
	{ZYDIS_MNEMONIC_RDTSCP, X86_OP_RDTSCP},
	{ZYDIS_MNEMONIC_RDPMC, X86_OP_RDPMC},
	{ZYDIS_MNEMONIC_HLT, X86_OP_HLT},
	{ZYDIS_MNEMONIC_PAUSE, X86_OP_PAUSE},
	{ZYDIS_MNEMONIC_MONITOR, X86_OP_MONITOR},
	{ZYDIS_MNEMONIC_MONITORX, X86_OP_MONITOR},
	{ZYDIS_MNEMONIC_MCOMMIT, X86_OP_MONITOR}, /* F3 0F 01 FA */
	{ZYDIS_MNEMONIC_MWAIT, X86_OP_MWAIT},
	{ZYDIS_MNEMONIC_MWAITX, X86_OP_MWAIT},
	{ZYDIS_MNEMONIC_VMMCALL, X86_OP_VMMCALL},
	{ZYDIS_MNEMONIC_VMCALL, X86_OP_VMCALL},
	{ZYDIS_MNEMONIC_VMRUN, X86_OP_SVM},
	{ZYDIS_MNEMONIC_VMLOAD, X86_OP_SVM},
	{ZYDIS_MNEMONIC_VMSAVE, X86_OP_SVM},
	{ZYDIS_MNEMONIC_STGI, X86_OP_SVM},
	{ZYDIS_MNEMONIC_CLGI, X86_OP_SVM},
	{ZYDIS_MNEMONIC_SKINIT, X86_OP_SVM},
	{ZYDIS_MNEMONIC_INVLPGA, X86_OP_INVLPGA},
	{ZYDIS_MNEMONIC_INVLPG, X86_OP_INVLPG},
	{ZYDIS_MNEMONIC_INVPCID, X86_OP_INVPCID},
	{ZYDIS_MNEMONIC_INVD, X86_OP_INVD},
	{ZYDIS_MNEMONIC_WBINVD, X86_OP_WBINVD},
	{ZYDIS_MNEMONIC_CLTS, X86_OP_CLTS},
	{ZYDIS_MNEMONIC_LMSW, X86_OP_LMSW},
	{ZYDIS_MNEMONIC_SMSW, X86_OP_SMSW},
	{ZYDIS_MNEMONIC_SGDT, X86_OP_SGDT},
	{ZYDIS_MNEMONIC_SIDT, X86_OP_SIDT},
	{ZYDIS_MNEMONIC_LGDT, X86_OP_LGDT},
	{ZYDIS_MNEMONIC_LIDT, X86_OP_LIDT},
	{ZYDIS_MNEMONIC_SLDT, X86_OP_SLDT},
	{ZYDIS_MNEMONIC_STR, X86_OP_STR},
	{ZYDIS_MNEMONIC_LLDT, X86_OP_LLDT},
	{ZYDIS_MNEMONIC_LTR, X86_OP_LTR},
	{ZYDIS_MNEMONIC_XSETBV, X86_OP_XSETBV},
	{ZYDIS_MNEMONIC_INT, X86_OP_INT},
	{ZYDIS_MNEMONIC_INT1, X86_OP_INT1},
	{ZYDIS_MNEMONIC_INT3, X86_OP_INT3},
	{ZYDIS_MNEMONIC_INTO, X86_OP_INTO},
	{ZYDIS_MNEMONIC_IRET, X86_OP_IRET},
	{ZYDIS_MNEMONIC_IRETD, X86_OP_IRET},
	{ZYDIS_MNEMONIC_IRETQ, X86_OP_IRET},
	{ZYDIS_MNEMONIC_PUSHF, X86_OP_PUSHF},
	{ZYDIS_MNEMONIC_PUSHFD, X86_OP_PUSHF},
	{ZYDIS_MNEMONIC_PUSHFQ, X86_OP_PUSHF},
	{ZYDIS_MNEMONIC_POPF, X86_OP_POPF},
	{ZYDIS_MNEMONIC_POPFD, X86_OP_POPF},
	{ZYDIS_MNEMONIC_POPFQ, X86_OP_POPF},
	{ZYDIS_MNEMONIC_RSM, X86_OP_RSM},
};

/* names[] by mnemonic: a bit for each operation that one may be. */
static uint64_t ops_of[ZYDIS_MNEMONIC_MAX_VALUE + 1][2];

static bool is_op_of(ZydisMnemonic mnemonic, uint8_t op)
{
	const uint64_t *ops = ops_of[mnemonic];

	return hv_bit(ops[op / 64], op % 64) || (op == X86_OP_OTHER && (ops[0] | ops[1]) == 0);
}

static void zydis_open(void)
{
	static const ZydisMachineMode machine[MODES] = {ZYDIS_MACHINE_MODE_LEGACY_16,
		ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_MACHINE_MODE_LONG_64};
	static const ZydisStackWidth width[MODES] = {
		ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32, ZYDIS_STACK_WIDTH_64};

	for (unsigned i = 0; i < MODES; i++) {
		assert_true(ZYAN_SUCCESS(ZydisDecoderInit(&zydis[i], machine[i], width[i])));
		assert_true(ZYAN_SUCCESS(ZydisDecoderEnableMode(
			&zydis[i], ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE)));
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(names); i++) {
		ops_of[names[i].mnemonic][names[i].op / 64] |= HV_BIT(names[i].op % 64);
	}
}

/* General registers in Zydis' order; AH to BH stand between BL and SPL. */
static struct x86_operand zydis_register(ZydisRegister reg)
{
	static const struct {
		ZydisRegister first, last;
		uint8_t kind, size;
	} files[] = {
		{ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, X86_OPERAND_REG, 2},
		{ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, X86_OPERAND_REG, 4},
		{ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, X86_OPERAND_REG, 8},
		{ZYDIS_REGISTER_CR0, ZYDIS_REGISTER_CR15, X86_OPERAND_CR, 8},
		{ZYDIS_REGISTER_DR0, ZYDIS_REGISTER_DR15, X86_OPERAND_DR, 8},
	};

	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
		return (struct x86_operand){
			X86_OPERAND_HIGH, (uint8_t)(reg - ZYDIS_REGISTER_AH), 1};
	}
	if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_R15B) {
		unsigned n = reg - ZYDIS_REGISTER_AL;

		return (struct x86_operand){X86_OPERAND_REG, (uint8_t)(n < 4 ? n : n - 4), 1};
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(files); i++) {
		if (reg >= files[i].first && reg <= files[i].last) {
			return (struct x86_operand){
				files[i].kind, (uint8_t)(reg - files[i].first), files[i].size};
		}
	}
	return (struct x86_operand){0}; /* a segment's */
}

static uint8_t zydis_base(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE                               ? X86_REG_NONE
	       : reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP ? X86_REG_RIP
									: zydis_register(reg).reg;
}

static bool same_memory(const struct x86_insn *ours, const ZydisDecodedOperand *theirs)
{
	const struct x86_mem *mem = &ours->mem;
	uint64_t mask = HV_MASK(8u * ours->addr_size - 1, 0);
	uint8_t index = zydis_base(theirs->mem.index);

	return mem->segment == theirs->mem.segment - ZYDIS_REGISTER_ES &&
	       mem->base == zydis_base(theirs->mem.base) && mem->index == index &&
	       (index == X86_REG_NONE || (1u << mem->shift) == theirs->mem.scale) &&
	       (((uint64_t)mem->disp ^ (uint64_t)theirs->mem.disp.value) & mask) == 0;
}

static bool same_operand(const struct x86_insn *ours, const struct x86_operand *operand,
	const ZydisDecodedOperand *theirs)
{
	struct x86_operand reg;

	switch (theirs->type) {
	case ZYDIS_OPERAND_TYPE_MEMORY:
		return operand->kind == X86_OPERAND_MEM && same_memory(ours, theirs) &&
		       (operand->size * 8u == theirs->size || ours->op == X86_OP_INVLPG ||
			       ours->op == X86_OP_CMPXCHG8B);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		return operand->kind == X86_OPERAND_IMM &&
		       ((ours->imm ^ theirs->imm.value.u) & HV_MASK(8u * ours->size - 1, 0)) == 0;
	default:
		reg = zydis_register(theirs->reg.value);
		return operand->kind == reg.kind && operand->reg == reg.reg &&
		       (reg.kind >= X86_OPERAND_CR || operand->size == reg.size);
	}
}

/* Of strings the memory operands are not written, and say the size and a segment. */
static bool same_string(const struct x86_insn *ours, const ZydisDecodedOperand *operands)
{
	for (unsigned i = 0; i < 3; i++) {
		const ZydisDecodedOperand *at = &operands[i];

		if (at->type != ZYDIS_OPERAND_TYPE_MEMORY) {
			continue;
		}
		if (at->size != ours->size * 8u ||
			(zydis_base(at->mem.base) == X86_RSI &&
				ours->mem.segment != at->mem.segment - ZYDIS_REGISTER_ES)) {
			return false;
		}
	}
	return true;
}

static bool is_string(uint8_t op)
{
	return op >= X86_OP_STOS && op <= X86_OP_OUTS;
}

static bool same_as_zydis(const struct x86_insn *ours, const ZydisDecodedInstruction *theirs,
	const ZydisDecodedOperand *operands)
{
	if (ours->length != theirs->length || !is_op_of(theirs->mnemonic, ours->op)) {
		return false;
	}
	if (ours->op == X86_OP_OTHER) {
		return true;
	}
	if (ours->addr_size * 8u != theirs->address_width) {
		return false;
	}
	if (is_string(ours->op)) {
		return same_string(ours, operands);
	}
	return (ours->dst.kind == X86_OPERAND_NONE ||
		       same_operand(ours, &ours->dst, &operands[0])) &&
	       (ours->src.kind == X86_OPERAND_NONE || same_operand(ours, &ours->src, &operands[1]));
}

/* Every way in which we and Zydis 4.0 may differ, as far as one of us takes the instruction. */
static bool zydis_explains(const struct question *q, const struct x86_insn *ours,
	const ZydisDecodedInstruction *theirs)
{
	if (!ours) { /* Zydis alone takes it */
		return is_ud(q) || is_padlock(q);
	}
	if (!theirs) {
		/* AMD's CR8 outside 64-bit mode */
		return (ours->op == X86_OP_MOV_CR && q->lock) ||
		       /* 0F 01 with registers, whatever the prefix */
		       (is_by_prefix(q) && (ours->op == X86_OP_OTHER || q->opcode == 0x01));
	}
	/* The jumps by a mask of Knights Corner, whose VEX has another meaning since */
	if (theirs->mnemonic == ZYDIS_MNEMONIC_JKZD || theirs->mnemonic == ZYDIS_MNEMONIC_JKNZD) {
		return true;
	}
	/*
	 * FF /2 and /4: 66 in 64-bit mode, as its AMD_BRANCHES are the direct ones only (D7); 3E,
	 * which it takes for CET's and not for DS
	 */
	if (q->map == 0 && q->opcode == 0xff && (q->operand || q->ds)) {
		return ours->op == X86_OP_CALL || ours->op == X86_OP_JMP;
	}
	/* 66 MOVSXD of a register: 16 bits are kept, whatever the source is called */
	if (ours->op == X86_OP_MOVSX && q->opcode == 0x63 && q->operand) {
		return ours->src.kind == X86_OPERAND_REG && ours->length == theirs->length;
	}
	/* 67 with no base: it names R13 where REX.B is set, and no displacement */
	return theirs->address_width == 32 && theirs->raw.modrm.mod == 0 &&
	       theirs->raw.modrm.rm == 4 && theirs->raw.sib.base == 5 && theirs->raw.rex.B == 1 &&
	       ours->length == theirs->length;
}

static void compare_to_zydis(const struct question *q)
{
	struct x86_insn ours;
	ZydisDecodedInstruction theirs;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	enum x86_decoded decoded = x86_decode(&ours, q->bytes, BYTES, q->mode);
	ZyanStatus status =
		ZydisDecoderDecodeFull(&zydis[q->mode], q->bytes, BYTES, &theirs, operands);
	bool taken = decoded == X86_DECODED, known = ZYAN_SUCCESS(status);

	taken_count += taken;
	if (taken && known ? same_as_zydis(&ours, &theirs, operands) : taken == known) {
		return;
	}
	zydis_differs++;
	if (!zydis_explains(q, taken ? &ours : NULL, known ? &theirs : NULL)) {
		char text[3 * BYTES + 1];

		show(q, text);
		fail_msg("mode %d: %s: ours is %d, length %u, op %u; Zydis says %s, length %u",
			q->mode, text, decoded, ours.length, ours.op,
			known ? ZydisMnemonicGetString(theirs.mnemonic) : "nothing",
			known ? theirs.length : 0);
	}
}

/* ---- Capstone ---- */

static csh capstone[MODES];
static cs_insn *capstone_insn;

static void capstone_open(void)
{
	static const cs_mode mode[MODES] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};

	for (unsigned i = 0; i < MODES; i++) {
		assert_int_equal(cs_open(CS_ARCH_X86, mode[i], &capstone[i]), CS_ERR_OK);
	}
	capstone_insn = cs_malloc(capstone[0]);
}

static void capstone_close(void)
{
	cs_free(capstone_insn, 1);
	for (unsigned i = 0; i < MODES; i++) {
		cs_close(&capstone[i]);
	}
}

/* Every way in which we and Capstone 4.0.2 may differ; for each of them Zydis is on our side. */
static bool capstone_explains(const struct question *q)
{
	uint8_t reg = q->modrm >> 3 & 7;

	if (q->lock || is_ud(q) || is_padlock(q)) { /* it does not know what LOCK is for */
		return true;
	}
	switch (q->map) {
	case 0:
		/* REX.R names no segment register; CS is not moved to */
		if (q->opcode == 0x8c || q->opcode == 0x8e) {
			return q->rex_r || reg == 1;
		}
		/* 66 together with REX, F2 or F3; REX.W before a near CALL or RET */
		return (q->operand && (q->mode == X86_MODE_64 || q->rep)) ||
		       (q->rex_w && (q->opcode == 0xe8 || q->opcode == 0xc2));
	case 0x0f: /* hints with registers; MOVNTI with prefixes; control registers that are not */
		return is_by_prefix(q) || q->opcode == 0x0d || (q->opcode & 0xf8) == 0x18 ||
		       q->opcode == 0xc3 || (q->opcode & 0xfc) == 0x20;
	default: return true;
	}
}

static void compare_to_capstone(const struct question *q)
{
	const uint8_t *code = q->bytes;
	size_t size = BYTES;
	uint64_t at = 0;
	bool known = cs_disasm_iter(capstone[q->mode], &code, &size, &at, capstone_insn);
	struct x86_insn ours;
	bool taken = x86_decode(&ours, q->bytes, BYTES, q->mode) == X86_DECODED;

	if (known == taken && (!known || capstone_insn->size == ours.length)) {
		return;
	}
	capstone_differs++;
	if (!capstone_explains(q)) {
		char text[3 * BYTES + 1];

		show(q, text);
		fail_msg("mode %d: %s: ours is %d, length %u; Capstone says %s, length %u", q->mode,
			text, taken, ours.length, known ? capstone_insn->mnemonic : "nothing",
			known ? capstone_insn->size : 0);
	}
}

/* ---- the tests ---- */

static void d1_x86_decode__random_instructions__equal_zydis_and_capstone(void **state)
{
	uint64_t seed = 20, count = getenv("DRYDOCK_SWEEP") ? 100000000 : 1000000;

	(void)state;
	zydis_open();
	capstone_open();
	for (uint64_t n = 0; n < count; n++) {
		struct question q;

		generate(&q, &seed);
		classify(&q);
		compare_to_zydis(&q);
		compare_to_capstone(&q);
	}
	capstone_close();
	print_message(
		"%llu taken of %llu; explained differences: %llu to Zydis, %llu to Capstone\n",
		(unsigned long long)taken_count, (unsigned long long)count,
		(unsigned long long)zydis_differs, (unsigned long long)capstone_differs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(d1_x86_decode__random_instructions__equal_zydis_and_capstone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
