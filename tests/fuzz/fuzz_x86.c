/* SPDX-License-Identifier: MIT */
/*
 * Input: a mode, 16 bytes of code, and what is in registers and segments. Whatever they are: the
 * decoder reads no byte beyond its buffer, gives the same answer for more bytes once it has one,
 * and the emulator names accesses that are inside what the mode can address, changes nothing when
 * it faults or refuses, and ends on the next instruction or on the same one with less to do.
 */
#include "fuzz.h"

#include <string.h>

#include <arch/x86_64/emulate.h>
#include <arch/x86_64/priv.h>
#include <hv/bits.h>

#define CODE_MOST 16u

struct input {
	const uint8_t *data;
	size_t size;
};

static uint64_t take(struct input *input, size_t count)
{
	uint64_t value = 0;

	for (; count > 0 && input->size > 0; count--) {
		value = value << 8 | *input->data++;
		input->size--;
	}
	return value;
}

static enum x86_decoded decode_exact(
	struct x86_insn *insn, const uint8_t *code, size_t size, enum x86_mode mode)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	enum x86_decoded result;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, code, size);
	result = x86_decode(insn, size == 0 ? copy + 1 : copy, size, mode);
	free(copy);
	return result;
}

static bool operand_is_sane(const struct x86_operand *operand)
{
	bool size = operand->size == 1 || operand->size == 2 || operand->size == 4 ||
		    operand->size == 8;

	switch (operand->kind) {
	case X86_OPERAND_NONE: return true;
	case X86_OPERAND_HIGH: return operand->reg < 4 && operand->size == 1;
	default: return operand->kind <= X86_OPERAND_DR && operand->reg < X86_GPRS && size;
	}
}

/* Every number that somebody might index with. */
static void check_record(const struct x86_insn *insn, size_t size, enum x86_mode mode)
{
	FUZZ_CHECK(insn->length >= 1 && insn->length <= X86_INSN_MAX && insn->length <= size);
	FUZZ_CHECK(insn->op > X86_OP_NONE && insn->op < X86_OPS && insn->mode == mode);
	FUZZ_CHECK(operand_is_sane(&insn->dst) && operand_is_sane(&insn->src));
	FUZZ_CHECK(insn->dst.kind != X86_OPERAND_MEM || insn->src.kind != X86_OPERAND_MEM);
	FUZZ_CHECK(insn->mem.segment <= X86_GS && insn->mem.shift <= 3);
	FUZZ_CHECK(insn->mem.base <= X86_REG_RIP && insn->mem.index <= X86_REG_NONE);
	FUZZ_CHECK(mode == X86_MODE_64 || (insn->size <= 4 && insn->addr_size <= 4));
}

static bool decode_at_every_length(
	struct x86_insn *insn, const uint8_t *code, size_t size, enum x86_mode mode)
{
	enum x86_decoded whole = decode_exact(insn, code, size, mode);

	if (whole == X86_DECODED) {
		check_record(insn, size, mode);
	}
	for (size_t part = 0; part < size; part++) {
		struct x86_insn shorter;
		enum x86_decoded result = decode_exact(&shorter, code, part, mode);

		FUZZ_CHECK(result == X86_DECODE_MORE || result == whole);
		if (whole == X86_DECODED) {
			FUZZ_CHECK((result == X86_DECODED) == (part >= insn->length));
			FUZZ_CHECK(part < insn->length ||
				   memcmp(&shorter, insn, sizeof(shorter)) == 0);
		}
	}
	return whole == X86_DECODED;
}

static void cpu_make(
	struct input *input, enum x86_mode mode, struct x86_regs *regs, struct x86_sys *sys)
{
	uint16_t code = X86_SEG_P | X86_SEG_S | 11;

