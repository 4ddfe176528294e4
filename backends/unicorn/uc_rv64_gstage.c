/* SPDX-License-Identifier: MIT */
/*
 * The G-stage as Unicorn's memory map: what core's tables translate, the emulated hart finds at the
 * guest-physical address. port_tlb_flush() comes after every change of the tables (the format says
 * that CPUs cache invalid entries, too), and names the range that changed: it is made anew.
 */
#include "uc_sim.h"

#include <hv/bits.h>

/* Neighbouring leaves, mapped as one. */
struct extent {
	struct sim *sim;
	uint64_t from, end, gpa, size; /* the range that changed; what has been gathered of it */
	uint8_t *host;
	uint8_t prot;
	bool failed;
};

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low) {
		return low;
	}
	return value > high ? high : value;
}

/* Core maps nothing else. */
static uint8_t *host_of(const struct sim *sim, uint64_t hpa)
{
	const struct sim_memory *memory = &sim->memory;

	if (hpa - SIM_FLASH_HPA < memory->flash_size) {
		return memory->flash + (hpa - SIM_FLASH_HPA);
	}
	return memory->ram + (hpa - sim->arch->ram_hpa);
}

/* Without the right to write: see show(). */
static uint32_t unicorns(uint8_t prot)
{
	return (prot & HV_PROT_R ? UC_PROT_READ : 0u) | (prot & HV_PROT_X ? UC_PROT_EXEC : 0u);
}

/*
 * Where memory was mapped without the right to write, Unicorn asks a hook at the first store to
 * each page since that came into its TLB, and does the store. That is how we hear of it
 * (uc_rv64_code.h). Where that right was taken away afterwards, it drops the store.
 */
static bool show(uc_engine *uc, const struct extent *extent)
{
	uint32_t prot = unicorns(extent->prot);

	return uc_mem_map_ptr(uc, extent->gpa, extent->size, prot, extent->host) == UC_ERR_OK &&
	       (extent->prot & HV_PROT_W ||
		       uc_mem_protect(uc, extent->gpa, extent->size, prot) == UC_ERR_OK);
}

static void map(struct extent *extent)
{
	if (extent->size && !show(extent->sim->uc, extent)) {
		extent->failed = true;
	}
	extent->size = 0;
}

static int visit(void *arg, uint64_t ia, uint8_t level, struct hv_pte pte)
{
	struct extent *extent = arg;
	uint64_t gpa = clamp(ia, extent->from, extent->end);
	uint64_t end = clamp(ia + hv_pt_span(level), extent->from, extent->end);
	uint8_t *host = host_of(extent->sim, pte.pa + (gpa - ia));

	if (extent->size && gpa == extent->gpa + extent->size &&
		host == extent->host + extent->size && pte.prot == extent->prot) {
		extent->size += end - gpa;
		return 0;
	}
	map(extent);
	extent->gpa = gpa;
	extent->size = end - gpa;
	extent->host = host;
	extent->prot = pte.prot;
	return 0;
}

static void unmap(struct extent *extent)
{
	uc_mem_region *region;
	uint32_t count;

	if (uc_mem_regions(extent->sim->uc, &region, &count) != UC_ERR_OK) {
		extent->failed = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t begin = clamp(region[i].begin, extent->from, extent->end);
		uint64_t end = clamp(region[i].end + 1, extent->from, extent->end);

		if (begin < end && uc_mem_unmap(extent->sim->uc, begin, end - begin) != UC_ERR_OK) {
			extent->failed = true;
		}
	}
	(void)uc_free(region);
}

bool sim_rv64_gstage_changed(struct sim *sim, const struct hv_pt *pt, gpa_t from, uint64_t len)
{
	struct extent extent = {.sim = sim, .from = from.v};

	if (!hv_add_ok(from.v, len, &extent.end)) {
		extent.end = UINT64_MAX;
	}
	unmap(&extent);
	(void)hv_pt_walk(pt, from, extent.end - from.v, visit, &extent);
	map(&extent);
	(void)uc_ctl_flush_tlb(sim->uc);
	return !extent.failed;
}
