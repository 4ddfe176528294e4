/* SPDX-License-Identifier: MIT */
/* The x86 decoder by hand; test_x86_decode_sweep.c has the oracles. */
#include <unit.h>

#include <arch/x86_64/decode.h>
#include <arch/x86_64/x86.h>
#include <hv/types.h>

/* "48 8b 05" as bytes. */
static size_t parse(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	char *end;

	for (; *text != '\0'; text = end) {
		bytes[count++] = (uint8_t)strtoul(text, &end, 16);
		while (*end == ' ') {
			end++;
		}
	}
	return count;
}

static enum x86_decoded decode(struct x86_insn *insn, const char *text, enum x86_mode mode)
{
	uint8_t bytes[32];
	size_t count = parse(text, bytes);

	return x86_decode(insn, bytes, count, mode);
}

static struct x86_insn decoded(const char *text, enum x86_mode mode)
{
	struct x86_insn insn;

	assert_int_equal(decode(&insn, text, mode), X86_DECODED);
	return insn;
}

static enum x86_decoded refused(const char *text, enum x86_mode mode)
{
	struct x86_insn insn;

	return decode(&insn, text, mode);
}

static void assert_operand(
	const struct x86_operand *operand, uint8_t kind, uint8_t reg, uint8_t size)
{
	assert_int_equal(operand->kind, kind);
	assert_int_equal(operand->reg, reg);
	assert_int_equal(operand->size, size);
}

/* ---- what intercepts are about, with nothing behind: the length is exact ---- */

#define ANY 0xffu

