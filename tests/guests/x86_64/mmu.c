/* SPDX-License-Identifier: MIT */
/*
 * The guest's own page tables: pages of 4 KiB, 2 MiB and 1 GiB, rights and faults with CR2 and
 * error codes, accessed and dirty bits, NX and WP, what INVLPG and CR3 make the CPU forget, devices
 * through pages of any kind, and tables that are nowhere.
 */
#include "guest.h"

#define P    1ull
#define W    2ull
#define U    4ull
#define A    0x20ull
#define D    0x40ull
#define PS   0x80ull
#define G    0x100ull
#define NX   (1ull << 63)
#define SIZE 4096u

#define FAULT_P 1u
#define FAULT_W 2u
#define FAULT_U 4u
#define FAULT_R 8u
#define FAULT_I 16u

#define CR0_WP  (1ull << 16)
#define CR4_PGE (1ull << 7)

#define WINDOW 0x8000000000ull /* the second entry of the root */
#define BLOCK  0x200000ull
#define PLACE  0x600000ull
#define RET    0xc3

/* Root, then one of each level for the window. */
static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t third[512] __attribute__((aligned(4096)));
static uint64_t second[512] __attribute__((aligned(4096)));
static uint64_t first[512] __attribute__((aligned(4096)));
static uint8_t pages[4][SIZE] __attribute__((aligned(4096)));
static uint64_t user_stack[512] __attribute__((aligned(16)));

static void forget(uint64_t at)
{
	__asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
}

static void map(unsigned page, uint64_t entry)
{
	first[page] = entry;
	forget(WINDOW + page * SIZE);
}

static uint64_t frame(unsigned page)
{
	return (uint64_t)pages[page];
}

static void tables_on(void)
{
	root[0] = tables[0];
	root[WINDOW >> 39] = (uint64_t)third | P | W | U;
	third[0] = (uint64_t)second | P | W | U;
	second[0] = (uint64_t)first | P | W | U;
	REG_SET(cr3, root);
}

/* ---- what is asked for, and what came of it ---- */

static bool reads(uint64_t at)
{
	return !TRY("mov (%0), %%rax", ::"r"(at) : "rax", "memory");
}

static bool writes(uint64_t at)
{
	return !TRY("movb $1, (%0)", ::"r"(at) : "memory");
}

static bool runs(uint64_t at)
{
	return !TRY("call *%0", ::"r"(at) : "rax", "memory");
}

static bool faulted(uint64_t at, uint64_t error)
{
	return trap_taken && trap.vector == VECTOR_PF && trap_cr2 == at && trap.error == error;
}

static void sizes(void)
{
	uint64_t at = WINDOW + 5;

	map(0, frame(0) | P | W);
	pages[0][5] = 0x77;
	check_eq("4 KiB", read8(at), 0x77);
	second[1] = PLACE | P | W | PS;
	write64(PLACE + 0x123450, 0x5566);
	check_eq("2 MiB", read64(WINDOW + BLOCK + 0x123450), 0x5566);
	if (cpuid(0x80000001, 0).edx >> 26 & 1) {
		third[1] = P | W | PS;
		check_eq("1 GiB", read64(WINDOW + 0x40000000 + PLACE + 0x123450), 0x5566);
	}
	map(1, frame(0) | P | W);
	write8(WINDOW + SIZE + 5, 0x78);
	check_eq("two names for one page", read8(at), 0x78);
	write32(WINDOW + SIZE - 2, 0x11223344);
	check("an access to two pages", pages[0][SIZE - 1] == 0x33 && pages[0][0] == 0x22);
}

