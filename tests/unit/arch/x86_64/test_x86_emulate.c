/* SPDX-License-Identifier: MIT */
/*
 * The x86 emulator by hand: which accesses there are, what becomes of registers, and what is
 * refused. tests/sim/test_x86_emulate_oracle.c has the oracle.
 */
#include <unit.h>

#include <arch/x86_64/address.h>
#include <arch/x86_64/alu.h>
#include <arch/x86_64/emulate.h>
#include <arch/x86_64/priv.h>

#define RIP 0x1000u

#define DATA_SEGMENT (X86_SEG_P | X86_SEG_S | 3u)
#define CODE_SEGMENT (X86_SEG_P | X86_SEG_S | 11u)

static struct x86_insn insn;
static struct x86_regs regs;
static struct x86_sys sys;
static struct x86_emu emu;

static void cpu_open(enum x86_mode mode)
{
	static const uint16_t code[] = {
		CODE_SEGMENT, CODE_SEGMENT | X86_SEG_D, CODE_SEGMENT | X86_SEG_L};

	regs = (struct x86_regs){0};
	sys = (struct x86_sys){.rip = RIP, .rflags = X86_FLAG_1, .cr0 = X86_CR0_PE};
	for (unsigned i = X86_ES; i <= X86_GS; i++) {
		sys.seg[i] = (struct x86_seg){
			.attrib = DATA_SEGMENT, .limit = mode == X86_MODE_16 ? 0xffff : 0xffffffff};
	}
	sys.seg[X86_CS].attrib = code[mode];
	sys.efer = mode == X86_MODE_64 ? X86_EFER_LMA : 0;
}

static void insn_set(const char *text)
{
	uint8_t bytes[32];
	size_t count = 0;
	char *end;

	for (; *text != '\0'; text = end) {
		bytes[count++] = (uint8_t)strtoul(text, &end, 16);
		while (*end == ' ') {
			end++;
		}
	}
	assert_int_equal(x86_decode(&insn, bytes, count, x86_mode(&sys)), X86_DECODED);
	assert_int_equal(insn.length, count);
}

static enum x86_emulated begin(const char *text)
{
	insn_set(text);
	return x86_emulate_begin(&emu, &insn, &regs, &sys);
}

static enum x86_emulated end(void)
{
	return x86_emulate_end(&emu, &insn, &regs, &sys);
}

/* One access, at `linear`. */
static void begin_one(const char *text, uint64_t linear, uint8_t size, bool read, bool write)
{
	assert_int_equal(begin(text), X86_EMU_ACCESS);
	assert_int_equal(emu.count, 1);
	assert_int_equal(emu.access[0].linear, linear);
	assert_int_equal(emu.access[0].size, size);
	assert_int_equal(emu.access[0].read, read);
	assert_int_equal(emu.access[0].write, write);
}

static void end_done(void)
{
	uint64_t rip = sys.rip;

	assert_int_equal(end(), X86_EMU_DONE);
	assert_int_equal(sys.rip, rip + insn.length);
}

static void assert_fault(const char *text, enum x86_vector vector)
{
	struct x86_regs regs_were = regs;
	struct x86_sys sys_was = sys;

	assert_int_equal(begin(text), X86_EMU_FAULT);
	assert_int_equal(emu.vector, vector);
	assert_memory_equal(&regs, &regs_were, sizeof(regs));
	assert_memory_equal(&sys, &sys_was, sizeof(sys));
}

/* ---- plain instructions ---- */