static const struct {
	const char *bytes;
	uint8_t op;
	uint8_t mode; /* ANY: all three */
} exits[] = {
	{"0f 01 d9", X86_OP_VMMCALL, ANY},
	{"0f 01 c1", X86_OP_VMCALL, ANY},
	{"0f a2", X86_OP_CPUID, ANY},
	{"66 0f a2", X86_OP_CPUID, ANY},
	{"0f 32", X86_OP_RDMSR, ANY},
	{"0f 30", X86_OP_WRMSR, ANY},
	{"0f 31", X86_OP_RDTSC, ANY},
	{"0f 01 f9", X86_OP_RDTSCP, ANY},
	{"0f 33", X86_OP_RDPMC, ANY},
	{"f4", X86_OP_HLT, ANY},
	{"f3 90", X86_OP_PAUSE, ANY},
	{"90", X86_OP_OTHER, ANY},
	{"0f 01 c8", X86_OP_MONITOR, ANY},
	{"0f 01 c9", X86_OP_MWAIT, ANY},
	{"0f 01 fa", X86_OP_MONITOR, ANY},
	{"0f 01 fb", X86_OP_MWAIT, ANY},
	{"0f 01 d8", X86_OP_SVM, ANY},
	{"0f 01 da", X86_OP_SVM, ANY},
	{"0f 01 db", X86_OP_SVM, ANY},
	{"0f 01 dc", X86_OP_SVM, ANY},
	{"0f 01 dd", X86_OP_SVM, ANY},
	{"0f 01 de", X86_OP_SVM, ANY},
	{"0f 01 df", X86_OP_INVLPGA, ANY},
	{"0f 01 d0", X86_OP_OTHER, ANY}, /* XGETBV */
	{"0f 01 d1", X86_OP_XSETBV, ANY},
	{"0f 01 38", X86_OP_INVLPG, ANY},
	{"66 0f 38 82 01", X86_OP_INVPCID, ANY},
	{"0f 08", X86_OP_INVD, ANY},
	{"0f 09", X86_OP_WBINVD, ANY},
	{"f3 0f 09", X86_OP_WBINVD, ANY},
	{"0f 06", X86_OP_CLTS, ANY},
	{"0f 01 f0", X86_OP_LMSW, ANY},
	{"0f 01 e0", X86_OP_SMSW, ANY},
	{"0f 01 00", X86_OP_SGDT, ANY},
	{"0f 01 08", X86_OP_SIDT, ANY},
	{"0f 01 10", X86_OP_LGDT, ANY},
	{"0f 01 18", X86_OP_LIDT, ANY},
	{"0f 00 00", X86_OP_SLDT, ANY},
	{"0f 00 08", X86_OP_STR, ANY},
	{"0f 00 d0", X86_OP_LLDT, ANY},
	{"0f 00 d8", X86_OP_LTR, ANY},
	{"0f 20 c0", X86_OP_MOV_CR, ANY},
	{"0f 22 d8", X86_OP_MOV_CR, ANY},
	{"0f 21 f8", X86_OP_MOV_DR, ANY},
	{"0f 23 c0", X86_OP_MOV_DR, ANY},
	{"cd 80", X86_OP_INT, ANY},
	{"cc", X86_OP_INT3, ANY},
	{"f1", X86_OP_INT1, ANY},
	{"ce", X86_OP_INTO, X86_MODE_16},
	{"ce", X86_OP_INTO, X86_MODE_32},
	{"cf", X86_OP_IRET, ANY},
	{"48 cf", X86_OP_IRET, X86_MODE_64},
	{"9c", X86_OP_PUSHF, ANY},
	{"9d", X86_OP_POPF, ANY},
	{"0f aa", X86_OP_RSM, ANY},
	{"e4 60", X86_OP_IN, ANY},
	{"e5 60", X86_OP_IN, ANY},
	{"e6 60", X86_OP_OUT, ANY},
	{"e7 60", X86_OP_OUT, ANY},
	{"ec", X86_OP_IN, ANY},
	{"66 ed", X86_OP_IN, ANY},
	{"ee", X86_OP_OUT, ANY},
	{"ef", X86_OP_OUT, ANY},
	{"f3 6c", X86_OP_INS, ANY},
	{"f3 67 66 6d", X86_OP_INS, ANY},
	{"f3 6e", X86_OP_OUTS, ANY},
	{"2e 6f", X86_OP_OUTS, ANY},
	/* what stands beside devices' drivers: the stack, jumps, vectors */
	{"50", X86_OP_PUSH, ANY},
	{"8f 00", X86_OP_POP, ANY},
	{"ff 10", X86_OP_CALL, ANY},
	{"ff 20", X86_OP_JMP, ANY},
	{"0f c7 08", X86_OP_CMPXCHG8B, ANY},
	{"c8 10 00 01", X86_OP_OTHER, ANY},
	{"c2 10 00", X86_OP_OTHER, ANY},
	{"9a 00 00 00 00", X86_OP_CALL, X86_MODE_16},
	{"ea 00 00 00 00 00 00", X86_OP_JMP, X86_MODE_32},
	{"48 b8 01 02 03 04 05 06 07 08", X86_OP_MOV, X86_MODE_64},
	{"c5 f8 77", X86_OP_OTHER, ANY},
	{"c5 f9 70 c0 01", X86_OP_OTHER, ANY},
	{"c4 e2 79 00 c0", X86_OP_OTHER, ANY},
	{"c4 e3 79 0f c0 01", X86_OP_OTHER, ANY},
	{"c5 f8 c2 c0 01", X86_OP_OTHER, ANY},
	{"c5 f9 c4 c0 01", X86_OP_OTHER, ANY},
	{"c5 f8 c6 c0 01", X86_OP_OTHER, ANY},
	{"c5 f9 c3 c0", X86_OP_OTHER, ANY},
	{"62 f1 7c 48 58 c0", X86_OP_OTHER, ANY},
	{"62 f6 7d 48 98 c0", X86_OP_OTHER, ANY},
	{"8f e8 78 c0 c0 01", X86_OP_OTHER, ANY},
	{"8f e9 78 81 c0", X86_OP_OTHER, ANY},
	{"8f ea 78 10 c0 01 02 03 04", X86_OP_OTHER, ANY},
	{"c4 00", X86_OP_OTHER, X86_MODE_32}, /* LES */
	{"62 00", X86_OP_OTHER, X86_MODE_32}, /* BOUND */
	{"66 0f 78 c0 01 02", X86_OP_OTHER, ANY},
	{"f2 0f 78 c0 01 02", X86_OP_OTHER, ANY},
	{"0f 78 c0", X86_OP_OTHER, ANY},
	{"0f 0f c0 9e", X86_OP_OTHER, ANY},
	{"66 0f 3a 0f c0 01", X86_OP_OTHER, ANY},
	{"f2 0f 38 f0 c0", X86_OP_OTHER, ANY},
	{"c6 f8 00", X86_OP_OTHER, ANY},
	{"63 c0", X86_OP_OTHER, X86_MODE_32}, /* ARPL */
	{"d8 c0", X86_OP_OTHER, ANY},
	{"dd 28", ANY, ANY},
};

static void decode_exits__with_nothing_behind__named_and_as_long_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(exits); i++) {
		for (unsigned mode = X86_MODE_16; mode <= X86_MODE_64; mode++) {
			struct x86_insn insn;
			uint8_t bytes[16];
			size_t count = parse(exits[i].bytes, bytes);
			enum x86_decoded result;

			if (exits[i].mode != ANY && exits[i].mode != mode) {
				continue;
			}
			result = x86_decode(&insn, bytes, count, (enum x86_mode)mode);
			if (exits[i].op == ANY) { /* no such instruction */
				assert_int_equal(result, X86_DECODE_INVALID);
				continue;
			}
			if (result != X86_DECODED || insn.length != count ||
				insn.op != exits[i].op) {
				fail_msg("%s in mode %u: %d, length %u, op %u", exits[i].bytes,
					mode, result, insn.length, insn.op);
			}
		}
	}
}

