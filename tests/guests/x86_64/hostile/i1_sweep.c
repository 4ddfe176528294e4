/* SPDX-License-Identifier: MIT */
/*
 * I1: reads and writes a word of the pages of the guest-physical address space: each one near
 * devices, one every 2 MiB below 4 GiB, one every 1 GiB to the end of what an entry of a table can
 * name, and each port. What is not memory reads as all ones or is a device, and its own memory is
 * as it was.
 */
#include "guest.h"

#define PAGE    0x1000ul
#define PATTERN 0x5a5a5a5au
#define GUARD   4096u
#define WINDOW  0x8000000000ull
#define GIB     0x40000000ul
#define RAM_END 0xc0000000ul /* all that there may be */

static volatile uint32_t guard[GUARD];
static uint64_t directories[512] __attribute__((aligned(4096)));
static uint64_t directory[512] __attribute__((aligned(4096)));

/* Not at the start of the page, where a device's data register is. */
static uint32_t touch(uint64_t page)
{
	uint64_t at = page + 0xd80;
	uint32_t value = 0;

	(void)TRY("movl %2, (%1)\n\tmovl (%1), %0",
		  : "=r"(value)
		  : "r"(at), "r"(PATTERN)
		  : "memory");
	return value;
}

static bool is_device(uint64_t page)
{
	return page == GUEST_LAPIC || page == GUEST_IOAPIC;
}

static void sweep(uint64_t from, uint64_t to, uint64_t step, const char *name)
{
	bool empty = true;

	for (uint64_t page = from; page < to; page += step) {
		if (!is_device(page)) {
			empty = touch(page) == ~0u && empty;
		}
	}
	check(name, empty || !on_drydock());
}

/* By a window, as only the first 4 GiB have a name of their own. */
static void far_away(uint64_t address_bits)
{
	bool empty = true;

	tables[WINDOW >> 39] = (uint64_t)directories | 3;
	directories[0] = (uint64_t)directory | 3;
	for (uint64_t at = 4 * GIB; at < 1ull << address_bits; at += 1024 * GIB / 64) {
		directory[0] = at | 0x83;
		REG_SET(cr3, tables);
		empty = touch(WINDOW) == ~0u && empty;
	}
	for (unsigned bit = 33; bit < 52; bit++) {
		directory[0] = 1ull << bit | 0x83;
		REG_SET(cr3, tables);
		(void)touch(WINDOW);
	}
	check("far away", empty || !on_drydock());
}

/* Not those that end it. */
static bool ends(unsigned port)
{
	return port == 0x64 || port == 0x60 || port == 0x92 || (port & 0xfffc) == 0xf4 ||
	       (port >= 0xcf8 && port < 0xd00) || (port >= 0x600 && port < 0x610) ||
	       (port >= 0x3f8 && port < 0x400) || (port >= 0xb0 && port < 0xb4) || port == 0xb2;
}

static void ports(void)
{
	for (unsigned port = 0; port < 0x10000; port++) {
		(void)in8((uint16_t)port);
		if (!ends(port) && on_drydock()) {
			out8((uint16_t)port, 0xff);
			(void)in32((uint16_t)port);
		}
	}
	check("every port", true);
}

void guest_main(uint64_t start_info)
{
	bool same = true;

	(void)start_info;
	for (unsigned i = 0; i < GUARD; i++) {
		guard[i] = i * 2654435761u;
	}
	sweep(RAM_END, 0xfe000000, 0x200000, "every 2 MiB from RAM to devices");
	sweep(0xfe000000, 0xff000000, PAGE, "every page where devices are");
	far_away(cpuid(0x80000008, 0).eax & 0xff);
	ports();
	pic_init();
	for (unsigned i = 0; i < GUARD; i++) {
		same = same && guard[i] == i * 2654435761u;
	}
	check("its own memory is as it was", same);
}