static void emulate_load__each_size__register_as_the_size_has_it(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t size;
		uint64_t data, expected;
	} cases[] = {
		{"8a 03", 1, 0x99, 0x1122334455667799},
		{"8a 23", 1, 0x99, 0x1122334455669988}, /* AH */
		{"66 8b 03", 2, 0x99aa, 0x11223344556699aa},
		{"8b 03", 4, 0x99aabbcc, 0x99aabbcc},
		{"48 8b 03", 8, 0x99aabbccddeeff00, 0x99aabbccddeeff00},
		{"0f b6 03", 1, 0x99, 0x99},
		{"66 0f b6 03", 1, 0x99, 0x1122334455660099},
		{"48 0f b7 03", 2, 0x99aa, 0x99aa},
		{"0f be 03", 1, 0x99, 0xffffff99},
		{"48 0f be 03", 1, 0x99, 0xffffffffffffff99},
		{"66 0f be 03", 1, 0x99, 0x112233445566ff99},
		{"0f bf 03", 2, 0x79aa, 0x79aa},
		{"48 63 03", 4, 0x89aabbcc, 0xffffffff89aabbcc},
		{"0f 38 f0 03", 4, 0x11223344, 0x44332211},
		{"66 0f 38 f0 03", 2, 0x1122, 0x1122334455662211},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		cpu_open(X86_MODE_64);
		regs.r[X86_RAX] = 0x1122334455667788;
		regs.r[X86_RBX] = 0xfee00000;
		begin_one(cases[i].bytes, 0xfee00000, cases[i].size, true, false);
		emu.access[0].data = cases[i].data;
		end_done();
		assert_int_equal(regs.r[X86_RAX], cases[i].expected);
	}
}

static void emulate_store__registers_and_immediates__data_is_cut_to_the_size(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t size;
		uint64_t data;
	} cases[] = {
		{"88 03", 1, 0x88},
		{"88 23", 1, 0x77},
		{"66 89 03", 2, 0x7788},
		{"89 03", 4, 0x55667788},
		{"48 89 03", 8, 0x1122334455667788},
		{"c6 03 ff", 1, 0xff},
		{"c7 03 fe ff ff ff", 4, 0xfffffffe},
		{"48 c7 03 fe ff ff ff", 8, 0xfffffffffffffffe},
		{"0f c3 03", 4, 0x55667788},
		{"0f 38 f1 03", 4, 0x88776655},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		cpu_open(X86_MODE_64);
		regs.r[X86_RAX] = 0x1122334455667788;
		regs.r[X86_RBX] = 0xfee00000;
		begin_one(cases[i].bytes, 0xfee00000, cases[i].size, false, true);
		end_done();
		assert_int_equal(emu.access[0].data, cases[i].data);
		assert_int_equal(sys.rflags, X86_FLAG_1);
	}
}

static void emulate_change__arithmetic_on_memory__read_and_written_with_flags(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RAX] = 0xffffffff00000001;
	begin_one("01 03", 0, 4, true, true);
	emu.access[0].data = 0xffffffff;
	end_done();
	assert_int_equal(emu.access[0].data, 0);
	assert_int_equal(
		sys.rflags, X86_FLAG_1 | X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF);
	begin_one("80 23 f0", 0, 1, true, true);
	emu.access[0].data = 0x9f;
	end_done();
	assert_int_equal(emu.access[0].data, 0x90);
	begin_one("f7 1b", 0, 4, true, true);
	emu.access[0].data = 1;
	end_done();
	assert_int_equal(emu.access[0].data, 0xffffffff);
	begin_one("f6 13", 0, 1, true, true);
	emu.access[0].data = 0x0f;
	end_done();
	assert_int_equal(emu.access[0].data, 0xf0);
	begin_one("ff 03", 0, 4, true, true);
	emu.access[0].data = 41;
	end_done();
	assert_int_equal(emu.access[0].data, 42);
}

