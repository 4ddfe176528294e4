/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: one walker, many formats. A format is geometry as data, and two pure
 * functions for the bits of a descriptor. Levels count down to the pages: 0 is the level whose
 * leaves are 4 KiB pages, 1 that of 2 MiB, 2 that of 1 GiB (Arm's level is 3 minus ours).
 */
#ifndef HV_PT_H
#define HV_PT_H

#include <hv/arena.h>
#include <hv/port.h>
#include <hv/status.h>
#include <hv/types.h>

enum hv_prot {
	HV_PROT_R = 1,
	HV_PROT_W = 2,
	HV_PROT_X = 4,
};

enum hv_mem_type {
	HV_MEM_NORMAL, /* write-back cacheable RAM */
	HV_MEM_DEVICE, /* strongly ordered, no early acknowledgement */
};

enum hv_pte_kind {
	HV_PTE_EMPTY,
	HV_PTE_TABLE,
	HV_PTE_LEAF,
	HV_PTE_BAD, /* set, but nothing that encode() emits: reserved bits, unknown form (P11) */
};

struct hv_pte {
	enum hv_pte_kind kind;
	uint64_t pa;
	uint8_t prot; /* enum hv_prot; leaves only */
	uint8_t type; /* enum hv_mem_type; leaves only */
};

/* For hv_pt_fmt.prot_mask: what every format can express, and what some can. */
#define HV_PT_PROTS_READABLE                                                                       \
	(1u << HV_PROT_R | 1u << (HV_PROT_R | HV_PROT_W) | 1u << (HV_PROT_R | HV_PROT_X) |         \
		1u << (HV_PROT_R | HV_PROT_W | HV_PROT_X))
#define HV_PT_PROTS_X_ONLY (1u << HV_PROT_X)

/* Every format here resolves 9 bits of the address per level below the root. */
#define HV_PT_INDEX_BITS 9u

/* Bytes that one descriptor at `level` translates, be it a leaf or a table. */
static inline uint64_t hv_pt_span(uint8_t level)
{
	return HV_PAGE_SIZE << (HV_PT_INDEX_BITS * level);
}

struct hv_pt_fmt {
	const char *name;
	uint8_t min_levels, max_levels;
	uint8_t max_leaf;        /* highest level that may hold a leaf */
	uint8_t root_extra_bits; /* how many index bits the root may have beyond the usual */
	bool root_extra_always; /* RISC-V Sv39x4: the root always has them; Arm: only when needed */
	bool break_before_make; /* replacing a valid descriptor goes through an invalid one */
	bool caches_invalid;    /* the TLB may remember that nothing was there: flush after a map */
	bool ia_within_pa;      /* the CPU refuses an input wider than its output (Arm) */
	uint8_t max_pa_bits;
	uint8_t vmid_bits;
	/* Which prot values a leaf can express (bit n set: prot n). Write-only never is (P10). */
	uint8_t prot_mask;
	/*
	 * Pure. encode takes what the format can express: a pa aligned to the level's span, a prot
	 * of prot_mask. decode is exact: whatever encode does not emit is HV_PTE_BAD.
	 */
	uint64_t (*encode)(struct hv_pte pte, uint8_t level);
	struct hv_pte (*decode)(uint64_t raw, uint8_t level);
};

struct hv_pt {
	const struct hv_pt_fmt *fmt;
	struct hv_pages *pages; /* where tables come from; not owned */
	struct hv_lock lock;    /* HV_LOCK_PT; taken by the callers of all but init, destroy */
	hpa_t root;
	uint8_t levels; /* so the root is at level levels - 1 */
	uint8_t ia_bits, pa_bits;
	uint8_t root_extra;   /* index bits of the root beyond the usual: 2^n root pages */
	uint16_t vmid;        /* for the port's TLB maintenance */
	uint32_t table_count; /* pages taken from the pool, the root included */
};

struct hv_pt_map {
	gpa_t ia;
	hpa_t pa;
	uint64_t size; /* all three multiples of HV_PAGE_SIZE, size not 0 */
	uint8_t prot, type;
};

/*
 * ia_bits: 32 or more; pa_bits: the CPU's limit. The fewest levels that do are taken.
 * HV_ERR_INVALID (geometry or VMID that the format lacks), HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status hv_pt_init(struct hv_pt *pt, const struct hv_pt_fmt *fmt,
	struct hv_pages *pages, uint8_t ia_bits, uint8_t pa_bits, uint16_t vmid);
/* Flushes, and gives every table back, the root too. No CPU may have the table loaded any more. */
void hv_pt_destroy(struct hv_pt *pt);

/*
 * Mapping is all or nothing, in two steps. prepare takes every page that commit will need and links
 * empty tables, so that no translation changes; when it fails, no descriptor has changed and no
 * page is gone (P5). commit cannot fail. Between the two the caller keeps the lock. commit picks
 * the largest blocks that address, alignment and size allow.
 *
 * HV_ERR_INVALID: not a multiple of pages, empty, or a prot or type the format cannot express.
 * HV_ERR_RANGE: leaves the input or the output address space. HV_ERR_DENIED: pa touches the pool
 * that the tables come from (P3). HV_ERR_OVERLAP: something in the range is mapped, even the same
 * way (P2): unmap first. HV_ERR_NO_MEMORY.
 */
HV_WARN_UNUSED enum hv_status hv_pt_prepare(struct hv_pt *pt, const struct hv_pt_map *map);
void hv_pt_commit(struct hv_pt *pt, const struct hv_pt_map *map);

/* prepare + commit. */
HV_WARN_UNUSED enum hv_status hv_pt_map(struct hv_pt *pt, const struct hv_pt_map *map);

/*
 * Removes whatever is mapped in the range; holes are fine. A block that is only partly inside is
 * split first, which may fail with HV_ERR_NO_MEMORY before anything changed. On return no CPU
 * translates the range any more, and tables that became empty are back in the pool.
 */
HV_WARN_UNUSED enum hv_status hv_pt_unmap(struct hv_pt *pt, gpa_t ia, uint64_t size);
/*
 * Changes the permissions of a fully mapped range, splitting like unmap; HV_ERR_NOT_FOUND when
 * there is a hole. On return the new permissions hold on every CPU.
 */
HV_WARN_UNUSED enum hv_status hv_pt_protect(
	struct hv_pt *pt, gpa_t ia, uint64_t size, uint8_t prot);

/* The leaf that translates ia: its level, and pte.pa adjusted to ia. HV_ERR_NOT_FOUND when none. */
HV_WARN_UNUSED enum hv_status hv_pt_lookup(
	const struct hv_pt *pt, gpa_t ia, struct hv_pte *pte, uint8_t *level);

/*
 * Visits every leaf that touches the range, in order; stops at and returns the first non-zero. `ia`
 * is where the leaf starts, which may be before `from`.
 */
int hv_pt_walk(const struct hv_pt *pt, gpa_t from, uint64_t size,
	int (*visit)(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte), void *arg);

#endif
