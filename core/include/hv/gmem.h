/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory map: which guest-physical ranges are backed by which host memory. Every access
 * core makes to guest memory goes through the copies here, which are bounded, split at region
 * borders, and all or nothing. Regions are added before the VM runs; look-ups take no lock.
 */
#ifndef HV_GMEM_H
#define HV_GMEM_H

#include <hv/pt.h>
#include <hv/status.h>
#include <hv/types.h>

#define HV_GMEM_REGIONS 16u

struct hv_gmem_region {
	gpa_t gpa;
	uint64_t size; /* page multiple */
	hpa_t hpa;     /* where the guest's nested tables point */
	uint8_t *host; /* the same bytes as core sees them */
	uint8_t prot;  /* what the guest may do: R|W|X is RAM, R|X is ROM */
	bool lazy;     /* mapped at the first access instead of at start */
};

struct hv_gmem {
	uint16_t count;
	struct hv_gmem_region region[HV_GMEM_REGIONS]; /* sorted by gpa, disjoint */
};

/*
 * HV_ERR_INVALID (empty, unaligned, wrapping, unreadable), HV_ERR_OVERLAP (gpa or hpa),
 * HV_ERR_FULL: the map is unchanged.
 */
HV_WARN_UNUSED enum hv_status hv_gmem_add(
	struct hv_gmem *gmem, const struct hv_gmem_region *region);
const struct hv_gmem_region *hv_gmem_find(const struct hv_gmem *gmem, gpa_t at);
/* Whether all of [at, at+size) is memory, in one or several regions, with at least `prot`. True for
 * size 0, which touches nothing. */
bool hv_gmem_has(const struct hv_gmem *gmem, gpa_t at, uint64_t size, uint8_t prot);

/* HV_ERR_RANGE: some byte is no memory (in) or not writable (out); then nothing was copied. */
HV_WARN_UNUSED enum hv_status hv_gmem_copy_in(
	const struct hv_gmem *gmem, void *to, gpa_t from, uint64_t size);
HV_WARN_UNUSED enum hv_status hv_gmem_copy_out(
	const struct hv_gmem *gmem, gpa_t to, const void *from, uint64_t size);
HV_WARN_UNUSED enum hv_status hv_gmem_fill(
	const struct hv_gmem *gmem, gpa_t to, uint8_t byte, uint64_t size);

/*
 * Builds the nested mapping of every region that is not lazy. HV_ERR_DENIED: a region, lazy or not,
 * lies in the pool that the tables come from (P3). On any error the table is left for
 * hv_pt_destroy. Takes pt->lock.
 */
HV_WARN_UNUSED enum hv_status hv_gmem_map(const struct hv_gmem *gmem, struct hv_pt *pt);
/*
 * Makes an access at `at` possible: maps the largest aligned block inside its region; HV_OK too
 * when somebody else mapped it meanwhile. HV_ERR_NOT_FOUND: no memory there; HV_ERR_DENIED: not for
 * this access, by the region or by a mapping that was narrowed; HV_ERR_NO_MEMORY. Takes pt->lock.
 */
HV_WARN_UNUSED enum hv_status hv_gmem_fault(
	const struct hv_gmem *gmem, struct hv_pt *pt, gpa_t at, uint8_t want);

#endif