static void emulate_change__each_operation__what_the_alu_says(void **state)
{
	static const struct {
		const char *bytes; /* [rbx], with eax or 3 */
		uint8_t op;
		bool write;
	} cases[] = {
		{"01 03", X86_OP_ADD, true},
		{"09 03", X86_OP_OR, true},
		{"11 03", X86_OP_ADC, true},
		{"19 03", X86_OP_SBB, true},
		{"21 03", X86_OP_AND, true},
		{"29 03", X86_OP_SUB, true},
		{"31 03", X86_OP_XOR, true},
		{"39 03", X86_OP_CMP, false},
		{"83 03 03", X86_OP_ADD, true},
		{"83 0b 03", X86_OP_OR, true},
		{"83 13 03", X86_OP_ADC, true},
		{"83 1b 03", X86_OP_SBB, true},
		{"83 23 03", X86_OP_AND, true},
		{"83 2b 03", X86_OP_SUB, true},
		{"83 33 03", X86_OP_XOR, true},
		{"83 3b 03", X86_OP_CMP, false},
		{"85 03", X86_OP_TEST, false},
		{"f7 03 03 00 00 00", X86_OP_TEST, false},
		{"f7 13", X86_OP_NOT, true},
		{"f7 1b", X86_OP_NEG, true},
		{"ff 03", X86_OP_INC, true},
		{"ff 0b", X86_OP_DEC, true},
		{"0f a3 03", X86_OP_BT, false},
		{"0f ab 03", X86_OP_BTS, true},
		{"0f b3 03", X86_OP_BTR, true},
		{"0f bb 03", X86_OP_BTC, true},
		{"0f ba 23 03", X86_OP_BT, false},
		{"0f ba 2b 03", X86_OP_BTS, true},
		{"0f ba 33 03", X86_OP_BTR, true},
		{"0f ba 3b 03", X86_OP_BTC, true},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(cases); i++) {
		uint64_t rflags = X86_FLAG_1 | X86_FLAG_CF, result;

		cpu_open(X86_MODE_32);
		sys.rflags = rflags;
		regs.r[X86_RAX] = 3;
		regs.r[X86_RBX] = 0x1000;
		begin_one(cases[i].bytes, 0x1000, 4, true, cases[i].write);
		emu.access[0].data = 0x80001234;
		end_done();
		result = x86_alu((enum x86_op)cases[i].op, 4, 0x80001234, 3, &rflags);
		assert_int_equal(sys.rflags, rflags);
		assert_int_equal(regs.r[X86_RAX], 3);
		if (cases[i].write) {
			assert_int_equal(emu.access[0].data, result);
		}
		regs.r[X86_RAX] = 32 + 3; /* only bits reach further */
		assert_int_equal(begin(cases[i].bytes), X86_EMU_ACCESS);
		assert_int_equal(emu.access[0].linear,
			cases[i].op >= X86_OP_BT && insn.src.kind == X86_OPERAND_REG ? 0x1004
										     : 0x1000);
	}
}

static void emulate_look__cmp_and_test__nothing_is_written(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RAX] = 5;
	begin_one("39 03", 0, 4, true, false);
	emu.access[0].data = 5;
	end_done();
	assert_true(sys.rflags & X86_FLAG_ZF);
	begin_one("3b 03", 0, 4, true, false);
	emu.access[0].data = 6;
	end_done();
	assert_true(sys.rflags & X86_FLAG_CF);
	assert_int_equal(regs.r[X86_RAX], 5);
	begin_one("f7 03 80 00 00 00", 0, 4, true, false);
	emu.access[0].data = 0x7f;
	end_done();
	assert_true(sys.rflags & X86_FLAG_ZF);
}

static void d8_emulate_exchange__xchg_xadd_cmpxchg__memory_and_register(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RCX] = 0xaaaaaaaabbbbbbbb;
	begin_one("87 0b", 0, 4, true, true);
	emu.access[0].data = 0xcc;
	end_done();
	assert_int_equal(emu.access[0].data, 0xbbbbbbbb);
	assert_int_equal(regs.r[X86_RCX], 0xcc);
	begin_one("f0 0f c1 0b", 0, 4, true, true);
	emu.access[0].data = 1;
	end_done();
	assert_int_equal(emu.access[0].data, 0xcd);
	assert_int_equal(regs.r[X86_RCX], 1);
	regs.r[X86_RAX] = 0xffffffff00000007;
	begin_one("f0 0f b1 0b", 0, 4, true, true);
	emu.access[0].data = 7;
	end_done();
	assert_int_equal(emu.access[0].data, 1);
	assert_true(sys.rflags & X86_FLAG_ZF);
	assert_int_equal(regs.r[X86_RAX], 0xffffffff00000007); /* not written */
	begin_one("f0 0f b1 0b", 0, 4, true, true);
	emu.access[0].data = 9;
	end_done();
	assert_int_equal(emu.access[0].data, 9); /* written back, as the CPU does */
	assert_false(sys.rflags & X86_FLAG_ZF);
	assert_int_equal(regs.r[X86_RAX], 9);
}

