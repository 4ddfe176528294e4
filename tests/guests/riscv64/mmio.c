/* SPDX-License-Identifier: MIT */
/*
 * Device accesses of every shape: all widths and signs, through every register, compressed ones,
 * atomics and floating point, those that are not aligned or reach beyond, and those where nothing
 * is. Where a machine may do it or refuse it, it must be one of the two.
 */
#include "guest.h"

#define UART_SCR       (GUEST_UART + 7)   /* keeps a byte */
#define RTC_ALARM_HIGH (GUEST_RTC + 0x0c) /* keeps a word */
#define VIRTIO_MAGIC   0x10001000u
#define MAGIC          0x74726976u /* "virt" */
#define PLIC_PRIORITY  (GUEST_PLIC + 4 * UART_IRQ)
#define BEYOND         (1ull << 50)

/* mmio.S */
void mmio_load_all(uint64_t at);
void mmio_store_all(uint64_t at);
uint64_t mmio_load_at_border(uint64_t at);
extern uint64_t mmio_loaded[32];

static uint64_t result;

/* One instruction on %1 = address, %0 = result, %2 = a value. */
#define DO(insn, at, value)                                                                        \
	__asm__ volatile(".option push\n\t.option arch, +d\n\t" insn "\n\t.option pop"             \
			 : "=&r"(result)                                                           \
			 : "r"((uint64_t)(at)), "r"((uint64_t)(value))                             \
			 : "t0", "a4", "a5", "memory")
/* The same with operands that a compressed instruction can name: a5 = address, a4 = value. */
#define COMPRESSED(insn, at, value) DO("mv a5, %1\n\tmv a4, %2\n\t" insn "\n\tmv %0, a4", at, value)

static void loads(void)
{
	DO("sb %2, (%1)", UART_SCR, 0x85);
	DO("lbu %0, (%1)", UART_SCR, 0);
	check_eq("lbu", result, 0x85);
	DO("lb %0, (%1)", UART_SCR, 0);
	check_eq("lb", result, 0xffffffffffffff85);
	DO("sw %2, (%1)", RTC_ALARM_HIGH, 0x12345678);
	DO("lw %0, (%1)", RTC_ALARM_HIGH, 0);
	check_eq("lw", result, 0x12345678);
	DO("sw %2, (%1)", RTC_ALARM_HIGH, 0xffffffff87654321);
	DO("lw %0, (%1)", RTC_ALARM_HIGH, 0);
	check_eq("lw, with sign", result, 0xffffffff87654321);
	DO("lwu %0, (%1)", RTC_ALARM_HIGH, 0);
	check_eq("lwu", result, 0x87654321);
	DO("lw %0, -12(%1)", RTC_ALARM_HIGH + 12, 0);
	check_eq("lw, from below", result, 0xffffffff87654321);
	DO("lw %0, 2047(%1)", RTC_ALARM_HIGH - 2047, 0);
	check_eq("lw, from far above", result, 0xffffffff87654321);
	DO("sw %2, -2048(%1)", RTC_ALARM_HIGH + 2048, 5);
	DO("lw %0, (%1)", RTC_ALARM_HIGH, 0);
	check_eq("sw, from far below", result, 5);
}

static void compressed(void)
{
	COMPRESSED("c.sw a4, (a5)", RTC_ALARM_HIGH, 0xffffffff80000001);
	COMPRESSED("c.lw a4, (a5)", RTC_ALARM_HIGH, 0);
	check_eq("c.sw, c.lw", result, 0xffffffff80000001);
	COMPRESSED("c.sw a4, 12(a5)", GUEST_RTC, 0x1111);
	COMPRESSED("c.lw a4, 12(a5)", GUEST_RTC, 0);
	check_eq("with an offset", result, 0x1111);
	COMPRESSED("mv t0, sp\n\tmv sp, a5\n\tc.swsp a4, 12(sp)\n\tmv sp, t0", GUEST_RTC, 0x2222);
	COMPRESSED("mv t0, sp\n\tmv sp, a5\n\tc.lwsp a4, 12(sp)\n\tmv sp, t0", GUEST_RTC, 0);
	check_eq("c.swsp, c.lwsp", result, 0x2222);
	check_eq("in two pages", mmio_load_at_border(RTC_ALARM_HIGH), 0x2222);
}

/* ---- done, or refused ---- */

/*
 * As an access fault, or as misaligned; at one of the words that it touches. QEMU itself calls an
 * atomic's fault a load's.
 */
static bool refused(uint64_t cause, uint64_t at)
{
	return trap_taken() && trap.tval > at - 8 && trap.tval < at + 8 &&
	       trap.cause >= CAUSE_LOAD_MISALIGNED && trap.cause <= cause;
}

