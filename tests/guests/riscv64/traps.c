/* SPDX-License-Identifier: MIT */
/* Exceptions that stay inside the guest, CSRs that are its own, and CSRs that are not. */
#include "guest.h"

#define NOT_ALLOWED(name, insn)                                                                    \
	do {                                                                                       \
		expect_trap();                                                                     \
		__asm__ volatile(insn ::: "t0", "memory");                                         \
		check_trap(name, CAUSE_ILLEGAL, true);                                             \
	} while (0)

static void check_trap(const char *name, uint64_t cause, bool from_s)
{
	bool s = trap.status & SSTATUS_SPP;

	check(name, trap_taken() && trap.cause == cause && s == from_s);
}

/* stval has the instruction, or nothing (priv 4.1.9). */
static void check_illegal(const char *name, uint64_t at, uint64_t insn)
{
	check(name, trap_taken() && trap.cause == CAUSE_ILLEGAL && trap.x[0] == at &&
			    (trap.tval == insn || trap.tval == 0));
}

static void at_s(void)
{
	uint64_t here;

	expect_trap();
	__asm__ volatile("la %0, 1f\n1:\t.4byte 0xffffffff" : "=r"(here));
	check_illegal("illegal instruction", here, 0xffffffff);
	expect_trap();
	__asm__ volatile("la %0, 1f\n1:\t.2byte 0" : "=r"(here));
	check_illegal("illegal compressed instruction", here, 0);
	expect_trap();
	__asm__ volatile("la %0, 1f\n\t.option push\n\t.option norvc\n1:\tebreak\n\t.option pop"
			 : "=r"(here));
	check("ebreak", trap_taken() && trap.cause == CAUSE_BREAKPOINT && trap.x[0] == here);
	check("ebreak's stval", trap.tval == here || trap.tval == 0);
	expect_trap();
	__asm__ volatile("la %0, 1f\n1:\tc.ebreak" : "=r"(here));
	check("c.ebreak", trap_taken() && trap.cause == CAUSE_BREAKPOINT && trap.x[0] == here);
	check("interrupts were masked before", !(trap.status & SSTATUS_SPIE));
	irq_unmask();
	expect_trap();
	__asm__ volatile("c.ebreak");
	check("and are enabled", (CSR_GET(sstatus) & SSTATUS_SIE) && trap.status & SSTATUS_SPIE);
	irq_mask();
}

/* ---- the guest's own CSRs ---- */