/* ---- operands ---- */

static void decode_mov__memory_to_register__every_field(void **state)
{
	struct x86_insn insn = decoded("8b 83 b0 00 00 00", X86_MODE_64);

	(void)state;
	assert_int_equal(insn.op, X86_OP_MOV);
	assert_int_equal(insn.length, 6);
	assert_int_equal(insn.mode, X86_MODE_64);
	assert_int_equal(insn.size, 4);
	assert_int_equal(insn.addr_size, 8);
	assert_int_equal(insn.rep, X86_REP_NONE);
	assert_false(insn.lock);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 4);
	assert_operand(&insn.src, X86_OPERAND_MEM, 0, 4);
	assert_int_equal(insn.mem.segment, X86_DS);
	assert_int_equal(insn.mem.base, X86_RBX);
	assert_int_equal(insn.mem.index, X86_REG_NONE);
	assert_int_equal(insn.mem.disp, 0xb0);
}

static void decode_sib__index_scale_and_extensions__told(void **state)
{
	struct x86_insn insn = decoded("4f 89 bc b5 f0 ff ff ff", X86_MODE_64);

	(void)state;
	assert_operand(&insn.src, X86_OPERAND_REG, X86_R15, 8);
	assert_int_equal(insn.mem.base, X86_R13);
	assert_int_equal(insn.mem.index, X86_R14);
	assert_int_equal(insn.mem.shift, 2);
	assert_int_equal(insn.mem.disp, -16);
	insn = decoded("42 89 04 24", X86_MODE_64); /* R12 is an index, RSP is none */
	assert_int_equal(insn.mem.index, X86_R12);
	assert_int_equal(insn.mem.base, X86_RSP);
	assert_int_equal(insn.mem.segment, X86_SS);
	insn = decoded("89 04 24", X86_MODE_64);
	assert_int_equal(insn.mem.index, X86_REG_NONE);
	insn = decoded("89 04 25 00 10 00 00", X86_MODE_64); /* no base: an address */
	assert_int_equal(insn.mem.base, X86_REG_NONE);
	assert_int_equal(insn.mem.disp, 0x1000);
}

static void decode_rip_relative__in_64_bit_mode_only__base(void **state)
{
	struct x86_insn insn = decoded("8b 05 fc ff ff ff", X86_MODE_64);

	(void)state;
	assert_int_equal(insn.mem.base, X86_REG_RIP);
	assert_int_equal(insn.mem.disp, -4);
	insn = decoded("8b 05 fc ff ff ff", X86_MODE_32);
	assert_int_equal(insn.mem.base, X86_REG_NONE);
	assert_int_equal(insn.mem.disp, -4);
}

static void d13_decode_16_bit_addresses__each_form__base_index_and_segment(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t base, index, segment;
	} forms[] = {
		{"88 00", X86_RBX, X86_RSI, X86_DS},
		{"88 01", X86_RBX, X86_RDI, X86_DS},
		{"88 02", X86_RBP, X86_RSI, X86_SS},
		{"88 03", X86_RBP, X86_RDI, X86_SS},
		{"88 04", X86_RSI, X86_REG_NONE, X86_DS},
		{"88 05", X86_RDI, X86_REG_NONE, X86_DS},
		{"88 06 34 12", X86_REG_NONE, X86_REG_NONE, X86_DS},
		{"88 46 ff", X86_RBP, X86_REG_NONE, X86_SS},
		{"88 87 00 80", X86_RBX, X86_REG_NONE, X86_DS},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(forms); i++) {
		struct x86_insn insn = decoded(forms[i].bytes, X86_MODE_16);

		assert_int_equal(insn.addr_size, 2);
		assert_int_equal(insn.mem.base, forms[i].base);
		assert_int_equal(insn.mem.index, forms[i].index);
		assert_int_equal(insn.mem.segment, forms[i].segment);
	}
	assert_int_equal(decoded("88 06 34 12", X86_MODE_16).mem.disp, 0x1234);
	assert_int_equal(decoded("88 46 ff", X86_MODE_16).mem.disp, -1);
	assert_int_equal(decoded("88 87 00 80", X86_MODE_16).mem.disp, -0x8000);
}

