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

struct hv_pt_fmt {
	const char *name;
	uint8_t index_bits; /* per level, but the root: 9 */
	uint8_t min_levels, max_levels;
	uint8_t max_leaf;        /* highest level that may hold a leaf */
	uint8_t root_extra_bits; /* how many index bits the root may have beyond index_bits */
	bool root_extra_always; /* RISC-V Sv39x4: the root always has them; Arm: only when needed */
	bool break_before_make; /* replacing a valid descriptor goes through an invalid one */
	uint8_t max_pa_bits;
	/* Which prot values a leaf can express (bit n set: prot n). Write-only never is (P10). */
	uint8_t prot_mask;
	uint64_t (*encode)(struct hv_pte pte, uint8_t level);
	struct hv_pte (*decode)(uint64_t raw, uint8_t level);
};

struct hv_pt {
	const struct hv_pt_fmt *fmt;
	struct hv_pages *pages; /* where tables come from; not owned */
	struct hv_lock lock;    /* HV_LOCK_PT; taken by the callers of prepare, commit, unmap */
	hpa_t root;
	uint8_t levels; /* so the root is at level levels - 1 */
	uint8_t ia_bits, pa_bits;
	uint8_t root_extra;   /* index bits of the root beyond fmt->index_bits: 2^n root pages */
	uint16_t vmid;        /* for the port's TLB maintenance */
	uint32_t table_count; /* pages taken from the pool, the root included */
};

struct hv_pt_map {
	gpa_t ia;
	hpa_t pa;
	uint64_t size; /* all three multiples of HV_PAGE_SIZE, size not 0 */
	uint8_t prot, type;
};

/* HV_ERR_INVALID (geometry the format lacks), HV_ERR_NO_MEMORY. pa_bits: the CPU's limit. */
HV_WARN_UNUSED enum hv_status hv_pt_init(struct hv_pt *pt, const struct hv_pt_fmt *fmt,
	struct hv_pages *pages, uint8_t ia_bits, uint8_t pa_bits, uint16_t vmid);
/* Gives every table back, the root too. The table must not be in use by any CPU. */
void hv_pt_destroy(struct hv_pt *pt);

/*
 * Mapping is all or nothing, in two steps. prepare takes every page that commit will need, and
 * builds empty tables and equivalent splits of blocks with them, so that no translation changes; it
 * may fail and then gives back what it took (P5). commit cannot fail. Between the two the caller
 * keeps the lock. Mapping over something mapped is HV_ERR_OVERLAP (P2): unmap first. commit picks
 * the largest blocks that address, alignment and size allow.
 */
HV_WARN_UNUSED enum hv_status hv_pt_prepare(struct hv_pt *pt, const struct hv_pt_map *map);
void hv_pt_commit(struct hv_pt *pt, const struct hv_pt_map *map);

/* prepare + commit. */
HV_WARN_UNUSED enum hv_status hv_pt_map(struct hv_pt *pt, const struct hv_pt_map *map);

/*
 * Removes whatever is mapped in the range; holes are fine. A block that is only partly inside is
 * split first, which may fail with HV_ERR_NO_MEMORY before anything changed. Empty tables go back
 * to the pool, after the TLB was flushed.
 */
HV_WARN_UNUSED enum hv_status hv_pt_unmap(struct hv_pt *pt, gpa_t ia, uint64_t size);
/* Changes the permissions of a fully mapped range; HV_ERR_NOT_FOUND when there is a hole. */
HV_WARN_UNUSED enum hv_status hv_pt_protect(
	struct hv_pt *pt, gpa_t ia, uint64_t size, uint8_t prot);

/* The leaf that translates ia: its level, and pte.pa adjusted to ia. HV_ERR_NOT_FOUND when none. */
HV_WARN_UNUSED enum hv_status hv_pt_lookup(
	const struct hv_pt *pt, gpa_t ia, struct hv_pte *pte, uint8_t *level);

/* Visits every leaf that touches the range, in order; stops at and returns the first non-zero. */
int hv_pt_walk(const struct hv_pt *pt, gpa_t from, uint64_t size,
	int (*visit)(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte), void *arg);

#endif