static void emulate_bits__number_in_a_register__reaches_beyond_the_operand(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RBX] = 0x10000;
	regs.r[X86_RAX] = 32 + 5;
	begin_one("0f ab 03", 0x10004, 4, true, true);
	emu.access[0].data = 0;
	end_done();
	assert_int_equal(emu.access[0].data, 1 << 5);
	assert_false(sys.rflags & X86_FLAG_CF);
	regs.r[X86_RAX] = (uint64_t)-1;
	begin_one("48 0f a3 03", 0xfff8, 8, true, false);
	emu.access[0].data = HV_BIT(63);
	end_done();
	assert_true(sys.rflags & X86_FLAG_CF);
	regs.r[X86_RAX] = 0xffff8000; /* of 16 bits: the sign counts */
	begin_one("66 0f b3 03", 0xf000, 2, true, true);
	begin_one("0f ba 23 25", 0x10000, 4, true, false); /* an immediate stays inside */
	emu.access[0].data = 1 << 5;
	end_done();
	assert_true(sys.rflags & X86_FLAG_CF);
}

static void emulate_registers_alone__no_access__done_all_the_same(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RAX] = 3;
	assert_int_equal(begin("89 c3"), X86_EMU_ACCESS);
	assert_int_equal(emu.count, 0);
	end_done();
	assert_int_equal(regs.r[X86_RBX], 3);
	assert_int_equal(begin("b4 12"), X86_EMU_ACCESS);
	end_done();
	assert_int_equal(regs.r[X86_RAX], 0x1203);
}

static void d8_emulate__not_for_devices__refused_with_a_reason(void **state)
{
	static const char *const refused[] = {"ff 33", "8f 03", "ff 13", "ff 23", "0f c7 0b",
		"0f 10 03", "0f ae 03", "d9 03", "0f a2", "c5 f8 10 03", "0f 01 3b", "ec",
		"0f 20 c0", "c0 03 01", "f6 23", "0f af 03", "48 0f c7 0b", "8d 03"};

	(void)state;
	cpu_open(X86_MODE_64);
	for (size_t i = 0; i < HV_ARRAY_COUNT(refused); i++) {
		assert_int_equal(begin(refused[i]), X86_EMU_REFUSED);
		assert_non_null(emu.why);
		assert_int_equal(emu.count, 0);
	}
}

/* ---- addresses ---- */

static void emulate_address__base_index_scale_displacement__added(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_R13] = 0x1000;
	regs.r[X86_R14] = 0x10;
	begin_one("43 8b 84 b5 f0 ff ff ff", 0x1000 + 0x40 - 0x10, 4, true, false);
	begin_one("8b 05 10 00 00 00", RIP + 6 + 0x10, 4, true, false);
	regs.r[X86_RBX] = 0x100000010;
	begin_one("67 8b 43 f0", 0, 4, true, false); /* D13: cut to 32 bits */
	begin_one("67 8b 05 00 f0 ff ff", RIP + 7 - 0x1000, 4, true, false);
	begin_one("a0 88 77 66 55 44 33 00 00", 0x334455667788, 1, true, false);
}

static void emulate_address__segments_in_64_bit_mode__bases_of_fs_and_gs_alone(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	for (unsigned i = X86_ES; i <= X86_GS; i++) {
		sys.seg[i].base = 0x1000 * (i + 1);
		sys.seg[i].limit = 0; /* not looked at */
		sys.seg[i].attrib = i == X86_CS ? sys.seg[i].attrib : 0;
	}
	begin_one("8b 03", 0, 4, true, false);
	begin_one("64 8b 03", 0x5000, 4, true, false);
	begin_one("65 8b 03", 0x6000, 4, true, false);
}

