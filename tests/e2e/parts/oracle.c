/* SPDX-License-Identifier: MIT */
/*
 * P16: random sequences of map, unmap and protect on a guest's nested table; then the CPU itself is
 * asked what it makes of each address, and has to agree with a ghost map: an array of what should
 * be there. With the guest's own translation off, its virtual address is the one that is looked up.
 */
#include "cpu.h"
#include "selftest.h"

#include <common/report.h>
#include <hv/bits.h>

#define OPERATIONS 1500u
#define PROBES     48u /* after each operation */

#define PAGE_MASK (~(HV_PAGE_SIZE - 1))

/* A window of the IPA space, in units that are mapped or not as a whole. */
#define UNITS 1024u
struct window {
	uint64_t ipa, unit;
	uint64_t ghost[UNITS]; /* pa | prot; 0: not mapped */
};

/*
 * Pages across block borders; blocks of 2 MiB, of which some make 1 GiB; the end of the space; and
 * the first again but for the highest bit (P12).
 */
enum { BORDERS, BLOCKS, END, ALIAS, WINDOWS };
static struct window window[WINDOWS] = {
	[BORDERS] = {.ipa = HV_GIB(1) - HV_MIB(2), .unit = HV_PAGE_SIZE},
	[BLOCKS] = {.ipa = HV_GIB(2), .unit = HV_MIB(2)},
	[END] = {.unit = HV_PAGE_SIZE},
	[ALIAS] = {.unit = HV_PAGE_SIZE},
};

static struct {
	struct hv_pt pt;
	struct hv_pages pages;
	uint64_t memory; /* whose words contain their addresses; as large as a window of pages */
	uint64_t random;
	uint64_t queries, mismatches, done[3];
} state;

/* xorshift64; the same sequence each time. */
static uint64_t draw(uint64_t below)
{
	state.random ^= state.random << 13;
	state.random ^= state.random >> 7;
	state.random ^= state.random << 17;
	return state.random % below;
}

static void complain(const char *what, uint64_t ipa, uint64_t want, uint64_t got)
{
	char line[128];
	struct hv_text text = HV_TEXT(line);

	if (state.mismatches++ > 8) {
		return;
	}
	hv_text_str(&text, what);
	hv_text_str(&text, " ipa ");
	hv_text_hex(&text, ipa, 1);
	hv_text_str(&text, " want ");
	hv_text_hex(&text, want, 1);
	hv_text_str(&text, " got ");
	hv_text_hex(&text, got, 1);
	report("log", &text);
}

/* Whether the CPU says what the ghost entry (for the address itself) means for this access. */
static bool agrees(struct cpu_look look, uint64_t ghost, uint64_t pa, uint8_t prot)
{
	if (ghost == 0) {
		return look.answer == CPU_ABSENT || look.answer == CPU_REFUSED;
	}
	if (!(ghost & prot)) {
		return look.answer == CPU_DENIED || look.answer == CPU_REFUSED;
	}
	return look.answer == CPU_FINE && (look.pa == pa || look.pa == UINT64_MAX);
}

static void ask(uint64_t ipa, uint64_t ghost, uint64_t pa, uint8_t prot)
{
	struct cpu_look look = cpu_guest_look(ipa, prot == HV_PROT_W, pa);

	state.queries++;
	if (!agrees(look, ghost, pa, prot)) {
		complain(prot == HV_PROT_W ? "write" : "read", ipa, ghost,
			look.answer == CPU_FINE ? look.pa : look.answer);
	}
}

static void probe(const struct window *in, uint32_t unit)
{
	uint64_t off = draw(in->unit) & ~(uint64_t)7;
	uint64_t ipa = in->ipa + unit * in->unit + off, ghost = in->ghost[unit];
	uint64_t pa = (ghost & PAGE_MASK) + off;

	ask(ipa, ghost, pa, HV_PROT_R);
	ask(ipa, ghost, pa, HV_PROT_W);
}

struct span {
	struct window *in;
	uint32_t first, count;
};

/* Mostly short, sometimes most of the window, so that blocks form and split. */
static struct span draw_span(void)
{
	struct span span = {.in = &window[draw(HV_ARRAY_COUNT(window))]};
	uint32_t most = draw(4) == 0 ? UNITS : 24;

	span.first = (uint32_t)draw(UNITS);
	if (draw(3) == 0) {
		span.first &= ~(uint32_t)511;
		most = UNITS;
	}
	span.count = 1 + (uint32_t)draw(most);
	if (span.count > UNITS - span.first) {
		span.count = UNITS - span.first;
	}
	return span;
}

static uint32_t count_mapped(struct span span)
{
	uint32_t mapped = 0;

	for (uint32_t i = 0; i < span.count; i++) {
		mapped += span.in->ghost[span.first + i] != 0;
	}
	return mapped;
}

static void expect(const char *what, struct span span, enum hv_status want, enum hv_status got)
{
	if (want != got) {
		complain(what, span.in->ipa + span.first * span.in->unit, (uint64_t)want,
			(uint64_t)got);
	}
}

static uint8_t draw_prot(void)
{
	static const uint8_t prot[] = {HV_PROT_R, HV_PROT_R | HV_PROT_W, HV_PROT_R | HV_PROT_X,
		HV_PROT_X, HV_PROT_R | HV_PROT_W | HV_PROT_X};

	uint8_t drawn;

	do {
		drawn = prot[draw(HV_ARRAY_COUNT(prot))];
	} while (!hv_bit(state.pt.fmt->prot_mask, drawn));
	return drawn;
}

