/* SPDX-License-Identifier: MIT */
/*
 * Firmware calls: what SBI says of itself, and that nonsense is answered. On one hart; the lives of
 * several are smp's, timers are timer's. What only Drydock promises is asked of it alone: OpenSBI
 * of before 1.3 has no DBCN and no SUSP, and lets some nonsense pass.
 */
#include "guest.h"

#define DRYDOCK     0x647279u /* its implementation id */
#define DRYDOCK_EXT (0x0a000000u | DRYDOCK)
#define DIRT        0xdeadbeef00000000u

#define LEGACY_CLEAR_IPI 3u
#define LEGACY_SEND_IPI  4u
#define LEGACY_FENCE_I   5u

#define SUSPEND_KEEPS_ALL     0x00000000u
#define SUSPEND_KEEPS_NOTHING 0x80000000u

static bool ours;

static void gives(const char *name, struct sbi_ret ret, int64_t error, uint64_t value)
{
	check(name, ret.error == error && ret.value == value);
}

static void fails(const char *name, struct sbi_ret ret, int64_t error)
{
	check_eq(name, (uint64_t)ret.error, (uint64_t)error);
}

/* ---- what every call keeps to ---- */

/* All registers that a call must leave alone, and a1 in a legacy one. */
static bool keeps_registers(uint64_t ext, uint64_t fn, bool legacy)
{
	uint64_t wrong;

	__asm__ volatile("mv a7, %1\n\t"
			 "mv a6, %2\n\t"
			 "mv s2, a7\n\t"
			 "mv s3, a6\n\t"
			 "li a1, 0x11\n\t li a2, 0x12\n\t li a3, 0x13\n\t li a4, 0x14\n\t"
			 "li a5, 0x15\n\t li t0, 0x20\n\t li t1, 0x21\n\t li t2, 0x22\n\t"
			 "li t3, 0x23\n\t li t4, 0x24\n\t li t5, 0x25\n\t li t6, 0x26\n\t"
			 "li a0, -1\n\t"
			 "ecall\n\t"
			 "xori a2, a2, 0x12\n\t xori a3, a3, 0x13\n\t xori a4, a4, 0x14\n\t"
			 "xori a5, a5, 0x15\n\t xori t0, t0, 0x20\n\t xori t1, t1, 0x21\n\t"
			 "xori t2, t2, 0x22\n\t xori t3, t3, 0x23\n\t xori t4, t4, 0x24\n\t"
			 "xori t5, t5, 0x25\n\t xori t6, t6, 0x26\n\t xor a7, a7, s2\n\t"
			 "xor a6, a6, s3\n\t"
			 "or a2, a2, a3\n\t or a2, a2, a4\n\t or a2, a2, a5\n\t"
			 "or a2, a2, t0\n\t or a2, a2, t1\n\t or a2, a2, t2\n\t"
			 "or a2, a2, t3\n\t or a2, a2, t4\n\t or a2, a2, t5\n\t"
			 "or a2, a2, t6\n\t or a2, a2, a6\n\t or a2, a2, a7\n\t"
			 "xori a1, a1, 0x11\n\t"
			 "beqz %3, 1f\n\t"
			 "or a2, a2, a1\n"
			 "1:\n\t"
			 "mv %0, a2"
			 : "=&r"(wrong)
			 : "r"(ext), "r"(fn), "r"((uint64_t)legacy)
			 : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "t0", "t1",
			 "t2", "t3", "t4", "t5", "t6", "memory");
	return wrong == 0;
}

static void conventions(void)
{
	check("a call leaves other registers alone", keeps_registers(SBI_BASE, 0, false));
	check("so does one that nobody knows", keeps_registers(0x0b000000, 7, false));
	check("a legacy call leaves a1 alone, too", keeps_registers(LEGACY_CLEAR_IPI, 7, true));
	check("legacy timer as well", keeps_registers(SBI_LEGACY_TIMER, 7, true));
	fails("unknown extension", SBI(0x0b000000, 0), SBI_NOT_SUPPORTED);
	fails("unknown function of base", SBI(SBI_BASE, 0xbad), SBI_NOT_SUPPORTED);
	fails("unknown function of TIME", SBI(SBI_TIME, 1), SBI_NOT_SUPPORTED);
	fails("unknown function of HSM", SBI(SBI_HSM, 4), SBI_NOT_SUPPORTED);
	if (ours) {
		gives("upper halves do not count", SBI(DIRT | SBI_BASE, DIRT | 1), 0, DRYDOCK);
	}
}