static void faults(void)
{
	uint64_t at = WINDOW + 2 * SIZE + 0x123, cr0 = REG_GET(cr0);

	map(2, 0);
	check("a read of nothing", !reads(at) && faulted(at, 0));
	check("a write", !writes(at) && faulted(at, FAULT_W));
	check("a fetch", !runs(at) && faulted(at, FAULT_I));
	check("no table", !reads(WINDOW + 0x80000000) && faulted(WINDOW + 0x80000000, 0));
	map(2, frame(2) | P);
	check("WP is off: a write goes", writes(at));
	REG_SET(cr0, cr0 | CR0_WP);
	check("WP is on: it does not", !writes(at) && faulted(at, FAULT_P | FAULT_W));
	check("a read does", reads(at));
	REG_SET(cr0, cr0);
	pages[2][0x123] = RET;
	check("code", runs(at));
	map(2, frame(2) | P | NX);
	check("not with NX", !runs(at) && faulted(at, FAULT_P | FAULT_I));
	check("which reads", reads(at));
	map(2, frame(2) | P | 1ull << 51);
	check("a reserved bit",
		!reads(at) && trap_cr2 == at && trap.error & FAULT_R); /* QEMU: not P */
	map(2, frame(2) | P | W);
	map(3, 0);
	check("the second of two pages", TRY("movq $5, (%0)", ::"r"(WINDOW + 3 * SIZE - 4)
						 : "memory") &&
						 faulted(WINDOW + 3 * SIZE, FAULT_W));
}

/* ---- at CPL 3 ---- */

static volatile uint64_t user_at;

static void user_read(void)
{
	__asm__ volatile("mov (%0), %%rax" ::"r"(user_at) : "rax", "memory");
	LEAVE_USER();
}

static void user_write(void)
{
	__asm__ volatile("movb $1, (%0)" ::"r"(user_at) : "memory");
	LEAVE_USER();
}

static bool at_user(void (*code)(void), uint64_t at)
{
	trap_taken = false;
	trap_resume = 1; /* wanted: the exception leaves CPL 3 */
	user_at = at;
	run_at_user(code, (uint64_t)&user_stack[500]);
	trap_resume = 0;
	return !trap_taken;
}

static void user(void)
{
	uint64_t at = WINDOW + 2 * SIZE;

	map(2, frame(2) | P | W);
	check("CPL 3 does not read the kernel's",
		!at_user(user_read, at) && faulted(at, FAULT_P | FAULT_U));
	map(2, frame(2) | P | U);
	check("its own it does", at_user(user_read, at));
	check("but not write",
		!at_user(user_write, at) && faulted(at, FAULT_P | FAULT_U | FAULT_W));
	map(2, frame(2) | P | W | U);
	check("unless it may", at_user(user_write, at));
}

/* ---- accessed, dirty ---- */

static void bits(void)
{
	uint64_t at = WINDOW + 4 * SIZE;

	second[0] &= ~A;
	map(4, frame(0) | P | W);
	REG_SET(cr3, root);
	(void)reads(at);
	check_eq("a read sets A", first[4] & (A | D), A);
	check("of the tables, too", second[0] & A);
	(void)writes(at);
	check_eq("a write sets D", first[4] & (A | D), A | D);
	map(4, frame(0) | P);
	REG_SET(cr0, REG_GET(cr0) | CR0_WP);
	(void)writes(at);
	check_eq("one that is refused does not", first[4] & D, 0);
	REG_SET(cr0, REG_GET(cr0) & ~CR0_WP);
	second[1] = PLACE | P | W | PS;
	REG_SET(cr3, root);
	(void)writes(WINDOW + BLOCK);
	check_eq("nor does a block differ", second[1] & (A | D), A | D);
}

/* ---- what is remembered ---- */

