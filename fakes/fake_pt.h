/* SPDX-License-Identifier: MIT */
/*
 * A nested page table without tables: a list of what is mapped. It answers as the walker must, out
 * of memory aside, and is the ghost that real tables are compared with.
 */
#ifndef FAKE_PT_H
#define FAKE_PT_H

#include <hv/pt.h>

#define FAKE_PT_EXTENTS 512u

struct fake_pt {
	unsigned count, last;                     /* last: the answer is mostly the same again */
	struct hv_pt_map extent[FAKE_PT_EXTENTS]; /* disjoint, in no order */
};

/* Arguments are those of hv_pt_*, already known to be well-formed. HV_OK or HV_ERR_OVERLAP. */
enum hv_status fake_pt_map(struct fake_pt *ghost, const struct hv_pt_map *map);
void fake_pt_unmap(struct fake_pt *ghost, gpa_t ia, uint64_t size);
/* HV_OK or HV_ERR_NOT_FOUND. */
enum hv_status fake_pt_protect(struct fake_pt *ghost, gpa_t ia, uint64_t size, uint8_t prot);
/* The extent that holds ia, or NULL. */
const struct hv_pt_map *fake_pt_find(struct fake_pt *ghost, uint64_t ia);
/* Whether pt translates every address as the ghost does, no more and no less. */
bool fake_pt_matches(struct fake_pt *ghost, const struct hv_pt *pt);

/*
 * A random range with random attributes that pt's format has, near the places where something
 * changes: blocks, tables, both ends of the space. *seed is not 0; the same seed, the same ranges.
 */
struct hv_pt_map fake_pt_random(uint64_t *seed, const struct hv_pt *pt);
/* A number below n. */
uint64_t fake_pt_random_below(uint64_t *seed, uint64_t n);

#endif
