/* SPDX-License-Identifier: MIT */
/*
 * I1: reads and writes a word of the pages of the guest-physical address space: each one below the
 * devices, each device's, one in 16 up to RAM, one every 128 MiB to the end, and both sides of each
 * power of two up to the top of what an address register holds. What is not memory is an abort or a
 * device, and its own memory is as it was.
 */
#include "guest.h"

#define RAM     0x40000000ul
#define IPA_END 0x10000000000ul
#define PAGE    0x1000ul
#define PATTERN 0x5a5a5a5au
#define EC_DABT 0x25u
#define GUARD   4096u

static volatile unsigned aborts, others;
static volatile uint32_t guard[GUARD];

static void step_over(struct guest_frame *frame)
{
	if (ESR_EC(frame->esr) == EC_DABT) {
		aborts++;
	} else {
		others++;
	}
	frame->elr += 4;
}

/* Not at the start of the page, where a device's data register is. */
static void touch(uint64_t page)
{
	uint64_t at = page + 0xd80;

	write32(at, PATTERN);
	(void)read32(at);
}

static bool is_device(uint64_t page)
{
	return page >= 0x08000000 && page < 0x0a004000;
}

static bool is_ram(uint64_t page)
{
	return page >= RAM && page < RAM + 0x40000000ul; /* all that there may be */
}

static void dense(uint64_t from, uint64_t to, uint64_t step, const char *name)
{
	unsigned pages = 0;

	aborts = 0;
	for (uint64_t page = from; page < to; page += step) {
		if (!is_device(page) && !is_ram(page)) {
			touch(page);
			pages++;
		}
	}
	check_eq(name, aborts, 2 * pages);
}

static void devices(void)
{
	for (uint64_t page = 0x08000000; page < 0x0a004000; page += PAGE) {
		if (is_device(page)) {
			touch(page);
		}
	}
	check("devices answer or abort", true);
}

static void borders(void)
{
	unsigned pages = 0;

	aborts = 0;
	for (unsigned bit = 31; bit < 64; bit++) {
		touch(1ul << bit);
		pages++;
		/* Below the border: still what is above RAM. */
		touch((1ul << bit) - PAGE + (bit == 31 ? 2 * PAGE : 0));
		pages++;
	}
	touch(0ul - PAGE);
	check_eq("both sides of each power of two", aborts, 2 * (pages + 1));
}

void guest_main(uint64_t dtb)
{
	bool same = true;

	(void)dtb;
	for (unsigned i = 0; i < GUARD; i++) {
		guard[i] = i * 2654435761u;
	}
	on_sync = step_over;
	dense(0, 0x08000000, PAGE, "every page below the devices");
	devices();
	dense(0x0a004000, RAM, 16 * PAGE, "every 16th up to RAM");
	dense(RAM, IPA_END, 0x8000000, "every 128 MiB to the end of the address space");
	borders();
	on_sync = NULL;
	for (unsigned i = 0; i < GUARD; i++) {
		same = same && guard[i] == i * 2654435761u;
	}
	check("its own memory is as it was", same && !others);
}