static void decode_sizes__by_mode_and_prefix__as_the_tables_say(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t mode, size, addr_size;
	} cases[] = {
		{"89 00", X86_MODE_16, 2, 2},
		{"66 89 00", X86_MODE_16, 4, 2},
		{"67 89 00", X86_MODE_16, 2, 4},
		{"89 00", X86_MODE_32, 4, 4},
		{"66 89 00", X86_MODE_32, 2, 4},
		{"67 89 00", X86_MODE_32, 4, 2},
		{"89 00", X86_MODE_64, 4, 8},
		{"66 89 00", X86_MODE_64, 2, 8},
		{"48 89 00", X86_MODE_64, 8, 8},
		{"66 48 89 00", X86_MODE_64, 8, 8},
		{"67 89 00", X86_MODE_64, 4, 4},
		{"88 00", X86_MODE_64, 1, 8},
		{"50", X86_MODE_64, 8, 8},
		{"66 50", X86_MODE_64, 2, 8},
		{"50", X86_MODE_32, 4, 4},
		{"48 ed", X86_MODE_64, 4, 8},
		{"0f c3 00", X86_MODE_64, 4, 8},
		{"48 0f c3 00", X86_MODE_64, 8, 8},
		{"0f 01 30", X86_MODE_64, 2, 8},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		struct x86_insn insn = decoded(cases[i].bytes, (enum x86_mode)cases[i].mode);

		assert_int_equal(insn.size, cases[i].size);
		assert_int_equal(insn.addr_size, cases[i].addr_size);
	}
}

static void decode_byte_registers__with_and_without_rex__high_or_low(void **state)
{
	struct x86_insn insn = decoded("88 20", X86_MODE_64);

	(void)state;
	assert_operand(&insn.src, X86_OPERAND_HIGH, X86_RAX, 1);
	insn = decoded("40 88 20", X86_MODE_64);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RSP, 1);
	insn = decoded("88 f8", X86_MODE_32); /* mov al, bh */
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 1);
	assert_operand(&insn.src, X86_OPERAND_HIGH, X86_RBX, 1);
	insn = decoded("88 18", X86_MODE_64);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RBX, 1);
}

static void decode_extensions__movzx_movsx_movsxd__source_is_narrower(void **state)
{
	struct x86_insn insn = decoded("0f b6 00", X86_MODE_64);

	(void)state;
	assert_int_equal(insn.op, X86_OP_MOVZX);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 4);
	assert_operand(&insn.src, X86_OPERAND_MEM, 0, 1);
	insn = decoded("48 0f bf 00", X86_MODE_64);
	assert_int_equal(insn.op, X86_OP_MOVSX);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 8);
	assert_operand(&insn.src, X86_OPERAND_MEM, 0, 2);
	insn = decoded("48 63 00", X86_MODE_64);
	assert_int_equal(insn.op, X86_OP_MOVSX);
	assert_operand(&insn.src, X86_OPERAND_MEM, 0, 4);
}

static void decode_immediates__each_kind__extended_as_the_instruction_does(void **state)
{
	(void)state;
	assert_int_equal(decoded("83 00 ff", X86_MODE_64).imm, ~(uint64_t)0);
	assert_int_equal(decoded("81 00 00 00 00 80", X86_MODE_64).imm, 0xffffffff80000000);
	assert_int_equal(decoded("66 81 00 34 12", X86_MODE_64).imm, 0x1234);
	assert_int_equal(decoded("e4 ff", X86_MODE_64).imm, 0xff);
	assert_int_equal(decoded("0f ba 20 ff", X86_MODE_64).imm, 0xff);
	assert_int_equal(
		decoded("48 b8 08 07 06 05 04 03 02 81", X86_MODE_64).imm, 0x8102030405060708);
	assert_int_equal(decoded("b8 00 00 00 80", X86_MODE_32).imm, 0x80000000);
	assert_int_equal(decoded("c2 ff ff", X86_MODE_64).imm, 0xffff);
	assert_int_equal(decoded("ea 78 56 34 12 cd ab", X86_MODE_32).imm, 0xabcd12345678);
}

