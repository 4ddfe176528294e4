/* SPDX-License-Identifier: MIT */
/*
 * Device memory by every instruction that kernels use for it, of each size and in each addressing
 * form: a register that keeps what is written (the local APIC timer's count, while it is masked),
 * one that does not (the I/O APIC's window), flash, and where nothing is.
 */
#include "guest.h"

#define REG       (GUEST_LAPIC + LAPIC_TIMER_INIT)
#define PATTERN   0x89abcdefu
#define FLAG_CF   1ull
#define FLAG_ZF   0x40ull
#define FLAG_SF   0x80ull
#define FLAG_OF   0x800ull
#define FLAGS     (FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define EMPTY     (GUEST_HOLE + 0x100)
#define PAGE_SIZE 0x1000u

static uint64_t empty; /* what is read where nothing is */

static void set(uint32_t value)
{
	write32(REG, value);
}

static uint32_t get(void)
{
	return read32(REG);
}

/* An instruction on the register, of which %0 is the address, %1 rax and %2 the flags behind it. */
#define ON_REG(before, rax_in, code)                                                               \
	({                                                                                         \
		set(before);                                                                       \
		rax_ = (rax_in);                                                                   \
		__asm__ volatile(code "\n\tpushfq\n\tpop %2"                                       \
				 : "+D"(at_), "+a"(rax_), "=r"(flags_)                             \
				 :                                                                 \
				 : "rcx", "rdx", "rsi", "memory", "cc");                           \
	})

#define CHECK_REG(name, before, rax_in, code, after, rax_after)                                    \
	do {                                                                                       \
		uint64_t at_ = REG, rax_, flags_;                                                  \
                                                                                                   \
		ON_REG(before, rax_in, code);                                                      \
		(void)flags_;                                                                      \
		check_eq(name, get(), after);                                                      \
		check_eq(name, rax_, rax_after);                                                   \
	} while (0)

#define CHECK_FLAGS(name, before, rax_in, code, after, wanted)                                     \
	do {                                                                                       \
		uint64_t at_ = REG, rax_, flags_;                                                  \
                                                                                                   \
		ON_REG(before, rax_in, code);                                                      \
		check_eq(name, get(), after);                                                      \
		check_eq(name, flags_ &FLAGS, wanted);                                             \
	} while (0)

static void moves(void)
{
	CHECK_REG("mov to a register", PATTERN, ~0ull, "movl (%0), %%eax", PATTERN, PATTERN);
	CHECK_REG("mov from one", 0, PATTERN, "movl %%eax, (%0)", PATTERN, PATTERN);
	CHECK_REG("mov of a constant", 0, 7, "movl $0x12345678, (%0)", 0x12345678, 7);
	CHECK_REG("by the absolute address", PATTERN, 0, "movabs 0xfee00380, %%eax", PATTERN,
		PATTERN);
	CHECK_REG("to it", 0, PATTERN, "movabs %%eax, 0xfee00380", PATTERN, PATTERN);
	CHECK_REG("with a displacement", PATTERN, 0, "movl 0x10-0x10(%0), %%eax", PATTERN, PATTERN);
	CHECK_REG("with a long one", PATTERN, 0,
		"sub $0x1000, %0\n\tmovl 0x1000(%0), %%eax\n\tadd $0x1000, %0", PATTERN, PATTERN);
	CHECK_REG("with an index", PATTERN, 0, "mov $4, %%ecx\n\tmovl -0x20(%0, %%rcx, 8), %%eax",
		PATTERN, PATTERN);
	CHECK_REG("with a 32-bit address", PATTERN, 0,
		"movabs $0x500000000, %%rcx\n\tor %0, %%rcx\n\tmovl (%%ecx), %%eax", PATTERN,
		PATTERN);
	CHECK_REG("by r13", PATTERN, 0,
		"push %%r13\n\tmov %0, %%r13\n\tmovl (%%r13), %%eax\n\tpop %%r13", PATTERN,
		PATTERN);
	CHECK_REG("into r9", PATTERN, 0,
		"push %%r9\n\tmovl (%0), %%r9d\n\tmov %%r9, %%rax\n\tpop %%r9", PATTERN, PATTERN);
	CHECK_REG("into its own base", PATTERN, 0,
		"mov %0, %%rcx\n\tmovl (%%rcx), %%ecx\n\tmov %%rcx, %%rax", PATTERN, PATTERN);
	CHECK_REG("xchg", 5, PATTERN, "xchgl %%eax, (%0)", PATTERN, 5);
	CHECK_REG("stosl", 0, PATTERN, "stosl\n\tsub $4, %0", PATTERN, PATTERN);
	CHECK_REG("stosl down", 0, PATTERN, "std\n\tstosl\n\tcld\n\tadd $4, %0", PATTERN, PATTERN);
	CHECK_REG("rep stosl of one", 0, PATTERN, "mov $1, %%ecx\n\trep stosl\n\tsub $4, %0",
		PATTERN, PATTERN);
	CHECK_REG("rep stosl of none", 3, PATTERN, "xor %%ecx, %%ecx\n\trep stosl", 3, PATTERN);
	CHECK_REG("lodsl", PATTERN, 0, "mov %0, %%rsi\n\tlodsl", PATTERN, PATTERN);
}

