/* SPDX-License-Identifier: MIT */
#include "address.h"
#include "emulate.h"
#include "priv.h"

/* Of a segment's type. */
#define TYPE_CODE        8u
#define TYPE_EXPAND_DOWN 4u /* data */
#define TYPE_WRITABLE    2u /* data; code: readable */

uint64_t x86_effective(
	const struct x86_insn *insn, const struct x86_regs *regs, const struct x86_sys *sys)
{
	const struct x86_mem *mem = &insn->mem;
	uint64_t offset = (uint64_t)mem->disp;

	if (mem->base == X86_REG_RIP) {
		offset += sys->rip + insn->length;
	} else if (mem->base != X86_REG_NONE) {
		offset += regs->r[mem->base];
	}
	if (mem->index != X86_REG_NONE) {
		offset += regs->r[mem->index] << mem->shift;
	}
	return offset & HV_MASK(8u * insn->addr_size - 1, 0);
}

/* Real mode and virtual-8086 mode have no types; a segment's limit holds in them, too. */
static bool type_fits(const struct x86_sys *sys, const struct x86_seg *seg, bool write)
{
	bool code = seg->attrib & TYPE_CODE, second = seg->attrib & TYPE_WRITABLE;

	if (!(sys->cr0 & X86_CR0_PE) || sys->rflags & X86_FLAG_VM) {
		return true;
	}
	if (!(seg->attrib & X86_SEG_P)) { /* the null selector */
		return false;
	}
	return write ? !code && second : !code || second;
}

static bool limit_fits(const struct x86_seg *seg, uint64_t offset, uint8_t size)
{
	uint64_t last = offset + size - 1;
	bool expands_down = (seg->attrib & (TYPE_CODE | TYPE_EXPAND_DOWN)) == TYPE_EXPAND_DOWN;

	if (expands_down) {
		return offset > seg->limit &&
		       last <= ((seg->attrib & X86_SEG_D) ? 0xffffffff : 0xffff);
	}
	return last <= seg->limit;
}

static bool is_canonical(const struct x86_sys *sys, uint64_t linear)
{
	return hv_sign_extend(linear, (sys->cr4 & X86_CR4_LA57) ? 57 : 48) == linear;
}

/* 64-bit mode knows bases of FS and GS only, and no limits. */
static bool linear_64(const struct x86_sys *sys, enum x86_seg_id segment, uint64_t offset,
	uint8_t size, uint64_t *linear)
{
	*linear = offset + (segment >= X86_FS ? sys->seg[segment].base : 0);
	return is_canonical(sys, *linear) && is_canonical(sys, *linear + size - 1);
}

bool x86_linear(const struct x86_sys *sys, enum x86_seg_id segment, uint64_t offset, uint8_t size,
	bool write, uint64_t *linear)
{
	const struct x86_seg *seg = &sys->seg[segment];

	if (x86_mode(sys) == X86_MODE_64) {
		return linear_64(sys, segment, offset, size, linear);
	}
	*linear = (uint32_t)(seg->base + offset);
	return type_fits(sys, seg, write) && limit_fits(seg, offset, size);
}