static void decode_address_of_its_own__each_size__segment_and_address(void **state)
{
	struct x86_insn insn = decoded("a1 88 77 66 55 44 33 22 11", X86_MODE_64);

	(void)state;
	assert_int_equal(insn.length, 9);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 4);
	assert_operand(&insn.src, X86_OPERAND_MEM, 0, 4);
	assert_int_equal(insn.mem.disp, 0x1122334455667788);
	assert_int_equal(insn.mem.base, X86_REG_NONE);
	assert_int_equal(insn.mem.index, X86_REG_NONE);
	assert_int_equal(insn.mem.segment, X86_DS);
	insn = decoded("64 67 a2 78 56 34 f2", X86_MODE_64);
	assert_int_equal(insn.mem.segment, X86_FS);
	assert_int_equal(insn.mem.disp, 0xf2345678);
	assert_operand(&insn.dst, X86_OPERAND_MEM, 0, 1);
	assert_int_equal(decoded("a0 34 f2", X86_MODE_16).mem.disp, 0xf234);
}

static void decode_control_registers__any_modrm__two_registers(void **state)
{
	struct x86_insn insn = decoded("44 0f 20 c0", X86_MODE_64); /* mov rax, cr8 */

	(void)state;
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 8);
	assert_operand(&insn.src, X86_OPERAND_CR, 8, 8);
	insn = decoded("0f 22 1b", X86_MODE_32); /* mov cr3, ebx: mod is not looked at */
	assert_int_equal(insn.length, 3);
	assert_operand(&insn.dst, X86_OPERAND_CR, 3, 8);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RBX, 4);
	insn = decoded("f0 0f 20 c0", X86_MODE_32); /* AMD's CR8 */
	assert_operand(&insn.src, X86_OPERAND_CR, 8, 8);
	insn = decoded("0f 20 c1", X86_MODE_64);
	assert_operand(&insn.src, X86_OPERAND_CR, 0, 8);
	insn = decoded("0f 23 fe", X86_MODE_64);
	assert_operand(&insn.dst, X86_OPERAND_DR, 7, 8);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RSI, 8);
	assert_int_equal(refused("0f 20 c8", X86_MODE_64), X86_DECODE_INVALID);    /* CR1 */
	assert_int_equal(refused("44 0f 22 c8", X86_MODE_64), X86_DECODE_INVALID); /* CR9 */
	assert_int_equal(refused("44 0f 21 c0", X86_MODE_64), X86_DECODE_INVALID); /* DR8 */
	assert_int_equal(refused("f0 0f 20 d8", X86_MODE_32), X86_DECODE_INVALID);
	assert_int_equal(refused("f0 0f 21 c0", X86_MODE_32), X86_DECODE_INVALID);
}

static void decode_system_words__memory_and_register__sizes(void **state)
{
	struct x86_insn insn = decoded("0f 01 20", X86_MODE_64);

	(void)state;
	assert_operand(&insn.dst, X86_OPERAND_MEM, 0, 2);
	insn = decoded("48 0f 01 e3", X86_MODE_64);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RBX, 8);
	insn = decoded("0f 01 f1", X86_MODE_64);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RCX, 2);
	insn = decoded("ec", X86_MODE_64);
	assert_operand(&insn.dst, X86_OPERAND_REG, X86_RAX, 1);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RDX, 2);
	insn = decoded("e7 f4", X86_MODE_16);
	assert_operand(&insn.dst, X86_OPERAND_IMM, 0, 2);
	assert_operand(&insn.src, X86_OPERAND_REG, X86_RAX, 2);
	assert_int_equal(insn.imm, 0xf4);
}

/* ---- prefixes ---- */

static void decode_segments__in_64_bit_mode__fs_and_gs_alone(void **state)
{
	static const char *const override[] = {"26 8b 45 00", "2e 8b 45 00", "36 8b 45 00",
		"3e 8b 45 00", "64 8b 45 00", "65 8b 45 00"};
	static const uint8_t legacy[] = {X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS};
	static const uint8_t long_mode[] = {X86_SS, X86_SS, X86_SS, X86_SS, X86_FS, X86_GS};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(override); i++) {
		assert_int_equal(decoded(override[i], X86_MODE_32).mem.segment, legacy[i]);
		assert_int_equal(decoded(override[i], X86_MODE_64).mem.segment, long_mode[i]);
	}
	assert_int_equal(decoded("64 2e 8b 00", X86_MODE_64).mem.segment, X86_FS);
	assert_int_equal(decoded("64 2e 8b 00", X86_MODE_32).mem.segment, X86_CS);
	assert_int_equal(decoded("65 a4", X86_MODE_64).mem.segment, X86_GS);
	assert_int_equal(decoded("a4", X86_MODE_64).mem.segment, X86_DS);
}

static void d6_decode_prefixes__said_again__the_last_of_a_kind_counts(void **state)
{
	struct x86_insn insn = decoded("66 66 67 67 f3 f2 a5", X86_MODE_32);

	(void)state;
	assert_int_equal(insn.size, 2);
	assert_int_equal(insn.addr_size, 2);
	assert_int_equal(insn.rep, X86_REPNE);
	assert_int_equal(decoded("f2 f3 a5", X86_MODE_32).rep, X86_REP);
}

