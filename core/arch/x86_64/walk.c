/* SPDX-License-Identifier: MIT */
/*
 * The guest's own translation in software, where the CPU does not say what it found (APM2 chapter
 * 5): 32-bit with 4 MiB pages, PAE, long mode with 4 and 5 levels. At most five descriptors, each
 * read once (P13, P14); guest memory is the only thing it ever reads. What is not memory reads as
 * all ones, as on a PC, which has reserved bits set.
 */
#include "walk.h"
#include "priv.h"

#define PTE_P    HV_BIT(0)
#define PTE_W    HV_BIT(1)
#define PTE_U    HV_BIT(2)
#define PTE_A    HV_BIT(5)
#define PTE_D    HV_BIT(6)
#define PTE_PS   HV_BIT(7)
#define PTE_NX   HV_BIT(63)
#define PTE_ADDR HV_MASK(51, 12)
#define NOTHING  UINT64_MAX

/* A descriptor that others change all the time is left without its A or D bit after these (P15). */
#define UPDATES 4u

enum format { LEGACY, PAE, LONG };

struct walker {
	const struct x86_vcpu *vcpu;
	uint64_t linear;
	enum x86_use use;
	enum format format;
	uint8_t levels;
	uint64_t rights; /* PTE_W, PTE_U: what all levels grant */
	bool nx;         /* one level says so */
	struct x86_path *path;
};

static uint64_t le(uint64_t raw)
{
	return hv_le64(&raw);
}

static bool has_nx(const struct walker *walker)
{
	return (walker->vcpu->sys->efer & X86_EFER_NXE) && walker->format != LEGACY;
}

/* ---- one descriptor ---- */

static uint64_t read(struct walker *walker, uint64_t gpa)
{
	const struct hv_gmem_region *region = hv_gmem_find(&walker->vcpu->hv.vm->gmem, GPA(gpa));
	struct x86_path *path = walker->path;
	uint8_t *host;
	uint64_t raw;

	if (!region) {
		return NOTHING;
	}
	host = region->host + (hv_align_down(gpa, 8) - region->gpa.v);
	path->entry[path->count].at = (_Atomic uint64_t *)(void *)host;
	path->entry[path->count].writable = (region->prot & HV_PROT_W) != 0;
	path->entry[path->count].shift = (uint8_t)(gpa % 8 * 8);
	raw = atomic_load_explicit(path->entry[path->count].at, memory_order_relaxed);
	path->entry[path->count++].was = raw;
	raw = le(raw) >> gpa % 8 * 8;
	return walker->format == LEGACY ? (uint32_t)raw : raw;
}

/* The bits that must be 0 in one that spans 2^shift bytes, or leads to a table. */
static uint64_t reserved(const struct walker *walker, unsigned level, bool is_leaf, unsigned shift)
{
	uint64_t bits = HV_MASK(51, 0) & ~HV_MASK(walker->vcpu->caps->pa_bits - 1u, 0);

	if (walker->format == LEGACY) { /* 4 MiB: address bits 39:32 are in 20:13 */
		return is_leaf && level > 0 ? HV_BIT(21) : 0;
	}
	if (walker->format == PAE && level == 2) {
		return bits | HV_MASK(63, 52) | HV_MASK(8, 5) | HV_MASK(2, 1);
	}
	bits |= is_leaf && level > 0 ? HV_MASK(shift - 1, 13) : 0; /* bit 12 is PAT's */
	bits |= level >= 3 ? PTE_PS : 0;
	bits |= walker->format == PAE ? HV_MASK(62, 52) : 0;
	return bits | (has_nx(walker) ? 0 : PTE_NX);
}

static bool can_be_leaf(const struct walker *walker, unsigned level)
{
	switch (walker->format) {
	case LEGACY: return (walker->vcpu->sys->cr4 & X86_CR4_PSE) != 0;
	case PAE: return level == 1;
	default: return level == 1 || level == 2;
	}
}

static uint64_t address(const struct walker *walker, uint64_t pte, bool is_leaf, unsigned shift)
{
	if (walker->format == LEGACY && is_leaf && shift > HV_PAGE_SHIFT) {
		return (pte & HV_MASK(31, 22)) | hv_bits(pte, 20, 13) << 32;
	}
	return pte & PTE_ADDR & (is_leaf ? ~HV_MASK(shift - 1, 0) : UINT64_MAX);
}

/* ---- the way down ---- */

static struct x86_walk fault(const struct walker *walker, uint64_t error)
{
	const struct x86_sys *sys = walker->vcpu->sys;

	error |= walker->use == X86_WRITE ? X86_PF_WRITE : 0;
	error |= sys->cpl == 3 ? X86_PF_USER : 0;
	if (walker->use == X86_FETCH && (has_nx(walker) || (sys->cr4 & X86_CR4_SMEP))) {
		error |= X86_PF_FETCH;
	}
	return (struct x86_walk){.error = (uint32_t)error};
}