static void base(void)
{
	struct sbi_ret version = SBI(SBI_BASE, 0);

	ours = SBI(SBI_BASE, 1).value == DRYDOCK;
	check("SBI 0.2 or later", version.error == 0 && version.value >= 2);
	gives("base is there", SBI(SBI_BASE, 3, SBI_BASE), 0, 1);
	gives("what is not is not", SBI(SBI_BASE, 3, 0x0b000000), 0, 0);
	check("mvendorid, marchid, mimpid are answered", SBI(SBI_BASE, 4).error == 0 &&
								 SBI(SBI_BASE, 5).error == 0 &&
								 SBI(SBI_BASE, 6).error == 0);
	if (ours) {
		check_eq("SBI 2.0", version.value, 0x02000000);
		gives("there is no PMU", SBI(SBI_BASE, 3, SBI_PMU), 0, 0);
		fails("and says so", SBI(SBI_PMU, 0), SBI_NOT_SUPPORTED);
		fails("nothing but exit is Drydock's own", SBI(DRYDOCK_EXT, 1), SBI_NOT_SUPPORTED);
	}
}

/* ---- harts ---- */

static void harts(void)
{
	const uint64_t here = (uintptr_t)harts;

	check_eq("this hart is started", (uint64_t)hart_status((unsigned)boot_hart), HART_STARTED);
	fails("it cannot be started again", SBI(SBI_HSM, 0, boot_hart, here),
		SBI_ALREADY_AVAILABLE);
	fails("no hart cannot, either", SBI(SBI_HSM, 0, 4000, here), SBI_INVALID_PARAM);
	fails("nor has it a state", SBI(SBI_HSM, 2, ~0ull), SBI_INVALID_PARAM);
	fails("a reserved way to suspend", SBI(SBI_HSM, 3, 1, here), SBI_INVALID_PARAM);
	if (ours) {
		fails("a vendor's way to suspend", SBI(SBI_HSM, 3, 0x10000000, here),
			SBI_INVALID_PARAM);
		fails("resume where nothing is", SBI(SBI_HSM, 3, SUSPEND_KEEPS_NOTHING, GUEST_HOLE),
			SBI_INVALID_ADDRESS);
		fails("resume at half an instruction",
			SBI(SBI_HSM, 3, SUSPEND_KEEPS_NOTHING, here | 1), SBI_INVALID_ADDRESS);
	}
}

/* ---- interrupts and fences for lists of harts ---- */

static void soft_clear(void)
{
	CSR_CLEAR_BITS(sip, 1ull << IRQ_SOFT);
}

static void interrupts(void)
{
	irq_enable(IRQ_SOFT); /* but not for the hart: they stay pending */
	soft_clear();
	fails("an IPI to nobody", SBI(SBI_IPI, 0, 0, 0), 0);
	check("does not arrive", !irq_pending(IRQ_SOFT));
	fails("an IPI to itself", SBI(SBI_IPI, 0, 1, boot_hart), 0);
	check("arrives", irq_pending(IRQ_SOFT));
	fails("a suspended hart with an interrupt comes back",
		SBI(SBI_HSM, 3, SUSPEND_KEEPS_ALL, 0, 0), 0);
	check("and the interrupt is still there", irq_pending(IRQ_SOFT));
	soft_clear();
	check("until it is cleared", !irq_pending(IRQ_SOFT));
	fails("an IPI to all", SBI(SBI_IPI, 0, 0, ~0ull), 0);
	check("arrives, too", irq_pending(IRQ_SOFT));
	soft_clear();
	if (ours) {
		fails("an IPI to a hart that is not", SBI(SBI_IPI, 0, 1ull << 60, 0),
			SBI_INVALID_PARAM);
		fails("and to itself besides", SBI(SBI_IPI, 0, 1ull << 60 | 1, boot_hart),
			SBI_INVALID_PARAM);
		fails("a base far away", SBI(SBI_IPI, 0, 1, 1ull << 63), SBI_INVALID_PARAM);
		check("nobody is told then", !irq_pending(IRQ_SOFT));
	}
	irq_disable(IRQ_SOFT);
}