static void logic(void)
{
	CHECK_REG("and", PATTERN, 0xff00ff, "andl %%eax, (%0)", PATTERN & 0xff00ff, 0xff00ff);
	CHECK_REG("or", PATTERN, 0x10, "orl %%eax, (%0)", PATTERN | 0x10, 0x10);
	CHECK_REG("xor", PATTERN, 0xffff, "xorl %%eax, (%0)", PATTERN ^ 0xffff, 0xffff);
	CHECK_REG("and to a register", PATTERN, 0xff00ff, "andl (%0), %%eax", PATTERN,
		PATTERN & 0xff00ff);
	CHECK_REG("or to one", PATTERN, 0x10, "orl (%0), %%eax", PATTERN, PATTERN | 0x10);
	CHECK_REG("xor to one", PATTERN, 0xffff, "xorl (%0), %%eax", PATTERN, PATTERN ^ 0xffff);
	CHECK_REG("or of a small constant", 0x100, 0, "orl $-2, (%0)", 0xfffffffe, 0);
	CHECK_REG(
		"and of a large one", PATTERN, 0, "andl $0xf0f0f0f, (%0)", PATTERN & 0x0f0f0f0f, 0);
	CHECK_REG("add", 5, 7, "addl %%eax, (%0)", 12, 7);
	CHECK_REG("sub", 5, 7, "subl %%eax, (%0)", 0xfffffffe, 7);
	CHECK_REG("not", PATTERN, 0, "notl (%0)", ~PATTERN, 0);
	CHECK_REG("neg", 5, 0, "negl (%0)", 0xfffffffb, 0);
	CHECK_REG("inc", 0xffffffff, 0, "incl (%0)", 0, 0);
	CHECK_REG("dec", 0, 0, "decl (%0)", 0xffffffff, 0);
	CHECK_REG("lock or", 1, 2, "lock orl %%eax, (%0)", 3, 2);
	CHECK_REG("cmpxchg, the same", 5, 5, "mov $9, %%ecx\n\tlock cmpxchgl %%ecx, (%0)", 9, 5);
	CHECK_REG("cmpxchg, another", 6, 5, "mov $9, %%ecx\n\tlock cmpxchgl %%ecx, (%0)", 6, 6);
	CHECK_REG("xadd", 6, 5, "lock xaddl %%eax, (%0)", 11, 6);
}

static void flags(void)
{
	CHECK_FLAGS("cmp, equal", 5, 5, "cmpl %%eax, (%0)", 5, FLAG_ZF);
	CHECK_FLAGS("cmp, below", 4, 5, "cmpl %%eax, (%0)", 4, FLAG_CF | FLAG_SF);
	CHECK_FLAGS("cmp, the other way", 4, 5, "cmpl (%0), %%eax", 4, 0);
	CHECK_FLAGS("cmp with a constant", 0x80000000, 0, "cmpl $1, (%0)", 0x80000000, FLAG_OF);
	CHECK_FLAGS("test", 0x80000000, 0x80000000, "testl %%eax, (%0)", 0x80000000, FLAG_SF);
	CHECK_FLAGS("test with a constant", 2, 0, "testl $1, (%0)", 2, FLAG_ZF);
	CHECK_FLAGS("and, to zero", 2, 1, "andl %%eax, (%0)", 0, FLAG_ZF);
	CHECK_FLAGS("bt, set", 0x10, 4,
		"bt %%eax, (%0)\n\tsetc %%al\n\tmovzx %%al, %%eax\n\tcmp $1, %%eax", 0x10, FLAG_ZF);
	CHECK_FLAGS("bt, constant", 0x10, 0,
		"btl $3, (%0)\n\tsetc %%al\n\tmovzx %%al, %%eax\n\tcmp $0, %%eax", 0x10, FLAG_ZF);
	CHECK_FLAGS("bts", 1, 4, "bts %%eax, (%0)\n\tsetc %%al\n\tcmp $0, %%al", 0x11, FLAG_ZF);
	CHECK_FLAGS("lock bts", 0x11, 0, "lock btsl $4, (%0)\n\tsetc %%al\n\tcmp $1, %%al", 0x11,
		FLAG_ZF);
	CHECK_FLAGS(
		"btr", 0x11, 4, "lock btr %%eax, (%0)\n\tsetc %%al\n\tcmp $1, %%al", 1, FLAG_ZF);
	CHECK_FLAGS("btc", 0x11, 0, "btcl $0, (%0)\n\tsetc %%al\n\tcmp $1, %%al", 0x10, FLAG_ZF);
}

