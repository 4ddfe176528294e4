/* SPDX-License-Identifier: MIT */
/*
 * The guest's own translation, Sv39: each kind of page fault with its address, SUM and MXR, U-mode,
 * pages of every size, SFENCE.VMA, and devices behind it. Code at its own address, in one
 * gigabyte; what is tried out is elsewhere.
 */
#include "guest.h"

#define MODE_39 (8ull << 60)
#define V       0x01ull
#define R       0x02ull
#define W       0x04ull
#define X       0x08ull
#define U       0x10ull
#define G       0x20ull
#define A       0x40ull
#define D       0x80ull
#define LEAF    (V | A | D)

#define WINDOW 0x3fc0000000ull /* the last gigabyte of the lower half */
#define PAGE   0x1000ull
#define BLOCK  0x200000ull
#define GIGA   0x40000000ull

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t low[512] __attribute__((aligned(4096)));    /* of the window: 2 MiB each */
static uint64_t window[512] __attribute__((aligned(4096))); /* its first 2 MiB, by pages */
static uint64_t data[2][512] __attribute__((aligned(4096)));

static uint64_t to_pte(uint64_t pa, uint64_t bits)
{
	return pa >> 12 << 10 | bits;
}

static uint64_t page(unsigned n)
{
	return WINDOW + n * PAGE;
}

