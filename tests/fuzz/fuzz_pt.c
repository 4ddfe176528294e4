/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a program of maps, unmaps and protects on a table of any format, in a pool that runs
 * out soon. After each step: the ghost agrees, the TLB holds nothing stale, no page is lost. Before
 * that, the bytes are read as descriptors: what decode takes, encode gives back.
 */
#include "fuzz.h"

#include <arch/aarch64/a64.h>
#include <arch/riscv64/rv64.h>
#include <arch/x86_64/x86.h>
#include <fake_port.h>
#include <fake_pt.h>
#include <fake_tlb.h>
#include <hv/bits.h>

#define POOL_PAGES 48u
#define POOL_HPA   0x100000000u
#define STEP_BYTES 10u
#define STEPS      40u

static const struct {
	const struct hv_pt_fmt *fmt;
	uint8_t ia_bits, pa_bits;
} form[] = {
	{&a64_stage2_fmt, 40, 40},
	{&a64_stage2_fmt, 48, 48},
	{&rv64_gstage_fmt, 41, 44},
	{&rv64_gstage_fmt, 59, 56},
	{&x86_npt_fmt, 48, 52},
	{&x86_ept_fmt, 48, 46},
};

static _Alignas(4096 * 4) uint8_t memory[POOL_PAGES * 4096];
static struct hv_pages pool;
static struct hv_pt pt;
static struct fake_pt ghost;
static struct fake_tlb tlb;

static void decode_any(const struct hv_pt_fmt *fmt, uint64_t raw)
{
	for (uint8_t level = 0; level < fmt->max_levels; level++) {
		struct hv_pte pte = fmt->decode(raw, level);

		FUZZ_CHECK(pte.kind == HV_PTE_BAD || fmt->encode(pte, level) == raw);
		FUZZ_CHECK(pte.kind != HV_PTE_LEAF || hv_bit(fmt->prot_mask, pte.prot));
		FUZZ_CHECK(pte.kind != HV_PTE_LEAF || hv_is_aligned(pte.pa, hv_pt_span(level)));
	}
}

/* A number with few bits: 0 to 7, up by a page, 64 KiB, 2 MiB or 1 GiB, plus or minus a little. */
static uint64_t number(uint8_t coarse, uint8_t fine)
{
	static const uint8_t shift[] = {12, 16, 21, 30};
	uint64_t n = (uint64_t)(coarse & 7) << shift[coarse >> 3 & 3];

	n += (uint64_t)(fine & 15) << 12;
	if (coarse & 0x40) {
		n -= (uint64_t)(fine >> 4 & 7) << 12;
	}
	return fine & 0x80 && (coarse & 0x87) == 0x87 ? n + 8 : n; /* seldom: unaligned */
}

static bool is_well_formed(const struct hv_pt_map *m)
{
	return m->size != 0 && hv_is_aligned(m->ia.v | m->size, HV_PAGE_SIZE) &&
	       hv_range_inside(m->ia.v, m->size, 0, HV_BIT(pt.ia_bits));
}

static bool is_mappable(const struct hv_pt_map *m)
{
	return hv_is_aligned(m->pa.v, HV_PAGE_SIZE) && hv_bit(pt.fmt->prot_mask, m->prot) &&
	       hv_range_inside(m->pa.v, m->size, 0, HV_BIT(pt.pa_bits)) &&
	       !hv_range_overlaps(m->pa.v, m->size, POOL_HPA, sizeof(memory));
}

static enum hv_status on_table(uint8_t verb, const struct hv_pt_map *m)
{
	switch (verb & 3) {
	case 0: return hv_pt_unmap(&pt, m->ia, m->size);
	case 1: return hv_pt_protect(&pt, m->ia, m->size, m->prot);
	default: return hv_pt_map(&pt, m);
	}
}

/* What must come of a well-formed step, unless the pool runs out. */
static enum hv_status on_ghost(uint8_t verb, const struct hv_pt_map *m)
{
	switch (verb & 3) {
	case 0: fake_pt_unmap(&ghost, m->ia, m->size); return HV_OK;
	case 1: return fake_pt_protect(&ghost, m->ia, m->size, m->prot);
	default: return fake_pt_map(&ghost, m);
	}
}

static void step(const uint8_t *b)
{
	struct hv_pt_map m = {
		.ia = GPA(number(b[1], b[2])),
		.pa = HPA(number(b[3], b[4]) + ((uint64_t)(b[9] & 3) << 31)),
		.size = number(b[5], b[6]),
		.prot = b[7] & 7,
		.type = b[7] >> 3 & 1,
	};
	bool good = true;
	enum hv_status status;
	uint64_t hash;

	if (b[8] & 1) { /* at the other end of the space */
		m.ia.v = HV_BIT(pt.ia_bits) - m.ia.v;
	}
	good = is_well_formed(&m) &&
	       ((b[0] & 3) == 0 ||
		       ((b[0] & 3) == 1 ? hv_bit(pt.fmt->prot_mask, m.prot) : is_mappable(&m)));
	fake_tlb_look(&tlb);
	hash = tlb.hash;
	status = on_table(b[0], &m);
	FUZZ_CHECK(good || status != HV_OK);
	if (good && status != HV_ERR_NO_MEMORY) {
		FUZZ_CHECK(status == on_ghost(b[0], &m));
	}
	fake_tlb_settle(&tlb);
	FUZZ_CHECK(!tlb.broken);
	FUZZ_CHECK(tlb.bare == 0);
	FUZZ_CHECK(status == HV_OK || tlb.hash == hash);
	FUZZ_CHECK(pt.table_count == tlb.tables);
	FUZZ_CHECK(pool.page_count - pool.free_count == tlb.tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which;

	if (size < 9) {
		return 0;
	}
	which = data[0] % HV_ARRAY_COUNT(form);
	decode_any(form[which].fmt, hv_le64(data + 1));
	fake_port_reset();
	ghost = (struct fake_pt){0};
	hv_pages_init(&pool, memory, HPA(POOL_HPA), POOL_PAGES);
	FUZZ_CHECK(hv_pt_init(&pt, form[which].fmt, &pool, form[which].ia_bits, form[which].pa_bits,
			   1) == HV_OK);
	fake_tlb_attach(&tlb, &pt);
	for (size_t at = 9, n = 0; size - at >= STEP_BYTES && n < STEPS; at += STEP_BYTES, n++) {
		step(data + at);
	}
	FUZZ_CHECK(fake_pt_matches(&ghost, &pt));
	hv_pt_destroy(&pt);
	fake_tlb_settle(&tlb);
	FUZZ_CHECK(!tlb.broken);
	FUZZ_CHECK(pool.free_count == POOL_PAGES);
	return 0;
}
