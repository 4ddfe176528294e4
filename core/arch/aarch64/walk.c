/* SPDX-License-Identifier: MIT */
#include "walk.h"
#include "esr.h"
#include "pstate.h"

static const uint8_t pa_sizes[] = {32, 36, 40, 42, 44, 48};

/* The largest size that is not beyond the VM's guest-physical space. */
uint32_t a64_pa_range(const struct a64_vcpu *vcpu)
{
	uint32_t range = 0;

	for (uint32_t i = 1; i < HV_ARRAY_COUNT(pa_sizes); i++) {
		range = pa_sizes[i] <= vcpu->hv.vm->pt.ia_bits ? i : range;
	}
	return range;
}

uint8_t a64_pa_bits(const struct a64_vcpu *vcpu)
{
	return pa_sizes[a64_pa_range(vcpu)];
}

/* TCR_EL1: IPS, and by half of the address space TBI, T<n>SZ, EPD and the granule. */
static unsigned output_bits(const struct a64_walk *walk)
{
	uint64_t ips = hv_bits(walk->el1->tcr, 34, 32);
	unsigned bits = ips < HV_ARRAY_COUNT(pa_sizes) ? pa_sizes[ips] : 48;

	return bits < walk->pa_bits ? bits : walk->pa_bits;
}

/* log2 of the granule; 0: reserved. */
static unsigned granule(uint64_t tcr, bool upper)
{
	static const uint8_t tg0[] = {12, 16, 14, 0}, tg1[] = {0, 14, 12, 16};

	return upper ? tg1[hv_bits(tcr, 31, 30)] : tg0[hv_bits(tcr, 15, 14)];
}

static bool fail(struct a64_walk *walk, unsigned kind, unsigned level)
{
	walk->fsc = kind | level;
	return false;
}

/* Whether an output address has no more than `bits` bits. */
static bool fits(struct a64_walk *walk, uint64_t address, unsigned bits, unsigned level)
{
	if (address >> bits) {
		return fail(walk, A64_FSC_ADDRESS_SIZE, level);
	}
	return true;
}

/* What the walk is through: one half's geometry, and permissions gathered on the way. */
struct path {
	unsigned shift;   /* log2 of the granule */
	unsigned ia_bits; /* of the input address */
	unsigned out_bits;
	uint64_t va;    /* its low ia_bits */
	uint64_t table; /* of the present level */
	bool no_el0, read_only, uxn, pxn;
};

/* Lowest address bit that a level's index has. */
static unsigned low_bit(const struct path *path, unsigned level)
{
	return path->shift + (path->shift - 3) * (3 - level);
}

static unsigned start_level(const struct path *path)
{
	unsigned level = 3;

	while (path->ia_bits > low_bit(path, level) + path->shift - 3) {
		level--;
	}
	return level;
}

/* Both halves' T<n>SZ is 16 to 39; outside, a fault is what the architecture allows. */
static bool path_begin(struct a64_walk *walk, uint64_t va, struct path *path)
{
	uint64_t tcr = walk->el1->tcr;
	bool upper = hv_bit(va, 55);
	unsigned tsz = (unsigned)(upper ? hv_bits(tcr, 21, 16) : hv_bits(tcr, 5, 0));
	uint64_t ttbr = upper ? walk->el1->ttbr1 : walk->el1->ttbr0;
	unsigned root_bits;

	va = hv_bit(tcr, upper ? 38 : 37) ? hv_sign_extend(va, 56) : va;
	*path = (struct path){
		.shift = granule(tcr, upper), .ia_bits = 64 - tsz, .out_bits = output_bits(walk)};
	if (path->shift == 0 || tsz < 16 || tsz > 39 || hv_bit(tcr, upper ? 23 : 7) ||
		(upper ? ~va : va) >> path->ia_bits) {
		return fail(walk, A64_FSC_TRANSLATION, 0);
	}
	path->va = va & HV_MASK(path->ia_bits - 1, 0);
	root_bits = path->ia_bits - low_bit(path, start_level(path)) + 3;
	path->table = ttbr & HV_MASK(47, root_bits < 6 ? 6 : root_bits);
	return fits(walk, path->table, path->out_bits, 0);
}

static bool read_descriptor(
	struct a64_walk *walk, const struct path *path, unsigned level, uint64_t *raw)
{
	uint64_t index_mask = HV_MASK(path->shift - 4, 0);
	uint64_t at = path->table + (path->va >> low_bit(path, level) & index_mask) * 8;
	uint8_t bytes[8];

	if (hv_gmem_copy_in(walk->gmem, bytes, GPA(at), sizeof(bytes)) != HV_OK) {
		return fail(walk, A64_FSC_EXTERNAL_WALK, level);
	}
	*raw = (walk->el1->sctlr & A64_SCTLR_EE) ? hv_be64(bytes) : hv_le64(bytes);
	return true;
}

