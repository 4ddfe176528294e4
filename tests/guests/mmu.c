/* SPDX-License-Identifier: MIT */
/*
 * The guest's own translation on top of the hypervisor's: an identity map of 2 MiB blocks for RAM
 * and of 1 GiB for devices, pages that come, go and change, with the TLB maintenance that this asks
 * for.
 */
#include "guest.h"

#define RAM       0x40000000ull
#define BLOCK_2M  0x200000ull
#define VALID     1ull
#define TABLE     3ull
#define PAGE      3ull
#define AF        (1ull << 10)
#define SH_INNER  (3ull << 8)
#define READ_ONLY (2ull << 6)

#define DEVICE (1ull << 2)   /* MAIR index 1 */
#define WINDOW 0x80000000ull /* one 2 MiB table of pages is here */

#define MAIR 0x00ffull
/* 39 bits by TTBR0, none by TTBR1, 4 KiB, cacheable, 40-bit output. */
#define TCR     (25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 2ull << 32)
#define SCTLR_M (1ull << 0)
#define SCTLR_C (1ull << 2)
#define SCTLR_I (1ull << 12)

#define EC_DABT      0x25u
#define FSC_MASK     0x3fu
#define FSC_TRANS_L3 0x07u
#define FSC_PERM_L3  0x0fu
#define FSC_EXTERNAL 0x10u

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t ram_table[512] __attribute__((aligned(4096)));
static uint64_t window_table[512] __attribute__((aligned(4096)));
static uint64_t window_pages[512] __attribute__((aligned(4096)));
static uint64_t page_a[512] __attribute__((aligned(4096)));
static uint64_t page_b[512] __attribute__((aligned(4096)));

static void flush_tlb(void)
{
	__asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

static void build(void)
{
	root[0] = VALID | AF | DEVICE;
	root[1] = (uint64_t)ram_table | TABLE;
	root[2] = (uint64_t)window_table | TABLE;
	for (unsigned i = 0; i < 512; i++) {
		ram_table[i] = (RAM + i * BLOCK_2M) | VALID | AF | SH_INNER;
	}
	window_table[0] = (uint64_t)window_pages | TABLE;
}

static void turn_on(void)
{
	SYSREG_SET(mair_el1, MAIR);
	SYSREG_SET(tcr_el1, TCR);
	SYSREG_SET(ttbr0_el1, (uint64_t)root);
	flush_tlb();
	SYSREG_SET(sctlr_el1, SYSREG_GET(sctlr_el1) | SCTLR_M | SCTLR_C | SCTLR_I);
}

static void map(unsigned index, const void *page, uint64_t more)
{
	window_pages[index] = page ? ((uint64_t)page | PAGE | AF | SH_INNER | more) : 0;
	flush_tlb();
}

static volatile uint64_t *window(unsigned index)
{
	return (volatile uint64_t *)(WINDOW + index * 4096ull);
}

static void check_fault(const char *name, unsigned fsc, uint64_t far)
{
	check(name, trap_taken() && ESR_EC(trap.esr) == EC_DABT &&
			    (ESR_ISS(trap.esr) & FSC_MASK) == fsc && trap.far == far);
}

static void pages(void)
{
	page_a[0] = 0xaaaa;
	page_b[0] = 0xbbbb;
	map(0, page_a, 0);
	check_eq("a page", *window(0), 0xaaaa);
	map(0, page_b, 0);
	check_eq("another page at the same place", *window(0), 0xbbbb);
	map(0, NULL, 0);
	expect_trap();
	(void)read64(WINDOW + 8);
	check_fault("no page: a translation fault of its own", FSC_TRANS_L3, WINDOW + 8);
	map(3, page_a, READ_ONLY);
	check_eq("read-only page, read", *window(3), 0xaaaa);
	expect_trap();
	write64(WINDOW + 3 * 4096, 1);
	check_fault("read-only page, write", FSC_PERM_L3, WINDOW + 3 * 4096);
	check_eq("not written", page_a[0], 0xaaaa);
}

static void flush_one(uint64_t at)
{
	__asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(at >> 12)
			 : "memory");
}

/*
 * One TLBI by address ends a whole block, whatever smaller pieces a TLB made of it (DDI 0487,
 * D8.13: the entry that translates the address goes).
 */
static void block(void)
{
	static uint64_t *const here = (uint64_t *)(WINDOW + BLOCK_2M);
	uint64_t a = RAM + 4 * BLOCK_2M, b = RAM + 5 * BLOCK_2M;
	unsigned last = BLOCK_2M / sizeof(uint64_t) - 1;

	*(volatile uint64_t *)a = 0xa0;
	*(volatile uint64_t *)(a + BLOCK_2M - 8) = 0xa1;
	*(volatile uint64_t *)b = 0xb0;
	*(volatile uint64_t *)(b + BLOCK_2M - 8) = 0xb1;
	window_table[1] = a | VALID | AF | SH_INNER;
	flush_one((uint64_t)here);
	check_eq("a block, first word", *(volatile uint64_t *)here, 0xa0);
	check_eq("a block, last word", ((volatile uint64_t *)here)[last], 0xa1);
	window_table[1] = 0;
	flush_one((uint64_t)here);
	expect_trap();
	(void)read64((uint64_t)&here[last]);
	check("the block is gone after one TLBI, to its last word", trap_taken());
	window_table[1] = b | VALID | AF | SH_INNER;
	flush_one((uint64_t)here);
	check_eq("another block, first word", *(volatile uint64_t *)here, 0xb0);
	check_eq("another block, last word", ((volatile uint64_t *)here)[last], 0xb1);
	window_table[1] = 0;
	flush_one((uint64_t)here + 5 * 4096); /* any address of it will do */
	expect_trap();
	(void)read64((uint64_t)here);
	check("a block is gone after a TLBI of its middle", trap_taken());
}

/* An address that the guest maps and the machine does not have. */
static void nothing_behind(void)
{
	map(4, (const void *)(uintptr_t)GUEST_HOLE, DEVICE);
	expect_trap();
	(void)read32(WINDOW + 4 * 4096 + 0x20);
	check_fault("a hole behind a page", FSC_EXTERNAL, WINDOW + 4 * 4096 + 0x20);
}

/* Devices at another virtual address: the hypervisor works with physical ones. */
static void device_elsewhere(void)
{
	map(5, (const void *)(uintptr_t)GUEST_UART, DEVICE);
	check_eq("device behind a page", read32(WINDOW + 5 * 4096 + 0xfe0), 0x11);
	uint64_t at = WINDOW + 5 * 4096 + 0xfe0, value;
	__asm__ volatile("ldr %w0, [%1], #4" : "=&r"(value), "+r"(at)::"memory");
	check("with writeback", value == 0x11 && at == WINDOW + 5 * 4096 + 0xfe4);
}

/* Code that is changed after it ran. */
static void self_modifying(void)
{
	static uint32_t code[2] __attribute__((aligned(64))) = {0x52800020, 0xd65f03c0};
	uint64_t (*run)(void) = (uint64_t(*)(void))(uintptr_t)code;

	check_eq("code", run() & 0xffffffff, 1);
	code[0] = 0x52800040; /* mov w0, #2 */
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(code)
			 : "memory");
	check_eq("code, changed", run() & 0xffffffff, 2);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	build();
	turn_on();
	check("the MMU is on", (SYSREG_GET(sctlr_el1) & SCTLR_M) != 0);
	pages();
	block();
	nothing_behind();
	device_elsewhere();
	self_modifying();
}
