/* SPDX-License-Identifier: MIT */
#include "mem.h"
#include "code.h"
#include "event.h"
#include "pio.h"
#include "walk.h"

#include <dev/lapic/lapic.h>

/* ---- where ---- */

static bool find_page(
	struct x86_vcpu *vcpu, uint64_t linear, bool write, gpa_t *gpa, enum hv_verdict *verdict)
{
	struct x86_walk walk = x86_walk(vcpu, linear, write ? X86_WRITE : X86_READ);

	if (!walk.ok) {
		*verdict = x86_raise_page(vcpu, linear, walk.error);
		return false;
	}
	*gpa = walk.gpa;
	return true;
}

bool x86_mem_find(struct x86_vcpu *vcpu, const struct x86_access *access, struct x86_place *place,
	enum hv_verdict *verdict)
{
	uint64_t left = HV_PAGE_SIZE - access->linear % HV_PAGE_SIZE;
	uint64_t next = access->linear + left;

	place->first = left < access->size ? (uint8_t)left : access->size;
	if (!find_page(vcpu, access->linear, access->write, &place->at[0], verdict)) {
		return false;
	}
	if (place->first == access->size) {
		return true;
	}
	next = x86_is_long(vcpu->sys) ? next : (uint32_t)next;
	return find_page(vcpu, next, access->write, &place->at[1], verdict);
}

/* ---- the access, of one page ---- */

static bool is_width(uint8_t size)
{
	return (size & (size - 1)) == 0;
}

/* Devices first, as flash is memory too while it is read as such. */
static bool read_whole(struct x86_vcpu *vcpu, uint64_t gpa, uint8_t size, uint64_t *value)
{
	struct hv_access access = {.size = size};
	uint8_t bytes[8] = {0};

	if (is_width(size) && hv_exit_mmio(&vcpu->hv, gpa, &access) != HV_FAULT) {
		*value = access.data;
		return true;
	}
	if (hv_gmem_copy_in(&vcpu->hv.vm->gmem, bytes, GPA(gpa), size) == HV_OK) {
		*value = hv_le64(bytes);
		return true;
	}
	if (is_width(size) && lapic_access_moved(vcpu->lapic, gpa, &access)) {
		*value = access.data;
		return true;
	}
	return false;
}

static uint64_t read_part(struct x86_vcpu *vcpu, uint64_t gpa, uint8_t size)
{
	uint64_t value, byte;

	if (read_whole(vcpu, gpa, size, &value)) {
		return value;
	}
	value = 0;
	for (uint8_t i = 0; i < size; i++) {
		if (!read_whole(vcpu, gpa + i, 1, &byte)) {
			byte = 0xff;
		}
		value |= byte << 8 * i;
	}
	return value;
}

