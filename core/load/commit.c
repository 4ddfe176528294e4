/* SPDX-License-Identifier: MIT */
/* Carries out a plan: nothing is decided here, and nothing is written unless all of it can be. */
#include <hv/port.h>
#include <load/load.h>

static bool commit_can(const struct hv_gmem *gmem, gpa_t to, uint64_t size)
{
	return size == 0 || hv_gmem_has(gmem, to, size, HV_PROT_W);
}

static bool commit_can_all(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	for (uint16_t i = 0; i < plan->segment_count; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		if (!commit_can(gmem, segment->to, segment->mem_size) ||
			!hv_range_inside(
				segment->file_off, segment->file_size, 0, guest->kernel.size)) {
			return false;
		}
	}
	return commit_can(gmem, plan->initrd, guest->initrd.size) &&
	       commit_can(gmem, plan->dtb, guest->dtb.size);
}

/* The guest starts with its caches off: what core wrote through its own must get to memory. */
static void commit_sync(const struct hv_gmem *gmem, gpa_t at, uint64_t size)
{
	while (size != 0) {
		const struct hv_gmem_region *region = hv_gmem_find(gmem, at);
		uint64_t off = at.v - region->gpa.v;
		uint64_t part = region->size - off < size ? region->size - off : size;

		port_guest_sync(region->host + off, part);
		at.v += part;
		size -= part;
	}
}

static enum hv_status commit_put(
	const struct hv_gmem *gmem, gpa_t to, const uint8_t *from, uint64_t size, uint64_t mem_size)
{
	enum hv_status status = HV_OK;

	if (size != 0) {
		status = hv_gmem_copy_out(gmem, to, from, size);
	}
	if (status == HV_OK && mem_size != size) {
		status = hv_gmem_fill(gmem, GPA(to.v + size), 0, mem_size - size);
	}
	if (status == HV_OK) {
		commit_sync(gmem, to, mem_size);
	}
	return status;
}

enum hv_status hv_load_commit(
	const struct hv_guest *guest, const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	const uint8_t *kernel = guest->kernel.data;
	enum hv_status status = commit_can_all(guest, plan, gmem) ? HV_OK : HV_ERR_RANGE;

	for (uint16_t i = 0; i < plan->segment_count && status == HV_OK; i++) {
		const struct hv_load_segment *segment = &plan->segment[i];

		status = commit_put(gmem, segment->to, kernel + segment->file_off,
			segment->file_size, segment->mem_size);
	}
	if (status == HV_OK) {
		status = commit_put(gmem, plan->initrd, guest->initrd.data, guest->initrd.size,
			guest->initrd.size);
	}
	if (status == HV_OK) {
		status = commit_put(
			gmem, plan->dtb, guest->dtb.data, guest->dtb.size, guest->dtb.size);
	}
	return status;
}