static void d13_emulate_address__16_bits__wraps_at_64_kib(void **state)
{
	(void)state;
	cpu_open(X86_MODE_16);
	sys.cr0 = 0;
	sys.seg[X86_DS].base = 0x10000;
	sys.seg[X86_SS].base = 0x20000;
	regs.r[X86_RBX] = 0xdead8000;
	regs.r[X86_RSI] = 0xbeef8004;
	begin_one("88 00", 0x10004, 1, false, true);
	regs.r[X86_RBP] = 0xfffe;
	begin_one("88 46 04", 0x20002, 1, false, true);
	cpu_open(X86_MODE_32);
	sys.seg[X86_DS].base = 0xfffff000; /* a linear address wraps at 4 GiB */
	regs.r[X86_RBX] = 0x2000;
	begin_one("8b 03", 0x1000, 4, true, false);
}

static void d13_emulate_canonical__both_edges__general_protection_or_stack(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RBX] = 0x00007ffffffffffc;
	begin_one("8b 03", 0x00007ffffffffffc, 4, true, false);
	regs.r[X86_RBX]++;
	assert_fault("8b 03", X86_GP); /* its last byte is not */
	regs.r[X86_RBX] = 0xffff800000000000;
	begin_one("8b 03", 0xffff800000000000, 4, true, false);
	regs.r[X86_RBX]--;
	assert_fault("8b 03", X86_GP);
	regs.r[X86_RBP] = 0x0000800000000000;
	assert_fault("8b 45 00", X86_SS_FAULT);
	sys.cr4 = X86_CR4_LA57;
	begin_one("8b 45 00", 0x0000800000000000, 4, true, false);
	regs.r[X86_RBP] = HV_BIT(56);
	assert_fault("8b 45 00", X86_SS_FAULT);
}

static void x22_emulate_limit__expand_up__last_byte_inside_or_fault(void **state)
{
	(void)state;
	cpu_open(X86_MODE_32);
	sys.seg[X86_DS].limit = 0x0fff;
	sys.seg[X86_SS].limit = 0x0fff;
	regs.r[X86_RBX] = 0x0ffc;
	begin_one("8b 03", 0x0ffc, 4, true, false);
	regs.r[X86_RBX] = 0x0ffd;
	assert_fault("8b 03", X86_GP);
	regs.r[X86_RBP] = 0x0ffd;
	assert_fault("8b 45 00", X86_SS_FAULT);
	assert_fault("36 8b 03", X86_SS_FAULT);
	sys.seg[X86_DS].limit = 0xffffffff;
	regs.r[X86_RBX] = 0xfffffffd; /* four bytes that wrap */
	assert_fault("8b 03", X86_GP);
}

static void x22_emulate_limit__expand_down__above_it_up_to_the_segments_end(void **state)
{
	(void)state;
	cpu_open(X86_MODE_32);
	sys.seg[X86_DS].attrib = X86_SEG_P | X86_SEG_S | 7;
	sys.seg[X86_DS].limit = 0x0fff;
	regs.r[X86_RBX] = 0x1000;
	begin_one("8b 03", 0x1000, 4, true, false);
	regs.r[X86_RBX] = 0x0fff;
	assert_fault("8b 03", X86_GP);
	regs.r[X86_RBX] = 0xfffc;
	begin_one("8b 03", 0xfffc, 4, true, false);
	regs.r[X86_RBX] = 0xfffd;
	assert_fault("8b 03", X86_GP);
	sys.seg[X86_DS].attrib |= X86_SEG_D;
	begin_one("8b 03", 0xfffd, 4, true, false);
	regs.r[X86_RBX] = 0xfffffffc;
	begin_one("8b 03", 0xfffffffc, 4, true, false);
	regs.r[X86_RBX] = 0xfffffffd;
	assert_fault("8b 03", X86_GP);
}

