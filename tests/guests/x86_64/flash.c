/* SPDX-License-Identifier: MIT */
/*
 * Reads the machine's flash, which begins with "pfld", and cannot change it: by no instruction, and
 * also where it has just been read.
 */
#include "guest.h"

#define MAGIC 0x646c6670u

/* Reads the word at `at`, and lets `insn` at it. It need not do a thing, nor to trap. */
#define ATTEMPT(insn, at)                                                                          \
	do {                                                                                       \
		uint64_t at_ = (at), a_ = 0, count_ = 1;                                           \
                                                                                                   \
		(void)TRY("mov (%0), %%r8\n\t" insn,                                               \
			  : "+D"(at_), "+a"(a_), "+c"(count_)                                      \
			  :                                                                        \
			  : "r8", "memory", "cc");                                                 \
		check(insn, is_unchanged());                                                       \
	} while (0)

static bool is_unchanged(void)
{
	return read32(GUEST_FLASH) == MAGIC && read32(GUEST_FLASH + 4) == 0 &&
	       read64(GUEST_FLASH + 0x1000 - 4) == 0;
}

static void every_kind_of_store(void)
{
	ATTEMPT("movb %%al, (%0)", GUEST_FLASH);
	ATTEMPT("movw %%ax, (%0)", GUEST_FLASH);
	ATTEMPT("movl %%eax, (%0)", GUEST_FLASH);
	ATTEMPT("movq %%rax, (%0)", GUEST_FLASH);
	ATTEMPT("movq %%rax, 1(%0)", GUEST_FLASH);
	ATTEMPT("movq $-1, (%0)", GUEST_FLASH + 0x1000 - 4);
	ATTEMPT("movb $0, 3(%0)", GUEST_FLASH);
	ATTEMPT("andl $0, (%0)", GUEST_FLASH);
	ATTEMPT("orb $0xff, (%0)", GUEST_FLASH);
	ATTEMPT("xorq $1, (%0)", GUEST_FLASH);
	ATTEMPT("xchgl %%eax, (%0)", GUEST_FLASH);
	ATTEMPT("lock btsl $0, (%0)", GUEST_FLASH);
	ATTEMPT("stosb", GUEST_FLASH);
	ATTEMPT("rep stosq", GUEST_FLASH);
	/* Again, so that whoever looks at the first only is found out. */
	for (unsigned i = 0; i < 3; i++) {
		ATTEMPT("movl %%ecx, (%0)", GUEST_FLASH);
	}
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	check_eq("flash magic", read32(GUEST_FLASH), MAGIC);
	check_eq("by bytes", read8(GUEST_FLASH + 3), 'd');
	every_kind_of_store();
	check_eq("flash unchanged", read32(GUEST_FLASH), MAGIC);
}