/* ---- where nothing is, by all sizes; it reads as the same at each look ---- */

#define CHECK_EMPTY(name, rax_in, code, want)                                                      \
	do {                                                                                       \
		uint64_t at_ = EMPTY, rax_ = (rax_in);                                             \
                                                                                                   \
		__asm__ volatile(code : "+D"(at_), "+a"(rax_) : : "rcx", "rsi", "memory", "cc");   \
		check_eq(name, rax_, want);                                                        \
	} while (0)
#define OLD 0x1122334455667788ull

static void sizes(void)
{
	CHECK_EMPTY("8 bits keep the others", OLD, "movb (%0), %%al",
		(OLD & ~0xffull) | (empty & 0xff));
	CHECK_EMPTY("so do those of ah", OLD, "movb (%0), %%ah",
		(OLD & ~0xff00ull) | (empty & 0xff) << 8);
	CHECK_EMPTY("16 bits, too", OLD, "movw (%0), %%ax", (OLD & ~0xffffull) | (empty & 0xffff));
	CHECK_EMPTY("32 bits clear them", OLD, "movl (%0), %%eax", empty & 0xffffffff);
	CHECK_EMPTY("64 bits", OLD, "movq (%0), %%rax", empty);
	CHECK_EMPTY("movzbl", OLD, "movzbl (%0), %%eax", empty & 0xff);
	CHECK_EMPTY("movzwl", OLD, "movzwl (%0), %%eax", empty & 0xffff);
	CHECK_EMPTY("movzwq", OLD, "movzwq (%0), %%rax", empty & 0xffff);
	CHECK_EMPTY("movzbw", OLD, "movzbw (%0), %%ax", (OLD & ~0xffffull) | (empty & 0xff));
	CHECK_EMPTY("movsbl", OLD, "movsbl (%0), %%eax", (uint32_t)(int8_t)empty);
	CHECK_EMPTY("movsbq", OLD, "movsbq (%0), %%rax", (uint64_t)(int8_t)empty);
	CHECK_EMPTY("movswl", OLD, "movswl (%0), %%eax", (uint32_t)(int16_t)empty);
	CHECK_EMPTY("movslq", OLD, "movslq (%0), %%rax", (uint64_t)(int32_t)empty);
	CHECK_EMPTY("8 bits of a store", 1,
		"movb %%al, (%0)\n\tmovb %%ah, 1(%0)\n\tmovq (%0), %%rax", empty);
	CHECK_EMPTY("16 bits", 1, "movw %%ax, (%0)\n\tmovw $5, (%0)\n\tmovq (%0), %%rax", empty);
	CHECK_EMPTY("64 bits of a store", 1,
		"movq %%rax, (%0)\n\tmovq $-5, (%0)\n\tmovq (%0), %%rax", empty);
	CHECK_EMPTY("with the next page", OLD, "movq 0xefc(%0), %%rax", empty);
	CHECK_EMPTY("a store to both", 1, "movq %%rax, 0xefc(%0)\n\tmovq 0xefc(%0), %%rax", empty);
	CHECK_EMPTY("not aligned", OLD, "movl 3(%0), %%eax", empty & 0xffffffff);
	CHECK_EMPTY("or of 64 bits", 0, "orq (%0), %%rax", empty);
	CHECK_EMPTY("test of 8 bits", 0, "testb $0xff, (%0)\n\tsetnz %%al", (empty & 0xff) != 0);
}

/* ---- strings ---- */

static uint8_t buffer[2 * PAGE_SIZE];

static bool is_filled(unsigned from, unsigned to, uint8_t with)
{
	for (unsigned i = from; i < to; i++) {
		if (buffer[i] != with) {
			return false;
		}
	}
	return true;
}

#define STRING(insn, to, from, count)                                                              \
	({                                                                                         \
		uint64_t di_ = (uint64_t)(to), si_ = (uint64_t)(from), cx_ = (count), ax_ = 0;     \
		__asm__ volatile(insn                                                              \
				 : "+D"(di_), "+S"(si_), "+c"(cx_), "+a"(ax_)                      \
				 :                                                                 \
				 : "memory", "cc");                                                \
		di = di_;                                                                          \
		si = si_;                                                                          \
		cx_;                                                                               \
	})