static void d6_decode_rex__before_a_legacy_prefix__is_ignored(void **state)
{
	(void)state;
	assert_int_equal(decoded("48 66 89 00", X86_MODE_64).size, 2);
	assert_int_equal(decoded("66 48 89 00", X86_MODE_64).size, 8);
	assert_int_equal(decoded("48 40 89 00", X86_MODE_64).size, 4); /* the last REX counts */
	assert_int_equal(decoded("40 66 88 20", X86_MODE_64).src.kind, X86_OPERAND_HIGH);
}

static void d6_decode_length__fourteen_prefixes_or_fifteen__the_bound_is_15(void **state)
{
	struct x86_insn insn;
	uint8_t bytes[32];

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0xf4;
	assert_int_equal(x86_decode(&insn, bytes, 16, X86_MODE_64), X86_DECODED);
	assert_int_equal(insn.length, 15);
	assert_int_equal(insn.op, X86_OP_HLT);
	bytes[14] = 0x66;
	bytes[15] = 0xf4;
	assert_int_equal(x86_decode(&insn, bytes, 16, X86_MODE_64), X86_DECODE_TOO_LONG);
	assert_int_equal(x86_decode(&insn, bytes, 15, X86_MODE_64), X86_DECODE_TOO_LONG);
	assert_int_equal(x86_decode(&insn, bytes, 14, X86_MODE_64), X86_DECODE_MORE);
	bytes[9] = 0x81; /* 9 prefixes, opcode, ModRM, imm16: 15 with a displacement of 8, and 16 */
	bytes[10] = 0x80;
	assert_int_equal(x86_decode(&insn, bytes, 32, X86_MODE_64), X86_DECODE_TOO_LONG);
	bytes[10] = 0x40;
	assert_int_equal(x86_decode(&insn, bytes, 32, X86_MODE_64), X86_DECODED);
	assert_int_equal(insn.length, 14);
}

static void d6_decode_lock__where_nothing_in_memory_changes__is_invalid(void **state)
{
	static const char *const good[] = {"f0 01 00", "f0 0f b1 00", "f0 0f c1 00", "f0 87 00",
		"f0 ff 00", "f0 f7 10", "f0 0f ba 28 00", "f0 0f c7 08", "f0 0f bb 00",
		"f0 80 30 01"};
	static const char *const bad[] = {"f0 01 c0", "f0 03 00", "f0 39 00", "f0 89 00",
		"f0 85 00", "f0 0f a3 00", "f0 0f ba 20 00", "f0 f7 00 00 00 00 00", "f0 90",
		"f0 0f a2", "f0 a4", "f0 80 38 01", "f0 87 c0", "f0 0f 01 d9"};

	(void)state;
	for (unsigned mode = X86_MODE_16; mode <= X86_MODE_64; mode++) {
		for (size_t i = 0; i < HV_ARRAY_COUNT(good); i++) {
			assert_true(decoded(good[i], (enum x86_mode)mode).lock);
		}
		for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
			assert_int_equal(refused(bad[i], (enum x86_mode)mode), X86_DECODE_INVALID);
		}
	}
}

/* Opcodes with ModRM: a bit for each ModRM.reg that may be locked in front of memory. */
static const struct {
	const char *bytes;
	uint8_t lockable;
	bool no64;
} locks[] = {
	{"00", 0xff, false},
	{"01", 0xff, false},
	{"02", 0, false},
	{"08", 0xff, false},
	{"09", 0xff, false},
	{"10", 0xff, false},
	{"11", 0xff, false},
	{"18", 0xff, false},
	{"19", 0xff, false},
	{"20", 0xff, false},
	{"21", 0xff, false},
	{"28", 0xff, false},
	{"29", 0xff, false},
	{"30", 0xff, false},
	{"31", 0xff, false},
	{"33", 0, false},
	{"38", 0, false},
	{"39", 0, false},
	{"80", 0x7f, false},
	{"81", 0x7f, false},
	{"82", 0x7f, true},
	{"83", 0x7f, false},
	{"84", 0, false},
	{"86", 0xff, false},
	{"87", 0xff, false},
	{"88", 0, false},
	{"8b", 0, false},
	{"8d", 0, false},
	{"8f", 0, false},
	{"c1", 0, false},
	{"c7", 0, false},
	{"d3", 0, false},
	{"f6", 0x0c, false},
	{"f7", 0x0c, false},
	{"fe", 0x03, false},
	{"ff", 0x03, false},
	{"0f a3", 0, false},
	{"0f ab", 0xff, false},
	{"0f b3", 0xff, false},
	{"0f bb", 0xff, false},
	{"0f ba", 0xe0, false},
	{"0f b0", 0xff, false},
	{"0f b1", 0xff, false},
	{"0f c0", 0xff, false},
	{"0f c1", 0xff, false},
	{"0f c3", 0, false},
	{"0f c7", 0x02, false},
	{"0f b6", 0, false},
	{"0f af", 0, false},
};

