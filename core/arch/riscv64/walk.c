/* SPDX-License-Identifier: MIT */
/*
 * The guest's own translation, done in software where core needs what the CPU did not say: Sv39,
 * Sv48, Sv57 (priv 4.3 to 4.6). At most five descriptors, each read once (P13, P14); guest memory
 * is the only thing it ever reads.
 *
 * It asks where the CPU would go, not whether this CPU would: A and D are not looked at, since a
 * CPU either sets them or has taken a page fault before we come here; N and PBMT are taken as if
 * the hart had Svnapot and Svpbmt, since one that has not has refused them.
 */
#include "priv.h"
#include "rv64.h"

#define PTE_V    HV_BIT(0)
#define PTE_R    HV_BIT(1)
#define PTE_W    HV_BIT(2)
#define PTE_X    HV_BIT(3)
#define PTE_U    HV_BIT(4)
#define PTE_LEAF (PTE_R | PTE_X)
#define PTE_ADU  (HV_MASK(7, 6) | PTE_U) /* reserved where a table follows */
#define PTE_PPN  HV_MASK(53, 10)
#define PTE_RSVD HV_MASK(60, 54)
#define PTE_PBMT HV_MASK(62, 61)
#define PTE_N    HV_BIT(63)

#define INDEX_BITS  9u
#define NAPOT_SHIFT 16u /* 64 KiB, the only size there is */

struct path {
	const struct rv64_vs *vs;
	const struct hv_gmem *gmem;
	uint64_t va;
	enum rv64_access access;
};

static struct rv64_walk fail(uint64_t cause)
{
	return (struct rv64_walk){.cause = cause};
}

static struct rv64_walk page_fault(enum rv64_access access)
{
	return fail(rv64_page_fault(access));
}

static struct rv64_walk found(uint64_t gpa, unsigned shift)
{
	return (struct rv64_walk){.gpa = GPA(gpa), .shift = (uint8_t)shift};
}

/* vsatp.MODE: 8, 9, 10. 0: another, which no hart of ours has. */
static unsigned levels(uint64_t mode)
{
	return mode >= 8 && mode <= 10 ? (unsigned)mode - 5 : 0;
}

static bool user_allows(const struct path *path, uint64_t pte)
{
	bool sum = (path->vs->vsstatus & RV64_STATUS_SUM) && path->access != RV64_FETCH;

	if (path->vs->user) {
		return (pte & PTE_U) != 0;
	}
	return !(pte & PTE_U) || sum;
}

static bool permits(const struct path *path, uint64_t pte)
{
	bool mxr = (path->vs->vsstatus & RV64_STATUS_MXR) != 0;
	uint64_t readable = mxr ? PTE_R | PTE_X : PTE_R;

	switch (path->access) {
	case RV64_FETCH: return (pte & PTE_X) && user_allows(path, pte);
	case RV64_LOAD: return (pte & readable) && user_allows(path, pte);
	default: return (pte & PTE_W) && user_allows(path, pte);
	}
}

/* Encodings that no hart takes for anything. */
static bool is_valid(uint64_t pte)
{
	bool write_only = (pte & (PTE_R | PTE_W)) == PTE_W;

	return (pte & PTE_V) && !write_only && !(pte & PTE_RSVD);
}

static uint64_t address(uint64_t pte)
{
	return (pte & PTE_PPN) << 2;
}

/* A leaf that spans 2^shift bytes by its level. */
static struct rv64_walk leaf(const struct path *path, uint64_t pte, unsigned shift)
{
	uint64_t base = address(pte), offset;

	if (pte & PTE_N) { /* the PPN's lowest bits say the size; only 1000 is one */
		if (shift != HV_PAGE_SHIFT || hv_bits(base, 15, 12) != 8) {
			return page_fault(path->access);
		}
		shift = NAPOT_SHIFT;
		base = hv_align_down(base, HV_BIT(NAPOT_SHIFT));
	}
	offset = HV_MASK(shift - 1, 0);
	if ((base & offset) || (pte & PTE_PBMT) == PTE_PBMT || !permits(path, pte)) {
		return page_fault(path->access);
	}
	return found(base | (path->va & offset), shift);
}

/* A descriptor of what is not memory is not read: no device sees a walk. */
static bool read(const struct path *path, uint64_t table, unsigned shift, uint64_t *pte)
{
	uint64_t index = path->va >> shift & HV_MASK(INDEX_BITS - 1, 0);
	uint8_t bytes[8];

	if (hv_gmem_copy_in(path->gmem, bytes, GPA(table + index * 8), sizeof(bytes)) != HV_OK) {
		return false;
	}
	*pte = hv_le64(bytes);
	return true;
}

static struct rv64_walk descend(const struct path *path, unsigned level)
{
	uint64_t table = (path->vs->vsatp & HV_MASK(43, 0)) << HV_PAGE_SHIFT, pte;

	while (level-- > 0) {
		unsigned shift = HV_PAGE_SHIFT + level * INDEX_BITS;

		if (!read(path, table, shift, &pte)) {
			return fail(rv64_access_fault(path->access));
		}
		if (!is_valid(pte)) {
			return page_fault(path->access);
		}
		if (pte & PTE_LEAF) {
			return leaf(path, pte, shift);
		}
		if (pte & (PTE_ADU | PTE_PBMT | PTE_N)) {
			return page_fault(path->access);
		}
		table = address(pte);
	}
	return page_fault(path->access); /* a table at the last level */
}

struct rv64_walk rv64_walk(
	const struct rv64_vs *vs, const struct hv_gmem *gmem, uint64_t va, enum rv64_access access)
{
	const struct path path = {.vs = vs, .gmem = gmem, .va = va, .access = access};
	unsigned level = levels(vs->vsatp >> 60);

	if (vs->vsatp >> 60 == 0) {
		return found(va, 64);
	}
	/* Bits above the address are all equal to its highest. */
	if (level == 0 || hv_sign_extend(va, HV_PAGE_SHIFT + level * INDEX_BITS) != va) {
		return page_fault(access);
	}
	return descend(&path, level);
}