static void check_refused(const char *name, uint64_t cause, uint64_t at)
{
	check(name, trap_taken() && trap.cause == cause && trap.tval == at);
}

/* Of a width that this device may not have. */
#define EITHER(name, insn, at, value, cause, done)                                                 \
	do {                                                                                       \
		result = 0;                                                                        \
		expect_trap();                                                                     \
		insn(at, value);                                                                   \
		check(name, refused(cause, at) || (!trap_taken() && (done)));                      \
	} while (0)

#define LD(at, value)   DO("ld %0, (%1)", at, value)
#define SD(at, value)   DO("sd %2, (%1)\n\tmv %0, zero", at, value)
#define LH(at, value)   DO("lh %0, (%1)", at, value)
#define LHU(at, value)  DO("lhu %0, (%1)", at, value)
#define SH(at, value)   DO("sh %2, (%1)\n\tmv %0, zero", at, value)
#define LB(at, value)   DO("lb %0, (%1)", at, value)
#define C_LD(at, value) COMPRESSED("c.ld a4, (a5)", at, value)
#define C_SD(at, value) COMPRESSED("c.sd a4, (a5)", at, value)
#define C_LDSP(at, value)                                                                          \
	COMPRESSED("mv t0, sp\n\tmv sp, a5\n\tc.ldsp a4, 8(sp)\n\tmv sp, t0", (at)-8, value)
#define C_SDSP(at, value)                                                                          \
	COMPRESSED("mv t0, sp\n\tmv sp, a5\n\tc.sdsp a4, 8(sp)\n\tmv sp, t0", (at)-8, value)
#define AMOADD(at, value)   DO("amoadd.w %0, %2, (%1)", at, value)
#define AMOSWAPD(at, value) DO("amoswap.d %0, %2, (%1)", at, value)
#define LR(at, value)       DO("lr.w %0, (%1)", at, value)
#define SC(at, value)       DO("sc.w %0, %2, (%1)", at, value)
#define LW(at, value)       DO("lw %0, (%1)", at, value)
#define SW(at, value)       DO("sw %2, (%1)\n\tmv %0, zero", at, value)
#define FLW(at, value)      DO("flw ft0, (%1)\n\tfmv.x.w %0, ft0", at, value)
#define FSW(at, value)      DO("fmv.w.x ft0, %2\n\tfsw ft0, (%1)\n\tmv %0, zero", at, value)
#define FLD(at, value)      DO("fld ft0, (%1)\n\tfmv.x.d %0, ft0", at, value)
#define C_FSD(at, value)                                                                           \
	DO("fmv.d.x fa5, %2\n\tmv a5, %1\n\tc.fsd fa5, (a5)\n\tmv %0, zero", at, value)

static void odd_sizes(void)
{
	EITHER("lh of a byte register", LH, GUEST_UART + 6, 0, CAUSE_LOAD_ACCESS, true);
	EITHER("lb of a word register", LB, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS, result == 0);
	EITHER("lhu of a word register", LHU, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS, result == 0);
	EITHER("sh of a word register", SH, PLIC_PRIORITY, 7, CAUSE_STORE_ACCESS, true);
	EITHER("ld of a word register", LD, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS, result == 0);
	EITHER("c.ld of a word register", C_LD, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS, result == 0);
	EITHER("sd of a word register", SD, PLIC_PRIORITY, 7, CAUSE_STORE_ACCESS, true);
	EITHER("c.sd of a word register", C_SD, PLIC_PRIORITY, 7, CAUSE_STORE_ACCESS, true);
	EITHER("c.ldsp of a word register", C_LDSP, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS,
		result == 0);
	EITHER("c.sdsp of a word register", C_SDSP, PLIC_PRIORITY, 7, CAUSE_STORE_ACCESS, true);
	check_eq("none of it changed the register", read32(PLIC_PRIORITY), 0);
}

static void atomics(void)
{
	write32(RTC_ALARM_HIGH, 0x3333);
	EITHER("amoadd.w", AMOADD, RTC_ALARM_HIGH, 1, CAUSE_STORE_ACCESS, result == 0x3333);
	check_eq("is done or not", read32(RTC_ALARM_HIGH), trap_taken() ? 0x3333 : 0x3334);
	write32(RTC_ALARM_HIGH, 0x3333);
	EITHER("amoswap.d", AMOSWAPD, PLIC_PRIORITY, 1, CAUSE_STORE_ACCESS, true);
	EITHER("lr.w", LR, RTC_ALARM_HIGH, 0, CAUSE_LOAD_ACCESS, result == 0x3333);
	EITHER("sc.w", SC, RTC_ALARM_HIGH, 0x4444, CAUSE_STORE_ACCESS, result <= 1);
	check("is done or not",
		read32(RTC_ALARM_HIGH) == (trap_taken() || result ? 0x3333u : 0x4444u));
	write32(PLIC_PRIORITY, 0);
}