#define CHECK_KEEPS(csr, written, read)                                                            \
	do {                                                                                       \
		uint64_t was_ = CSR_GET(csr), got_;                                                \
		CSR_SET(csr, written);                                                             \
		got_ = CSR_GET(csr);                                                               \
		CSR_SET(csr, was_);                                                                \
		check_eq(#csr " keeps " #written, got_, read);                                     \
	} while (0)

static void own_csrs(void)
{
	uint64_t status = CSR_GET(sstatus);

	check_eq("UXL is 64 bits", status >> 32 & 3, hart_is_unicorns() ? 0 : 2);
	CHECK_KEEPS(sscratch, 0x123456789abcdef0, 0x123456789abcdef0);
	CHECK_KEEPS(sepc, 0x80000002, 0x80000002);
	CHECK_KEEPS(stval, 0xfedcba9876543210, 0xfedcba9876543210);
	CHECK_KEEPS(scause, 1ull << 63 | 5, 1ull << 63 | 5);
	CHECK_KEEPS(sie, ~0ull, 0x222);
	CHECK_KEEPS(sie, 0, 0);
	CHECK_KEEPS(satp, 5ull << 60, 0); /* a reserved mode: nothing changes */
	CSR_SET(sip, ~0ull);
	check_eq("of sip only SSIP can be written", CSR_GET(sip) & ~0x220ull, 2);
	CSR_SET(sip, 0);
	check_eq("and cleared", CSR_GET(sip) & ~0x220ull, 0);
	CSR_SET_BITS(sstatus, SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE);
	check_eq("sstatus keeps its bits",
		CSR_GET(sstatus) &
			(SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE),
		SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE);
	CSR_SET(sstatus, status);
	check_eq("sstatus is as it was", CSR_GET(sstatus), status);
}

/* ---- those of others ---- */

static void machine_csrs(void)
{
	uint64_t hart = 0x5555;

	NOT_ALLOWED("mstatus", "csrr t0, mstatus");
	NOT_ALLOWED("misa", "csrr t0, misa");
	NOT_ALLOWED("mie", "csrw mie, zero");
	NOT_ALLOWED("mscratch", "csrrw t0, mscratch, t0");
	NOT_ALLOWED("mcounteren", "csrr t0, mcounteren");
	NOT_ALLOWED("pmpaddr0", "csrr t0, pmpaddr0");
	NOT_ALLOWED("mcycle", "csrr t0, mcycle");
	NOT_ALLOWED("mret", "mret");
	NOT_ALLOWED("hstatus", "csrr t0, 0x600");
	NOT_ALLOWED("hedeleg", "csrw 0x602, zero");
	NOT_ALLOWED("hgatp", "csrr t0, 0x680");
	NOT_ALLOWED("hvip", "csrr t0, 0x645");
	NOT_ALLOWED("vsstatus", "csrr t0, 0x200");
	NOT_ALLOWED("vsatp", "csrr t0, 0x280");
	NOT_ALLOWED("hlv.w", ".4byte 0x680042f3");
	NOT_ALLOWED("hfence.gvma", ".4byte 0x62000073");
	NOT_ALLOWED("hfence.vvma", ".4byte 0x22000073");
	NOT_ALLOWED("a CSR that there is not", "csrr t0, 0x5ff");
	NOT_ALLOWED("a write to a counter", "csrw cycle, zero");
	NOT_ALLOWED("a write to time", "csrw time, zero");
	/* A hypervisor may answer this one, as firmware may. */
	expect_trap();
	__asm__ volatile("csrr %0, mhartid" : "+r"(hart));
	check("mhartid is refused, or this hart's",
		trap_taken() ? trap.cause == CAUSE_ILLEGAL && hart == 0x5555 : hart == boot_hart);
	expect_trap();
	__asm__ volatile("csrw mhartid, zero");
	check_trap("nobody writes mhartid", CAUSE_ILLEGAL, true);
}

/* A counter counts, or its read is illegal: none answers with something else. */
#define CHECK_COUNTER(name)                                                                        \
	do {                                                                                       \
		uint64_t a_, b_;                                                                   \
		expect_trap();                                                                     \
		a_ = CSR_GET(name);                                                                \
		b_ = trap_taken() ? 0 : CSR_GET(name);                                             \
		check(#name " counts, or is illegal",                                              \
			trap_taken() ? trap.cause == CAUSE_ILLEGAL : b_ > a_);                     \
	} while (0)

static void counters(void)
{
	uint64_t before = counter(), passed;

	while (counter() == before) {
	}
	passed = counter() - before;
	check("time moves", (int64_t)passed > 0);
	CHECK_COUNTER(cycle);
	CHECK_COUNTER(instret);
	expect_trap();
	(void)CSR_GET(hpmcounter3);
	check("hpmcounter3 is there, or illegal", !trap_taken() || trap.cause == CAUSE_ILLEGAL);
	CSR_SET(scounteren, 2);
	check("scounteren has TM", CSR_GET(scounteren) & 2);
	CSR_SET(scounteren, 0);
}

/* ---- U-mode ---- */

static uint64_t user_stack[64] __attribute__((aligned(16)));
static volatile uint64_t user_value;

static void user_code(void)
{
	register uint64_t a7 __asm__("a7") = 0x42;
	register uint64_t a0 __asm__("a0") = 41;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	user_value = a0 + 1;
	LEAVE_USER();
}

#define USER(name, insn)                                                                           \
	static void user_##name(void)                                                              \
	{                                                                                          \
		__asm__ volatile(insn ::: "t0", "memory");                                         \
		LEAVE_USER();                                                                      \
	}
USER(illegal, ".4byte 0xffffffff")
USER(ebreak, "c.ebreak")
USER(sstatus, "csrr t0, sstatus")
USER(mhartid, "csrr t0, mhartid")
USER(sret, "sret")
USER(sfence, "sfence.vma")
USER(wfi, "wfi")
USER(hlv, ".4byte 0x680042f3")
USER(time, "rdtime t0")
USER(hole, "li t0, 0x18000000\n\tlw t0, (t0)")

static void user_trap(const char *name, void (*code)(void), uint64_t cause)
{
	expect_trap();
	run_at_user(code, (uint64_t)&user_stack[64]);
	check_trap(name, cause, false);
}

static void at_user(void)
{
	user_trap("ecall from U", user_code, CAUSE_ECALL_U);
	check_eq("with its registers", trap.x[17], 0x42);
	check_eq("U goes on", user_value, 42);
	user_trap("illegal instruction in U", user_illegal, CAUSE_ILLEGAL);
	user_trap("ebreak in U", user_ebreak, CAUSE_BREAKPOINT);
	user_trap("sstatus from U", user_sstatus, CAUSE_ILLEGAL);
	user_trap("mhartid from U", user_mhartid, CAUSE_ILLEGAL);
	user_trap("sret in U", user_sret, CAUSE_ILLEGAL);
	user_trap("sfence.vma in U", user_sfence, CAUSE_ILLEGAL);
	user_trap("wfi in U", user_wfi, CAUSE_ILLEGAL);
	user_trap("hlv in U", user_hlv, CAUSE_ILLEGAL);
	user_trap("load from nowhere in U", user_hole, CAUSE_LOAD_ACCESS);
	CSR_SET(scounteren, 0);
	expect_trap();
	run_at_user(user_time, (uint64_t)&user_stack[64]);
	/* OpenSBI answers all the same. */
	check("time in U, not allowed", !trap_taken() || trap.cause == CAUSE_ILLEGAL);
	CSR_SET(scounteren, 2);
	expect_trap();
	run_at_user(user_time, (uint64_t)&user_stack[64]);
	check("time in U, allowed", !trap_taken());
}

/* ---- memory ---- */

static uint8_t bytes[4096 + 16] __attribute__((aligned(4096)));
static uint32_t code[4] __attribute__((aligned(16)));

static void misaligned(void)
{
	for (unsigned i = 0; i < 16; i++) {
		bytes[i] = (uint8_t)(0x10 + i);
		bytes[4096 - 8 + i] = (uint8_t)(0x20 + i);
	}
	check_eq("a misaligned load", read64((uint64_t)bytes + 3), 0x1a19181716151413);
	check_eq("one across pages", read32((uint64_t)bytes + 4094), 0x29282726);
	write32((uint64_t)bytes + 4093, 0xaabbccdd);
	check_eq("a misaligned store", read64((uint64_t)bytes + 4092), 0x2b2a29aabbccdd24);
}

static void new_code(void)
{
	bool right = true;

	for (uint32_t i = 0; i < 100; i++) {
		code[0] = 0x00000513u | i << 20; /* li a0, i */
		code[1] = 0x00008067u;           /* ret */
		__asm__ volatile("fence.i" ::: "memory");
		right = right && ((uint64_t(*)(void))(uintptr_t)code)() == i;
	}
	check("FENCE.I: new code is what runs", right);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	at_s();
	own_csrs();
	machine_csrs();
	counters();
	at_user();
	misaligned();
	new_code();
}
