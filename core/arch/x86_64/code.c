/* SPDX-License-Identifier: MIT */
#include "code.h"
#include "emulate.h"
#include "event.h"
#include "walk.h"

#include <hv/check.h>

/* What follows RIP, as far as it can be fetched; then why no more of it. */
struct bytes {
	uint8_t at[X86_INSN_MAX];
	uint8_t count;
	bool is_limit;   /* #GP: the code segment ends; else: */
	uint64_t linear; /* #PF there */
	uint32_t error;
};

static uint64_t linear_of(const struct x86_sys *sys)
{
	return x86_is_long(sys) ? sys->rip : (uint32_t)(sys->seg[X86_CS].base + sys->rip);
}

/* In 64-bit code: up to the first address that is not canonical (D12). */
static uint64_t canonical_room(const struct x86_sys *sys)
{
	uint64_t edge = HV_BIT(sys->cr4 & X86_CR4_LA57 ? 56 : 47);

	if (sys->rip < edge) {
		return edge - sys->rip;
	}
	return sys->rip >= 0 - edge ? X86_INSN_MAX : 0;
}

static uint64_t limit_room(const struct x86_sys *sys)
{
	uint64_t limit = sys->seg[X86_CS].limit;

	return sys->rip > limit ? 0 : limit + 1 - sys->rip;
}

/* How many bytes the code segment has from RIP on, as far as it matters. */
static uint8_t segment_room(const struct x86_sys *sys)
{
	uint64_t left = x86_is_long(sys) ? canonical_room(sys) : limit_room(sys);

	return left < X86_INSN_MAX ? (uint8_t)left : X86_INSN_MAX;
}

/* The page of this walk is where the next instructions will be, too. */
static void remember(
	struct x86_vcpu *vcpu, uint64_t linear, uint64_t gpa, const struct x86_path *path)
{
	const struct hv_gmem_region *region = hv_gmem_find(&vcpu->hv.vm->gmem, GPA(gpa));
	struct x86_code *code = &vcpu->code;

	if (HV_NEVER(!region) || !x86_is_long(vcpu->sys) || path->count > X86_CODE_LEVELS) {
		return;
	}
	code->page = hv_align_down(linear, HV_PAGE_SIZE);
	code->cr3 = vcpu->sys->cr3;
	code->host = region->host + (hv_align_down(gpa, HV_PAGE_SIZE) - region->gpa.v);
	for (unsigned i = 0; i < X86_CODE_LEVELS;
		i++) { /* a large page has fewer: twice the last */
		unsigned n = i < path->count ? i : path->count - 1u;

		code->entry[i] = path->entry[n].at;
		code->was[i] = path->entry[n].was;
	}
}

/* Up to `most` bytes of one page. False: none. */
static bool fetch_page(struct x86_vcpu *vcpu, struct bytes *bytes, uint8_t most)
{
	uint64_t linear = linear_of(vcpu->sys) + bytes->count;
	uint64_t left = HV_PAGE_SIZE - linear % HV_PAGE_SIZE;
	uint8_t count = left < most ? (uint8_t)left : most;
	struct x86_path path;
	struct x86_walk walk;

	bytes->linear = x86_is_long(vcpu->sys) ? linear : (uint32_t)linear;
	walk = x86_walk_code(vcpu, bytes->linear, &path);
	bytes->error = walk.error;
	if (!walk.ok || hv_gmem_copy_in(&vcpu->hv.vm->gmem, bytes->at + bytes->count, walk.gpa,
				count) != HV_OK) {
		return false;
	}
	if (bytes->count == 0) {
		remember(vcpu, bytes->linear, walk.gpa.v, &path);
	}
	bytes->count = (uint8_t)(bytes->count + count);
	return true;
}

/* The same as fetch(), where the last instruction was. */
static bool fetch_again(const struct x86_vcpu *vcpu, struct bytes *bytes)
{
	const uint8_t *code = x86_code_at(vcpu);

	if (!code) {
		return false;
	}
	__builtin_memcpy(bytes->at, code, sizeof(bytes->at));
	bytes->count = sizeof(bytes->at);
	return true;
}

/* Each page once; at most two, as no instruction is in three. */
static void fetch(struct x86_vcpu *vcpu, struct bytes *bytes)
{
	uint8_t room = segment_room(vcpu->sys);

	bytes->is_limit = true;
	while (bytes->count < room) {
		if (!fetch_page(vcpu, bytes, (uint8_t)(room - bytes->count))) {
			bytes->is_limit = false;
			return;
		}
	}
}

static enum hv_verdict refuse(
	struct x86_vcpu *vcpu, const struct bytes *bytes, enum x86_decoded decoded)
{
	switch (decoded) {
	case X86_DECODE_INVALID: return x86_raise(vcpu, X86_UD);
	case X86_DECODE_MORE:
		return bytes->is_limit ? x86_raise_error(vcpu, X86_GP, 0)
				       : x86_raise_page(vcpu, bytes->linear, bytes->error);
	default: return x86_raise_error(vcpu, X86_GP, 0);
	}
}

HV_COLD bool x86_code_decode(struct x86_vcpu *vcpu, struct x86_insn *insn, enum hv_verdict *verdict)
{
	struct bytes bytes = {.count = 0};
	enum x86_decoded decoded;

	if (!fetch_again(vcpu, &bytes)) {
		fetch(vcpu, &bytes);
	}
	decoded = x86_decode(insn, bytes.at, bytes.count, x86_mode(vcpu->sys));
	if (decoded != X86_DECODED) {
		*verdict = refuse(vcpu, &bytes, decoded);
	}
	return decoded == X86_DECODED;
}

HV_COLD bool x86_code_is(struct x86_vcpu *vcpu, uint8_t byte)
{
	struct bytes bytes = {.count = 0};

	return segment_room(vcpu->sys) != 0 && fetch_page(vcpu, &bytes, 1) && bytes.at[0] == byte;
}
