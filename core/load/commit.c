/* SPDX-License-Identifier: MIT */
/* Carries out a plan: nothing is decided here, and nothing is written unless all of it can be. */
#include <hv/check.h>
#include <hv/port.h>
#include <load/load.h>

/* A run of bytes and the zeroes that follow it. */
struct commit_piece {
	gpa_t to;
	struct hv_blob from;
	uint64_t mem_size;
};

static struct commit_piece commit_blob(gpa_t to, struct hv_blob from)
{
	return (struct commit_piece){.to = to, .from = from, .mem_size = from.size};
}

static struct commit_piece commit_segment(
	const struct hv_load_segment *segment, struct hv_blob kernel)
{
	const uint8_t *bytes = kernel.data;

	return (struct commit_piece){
		.to = segment->to,
		.from = {bytes + segment->file_off, segment->file_size},
		.mem_size = segment->own_bss ? segment->file_size : segment->mem_size,
	};
}

static bool commit_can(const struct hv_gmem *gmem, const struct commit_piece *piece, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!hv_gmem_has(gmem, piece[i].to, piece[i].mem_size, HV_PROT_W)) {
			return false;
		}
	}
	return true;
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

static void commit_put(const struct hv_gmem *gmem, const struct commit_piece *piece)
{
	uint64_t size = piece->from.size;
	enum hv_status copied = hv_gmem_copy_out(gmem, piece->to, piece->from.data, size);
	enum hv_status zeroed =
		hv_gmem_fill(gmem, GPA(piece->to.v + size), 0, piece->mem_size - size);

	HV_CHECK(copied == HV_OK && zeroed == HV_OK);
	(void)copied;
	(void)zeroed;
	commit_sync(gmem, piece->to, piece->mem_size);
}

enum hv_status hv_load_commit(const struct load_machine *machine, const struct hv_guest *guest,
	const struct hv_load_plan *plan, const struct hv_gmem *gmem)
{
	struct commit_piece piece[HV_LOAD_SEGMENTS + 3];
	unsigned count = 0;

	for (uint16_t i = 0; i < plan->segment_count; i++) {
		piece[count++] = commit_segment(&plan->segment[i], guest->kernel);
	}
	piece[count++] = commit_blob(plan->initrd, guest->initrd);
	piece[count++] = commit_blob(plan->dtb, guest->dtb);
	piece[count++] = (struct commit_piece){.to = plan->block, .mem_size = machine->block_size};
	if (!commit_can(gmem, piece, count)) {
		return HV_ERR_RANGE;
	}
	for (unsigned i = 0; i < count; i++) {
		commit_put(gmem, &piece[i]);
	}
	if (machine->write) {
		machine->write(guest, plan, gmem); /* PCs have no caches that need a sync */
	}
	return HV_OK;
}
