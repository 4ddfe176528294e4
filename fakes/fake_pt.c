/* SPDX-License-Identifier: MIT */
#include "fake_pt.h"

#include <hv/bits.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct fake_pt *ghost, struct hv_pt_map extent)
{
	if (ghost->count == FAKE_PT_EXTENTS) {
		fprintf(stderr, "fake_pt: FAKE_PT_EXTENTS is too small for this test\n");
		abort();
	}
	ghost->extent[ghost->count++] = extent;
}

static bool is_inside(const struct hv_pt_map *extent, gpa_t ia, uint64_t size)
{
	return hv_range_inside(extent->ia.v, extent->size, ia.v, size);
}

enum hv_status fake_pt_map(struct fake_pt *ghost, const struct hv_pt_map *map)
{
	for (unsigned i = 0; i < ghost->count; i++) {
		const struct hv_pt_map *e = &ghost->extent[i];

		if (hv_range_overlaps(map->ia.v, map->size, e->ia.v, e->size)) {
			return HV_ERR_OVERLAP;
		}
	}
	add(ghost, *map);
	return HV_OK;
}

/* Cuts the extent that reaches across `edge`. */
static void cut(struct fake_pt *ghost, uint64_t edge)
{
	for (unsigned i = 0; i < ghost->count; i++) {
		struct hv_pt_map *e = &ghost->extent[i];

		if (edge > e->ia.v && edge - e->ia.v < e->size) {
			struct hv_pt_map tail = *e;

			e->size = edge - e->ia.v;
			tail.ia.v += e->size;
			tail.pa.v += e->size;
			tail.size -= e->size;
			add(ghost, tail);
			return;
		}
	}
}

void fake_pt_unmap(struct fake_pt *ghost, gpa_t ia, uint64_t size)
{
	unsigned kept = 0;

	cut(ghost, ia.v);
	cut(ghost, ia.v + size);
	for (unsigned i = 0; i < ghost->count; i++) {
		if (!is_inside(&ghost->extent[i], ia, size)) {
			ghost->extent[kept++] = ghost->extent[i];
		}
	}
	ghost->count = kept;
}

enum hv_status fake_pt_protect(struct fake_pt *ghost, gpa_t ia, uint64_t size, uint8_t prot)
{
	uint64_t covered = 0;

	cut(ghost, ia.v);
	cut(ghost, ia.v + size);
	for (unsigned i = 0; i < ghost->count; i++) {
		covered += is_inside(&ghost->extent[i], ia, size) ? ghost->extent[i].size : 0;
	}
	if (covered != size) {
		return HV_ERR_NOT_FOUND;
	}
	for (unsigned i = 0; i < ghost->count; i++) {
		if (is_inside(&ghost->extent[i], ia, size)) {
			ghost->extent[i].prot = prot;
		}
	}
	return HV_OK;
}

const struct hv_pt_map *fake_pt_find(struct fake_pt *ghost, uint64_t ia)
{
	for (unsigned n = 0; n < ghost->count; n++) {
		unsigned i = (ghost->last + n) % ghost->count;
		const struct hv_pt_map *e = &ghost->extent[i];

		if (hv_range_inside(ia, 1, e->ia.v, e->size)) {
			ghost->last = i;
			return e;
		}
	}
	return NULL;
}

struct compare {
	struct fake_pt *ghost;
	uint64_t mapped;
};

/* A leaf may be made of several extents, and an extent of several leaves. */
static int compare_leaf(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte)
{
	struct compare *compare = arg;
	uint64_t end = ia + hv_pt_span(level);

	compare->mapped += end - ia;
	for (uint64_t at = ia; at < end;) {
		const struct hv_pt_map *e = fake_pt_find(compare->ghost, at);

		if (!e || e->pa.v + (at - e->ia.v) != pte.pa + (at - ia) || e->prot != pte.prot ||
			e->type != pte.type) {
			return 1;
		}
		at = e->ia.v + e->size;
	}
	return 0;
}

bool fake_pt_matches(struct fake_pt *ghost, const struct hv_pt *pt)
{
	struct compare compare = {.ghost = ghost};
	uint64_t mapped = 0;

	for (unsigned i = 0; i < ghost->count; i++) {
		mapped += ghost->extent[i].size;
	}
	return hv_pt_walk(pt, GPA(0), HV_BIT(pt->ia_bits), compare_leaf, &compare) == 0 &&
	       compare.mapped == mapped;
}