static bool write_whole(struct x86_vcpu *vcpu, uint64_t gpa, uint8_t size, uint64_t value)
{
	struct hv_access access = {.size = size, .write = true, .data = value};
	uint8_t bytes[8];

	if (is_width(size) && hv_exit_mmio(&vcpu->hv, gpa, &access) != HV_FAULT) {
		return true;
	}
	for (uint8_t i = 0; i < size; i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
	return hv_gmem_copy_out(&vcpu->hv.vm->gmem, GPA(gpa), bytes, size) == HV_OK ||
	       (is_width(size) && lapic_access_moved(vcpu->lapic, gpa, &access));
}

static void write_part(struct x86_vcpu *vcpu, uint64_t gpa, uint8_t size, uint64_t value)
{
	if (write_whole(vcpu, gpa, size, value)) {
		return;
	}
	for (uint8_t i = 0; i < size; i++) {
		if (!write_whole(vcpu, gpa + i, 1, value >> 8 * i & 0xff)) {
			continue; /* swallowed */
		}
	}
}

static uint64_t low(uint64_t value, uint8_t size)
{
	return value & (~(uint64_t)0 >> (64 - 8 * size));
}

uint64_t x86_mem_read(struct x86_vcpu *vcpu, const struct x86_place *place, uint8_t size)
{
	uint64_t value = read_part(vcpu, place->at[0].v, place->first);

	if (place->first < size) {
		uint8_t rest = (uint8_t)(size - place->first);

		value |= read_part(vcpu, place->at[1].v, rest) << 8 * place->first;
	}
	return value;
}

void x86_mem_write(
	struct x86_vcpu *vcpu, const struct x86_place *place, uint8_t size, uint64_t value)
{
	write_part(vcpu, place->at[0].v, place->first, low(value, place->first));
	if (place->first < size) {
		write_part(vcpu, place->at[1].v, (uint8_t)(size - place->first),
			value >> 8 * place->first);
	}
}

/* ---- one instruction ---- */

static uint16_t port_of(const struct x86_vcpu *vcpu)
{
	return (uint16_t)vcpu->regs.r[X86_RDX];
}

/* All of them before the first one is done, so that a page fault leaves nothing half done. */
static bool find_all(struct x86_vcpu *vcpu, const struct x86_emu *emu, struct x86_place *place,
	enum hv_verdict *verdict)
{
	for (uint8_t i = 0; i < emu->count; i++) {
		if (!x86_mem_find(vcpu, &emu->access[i], &place[i], verdict)) {
			return false;
		}
	}
	return true;
}

static void do_reads(struct x86_vcpu *vcpu, struct x86_emu *emu, const struct x86_place *place,
	const struct x86_insn *insn)
{
	for (uint8_t i = 0; i < emu->count; i++) {
		if (emu->access[i].read) {
			emu->access[i].data = x86_mem_read(vcpu, &place[i], emu->access[i].size);
		}
	}
	if (insn->op == X86_OP_INS && emu->count != 0) {
		emu->access[0].data = x86_port_read(vcpu, port_of(vcpu), emu->access[0].size);
	} else if (insn->op == X86_OP_OUTS && emu->count != 0) {
		x86_port_write(
			vcpu, port_of(vcpu), emu->access[0].size, (uint32_t)emu->access[0].data);
	}
}

static void do_writes(
	struct x86_vcpu *vcpu, const struct x86_emu *emu, const struct x86_place *place)
{
	for (uint8_t i = 0; i < emu->count; i++) {
		if (emu->access[i].write) {
			x86_mem_write(vcpu, &place[i], emu->access[i].size, emu->access[i].data);
		}
	}
}

/* What to do, or X86_EMU_REFUSED with the verdict to return. */
static enum x86_emulated element(
	struct x86_vcpu *vcpu, const struct x86_insn *insn, enum hv_verdict *verdict)
{
	struct x86_emu emu;
	struct x86_place place[2];
	enum x86_emulated emulated = x86_emulate_begin(&emu, insn, &vcpu->regs, vcpu->sys);

	if (emulated == X86_EMU_FAULT) {
		*verdict = x86_raise_error(vcpu, (enum x86_vector)emu.vector, 0);
		return X86_EMU_REFUSED;
	}
	if (emulated == X86_EMU_REFUSED) {
		*verdict = hv_vm_crash(&vcpu->hv, emu.why, vcpu->sys->rip, insn->op);
		return X86_EMU_REFUSED;
	}
	if (!find_all(vcpu, &emu, place, verdict)) {
		return X86_EMU_REFUSED;
	}
	do_reads(vcpu, &emu, place, insn);
	emulated = x86_emulate_end(&emu, insn, &vcpu->regs, vcpu->sys);
	do_writes(vcpu, &emu, place);
	return emulated;
}

static enum hv_verdict emulate(struct x86_vcpu *vcpu, const struct x86_insn *insn)
{
	bool traps = (vcpu->sys->rflags & X86_FLAG_TF) != 0;
	enum x86_emulated emulated = X86_EMU_AGAIN;
	enum hv_verdict verdict = HV_RESUME;

	for (unsigned n = 0; n < X86_EMU_BATCH && emulated == X86_EMU_AGAIN; n++) {
		emulated = element(vcpu, insn, &verdict);
		if (traps && emulated != X86_EMU_REFUSED) {
			return x86_raise_step(vcpu);
		}
	}
	return verdict;
}

static bool is_port(const struct x86_insn *insn)
{
	return insn->op == X86_OP_INS || insn->op == X86_OP_OUTS;
}

HV_COLD enum hv_verdict x86_insn_emulate(struct x86_vcpu *vcpu)
{
	struct x86_insn insn;
	enum hv_verdict verdict;

	if (!x86_code_decode(vcpu, &insn, &verdict)) {
		return verdict;
	}
	return is_port(&insn) ? HV_RESUME : emulate(vcpu, &insn);
}

HV_COLD enum hv_verdict x86_insn_refuse(struct x86_vcpu *vcpu)
{
	struct x86_place place[2];
	struct x86_insn insn;
	struct x86_emu emu;
	enum hv_verdict verdict;

	if (!x86_code_decode(vcpu, &insn, &verdict)) {
		return verdict;
	}
	if (x86_emulate_begin(&emu, &insn, &vcpu->regs, vcpu->sys) == X86_EMU_ACCESS &&
		!find_all(vcpu, &emu, place, &verdict)) {
		return verdict;
	}
	return hv_vm_crash(
		&vcpu->hv, "its page tables are in what is no RAM", vcpu->sys->rip, insn.op);
}

HV_COLD enum hv_verdict x86_insn_emulate_port(struct x86_vcpu *vcpu, bool input, uint8_t size)
{
	struct x86_insn insn;
	enum hv_verdict verdict;

	if (!x86_code_decode(vcpu, &insn, &verdict)) {
		return verdict;
	}
	if (insn.op != (input ? X86_OP_INS : X86_OP_OUTS) || insn.size != size) {
		return HV_RESUME;
	}
	return emulate(vcpu, &insn);
}