static void fence(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void map(unsigned n, const void *pa, uint64_t bits)
{
	window[n] = to_pte((uint64_t)pa, bits);
	fence();
}

static void build(void)
{
	root[0] = to_pte(0, LEAF | R | W | G);            /* devices */
	root[2] = to_pte(2 * GIGA, LEAF | R | W | X | G); /* RAM */
	root[255] = to_pte((uint64_t)low, V);
	low[0] = to_pte((uint64_t)window, V);
	CSR_SET(satp, MODE_39 | (uint64_t)root >> 12);
	fence();
}

static void check_fault(const char *name, uint64_t cause, uint64_t at)
{
	check(name, trap_taken() && trap.cause == cause && trap.tval == at);
}

/* ---- what a page allows ---- */

static void faults(void)
{
	data[0][0] = 0x1111;
	data[1][0] = 0x2222;
	map(0, data[0], LEAF | R | W);
	check_eq("a load through a page", read64(page(0)), 0x1111);
	write64(page(0) + 8, 5);
	check_eq("a store through a page", data[0][1], 5);
	expect_trap();
	(void)read64(page(1) + 8);
	check_fault("load from no page", CAUSE_LOAD_PAGE, page(1) + 8);
	expect_trap();
	write8(page(1) + 0x123, 1);
	check_fault("store to no page", CAUSE_STORE_PAGE, page(1) + 0x123);
	expect_trap();
	((void (*)(void))page(1))();
	check_fault("fetch from no page", CAUSE_FETCH_PAGE, page(1));
	map(1, data[1], LEAF | R);
	expect_trap();
	write64(page(1), 1);
	check_fault("store to a read-only page", CAUSE_STORE_PAGE, page(1));
	expect_trap();
	__asm__ volatile("amoadd.d t0, t0, (%0)" ::"r"(page(1)) : "t0", "memory");
	check_fault("atomic on a read-only page", CAUSE_STORE_PAGE, page(1));
	expect_trap();
	((void (*)(void))page(1))();
	check_fault("fetch from a page without X", CAUSE_FETCH_PAGE, page(1));
	map(2, data[1], LEAF | X);
	expect_trap();
	(void)read64(page(2));
	check_fault("load from an execute-only page", CAUSE_LOAD_PAGE, page(2));
	CSR_SET_BITS(sstatus, SSTATUS_MXR);
	check_eq("MXR allows it", read64(page(2)), 0x2222);
	CSR_CLEAR_BITS(sstatus, SSTATUS_MXR);
	map(3, data[0], LEAF | W);
	expect_trap();
	write64(page(3), 1);
	check_fault("W without R is reserved", CAUSE_STORE_PAGE, page(3));
	expect_trap();
	(void)read64(1ull << 39);
	check_fault("an address that is none", CAUSE_LOAD_PAGE, 1ull << 39);
	expect_trap();
	(void)read64(page(0) + PAGE - 4); /* its second half is page 1 */
	check("across two pages that may be read", !trap_taken());
	window[1] = 0;
	fence();
	expect_trap();
	(void)read64(page(0) + PAGE - 4);
	check("across into no page",
		trap_taken() && trap.cause == CAUSE_LOAD_PAGE &&
			(trap.tval == page(1) || trap.tval == page(0) + PAGE - 4));
}

/* A or D clear: the hart sets it, or there is a page fault (priv 4.3.1). */
static void accessed_and_dirty(void)
{
	map(0, data[0], V | R | W);
	expect_trap();
	(void)read64(page(0));
	check("A is clear: fault, or set",
		trap_taken() ? trap.cause == CAUSE_LOAD_PAGE && trap.tval == page(0)
			     : (window[0] & A) != 0);
	map(0, data[0], V | R | W | A);
	expect_trap();
	write64(page(0), 1);
	check("D is clear: fault, or set",
		trap_taken() ? trap.cause == CAUSE_STORE_PAGE && trap.tval == page(0)
			     : (window[0] & D) != 0);
}

/* ---- tables that lead nowhere ---- */

/*
 * The specification has an access fault of the kind of the access. QEMU has a page fault; and with
 * a hypervisor, it calls each of them a load's.
 */
static void check_no_table(const char *name, uint64_t access, uint64_t page_fault, uint64_t at)
{
	check(name, trap_taken() && trap.tval == at &&
			    (trap.cause == access || trap.cause == page_fault ||
				    trap.cause == CAUSE_LOAD_ACCESS));
}

static void tables(void)
{
	uint64_t at = WINDOW + BLOCK;

	low[1] = to_pte(GUEST_HOLE, V);
	fence();
	expect_trap();
	(void)read64(at);
	check_no_table("a table where there is no memory", CAUSE_LOAD_ACCESS, CAUSE_LOAD_PAGE, at);
	expect_trap();
	write64(at, 1);
	check_no_table("for a store", CAUSE_STORE_ACCESS, CAUSE_STORE_PAGE, at);
	expect_trap();
	((void (*)(void))at)();
	check_no_table("for a fetch", CAUSE_FETCH_ACCESS, CAUSE_FETCH_PAGE, at);
	low[1] = to_pte(1ull << 50, V);
	fence();
	expect_trap();
	(void)read64(at);
	check_no_table("a table above the address space", CAUSE_LOAD_ACCESS, CAUSE_LOAD_PAGE, at);
	low[1] = to_pte((uint64_t)data[0], LEAF | R); /* 4 KiB aligned only */
	fence();
	expect_trap();
	(void)read64(at);
	check_fault("a block that is not aligned", CAUSE_LOAD_PAGE, at);
	low[1] = to_pte((uint64_t)low, V); /* itself; then a table at the last level */
	fence();
	expect_trap();
	(void)read64(at + PAGE);
	check_fault("a table at the last level", CAUSE_LOAD_PAGE, at + PAGE);
	low[1] = 0;
	map(0, (const void *)GUEST_HOLE, LEAF | R | W | X);
	expect_trap();
	(void)read64(page(0) + 0x10);
	check_fault("a page where there is no memory", CAUSE_LOAD_ACCESS, page(0) + 0x10);
	expect_trap();
	((void (*)(void))page(0))();
	check_fault("code where there is no memory", CAUSE_FETCH_ACCESS, page(0));
}

/* ---- blocks ---- */

static void blocks(void)
{
	uint64_t at = (uint64_t)data[0];

	data[0][0] = 0x7777;
	low[2] = to_pte(at & ~(BLOCK - 1), LEAF | R | W);
	root[256 - 2] = to_pte(2 * GIGA, LEAF | R);
	root[511] = to_pte(2 * GIGA, LEAF | R);
	fence();
	check_eq("2 MiB", read64(WINDOW + 2 * BLOCK + (at & (BLOCK - 1))), 0x7777);
	check_eq("1 GiB", read64(254 * GIGA + (at & (GIGA - 1))), 0x7777);
	check_eq("1 GiB at the top", read64(-GIGA + (at & (GIGA - 1))), 0x7777);
	low[2] = 0;
	fence();
}

/* ---- U-mode ---- */

/* Each does one thing at the address in sp; LEAVE_USER() with a0 = what it saw. */
__asm__(".pushsection .text.user, \"ax\"\n"
	".balign 4096\n"
	"user_text:\n"
	"user_load:\n\tld a0, (sp)\n\tj user_leave\n"
	"user_store:\n\tsd zero, (sp)\n\tj user_leave\n"
	"user_device:\n\tli a0, 0x4711\n\tsw a0, (sp)\n\tc.lwsp a0, 0(sp)\n"
	"user_leave:\n\tli a7, 0xe10\n\tecall\n"
	".balign 4096\n"
	".popsection\n");
extern const uint8_t user_text[], user_load[], user_store[], user_device[];

#define USER_CODE 8u /* the page that they are in, for U-mode */

static void leave_with_trap(struct guest_frame *frame)
{
	note_trap(frame);
	leave_user(frame);
}

/* Whether it came to its end. */
static bool run(const uint8_t *code, uint64_t at)
{
	expect_trap();
	on_sync = leave_with_trap;
	run_at_user((void (*)(void))(page(USER_CODE) + (uint64_t)(code - user_text)), at);
	on_sync = NULL;
	return !trap_taken();
}

static void check_user_fault(const char *name, uint64_t cause, uint64_t at)
{
	check(name, trap_taken() && trap.cause == cause && trap.tval == at &&
			    !(trap.status & SSTATUS_SPP));
}

static void users(void)
{
	data[1][1] = 0x3333;
	map(USER_CODE, user_text, LEAF | X);
	(void)run(user_load, page(1));
	check_user_fault("U-mode does not fetch S-mode's", CAUSE_FETCH_PAGE, page(USER_CODE));
	map(USER_CODE, user_text, LEAF | X | U);
	map(1, data[1], LEAF | R | W);
	(void)run(user_load, page(1) + 8);
	check_user_fault("nor loads it", CAUSE_LOAD_PAGE, page(1) + 8);
	(void)run(user_store, page(1) + 8);
	check_user_fault("nor stores to it", CAUSE_STORE_PAGE, page(1) + 8);
	map(1, data[1], LEAF | R | U);
	check("U-mode loads its own", run(user_load, page(1) + 8) && user_result == 0x3333);
	(void)run(user_store, page(1) + 8);
	check_user_fault("but stores only where it may", CAUSE_STORE_PAGE, page(1) + 8);
	(void)run(user_load, page(2));
	(void)run(user_load, page(100));
	check_user_fault("load from no page", CAUSE_LOAD_PAGE, page(100));
	map(2, (const void *)GUEST_HOLE, LEAF | R | W | U);
	(void)run(user_load, page(2) + 8);
	check_user_fault("load from no memory", CAUSE_LOAD_ACCESS, page(2) + 8);
	(void)run(user_store, page(2) + 8);
	check_user_fault("store to no memory", CAUSE_STORE_ACCESS, page(2) + 8);
	map(2, (const void *)GUEST_RTC, LEAF | R | W | U);
	check("a device, from code that cannot be read",
		run(user_device, page(2) + 0x0c) && user_result == 0x4711);
	check_eq("the device has it", read32(GUEST_RTC + 0x0c), 0x4711);
	write32(GUEST_RTC + 0x0c, 0);
}

static void supervisor_in_user_memory(void)
{
	expect_trap();
	(void)read64(page(1) + 8);
	check_fault("S-mode does not load U-mode's", CAUSE_LOAD_PAGE, page(1) + 8);
	CSR_SET_BITS(sstatus, SSTATUS_SUM);
	check_eq("SUM allows it", read64(page(1) + 8), 0x3333);
	expect_trap();
	((void (*)(void))page(USER_CODE))();
	check_fault("but no fetch", CAUSE_FETCH_PAGE, page(USER_CODE));
	check_eq("a device with SUM", read32(page(2) + 0x0c), 0);
	CSR_CLEAR_BITS(sstatus, SSTATUS_SUM);
	map(3, (const void *)GUEST_RTC, LEAF | R | W);
	write32(page(3) + 0x0c, 0x1234);
	check_eq("a device behind a page", read32(page(3) + 0x0c), 0x1234);
	expect_trap();
	(void)read64(page(3) + PAGE - 8);
	check("a fault there names the page", !trap_taken() || trap.tval == page(3) + PAGE - 8);
}

/* ---- what SFENCE.VMA promises ---- */

static void fences(void)
{
	bool fresh = true;

	data[0][2] = 0;
	data[1][2] = 1;
	for (unsigned i = 0; i < 200; i++) {
		window[4] = to_pte((uint64_t)data[i % 2], LEAF | R);
		__asm__ volatile("sfence.vma %0, zero" ::"r"(page(4)) : "memory");
		fresh = fresh && read64(page(4) + 16) == i % 2;
	}
	check("by address", fresh);
	for (unsigned i = 0; i < 200; i++) {
		window[4] = to_pte((uint64_t)data[i % 2], LEAF | R);
		__asm__ volatile("sfence.vma zero, %0" ::"r"(0ul) : "memory");
		fresh = fresh && read64(page(4) + 16) == i % 2;
	}
	check("by ASID", fresh);
	for (unsigned i = 0; i < 200; i++) {
		window[4] = 0;
		fence();
		expect_trap();
		(void)read64(page(4));
		fresh = fresh && trap_taken();
		window[4] = to_pte((uint64_t)data[i % 2], LEAF | R);
		fence();
		fresh = fresh && read64(page(4) + 16) == i % 2;
	}
	check("in turns with nothing", fresh);
}

/* Two address spaces, of which each sees its own page. */
static uint64_t other_root[512] __attribute__((aligned(4096)));
static uint64_t other_low[512] __attribute__((aligned(4096)));
static uint64_t other_window[512] __attribute__((aligned(4096)));

static void spaces(void)
{
	bool own = true;

	for (unsigned i = 0; i < 512; i++) {
		other_root[i] = root[i];
	}
	other_root[255] = to_pte((uint64_t)other_low, V);
	other_low[0] = to_pte((uint64_t)other_window, V);
	other_window[4] = to_pte((uint64_t)data[1], LEAF | R);
	window[4] = to_pte((uint64_t)data[0], LEAF | R);
	fence();
	for (unsigned i = 0; i < 200; i++) {
		CSR_SET(satp, MODE_39 | (uint64_t)(i % 2 ? 2 : 1) << 44 |
				      (uint64_t)(i % 2 ? other_root : root) >> 12);
		if ((CSR_GET(satp) >> 44 & 3) != (i % 2 ? 2 : 1)) {
			fence(); /* no ASIDs here */
		}
		own = own && read64(page(4) + 16) == i % 2;
	}
	check("each address space has its own page", own);
	CSR_SET(satp, MODE_39 | (uint64_t)root >> 12);
	fence();
}

/* Sv48 and Sv57, where there are such: the same below one or two more levels. */
static uint64_t upper[2][512] __attribute__((aligned(4096)));

static void more_levels(void)
{
	for (unsigned more = 1; more <= 2; more++) {
		uint64_t *top = upper[more - 1];

		top[0] = to_pte((uint64_t)(more == 1 ? root : upper[0]), V);
		CSR_SET(satp, (MODE_39 + ((uint64_t)more << 60)) | (uint64_t)top >> 12);
		fence();
		if (CSR_GET(satp) >> 60 == 8 + more) {
			check_eq(more == 1 ? "Sv48" : "Sv57", read64(page(4) + 16), 0);
			expect_trap();
			(void)read64(1ull << 39);
			check_fault("and no page above", CAUSE_LOAD_PAGE, 1ull << 39);
			expect_trap();
			(void)read64(page(99));
			check_fault("nor below", CAUSE_LOAD_PAGE, page(99));
		}
	}
	CSR_SET(satp, MODE_39 | (uint64_t)root >> 12);
	fence();
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	build();
	check("translation is on", CSR_GET(satp) >> 60 == 8);
	faults();
	accessed_and_dirty();
	tables();
	blocks();
	users();
	supervisor_in_user_memory();
	fences();
	spaces();
	more_levels();
	CSR_SET(satp, 0);
	fence();
	check("and off again", CSR_GET(satp) == 0);
}