static void emulate_segment_types__protected_mode__write_and_read_need_leave(void **state)
{
	(void)state;
	cpu_open(X86_MODE_32);
	sys.seg[X86_DS].attrib = X86_SEG_P | X86_SEG_S | 1; /* read-only data */
	begin_one("8b 03", 0, 4, true, false);
	assert_fault("89 03", X86_GP);
	assert_fault("01 03", X86_GP);
	begin_one("2e 8b 03", 0, 4, true, false); /* readable code */
	assert_fault("2e 89 03", X86_GP);
	sys.seg[X86_CS].attrib = (uint16_t)(sys.seg[X86_CS].attrib & ~2u);
	assert_fault("2e 8b 03", X86_GP); /* code that can only be run */
	sys.seg[X86_DS].attrib = 0;       /* the null selector */
	assert_fault("8b 03", X86_GP);
	sys.rflags |= X86_FLAG_VM; /* virtual-8086 mode and real mode have no types */
	begin_one("8b 03", 0, 4, true, false);
	sys.rflags &= ~X86_FLAG_VM;
	sys.cr0 = 0;
	begin_one("89 03", 0, 4, false, true);
}

/* ---- strings ---- */

static void emulate_movs__one_element__both_accesses_and_both_registers(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	sys.seg[X86_FS].base = 0x100000;
	regs.r[X86_RSI] = 0x1000;
	regs.r[X86_RDI] = 0x2000;
	assert_int_equal(begin("64 48 a5"), X86_EMU_ACCESS);
	assert_int_equal(emu.count, 2);
	assert_int_equal(emu.access[0].linear, 0x101000);
	assert_true(emu.access[0].read && !emu.access[0].write);
	assert_int_equal(emu.access[1].linear, 0x2000);
	assert_true(!emu.access[1].read && emu.access[1].write);
	emu.access[0].data = 0x1122334455667788;
	end_done();
	assert_int_equal(emu.access[1].data, 0x1122334455667788);
	assert_int_equal(regs.r[X86_RSI], 0x1008);
	assert_int_equal(regs.r[X86_RDI], 0x2008);
	assert_int_equal(regs.r[X86_RCX], 0);
}

static void x22_emulate_rep__count_of_2_to_the_32__one_element_at_a_time(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RCX] = 0xffffffff;
	regs.r[X86_RDI] = 0x1000;
	regs.r[X86_RAX] = 0xab;
	sys.rflags |= X86_FLAG_RF;
	for (unsigned n = 0; n < X86_EMU_BATCH; n++) {
		begin_one("f3 aa", 0x1000 + n, 1, false, true);
		assert_int_equal(end(), X86_EMU_AGAIN);
		assert_int_equal(emu.access[0].data, 0xab);
		assert_int_equal(sys.rip, RIP); /* restartable */
		assert_true(sys.rflags & X86_FLAG_RF);
	}
	assert_int_equal(regs.r[X86_RCX], 0xffffffff - X86_EMU_BATCH);
	regs.r[X86_RCX] = 1;
	begin_one("f3 aa", 0x1000 + X86_EMU_BATCH, 1, false, true);
	end_done();
	assert_false(sys.rflags & X86_FLAG_RF);
}

static void x22_emulate_rep__count_0__no_access_and_nothing_but_rip(void **state)
{
	struct x86_regs regs_were;

	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RDI] = 0x0000800000000000; /* would be a fault */
	regs.r[X86_RCX] = 0x100000000;
	regs_were = regs;
	assert_int_equal(begin("67 f3 aa"), X86_EMU_ACCESS);
	assert_int_equal(emu.count, 0);
	end_done();
	assert_memory_equal(&regs, &regs_were, sizeof(regs));
}

