/* SPDX-License-Identifier: MIT */
/*
 * Entry and exit, and the TLB, seen from a guest of a few instructions. This image has exit
 * handlers of its own in place of the run loop's: each exit ends guest_run().
 */
#include "selftest.h"

#include <caps.h>
#include <common/report.h>
#include <el2.h>
#include <hv/bits.h>

#define AT_EXIT  0x00u
#define AT_LOAD  0x08u
#define AT_STORE 0x14u
#define AT_FETCH 0x20u

#define EC(esr)         ((unsigned)hv_bits(esr, 31, 26))
#define EC_HVC          0x16u
#define EC_INSN_LOW     0x20u
#define EC_DATA_LOW     0x24u
#define FSC_KIND(esr)   ((unsigned)hv_bits(esr, 5, 2))
#define FSC_TRANSLATION 1u
#define FSC_PERMISSION  3u

#define PSTATE_EL1H 0x3c5u
#define PSTATE_NZCV HV_MASK(31, 28)
#define HCR         (HV_BIT(0) | HV_BIT(31)) /* VM, RW */
#define SCTLR_OFF   0x30d00800u
#define ROUNDS      200u

#define IPA_CODE HV_GIB(1)
#define IPA_DATA HV_GIB(2)

#define RET_INSN 0xd65f03c0u

extern const uint8_t guest_code[];

static struct {
	struct hv_pt pt;
	struct hv_pages pages;
	uint64_t esr; /* of the last exit */
	unsigned wrong, checks;
	uint8_t *page[2]; /* two pages that IPA_DATA may mean */
} state;

struct a64_regs *exit_sync(struct a64_regs *regs, uint64_t esr)
{
	(void)regs;
	state.esr = esr;
	return NULL;
}

struct a64_regs *exit_irq(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_serror(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_sync_timed(struct a64_regs *regs, uint64_t esr)
{
	return exit_sync(regs, esr);
}

struct a64_regs *exit_irq_timed(struct a64_regs *regs)
{
	return regs;
}

struct a64_regs *exit_serror_timed(struct a64_regs *regs)
{
	return regs;
}

static void expect(const char *what, bool right)
{
	char line[96];
	struct hv_text text = HV_TEXT(line);

	state.checks++;
	if (right) {
		return;
	}
	state.wrong++;
	hv_text_str(&text, "wrong: ");
	hv_text_str(&text, what);
	hv_text_str(&text, ", esr ");
	hv_text_hex(&text, state.esr, 8);
	report("log", &text);
}

static bool map(uint64_t ipa, const void *at, uint8_t prot)
{
	struct hv_pt_map map = {.ia = GPA(ipa),
		.pa = HPA((uintptr_t)at),
		.size = HV_PAGE_SIZE,
		.prot = prot,
		.type = HV_MEM_NORMAL};

	return hv_pt_map(&state.pt, &map) == HV_OK;
}

static bool set_up(const struct selftest_ram *ram)
{
	uint64_t half = ram->size / 2;

	state.page[0] = ram->base + half;
	state.page[1] = ram->base + half + HV_PAGE_SIZE;
	hv_pages_init(&state.pages, ram->base, HPA((uintptr_t)ram->base),
		(uint32_t)(half >> HV_PAGE_SHIFT));
	if (hv_pt_init(&state.pt, &a64_stage2_fmt, &state.pages, 40,
		    caps_get()->pa_bits < 48 ? caps_get()->pa_bits : 48, 1) != HV_OK ||
		!map(IPA_CODE, guest_code, HV_PROT_R | HV_PROT_X)) {
		return false;
	}
	SYSREG_WRITE(sctlr_el1, SCTLR_OFF);
	SYSREG_WRITE(vtcr_el2, a64_vtcr(&state.pt));
	SYSREG_WRITE(vttbr_el2, a64_vttbr(&state.pt));
	SYSREG_WRITE(hcr_el2, HCR);
	ISB();
	TLBI(vmalls12e1is);
	DSB(ish);
	ISB();
	return true;
}

static bool summary(void)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	hv_text_dec(&text, state.checks);
	hv_text_str(&text, " checks, ");
	hv_text_dec(&text, state.wrong);
	hv_text_str(&text, " wrong");
	report("log", &text);
	return state.wrong == 0;
}

/* ---- X23: every register comes back as it went in ---- */

bool entry_run(const struct selftest_ram *ram)
{
	uint64_t value = 0x0123456789abcdef;

	if (!set_up(ram)) {
		return false;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct a64_regs in, out;
		uint64_t q[2], sp = value ^ round;
		bool same = true;

		for (unsigned n = 0; n < 31; n++) {
			value = value * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
			in.x[n] = value;
		}
		in.pc = IPA_CODE + AT_EXIT;
		in.pstate = PSTATE_EL1H | (value & PSTATE_NZCV);
		for (unsigned n = 0; n < 32; n++) {
			vreg_set(n, (const uint64_t[2]){in.x[n % 31], ~in.x[n % 31] + n});
		}
		SYSREG_WRITE(sp_el1, sp);
		out = in;
		guest_run(&out);
		for (unsigned n = 0; n < 31; n++) {
			same = same && out.x[n] == in.x[n];
		}
		expect("general registers", same);
		for (unsigned n = 0; n < 32; n++) {
			vreg_get(n, q);
			same = same && q[0] == in.x[n % 31] && q[1] == ~in.x[n % 31] + n;
		}
		expect("SIMD&FP registers", same);
		expect("PC behind the HVC", out.pc == in.pc + 4);
		expect("PSTATE", out.pstate == in.pstate);
		expect("SP_EL1", SYSREG_READ(sp_el1) == sp);
		expect("HVC", EC(state.esr) == EC_HVC);
	}
	return summary();
}

/* ---- P6, P8: what the tables say holds at once, whatever the TLB knew ---- */

static uint64_t run(unsigned at, uint64_t x0)
{
	struct a64_regs regs = {.pc = IPA_CODE + at, .pstate = PSTATE_EL1H};

	regs.x[0] = x0;
	regs.x[1] = IPA_DATA;
	guest_run(&regs);
	return regs.x[0];
}

static bool faulted(unsigned ec, unsigned kind)
{
	return EC(state.esr) == ec && FSC_KIND(state.esr) == kind;
}

static bool data_is(unsigned page)
{
	uint64_t got = run(AT_LOAD, 0);

	return EC(state.esr) == EC_HVC && got == *(volatile uint64_t *)state.page[page];
}

static bool unmap(void)
{
	return hv_pt_unmap(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE) == HV_OK;
}

static void loads_follow_the_map(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;

	run(AT_LOAD, 0);
	expect("nothing mapped", faulted(EC_DATA_LOW, FSC_TRANSLATION));
	expect("map", map(IPA_DATA, state.page[0], rw));
	expect("first page", data_is(0));
	expect("unmap", unmap());
	run(AT_LOAD, 0);
	expect("unmapped", faulted(EC_DATA_LOW, FSC_TRANSLATION));
	expect("map again", map(IPA_DATA, state.page[1], rw));
	expect("second page", data_is(1));
	expect("unmap and map", unmap() && map(IPA_DATA, state.page[0], rw));
	expect("first page again", data_is(0));
	expect("unmap at the end", unmap());
}

static void stores_follow_the_rights(void)
{
	const uint8_t rw = HV_PROT_R | HV_PROT_W;

	expect("map", map(IPA_DATA, state.page[0], rw));
	run(AT_STORE, 77);
	expect("stored", *(volatile uint64_t *)state.page[0] == 77);
	expect("protect",
		hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, HV_PROT_R) == HV_OK);
	run(AT_STORE, 78);
	expect("read-only", faulted(EC_DATA_LOW, FSC_PERMISSION));
	expect("not stored", *(volatile uint64_t *)state.page[0] == 77);
	expect("still readable", data_is(0));
	expect("writable again",
		hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, rw) == HV_OK);
	run(AT_STORE, 79);
	expect("stored again", *(volatile uint64_t *)state.page[0] == 79);
	expect("unmap at the end", unmap());
}

