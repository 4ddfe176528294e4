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

/* xorshift64*: the same numbers everywhere. */
uint64_t fake_pt_random_below(uint64_t *seed, uint64_t n)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (*seed * 0x2545f4914f6cdd1du >> 16) % n;
}

static uint64_t pick(uint64_t *seed, const uint64_t *from, size_t count)
{
	return from[fake_pt_random_below(seed, count)];
}

/* Once in n times. */
static bool chance(uint64_t *seed, uint64_t n)
{
	return fake_pt_random_below(seed, n) == 0;
}

static uint64_t random_ia(uint64_t *seed, uint64_t limit)
{
	const uint64_t anchor[] = {0, HV_MIB(2), HV_MIB(6), HV_GIB(1), HV_GIB(2), limit / 2,
		limit - HV_GIB(1), limit - HV_MIB(2)};
	uint64_t ia = pick(seed, anchor, HV_ARRAY_COUNT(anchor));

	ia += chance(seed, 2) ? fake_pt_random_below(seed, 8) * HV_PAGE_SIZE : 0;
	ia += chance(seed, 3) ? fake_pt_random_below(seed, 4) * HV_MIB(2) : 0;
	return ia % limit;
}

static uint64_t random_size(uint64_t *seed)
{
	static const uint64_t unit[] = {4096, 4096, 16 * 4096, HV_MIB(2), HV_MIB(2), HV_GIB(1)};
	uint64_t size =
		pick(seed, unit, HV_ARRAY_COUNT(unit)) * (1 + fake_pt_random_below(seed, 3));

	return size + (chance(seed, 3) ? fake_pt_random_below(seed, 5) * HV_PAGE_SIZE : 0);
}

struct hv_pt_map fake_pt_random(uint64_t *seed, const struct hv_pt *pt)
{
	static const uint64_t shift[] = {0, 0, 4096, 5 * 4096, HV_MIB(2), HV_GIB(1)};
	const uint64_t limit = HV_BIT(pt->ia_bits);
	uint64_t ia = random_ia(seed, limit), size = random_size(seed);
	uint64_t delta = pick(seed, shift, HV_ARRAY_COUNT(shift));
	struct hv_pt_map map = {.ia = GPA(ia), .pa = HPA(hv_bits(ia, 30, 0) + HV_GIB(8) + delta)};

	if (hv_bits(delta, 20, 12) != 0 && size > HV_MIB(8)) {
		size = HV_MIB(8); /* page by page: keep it short */
	}
	map.size = size < limit - ia ? size : limit - ia;
	do {
		map.prot = (uint8_t)fake_pt_random_below(seed, 8);
	} while (!hv_bit(pt->fmt->prot_mask, map.prot));
	map.type = (uint8_t)fake_pt_random_below(seed, 2);
	return map;
}
