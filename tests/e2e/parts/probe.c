/* SPDX-License-Identifier: MIT */
/*
 * I12: every page of the image, and what lies around it, as the CPU itself sees it. That nothing
 * writable can be executed, the faults prove.
 */
#include "cpu.h"
#include "selftest.h"

#include <common/image.h>
#include <common/report.h>
#include <hv/bits.h>

#define FAR_AWAY HV_GIB(32) /* how far the hypervisor must see nothing */

static struct {
	uint64_t wrong, pages;
} state;

static void expect(uint64_t at, bool read, bool write)
{
	char line[64];
	struct hv_text text = HV_TEXT(line);

	state.pages++;
	if (cpu_may(at, false) == read && cpu_may(at, true) == write) {
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
	size_t stack_size;
	const uint8_t *stack = cpu_stack(&stack_size);

	for (uintptr_t at = (uintptr_t)rodata_end; at < (uintptr_t)image_end; at += HV_PAGE_SIZE) {
		if (cpu_is_guard(at) || at == cpu_root()) {
			expect(at, false, false);
		} else if (cpu_may(at, false) != cpu_may(at, true)) {
			expect(at, true, true); /* says so */
		}
	}
	expect_all(stack, stack + stack_size, true, true);
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
	if (!cpu_forbids_writable_code()) {
		report_str("log", "writable code is not forbidden");
		state.wrong++;
	}
	hv_text_dec(&text, state.pages);
	hv_text_str(&text, " pages, ");
	hv_text_dec(&text, state.wrong);
	hv_text_str(&text, " wrong");
	report("log", &text);
	return state.wrong == 0;
}
