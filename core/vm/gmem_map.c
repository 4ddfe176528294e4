/* SPDX-License-Identifier: MIT */
/* How the guest's memory map becomes nested page tables: all at start, or by and by at faults. */
#include <hv/bits.h>
#include <hv/gmem.h>

/* Tables that the guest could write would be the end of all isolation (P3). */
static bool is_in_pool(const struct hv_gmem_region *region, const struct hv_pages *pool)
{
	return hv_range_overlaps(region->hpa.v, region->size, pool->hpa.v,
		(uint64_t)pool->page_count << HV_PAGE_SHIFT);
}

/* [off, off+size) of a region; pt->lock is held. */
static enum hv_status map(
	struct hv_pt *pt, const struct hv_gmem_region *region, uint64_t off, uint64_t size)
{
	const struct hv_pt_map map = {
		.ia = GPA(region->gpa.v + off),
		.pa = HPA(region->hpa.v + off),
		.size = size,
		.prot = region->prot,
		.type = HV_MEM_NORMAL,
	};

	return hv_pt_map(pt, &map);
}

enum hv_status hv_gmem_map(const struct hv_gmem *gmem, struct hv_pt *pt)
{
	enum hv_status status = HV_OK;

	port_lock(&pt->lock);
	for (uint16_t i = 0; i < gmem->count && status == HV_OK; i++) {
		const struct hv_gmem_region *region = &gmem->region[i];

		if (is_in_pool(region, pt->pages)) {
			status = HV_ERR_DENIED;
		} else if (!region->lazy) {
			status = map(pt, region, 0, region->size);
		}
	}
	port_unlock(&pt->lock);
	return status;
}

/* Maps the block of this level around `at`; HV_ERR_OVERLAP when it does not fit there. */
static enum hv_status map_block(
	struct hv_pt *pt, const struct hv_gmem_region *region, gpa_t at, uint8_t level)
{
	uint64_t size = hv_pt_span(level);
	uint64_t start = hv_align_down(at.v, size);

	if (!hv_range_inside(start, size, region->gpa.v, region->size) ||
		!hv_is_aligned(region->gpa.v - region->hpa.v, size)) {
		return HV_ERR_OVERLAP;
	}
	return map(pt, region, start - region->gpa.v, size);
}

/*
 * Maps `at`, where nothing is mapped, by the largest block that is free: as the page around it is,
 * the last try cannot meet an overlap. pt->lock is held.
 */
static enum hv_status map_around(struct hv_pt *pt, const struct hv_gmem_region *region, gpa_t at)
{
	for (uint8_t level = pt->fmt->max_leaf; level > 0; level--) {
		enum hv_status status = map_block(pt, region, at, level);

		if (status != HV_ERR_OVERLAP) {
			return status;
		}
	}
	return map_block(pt, region, at, 0);
}

enum hv_status hv_gmem_fault(const struct hv_gmem *gmem, struct hv_pt *pt, gpa_t at, uint8_t want)
{
	const struct hv_gmem_region *region = hv_gmem_find(gmem, at);
	struct hv_pte pte;
	uint8_t level;
	enum hv_status status = HV_OK;

	if (!region) {
		return HV_ERR_NOT_FOUND;
	}
	if (want & ~region->prot) {
		return HV_ERR_DENIED;
	}
	port_lock(&pt->lock);
	if (hv_pt_lookup(pt, at, &pte, &level) != HV_OK) {
		status = map_around(pt, region, at);
	} else if (want & ~pte.prot) {
		status = HV_ERR_DENIED;
	}
	port_unlock(&pt->lock);
	return status;
}