/*
 * Where a window is mapped: to our memory, where a CPU can tell what it sees, or where there may be
 * none. Often, but not always, aligned like the IPA, so that blocks can form.
 */
static uint64_t draw_pa(const struct window *in)
{
	uint64_t skew = draw(4) == 0 ? in->unit : 0;

	if (in->unit == HV_PAGE_SIZE && draw(2) == 0) {
		return state.memory + skew;
	}
	return HV_GIB(64) * (1 + draw(8)) + hv_bits(in->ipa, 31, 0) + skew;
}

static void do_map(struct span span)
{
	uint64_t unit = span.in->unit;
	struct hv_pt_map map = {
		.ia = GPA(span.in->ipa + span.first * unit),
		.pa = HPA(draw_pa(span.in) + span.first * unit),
		.size = span.count * unit,
		.prot = draw_prot(),
		.type = (uint8_t)draw(2),
	};
	bool is_free = count_mapped(span) == 0;

	expect("map", span, is_free ? HV_OK : HV_ERR_OVERLAP, hv_pt_map(&state.pt, &map));
	for (uint32_t i = 0; is_free && i < span.count; i++) {
		span.in->ghost[span.first + i] = (map.pa.v + i * unit) | map.prot;
	}
}

static void do_unmap(struct span span)
{
	uint64_t unit = span.in->unit;

	expect("unmap", span, HV_OK,
		hv_pt_unmap(&state.pt, GPA(span.in->ipa + span.first * unit), span.count * unit));
	for (uint32_t i = 0; i < span.count; i++) {
		span.in->ghost[span.first + i] = 0;
	}
}

static void do_protect(struct span span)
{
	uint64_t unit = span.in->unit;
	uint8_t prot = draw_prot();
	bool is_full = count_mapped(span) == span.count;

	expect("protect", span, is_full ? HV_OK : HV_ERR_NOT_FOUND,
		hv_pt_protect(
			&state.pt, GPA(span.in->ipa + span.first * unit), span.count * unit, prot));
	for (uint32_t i = 0; is_full && i < span.count; i++) {
		uint64_t *ghost = &span.in->ghost[span.first + i];

		*ghost = (*ghost & PAGE_MASK) | prot;
	}
}

static void operate(void)
{
	static void (*const operation[])(struct span) = {do_map, do_unmap, do_protect};
	uint64_t which = draw(HV_ARRAY_COUNT(operation));
	struct span span = draw_span();
	uint32_t last = span.first + span.count;

	operation[which](span);
	state.done[which]++;
	/* Where it began and ended, and anywhere. */
	probe(span.in, span.first);
	probe(span.in, last - 1);
	probe(span.in, span.first ? span.first - 1 : 0);
	probe(span.in, last < UNITS ? last : UNITS - 1);
	for (uint32_t i = 0; i < PROBES; i++) {
		probe(&window[draw(HV_ARRAY_COUNT(window))], (uint32_t)draw(UNITS));
	}
}

static void sweep(void)
{
	for (uint32_t w = 0; w < HV_ARRAY_COUNT(window); w++) {
		for (uint32_t unit = 0; unit < UNITS; unit++) {
			probe(&window[w], unit);
		}
	}
}

/* The pool takes one quarter of the RAM; the memory is in the second half. */
static enum hv_status set_up(const struct selftest_ram *ram)
{
	struct cpu_guest guest = cpu_guest();
	enum hv_status status;

	window[END].ipa = HV_BIT(guest.ia_bits) - UNITS * HV_PAGE_SIZE;
	window[ALIAS].ipa = HV_BIT(guest.ia_bits - 1) + window[BORDERS].ipa;
	state.random = 0x9e3779b97f4a7c15u;
	state.memory = (uintptr_t)ram->base + ram->size / 2;
	for (uint64_t at = state.memory; at < (uintptr_t)ram->base + ram->size; at += 8) {
		*(uint64_t *)at = at;
	}
	hv_pages_init(&state.pages, ram->base, HPA((uintptr_t)ram->base),
		(uint32_t)(ram->size / 4 >> HV_PAGE_SHIFT));
	status = hv_pt_init(&state.pt, guest.fmt, &state.pages, guest.ia_bits, guest.pa_bits, 1);
	if (status == HV_OK) {
		cpu_guest_use(&state.pt);
	}
	return status;
}

static void put_count(struct hv_text *text, uint64_t count, const char *what)
{
	hv_text_dec(text, count);
	hv_text_str(text, what);
}

bool oracle_run(const struct selftest_ram *ram)
{
	char line[128];
	struct hv_text text = HV_TEXT(line);
	uint32_t table_count;

	if (set_up(ram) != HV_OK) {
		report_str("log", "no table");
		return false;
	}
	table_count = state.pt.table_count;
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		operate();
	}
	sweep();
	for (uint32_t w = 0; w < HV_ARRAY_COUNT(window); w++) {
		do_unmap((struct span){.in = &window[w], .first = 0, .count = UNITS});
	}
	sweep();
	if (state.pt.table_count != table_count) {
		complain("tables left", 0, table_count, state.pt.table_count);
	}
	put_count(&text, state.done[0], " maps, ");
	put_count(&text, state.done[1], " unmaps, ");
	put_count(&text, state.done[2], " protects, ");
	put_count(&text, state.queries, " queries, ");
	put_count(&text, state.mismatches, " mismatches");
	report("log", &text);
	return state.mismatches == 0;
}