static void d6_decode_lock__every_opcode_with_modrm__in_front_of_memory_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(locks); i++) {
		for (unsigned n = 0; n < 8 * 3 * 2; n++) {
			enum x86_mode mode = (enum x86_mode)(n / 2 % 3);
			bool memory = n % 2 == 0, fits = locks[i].lockable >> n / 6 & memory;
			uint8_t bytes[24] = {0xf0};
			size_t at = 1 + parse(locks[i].bytes, bytes + 1);
			struct x86_insn insn;
			enum x86_decoded result;

			bytes[at] = (uint8_t)(n / 6 << 3 | (memory ? 0x07 : 0xc1));
			result = x86_decode(&insn, bytes, sizeof(bytes), mode);
			fits = fits && !(locks[i].no64 && mode == X86_MODE_64);
			if (result != (fits ? X86_DECODED : X86_DECODE_INVALID)) {
				fail_msg("%s /%u in mode %d, memory %d: %d", locks[i].bytes, n / 6,
					mode, memory, result);
			}
		}
	}
}

/* AMD's CPUs take 16 bits, Intel's 32. */
static void d7_decode_near_branch__66_in_64_bit_mode__has_16_bits_as_amd_has_it(void **state)
{
	(void)state;
	assert_int_equal(decoded("66 e8 34 12", X86_MODE_64).length, 4);
	assert_int_equal(decoded("66 e9 34 12", X86_MODE_64).length, 4);
	assert_int_equal(decoded("66 0f 84 34 12", X86_MODE_64).length, 5);
	assert_int_equal(decoded("e8 78 56 34 12", X86_MODE_64).length, 5);
	assert_int_equal(decoded("66 48 e8 78 56 34 12", X86_MODE_64).length, 7);
	assert_int_equal(decoded("66 e8 34 12", X86_MODE_32).length, 4);
	assert_int_equal(decoded("66 e8 78 56 34 12", X86_MODE_16).length, 6);
}

static void d6_decode_nothing_allocated__each_map__is_invalid(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t mode;
	} bad[] = {
		{"06", X86_MODE_64},
		{"27", X86_MODE_64},
		{"60", X86_MODE_64},
		{"82 00 00", X86_MODE_64},
		{"9a 00 00 00 00 00 00", X86_MODE_64},
		{"ce", X86_MODE_64},
		{"d6", X86_MODE_64},
		{"0f 04", ANY},
		{"0f 0b", ANY},
		{"0f b9 c0", ANY},
		{"0f ff c0", ANY},
		{"0f 24 c0", ANY},
		{"0f 39", ANY},
		{"0f 38 0c", ANY},
		{"0f 38 82 00", ANY},
		{"f3 66 0f 38 82 00", ANY},
		{"0f 3a 00", ANY},
		{"f3 0f 38 f0 00", ANY},
		{"0f 38 f0 c0", ANY},
		{"66 0f c3 00", ANY},
		{"f3 0f c3 00", ANY},
		{"0f c3 c0", ANY},
		{"0f 00 f0", ANY},
		{"0f 01 c6", ANY},
		{"0f 71 00 00", ANY},
		{"0f 71 10 00", ANY},
		{"0f ba 00 00", ANY},
		{"0f c7 c8", ANY},
		{"8d c0", ANY},
		{"8e c8", ANY},
		{"8c f0", ANY},
		{"c6 08 00", ANY},
		{"c6 f9 00", ANY},
		{"c6 38 00", ANY},
		{"c7 38 00 00 00 00", ANY},
		{"66 0f 38 82 c0", ANY},
		{"fe 10", ANY},
		{"ff 38", ANY},
		{"ff d8", ANY},
		{"d9 d1", ANY},
		{"d9 08", ANY},
		{"df e1", ANY},
		{"da e8", ANY},
		{"66 c5 f8 77", ANY},
		{"f3 c5 f8 77", ANY},
		{"f0 c5 f8 77", ANY},
		{"48 c5 f8 77", X86_MODE_64},
		{"c4 e4 79 00 c0", ANY},
		{"c4 ff 79 00 c0", ANY},
		{"62 f4 7c 48 58 c0", ANY},
		{"62 ff 7c 48 58 c0", ANY},
		{"8f eb 78 10", ANY},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(bad); i++) {
		for (unsigned mode = X86_MODE_16; mode <= X86_MODE_64; mode++) {
			if ((bad[i].mode == ANY || bad[i].mode == mode) &&
				refused(bad[i].bytes, (enum x86_mode)mode) != X86_DECODE_INVALID) {
				fail_msg("%s in mode %u", bad[i].bytes, mode);
			}
		}
	}
}