#define VALID  HV_BIT(0)
#define TABLE  HV_BIT(1) /* at level 3: a page; else clear means a block */
#define AP_EL0 HV_BIT(6)
#define AP_RO  HV_BIT(7)
#define AF     HV_BIT(10)
#define PXN    HV_BIT(53)
#define UXN    HV_BIT(54)

static bool step_down(struct a64_walk *walk, struct path *path, unsigned level, uint64_t raw)
{
	path->table = raw & HV_MASK(47, path->shift);
	path->pxn |= hv_bit(raw, 59);
	path->uxn |= hv_bit(raw, 60);
	path->no_el0 |= hv_bit(raw, 61);
	path->read_only |= hv_bit(raw, 62);
	return fits(walk, path->table, path->out_bits, level);
}

static bool permits(const struct a64_walk *walk, const struct path *path, uint64_t raw)
{
	bool el0 = (raw & AP_EL0) && !path->no_el0;
	bool writable = !(raw & AP_RO) && !path->read_only;
	bool wxn = (walk->el1->sctlr & A64_SCTLR_WXN) && writable;

	switch (walk->access) {
	case A64_WALK_READ: return el0 || !walk->el0;
	case A64_WALK_WRITE: return writable && (el0 || !walk->el0);
	default: break;
	}
	if (walk->el0) {
		return !(raw & UXN) && !path->uxn && !(wxn && el0);
	}
	/* What EL0 can write, EL1 never executes. */
	return !(raw & PXN) && !path->pxn && !wxn && !(el0 && writable);
}

static bool leaf(struct a64_walk *walk, const struct path *path, unsigned level, uint64_t raw)
{
	uint64_t offset = HV_MASK(low_bit(path, level) - 1, 0);
	uint64_t out = raw & HV_MASK(47, 0) & ~offset;

	if (level < 3 && (level == 0 || (level == 1 && path->shift != 12))) {
		return fail(walk, A64_FSC_TRANSLATION, level); /* no blocks of that size */
	}
	if (!fits(walk, out, path->out_bits, level)) {
		return false;
	}
	if (!(raw & AF)) {
		return fail(walk, A64_FSC_ACCESS_FLAG, level);
	}
	if (!permits(walk, path, raw)) {
		return fail(walk, A64_FSC_PERMISSION, level);
	}
	walk->gpa = out | (path->va & offset);
	return true;
}

/* MMU off: the address itself, if the virtual CPU has that many bits. */
static bool flat(struct a64_walk *walk, uint64_t va)
{
	bool tbi = hv_bit(walk->el1->tcr, hv_bit(va, 55) ? 38 : 37);

	walk->gpa = tbi ? va & HV_MASK(55, 0) : va;
	return fits(walk, walk->gpa, walk->pa_bits, 0);
}

bool a64_walk(struct a64_walk *walk, uint64_t va)
{
	struct path path;
	uint64_t raw;

	walk->span_bits = 64;
	if (!(walk->el1->sctlr & A64_SCTLR_M)) {
		return flat(walk, va);
	}
	if (!path_begin(walk, va, &path)) {
		return false;
	}
	for (unsigned level = start_level(&path);; level++) {
		if (!read_descriptor(walk, &path, level, &raw)) {
			return false;
		}
		walk->span_bits = low_bit(&path, level);
		if (!(raw & VALID) || (level == 3 && !(raw & TABLE))) {
			return fail(walk, A64_FSC_TRANSLATION, level);
		}
		if (level == 3 || !(raw & TABLE)) {
			return leaf(walk, &path, level, raw);
		}
		if (!step_down(walk, &path, level, raw)) {
			return false;
		}
	}
}

bool a64_translate(struct a64_vcpu *vcpu, uint64_t va, enum a64_walk_access access,
	bool unprivileged, struct a64_walk *walk)
{
	*walk = (struct a64_walk){
		.el1 = a64_el1_get(vcpu),
		.gmem = &vcpu->hv.vm->gmem,
		.pa_bits = a64_pa_bits(vcpu),
		.el0 = unprivileged || a64_is_el0(vcpu),
		.access = access,
	};
	return a64_walk(walk, va);
}

unsigned a64_walk_span(const struct a64_el1 *el1, const struct hv_gmem *gmem, uint64_t va)
{
	struct a64_walk walk = {.el1 = el1, .gmem = gmem, .pa_bits = 48, .access = A64_WALK_READ};
	bool found = a64_walk(&walk, va);

	(void)found; /* a fault ends a walk as well as a leaf does */
	return walk.span_bits;
}