static uint64_t di, si;

static void strings(void)
{
	uint8_t with = (uint8_t)empty;

	for (unsigned i = 0; i < sizeof(buffer); i++) {
		buffer[i] = 0x5a;
	}
	check_eq("rep movsb out of nothing", STRING("rep movsb", buffer, EMPTY, 100), 0);
	check("did so", is_filled(0, 100, with) && is_filled(100, 200, 0x5a));
	check("and moved on", di == (uint64_t)buffer + 100 && si == EMPTY + 100);
	check_eq("movsq", STRING("rep movsq", buffer + 16, EMPTY, 300), 0);
	check("a long one", is_filled(16, 16 + 2400, with) && is_filled(2416, 2500, 0x5a));
	check_eq("down", STRING("std\n\trep movsl\n\tcld", buffer + 3000, EMPTY, 10), 0);
	check("in 32 bits",
		is_filled(2964, 3004, with) && buffer[2963] == 0x5a && buffer[3004] == 0x5a);
	check("and moved back", di == (uint64_t)buffer + 3000 - 40 && si == EMPTY - 40);
	check_eq("rep movsb into nothing", STRING("rep movsb", EMPTY, buffer, 5000), 0);
	check("moved on", di == EMPTY + 5000 && si == (uint64_t)buffer + 5000);
	check_eq("rep stosq into it", STRING("rep stosq", EMPTY, 0, 2000), 0);
	check("moved on", di == EMPTY + 16000);
	check_eq(
		"out of nothing into nothing", STRING("rep movsl", EMPTY, EMPTY + 0x2000, 1000), 0);
	check("moved on", di == EMPTY + 4000 && si == EMPTY + 0x2000 + 4000);
	check_eq("of no count", STRING("rep movsb", EMPTY, buffer, 0), 0);
	check("did not move", di == EMPTY && si == (uint64_t)buffer);
	check_eq("lods", STRING("rep lodsb", 0, EMPTY, 10), 0);
	check("moved on", si == EMPTY + 10);
	write32(REG, PATTERN);
	(void)STRING("movsl", buffer, REG, 0);
	check_eq("movs out of a register", *(volatile uint32_t *)buffer, PATTERN);
	*(volatile uint32_t *)buffer = ~PATTERN;
	(void)STRING("movsl", REG, buffer, 0);
	check_eq("and into one", get(), ~PATTERN);
	check("cmps stops where it differs",
		(buffer[7] = (uint8_t)~with, buffer[0] = with, true) &&
			(__builtin_memset(buffer, with, 7),
				STRING("repe cmpsb", buffer, EMPTY, 100) == 92));
	check_eq("scas, too", STRING("mov $0, %%eax\n\trepne scasb", EMPTY, 0, 10),
		with == 0 ? 9 : 0);
}

/* ---- where code is ---- */

/* A load whose bytes are in two pages. */
__asm__(".pushsection .text, \"ax\"\n"
	".balign 4096\n"
	".skip 4096 - 3\n"
	"across_pages:\n"
	"	nop\n"
	"	movl	0x380(%rdi), %eax\n"
	"	ret\n"
	".popsection\n");
uint32_t across_pages(uint64_t lapic);

static void fetches(void)
{
	set(PATTERN);
	check_eq("an instruction in two pages", across_pages(GUEST_LAPIC), PATTERN);
}

static void other_devices(void)
{
	uint64_t flash = 0;

	for (unsigned i = 0; i < 8; i++) {
		flash |= (uint64_t)read8(GUEST_FLASH + i) << 8 * i;
	}
	check_eq("64 bits of flash", read64(GUEST_FLASH), flash);
	check_eq("16 in its middle", read16(GUEST_FLASH + 3), flash >> 24 & 0xffff);
	write32(GUEST_IOAPIC, 0x1e);
	check_eq("the I/O APIC's index", read32(GUEST_IOAPIC) & 0xff, 0x1e);
	ioapic_write(0x1e, RTE_MASKED | 0x33);
	check_eq("and its window", ioapic_read(0x1e), RTE_MASKED | 0x33);
	check_eq("an index that is not", ioapic_read(0xff), ioapic_read(0xfe));
}

void guest_main(uint64_t start_info)
{
	(void)start_info;
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	empty = read64(EMPTY);
	check("nothing reads as all ones", empty == ~0ull || !on_drydock());
	moves();
	logic();
	flags();
	sizes();
	strings();
	fetches();
	other_devices();
	set(0);
}
