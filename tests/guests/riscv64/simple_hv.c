/* SPDX-License-Identifier: MIT */
/*
 * The first of the demonstrations: reads its hart's number, which is the hypervisor's to answer,
 * and a word at 0x40, which translation puts there, and shuts down by SBI 0.1. On a machine without
 * a hypervisor mhartid is illegal in S-mode, and stays unread.
 */
#include "guest.h"

#define WORD 0x6688u
#define PTE  0xcfull /* V R W X A D */

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t last[512] __attribute__((aligned(4096)));
static uint64_t first_page[512] __attribute__((aligned(4096)));

static void translate(void)
{
	root[0] = (uint64_t)middle >> 12 << 10 | 1;
	root[2] = (uint64_t)GUEST_RAM >> 12 << 10 | PTE;
	middle[0] = (uint64_t)last >> 12 << 10 | 1;
	middle[GUEST_UART >> 21] = (uint64_t)GUEST_UART >> 12 << 10 | PTE;
	last[0] = (uint64_t)first_page >> 12 << 10 | PTE;
	first_page[8] = WORD;
	CSR_SET(satp, 8ull << 60 | (uint64_t)root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

void guest_main(uint64_t dtb)
{
	uint64_t word, hart = boot_hart;

	(void)dtb;
	translate();
	expect_trap();
	__asm__ volatile("csrr %1, mhartid\n\tld %0, 64(zero)" : "=&r"(word), "+r"(hart)::"memory");
	if (word == WORD && hart == boot_hart) {
		print("ALL PASS\n");
		sbi_legacy(SBI_LEGACY_SHUTDOWN, 0);
	}
	check("the word and the hart", false);
}