static void fences(void)
{
	fails("FENCE.I everywhere", SBI(SBI_RFENCE, 0, 0, ~0ull), 0);
	fails("SFENCE.VMA of everything", SBI(SBI_RFENCE, 1, 1, boot_hart, 0, 0), 0);
	fails("of everything, the other way", SBI(SBI_RFENCE, 1, 1, boot_hart, 0, ~0ull), 0);
	fails("of a page", SBI(SBI_RFENCE, 1, 1, boot_hart, GUEST_RAM, 4096), 0);
	fails("of an address space", SBI(SBI_RFENCE, 2, 1, boot_hart, 0, ~0ull, 5), 0);
	if (ours) {
		fails("of a range that wraps", SBI(SBI_RFENCE, 1, 1, boot_hart, ~0ull, 2),
			SBI_INVALID_ADDRESS);
		fails("of all but the last byte", SBI(SBI_RFENCE, 1, 1, boot_hart, 1, ~0ull - 1),
			0);
		fails("on harts that are not", SBI(SBI_RFENCE, 1, ~0ull, 0, 0, 0),
			SBI_INVALID_PARAM);
		fails("for guests of ours", SBI(SBI_RFENCE, 3, 1, boot_hart, 0, 0, 0),
			SBI_NOT_SUPPORTED);
	}
}

/* ---- the first version's ---- */

/* At the ecall the hart takes what its own load would have got. */
static void bad_list(const char *name, uint64_t at, uint64_t cause)
{
	expect_trap();
	(void)sbi_legacy(LEGACY_SEND_IPI, at);
	check(name, trap_taken() && trap.cause == cause && trap.tval == at);
}

static void legacy(void)
{
	static uint64_t mask;

	mask = 1ull << boot_hart;
	irq_enable(IRQ_SOFT);
	check_eq("a legacy IPI by a list", (uint64_t)sbi_legacy(LEGACY_SEND_IPI, (uintptr_t)&mask),
		0);
	check("arrives as well", irq_pending(IRQ_SOFT));
	(void)sbi_legacy(LEGACY_CLEAR_IPI, 0);
	check("clear_ipi takes it back", !irq_pending(IRQ_SOFT));
	check_eq("FENCE.I by a list", (uint64_t)sbi_legacy(LEGACY_FENCE_I, (uintptr_t)&mask), 0);
	check_eq("nothing was typed", (uint64_t)sbi_legacy(SBI_LEGACY_GETCHAR, 0), ~0ull);
	bad_list("a list where nothing is", GUEST_HOLE, CAUSE_LOAD_ACCESS);
	check("is nobody's", !irq_pending(IRQ_SOFT));
	irq_disable(IRQ_SOFT);
}

/* ---- the console ---- */

static void console(void)
{
	static const char text[] = "said by DBCN\n";
	static char room[16] = "untouched";
	const uint64_t at = (uintptr_t)text, size = sizeof(text) - 1;

	if (!sbi_has(SBI_DBCN)) {
		return;
	}
	gives("DBCN write", SBI(SBI_DBCN, 0, size, at, 0), 0, size);
	gives("of nothing", SBI(SBI_DBCN, 0, 0, at, 0), 0, 0);
	gives("from beyond all memory", SBI(SBI_DBCN, 0, size, at, 1), SBI_INVALID_PARAM, 0);
	gives("from a hole", SBI(SBI_DBCN, 0, 1, GUEST_HOLE, 0), SBI_INVALID_PARAM, 0);
	gives("from a device", SBI(SBI_DBCN, 0, 1, GUEST_UART, 0), SBI_INVALID_PARAM, 0);
	gives("from before RAM on", SBI(SBI_DBCN, 0, 2, GUEST_RAM - 1, 0), SBI_INVALID_PARAM, 0);
	gives("of more than there is", SBI(SBI_DBCN, 0, ~0ull, at, 0), SBI_INVALID_PARAM, 0);
	gives("read of what was not typed", SBI(SBI_DBCN, 1, sizeof(room), (uintptr_t)room, 0), 0,
		0);
	check("leaves memory alone", room[0] == 'u');
	gives("read to a hole", SBI(SBI_DBCN, 1, 1, GUEST_HOLE, 0), SBI_INVALID_PARAM, 0);
	gives("one byte of a dirty register", SBI(SBI_DBCN, 2, DIRT | 0x6f6e00 | '\n'), 0, 0);
}

static void system(void)
{
	if (!ours) {
		return;
	}
	fails("a reserved reset", SBI(SBI_SRST, 0, 3, 0), SBI_INVALID_PARAM);
	fails("a vendor's reset", SBI(SBI_SRST, 0, 0xf0000000, 0), SBI_INVALID_PARAM);
	fails("a reserved reason", SBI(SBI_SRST, 0, 0, 2), SBI_INVALID_PARAM);
	fails("a reserved sleep", SBI(SBI_SUSP, 0, 1, (uintptr_t)system, 0), SBI_INVALID_PARAM);
	fails("a sleep without a way back", SBI(SBI_SUSP, 0, 0, GUEST_HOLE, 0),
		SBI_INVALID_ADDRESS);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	base();
	conventions();
	harts();
	interrupts();
	fences();
	legacy();
	console();
	system();
}