static bool permits_supervisor(const struct walker *walker)
{
	const struct x86_sys *sys = walker->vcpu->sys;
	bool user = (walker->rights & PTE_U) != 0;
	bool open = !user || !(sys->cr4 & X86_CR4_SMAP) || (sys->rflags & X86_FLAG_AC);

	switch (walker->use) {
	case X86_FETCH: return !user || !(sys->cr4 & X86_CR4_SMEP);
	case X86_WRITE: return open && ((walker->rights & PTE_W) || !(sys->cr0 & X86_CR0_WP));
	default: return open;
	}
}

static bool permits(const struct walker *walker)
{
	if (walker->use == X86_FETCH && walker->nx) {
		return false;
	}
	if (walker->vcpu->sys->cpl != 3) {
		return permits_supervisor(walker);
	}
	return (walker->rights & PTE_U) && (walker->use != X86_WRITE || (walker->rights & PTE_W));
}

static void narrow(struct walker *walker, unsigned level, uint64_t pte)
{
	if (walker->format == PAE && level == 2) {
		return; /* has no rights of its own */
	}
	walker->rights &= pte;
	walker->nx |= (pte & PTE_NX) != 0; /* not set unless it is enabled: reserved */
}

static struct x86_walk descend(struct walker *walker)
{
	const struct x86_sys *sys = walker->vcpu->sys;
	unsigned bits = walker->format == LEGACY ? 10 : 9, size = walker->format == LEGACY ? 4 : 8;
	uint64_t table = sys->cr3 & (walker->format == PAE ? HV_MASK(31, 5) : PTE_ADDR);

	for (unsigned level = walker->levels; level-- > 0;) {
		unsigned shift = HV_PAGE_SHIFT + level * bits;
		uint64_t index = walker->linear >> shift & HV_MASK(bits - 1, 0);
		uint64_t pte = read(walker, table + index * size);
		bool is_leaf = level == 0 || ((pte & PTE_PS) && can_be_leaf(walker, level));

		if (!(pte & PTE_P)) {
			return fault(walker, 0);
		}
		if (pte & reserved(walker, level, is_leaf, shift)) {
			return fault(walker, X86_PF_PRESENT | X86_PF_RSVD);
		}
		narrow(walker, level, pte);
		table = address(walker, pte, is_leaf, shift);
		if (is_leaf) {
			table |= walker->linear & HV_MASK(shift - 1, 0);
			break;
		}
	}
	return permits(walker) ? (struct x86_walk){.ok = true, .gpa = GPA(table)}
			       : fault(walker, X86_PF_PRESENT);
}

static struct x86_walk walk(struct walker *walker)
{
	const struct x86_sys *sys = walker->vcpu->sys;

	walker->path->count = 0;
	walker->rights = PTE_W | PTE_U;
	walker->nx = false;
	if (!(sys->cr0 & X86_CR0_PG)) {
		return (struct x86_walk){.ok = true, .gpa = GPA(walker->linear)};
	}
	if (sys->efer & X86_EFER_LMA) {
		walker->format = LONG;
		walker->levels = sys->cr4 & X86_CR4_LA57 ? 5 : 4;
	} else {
		walker->format = sys->cr4 & X86_CR4_PAE ? PAE : LEGACY;
		walker->levels = sys->cr4 & X86_CR4_PAE ? 3 : 2;
	}
	return descend(walker);
}

/* ---- A and D ---- */

/* False: one has changed since it was read. */
static bool mark(const struct walker *walker)
{
	const struct x86_path *path = walker->path;

	for (unsigned i = walker->format == PAE ? 1 : 0; i < path->count; i++) {
		bool dirty = i == path->count - 1u && walker->use == X86_WRITE;
		uint64_t bits = (PTE_A | (dirty ? PTE_D : 0)) << path->entry[i].shift;
		uint64_t was = path->entry[i].was, now = le(le(was) | bits);

		if (now != was && path->entry[i].writable &&
			!atomic_compare_exchange_strong(path->entry[i].at, &was, now)) {
			return false;
		}
	}
	return true;
}

struct x86_walk x86_walk(const struct x86_vcpu *vcpu, uint64_t linear, enum x86_use use)
{
	struct x86_path path;
	struct walker walker = {.vcpu = vcpu, .linear = linear, .use = use, .path = &path};
	struct x86_walk found = walk(&walker);

	for (unsigned n = 1; found.ok && !mark(&walker) && n < UPDATES; n++) {
		found = walk(&walker);
	}
	return found;
}

struct x86_walk x86_walk_code(const struct x86_vcpu *vcpu, uint64_t linear, struct x86_path *path)
{
	struct walker walker = {.vcpu = vcpu, .linear = linear, .use = X86_FETCH, .path = path};

	return walk(&walker);
}
