/* SPDX-License-Identifier: MIT */
/* Entry and exit, and the TLB, seen from a guest of a few instructions. */
#include "check.h"
#include "cpu.h"
#include "selftest.h"

#include <hv/bits.h>
#include <hv/port.h>

#define IPA_CODE HV_GIB(1)
#define IPA_DATA HV_GIB(2)
#define ROUNDS   200u

static struct {
	struct hv_pt pt;
	struct hv_pages pages;
	volatile uint64_t *page[2]; /* two pages that IPA_DATA may mean */
} state;

static bool map(uint64_t ipa, const volatile void *at, uint8_t prot)
{
	struct hv_pt_map map = {.ia = GPA(ipa),
		.pa = HPA((uintptr_t)at),
		.size = HV_PAGE_SIZE,
		.prot = prot,
		.type = HV_MEM_NORMAL};

	return hv_pt_map(&state.pt, &map) == HV_OK;
}

/* The pool is the first half of the RAM. */
static bool set_up(const struct selftest_ram *ram)
{
	struct cpu_guest guest = cpu_guest();
	uint64_t half = ram->size / 2;

	state.page[0] = (uint64_t *)(void *)(ram->base + half);
	state.page[1] = state.page[0] + HV_PAGE_SIZE / sizeof(uint64_t);
	hv_pages_init(&state.pages, ram->base, HPA((uintptr_t)ram->base),
		(uint32_t)(half >> HV_PAGE_SHIFT));
	if (hv_pt_init(&state.pt, guest.fmt, &state.pages, guest.ia_bits, guest.pa_bits, 1) !=
			HV_OK ||
		!map(IPA_CODE, cpu_guest_code, HV_PROT_R | HV_PROT_X)) {
		return false;
	}
	cpu_guest_use(&state.pt);
	return true;
}

static struct cpu_run run(enum cpu_code what, uint64_t value)
{
	return cpu_guest_run(IPA_CODE, what, IPA_DATA, value);
}

static bool refused(struct cpu_run ran, enum cpu_answer answer)
{
	return ran.answer == answer || ran.answer == CPU_REFUSED;
}

static bool data_is(unsigned page)
{
	struct cpu_run ran = run(CPU_LOAD, 0);

	return ran.answer == CPU_FINE && ran.value == *state.page[page];
}

static bool unmap(void)
{
	return hv_pt_unmap(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE) == HV_OK;
}

/* ---- X23: every register comes back as it went in ---- */

bool entry_run(const struct selftest_ram *ram)
{
	uint64_t random = 0x0123456789abcdef;

	if (!set_up(ram)) {
		return false;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		cpu_guest_keeps(IPA_CODE, &random);
	}
	return check_summary();
}

/* ---- P6, P8: what the tables say holds at once, whatever the TLB knew ---- */

static void loads_follow_the_map(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;

	check("nothing mapped", refused(run(CPU_LOAD, 0), CPU_ABSENT));
	check("map", map(IPA_DATA, state.page[0], rw));
	check("first page", data_is(0));
	check("unmap", unmap());
	check("unmapped", refused(run(CPU_LOAD, 0), CPU_ABSENT));
	check("map again", map(IPA_DATA, state.page[1], rw));
	check("second page", data_is(1));
	check("unmap and map", unmap() && map(IPA_DATA, state.page[0], rw));
	check("first page again", data_is(0));
	check("unmap at the end", unmap());
}

static void stores_follow_the_rights(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;

	check("map", map(IPA_DATA, state.page[0], rw));
	check("stored", run(CPU_STORE, 77).answer == CPU_FINE && *state.page[0] == 77);
	check("protect", hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, HV_PROT_R) == HV_OK);
	check("read-only", refused(run(CPU_STORE, 78), CPU_DENIED));
	check("not stored", *state.page[0] == 77);
	check("still readable", data_is(0));
	check("writable again", hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, rw) == HV_OK);
	check("stored again", run(CPU_STORE, 79).answer == CPU_FINE && *state.page[0] == 79);
	check("unmap at the end", unmap());
}

static void fetches_follow_the_rights(void)
{
	*(volatile uint32_t *)state.page[1] = cpu_ret; /* back to what jumped there */
	port_guest_sync((const void *)state.page[1], sizeof(cpu_ret));
	check("map", map(IPA_DATA, state.page[1], HV_PROT_R | HV_PROT_X));
	check("executed", run(CPU_FETCH, 0).answer == CPU_FINE);
	check("protect", hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, HV_PROT_R) == HV_OK);
	check("not executable", refused(run(CPU_FETCH, 0), CPU_DENIED));
	check("unmap at the end", unmap());
}

/* A page out of a 2 MiB block that the TLB has seen. */
static void splits_hold(const struct selftest_ram *ram)
{
	struct hv_pt_map block = {.ia = GPA(IPA_DATA),
		.pa = HPA((uintptr_t)ram->base + ram->size / 2),
		.size = HV_MIB(2),
		.prot = HV_PROT_R | HV_PROT_W,
		.type = HV_MEM_NORMAL};

	check("map a block", hv_pt_map(&state.pt, &block) == HV_OK);
	check("first page of it", data_is(0));
	check("split", unmap());
	check("hole in the block", refused(run(CPU_LOAD, 0), CPU_ABSENT));
	check("unmap the rest", hv_pt_unmap(&state.pt, block.ia, block.size) == HV_OK);
}

bool tlb_run(const struct selftest_ram *ram)
{
	if (!set_up(ram)) {
		return false;
	}
	*state.page[0] = 1000;
	*state.page[1] = 2000;
	for (unsigned i = 0; i < 3; i++) {
		loads_follow_the_map();
		stores_follow_the_rights();
		fetches_follow_the_rights();
		splits_hold(ram);
	}
	return check_summary();
}
