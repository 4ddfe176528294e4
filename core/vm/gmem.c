/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory map, and the only way core touches guest memory: check the whole range first,
 * then copy run by run, where a run is what one region backs. Each byte is read once (R3).
 */
#include <hv/bits.h>
#include <hv/gmem.h>

/* Index of the first region that ends above `at`; count when there is none. */
static uint16_t first_above(const struct hv_gmem *gmem, uint64_t at)
{
	uint16_t low = 0, high = gmem->count;

	while (low < high) {
		uint16_t mid = (uint16_t)((low + high) / 2);
		const struct hv_gmem_region *region = &gmem->region[mid];

		if (region->gpa.v + region->size <= at) {
			low = (uint16_t)(mid + 1);
		} else {
			high = mid;
		}
	}
	return low;
}

static bool is_valid(const struct hv_gmem_region *region)
{
	const uint8_t all = HV_PROT_R | HV_PROT_W | HV_PROT_X;
	uint64_t end;

	return region->size != 0 && region->host && (region->prot & HV_PROT_R) &&
	       !(region->prot & ~all) &&
	       hv_is_aligned(region->gpa.v | region->hpa.v | region->size, HV_PAGE_SIZE) &&
	       hv_add_ok(region->gpa.v, region->size, &end) &&
	       hv_add_ok(region->hpa.v, region->size, &end);
}

static bool overlaps(const struct hv_gmem_region *a, const struct hv_gmem_region *b)
{
	return hv_range_overlaps(a->gpa.v, a->size, b->gpa.v, b->size) ||
	       hv_range_overlaps(a->hpa.v, a->size, b->hpa.v, b->size);
}

enum hv_status hv_gmem_add(struct hv_gmem *gmem, const struct hv_gmem_region *region)
{
	uint16_t at;

	if (!is_valid(region)) {
		return HV_ERR_INVALID;
	}
	for (uint16_t i = 0; i < gmem->count; i++) {
		if (overlaps(&gmem->region[i], region)) {
			return HV_ERR_OVERLAP;
		}
	}
	if (gmem->count == HV_GMEM_REGIONS) {
		return HV_ERR_FULL;
	}
	at = first_above(gmem, region->gpa.v);
	for (uint16_t i = gmem->count; i > at; i--) {
		gmem->region[i] = gmem->region[i - 1];
	}
	gmem->region[at] = *region;
	gmem->count++;
	return HV_OK;
}

const struct hv_gmem_region *hv_gmem_find(const struct hv_gmem *gmem, gpa_t at)
{
	uint16_t i = first_above(gmem, at.v);

	if (i == gmem->count || gmem->region[i].gpa.v > at.v) {
		return NULL;
	}
	return &gmem->region[i];
}

struct run {
	uint8_t *host;
	uint64_t size;
	uint8_t prot;
};

/* What one region backs of [at, at+size); host is NULL when there is no memory at `at`. */
static struct run run_at(const struct hv_gmem *gmem, gpa_t at, uint64_t size)
{
	const struct hv_gmem_region *region = hv_gmem_find(gmem, at);
	struct run run = {0};

	if (region) {
		uint64_t off = at.v - region->gpa.v;
		uint64_t left = region->size - off;

		run.host = region->host + off;
		run.size = size < left ? size : left;
		run.prot = region->prot;
	}
	return run;
}

bool hv_gmem_has(const struct hv_gmem *gmem, gpa_t at, uint64_t size, uint8_t prot)
{
	while (size > 0) {
		struct run run = run_at(gmem, at, size);

		/* No region ends at 2^64, so a range that wraps ends here too. */
		if (!run.host || (prot & ~run.prot)) {
			return false;
		}
		at.v += run.size;
		size -= run.size;
	}
	return true;
}

enum hv_status hv_gmem_copy_in(const struct hv_gmem *gmem, void *to, gpa_t from, uint64_t size)
{
	uint8_t *out = to;

	if (!hv_gmem_has(gmem, from, size, HV_PROT_R)) {
		return HV_ERR_RANGE;
	}
	while (size > 0) {
		struct run run = run_at(gmem, from, size);

		__builtin_memcpy(out, run.host, run.size);
		out += run.size;
		from.v += run.size;
		size -= run.size;
	}
	return HV_OK;
}

enum hv_status hv_gmem_copy_out(
	const struct hv_gmem *gmem, gpa_t to, const void *from, uint64_t size)
{
	const uint8_t *in = from;

	if (!hv_gmem_has(gmem, to, size, HV_PROT_W)) {
		return HV_ERR_RANGE;
	}
	while (size > 0) {
		struct run run = run_at(gmem, to, size);

		__builtin_memcpy(run.host, in, run.size);
		in += run.size;
		to.v += run.size;
		size -= run.size;
	}
	return HV_OK;
}

enum hv_status hv_gmem_fill(const struct hv_gmem *gmem, gpa_t to, uint8_t byte, uint64_t size)
{
	if (!hv_gmem_has(gmem, to, size, HV_PROT_W)) {
		return HV_ERR_RANGE;
	}
	while (size > 0) {
		struct run run = run_at(gmem, to, size);

		__builtin_memset(run.host, byte, run.size);
		to.v += run.size;
		size -= run.size;
	}
	return HV_OK;
}