static void x22_emulate_string__direction_down__addresses_fall_and_wrap(void **state)
{
	(void)state;
	cpu_open(X86_MODE_16);
	sys.cr0 = 0;
	sys.rflags |= X86_FLAG_DF;
	regs.r[X86_RDI] = 0xaaaa0001;
	regs.r[X86_RCX] = 0xbbbb0003;
	begin_one("f3 aa", 1, 1, false, true);
	assert_int_equal(end(), X86_EMU_AGAIN);
	begin_one("f3 aa", 0, 1, false, true);
	assert_int_equal(end(), X86_EMU_AGAIN);
	assert_int_equal(regs.r[X86_RDI], 0xaaaaffff); /* D13: 16 bits of it */
	assert_int_equal(regs.r[X86_RCX], 0xbbbb0001);
	begin_one("f3 aa", 0xffff, 1, false, true);
	end_done();
	assert_int_equal(regs.r[X86_RDI], 0xaaaafffe);
}

static void x22_emulate_string__limit_overflow__faults_before_anything_changes(void **state)
{
	(void)state;
	cpu_open(X86_MODE_16);
	sys.cr0 = 0;
	regs.r[X86_RDI] = 0xffff;
	assert_fault("ab", X86_GP);
	regs.r[X86_RDI] = 0;
	regs.r[X86_RSI] = 0xffff;
	assert_fault("a5", X86_GP);
	assert_fault("36 a5", X86_SS_FAULT);
	regs.r[X86_RSI] = 0;
	regs.r[X86_RDI] = 0xffff;
	assert_fault("a5", X86_GP); /* the second access */
}

static void x22_emulate_ports__ins_and_outs__memory_side_alone(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RDI] = 0x1000;
	regs.r[X86_RSI] = 0x2000;
	regs.r[X86_RCX] = 2;
	begin_one("f3 6d", 0x1000, 4, false, true);
	emu.access[0].data = 0x12345678; /* what the port said */
	assert_int_equal(end(), X86_EMU_AGAIN);
	assert_int_equal(emu.access[0].data, 0x12345678);
	assert_int_equal(regs.r[X86_RDI], 0x1004);
	begin_one("f3 65 6e", 0x2000, 1, true, false);
	end_done();
	assert_int_equal(regs.r[X86_RSI], 0x2001);
	assert_int_equal(regs.r[X86_RDI], 0x1004);
	assert_int_equal(regs.r[X86_RCX], 0);
}

static void emulate_scas__repeat_while_equal_and_while_not__zf_ends_it(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RAX] = 7;
	regs.r[X86_RCX] = 5;
	begin_one("f2 ae", 0, 1, true, false); /* REPNE: on while they differ */
	emu.access[0].data = 8;
	assert_int_equal(end(), X86_EMU_AGAIN);
	begin_one("f2 ae", 1, 1, true, false);
	emu.access[0].data = 7;
	end_done();
	assert_int_equal(regs.r[X86_RCX], 3);
	begin_one("f3 ae", 2, 1, true, false); /* REPE: on while they are equal */
	emu.access[0].data = 7;
	assert_int_equal(end(), X86_EMU_AGAIN);
	begin_one("f3 ae", 3, 1, true, false);
	emu.access[0].data = 8;
	end_done();
	assert_int_equal(regs.r[X86_RCX], 1);
	begin_one("f3 ae", 4, 1, true, false);
	emu.access[0].data = 7;
	end_done(); /* the last one */
}

static void emulate_cmps__order_of_operands__rsi_minus_rdi(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RSI] = 0x10;
	regs.r[X86_RDI] = 0x20;
	assert_int_equal(begin("a6"), X86_EMU_ACCESS);
	assert_int_equal(emu.count, 2);
	assert_int_equal(emu.access[0].linear, 0x10);
	assert_int_equal(emu.access[1].linear, 0x20);
	assert_true(emu.access[1].read && !emu.access[1].write);
	emu.access[0].data = 1;
	emu.access[1].data = 2;
	end_done();
	assert_true(sys.rflags & X86_FLAG_CF);
}

static void emulate_lods__with_rep__each_goes_to_rax(void **state)
{
	(void)state;
	cpu_open(X86_MODE_64);
	regs.r[X86_RCX] = 2;
	begin_one("f2 ad", 0, 4, true, false); /* F2 repeats, too */
	emu.access[0].data = 1;
	assert_int_equal(end(), X86_EMU_AGAIN);
	begin_one("f2 ad", 4, 4, true, false);
	emu.access[0].data = 2;
	end_done();
	assert_int_equal(regs.r[X86_RAX], 2);
}