static void floating_point(void)
{
	CSR_SET_BITS(sstatus, SSTATUS_FS);
	write32(RTC_ALARM_HIGH, 0x40490fdb);
	EITHER("flw", FLW, RTC_ALARM_HIGH, 0, CAUSE_LOAD_ACCESS, result == 0x40490fdb);
	EITHER("fsw", FSW, RTC_ALARM_HIGH, 0x3f800000, CAUSE_STORE_ACCESS,
		read32(RTC_ALARM_HIGH) == 0x3f800000);
	EITHER("fld", FLD, PLIC_PRIORITY, 0, CAUSE_LOAD_ACCESS, true);
	EITHER("c.fsd", C_FSD, PLIC_PRIORITY, 0, CAUSE_STORE_ACCESS, true);
	CSR_CLEAR_BITS(sstatus, SSTATUS_FS);
}

static void not_aligned(void)
{
	write32(RTC_ALARM_HIGH, 0x5555);
	EITHER("lw, not aligned", LW, RTC_ALARM_HIGH + 1, 0, CAUSE_LOAD_ACCESS, true);
	EITHER("sw, not aligned", SW, GUEST_RTC + 0x109, 0, CAUSE_STORE_ACCESS, true);
	EITHER("ld beyond a device", LD, GUEST_RTC + 0xffc, 0, CAUSE_LOAD_ACCESS, false);
	EITHER("sd from before a device", SD, GUEST_RTC - 4, 0, CAUSE_STORE_ACCESS, false);
	EITHER("lh across a device's end", LH, GUEST_RTC + 0xfff, 0, CAUSE_LOAD_ACCESS, false);
	check_eq("the register is as it was", read32(RTC_ALARM_HIGH), 0x5555);
}

static void nothing_there(void)
{
	expect_trap();
	LW(GUEST_HOLE, 0);
	check_refused("load from nowhere", CAUSE_LOAD_ACCESS, GUEST_HOLE);
	expect_trap();
	DO("sb %2, 0x123(%1)", GUEST_HOLE, 1);
	check_refused("store to nowhere", CAUSE_STORE_ACCESS, GUEST_HOLE + 0x123);
	expect_trap();
	COMPRESSED("c.lw a4, 4(a5)", GUEST_HOLE, 0);
	check_refused("c.lw from nowhere", CAUSE_LOAD_ACCESS, GUEST_HOLE + 4);
	expect_trap();
	AMOADD(GUEST_HOLE, 1);
	check("amoadd.w to nowhere", refused(CAUSE_STORE_ACCESS, GUEST_HOLE));
	expect_trap();
	LR(GUEST_HOLE, 0);
	check_refused("lr.w from nowhere", CAUSE_LOAD_ACCESS, GUEST_HOLE);
	expect_trap();
	LD(BEYOND, 0);
	check_refused("load above the address space", CAUSE_LOAD_ACCESS, BEYOND);
	expect_trap();
	SD(-8, 0);
	check_refused("store to the very top", CAUSE_STORE_ACCESS, (uint64_t)-8);
	expect_trap();
	((void (*)(void))(uintptr_t)GUEST_HOLE)();
	check_refused("fetch from nowhere", CAUSE_FETCH_ACCESS, GUEST_HOLE);
	expect_trap();
	((void (*)(void))(uintptr_t)BEYOND)();
	check_refused("fetch above the address space", CAUSE_FETCH_ACCESS, BEYOND);
	expect_trap();
	((void (*)(void))(uintptr_t)GUEST_RTC)();
	check("fetch from a device",
		!trap_taken() || trap.cause == CAUSE_FETCH_ACCESS || trap.cause == CAUSE_ILLEGAL);
	check_eq("the machine goes on", read32(RTC_ALARM_HIGH), 0x5555);
}

static void registers(void)
{
	bool right = mmio_loaded[0] == 0;

	mmio_load_all(VIRTIO_MAGIC);
	for (unsigned n = 1; n < 32; n++) {
		right = right && mmio_loaded[n] == MAGIC;
	}
	check("a load to each register", right && mmio_loaded[0] == 0);
	mmio_store_all(RTC_ALARM_HIGH);
	right = mmio_loaded[0] == 0;
	for (unsigned n = 1; n < 32; n++) {
		right = right && mmio_loaded[n] == 0x100 + n;
	}
	check("a store of each register", right);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	loads();
	compressed();
	registers();
	odd_sizes();
	atomics();
	floating_point();
	not_aligned();
	nothing_there();
}
