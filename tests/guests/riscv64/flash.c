/* SPDX-License-Identifier: MIT */
/*
 * Reads the machine's flash, which begins with "pfld", and may not write it: by no instruction, and
 * also where it has just been read.
 */
#include "guest.h"

#define MAGIC 0x646c6670u

/* Loads from the word at `at`, and lets `insn` at it with a zero. */
#define ATTEMPT(name, insn, at)                                                                    \
	do {                                                                                       \
		uint64_t at_ = (at), old_;                                                         \
                                                                                                   \
		expect_trap();                                                                     \
		__asm__ volatile(".option push\n\t.option norvc\n\t"                               \
				 "lw %0, (%1)\n\t" insn "\n\t"                                     \
				 ".option pop"                                                     \
				 : "=&r"(old_)                                                     \
				 : "r"(at_)                                                        \
				 : "memory");                                                      \
		refused(name, at_);                                                                \
	} while (0)

/* It need not trap; if it does, then so. */
static void refused(const char *name, uint64_t at)
{
	if (trap_taken()) {
		check(name, trap.cause == CAUSE_STORE_ACCESS && trap.tval >= at &&
				    trap.tval < at + sizeof(uint64_t));
	}
	check_eq(name, read32(GUEST_FLASH), MAGIC);
	check_eq(name, read32(GUEST_FLASH + 4), 0);
}

static void every_kind_of_store(void)
{
	CSR_SET_BITS(sstatus, SSTATUS_FS);
	ATTEMPT("sb", "sb zero, (%1)", GUEST_FLASH);
	ATTEMPT("sh", "sh zero, (%1)", GUEST_FLASH);
	ATTEMPT("sw", "sw zero, (%1)", GUEST_FLASH);
	ATTEMPT("sd", "sd zero, (%1)", GUEST_FLASH);
	ATTEMPT("sd, not aligned", "sd zero, 1(%1)", GUEST_FLASH);
	ATTEMPT("fsd", ".insn s 0x27, 3, x0, 0(%1)" /* ft0 */, GUEST_FLASH);
	ATTEMPT("amoswap.w", "amoswap.w %0, zero, (%1)", GUEST_FLASH);
	ATTEMPT("amoand.d", "amoand.d %0, zero, (%1)", GUEST_FLASH);
	ATTEMPT("sc.w", "lr.w %0, (%1)\n\tsc.w %0, zero, (%1)", GUEST_FLASH);
	ATTEMPT("sd across pages", "sd zero, (%1)", GUEST_FLASH + 0x1000 - 4);
	/* Again, so that whoever looks at the first only is found out. */
	for (unsigned i = 0; i < 3; i++) {
		ATTEMPT("again", "amoswap.w %0, zero, (%1)", GUEST_FLASH);
	}
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	check_eq("flash magic", read32(GUEST_FLASH), MAGIC);
	check_eq("by bytes", read8(GUEST_FLASH + 3), 'd');
	expect_trap();
	write32(GUEST_FLASH, 0);
	refused("a write is refused as an access fault", GUEST_FLASH);
	every_kind_of_store();
	check_eq("flash unchanged", read32(GUEST_FLASH), MAGIC);
}