/* ---- buffers that end too early ---- */

/* In memory of just their size, so that reading on is seen. */
static enum x86_decoded decode_exact(
	struct x86_insn *insn, const uint8_t *bytes, size_t size, enum x86_mode mode)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	enum x86_decoded result;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	result = x86_decode(insn, size == 0 ? copy + 1 : copy, size, mode);
	free(copy);
	return result;
}

static void d11_decode__every_shorter_buffer__needs_more_and_reads_nothing_beyond(void **state)
{
	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(exits); i++) {
		for (unsigned mode = X86_MODE_16; mode <= X86_MODE_64; mode++) {
			struct x86_insn insn;
			uint8_t bytes[16];
			size_t count = parse(exits[i].bytes, bytes);

			if (exits[i].op == ANY || (exits[i].mode != ANY && exits[i].mode != mode)) {
				continue;
			}
			for (size_t size = 0; size < count; size++) {
				assert_int_equal(
					decode_exact(&insn, bytes, size, (enum x86_mode)mode),
					X86_DECODE_MORE);
			}
			assert_int_equal(decode_exact(&insn, bytes, count, (enum x86_mode)mode),
				X86_DECODED);
		}
	}
}

static void d11_decode__random_bytes_one_more_at_a_time__the_answer_stays_once_given(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		enum x86_mode mode = (enum x86_mode)(n % 3);
		struct x86_insn all, part;
		uint8_t bytes[16];
		enum x86_decoded whole;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = (uint8_t)(seed >> 40);
		}
		whole = x86_decode(&all, bytes, sizeof(bytes), mode);
		for (size_t size = 0; size < sizeof(bytes); size++) {
			enum x86_decoded result = decode_exact(&part, bytes, size, mode);

			if (result != X86_DECODE_MORE) {
				assert_int_equal(result, whole);
			}
			if (result == X86_DECODED) {
				assert_true(size >= all.length);
				assert_memory_equal(&part, &all, sizeof(all));
			} else if (whole == X86_DECODED) {
				assert_true(size < all.length);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(decode_exits__with_nothing_behind__named_and_as_long_as_they_are),
		hv_unit_test(decode_mov__memory_to_register__every_field),
		hv_unit_test(decode_sib__index_scale_and_extensions__told),
		hv_unit_test(decode_rip_relative__in_64_bit_mode_only__base),
		hv_unit_test(d13_decode_16_bit_addresses__each_form__base_index_and_segment),
		hv_unit_test(decode_sizes__by_mode_and_prefix__as_the_tables_say),
		hv_unit_test(decode_byte_registers__with_and_without_rex__high_or_low),
		hv_unit_test(decode_extensions__movzx_movsx_movsxd__source_is_narrower),
		hv_unit_test(decode_immediates__each_kind__extended_as_the_instruction_does),
		hv_unit_test(decode_address_of_its_own__each_size__segment_and_address),
		hv_unit_test(decode_control_registers__any_modrm__two_registers),
		hv_unit_test(decode_system_words__memory_and_register__sizes),
		hv_unit_test(decode_segments__in_64_bit_mode__fs_and_gs_alone),
		hv_unit_test(d6_decode_prefixes__said_again__the_last_of_a_kind_counts),
		hv_unit_test(d6_decode_rex__before_a_legacy_prefix__is_ignored),
		hv_unit_test(d6_decode_length__fourteen_prefixes_or_fifteen__the_bound_is_15),
		hv_unit_test(d6_decode_lock__where_nothing_in_memory_changes__is_invalid),
		hv_unit_test(d6_decode_lock__every_opcode_with_modrm__in_front_of_memory_only),
		hv_unit_test(d7_decode_near_branch__66_in_64_bit_mode__has_16_bits_as_amd_has_it),
		hv_unit_test(d6_decode_nothing_allocated__each_map__is_invalid),
		hv_unit_test(d11_decode__every_shorter_buffer__needs_more_and_reads_nothing_beyond),
		hv_unit_test(
			d11_decode__random_bytes_one_more_at_a_time__the_answer_stays_once_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