	memset(regs, 0, sizeof(*regs));
	memset(sys, 0, sizeof(*sys));
	sys->rflags = take(input, 2) | X86_FLAG_1;
	sys->cr0 = take(input, 1) & X86_CR0_PE;
	sys->cr4 = take(input, 1) & 1 ? X86_CR4_LA57 : 0;
	sys->rip = take(input, 8);
	for (unsigned i = X86_ES; i <= X86_GS; i++) {
		sys->seg[i].attrib = (uint16_t)(take(input, 2) & 0xfff);
		sys->seg[i].limit = (uint32_t)take(input, 4);
		sys->seg[i].base = (uint32_t)take(input, 4);
	}
	code |= mode == X86_MODE_64 ? X86_SEG_L : mode == X86_MODE_32 ? X86_SEG_D : 0;
	sys->seg[X86_CS].attrib = code;
	sys->efer = mode == X86_MODE_64 ? X86_EFER_LMA : 0;
	for (unsigned i = 0; i < X86_GPRS; i++) {
		regs->r[i] = take(input, 8);
	}
	FUZZ_CHECK(x86_mode(sys) == mode);
}

static void check_accesses(const struct x86_emu *emu, const struct x86_sys *sys, enum x86_mode mode)
{
	unsigned bits = sys->cr4 & X86_CR4_LA57 ? 57 : 48;

	FUZZ_CHECK(emu->count <= 2);
	for (unsigned i = 0; i < emu->count; i++) {
		const struct x86_access *access = &emu->access[i];

		FUZZ_CHECK(access->read || access->write);
		FUZZ_CHECK(access->size >= 1 && access->size <= 8);
		FUZZ_CHECK(mode == X86_MODE_64
				   ? hv_sign_extend(access->linear, bits) == access->linear
				   : access->linear <= 0xffffffff);
	}
}

static uint64_t count_of(const struct x86_insn *insn, const struct x86_regs *regs)
{
	return regs->r[X86_RCX] & HV_MASK(8u * insn->addr_size - 1, 0);
}

/* False: that was the last element, or it did not come to be. */
static bool emulate(struct input *input, const struct x86_insn *insn, struct x86_regs *regs,
	struct x86_sys *sys)
{
	struct x86_regs regs_were = *regs;
	struct x86_sys sys_was = *sys;
	enum x86_mode mode = x86_mode(sys);
	struct x86_emu emu;
	enum x86_emulated result = x86_emulate_begin(&emu, insn, regs, sys);

	FUZZ_CHECK(memcmp(regs, &regs_were, sizeof(*regs)) == 0);
	FUZZ_CHECK(memcmp(sys, &sys_was, sizeof(*sys)) == 0);
	if (result != X86_EMU_ACCESS) {
		FUZZ_CHECK(
			result == X86_EMU_FAULT || (result == X86_EMU_REFUSED && emu.why != NULL));
		return false;
	}
	check_accesses(&emu, sys, mode);
	for (unsigned i = 0; i < emu.count; i++) {
		if (emu.access[i].read) {
			emu.access[i].data = take(input, emu.access[i].size);
		}
	}
	result = x86_emulate_end(&emu, insn, regs, sys);
	for (unsigned i = 0; i < emu.count; i++) {
		FUZZ_CHECK((emu.access[i].data & ~HV_MASK(8u * emu.access[i].size - 1, 0)) == 0);
	}
	if (result == X86_EMU_AGAIN) {
		FUZZ_CHECK(sys->rip == sys_was.rip && insn->rep != X86_REP_NONE);
		FUZZ_CHECK(count_of(insn, regs) + 1 == count_of(insn, &regs_were));
		return true;
	}
	x86_step(&sys_was, insn->length);
	FUZZ_CHECK(result == X86_EMU_DONE && sys->rip == sys_was.rip);
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	enum x86_mode mode = (enum x86_mode)(take(&input, 1) % 3);
	size_t code_size = input.size < CODE_MOST ? input.size : CODE_MOST;
	const uint8_t *code = input.data;
	struct x86_insn insn;
	struct x86_regs regs;
	struct x86_sys sys;

	if (size == 0 || !decode_at_every_length(&insn, code, code_size, mode)) {
		return 0;
	}
	input.data += code_size;
	input.size -= code_size;
	cpu_make(&input, mode, &regs, &sys);
	for (unsigned n = 0; n < X86_EMU_BATCH && emulate(&input, &insn, &regs, &sys); n++) {
	}
	return 0;
}
