/* SPDX-License-Identifier: MIT */
/*
 * I12: every page of the image, and what lies around it, as the CPU itself sees it from EL2 (AT
 * S1E2R, AT S1E2W). That nothing writable can be executed is SCTLR_EL2.WXN; the faults prove it.
 */
#include "selftest.h"

#include <common/image.h>
#include <common/report.h>
#include <el2.h>
#include <hv/bits.h>

#define PAR_F    HV_BIT(0)
#define FAR_AWAY HV_GIB(32) /* how far the hypervisor must see nothing */

static struct {
	uint64_t wrong, pages;
} state;

static bool may(uint64_t at, bool write)
{
	if (write) {
		__asm__ volatile("at s1e2w, %0" : : "r"(at) : "memory");
	} else {
		__asm__ volatile("at s1e2r, %0" : : "r"(at) : "memory");
	}
	ISB();
	return !(SYSREG_READ(par_el1) & PAR_F);
}

static void expect(uint64_t at, bool read, bool write)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	state.pages++;
	if (may(at, false) == read && may(at, true) == write) {
		return;
	}
	state.wrong++;
	hv_text_str(&text, "wrong at ");
	hv_text_hex(&text, at, 16);
	report("log", &text);
}

/* [from, to), page by page. */
static void expect_all(const uint8_t *from, const uint8_t *to, bool read, bool write)
{
	for (uintptr_t at = (uintptr_t)from; at < (uintptr_t)to; at += HV_PAGE_SIZE) {
		expect(at, read, write);
	}
}

/* The translation tables are nobody's to read or write: from the root on, they are one pool. */
static void probe_data(void)
{
	uint64_t root = SYSREG_READ(ttbr0_el2);

	for (uintptr_t at = (uintptr_t)rodata_end; at < (uintptr_t)image_end; at += HV_PAGE_SIZE) {
		bool guard = false, table = at == root;

		for (unsigned i = 0; i < EL2_CPUS; i++) {
			guard = guard || at == (uintptr_t)cpu_slots[i].guard ||
				at == (uintptr_t)cpu_slots[i].fault_guard;
		}
		if (guard || table) {
			expect(at, false, false);
		} else if (may(at, false) != may(at, true)) {
			expect(at, true, true); /* says so */
		}
	}
	expect_all((const uint8_t *)cpu_slots[0].stack,
		(const uint8_t *)cpu_slots[0].stack + EL2_STACK_SIZE, true, true);
}

bool probe_run(const struct selftest_ram *ram)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	expect_all(image_start, text_end, true, false);
	expect_all(text_end, rodata_end, true, false);
	probe_data();
	expect_all(ram->base, ram->base + ram->size, true, true);
	expect_all(ram->base + ram->size, ram->base + 2 * ram->size, false, false);
	expect(0, false, false);
	for (uint64_t at = HV_GIB(4); at < FAR_AWAY; at += HV_MIB(2)) {
		expect(at, false, false);
	}
	if (!(SYSREG_READ(sctlr_el2) & SCTLR_WXN)) {
		report_str("log", "WXN is off");
		state.wrong++;
	}
	hv_text_dec(&text, state.pages);
	hv_text_str(&text, " pages, ");
	hv_text_dec(&text, state.wrong);
	hv_text_str(&text, " wrong");
	report("log", &text);
	return state.wrong == 0;
}