/* ---- RIP ---- */

static void emulate_mode__code_segment_and_efer__as_the_cpu_has_it(void **state)
{
	(void)state;
	for (unsigned mode = X86_MODE_16; mode <= X86_MODE_64; mode++) {
		cpu_open((enum x86_mode)mode);
		assert_int_equal(x86_mode(&sys), mode);
	}
	sys.efer = 0; /* L means nothing outside long mode */
	assert_int_equal(x86_mode(&sys), X86_MODE_16);
	sys.efer = X86_EFER_LMA; /* compatibility mode */
	sys.seg[X86_CS].attrib = CODE_SEGMENT | X86_SEG_D;
	assert_int_equal(x86_mode(&sys), X86_MODE_32);
}

static void emulate_step__end_of_the_address_space__wraps_at_32_bits_outside_64_bit_mode(
	void **state)
{
	(void)state;
	cpu_open(X86_MODE_32);
	sys.rip = 0xffffffff;
	x86_step(&sys, 2);
	assert_int_equal(sys.rip, 1);
	cpu_open(X86_MODE_64);
	sys.rip = 0xffffffff;
	sys.rflags |= X86_FLAG_RF;
	x86_step(&sys, 2);
	assert_int_equal(sys.rip, 0x100000001);
	assert_int_equal(sys.rflags, X86_FLAG_1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(emulate_load__each_size__register_as_the_size_has_it),
		hv_unit_test(emulate_store__registers_and_immediates__data_is_cut_to_the_size),
		hv_unit_test(emulate_change__arithmetic_on_memory__read_and_written_with_flags),
		hv_unit_test(emulate_change__each_operation__what_the_alu_says),
		hv_unit_test(emulate_look__cmp_and_test__nothing_is_written),
		hv_unit_test(d8_emulate_exchange__xchg_xadd_cmpxchg__memory_and_register),
		hv_unit_test(emulate_bits__number_in_a_register__reaches_beyond_the_operand),
		hv_unit_test(emulate_registers_alone__no_access__done_all_the_same),
		hv_unit_test(d8_emulate__not_for_devices__refused_with_a_reason),
		hv_unit_test(emulate_address__base_index_scale_displacement__added),
		hv_unit_test(emulate_address__segments_in_64_bit_mode__bases_of_fs_and_gs_alone),
		hv_unit_test(d13_emulate_address__16_bits__wraps_at_64_kib),
		hv_unit_test(d13_emulate_canonical__both_edges__general_protection_or_stack),
		hv_unit_test(x22_emulate_limit__expand_up__last_byte_inside_or_fault),
		hv_unit_test(x22_emulate_limit__expand_down__above_it_up_to_the_segments_end),
		hv_unit_test(emulate_segment_types__protected_mode__write_and_read_need_leave),
		hv_unit_test(emulate_movs__one_element__both_accesses_and_both_registers),
		hv_unit_test(x22_emulate_rep__count_of_2_to_the_32__one_element_at_a_time),
		hv_unit_test(x22_emulate_rep__count_0__no_access_and_nothing_but_rip),
		hv_unit_test(x22_emulate_string__direction_down__addresses_fall_and_wrap),
		hv_unit_test(x22_emulate_string__limit_overflow__faults_before_anything_changes),
		hv_unit_test(x22_emulate_ports__ins_and_outs__memory_side_alone),
		hv_unit_test(emulate_scas__repeat_while_equal_and_while_not__zf_ends_it),
		hv_unit_test(emulate_cmps__order_of_operands__rsi_minus_rdi),
		hv_unit_test(emulate_lods__with_rep__each_goes_to_rax),
		hv_unit_test(emulate_mode__code_segment_and_efer__as_the_cpu_has_it),
		hv_unit_test(
			emulate_step__end_of_the_address_space__wraps_at_32_bits_outside_64_bit_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