static void fetches_follow_the_rights(void)
{
	uint32_t *code = (uint32_t *)(void *)state.page[1];

	/* RET to x30, which is 0, where nothing is mapped: the fetch itself went well. */
	code[0] = RET_INSN;
	port_guest_sync(code, sizeof(code[0]));
	expect("map", map(IPA_DATA, code, HV_PROT_R | HV_PROT_X));
	run(AT_FETCH, 0);
	expect("executed", faulted(EC_INSN_LOW, FSC_TRANSLATION) && SYSREG_READ(far_el2) == 0);
	expect("protect",
		hv_pt_protect(&state.pt, GPA(IPA_DATA), HV_PAGE_SIZE, HV_PROT_R) == HV_OK);
	run(AT_FETCH, 0);
	expect("not executable", faulted(EC_INSN_LOW, FSC_PERMISSION));
	expect("unmap at the end", unmap());
}

/* A page out of a 2 MiB block that the TLB has seen. */
static void splits_hold(const struct selftest_ram *ram)
{
	struct hv_pt_map block = {.ia = GPA(IPA_DATA),
		.pa = HPA((uintptr_t)ram->base + HV_MIB(2)),
		.size = HV_MIB(2),
		.prot = HV_PROT_R | HV_PROT_W,
		.type = HV_MEM_NORMAL};

	expect("map a block", hv_pt_map(&state.pt, &block) == HV_OK);
	expect("first page of it", data_is(0));
	expect("split", unmap());
	run(AT_LOAD, 0);
	expect("hole in the block", faulted(EC_DATA_LOW, FSC_TRANSLATION));
	expect("unmap the rest", hv_pt_unmap(&state.pt, block.ia, block.size) == HV_OK);
}

bool tlb_run(const struct selftest_ram *ram)
{
	if (!set_up(ram)) {
		return false;
	}
	*(volatile uint64_t *)state.page[0] = 1000;
	*(volatile uint64_t *)state.page[1] = 2000;
	for (unsigned i = 0; i < 3; i++) {
		loads_follow_the_map();
		stores_follow_the_rights();
		fetches_follow_the_rights();
		splits_hold(ram);
	}
	return summary();
}
