/* SPDX-License-Identifier: MIT */
/*
 * I1: reads and writes a word of the pages of the guest-physical address space: each one below RAM
 * that has a device near it, one in 16 of the others, one every 128 MiB to the end, and both sides
 * of each power of two up to the top of what an address register holds. What is not memory is an
 * access fault or a device, and its own memory is as it was. How many faults there are is the
 * machine's affair: it is counted on Drydock's own.
 */
#include "guest.h"

#define GPA_END 0x20000000000ul /* Sv39x4 */
#define PAGE    0x1000ul
#define PATTERN 0x5a5a5a5au
#define GUARD   4096u

static volatile unsigned faults, others;
static volatile uint32_t guard[GUARD];
static bool exact;

static void count_and_step(struct guest_frame *frame)
{
	if (frame->cause == CAUSE_LOAD_ACCESS || frame->cause == CAUSE_STORE_ACCESS) {
		faults++;
	} else {
		others++;
	}
	step_over(frame);
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
	return page == GUEST_RTC || (page >= GUEST_PLIC && page < GUEST_PLIC + 0x600000) ||
	       (page > GUEST_UART && page < GUEST_UART + 0x9000);
}

static bool is_ram(uint64_t page)
{
	return page >= GUEST_RAM && page < GUEST_RAM + 0x40000000ul; /* all that there may be */
}

static void sweep(uint64_t from, uint64_t to, uint64_t step, const char *name)
{
	unsigned pages = 0;

	faults = 0;
	for (uint64_t page = from; page < to; page += step) {
		if (!is_device(page) && !is_ram(page)) {
			touch(page);
			pages++;
		}
	}
	check(name, !exact || faults == 2 * pages);
}

static void devices(void)
{
	for (uint64_t page = 0; page < 0x18000000; page += PAGE) {
		if (is_device(page)) {
			touch(page);
		}
	}
	check("devices answer or fault", true);
}

static void borders(void)
{
	unsigned pages = 0;

	faults = 0;
	for (unsigned bit = 33; bit < 64; bit++) {
		touch(1ul << bit);
		touch((1ul << bit) - PAGE);
		pages += 2;
	}
	touch(0ul - PAGE);
	check("both sides of each power of two", !exact || faults == 2 * (pages + 1));
}

void guest_main(uint64_t dtb)
{
	bool same = true;

	(void)dtb;
	exact = on_drydock();
	for (unsigned i = 0; i < GUARD; i++) {
		guard[i] = i * 2654435761u;
	}
	on_sync = count_and_step;
	sweep(0, 0x04000000, PAGE, "every page where devices are");
	sweep(0x04000000, 0x10000000, 16 * PAGE, "every 16th to the serial device");
	sweep(0x10000000, 0x10010000, PAGE, "every page behind it");
	sweep(0x10010000, GUEST_RAM, 64 * PAGE, "every 64th up to RAM");
	devices();
	sweep(GUEST_RAM, GPA_END, 0x8000000, "every 128 MiB to the end of the address space");
	borders();
	on_sync = NULL;
	for (unsigned i = 0; i < GUARD; i++) {
		same = same && guard[i] == i * 2654435761u;
	}
	check("its own memory is as it was", same && !others);
}