static void remembered(void)
{
	uint64_t at = WINDOW + 6 * SIZE;
	bool fresh = true;

	pages[0][0] = 10;
	pages[1][0] = 11;
	for (unsigned i = 0; i < 100; i++) {
		first[6] = frame(i % 2) | P | W;
		if (i % 3 == 0) {
			REG_SET(cr3, root);
		} else {
			forget(at);
		}
		fresh = fresh && read8(at) == 10 + i % 2;
	}
	check("a page that is mapped anew", fresh);
	REG_SET(cr4, REG_GET(cr4) | CR4_PGE);
	for (unsigned i = 0; i < 100; i++) {
		first[6] = frame(i % 2) | P | W | G;
		if (i % 2) {
			REG_SET(cr4, REG_GET(cr4) ^ CR4_PGE);
		} else {
			forget(at);
		}
		fresh = fresh && read8(at) == 10 + i % 2;
	}
	REG_SET(cr4, REG_GET(cr4) & ~CR4_PGE);
	check("a global one, too", fresh);
}

/* ---- devices ---- */

static void devices(void)
{
	map(7, GUEST_LAPIC | P | W | 0x18);
	check_eq("a device in a page", read32(WINDOW + 7 * SIZE + LAPIC_VERSION),
		lapic_read(LAPIC_VERSION));
	write32(WINDOW + 7 * SIZE + LAPIC_TPR, 0x20);
	check_eq("is written", lapic_read(LAPIC_TPR), 0x20);
	lapic_write(LAPIC_TPR, 0);
	map(7, GUEST_LAPIC | P);
	REG_SET(cr0, REG_GET(cr0) | CR0_WP);
	check("unless the page may not",
		TRY("movl $5, 0x80(%0)", ::"r"(WINDOW + 7 * SIZE)
			: "memory") &&
			faulted(WINDOW + 7 * SIZE + 0x80, FAULT_P | FAULT_W));
	check("nor by or", TRY("orl $5, 0x80(%0)", ::"r"(WINDOW + 7 * SIZE)
				   : "memory") &&
				   faulted(WINDOW + 7 * SIZE + 0x80, FAULT_P | FAULT_W));
	REG_SET(cr0, REG_GET(cr0) & ~CR0_WP);
	check_eq("nothing was", lapic_read(LAPIC_TPR), 0);
	second[2] = (GUEST_LAPIC & ~(BLOCK - 1)) | P | W | PS;
	check_eq("in a block",
		read32(WINDOW + 2 * BLOCK + (GUEST_LAPIC & (BLOCK - 1)) + LAPIC_VERSION),
		lapic_read(LAPIC_VERSION));
	/* Half in memory, half in a device: the LAPIC's first word is nobody's. */
	map(8, frame(3) | P | W);
	map(9, GUEST_HOLE | P | W);
	pages[3][SIZE - 2] = 0x34;
	pages[3][SIZE - 1] = 0x12;
	check_eq("half memory, half nothing", read32(WINDOW + 9 * SIZE - 2),
		0x1234 | (uint32_t)read16(GUEST_HOLE) << 16);
	write32(WINDOW + 9 * SIZE - 2, 0xaabbccdd);
	check("a store to both", pages[3][SIZE - 2] == 0xdd && pages[3][SIZE - 1] == 0xcc);
	map(10, GUEST_FLASH | P | W);
	check_eq("flash in a page", read32(WINDOW + 10 * SIZE), read32(GUEST_FLASH));
}

/* ---- code somewhere else, that touches a device ---- */

static void code_elsewhere(void)
{
	static const uint8_t code[] = {0x8b, 0x47, 0x30, RET}; /* mov 0x30(%rdi), %eax; ret */
	uint64_t at = WINDOW + 11 * SIZE + SIZE - 2;

	for (unsigned i = 0; i < sizeof(code); i++) {
		(i < 2 ? pages[1] : pages[0])[i < 2 ? SIZE - 2 + i : i - 2] = code[i];
	}
	map(11, frame(1) | P);
	map(12, frame(0) | P);
	check_eq("an access by code in two pages",
		((uint32_t(*)(uint64_t))(uintptr_t)at)(GUEST_LAPIC), lapic_read(LAPIC_VERSION));
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	tables_on();
	sizes();
	faults();
	user();
	bits();
	remembered();
	devices();
	code_elsewhere();
	REG_SET(cr3, tables);
}
