/* SPDX-License-Identifier: MIT */
/* Exceptions that stay inside the guest, and registers that the hypervisor answers. */
#include "guest.h"

#define EC_UNKNOWN 0x00u
#define EC_SVC     0x15u
#define EC_SYSREG  0x18u
#define EC_BRK     0x3cu

#define UDF()       __asm__ volatile(".inst 0x00000000")
#define PSTATE_NZCV 0xf0000000u

static void check_trap(const char *name, unsigned ec, unsigned from)
{
	check(name, trap_taken() && ESR_EC(trap.esr) == ec && trap.vector == from * 4);
}

static void at_el1(void)
{
	uint64_t here;

	expect_trap();
	__asm__ volatile("svc #0x123");
	check_trap("svc", EC_SVC, GUEST_FROM_SPX);
	check_eq("svc immediate", ESR_ISS(trap.esr) & 0xffff, 0x123);

	expect_trap();
	__asm__ volatile("adr %0, 1f\n1:\tbrk #0x77" : "=r"(here));
	check_trap("brk", EC_BRK, GUEST_FROM_SPX);
	check_eq("brk immediate", ESR_ISS(trap.esr) & 0xffff, 0x77);
	check_eq("brk returns to itself", trap.elr, here);

	expect_trap();
	UDF();
	check_trap("undefined instruction", EC_UNKNOWN, GUEST_FROM_SPX);

	expect_trap();
	__asm__ volatile("mov x9, #5\n\tcmp x9, #5\n\tsvc #0" ::: "x9", "cc");
	check_eq("flags saved", trap.spsr & PSTATE_NZCV, 0x60000000);
	check("mode saved", trap_taken() && (trap.spsr & 0xf) == 5);
}

static void with_sp_el0(void)
{
	uint64_t sp = SYSREG_GET(sp_el0);

	(void)sp;
	__asm__ volatile("mov x9, sp\n\tmsr sp_el0, x9\n\tmsr spsel, #0" ::: "x9", "memory");
	expect_trap();
	__asm__ volatile("svc #1");
	__asm__ volatile("msr spsel, #1" ::: "memory");
	check_trap("svc at EL1t", EC_SVC, GUEST_FROM_SP0);
}

static uint64_t el0_stack[64];
static volatile uint64_t el0_value;

static void el0_code(void)
{
	uint64_t value = 41;

	__asm__ volatile("svc #0x42" : : "r"(value));
	el0_value = value + 1;
	LEAVE_EL0();
}

static void el0_undefined(void)
{
	UDF();
	LEAVE_EL0();
}

static void el0_sysreg(void)
{
	__asm__ volatile("mrs x9, sctlr_el1" ::: "x9");
	LEAVE_EL0();
}

static void el0_brk(void)
{
	__asm__ volatile("brk #1");
	LEAVE_EL0();
}

static void at_el0(void)
{
	uint64_t stack = (uint64_t)&el0_stack[64];

	expect_trap();
	run_at_el0(el0_code, stack);
	check_trap("svc from EL0", EC_SVC, GUEST_FROM_EL0);
	check_eq("svc from EL0, immediate", ESR_ISS(trap.esr) & 0xffff, 0x42);
	check_eq("EL0 goes on", el0_value, 42);
	check_eq("EL0 stack pointer", SYSREG_GET(sp_el0) <= stack, 1);
	expect_trap();
	run_at_el0(el0_undefined, stack);
	check_trap("undefined instruction at EL0", EC_UNKNOWN, GUEST_FROM_EL0);
	expect_trap();
	run_at_el0(el0_sysreg, stack);
	check("EL1 register from EL0",
		trap_taken() && trap.vector == GUEST_FROM_EL0 * 4 &&
			(ESR_EC(trap.esr) == EC_UNKNOWN || ESR_EC(trap.esr) == EC_SYSREG));
	expect_trap();
	run_at_el0(el0_brk, stack);
	check_trap("brk from EL0", EC_BRK, GUEST_FROM_EL0);
}

static void id_registers(void)
{
	uint64_t pfr0 = SYSREG_GET(id_aa64pfr0_el1);

	check("AArch64 at EL0 and EL1", (pfr0 & 0xf) != 0 && (pfr0 >> 4 & 0xf) != 0);
	check("4 KiB granule", (SYSREG_GET(id_aa64mmfr0_el1) >> 28 & 0xf) == 0);
	check("MPIDR of CPU 0", (SYSREG_GET(mpidr_el1) & 0xff00ffffff) == 0);
	check("MIDR", SYSREG_GET(midr_el1) != 0);
	check("REVIDR", SYSREG_GET(revidr_el1) == SYSREG_GET(revidr_el1));
	check("reserved id register reads as zero", SYSREG_GET(S3_0_C0_C7_7) == 0);
	check("CTR_EL0", SYSREG_GET(ctr_el0) >> 31 == 1);
	check("counter frequency", SYSREG_GET(cntfrq_el0) > 1000000);
}

static void unknown_registers(void)
{
	expect_trap();
	(void)SYSREG_GET(S3_3_C15_C15_7);
	check_trap("read of an unknown register", EC_UNKNOWN, GUEST_FROM_SPX);
	expect_trap();
	SYSREG_SET(S3_3_C15_C15_7, 0);
	check("write of an unknown register", trap_taken() && ESR_EC(trap.esr) == EC_UNKNOWN);
	expect_trap();
	(void)SYSREG_GET(hcr_el2);
	check_trap("EL2 register", EC_UNKNOWN, GUEST_FROM_SPX);
}

void guest_main(uint64_t dtb)
{
	(void)dtb;
	at_el1();
	with_sp_el0();
	at_el0();
	id_registers();
	unknown_registers();
}
