/* SPDX-License-Identifier: MIT */
/*
 * IN and OUT of each size and form, strings of them in both directions, and ports that nobody has.
 */
#include "guest.h"

#define SCRATCH   (PORT_UART + 7) /* keeps what is written */
#define NOBODY    0x5000u
#define PAGE_SIZE 0x1000u

static uint8_t buffer[2 * PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t di, si, rest;

#define STRING(insn, to, from, count, port)                                                        \
	do {                                                                                       \
		uint64_t di_ = (uint64_t)(to), si_ = (uint64_t)(from), cx_ = (count);              \
		__asm__ volatile(insn                                                              \
				 : "+D"(di_), "+S"(si_), "+c"(cx_)                                 \
				 : "d"(port)                                                       \
				 : "memory", "cc");                                                \
		di = di_;                                                                          \
		si = si_;                                                                          \
		rest = cx_;                                                                        \
	} while (0)

static void forms(void)
{
	uint64_t rax = 0x1122334455667788;

	out8(SCRATCH, 0x5a);
	__asm__ volatile("in %%dx, %%al" : "+a"(rax) : "d"(SCRATCH));
	check_eq("8 bits keep the others", rax, 0x112233445566775a);
	__asm__ volatile("in %%dx, %%ax" : "+a"(rax) : "d"(NOBODY));
	check_eq("16 bits, too", rax, 0x112233445566ffff);
	__asm__ volatile("in %%dx, %%eax" : "+a"(rax) : "d"(NOBODY));
	check_eq("32 bits clear them", rax, 0xffffffff);
	__asm__ volatile("in $0x80, %%al" : "+a"(rax));
	check("a port in the instruction", true);
	__asm__ volatile("out %%al, $0x80\n\tout %%ax, $0x80\n\tout %%eax, $0x80" ::"a"(0));
	check("is written, too", true);
	rax = SCRATCH | 0xabcd0000;
	__asm__ volatile("mov $0x33, %%al\n\tout %%al, %%dx" ::"d"(rax) : "rax");
	check_eq("only dx counts", in8(SCRATCH), 0x33);
	__asm__ volatile(".byte 0x66, 0x48\n\tin %%dx, %%al" : "+a"(rax) : "d"(SCRATCH));
	check_eq("prefixes before it", rax & 0xff, 0x33);
}

static void nobody(void)
{
	for (unsigned port = NOBODY; port < NOBODY + 4; port++) {
		out8((uint16_t)port, 0);
		out16((uint16_t)port, 0);
		out32((uint16_t)port, 0);
	}
	check_eq("nobody's port, 8 bits", in8(NOBODY), 0xff);
	check_eq("16", in16(NOBODY + 2), 0xffff);
	check_eq("32", in32(NOBODY + 4), 0xffffffff);
	(void)in32(NOBODY + 3); /* QEMU reads 0 */
	(void)in32(0xffff);     /* around the end */
	(void)in16(0xffff);
	out32(0xfffe, 0);
	check("the last ports", true);
}

static void strings(void)
{
	for (unsigned i = 0; i < sizeof(buffer); i++) {
		buffer[i] = (uint8_t)i;
	}
	STRING("rep outsb", 0, buffer, 100, SCRATCH);
	check("rep outsb", rest == 0 && si == (uint64_t)buffer + 100 && in8(SCRATCH) == 99);
	STRING("std\n\trep outsb\n\tcld", 0, buffer + 50, 10, SCRATCH);
	check("down", rest == 0 && si == (uint64_t)buffer + 40 && in8(SCRATCH) == 41);
	STRING("rep outsb", 0, buffer, 0, SCRATCH);
	check("of none", si == (uint64_t)buffer && in8(SCRATCH) == 41);
	STRING("outsb", 0, buffer + 7, 5, SCRATCH);
	check("of one", rest == 5 && si == (uint64_t)buffer + 8 && in8(SCRATCH) == 7);
	STRING("rep outsb", 0, buffer + PAGE_SIZE - 2, 4, SCRATCH);
	check("across pages", si == (uint64_t)buffer + PAGE_SIZE + 2 && in8(SCRATCH) == 1);
	out8(SCRATCH, 0xa5);
	STRING("rep insb", buffer + 10, 0, 3000, SCRATCH);
	check("rep insb", rest == 0 && di == (uint64_t)buffer + 3010);
	check("and no more", buffer[9] == 9 && buffer[10] == 0xa5 && buffer[3009] == 0xa5 &&
				     buffer[3010] == (3010 & 0xff));
	STRING("rep insl", buffer, 0, 2, NOBODY);
	check("insl", di == (uint64_t)buffer + 8 && buffer[7] == 0xff && buffer[8] == 8);
	STRING("rep outsw", 0, buffer, 4000, NOBODY);
	check("outsw to nobody", rest == 0 && si == (uint64_t)buffer + 8000);
	STRING("addr32 rep outsb", 0, (uint64_t)buffer | 1ull << 40, 3, SCRATCH);
	check("with 32-bit addresses", si == (uint64_t)buffer + 3);
	wrmsr(0xc0000100, 100);
	STRING("fs outsb", 0, buffer - 50 + 3000, 0, SCRATCH);
	wrmsr(0xc0000100, 0);
	check_eq("in another segment", in8(SCRATCH), 3050 & 0xff);
}

/* It begins anew where it was stopped (X22). */
static void faults(void)
{
	uint64_t at = 0x180000000, count = 10;

	check("ins to nowhere", TRY("rep insb",
					: "+D"(at), "+c"(count)
					: "d"(SCRATCH)
					: "memory") &&
					trap.vector == VECTOR_PF && trap_cr2 == at &&
					trap.error == 2);
	check("nothing was done", trap.r[RDI] == at && trap.r[RCX] == count);
	check("outs from nowhere", TRY("rep outsb",
					   : "+S"(at), "+c"(count)
					   : "d"(SCRATCH)
					   : "memory") &&
					   trap.vector == VECTOR_PF && trap_cr2 == at &&
					   trap.error == 0);
	at = 0x100000000 - 3;
	check("to the end of what is mapped", TRY("rep outsb",
						      : "+S"(at), "+c"(count)
						      : "d"(SCRATCH)
						      : "memory") &&
						      trap.vector == VECTOR_PF &&
						      trap_cr2 == 0x100000000);
	check("three were done", trap.r[RSI] == 0x100000000 && trap.r[RCX] == 7);
	at = 1ull << 63;
	check("not canonical", TRY("insb",
				       : "+D"(at)
				       : "d"(SCRATCH)
				       : "memory") &&
				       trap.vector == VECTOR_GP && trap.error == 0);
}

static void devices(void)
{
	out8(0x70, 0x0d);
	check("CMOS has power", in8(0x71) & 0x80);
	check("port 0x61 toggles", ({
		bool toggles = false;
		uint8_t first = in8(0x61) & 0x10;

		for (unsigned i = 0; i < 1000000 && !toggles; i++) {
			toggles = (in8(0x61) & 0x10) != first;
		}
		toggles;
	}));
	check("ACPI is on", in16(PORT_PM_CNT) & 1 || !on_drydock());
	check("the 8042 is quiet", !(in8(0x64) & 1));
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	forms();
	nobody();
	strings();
	faults();
	devices();
}
